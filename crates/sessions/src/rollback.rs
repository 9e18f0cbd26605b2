use std::sync::{Arc, Mutex};

use perennial_protocol::{FileChange, FileChangeKind};
use perennial_stdlib::files::{Change, ChangeKind, FilesView, Kind};

use crate::record::lock;
use crate::vars::VarsView;

/// What a run that is atomic, or whose changes somebody wants to know, can be told from the rest by. Whoever drops the last of it without having settled
/// it undoes what the run did, where the run is atomic: a future that was dropped, a VM that was abandoned.
pub(crate) struct Before {
    atomic: bool,
    /// Whether anybody wants to know what changed.
    changes: bool,
    views: Mutex<Option<(FilesView, VarsView)>>,
}

impl Before {
    /// Nothing where the run wants neither.
    pub(crate) fn new(files: &FilesView, vars: &VarsView, atomic: bool, changes: bool) -> Option<Arc<Self>> {
        (atomic || changes).then(|| {
            let views = Mutex::new(Some((files.clone(), vars.clone())));
            Arc::new(Self { atomic, changes, views })
        })
    }

    /// What the run changed, and how much more; nothing any more if it failed and is atomic.
    pub(crate) fn settle(&self, is_ok: bool) -> (Vec<FileChange>, u64) {
        let Some((files, vars)) = lock(&self.views).take() else { return (Vec::new(), 0) };
        let undo = self.atomic && !is_ok;
        vars.settle(undo);
        let (changes, more) = files.settle(undo);
        if !self.changes {
            return (Vec::new(), 0);
        }
        (changes.into_iter().map(listed).collect(), more as u64)
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        self.settle(false);
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
