use std::time::Duration;

use perennial_engine::{ConsoleSink, EngineConfig, RunOptions};
use perennial_protocol::RunRequest;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

#[cfg(feature = "modules")]
use crate::bundle::CompiledBundle;
use crate::context::{Grant, Loan, RunContext};
use crate::ready::Ready;

/// One run: what is run, and what it brings.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use perennial_sessions::{Run, SessionTable};
/// use std::time::Duration;
/// let table = SessionTable::builder().build()?;
/// let run = Run::script("args.a + args.b").args(serde_json::json!({"a": 1, "b": 2})).timeout(Duration::from_secs(1));
/// let sum: u32 = table.session("ada").run(run).await.value()?;
/// assert_eq!(sum, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing runs until a session is given it"]
pub struct Run {
    pub(crate) request: RunRequest,
    /// Runs in the place of the request's script.
    pub(crate) ready: Option<Ready>,
    /// The limits of which the request says some anew; the table's where nobody says.
    pub(crate) options: Option<RunOptions>,
    /// What scripts find besides what the table has.
    pub(crate) config: EngineConfig,
    pub(crate) context: RunContext,
}

impl Run {
    /// A script: a cell of TypeScript or JavaScript.
    pub fn script(source: impl Into<String>) -> Self {
        Self::request(RunRequest::new(source))
    }

    /// The entry of a bundle.
    #[cfg(feature = "modules")]
    pub fn bundle(bundle: &CompiledBundle) -> Self {
        Self { ready: Some(bundle.ready()), ..Self::script("") }
    }

    /// What somebody asks for by a request, which has limits and more already.
    pub fn request(request: RunRequest) -> Self {
        Self { request, ready: None, options: None, config: EngineConfig::default(), context: RunContext::new() }
    }

    /// Bound to `args` as a value, never spliced into the source.
    pub fn args(mut self, args: impl Into<Value>) -> Self {
        self.request.args = args.into();
        self
    }

    /// What positions and stack frames call the source.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.request.name = Some(name.into());
        self
    }

    /// Wall-clock limit, in whole milliseconds: less than one counts as one, and zero refuses the run.
    pub fn timeout(mut self, most: Duration) -> Self {
        self.request.timeout_ms = Some(milliseconds(most));
        self
    }

    /// CPU-time limit, likewise.
    pub fn cpu(mut self, most: Duration) -> Self {
        self.request.cpu_ms = Some(milliseconds(most));
        self
    }

    /// Heap limit in bytes.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.request.memory_bytes = Some(bytes);
        self
    }

    /// Undoes what the script does to `vars` and files unless it returns.
    pub fn atomic(mut self) -> Self {
        self.request.atomic = true;
        self
    }

    /// Lists in the result what the script changed among the session's files.
    pub fn changes(mut self) -> Self {
        self.request.changes = true;
        self
    }

    /// The generation of the outside resource that the script works on; see [`RunRequest::epoch`].
    pub fn epoch(mut self, epoch: u64) -> Self {
        self.request.epoch = Some(epoch);
        self
    }

    /// Grants a policy; see [`RunContext::grant`].
    pub fn grant<T: Grant>(mut self, policy: T) -> Self {
        self.context = self.context.grant(policy);
        self
    }

    /// Lends a handle; see [`RunContext::lend`].
    pub fn lend<T: Loan>(mut self, handle: T) -> Self {
        self.context = self.context.lend(handle);
        self
    }

    /// Calls `sink` with each console entry while the script runs; see [`RunContext::on_console`].
    pub fn on_console(mut self, sink: ConsoleSink) -> Self {
        self.context = self.context.on_console(sink);
        self
    }

    /// Stops the script when the token is cancelled.
    pub fn cancel_with(mut self, token: CancellationToken) -> Self {
        self.context = self.context.cancel_with(token);
        self
    }
}

impl Run {
    /// What of it is limits and settings.
    pub(crate) fn take_options(&mut self, defaults: &RunOptions) -> RunOptions {
        self.options.take().unwrap_or_else(|| defaults.clone()).with(&self.request)
    }
}

fn milliseconds(time: Duration) -> u64 {
    // Nothing is no limit to be rounded, and refused as any that is 0.
    let least = u64::from(!time.is_zero());
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(least)
}
