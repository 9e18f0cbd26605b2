use std::sync::{Arc, LazyLock};
use std::time::Duration;

use perennial_bundler::Loader;
use perennial_engine::{
    Build, Console, EngineConfig, Executor, ExecutorConfig, Extensions, ModuleGraph, RunOptions, Script, VmSource,
    discard, run,
};
use serde_json::Value;
use tokio::runtime::Handle;

use super::manifest::Raw;
use crate::cells::CellCache;
use crate::library::Library;
use crate::modules::{BundleImports, ModuleAccess, session_modules};
use crate::provisions::Provisions;

/// What reads a plugin's own word. It runs in a VM of its own.
const READ: &str = r#"import * as module from "plugin";
const plugin: any = module.default;
if (plugin === null || typeof plugin !== "object") throw new TypeError("the module has no default export made by definePlugin({ … })");
const copy = (value: unknown) => (value === undefined ? null : typeof value === "number" && !Number.isFinite(value) ? String(value) : JSON.parse(JSON.stringify(value) ?? "null"));
const offered: [string, unknown][] = Object.entries<any>(plugin.tools ?? {}).map(([name, tool]) => [name, tool === null || typeof tool !== "object" ? null : {
  keys: Object.keys(tool), description: copy(tool.description), input: copy(tool.input), output: copy(tool.output),
  timeout: copy(tool.timeoutMs), run: Object.hasOwn(tool, "run") ? typeof tool.run : "undefined",
}]);
return {
  keys: Object.keys(plugin), name: copy(plugin.name), version: copy(plugin.version), description: copy(plugin.description),
  allow: copy(plugin.allow), tools: offered, setup: typeof plugin.setup,
};"#;

/// What positions call it.
const NAME: &str = "perennial:read-plugin";

/// Evaluates the plugin once, in a VM of its own that can do nothing, and reads what it says of itself.
pub(super) async fn read(graph: Arc<ModuleGraph>, loader: &Loader, deadline: Duration) -> Result<Raw, String> {
    let executor = Arc::new(Executor::new(ExecutorConfig::default()));
    let graphs = [(("plugin".to_owned(), None), graph)].into_iter().collect();
    let script = Script {
        prepare: Arc::<CellCache>::default().prepare(READ.into(), NAME.to_owned()),
        known: None,
        args: Value::Null,
        name: NAME.to_owned(),
        options: Arc::new(RunOptions::default().configure(|options| options.wall = deadline)),
        extensions: Extensions::default().with(ModuleAccess::new(loader.clone(), "/")),
        lent: Extensions::default().with(BundleImports(Arc::new(graphs))),
        sink: None,
        cancel: None,
    };
    let vm = VmSource::Build(Build::new(config()?, Console::default(), Handle::current()));
    let end = run(&executor, &Handle::current(), vm, script, Box::new(())).await;
    if let Some(vm) = end.vm {
        discard(&executor, vm, end.held);
    }
    let value = end.outcome.map_err(|error| {
        if error.kind.is_stop() {
            return format!(
                "it did not come to an end within {deadline:?} when it was evaluated ({})",
                error.kind.as_str()
            );
        }
        let place = match (&error.file, error.line, error.column) {
            (Some(file), Some(line), Some(column)) if !file.starts_with("perennial:") => {
                format!(" ({file}:{line}:{column})")
            }
            _ => String::new(),
        };
        format!("{}: {}{place}", error.name, error.message)
    })?;
    serde_json::from_value(value.unwrap_or(Value::Null)).map_err(|error| format!("it cannot be read: {error}"))
}

/// What every session has besides plugins; nothing of it is granted.
fn config() -> Result<EngineConfig, String> {
    static CONFIG: LazyLock<Result<EngineConfig, String>> = LazyLock::new(|| {
        let mut library = Library::default();
        library.ops(perennial_stdlib::ops());
        perennial_stdlib::areas().into_iter().for_each(|area| library.area(area));
        Provisions::to_ask().declare(&mut library);
        library.config(Some(session_modules().clone())).map_err(|error| error.to_string())
    });
    CONFIG.clone()
}
