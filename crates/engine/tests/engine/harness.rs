//! One VM with what it needs around it.

use std::sync::Arc;

use perennial_engine::{
    Background, Build, Console, EngineConfig, Executor, ExecutorConfig, Extensions, RunEnd, RunOptions, Script, Vm,
    VmSource,
};
use perennial_protocol::{ErrorKind, ScriptError};
use serde_json::{Value, json};
use tokio::runtime::Handle;

pub struct Harness {
    pub executor: Arc<Executor>,
    pub config: EngineConfig,
    pub console: Console,
    pub vm: Option<Vm>,
    pub options: RunOptions,
    pub args: Value,
    pub extensions: Extensions,
    pub lent: Extensions,
    runs: u32,
}

#[allow(dead_code, reason = "two test binaries share it, and each leaves something out")]
impl Harness {
    pub fn new() -> Self {
        Self::with_config(EngineConfig::default())
    }

    pub fn with_config(config: EngineConfig) -> Self {
        Self {
            executor: Arc::new(Executor::new(ExecutorConfig::default())),
            config,
            console: Console::default(),
            vm: None,
            options: RunOptions::default(),
            args: json!([]),
            extensions: Extensions::default(),
            lent: Extensions::default(),
            runs: 0,
        }
    }

    pub fn script(&mut self, source: &str) -> Script {
        self.runs += 1;
        Script {
            prepare: {
                let program = Arc::new(perennial_engine::Program::plain(source));
                Box::new(move |_| Ok(program))
            },
            known: None,
            args: self.args.clone(),
            name: format!("cell {}", self.runs),
            options: Arc::new(self.options.clone()),
            extensions: self.extensions.clone(),
            lent: self.lent.clone(),
            sink: None,
            cancel: None,
        }
    }

    pub fn source(&mut self) -> VmSource {
        match self.vm.take() {
            Some(vm) => VmSource::Warm(vm),
            None => VmSource::Build(Build::new(self.config.clone(), self.console.clone(), Handle::current())),
        }
    }

    pub async fn end(&mut self, source: &str) -> RunEnd {
        let (vm, script) = (self.source(), self.script(source));
        let mut end = perennial_engine::run(&self.executor, &Handle::current(), vm, script, Box::new(())).await;
        self.vm = end.vm.take().filter(|vm| !vm.is_poisoned());
        end
    }

    /// Lets callbacks run that the last run left behind.
    pub async fn pump(&mut self) {
        let vm = self.vm.take().unwrap();
        let background = Background::of(&vm).unwrap();
        background.ready().await;
        let budget = std::time::Duration::from_secs(1);
        let (vm, _, _) = perennial_engine::pump(&self.executor, &Handle::current(), vm, budget, Box::new(())).await;
        self.vm = vm;
    }

    pub async fn run(&mut self, source: &str) -> Result<Option<Value>, ScriptError> {
        self.end(source).await.outcome
    }

    pub async fn value(&mut self, source: &str) -> Value {
        self.run(source).await.unwrap().unwrap_or(Value::Null)
    }

    pub async fn error(&mut self, source: &str) -> ScriptError {
        match self.run(source).await {
            Err(error) => error,
            Ok(value) => panic!("{source:?} returned {value:?}"),
        }
    }

    pub async fn kind(&mut self, source: &str) -> ErrorKind {
        self.error(source).await.kind
    }
}
