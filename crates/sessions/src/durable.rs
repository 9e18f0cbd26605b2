//! What is durable of a session, as values.

use std::any::Any;
use std::sync::Arc;

use perennial_protocol::{ChangeKind, StateChanges};

/// The durable part of what a session has of a provision, at one moment. A clone is the same one, which forks and checkpoints share: nothing in it
/// changes.
#[derive(Clone)]
pub struct Snapshot(Arc<dyn Any + Send + Sync>);

impl Snapshot {
    /// One of this.
    pub fn new<T: Any + Send + Sync>(durable: T) -> Self {
        Self(Arc::new(durable))
    }

    /// What it is of. `None` if that is something else: a provision gets its own only.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Snapshot(..)")
    }
}

/// Who brings a session back to what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restorer {
    /// The host, between two runs. What still belongs to an earlier run may change nothing any more.
    Host,
    /// The script of the run that is under way, which goes on. If its run is undone, so is this.
    Script,
}

/// What differs between two moments, while provisions say it.
#[derive(Debug)]
pub struct Changes<'a> {
    pub(crate) of: &'static str,
    pub(crate) all: &'a mut StateChanges,
}

impl Changes<'_> {
    /// Something of this name was made, changed or removed.
    pub fn add(&mut self, name: impl Into<String>, change: ChangeKind) {
        self.all.add(self.of, name, change);
    }

    /// So many more were, which are not named.
    pub fn add_unnamed(&mut self, more: u64) {
        self.all.more += more;
    }
}

/// What is durable of a session at one moment, by the provision's place in the list.
#[derive(Debug)]
pub(crate) struct Parts(pub(crate) Box<[Option<Snapshot>]>);

/// What is durable of all that a session has.
pub(crate) trait Whole: Send + Sync {
    /// Everything as it is.
    fn snapshot(&self) -> Result<Parts, DurableError>;
    /// Makes everything what it was, or, with an error, leaves it as it is.
    fn restore(&self, parts: &Parts, by: Restorer) -> Result<(), DurableError>;
    /// A number that no other checkpoint of the owner's sessions has, those that have ended among them.
    fn number(&self) -> Result<u64, DurableError>;
    /// What differs between two moments.
    fn changes(&self, from: &Parts, to: &Parts) -> Result<StateChanges, DurableError>;
}

/// What is durable could not be read, or not be made what it was; nothing has changed.
#[derive(Debug)]
pub(crate) enum DurableError {
    /// The session has.
    Ended,
    /// A provision says why.
    Refused { of: &'static str, why: String },
    /// A provision has panicked.
    Defect(&'static str),
}

impl std::fmt::Display for DurableError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ended => f.write_str("the session has ended, and with it its checkpoints"),
            Self::Refused { of, why } => write!(f, "{of} cannot be brought back: {why}; nothing has changed"),
            Self::Defect(of) => {
                write!(f, "{of} failed; this is a defect of the host, not of the script; nothing has changed")
            }
        }
    }
}
