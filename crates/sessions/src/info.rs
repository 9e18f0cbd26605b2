use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

/// What is told of one session; see [`crate::SessionTable::sessions`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Whose it is; empty for the local owner.
    pub owner: String,
    /// The name.
    pub name: String,
    /// When it was made.
    pub created: SystemTime,
    /// Runs completed.
    pub runs: u64,
    /// Whether a run or a callback is under way.
    pub running: bool,
    /// Whether the thread of its last run has not come back: until it does, runs are `busy`.
    pub stuck: bool,
    /// Whether callbacks that a run left behind may still run.
    pub background: bool,
    /// Since the last run ended.
    pub idle: Duration,
    /// Heap of the warm VM; `None` while there is none or it is running.
    pub heap_bytes: Option<usize>,
    /// Names in `vars`.
    pub vars: usize,
    /// Their size.
    pub vars_bytes: usize,
    /// Commands that run.
    pub commands: usize,
    /// What is kept of what they wrote.
    pub command_log_bytes: usize,
    /// What an embedder's own provisions say, by name.
    pub more: Map<String, Value>,
}

/// How often something was found ready, and how often it had to be made. Without the feature `typescript` nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Found.
    pub hits: u64,
    /// Made.
    pub misses: u64,
}
