use std::sync::Arc;
use std::time::{Instant, SystemTime};

use perennial_engine::RunOptions;
use perennial_protocol::{EndReason, ErrorKind, RunRequest, ScriptError, ScriptResult};
use perennial_stdlib::files::Files;
#[cfg(feature = "modules")]
use tokio::sync::watch;

#[cfg(feature = "modules")]
use crate::bundle::CompiledBundle;
use crate::context::RunContext;
#[cfg(feature = "modules")]
use crate::generation::Generation;
use crate::info::SessionInfo;
#[cfg(feature = "modules")]
use crate::library::LibraryError;
#[cfg(feature = "modules")]
use crate::plugins::PluginSet;
use crate::provision::Provided;
use crate::registry::OwnerState;
use crate::run::Run;
use crate::shared::{Pinned, Shared, TableHandle};
use crate::slot::Slot;
use crate::vars::Vars;

/// Whose sessions they are: a table as one of those it serves sees it. Names of sessions are of one owner, and so are the ends that are remembered and the
/// limits of [`OwnerLimits`](crate::OwnerLimits). The machine is shared: cores, threads, warm VMs, memory, the workers that read large sources, and the cells that are kept ready. Cheap
/// to clone; it keeps the table.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use perennial_sessions::{Run, SessionTable};
/// let table = SessionTable::builder().build()?;
/// let (ada, bob) = (table.of("ada"), table.of("bob"));
/// ada.session("notes").run(Run::script("globalThis.secret = 42")).await;
/// let seen: String = bob.session("notes").run(Run::script("typeof secret")).await.value()?;
/// assert_eq!((seen.as_str(), ada.len(), bob.len()), ("undefined", 1, 1));
/// ada.clear();
/// assert_eq!(table.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Owner {
    handle: Arc<TableHandle>,
    state: Arc<OwnerState>,
}

impl Owner {
    pub(crate) fn new(handle: Arc<TableHandle>, state: Arc<OwnerState>) -> Self {
        Self { handle, state }
    }

    /// The owner's name; empty for the local one.
    pub fn name(&self) -> &str {
        self.state.name()
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// The plugins of the table.
    #[cfg(feature = "modules")]
    pub fn plugins(&self) -> PluginSet {
        self.shared().generation().plugins
    }

    /// Loads the plugins of the table again, which other owners have too; see [`SessionTable::reload_plugins`](crate::SessionTable::reload_plugins).
    ///
    /// # Cancellation
    /// Dropping the future leaves the plugins as they are.
    ///
    /// # Errors
    /// As there.
    #[cfg(feature = "modules")]
    pub async fn reload_plugins(&self) -> Result<PluginSet, LibraryError> {
        self.shared().reload_plugins().await
    }

    /// Tells when the plugins of the table have become others. It does not keep the table.
    #[cfg(feature = "modules")]
    pub fn plugin_changes(&self) -> PluginChanges {
        PluginChanges(self.shared().generation.subscribe())
    }

    /// What those who write scripts for this table's sessions are told of what there is, a line for each provision that says something
    /// ([`Library::tell`](crate::Library::tell)), in at most so many characters.
    pub fn briefing(&self, most: usize) -> String {
        self.shared().generation().briefing.lines(most)
    }

    /// The limits of runs that say nothing else.
    pub fn defaults(&self) -> &RunOptions {
        &self.shared().config.defaults
    }

    /// The session of this name, made if there is none, and held until the slot is dropped. Waits for nothing; what the owner may not have is refused by
    /// [`Slot::lock`].
    pub fn acquire(&self, name: &str) -> Slot {
        Slot(self.pinned(name))
    }

    fn pinned(&self, name: &str) -> Pinned {
        self.shared().acquire(&self.state, name)
    }

    /// The session of this name, which is made when it is first used.
    pub fn session(&self, name: impl Into<String>) -> Session {
        Session::new(self.clone(), name.into())
    }

    /// The durable values of the session of this name, made if there is none; to ask for them uses it. Neither this nor reading and writing them waits for
    /// a script that runs. Once the session has ended, writing is an error: ask again for those of its successor.
    ///
    /// # Cancellation
    /// Nothing is waited for yet; dropping the future leaves the session made or not.
    ///
    /// # Errors
    /// `busy` if the owner has as many sessions as it may.
    pub async fn vars(&self, name: &str) -> Result<Arc<Vars>, ScriptError> {
        self.own(name)
    }

    /// The files of the session of this name, likewise.
    ///
    /// # Cancellation
    /// As [`Self::vars`].
    ///
    /// # Errors
    /// As [`Self::vars`].
    pub async fn files(&self, name: &str) -> Result<Arc<Files>, ScriptError> {
        self.own(name)
    }

    /// What the session of this name has of an embedder's own provision, likewise: the first whose sessions have this type. `None` if there is none.
    ///
    /// # Cancellation
    /// As [`Self::vars`].
    ///
    /// # Errors
    /// As [`Self::vars`].
    pub async fn provided<S: Provided>(&self, name: &str) -> Result<Option<Arc<S>>, ScriptError> {
        self.find_own(name)
    }

    pub(crate) fn find_own<S: Provided>(&self, name: &str) -> Result<Option<Arc<S>>, ScriptError> {
        let (shared, pinned) = (self.shared(), self.pinned(name));
        pinned.check()?;
        pinned.record.touch(shared.now());
        Ok(shared.provisions.session(&pinned.record))
    }

    /// What every table has.
    fn own<S: Provided>(&self, name: &str) -> Result<Arc<S>, ScriptError> {
        Ok(self.find_own(name)?.expect("every table has it"))
    }

    /// Runs a script on the session of this name; see [`SessionTable::run`](crate::SessionTable::run).
    ///
    /// # Cancellation
    /// Dropping the future stops the script, which costs the session its VM and nothing else.
    pub async fn run(&self, name: &str, request: RunRequest) -> ScriptResult {
        self.run_with(name, request, RunContext::new()).await
    }

    /// As [`Self::run`], with what the call brings.
    ///
    /// # Cancellation
    /// Dropping the future stops the script, which costs the session its VM and nothing else.
    pub async fn run_with(&self, name: &str, request: RunRequest, context: RunContext) -> ScriptResult {
        self.execute(name, Run { context, ..Run::request(request) }).await
    }

    /// Runs a bundle on the session of this name. Of the request everything but the script counts.
    ///
    /// # Cancellation
    /// Dropping the future stops the script, which costs the session its VM and nothing else.
    #[cfg(feature = "modules")]
    pub async fn run_bundle(
        &self,
        name: &str,
        bundle: &CompiledBundle,
        request: RunRequest,
        context: RunContext,
    ) -> ScriptResult {
        self.execute(name, Run { ready: Some(bundle.ready()), context, ..Run::request(request) }).await
    }

    async fn execute(&self, name: &str, run: Run) -> ScriptResult {
        let started = Instant::now();
        let slot = self.acquire(name);
        let locked = match &run.context.cancel {
            None => slot.lock().await,
            Some(cancel) => tokio::select! {
                biased;
                locked = slot.lock() => locked,
                () = cancel.cancelled() => Err(ScriptError::new(
                    ErrorKind::Cancelled,
                    "the run was cancelled while it waited for its turn; nothing ran",
                )),
            },
        };
        let mut session = match locked {
            Ok(session) => session,
            Err(error) => return ScriptResult::refused(error),
        };
        session.run_since(started, run).await
    }

    /// Ends a session: stops what it runs, drops its VM and what it has. `false` if there was none. A run under way ends as `cancelled`.
    pub fn remove(&self, name: &str) -> bool {
        let shared = self.shared();
        shared.sweep();
        shared.end_if(&self.state, name, EndReason::Removed, |_| true).is_some()
    }

    /// As [`Self::remove`], and waits until nothing is left of the session outside of this program's memory: no process, no file, no thread that runs its script. `false` if there was
    /// none.
    ///
    /// # Cancellation
    /// Once it was polled, the session ends all the same.
    ///
    /// # Errors
    /// `busy` if something of it cannot be stopped; the session has ended.
    pub async fn end(&self, name: &str) -> Result<bool, ScriptError> {
        let shared = self.shared();
        shared.sweep();
        match shared.end_if(&self.state, name, EndReason::Removed, |_| true) {
            None => Ok(false),
            Some(record) => shared.is_gone(&record).await.map(|()| true),
        }
    }

    /// Ends all sessions of this owner.
    pub fn clear(&self) {
        self.shared().clear(&self.state, EndReason::Cleared);
    }

    /// Drops the VM of a session and keeps what is durable; waits for a run under way. `false` if there was no such session.
    ///
    /// # Cancellation
    /// Dropping the future leaves the session as it is.
    pub async fn reset(&self, name: &str) -> bool {
        let Some(pinned) = self.shared().find(&self.state, name) else { return false };
        let Ok(mut session) = Slot(pinned).lock().await else { return false };
        session.reset().await;
        true
    }

    /// How many sessions the owner has.
    pub fn len(&self) -> usize {
        self.shared().sweep();
        self.state.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The owner's sessions, by name.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.shared().list(std::slice::from_ref(&self.state))
    }

    /// Why and when the last session of this name ended, if that was within the last ten minutes. There may be another one since.
    pub fn ended(&self, name: &str) -> Option<(EndReason, SystemTime)> {
        let shared = self.shared();
        shared.sweep();
        self.state.ended(name, shared.now())
    }
}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owner").field("name", &self.name()).field("sessions", &self.state.len()).finish_non_exhaustive()
    }
}

/// Tells when the plugins of a table have become others.
#[cfg(feature = "modules")]
#[derive(Debug)]
pub struct PluginChanges(watch::Receiver<Generation>);

#[cfg(feature = "modules")]
impl PluginChanges {
    /// Waits until they have since the last time, or since this was made. `false` when the table is gone.
    ///
    /// # Cancellation
    /// Dropping the future misses nothing.
    pub async fn changed(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}

/// A session by its name: a handle to its owner, which makes the session when it is first used. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Session {
    owner: Owner,
    name: String,
}

impl Session {
    pub(crate) fn new(owner: Owner, name: String) -> Self {
        Self { owner, name }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs something: waits its turn among the runs of this session, in the order in which their futures were first polled.
    ///
    /// # Cancellation
    /// Dropping the future stops the script, which costs the session its VM and nothing else.
    pub async fn run(&self, run: Run) -> ScriptResult {
        self.owner.execute(&self.name, run).await
    }

    /// Its durable values; see [`Owner::vars`].
    ///
    /// # Cancellation
    /// Nothing is waited for yet; dropping the future leaves the session made or not.
    ///
    /// # Errors
    /// As there.
    pub async fn vars(&self) -> Result<Arc<Vars>, ScriptError> {
        self.owner.vars(&self.name).await
    }

    /// Its files; see [`Owner::files`].
    ///
    /// # Cancellation
    /// As [`Self::vars`].
    ///
    /// # Errors
    /// As there.
    pub async fn files(&self) -> Result<Arc<Files>, ScriptError> {
        self.owner.files(&self.name).await
    }

    /// What it has of an embedder's own provision; see [`Owner::provided`].
    ///
    /// # Cancellation
    /// As [`Self::vars`].
    ///
    /// # Errors
    /// As there.
    pub async fn provided<S: Provided>(&self) -> Result<Option<Arc<S>>, ScriptError> {
        self.owner.provided(&self.name).await
    }

    /// Drops its VM and keeps what is durable; see [`Owner::reset`].
    ///
    /// # Cancellation
    /// Dropping the future leaves the session as it is.
    pub async fn reset(&self) -> bool {
        self.owner.reset(&self.name).await
    }

    /// Ends it; see [`Owner::remove`].
    pub fn remove(&self) -> bool {
        self.owner.remove(&self.name)
    }

    /// Ends it and waits until nothing is left of it; see [`Owner::end`].
    ///
    /// # Cancellation
    /// Once it was polled, the session ends all the same.
    ///
    /// # Errors
    /// As there.
    pub async fn end(&self) -> Result<bool, ScriptError> {
        self.owner.end(&self.name).await
    }

    pub(crate) fn acquire(&self) -> Slot {
        self.owner.acquire(&self.name)
    }

    /// The session, if there is one.
    pub(crate) fn existing(&self) -> Option<Slot> {
        self.owner.shared().find(&self.owner.state, &self.name).map(Slot)
    }

    /// Another one of the same owner's.
    pub(crate) fn sibling(&self, name: String) -> Self {
        Self { owner: self.owner.clone(), name }
    }
}
