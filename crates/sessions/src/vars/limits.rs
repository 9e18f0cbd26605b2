//! How much `vars` may hold, and what happens beyond it.

use perennial_engine::OpError;

/// How much `vars` may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VarsQuota {
    /// Names.
    pub entries: usize,
    /// Names and values together, as JSON text.
    pub bytes: usize,
}

impl VarsQuota {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

impl Default for VarsQuota {
    fn default() -> Self {
        Self { entries: 1000, bytes: 16 << 20 }
    }
}

/// How much `vars` hold, in the units of [`VarsQuota`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VarsUsage {
    /// Names.
    pub entries: usize,
    /// Names and values together, as JSON text.
    pub bytes: usize,
}

/// A write that the quota refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VarsError {
    /// Too many names.
    Entries {
        /// The quota.
        limit: usize,
        /// What there would have been.
        used: usize,
    },
    /// Too many bytes.
    Bytes {
        /// The quota.
        limit: usize,
        /// What there would have been.
        used: usize,
    },
    /// Too much memory, with what can be undone and what checkpoints keep.
    Memory {
        /// The most, three times the quota.
        limit: usize,
        /// What there would have been.
        used: usize,
    },
    /// Too long a name.
    Name {
        /// Bytes it may have.
        limit: usize,
        /// What it has.
        used: usize,
    },
    /// The run that it belongs to is over.
    Over,
    /// The session has ended.
    Ended,
    /// A value nested too deep to be read again.
    Depth {
        /// The deepest allowed.
        limit: usize,
        /// What there would have been.
        used: usize,
    },
}

impl std::fmt::Display for VarsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Entries { limit, used } => write!(f, "vars may hold {limit} names and would hold {used}"),
            Self::Bytes { limit, used } => write!(f, "vars may hold {limit} bytes and would hold {used}"),
            Self::Memory { limit, used } => {
                write!(f, "vars, with what can be undone and what checkpoints keep, may take {limit} bytes and would take {used}")
            }
            Self::Name { limit, used } => write!(f, "the name of a var may have {limit} bytes and has {used}"),
            Self::Ended => f.write_str("the session has ended, and with it its vars"),
            Self::Over => f.write_str(
                "the run that this belongs to is over: its changes were undone, another run has begun, or the session was rolled back",
            ),
            Self::Depth { limit, used } => write!(f, "a var may be nested {limit} levels deep and would be {used}"),
        }
    }
}

impl std::error::Error for VarsError {}

impl From<VarsError> for OpError {
    fn from(error: VarsError) -> Self {
        let (advice, limit, used) = match error {
            VarsError::Entries { limit, used } | VarsError::Bytes { limit, used } => {
                (": delete some first", limit, used)
            }
            VarsError::Memory { limit, used } => (
                ": session.forget(checkpoint) frees what that one keeps, the end of the run what can be undone",
                limit,
                used,
            ),
            VarsError::Depth { limit, used } | VarsError::Name { limit, used } => ("", limit, used),
            VarsError::Over | VarsError::Ended => return Self::new("PermissionError", error.to_string()),
        };
        Self::quota(format!("{error}{advice}"), limit as u64, used as u64)
    }
}
