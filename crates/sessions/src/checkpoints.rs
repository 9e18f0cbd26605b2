//! Checkpoints: moments of a session that it can be brought back to. What is kept of each provision is what it calls durable.
//!
//! Confusable: the *list* is the session's; a [`CheckpointsView`] is what one run may do with it.

pub(crate) mod ops;

use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use perennial_engine::OpError;
use perennial_protocol::{Checkpoint, CheckpointRef, ErrorKind, ScriptError, StateChanges};

use crate::clock::Clock;
use crate::durable::{DurableError, Parts, Restorer, Whole};
use crate::lock::lock;
use crate::provision::Provided;

/// How many the scripts of a session may have, and its host as many.
const MOST: usize = 100;
/// Bytes of a name.
const MAX_NAME: usize = 256;

/// The checkpoints of one session.
pub(crate) struct Checkpoints {
    clock: Arc<dyn Clock>,
    list: Mutex<List>,
    turn: Mutex<Turn>,
    whole: OnceLock<Arc<dyn Whole>>,
}

#[derive(Default)]
struct List {
    /// The oldest first.
    kept: Vec<Kept>,
}

#[derive(Clone)]
struct Kept {
    checkpoint: Checkpoint,
    parts: Arc<Parts>,
}

/// Held while a script does something that its run may be undone with.
#[derive(Default)]
struct Turn {
    /// The run that may be undone, or was; 0 for none.
    run: u64,
    /// What belongs to this run or one before it may do nothing any more.
    undone: u64,
}

/// Who makes or asks for checkpoints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    Host,
    Script,
}

/// What keeps something from being done with a checkpoint. Nothing has changed.
#[derive(Debug)]
pub(crate) enum CheckpointError {
    /// There is no such one, but these.
    Missing {
        which: CheckpointRef,
        there_are: String,
    },
    /// A name that is none.
    Name,
    /// All there may be have names.
    Full,
    /// A script would forget one of the host's.
    NotYours,
    /// The run that it belongs to was undone.
    Over,
    Durable(DurableError),
}

impl std::fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing { which, there_are } => {
                // A name may be of any length.
                let which = which.to_string();
                write!(f, "there is no checkpoint {}: {there_are}", &which[..which.floor_char_boundary(MAX_NAME)])
            }
            Self::Name => write!(f, "the name of a checkpoint is a text of 1 to {MAX_NAME} bytes"),
            Self::Full => write!(f, "there are {MOST} checkpoints with names, as many as may be: forget some first"),
            Self::NotYours => f.write_str("the checkpoint was made by the host, which alone can forget it"),
            Self::Over => f.write_str("the run that this belongs to is over, and its changes were undone"),
            Self::Durable(error) => error.fmt(f),
        }
    }
}

impl From<DurableError> for CheckpointError {
    fn from(error: DurableError) -> Self {
        Self::Durable(error)
    }
}

impl From<CheckpointError> for OpError {
    fn from(error: CheckpointError) -> Self {
        let message = error.to_string();
        match error {
            CheckpointError::Full => Self::quota(message, MOST as u64, MOST as u64 + 1),
            CheckpointError::NotYours | CheckpointError::Over | CheckpointError::Durable(DurableError::Ended) => {
                Self::new("PermissionError", message)
            }
            CheckpointError::Name => Self::type_error(message),
            CheckpointError::Missing { .. } | CheckpointError::Durable(_) => Self::new("Error", message),
        }
    }
}

impl From<CheckpointError> for ScriptError {
    fn from(error: CheckpointError) -> Self {
        let message = error.to_string();
        match error {
            CheckpointError::Full => Self::invalid_request(message).with_limit(MOST as u64, MOST as u64 + 1),
            CheckpointError::Durable(DurableError::Defect(_)) => Self::internal(message),
            CheckpointError::Durable(DurableError::Ended) => Self::new(ErrorKind::SessionEnded, message),
            _ => Self::invalid_request(message),
        }
    }
}

impl Checkpoints {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, list: Mutex::default(), turn: Mutex::default(), whole: OnceLock::new() }
    }

    /// For a run that begins. One that may be undone ends nothing by beginning.
    pub(crate) fn begin(
        self: &Arc<Self>,
        whole: impl FnOnce() -> Arc<dyn Whole>,
        may_be_undone: bool,
    ) -> CheckpointsView {
        self.whole.get_or_init(whole);
        let mut turn = lock(&self.turn);
        turn.run += u64::from(may_be_undone || turn.run == turn.undone);
        CheckpointsView { checkpoints: self.clone(), run: turn.run }
    }

    /// Keeps everything as it is.
    pub(crate) fn make(
        &self,
        whole: &dyn Whole,
        name: Option<String>,
        maker: Maker,
    ) -> Result<Checkpoint, CheckpointError> {
        if name.as_ref().is_some_and(|name| !(1..=MAX_NAME).contains(&name.len())) {
            return Err(CheckpointError::Name);
        }
        let (parts, id) = (Arc::new(whole.snapshot()?), whole.number()?);
        let at = self.clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        let by_script = maker == Maker::Script;
        let mut list = lock(&self.list);
        if name.is_some() {
            // Who takes a name again means the last one by it.
            let same = |kept: &&mut Kept| kept.checkpoint.by_script == by_script && kept.checkpoint.name == name;
            list.kept.iter_mut().filter(same).for_each(|kept| kept.checkpoint.name = None);
        }
        let replaced = list.make_way(by_script)?;
        let mut checkpoint = Checkpoint::new(id, name, millis(at), by_script);
        list.kept.push(Kept { checkpoint: checkpoint.clone(), parts });
        drop(list);
        // What it kept may be much, or an embedder's.
        checkpoint.replaces = replaced.map(|kept| kept.checkpoint.id);
        Ok(checkpoint)
    }

    /// All there are, the oldest first.
    pub(crate) fn list(&self) -> Vec<Checkpoint> {
        lock(&self.list).kept.iter().map(|kept| kept.checkpoint.clone()).collect()
    }

    fn find(&self, which: &CheckpointRef, maker: Maker) -> Result<Kept, CheckpointError> {
        let list = lock(&self.list);
        list.find(which, maker).map(|at| list.kept[at].clone())
    }

    /// Brings everything back.
    pub(crate) fn roll_back(
        &self,
        whole: &dyn Whole,
        which: &CheckpointRef,
        maker: Maker,
    ) -> Result<Checkpoint, CheckpointError> {
        let Kept { checkpoint, parts } = self.find(which, maker)?;
        let by = if maker == Maker::Host { Restorer::Host } else { Restorer::Script };
        whole.restore(&parts, by)?;
        Ok(checkpoint)
    }

    /// What differs between a checkpoint and a later one, or what there is now.
    pub(crate) fn changes(
        &self,
        whole: &dyn Whole,
        from: &CheckpointRef,
        to: Option<&CheckpointRef>,
        maker: Maker,
    ) -> Result<StateChanges, CheckpointError> {
        let from = self.find(from, maker)?.parts;
        let to = match to {
            Some(to) => self.find(to, maker)?.parts,
            None => Arc::new(whole.snapshot()?),
        };
        Ok(whole.changes(&from, &to)?)
    }

    pub(crate) fn forget(&self, which: &CheckpointRef, maker: Maker) -> Result<(), CheckpointError> {
        let mut list = lock(&self.list);
        let at = list.find(which, maker)?;
        if maker == Maker::Script && !list.kept[at].checkpoint.by_script {
            return Err(CheckpointError::NotYours);
        }
        let forgotten = list.kept.remove(at);
        drop(list);
        drop(forgotten);
        Ok(())
    }
}

impl List {
    /// Where the one that is meant is. Of a name, the asker's own goes before others'.
    fn find(&self, which: &CheckpointRef, maker: Maker) -> Result<usize, CheckpointError> {
        let by = |theirs: bool| {
            let by_script = (maker == Maker::Script) != theirs;
            self.kept.iter().rposition(|Kept { checkpoint, .. }| match which {
                CheckpointRef::Id(id) => checkpoint.id == *id,
                CheckpointRef::Name(name) => {
                    checkpoint.by_script == by_script && checkpoint.name.as_ref() == Some(name)
                }
            })
        };
        by(false)
            .or_else(|| by(true))
            .ok_or_else(|| CheckpointError::Missing { which: which.clone(), there_are: self.to_string() })
    }

    /// Takes out the oldest one without a name if one more of the same maker's would be too many.
    fn make_way(&mut self, by_script: bool) -> Result<Option<Kept>, CheckpointError> {
        let of_maker = || self.kept.iter().enumerate().filter(|(_, kept)| kept.checkpoint.by_script == by_script);
        if of_maker().count() < MOST {
            return Ok(None);
        }
        let oldest = of_maker().find(|(_, kept)| kept.checkpoint.name.is_none()).map(|(at, _)| at);
        oldest.map(|at| Some(self.kept.remove(at))).ok_or(CheckpointError::Full)
    }
}

/// The last few, for an error.
impl std::fmt::Display for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const SHOWN: usize = 10;
        if self.kept.is_empty() {
            return f.write_str("there are none");
        }
        f.write_str("there are ")?;
        if self.kept.len() > SHOWN {
            write!(f, "{} more and ", self.kept.len() - SHOWN)?;
        }
        for (at, Kept { checkpoint, .. }) in self.kept.iter().rev().take(SHOWN).rev().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            match &checkpoint.name {
                Some(name) => write!(f, "{comma}{} ({name:?})", checkpoint.id)?,
                None => write!(f, "{comma}{}", checkpoint.id)?,
            }
        }
        Ok(())
    }
}

impl Provided for Checkpoints {}

/// What one run and its callbacks may do with their session's checkpoints. Ops find it by its type.
#[derive(Clone)]
pub(crate) struct CheckpointsView {
    checkpoints: Arc<Checkpoints>,
    run: u64,
}

impl CheckpointsView {
    /// Does something, unless the run that it belongs to was undone, or is being undone now.
    fn act<T>(
        &self,
        act: impl FnOnce(&Checkpoints, &dyn Whole) -> Result<T, CheckpointError>,
    ) -> Result<T, CheckpointError> {
        let whole = self.checkpoints.whole.get().ok_or(DurableError::Ended)?;
        let turn = lock(&self.checkpoints.turn);
        if self.run <= turn.undone {
            return Err(CheckpointError::Over);
        }
        act(&self.checkpoints, &**whole)
    }

    /// For a run that may be undone: remembers what scripts have.
    pub(crate) fn undo(self) -> Undo {
        let list = lock(&self.checkpoints.list);
        let kept = list.kept.iter().filter(|kept| kept.checkpoint.by_script).cloned().collect();
        drop(list);
        Undo { view: self, kept: Some(kept) }
    }
}

/// Dropped, or settled when its run has failed, it brings back the checkpoints that there were before.
pub(crate) struct Undo {
    view: CheckpointsView,
    kept: Option<Vec<Kept>>,
}

impl Undo {
    /// What the run did stays.
    pub(crate) fn keep(mut self) {
        self.kept = None;
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        let Some(kept) = self.kept.take() else { return };
        let checkpoints = &self.view.checkpoints;
        let mut turn = lock(&checkpoints.turn);
        turn.undone = turn.undone.max(self.view.run);
        let mut list = lock(&checkpoints.list);
        // No script changes the host's.
        let (mut all, made): (Vec<_>, Vec<_>) =
            std::mem::take(&mut list.kept).into_iter().partition(|kept| !kept.checkpoint.by_script);
        all.extend(kept);
        all.sort_by_key(|kept| kept.checkpoint.id);
        list.kept = all;
        drop((list, turn));
        drop(made);
    }
}

fn millis(since: Duration) -> u64 {
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
