use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::ScriptError;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The script returned; `value` has what, unless it was `undefined`.
    Ok,
    /// It did not; `error` says why.
    Error,
}

/// Which VM served a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VmOrigin {
    /// The session's first VM.
    Built,
    /// The VM of the run before, with its globals.
    Warm,
    /// A fresh VM in place of one that was lost; `rebuilt_because` says why.
    Rebuilt,
}

/// Why a session's VM had been lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RebuildReason {
    /// A run met its wall-clock limit.
    Timeout,
    /// A run met its CPU-time limit.
    CpuLimit,
    /// A run met its heap limit.
    MemoryLimit,
    /// A run was cancelled.
    Cancelled,
    /// The run brought another epoch than the one before.
    Epoch,
    /// Other sessions needed the place or the memory.
    Evicted,
    /// A callback between two runs had to be stopped.
    Background,
    /// The caller reset the session.
    Reset,
    /// The run brought another engine configuration.
    Config,
    /// Modules that had been replaced by newer ones took too much memory, or one could not be linked.
    Modules,
    /// A defect in Perennial.
    Internal,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Nobody used it for the idle time.
    Idle,
    /// It met its hard lifetime.
    Lifetime,
    /// The caller removed it.
    Removed,
    /// The caller cleared the table.
    Cleared,
    /// The table itself is gone.
    TableDropped,
}

impl EndReason {
    /// The reason as it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Lifetime => "lifetime",
            Self::Removed => "removed",
            Self::Cleared => "cleared",
            Self::TableDropped => "table_dropped",
        }
    }
}

impl RebuildReason {
    /// The reason as it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::CpuLimit => "cpu_limit",
            Self::MemoryLimit => "memory_limit",
            Self::Cancelled => "cancelled",
            Self::Epoch => "epoch",
            Self::Evicted => "evicted",
            Self::Background => "background",
            Self::Reset => "reset",
            Self::Config => "config",
            Self::Modules => "modules",
            Self::Internal => "internal",
        }
    }
}

/// What one run returns: its outcome, its console, what it used, and what became of the session's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ScriptResult {
    /// Whether the script returned.
    pub status: Status,
    /// What the script returned; absent for `undefined`. What JSON has no word for is tagged (`{"$bigint": "10"}`).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub value: Option<Value>,
    /// Why it did not return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<ScriptError>>,
    /// Which VM served the run; absent when none did (a refused request, a session that ended).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vm: Option<VmOrigin>,
    /// Why the VM before this one was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuilt_because: Option<RebuildReason>,
    /// Globals that the lost VM held after its last completed run; at most 100 names of at most 128 bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost_globals: Vec<String>,
    /// How many globals were lost, where that is more than the names listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_globals_count: Option<u64>,
    /// What the call lends under these names is hidden by declarations of the session's scripts: they see their own. Each is told once in a VM.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadowed: Vec<String>,
    /// An earlier session of this name ended for this reason; said once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<EndReason>,
    /// The run's number within its session, from 1; absent when nothing ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// From the call to its answer, waiting included.
    pub duration_ms: f64,
    /// What the run used.
    pub usage: Usage,
    /// What the script wrote, and what had been written between the runs.
    #[serde(default)]
    pub console: Vec<ConsoleEntry>,
    /// How many console entries did not fit.
    #[serde(default)]
    pub console_dropped: u64,
    /// What changed among the session's files, in order of the paths, at most 1000 of them; where the request asks for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileChange>,
    /// How many changed files are not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub files_more: u64,
    /// What the script produced in the folder it was lent, also where it failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<ProducedFile>,
    /// How many produced files are not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub artifacts_more: u64,
    /// Images that the script showed, at most 4 and 1.5 MB.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ShownImage>,
    /// What of this result is not whole, as paths of its fields (`error.message`): it was longer than an answer may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cut: Vec<String>,
}

/// Why a result has no value of the type that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// The script did not return.
    #[error(transparent)]
    Script(Box<ScriptError>),
    /// It returned something else.
    #[error("the script returned something else than was expected: {0}")]
    Shape(#[from] serde_json::Error),
}

/// An image that a script showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownImage {
    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    pub mime_type: String,
    /// The file as base64.
    pub data: String,
}

/// One file that a run produced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProducedFile {
    /// Its path in the output folder.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// One file, folder or link that a run made, changed or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileChange {
    /// Absolute, among the session's files.
    pub path: String,
    /// What became of it.
    pub change: ChangeKind,
    /// Its size in bytes, unless it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// What became of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was not there before.
    Created,
    /// It has other content, or is another one.
    Modified,
    /// It is gone.
    Removed,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl ScriptResult {
    /// What a script returned or threw, and nothing said about the rest.
    pub fn of(outcome: Result<Option<Value>, ScriptError>) -> Self {
        let (status, value, error) = match outcome {
            Ok(value) => (Status::Ok, value, None),
            Err(error) => (Status::Error, None, Some(Box::new(error))),
        };
        Self {
            status,
            value,
            error,
            vm: None,
            rebuilt_because: None,
            lost_globals: Vec::new(),
            lost_globals_count: None,
            shadowed: Vec::new(),
            replaces: None,
            seq: None,
            duration_ms: 0.0,
            usage: Usage::default(),
            console: Vec::new(),
            console_dropped: 0,
            files: Vec::new(),
            files_more: 0,
            artifacts: Vec::new(),
            images: Vec::new(),
            artifacts_more: 0,
            cut: Vec::new(),
        }
    }

    /// A result for a request that never reached a VM.
    pub fn refused(error: ScriptError) -> Self {
        let mut refused = Self::of(Err(error));
        refused.bound(0);
        refused
    }

    /// Whether the script returned.
    pub fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }

    /// What the script returned (`None` for `undefined`), or why it did not.
    ///
    /// # Errors
    /// A copy of the script's error.
    pub fn outcome(&self) -> Result<Option<&Value>, Box<ScriptError>> {
        match &self.error {
            Some(error) => Err(error.clone()),
            None => Ok(self.value.as_ref()),
        }
    }

    /// What the script returned, as a type of the caller's. `undefined` is read as `null`.
    ///
    /// # Errors
    /// If the script did not return, or returned something else.
    pub fn value<T: serde::de::DeserializeOwned>(&self) -> Result<T, OutcomeError> {
        let value = self.outcome().map_err(OutcomeError::Script)?;
        Ok(T::deserialize(value.unwrap_or(&Value::Null))?)
    }

    /// The value of a run that returned (`None` for `undefined`), or why it did not.
    pub fn into_value(self) -> Result<Option<Value>, Box<ScriptError>> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.value),
        }
    }
}

/// What a run used. Times are milliseconds, sizes bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Usage {
    /// Script time: computing and awaiting, without waiting for a thread.
    pub wall_ms: f64,
    /// CPU time of the threads that ran the script.
    pub cpu_ms: f64,
    /// Time spent waiting for a thread.
    pub queue_ms: f64,
    /// The heap when the run ended.
    pub heap_bytes: u64,
    /// The largest heap during the run.
    pub peak_heap_bytes: u64,
    /// Native functions called.
    pub host_calls: u64,
    /// Console bytes written, those that did not fit included.
    pub console_bytes: u64,
    /// CPU time that callbacks took between the last run and this one.
    pub background_cpu_ms: f64,
    /// Commands that were begun since the last run ended.
    #[serde(default)]
    pub commands_begun: u64,
    /// Commands of the session that ran when the run ended.
    #[serde(default)]
    pub commands_running: u64,
    /// What is kept of what they wrote.
    #[serde(default)]
    pub command_log_bytes: u64,
    /// What provisions of the embedder's own say, by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub more: Map<String, Value>,
}

/// How loud a console entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleLevel {
    /// `console.debug`
    Debug,
    /// `console.log`
    Log,
    /// `console.info`
    Info,
    /// `console.warn`
    Warn,
    /// `console.error`, uncaught errors of callbacks and unhandled rejections
    Error,
}

impl ConsoleLevel {
    /// The level as it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Log => "log",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// One line of console output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConsoleEntry {
    /// How loud.
    pub level: ConsoleLevel,
    /// The text, cut at a character boundary where it was too long.
    pub message: String,
    /// Milliseconds since the run began; for background entries, since the run before ended.
    pub ts_ms: f64,
    /// Whether it was written between two runs.
    pub background: bool,
}

/// The JSON schema of [`ScriptResult`], as published in `docs/script-result.schema.json`.
pub fn result_schema() -> Value {
    let mut schema = schemars::schema_for!(ScriptResult).to_value();
    drop_formats(&mut schema);
    schema
}

/// Takes out how wide numbers are in Rust: readers of schemas know no such formats, and complain.
pub(crate) fn drop_formats(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let is_width = |format: &str| {
                format == "double" || format == "float" || format.starts_with("uint") || format.starts_with("int")
            };
            if map.get("format").and_then(Value::as_str).is_some_and(is_width) {
                map.remove("format");
            }
            map.values_mut().for_each(drop_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_formats),
        _ => {}
    }
}
