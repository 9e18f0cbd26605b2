use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use compact_str::CompactString;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use perennial_engine::{EngineConfig, Executor, RunOptions, Vm};
use perennial_protocol::{EndReason, RunRequest, ScriptError, ScriptResult};
use perennial_stdlib::files::Files;
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use crate::builder::TableBuilder;
use crate::bundle::CompiledBundle;
use crate::config::TableConfig;
use crate::context::RunContext;
use crate::library::{LibraryError, config_of};
use crate::plugins::PluginSet;
use crate::pool::{Bounds, Pool};
use crate::programs::{CacheCounts, Programs};
use crate::provision::{Description, Provided};
use crate::provisions::Provisions;
use crate::reaper::{Deadlines, reap};
use crate::record::{Custody, Record, lock};
use crate::run::Session;
use crate::session::{BrowserSession, Call, Work};
use crate::tombstones::Tombstones;
use crate::vars::Vars;

const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// All sessions of one process and the policy that keeps and ends them. Clones are handles to one table; with the last one
/// every session ends.
///
/// ```
/// use perennial_sessions::{RunRequest, SessionTable};
/// use std::time::Duration;
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

/// Dropped with the last clone of the table.
struct TableHandle {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: TableConfig,
    pub(crate) runtime: Handle,
    pub(crate) executor: Arc<Executor>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) programs: Arc<Programs>,
    /// What sessions have.
    pub(crate) provisions: Provisions,
    generation: RwLock<Generation>,
    /// By name; short names lie in the map itself, where looking one up costs no further cache miss.
    sessions: DashMap<CompactString, Arc<Record>>,
    deadlines: Arc<Deadlines>,
    sweeping: Mutex<()>,
    /// Set while `sweeping` is held and sessions may be neither in `deadlines` nor gone.
    is_sweeping: AtomicBool,
    tombstones: Mutex<Tombstones>,
    /// Of sessions that ended with their VM in flight: a successor waits for it.
    custodies: Mutex<HashMap<String, Weak<Custody>>>,
}

/// What sessions are made of whose callers bring no configuration.
#[derive(Clone)]
struct Generation {
    plugins: PluginSet,
    config: EngineConfig,
}

/// A session that is held: neither reaped nor replaced until this is dropped. `remove` and `clear` end it all the same; it then
/// answers `session_ended`.
pub struct Slot {
    pub(crate) shared: Arc<Shared>,
    pub(crate) record: Arc<Record>,
}

/// One line of [`SessionTable::sessions`].
#[derive(Clone, Debug, PartialEq)]
pub struct SessionInfo {
    /// The name.
    pub name: String,
    /// Runs completed.
    pub runs: u64,
    /// Whether a run or a callback is under way.
    pub running: bool,
    /// Whether the thread of its last run has not come back: until it does, runs are `busy`.
    pub stuck: bool,
    /// Whether callbacks that a run left behind may still run.
    pub background: bool,
    /// Since the last run ended.
    pub idle: Duration,
    /// Heap of the warm VM; `None` while there is none or it is running.
    pub heap_bytes: Option<usize>,
    /// Names in `vars`.
    pub vars: usize,
    /// Their size.
    pub vars_bytes: usize,
    /// Commands that run.
    pub commands: usize,
    /// What is kept of what they wrote.
    pub command_log_bytes: usize,
    /// What an embedder's own provisions say, by name.
    pub more: Map<String, Value>,
}

impl SessionTable {
    /// A table that keeps at most `max_vms` VMs warm and ends sessions unused for `idle_ttl`.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled: the table's tasks run on the one it is made in.
    pub fn new(max_vms: usize, idle_ttl: Duration) -> Self {
        Self::with_config(TableConfig { max_vms, idle_ttl, ..TableConfig::default() })
    }

    /// A table made step by step.
    pub fn builder() -> TableBuilder {
        TableBuilder::default()
    }

    /// The session of this name, which is made when it is first used.
    pub fn session(&self, name: impl Into<String>) -> Session {
        Session::new(self.clone(), name.into())
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
    /// If two of them bring the same name, of their own, of a global or of an op.
    ///
    /// # Panics
    /// As [`Self::new`].
    pub fn try_with_config(mut config: TableConfig) -> Result<Self, LibraryError> {
        // For ever, as far as anybody will see; the clock cannot count much further.
        config.idle_ttl = config.idle_ttl.min(FOR_EVER);
        config.hard_lifetime = config.hard_lifetime.map(|lifetime| lifetime.min(FOR_EVER));
        let runtime = Handle::current();
        let deadlines = Arc::new(Deadlines::default());
        let provisions = Provisions::of_table(&config).and(&config.provisions);
        let plugins = config.plugins.clone().unwrap_or_else(PluginSet::empty);
        let generation = Generation { config: config_of(&config.provisions, &provisions, &plugins)?, plugins };
        let shared = Arc::new(Shared {
            executor: Arc::new(Executor::new(config.executor.clone())),
            programs: Arc::default(),
            provisions,
            generation: RwLock::new(generation),
            runtime: runtime.clone(),
            pool: Arc::default(),
            sessions: DashMap::new(),
            deadlines: deadlines.clone(),
            sweeping: Mutex::default(),
            is_sweeping: AtomicBool::new(false),
            tombstones: Mutex::default(),
            custodies: Mutex::default(),
            config,
        });
        let clock = shared.config.clock.clone();
        runtime.spawn(reap(Arc::downgrade(&shared), deadlines, clock));
        Ok(Self { handle: Arc::new(TableHandle { shared }) })
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// The session of this name, made if there is none, and held until the slot is dropped. Waits for nothing.
    pub fn acquire(&self, name: &str) -> Slot {
        let shared = self.shared();
        Slot { shared: shared.clone(), record: shared.acquire(name) }
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
        let (shared, slot) = (self.shared(), self.acquire(name));
        slot.record.touch(shared.now());
        shared.provisions.session(&slot.record)
    }

    /// The same for what every table has.
    fn own<S: Provided>(&self, name: &str) -> Arc<S> {
        self.provided(name).expect("every table has it")
    }

    /// Runs a script on the session of this name: acquires, waits its turn, runs. Requests for one session run one at a time, in the
    /// order in which their futures were first polled.
    ///
    /// Dropping the future stops the script.
    pub async fn run(&self, name: &str, request: RunRequest) -> ScriptResult {
        self.run_with(name, request, RunContext::new()).await
    }

    /// As [`Self::run`], with what the call brings.
    pub async fn run_with(&self, name: &str, request: RunRequest, context: RunContext) -> ScriptResult {
        self.run_work(name, None, request, context).await
    }

    /// Runs a bundle on the session of this name. Of the request everything but the script counts.
    pub async fn run_bundle(
        &self,
        name: &str,
        bundle: &CompiledBundle,
        request: RunRequest,
        context: RunContext,
    ) -> ScriptResult {
        self.run_work(name, Some(bundle), request, context).await
    }

    async fn run_work(
        &self,
        name: &str,
        bundle: Option<&CompiledBundle>,
        request: RunRequest,
        context: RunContext,
    ) -> ScriptResult {
        let started = Instant::now();
        let mut options = self.shared().config.defaults.clone().with(&request.limits());
        options.name = request.name;
        options.atomic = request.atomic;
        options.changes = request.changes;
        let slot = self.acquire(name);
        let mut session = match &context.cancel {
            None => slot.lock().await,
            Some(cancel) => tokio::select! {
                biased;
                session = slot.lock() => session,
                () = cancel.cancelled() => {
                    let error = ScriptError::new(
                        perennial_protocol::ErrorKind::Cancelled,
                        "the run was cancelled while it waited for its turn; nothing ran",
                    );
                    return ScriptResult::refused(error);
                }
            },
        };
        let config = self.shared().generation().config;
        let call = Call {
            config,
            work: bundle.map_or_else(|| Work::Cell(request.script.into()), Work::Bundle),
            args: request.args,
            options,
            context,
            epoch: request.epoch,
        };
        session.run_since(started, call).await
    }

    /// Ends a session: stops what it runs, drops its VM and its vars. `false` if there was none. A run under way ends as
    /// `cancelled`.
    pub fn remove(&self, name: &str) -> bool {
        let shared = self.shared();
        shared.sweep();
        shared.end_if(name, EndReason::Removed, |_| true)
    }

    /// Ends all sessions.
    pub fn clear(&self) {
        self.shared().clear(EndReason::Cleared);
    }

    /// Drops the VM of a session and keeps its vars; waits for a run under way. `false` if there was no such session.
    pub async fn reset(&self, name: &str) -> bool {
        let shared = self.shared();
        shared.sweep();
        let Some(slot) = shared.find(name) else { return false };
        slot.lock().await.reset().await;
        true
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        let shared = self.shared();
        shared.sweep();
        shared.sessions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// VMs that are warm, running or being built.
    pub fn live_vm_count(&self) -> usize {
        self.shared().pool.live()
    }

    /// All sessions, by name.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        let shared = self.shared();
        shared.sweep();
        let now = shared.now();
        let records: Vec<_> = shared.sessions.iter().map(|entry| entry.value().clone()).collect();
        let mut all: Vec<_> = records.iter().map(|record| shared.describe(record, now)).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Gives the scripts other plugins: sessions get a new VM with their next run, which says `config`.
    pub fn set_plugins(&self, plugins: &PluginSet) {
        self.replace_plugins(None, plugins);
    }

    /// Loads the plugins again from where they came. Returns what there is now, failures included.
    pub async fn reload_plugins(&self) -> PluginSet {
        loop {
            let before = self.plugins();
            let plugins = before.reload().await;
            // Somebody may have given others meanwhile, which are then to be loaded again.
            if self.replace_plugins(Some(&before), &plugins) {
                return plugins;
            }
        }
    }

    /// `false` if there are others than those expected.
    fn replace_plugins(&self, expected: Option<&PluginSet>, plugins: &PluginSet) -> bool {
        let shared = self.shared();
        let (own, plugins) = (&shared.config.provisions, plugins.clone());
        // Plugins bring no names of globals or ops, and the rest was looked at when the table was made.
        let config = config_of(own, &shared.provisions, &plugins).expect("names are of one provision each");
        let mut generation = shared.generation.write().unwrap_or_else(PoisonError::into_inner);
        if expected.is_some_and(|expected| generation.plugins != *expected) {
            return false;
        }
        *generation = Generation { plugins, config };
        true
    }

    /// The plugins of scripts whose callers bring no configuration.
    pub fn plugins(&self) -> PluginSet {
        self.shared().generation().plugins
    }

    /// What the VMs of this table are made of, for [`BrowserSession::run`] on a session of it.
    pub fn engine_config(&self) -> EngineConfig {
        self.shared().generation().config
    }

    /// The limits of runs that say nothing else.
    pub fn defaults(&self) -> &RunOptions {
        &self.shared().config.defaults
    }

    /// How often a cell was found ready to run, and how often it had to be parsed.
    pub fn cell_cache(&self) -> CacheCounts {
        self.shared().programs.counts()
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
            .field("sessions", &self.shared().sessions.len())
            .field("live_vms", &self.live_vm_count())
            .finish_non_exhaustive()
    }
}

impl Drop for TableHandle {
    fn drop(&mut self) {
        self.shared.deadlines.closed.cancel();
        self.shared.clear(EndReason::TableDropped);
    }
}

impl Slot {
    /// Waits for the execution guard of the session: whoever holds it runs, everybody else waits, in order.
    pub async fn lock(&self) -> BrowserSession {
        let state = self.record.exec.clone().lock_owned().await;
        self.record.pin();
        let slot = Self { shared: self.shared.clone(), record: self.record.clone() };
        BrowserSession::new(slot, state)
    }

    /// The session's name.
    pub fn name(&self) -> &str {
        &self.record.name
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.record.unpin() && !self.record.is_queued() && self.record.end_reason().is_none() {
            // The reaper passed it over while it was held.
            self.shared.queue(&self.record);
        }
    }
}

impl Shared {
    pub(crate) fn now(&self) -> Instant {
        self.config.clock.now()
    }

    fn generation(&self) -> Generation {
        self.generation.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { max_vms: self.config.max_vms, memory: self.config.memory_budget }
    }

    fn find(self: &Arc<Self>, name: &str) -> Option<Slot> {
        let entry = self.sessions.get(name)?;
        entry.pin();
        Some(Slot { shared: self.clone(), record: entry.value().clone() })
    }

    /// The record of this name, pinned.
    fn acquire(&self, name: &str) -> Arc<Record> {
        self.sweep();
        if self.deadlines.closed.is_cancelled() {
            // The table is gone; a session that has ended before it began says so.
            let record = self.make(name);
            record.pin();
            record.mark_ended(EndReason::TableDropped);
            return record;
        }
        if let Some(entry) = self.sessions.get(name) {
            entry.pin();
            return entry.value().clone();
        }
        let record = match self.sessions.entry(name.into()) {
            Entry::Occupied(entry) => {
                entry.get().pin();
                return entry.get().clone();
            }
            Entry::Vacant(entry) => {
                let record = self.make(name);
                record.pin();
                entry.insert(record.clone());
                record
            }
        };
        self.queue(&record);
        record
    }

    fn make(&self, name: &str) -> Arc<Record> {
        let now = self.now();
        let replaces = lock(&self.tombstones).take(name, now);
        let custody = lock(&self.custodies).remove(name).and_then(|custody| custody.upgrade());
        Record::new(name, now, replaces, custody.unwrap_or_else(Custody::new))
    }

    /// When a session that is left alone ends, and why.
    fn expiry(&self, record: &Record) -> (Instant, EndReason) {
        let idle_since = if self.provisions.keep(record) { self.now() } else { record.idle_since() };
        let idle = idle_since + self.config.idle_ttl;
        match self.config.hard_lifetime.map(|lifetime| record.created + lifetime) {
            Some(hard) if hard < idle => (hard, EndReason::Lifetime),
            _ => (idle, EndReason::Idle),
        }
    }

    /// Whether the session has outlived its hard lifetime.
    pub(crate) fn has_outlived(&self, record: &Record) -> bool {
        self.config.hard_lifetime.is_some_and(|lifetime| self.now() >= record.created + lifetime)
    }

    fn queue(&self, record: &Arc<Record>) {
        let (at, _) = self.expiry(record);
        self.deadlines.add(record, at);
    }

    /// Ends every session whose time has come.
    pub(crate) fn sweep(&self) {
        let now = self.now();
        if !self.deadlines.is_due(now) && !self.is_sweeping.load(Ordering::Acquire) {
            return;
        }
        // Whoever comes while another sweeps waits: what has expired is gone for both.
        let _sweeping = lock(&self.sweeping);
        self.is_sweeping.store(true, Ordering::Release);
        let mut swept = 0;
        while let Some(record) = self.deadlines.take_due(now) {
            let (at, reason) = self.expiry(&record);
            if at > now {
                self.deadlines.add(&record, at);
                continue;
            }
            // Pinned records come back when they are let go. It ended when its time had come, however late this look at it is.
            let over = |known: &Arc<Record>| Arc::ptr_eq(known, &record) && !record.is_pinned();
            swept += usize::from(self.end_if_at(&record.name, reason, at, over));
        }
        self.is_sweeping.store(false, Ordering::Release);
        if swept > 0 {
            self.shrink();
        }
    }

    /// Ends the session of this name if there is one and `condition` holds. `false` if not.
    fn end_if(&self, name: &str, reason: EndReason, condition: impl FnOnce(&Arc<Record>) -> bool) -> bool {
        self.end_if_at(name, reason, self.now(), condition)
    }

    /// One step for whoever looks the name up: the session is in the map, or it has ended and its successor knows of it.
    fn end_if_at(
        &self,
        name: &str,
        reason: EndReason,
        at: Instant,
        condition: impl FnOnce(&Arc<Record>) -> bool,
    ) -> bool {
        let ended = self.sessions.remove_if(name, |_, record| {
            let end = condition(record);
            if end && record.mark_ended(reason) {
                lock(&self.tombstones).add(record.name.clone(), reason, at);
                if record.is_running() {
                    let mut custodies = lock(&self.custodies);
                    if custodies.len() > 64 {
                        custodies.retain(|_, custody| custody.strong_count() > 0);
                    }
                    custodies.insert(record.name.clone(), Arc::downgrade(&record.custody));
                }
            }
            end
        });
        let Some((_, record)) = ended else { return false };
        // Not while the map is locked.
        self.provisions.end(&record, reason);
        if record.is_queued() {
            self.deadlines.count_ended();
        }
        self.drop_warm(&record);
        true
    }

    /// Ends a session from within, if it has not ended yet.
    pub(crate) fn end_from_within(&self, record: &Arc<Record>, reason: EndReason) {
        self.end_if(&record.name, reason, |known| Arc::ptr_eq(known, record));
    }

    /// Drops the idle VM of a session, if it has one.
    pub(crate) fn drop_warm(&self, record: &Record) {
        let stamp = record.warm.swap(0, Ordering::AcqRel);
        if let Some(vm) = self.pool.remove(stamp) {
            self.discard_all(vec![vm]);
        }
    }

    pub(crate) fn discard_all(&self, vms: Vec<Vm>) {
        for vm in vms {
            perennial_engine::discard(&self.executor, vm, Box::new(()));
        }
    }

    fn clear(&self, reason: EndReason) {
        let names: Vec<CompactString> = self.sessions.iter().map(|entry| entry.key().clone()).collect();
        for name in names {
            self.end_if(&name, reason, |_| true);
        }
        self.shrink();
    }

    /// Lets the map give back what a spike made it take.
    fn shrink(&self) {
        let (length, capacity) = (self.sessions.len(), self.sessions.capacity());
        if capacity > 1024 && length < capacity / 4 {
            self.sessions.shrink_to_fit();
        }
    }

    fn describe(&self, record: &Record, now: Instant) -> SessionInfo {
        let Description { vars, vars_bytes, commands, command_log_bytes, more, .. } = self.provisions.describe(record);
        SessionInfo {
            name: record.name.clone(),
            runs: record.runs.load(Ordering::Relaxed),
            running: record.is_running(),
            stuck: record.custody.thread_out().is_some(),
            background: record.background.load(Ordering::Acquire),
            idle: now.saturating_duration_since(record.idle_since()),
            heap_bytes: self.pool.heap_bytes(record.warm.load(Ordering::Acquire)),
            vars,
            vars_bytes,
            commands,
            command_log_bytes,
            more,
        }
    }
}
