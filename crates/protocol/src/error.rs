use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What went wrong, decided where it happened and never by matching text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The script does not parse. Nothing of it ran.
    Syntax,
    /// The script threw and nobody caught it. The VM and its globals are kept.
    Runtime,
    /// The wall-clock limit ran out. The VM is discarded.
    Timeout,
    /// The CPU-time limit ran out. The VM is discarded.
    CpuLimit,
    /// The heap limit was met. The VM is discarded, whether or not the script caught the error.
    MemoryLimit,
    /// The caller gave up on the run. The VM is discarded.
    Cancelled,
    /// The script asked for something nobody granted.
    Permission,
    /// The value returned has a part that cannot cross; `path` names it. The VM is kept.
    Unserializable,
    /// The value returned is larger than the result limit. The VM is kept.
    ResultTooLarge,
    /// The request itself is wrong. Nothing ran and nothing was lost.
    InvalidRequest,
    /// The session ended before the run could start, or while it waited.
    SessionEnded,
    /// No thread was free in time, or too many runs wait. Nothing ran; try again later.
    Busy,
    /// A defect in Perennial. The session's VM is discarded; other sessions are not touched.
    Internal,
}

impl ErrorKind {
    /// The kind as it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Runtime => "runtime",
            Self::Timeout => "timeout",
            Self::CpuLimit => "cpu_limit",
            Self::MemoryLimit => "memory_limit",
            Self::Cancelled => "cancelled",
            Self::Permission => "permission",
            Self::Unserializable => "unserializable",
            Self::ResultTooLarge => "result_too_large",
            Self::InvalidRequest => "invalid_request",
            Self::SessionEnded => "session_ended",
            Self::Busy => "busy",
            Self::Internal => "internal",
        }
    }

    /// Whether a limit or the caller stopped the script, as opposed to the script failing by itself.
    pub fn is_stop(self) -> bool {
        matches!(self, Self::Timeout | Self::CpuLimit | Self::MemoryLimit | Self::Cancelled)
    }
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a run failed. Positions are those of the source as it was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ScriptError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// The `name` of the error thrown (`TypeError`), the type of another value thrown (`string`), or the kind's own name.
    pub name: String,
    /// One sentence that says what happened and, for a limit, what would help.
    pub message: String,
    /// Stack frames of the author's own code, one a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// The name of the source that `line` and `column` are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// 1-based.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// 1-based, in UTF-16 units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The source line with a caret below the column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// The `cause` of the error thrown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Box<Cause>>,
    /// For `unserializable`: where in the value the part is, as `$.items[3].callback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The code that the script gave to `process.exit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// The limit that was met: milliseconds for times, bytes for sizes, a count otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// How much had been used, or was asked for, in the unit of `limit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}

impl ScriptError {
    /// The excerpt, where it says everything by itself: that of a syntax error begins with the message and the place.
    pub fn report(&self) -> Option<&str> {
        self.excerpt.as_deref().filter(|excerpt| self.kind == ErrorKind::Syntax && excerpt.starts_with("error: "))
    }

    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }

    /// An error that is not about a place in a source.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            name: kind.as_str().to_owned(),
            message: message.into(),
            stack: None,
            file: None,
            line: None,
            column: None,
            excerpt: None,
            cause: None,
            path: None,
            exit_code: None,
            limit: None,
            used: None,
        }
    }

    /// A request that is wrong in itself.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    /// A defect of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// The same error with both numbers of the limit it is about.
    #[must_use]
    pub fn with_limit(mut self, limit: u64, used: u64) -> Self {
        self.limit = Some(limit);
        self.used = Some(used);
        self
    }
}

impl std::fmt::Display for ScriptError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl std::error::Error for ScriptError {}

/// One link of an error's `cause` chain. At most eight are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// The `name` of the error, or the type of another value.
    pub name: String,
    /// Its message, or the value as text.
    pub message: String,
    /// What caused it in turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Box<Cause>>,
}
