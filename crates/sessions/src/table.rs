use std::sync::Arc;
use std::time::{Duration, SystemTime};

use perennial_engine::{ConfigOrigin, EngineConfig, RunOptions};
use perennial_protocol::{EndReason, RunRequest, ScriptError, ScriptResult};
use perennial_stdlib::files::Files;
use tokio::runtime::Handle;

#[cfg(feature = "modules")]
use crate::bundle::CompiledBundle;
use crate::config::TableConfig;
use crate::context::RunContext;
use crate::generation::Generation;
use crate::info::{CacheCounts, SessionInfo};
use crate::library::LibraryError;
use crate::owner::{Owner, Session};
use crate::plugins::PluginSet;
use crate::provision::Provided;
use crate::shared::{Shared, TableHandle, reap};
use crate::slot::Slot;
use crate::vars::Vars;

const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// All sessions of one process and the policy that keeps and ends them. Clones are handles to one table; with the last one
/// every session ends.
///
/// ```
/// use perennial_sessions::{RunRequest, SessionTable};
/// use std::time::{Duration, SystemTime};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let table = SessionTable::new(100, Duration::from_secs(600));
/// table.run("s", RunRequest::new("globalThis.n = 41")).await;
/// let result = table.run("s", RunRequest::new("return n + 1")).await;
/// assert_eq!(result.into_value().unwrap(), Some(serde_json::json!(42)));
/// # }
/// ```
#[derive(Clone)]
pub struct SessionTable {
    handle: Arc<TableHandle>,
}

impl SessionTable {
    /// A table that keeps at most `max_vms` VMs warm and ends sessions unused for `idle_ttl`.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled: the table's tasks run on the one it is made in.
    pub fn new(max_vms: usize, idle_ttl: Duration) -> Self {
        Self::with_config(TableConfig { max_vms, idle_ttl, ..TableConfig::default() })
    }

    /// The session of this name, which is made when it is first used.
    pub fn session(&self, name: impl Into<String>) -> Session {
        self.local().session(name)
    }

    /// A table with every policy spelt out.
    ///
    /// # Panics
    /// As [`Self::new`], and where [`Self::try_with_config`] has an error.
    pub fn with_config(config: TableConfig) -> Self {
        Self::try_with_config(config).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same for a list of provisions that is not known beforehand.
    ///
    /// # Errors
    /// If two of them bring the same name, of their own, of a global or of an op; if a plugin was loaded with other ones; or if a limit is none.
    ///
    /// # Panics
    /// As [`Self::new`].
    pub fn try_with_config(mut config: TableConfig) -> Result<Self, LibraryError> {
        // For ever, as far as anybody will see; the clock cannot count much further.
        config.idle_ttl = config.idle_ttl.min(FOR_EVER);
        config.hard_lifetime = config.hard_lifetime.map(|lifetime| lifetime.min(FOR_EVER));
        let runtime = Handle::current();
        config.defaults.check(&config.ceilings).map_err(|error| LibraryError::Limits(error.message))?;
        if config.owner_limits.sessions == 0 {
            return Err(LibraryError::Limits("an owner with no sessions could run nothing".to_owned()));
        }
        let provisions = config.all_provisions();
        #[cfg(feature = "modules")]
        let plugins = config.plugins.clone().unwrap_or_else(PluginSet::empty);
        #[cfg(not(feature = "modules"))]
        let plugins = PluginSet;
        let origin = ConfigOrigin::default();
        let generation = Generation::new(&origin, &provisions, plugins)?;
        let shared = Shared::new(origin, config, runtime, provisions, generation);
        let (deadlines, clock) = (shared.deadlines.clone(), shared.config.clock.clone());
        shared.runtime.spawn(reap(Arc::downgrade(&shared), deadlines, clock));
        Ok(Self { handle: Arc::new(TableHandle { shared }) })
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// The sessions of one owner: whoever is served by this program besides others, by any name. An empty one is the local
    /// owner, which has no limits: a service refuses empty names of its users.
    ///
    /// All methods of the table that take a name of a session are the local owner's. Others may have as many sessions as
    /// [`TableConfig::owner_limits`] says.
    pub fn of(&self, owner: &str) -> Owner {
        let shared = self.shared();
        Owner::new(self.handle.clone(), shared.owners.get(owner, shared.now()))
    }

    /// Why and when the last session of this name ended; see [`Owner::ended`].
    pub fn ended(&self, name: &str) -> Option<(EndReason, SystemTime)> {
        self.local().ended(name)
    }

    /// The local owner: the sessions that the program runs for itself.
    pub fn local(&self) -> Owner {
        Owner::new(self.handle.clone(), self.shared().owners.local().clone())
    }

    /// The session of this name, made if there is none, and held until the slot is dropped. Waits for nothing.
    pub fn acquire(&self, name: &str) -> Slot {
        let shared = self.shared();
        Slot(shared.acquire(shared.owners.local(), name))
    }

    /// The durable values of the session of this name, made if there is none; to ask for them uses it. Reading and writing them waits for nothing, a script
    /// that runs included. Once the session has ended, writing is an error: ask again for those of its successor.
    pub fn vars(&self, name: &str) -> Arc<Vars> {
        self.own(name)
    }

    /// The files of the session of this name, likewise.
    pub fn files(&self, name: &str) -> Arc<Files> {
        self.own(name)
    }

    /// What the session of this name, made if there is none, has of an embedder's own provision: the first whose sessions have this type. `None` if
    /// there is none.
    pub fn provided<S: Provided>(&self, name: &str) -> Option<Arc<S>> {
        self.local().find_own(name).ok().flatten()
    }

    /// The same for what every table has.
    fn own<S: Provided>(&self, name: &str) -> Arc<S> {
        self.provided(name).expect("every table has it, and the local owner as many sessions as it makes")
    }

    /// Runs a script on the session of this name: acquires, waits its turn, runs. Requests for one session run one at a time, in the
    /// order in which their futures were first polled.
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
        self.local().run_with(name, request, context).await
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
        self.local().run_bundle(name, bundle, request, context).await
    }

    /// Ends a session: stops what it runs, drops its VM and its vars. `false` if there was none. A run under way ends as
    /// `cancelled`.
    pub fn remove(&self, name: &str) -> bool {
        self.local().remove(name)
    }

    /// Ends all sessions, whoever owns them.
    pub fn clear(&self) {
        self.shared().clear_all(EndReason::Cleared);
    }

    /// Ends all sessions, makes no more, and waits until nothing is left of them outside of this program's memory; for a program that is about to end. What is asked of
    /// the table from here on says `session_ended`.
    ///
    /// # Cancellation
    /// Once it was polled, the sessions end all the same.
    ///
    /// # Errors
    /// `busy` if something of one of them cannot be stopped; all have ended.
    pub async fn shutdown(&self) -> Result<(), ScriptError> {
        self.shared().shut_down().await
    }

    /// Drops the VM of a session and keeps its vars; waits for a run under way. `false` if there was no such session.
    ///
    /// # Cancellation
    /// Dropping the future leaves the session as it is.
    pub async fn reset(&self, name: &str) -> bool {
        self.local().reset(name).await
    }

    /// How many sessions there are, whoever owns them.
    pub fn len(&self) -> usize {
        let shared = self.shared();
        shared.sweep();
        shared.owners.all().iter().map(|owner| owner.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// VMs that are warm, running or being built.
    pub fn live_vm_count(&self) -> usize {
        self.shared().pool.live()
    }

    /// All sessions, by owner and name.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        let shared = self.shared();
        shared.list(&shared.owners.all())
    }

    /// Gives the scripts other plugins: sessions get a new VM with their next run, which says `config`.
    ///
    /// # Errors
    /// If one of them was granted something that no provision of the table serves; then all stays as it is.
    #[cfg(feature = "modules")]
    pub fn set_plugins(&self, plugins: &PluginSet) -> Result<(), LibraryError> {
        self.shared().replace_plugins(None, plugins).map(drop)
    }

    /// Loads the plugins again from where they came. Returns what there is now, failures included.
    ///
    /// # Cancellation
    /// Dropping the future leaves the plugins as they are.
    ///
    /// # Errors
    /// As [`Self::set_plugins`].
    #[cfg(feature = "modules")]
    pub async fn reload_plugins(&self) -> Result<PluginSet, LibraryError> {
        self.shared().reload_plugins().await
    }

    /// The plugins of scripts whose callers bring no configuration.
    #[cfg(feature = "modules")]
    pub fn plugins(&self) -> PluginSet {
        self.shared().generation().plugins
    }

    /// What the VMs of this table are made of, for [`BrowserSession::run`](crate::BrowserSession::run) on a session of it.
    pub fn engine_config(&self) -> EngineConfig {
        self.shared().generation().config
    }

    /// The limits of runs that say nothing else.
    pub fn defaults(&self) -> &RunOptions {
        &self.shared().config.defaults
    }

    /// How often a cell was found ready to run, and how often it had to be parsed.
    pub fn cell_cache(&self) -> CacheCounts {
        self.shared().cells.counts()
    }

    /// Threads whose run was answered without them and that have not come back; see `docs/limitations/engine.md`.
    pub fn abandoned_threads(&self) -> usize {
        self.shared().executor.abandoned_threads()
    }

    /// Threads that run scripts or wait for some.
    pub fn threads(&self) -> usize {
        self.shared().executor.threads()
    }
}

impl std::fmt::Debug for SessionTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionTable")
            .field("sessions", &self.len())
            .field("live_vms", &self.live_vm_count())
            .finish_non_exhaustive()
    }
}
