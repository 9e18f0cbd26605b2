//! The files of a session: a tree in memory that survives its VMs, and folders of the host that a call brings along.
//!
//! Confusable: [`Files`] are one session's and durable; a [`FilesView`] is what one run may do to them; [`Mounts`] are what a call grants of the
//! host. Paths are [`VirtualPath`]s until a mount makes them the host's.

mod artifacts;
mod changes;
mod data;
mod error;
mod glob;
mod grants;
mod handle;
mod host;
#[cfg(test)]
mod model;
mod mount;
mod ops;
mod overlay;
mod path;
mod slots;
mod tree;
mod volume;

pub use artifacts::{Artifact, Artifacts, ArtifactsRun, artifact_areas, artifact_ops};
pub use changes::{Change, ChangeKind, MAX_CHANGES};
pub use error::{Code, FsError};
pub use grants::ReadGrants;
pub use mount::{Mount, MountError, MountMode, Mounts};
pub use path::VirtualPath;
pub use tree::{FilesQuota, Kind};

pub use ops::ops;

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use data::Gauge;
use perennial_engine::Area;
use tree::{Flags, Room, Tree};

use crate::area;

/// What scripts reach them by.
pub fn areas() -> Vec<Area> {
    area::each(&[&area::FS, &area::FS_HANDLE, &area::FS_SHARED])
}

/// The files of one session.
///
/// ```
/// use std::sync::Arc;
/// use perennial_stdlib::files::{Files, FilesQuota};
/// let files = Arc::new(Files::new(FilesQuota::default()));
/// files.write("/in/data.csv", b"a,b")?;
/// let before = files.snapshot();
/// files.write("/in/data.csv", b"")?;
/// assert_eq!(files.changes_since(&before).0[0].path, "/in/data.csv");
/// files.restore(&before);
/// assert_eq!(files.read("/in/data.csv")?, b"a,b");
/// # Ok::<(), perennial_stdlib::files::FsError>(())
/// ```
#[derive(Debug)]
pub struct Files {
    quota: FilesQuota,
    gauge: Arc<Gauge>,
    state: Mutex<Trees>,
    /// Files of the host that are open.
    open: Arc<AtomicUsize>,
    /// Held while a file of the host becomes the session's.
    copying: Mutex<()>,
}

#[derive(Debug, Default)]
struct Trees {
    tree: Tree,
    /// What there would be without the run that is under way, where somebody wants to know: as it was, with what the host has written since.
    base: Option<Tree>,
    /// Counts runs and restorings.
    generation: u64,
    /// What belongs to a run before this one may change nothing any more.
    since: u64,
    has_ended: bool,
    /// Counts restorings alone: what was opened before one is bad.
    restored: u64,
    next_id: u64,
    /// Where folders of the host are mounted, as far as that is known.
    rooms: Vec<VirtualPath>,
}

/// All files of a session at one moment, and where it stood. Cheap: it shares what does not change later.
#[derive(Clone, Debug)]
pub struct Snapshot {
    tree: Tree,
    next_id: u64,
}

impl Snapshot {
    /// What differs in a later one, at most [`MAX_CHANGES`] paths, and how many more there are.
    pub fn changes_to(&self, later: &Self) -> (Vec<Change>, usize) {
        changes::between(&self.tree, &later.tree)
    }
}

/// What a session's files take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilesUsage {
    /// Names and content, as [`FilesQuota`] counts them.
    pub bytes: u64,
    /// Files, folders and links.
    pub entries: u64,
    /// Real memory of contents and names, that of snapshots included.
    pub memory: u64,
}

impl Files {
    /// No files yet.
    pub fn new(quota: FilesQuota) -> Self {
        Self { quota, gauge: Arc::default(), state: Mutex::default(), open: Arc::default(), copying: Mutex::default() }
    }

    /// For a run that begins: those of earlier runs can change nothing from here on. With `track`, what it changes is told from what the host
    /// writes meanwhile, for [`FilesView::settle`].
    pub fn begin(self: &Arc<Self>, track: bool) -> FilesView {
        let mut state = self.lock();
        let before = state.since;
        state.next_generation();
        state.base = track.then(|| state.tree.clone());
        FilesView { files: self.clone(), run: state.generation, before }
    }

    /// Files of another session that are the same at first. Contents are shared until one of the two writes; each counts them as its own.
    pub fn of(quota: FilesQuota, snapshot: &Snapshot) -> Self {
        let files = Self::new(quota);
        let mut state = files.lock();
        (state.tree, state.next_id) = (snapshot.tree.of_another(&files.gauge), snapshot.next_id);
        drop(state);
        files
    }

    /// Everything as it is.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        Snapshot { tree: state.tree.clone(), next_id: state.next_id }
    }

    /// Makes everything as it was. What a run still does that has begun before is refused.
    pub fn restore(&self, snapshot: &Snapshot) {
        let mut state = self.lock();
        let base = state.base.as_ref().map(|_| snapshot.tree.clone());
        let old = (state.replace_tree(snapshot.tree.clone()), std::mem::replace(&mut state.base, base));
        drop(state);
        drop(old);
    }

    /// The same by the run that is under way, if there is one: it goes on, and if it is undone, so is this. What was open is bad all the same.
    ///
    /// # Errors
    /// If a folder of the host could not stand where it does; then nothing has changed.
    pub fn roll_back(&self, snapshot: &Snapshot) -> Result<(), FsError> {
        let mut state = self.lock();
        let rooms = std::mem::take(&mut state.rooms);
        let tree = self.with_rooms(&snapshot.tree, &mut state.next_id, rooms.iter());
        state.rooms = rooms;
        let old = std::mem::replace(&mut state.tree, tree?);
        state.restored += 1;
        drop(state);
        drop(old);
        Ok(())
    }

    /// What differs from a snapshot, at most [`MAX_CHANGES`] paths, and how many more there are.
    pub fn changes_since(&self, snapshot: &Snapshot) -> (Vec<Change>, usize) {
        snapshot.changes_to(&self.snapshot())
    }

    /// Whether the folders in which `mounts` stand can be made.
    ///
    /// # Errors
    /// If a file is in the way or the quota is full.
    pub fn has_room_for(&self, mounts: &Mounts) -> Result<(), FsError> {
        let Trees { tree, next_id, .. } = &mut *self.lock();
        self.with_rooms(tree, next_id, mounts.iter().map(Mount::at)).map(drop)
    }

    /// Makes them, so that they are seen from above: all of them or none.
    ///
    /// # Errors
    /// As [`Self::has_room_for`].
    pub fn make_room_for(&self, mounts: &Mounts) -> Result<(), FsError> {
        let Trees { tree, next_id, rooms, .. } = &mut *self.lock();
        *tree = self.with_rooms(tree, next_id, mounts.iter().map(Mount::at))?;
        *rooms = mounts.iter().map(|mount| mount.at().clone()).collect();
        Ok(())
    }

    fn with_rooms<'m>(
        &self,
        tree: &Tree,
        next_id: &mut u64,
        mut rooms: impl Iterator<Item = &'m VirtualPath>,
    ) -> Result<Tree, FsError> {
        let mut tree = tree.clone();
        let room = Room { quota: &self.quota, gauge: &self.gauge, now: now(), next_id };
        rooms.try_for_each(|at| tree.mkdir(&room, at, true).map(drop))?;
        Ok(tree)
    }

    /// The session has ended: the host can write no more, since nobody would ever read it.
    pub fn end(&self) {
        self.lock().has_ended = true;
    }

    /// What is held.
    pub fn usage(&self) -> FilesUsage {
        let (bytes, entries) = self.lock().tree.usage();
        FilesUsage { bytes, entries, memory: self.gauge.bytes() }
    }

    /// The content of a file.
    ///
    /// # Errors
    /// If there is none.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, FsError> {
        let path = VirtualPath::parse(&VirtualPath::default(), path)?;
        let (_, file) = self.lock().tree.file(&path, "open")?;
        Ok(file.data.read(0, usize::try_from(file.data.length()).unwrap_or(usize::MAX)))
    }

    /// Writes a file, and makes the folders it is in. It stays if the run that is under way is undone.
    ///
    /// # Errors
    /// If a path is in the way, the quota is full or the session has ended; while a run is under way that can be undone, also if it would be without what the run has done.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<(), FsError> {
        let path = VirtualPath::parse(&VirtualPath::default(), path)?;
        let flags = Flags { write: true, create: true, truncate: true, ..Flags::default() };
        let mut state = self.lock();
        if state.has_ended {
            return Err(
                FsError::new(Code::Permission, "write", &path).because("the session has ended, and with it its files")
            );
        }
        let Trees { tree, base, next_id, .. } = &mut *state;
        let mut room = Room { quota: &self.quota, gauge: &self.gauge, now: now(), next_id };
        // On copies, so that both have it or neither.
        let mut written = |tree: &Tree| {
            let mut tree = tree.clone();
            tree.mkdir(&room, &path.parent(), true)?;
            tree.write_file(&mut room, &path, flags, bytes)?;
            Ok::<_, FsError>(tree)
        };
        let mut new = written(tree)?;
        if let Some(base) = base {
            let mut without_run = written(base)?;
            without_run.share(&mut new, &path, next_id);
            *base = without_run;
        }
        *tree = new;
        Ok(())
    }

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// If there is no such folder.
    pub fn list(&self, path: &str) -> Result<Vec<String>, FsError> {
        let path = VirtualPath::parse(&VirtualPath::default(), path)?;
        Ok(self.lock().tree.dir(&path, "scandir")?.entries.keys().map(|name| name.to_string()).collect())
    }

    fn change<T>(
        &self,
        state: &mut Trees,
        change: impl FnOnce(&mut Tree, &mut Room<'_>) -> Result<T, FsError>,
    ) -> Result<T, FsError> {
        let Trees { tree, next_id, .. } = state;
        let mut room = Room { quota: &self.quota, gauge: &self.gauge, now: now(), next_id };
        change(tree, &mut room)
    }

    fn lock(&self) -> MutexGuard<'_, Trees> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trees {
    fn next_generation(&mut self) {
        self.generation += 1;
        self.since = self.generation;
    }

    /// What belongs to an earlier run, or was open, is of no use any more.
    fn replace_tree(&mut self, tree: Tree) -> Tree {
        self.next_generation();
        self.restored += 1;
        std::mem::replace(&mut self.tree, tree)
    }
}

/// Milliseconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64)
}

/// What one run and its callbacks may do to their session's files: anything, until the next run begins. Ops find it by its type.
#[derive(Clone, Debug)]
pub struct FilesView {
    files: Arc<Files>,
    run: u64,
    /// What could still write before this run.
    before: u64,
}

impl FilesView {
    /// The run has not begun after all: what could write before it can again.
    pub fn withdraw(&self) {
        let mut state = self.files.lock();
        if state.generation == self.run {
            state.since = self.before;
            state.base = None;
        }
    }

    /// Ends what [`Files::begin`] has begun to track, once. Returns what this run has changed, as [`Files::changes_since`] does; with `undo` that is
    /// undone, and nothing of what the host has written meanwhile.
    pub fn settle(&self, undo: bool) -> (Vec<Change>, usize) {
        let mut state = self.files.lock();
        // Otherwise everything was replaced meanwhile, or another run has begun.
        if state.generation != self.run {
            return (Vec::new(), 0);
        }
        let Some(base) = state.base.take() else { return (Vec::new(), 0) };
        if undo {
            let old = state.replace_tree(base);
            drop(state);
            drop(old);
            return (Vec::new(), 0);
        }
        let now = state.tree.clone();
        drop(state);
        changes::between(&base, &now)
    }

    /// Nobody else of the session makes a file of the host its own while this is held. Blocks.
    fn copy_up(&self) -> MutexGuard<'_, ()> {
        self.files.copying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn restored(&self) -> u64 {
        self.files.lock().restored
    }

    fn look<T>(&self, look: impl FnOnce(&Tree) -> Result<T, FsError>) -> Result<T, FsError> {
        look(&self.files.lock().tree)
    }

    fn change<T>(
        &self,
        what: &'static str,
        change: impl FnOnce(&mut Tree, &mut Room<'_>) -> Result<T, FsError>,
    ) -> Result<T, FsError> {
        let mut state = self.files.lock();
        if self.run < state.since {
            return Err(FsError::new(Code::Permission, what, "/").because(
                "the run that this belongs to is over, and its changes were undone or another run has begun",
            ));
        }
        self.files.change(&mut state, change)
    }
}
