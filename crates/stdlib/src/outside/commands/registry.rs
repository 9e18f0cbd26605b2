//! What a session has running: it outlives the session's VMs and dies with the session.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use perennial_engine::OpError;
use perennial_keeper::{Tenant, make_folder_in_scratch, remove};
use tokio::sync::Notify;

use super::started::Started;

/// Commands of all sessions that run in this process.
static RUNNING: AtomicUsize = AtomicUsize::new(0);
/// For the names of sessions' folders.
static SCRATCHES: AtomicU64 = AtomicU64::new(0);

/// How many commands may run at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessLimits {
    /// Of one session: 16, if nothing is said.
    pub session: usize,
    /// Of all sessions of the process: 256, if nothing is said.
    pub process: usize,
}

impl ProcessLimits {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

impl Default for ProcessLimits {
    fn default() -> Self {
        Self { session: 16, process: 256 }
    }
}

/// What a session's commands have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessUsage {
    /// Commands that run now.
    pub running: usize,
    /// Commands that were begun, restarts among them.
    pub begun: u64,
    /// Bytes of lines that are kept.
    pub log_bytes: usize,
}

/// The processes of one session. Dropped, or ended, all of them are killed.
#[derive(Debug)]
pub struct SessionProcs {
    session: Arc<Tenant>,
    limits: ProcessLimits,
    state: Mutex<Known>,
    count: Arc<Count>,
}

#[derive(Debug, Default)]
struct Count {
    /// Places that are taken.
    places: AtomicUsize,
    begun: AtomicU64,
    /// Folders that are there, or are being removed.
    folders: AtomicUsize,
    /// A place has become free, or a folder is gone.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Known {
    next_id: u32,
    /// What was started, ended ones among it until they are stopped or there are too many.
    started: BTreeMap<u32, Arc<Started>>,
    /// Held by whoever starts a command of that name.
    starting: HashMap<(Option<String>, String), Arc<tokio::sync::Mutex<()>>>,
    scratch: Option<Arc<Scratch>>,
    is_over: bool,
}

/// The folder that a session's commands have for a home. It is removed when the last of them is gone.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
    is_there: Option<FolderThere>,
}

/// Counts a folder until it is gone.
#[derive(Debug)]
struct FolderThere(Arc<Count>);

impl Drop for FolderThere {
    fn drop(&mut self) {
        self.0.folders.fetch_sub(1, Ordering::AcqRel);
        self.0.freed.notify_waiters();
    }
}

impl Scratch {
    fn make(all: &Path, count: &Arc<Count>) -> Result<Self, OpError> {
        let folder = all.join(SCRATCHES.fetch_add(1, Ordering::Relaxed).to_string());
        let made = make_folder_in_scratch(&folder);
        made.map_err(|error| {
            OpError::new("Error", format!("there is no folder for commands ({}): {error}", folder.display()))
        })?;
        count.folders.fetch_add(1, Ordering::AcqRel);
        Ok(Self { folder, is_there: Some(FolderThere(count.clone())) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let (folder, is_there) = (std::mem::take(&mut self.folder), self.is_there.take());
        // Most are empty.
        if std::fs::remove_dir(&folder).is_ok() {
            return;
        }
        // Others may have a lot in them, and whoever lets go of one may hold a lock.
        let thread = std::thread::Builder::new().name("perennial-remove".to_owned());
        let work = move || {
            if let Err(error) = remove(&folder) {
                tracing::warn!(folder = %folder.display(), %error, "a folder of commands stays until the program ends");
            }
            drop(is_there);
        };
        // Without a thread for it, it stays as well.
        let _: std::io::Result<_> = thread.spawn(work);
    }
}

/// The place of one command among those that may run, and the folder that it needs.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) session: Arc<Tenant>,
    count: Arc<Count>,
    pub(super) scratch: Arc<Scratch>,
}

impl Place {
    pub(super) fn count_begun(&self) {
        self.count.begun.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
        self.count.places.fetch_sub(1, Ordering::AcqRel);
        self.count.freed.notify_waiters();
    }
}

impl SessionProcs {
    /// None yet.
    pub fn new(limits: ProcessLimits) -> Self {
        Self { session: Arc::default(), limits, state: Mutex::default(), count: Arc::default() }
    }

    /// Kills everything that runs; nothing is started any more. Does not wait: see [`Self::gone`].
    pub fn end(&self) {
        let mut state = self.lock();
        state.is_over = true;
        let (started, scratch) = (std::mem::take(&mut state.started), state.scratch.take());
        drop(state);
        started.values().for_each(|started| started.kill());
        drop(scratch);
        self.session.leave();
    }

    /// Waits until nothing of the session's commands is left, after [`Self::end`] their folder included. One-shot ones end when they are done, or the VM is gone that has asked for them.
    ///
    /// # Cancellation
    /// Dropping the future waits no more; nothing else changes.
    pub async fn gone(&self) {
        loop {
            // Registered before the look, so that a change between the two is not missed.
            let mut freed = std::pin::pin!(self.count.freed.notified());
            freed.as_mut().enable();
            let folders = if self.lock().is_over { self.count.folders.load(Ordering::Acquire) } else { 0 };
            if self.count.places.load(Ordering::Acquire) + folders == 0 {
                return;
            }
            freed.await;
        }
    }

    /// What is used now.
    pub fn usage(&self) -> ProcessUsage {
        let log_bytes = self.lock().started.values().map(|started| started.logs.bytes()).sum();
        let begun = self.count.begun.load(Ordering::Relaxed);
        ProcessUsage { running: self.count.places.load(Ordering::Acquire), begun, log_bytes }
    }

    /// The ports that commands of a script, or of a plugin, have now.
    #[cfg(feature = "net")]
    pub(crate) fn ports(&self, owner: Option<&str>) -> Vec<u16> {
        let state = self.lock();
        let own = state
            .started
            .values()
            .filter(|started| started.owner.as_deref() == owner && started.state.borrow().is_running);
        own.flat_map(|started| started.ports.0.values().copied()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more.
    pub(super) async fn place(&self) -> Result<Place, OpError> {
        let all = perennial_keeper::scratch().await.map_err(|error| OpError::new("Error", error.to_string()))?;
        let mut state = self.lock();
        if state.is_over {
            return Err(OpError::new("Error", "the session has ended, and runs no commands any more"));
        }
        let scratch = match &state.scratch {
            Some(scratch) => scratch.clone(),
            None => state.scratch.insert(Arc::new(Scratch::make(&all, &self.count)?)).clone(),
        };
        let full = |whose: &str, most: usize| {
            let message = format!("{whose} may have {most} commands running at a time, and has: stop one first");
            OpError::quota(message, most as u64, most as u64 + 1)
        };
        // Under the lock, which is the only place where they are taken.
        if self.count.places.load(Ordering::Acquire) >= self.limits.session {
            return Err(full("the session", self.limits.session));
        }
        if RUNNING.fetch_add(1, Ordering::Relaxed) >= self.limits.process {
            RUNNING.fetch_sub(1, Ordering::Relaxed);
            return Err(full("the program that runs this session", self.limits.process));
        }
        self.count.places.fetch_add(1, Ordering::AcqRel);
        Ok(Place { session: self.session.clone(), count: self.count.clone(), scratch })
    }

    /// A place for a command that is run: when others are, it waits for the first of them to end.
    pub(super) async fn place_in_turn(&self) -> Result<Place, OpError> {
        loop {
            // Registered before the look, so that a change between the two is not missed.
            let mut freed = std::pin::pin!(self.count.freed.notified());
            freed.as_mut().enable();
            let place = self.place().await;
            let started = self.lock().started.values().filter(|started| started.is_running()).count();
            let others = self.count.places.load(Ordering::Acquire);
            if place.is_ok() || others <= started || others < self.limits.session {
                return place;
            }
            freed.await;
        }
    }

    /// One that was started, by the same script or plugin that asks.
    pub(super) fn find(&self, owner: Option<&str>, id: u32) -> Result<Arc<Started>, OpError> {
        let state = self.lock();
        let found = state.started.get(&id).filter(|started| started.owner.as_deref() == owner).cloned();
        found
            .ok_or_else(|| OpError::new("Error", format!("there is no command {id}: it was stopped, or never started")))
    }

    /// All that were started by whoever asks.
    pub(super) fn all(&self, owner: Option<&str>) -> Vec<Arc<Started>> {
        let state = self.lock();
        state.started.values().filter(|started| started.owner.as_deref() == owner).cloned().collect()
    }

    /// The one of this name that runs.
    pub(super) fn named(&self, owner: Option<&str>, name: &str) -> Option<Arc<Started>> {
        self.all(owner).into_iter().find(|started| started.name == name && started.stays())
    }

    /// What whoever starts a command of a name holds meanwhile.
    pub(super) fn starting(&self, owner: Option<&str>, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        self.lock().starting.entry((owner.map(str::to_owned), name.to_owned())).or_default().clone()
    }

    pub(super) fn next_id(&self) -> u32 {
        let mut state = self.lock();
        state.next_id += 1;
        state.next_id
    }

    /// Keeps what was started. If the session has ended meanwhile it is killed.
    pub(super) fn keep(&self, started: &Arc<Started>) {
        let mut state = self.lock();
        if state.is_over {
            return started.kill();
        }
        // What has ended is remembered for its logs, the oldest not for ever.
        let ended: Vec<u32> = state.started.values().filter(|one| !one.is_running()).map(|one| one.id).collect();
        for old in ended.iter().rev().skip(self.limits.session) {
            state.started.remove(old);
        }
        state.started.insert(started.id, started.clone());
    }

    pub(super) fn forget(&self, id: u32) {
        self.lock().started.remove(&id);
    }
}

impl Drop for SessionProcs {
    fn drop(&mut self) {
        self.end();
    }
}
