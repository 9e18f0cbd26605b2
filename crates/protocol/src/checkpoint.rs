use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ChangeKind;

/// A moment of a session that it can be brought back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Checkpoint {
    /// No two of a session have the same, however long ago.
    pub id: u64,
    /// What it was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub at_ms: u64,
    /// Whether one of the session's scripts has made it; otherwise its host has.
    pub by_script: bool,
    /// In the answer to whoever makes it: the oldest unnamed one of the same maker's, which had to make way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<u64>,
}

impl Checkpoint {
    /// One that has taken the place of no other.
    pub fn new(id: u64, name: Option<String>, at_ms: u64, by_script: bool) -> Self {
        Self { id, name, at_ms, by_script, replaces: None }
    }
}

/// Which checkpoint is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a checkpoint is the id of one, a whole number, or its name")]
pub enum CheckpointRef {
    /// The one with this id.
    Id(u64),
    /// The last one of this name.
    Name(String),
}

impl std::fmt::Display for CheckpointRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Id(id) => write!(f, "{id}"),
            Self::Name(name) => write!(f, "{name:?}"),
        }
    }
}

impl From<u64> for CheckpointRef {
    fn from(id: u64) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for CheckpointRef {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for CheckpointRef {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<&Checkpoint> for CheckpointRef {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self::Id(checkpoint.id)
    }
}

/// Something durable that differs between two moments of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateChange {
    /// What has it: `vars`, `files`, or an embedder's own by its name.
    pub of: String,
    /// The name of a var, the path of a file.
    pub name: String,
    /// What became of it.
    pub change: ChangeKind,
}

/// What differs between two moments of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct StateChanges {
    /// The first thousand, or fewer if their names are long.
    pub changes: Vec<StateChange>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u64,
    /// Bytes of the names listed.
    #[serde(skip)]
    bytes: usize,
}

impl StateChanges {
    /// How many are listed.
    const MOST: usize = 1000;
    /// Bytes of their names together.
    const MOST_BYTES: usize = 1 << 20;

    /// Adds one, or counts it if that would be too many.
    pub fn add(&mut self, of: &str, name: impl Into<String>, change: ChangeKind) {
        let name = name.into();
        if self.changes.len() < Self::MOST && self.bytes + name.len() <= Self::MOST_BYTES {
            self.bytes += name.len();
            self.changes.push(StateChange { of: of.to_owned(), name, change });
        } else {
            self.more += 1;
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
