use std::sync::{Arc, Mutex};

use perennial_protocol::{FileChange, FileChangeKind};
use perennial_stdlib::files::{Change, ChangeKind, Files, Kind, Snapshot};

use crate::record::lock;

/// The files of a session as a run found them. Whoever drops the last of it without having settled it undoes what the run did, where the
/// run is atomic: a future that was dropped, a VM that was abandoned.
pub(crate) struct Before {
    files: Arc<Files>,
    atomic: bool,
    /// Whether anybody wants to know what changed.
    changes: bool,
    snapshot: Mutex<Option<Snapshot>>,
}

impl Before {
    /// Nothing where the run wants neither.
    pub(crate) fn new(files: &Arc<Files>, atomic: bool, changes: bool) -> Option<Arc<Self>> {
        let snapshot = (atomic || changes).then(|| files.snapshot())?;
        Some(Arc::new(Self { files: files.clone(), atomic, changes, snapshot: Mutex::new(Some(snapshot)) }))
    }

    /// What the run changed, and how much more; nothing any more if it failed and is atomic.
    pub(crate) fn settle(&self, is_ok: bool) -> (Vec<FileChange>, u64) {
        let Some(snapshot) = lock(&self.snapshot).take() else { return (Vec::new(), 0) };
        if self.atomic && !is_ok {
            self.files.restore(&snapshot);
            return (Vec::new(), 0);
        }
        if !self.changes {
            return (Vec::new(), 0);
        }
        let (changes, more) = self.files.changes_since(&snapshot);
        (changes.into_iter().map(listed).collect(), more as u64)
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        if self.atomic {
            self.settle(false);
        }
    }
}

fn listed(change: Change) -> FileChange {
    let bytes = (change.change != ChangeKind::Removed && change.kind == Kind::File).then_some(change.size);
    let kind = match change.change {
        ChangeKind::Created => FileChangeKind::Created,
        ChangeKind::Modified => FileChangeKind::Modified,
        ChangeKind::Removed => FileChangeKind::Removed,
    };
    FileChange { path: change.path, change: kind, bytes }
}
