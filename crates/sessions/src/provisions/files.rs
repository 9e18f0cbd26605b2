//! `fs`: the session's files, and folders of the host that are mounted among them.

mod capability;

use std::sync::Arc;

use perennial_protocol::{ChangeKind, EndReason, FileChange, ScriptError};
use perennial_stdlib::files::{self, Change, Files, FilesQuota, FilesView, Kind, MountMode, Mounts};

use crate::durable::{Changes, Restorer, Snapshot};
use crate::key::SessionKey;
use crate::library::Library;
use crate::provision::{Ended, InRun, Own, Provided, Provision, RunScope};

pub(super) struct FilesProvision {
    quota: FilesQuota,
    mounts: Option<Arc<Mounts>>,
}

impl FilesProvision {
    pub(super) fn new(quota: FilesQuota, mounts: Option<Mounts>) -> Self {
        Self { quota, mounts: mounts.map(Arc::new) }
    }
}

impl Provision for FilesProvision {
    type Session = Files;

    fn name(&self) -> &'static str {
        "files"
    }

    fn declare(&self, library: &mut Library) {
        library.ops(files::ops());
        files::areas().into_iter().for_each(|area| library.area(area));
        capability::declare(library);
        if let Some(mounts) = &self.mounts {
            let folders = mounts.iter().map(|mount| {
                let mode = match mount.mode() {
                    MountMode::ReadOnly => "read-only",
                    MountMode::ReadWrite => "read and write",
                    MountMode::Overlay => "what you write stays in the session",
                };
                format!("{} ({mode})", mount.at())
            });
            library.tell("`fs` also has folders of the host:", folders);
        }
    }

    const IS_DURABLE: bool = true;

    fn open(&self, _: &SessionKey, stored: Option<&Snapshot>) -> Files {
        match stored.and_then(Snapshot::get) {
            Some(stored) => Files::of(self.quota, stored),
            None => Files::new(self.quota),
        }
    }

    /// The folders in which mounts stand are no change of the script's, and one that cannot be seen costs the session nothing.
    fn admit(&self, session: Own<'_, Files>, run: &RunScope<'_>) -> Result<(), ScriptError> {
        let Some(mounts) = run.grant::<Mounts>().or_else(|| self.mounts.clone()) else { return Ok(()) };
        session.get().has_room_for(&mounts).map_err(|error| {
            ScriptError::invalid_request(format!("a folder of the host cannot be mounted for this session: {error}"))
        })
    }

    fn begin(&self, session: Own<'_, Files>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        if let Some(mounts) = &self.mounts {
            run.provide_default(mounts);
        }
        if let Some(mounts) = run.grant::<Mounts>() {
            // There was room a moment ago. If the host has taken it meanwhile, the mount is not seen from above.
            let _ = session.get().make_room_for(&mounts);
        }
        let (atomic, changes) = (run.options().atomic, run.options().changes);
        let view = session.get().begin(atomic || changes);
        run.provide(Arc::new(view.clone()));
        Some(Box::new(Undo { view, atomic, changes }))
    }
}

impl Provided for Files {
    fn snapshot(&self) -> Option<Snapshot> {
        Some(Snapshot::new(Self::snapshot(self)))
    }

    fn restore(&self, snapshot: &Snapshot, by: Restorer) -> Result<(), String> {
        match (snapshot.get::<files::Snapshot>(), by) {
            (Some(snapshot), Restorer::Host) => self.restore(snapshot),
            (Some(snapshot), Restorer::Script) => self.roll_back(snapshot).map_err(|error| error.to_string())?,
            (None, _) => {}
        }
        Ok(())
    }

    fn fork(&self) -> Option<Snapshot> {
        Provided::snapshot(self)
    }

    fn changes(&self, from: &Snapshot, to: &Snapshot, changes: &mut Changes<'_>) {
        if let (Some(from), Some(to)) = (from.get::<files::Snapshot>(), to.get::<files::Snapshot>()) {
            let (paths, more) = from.changes_to(to);
            paths.into_iter().for_each(|change| changes.add(change.path, kind(change.change)));
            changes.add_unnamed(more as u64);
        }
    }

    fn end(&self, _: EndReason) {
        Self::end(self);
    }
}

struct Undo {
    view: FilesView,
    atomic: bool,
    /// Whether anybody wants to know what changed.
    changes: bool,
}

impl InRun for Undo {
    fn settle(mut self: Box<Self>, ended: &mut Ended<'_>) {
        self.atomic = false;
        if !ended.has_begun() {
            return self.view.withdraw();
        }
        let (changes, more) = self.view.settle(ended.is_undone());
        if self.changes {
            ended.result.files = changes.into_iter().map(listed).collect();
            ended.result.files_more = more as u64;
        }
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        self.view.settle(self.atomic);
    }
}

fn listed(change: Change) -> FileChange {
    let bytes = (change.change != files::ChangeKind::Removed && change.kind == Kind::File).then_some(change.size);
    FileChange { path: change.path, change: kind(change.change), bytes }
}

fn kind(change: files::ChangeKind) -> ChangeKind {
    match change {
        files::ChangeKind::Created => ChangeKind::Created,
        files::ChangeKind::Modified => ChangeKind::Modified,
        files::ChangeKind::Removed => ChangeKind::Removed,
    }
}
