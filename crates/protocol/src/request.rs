use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One script to run, as it arrives from outside. Unknown fields are refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RunRequest {
    /// A cell: the result is what it returns, else the value of its last expression; `await` works.
    pub script: String,
    /// Bound to `args` as a value, never spliced into the source. Tagged forms (`{"$bigint": "10"}`) become what they name.
    #[serde(default = "no_args")]
    pub args: Value,
    /// The name that positions and stack frames carry. Default: `cell` and the run's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The generation of the outside resource the script works on. A VM that has seen another one is rebuilt; without one, nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Undoes what the script does to `vars` and the session's files unless it returns. What the host writes to them meanwhile stays, and folders of the
    /// host that are mounted for writing are not undone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub atomic: bool,
    /// Lists in the result what the script changed among the session's files.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub changes: bool,
    /// Wall-clock limit in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// CPU-time limit in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    /// Heap limit in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// JavaScript stack limit in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_bytes: Option<u64>,
    /// Limit of the result in bytes of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_bytes: Option<u64>,
    /// How many console entries are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console_entries: Option<u64>,
    /// How many bytes of console text are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console_bytes: Option<u64>,
    /// Where one console entry is cut, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console_entry_bytes: Option<u64>,
}

fn no_args() -> Value {
    Value::Array(Vec::new())
}

impl RunRequest {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }

    /// A request with no arguments and the default limits.
    ///
    /// ```
    /// use perennial_protocol::RunRequest;
    /// let request: RunRequest = serde_json::from_str(r#"{"script":"return args.n + 1","args":{"n":41}}"#)?;
    /// assert_eq!(request, RunRequest::new("return args.n + 1").with_args(serde_json::json!({"n": 41})));
    /// assert!(serde_json::from_str::<RunRequest>(r#"{"script":"", "sript":""}"#).is_err());
    /// # Ok::<_, serde_json::Error>(())
    /// ```
    pub fn new(script: impl Into<String>) -> Self {
        Self { script: script.into(), args: no_args(), ..Self::default() }
    }

    /// The same request with `args`.
    #[must_use]
    pub fn with_args(mut self, args: Value) -> Self {
        self.args = args;
        self
    }

    /// The same request with a wall-clock limit.
    #[must_use]
    pub fn with_timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = Some(timeout_ms);
        self
    }
}

/// The JSON schema of [`RunRequest`].
pub fn request_schema() -> Value {
    let mut schema = schemars::schema_for!(RunRequest).to_value();
    crate::result::drop_formats(&mut schema);
    schema
}
