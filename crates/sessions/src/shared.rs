//! What a table and all that belongs to it share, and how sessions end.

use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant, SystemTime};

use perennial_engine::{ConfigOrigin, Executor, Vm};
use perennial_protocol::{EndReason, ErrorKind, ScriptError};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::cells::CellCache;
use crate::checkpoints::CheckpointError;
use crate::clock::Clock;
use crate::config::TableConfig;
use crate::durable::DurableError;
use crate::generation::Generation;
use crate::info::SessionInfo;
#[cfg(feature = "modules")]
use crate::library::LibraryError;
use crate::lock::lock;
#[cfg(feature = "modules")]
use crate::plugins::PluginSet;
use crate::pool::{Bounds, Pool};
use crate::provision::Description;
use crate::provisions::Provisions;
use crate::reaper::Deadlines;
use crate::record::Record;
use crate::registry::{OwnerState, Owners};

pub(crate) struct Shared {
    /// Whose configurations are this table's.
    pub(crate) origin: ConfigOrigin,
    pub(crate) config: TableConfig,
    pub(crate) runtime: Handle,
    pub(crate) executor: Arc<Executor>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) cells: Arc<CellCache>,
    /// What sessions have.
    pub(crate) provisions: Arc<Provisions>,
    pub(crate) generation: watch::Sender<Generation>,
    #[cfg(feature = "modules")]
    reloading: tokio::sync::Mutex<()>,
    pub(crate) owners: Owners,
    pub(crate) deadlines: Arc<Deadlines>,
    sweeping: Mutex<()>,
    /// Set while `sweeping` is held and sessions may be neither in `deadlines` nor gone.
    is_sweeping: AtomicBool,
}

/// How long what a session has may take to go, when its runs are over.
const GONE: Duration = Duration::from_secs(10);

/// Dropped with the last handle to a table: then every session ends.
pub(crate) struct TableHandle {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for TableHandle {
    fn drop(&mut self) {
        self.shared.deadlines.closed.cancel();
        self.shared.clear_all(EndReason::TableDropped);
    }
}

/// A record that is neither reaped nor replaced while this is held.
pub(crate) struct Pinned {
    pub(crate) shared: Arc<Shared>,
    pub(crate) record: Arc<Record>,
}

impl Pinned {
    /// Another pin on the same record.
    pub(crate) fn again(&self) -> Self {
        self.record.pin();
        Self { shared: self.shared.clone(), record: self.record.clone() }
    }

    /// An error if the session may not be.
    pub(crate) fn check(&self) -> Result<(), ScriptError> {
        self.record.refused.clone().map_or(Ok(()), Err)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if self.record.unpin() && !self.record.is_queued() && self.record.end_reason().is_none() {
            // The reaper passed it over while it was held.
            self.shared.queue(&self.record);
        }
    }
}

impl Shared {
    pub(crate) fn new(
        origin: ConfigOrigin,
        config: TableConfig,
        runtime: Handle,
        provisions: Provisions,
        generation: Generation,
    ) -> Arc<Self> {
        Arc::new(Self {
            origin,
            executor: Arc::new(Executor::new(config.executor.clone())),
            cells: Arc::default(),
            provisions: Arc::new(provisions),
            generation: watch::Sender::new(generation),
            #[cfg(feature = "modules")]
            reloading: tokio::sync::Mutex::default(),
            runtime,
            pool: Arc::default(),
            owners: Owners::new(config.owner_limits),
            deadlines: Arc::default(),
            sweeping: Mutex::default(),
            is_sweeping: AtomicBool::new(false),
            config,
        })
    }

    pub(crate) fn now(&self) -> Instant {
        self.config.clock.now()
    }

    /// The time of day at an earlier moment.
    fn wall(&self, at: Instant) -> SystemTime {
        let wall = self.config.clock.wall();
        wall.checked_sub(self.now().saturating_duration_since(at)).unwrap_or(wall)
    }

    pub(crate) fn generation(&self) -> Generation {
        self.generation.borrow().clone()
    }

    /// Replaces the generation. `false` if its plugins are others than those expected.
    #[cfg(feature = "modules")]
    pub(crate) fn set_generation(&self, expected: Option<&PluginSet>, generation: Generation) -> bool {
        self.generation.send_if_modified(|current| {
            let is_expected = expected.is_none_or(|expected| current.plugins == *expected);
            if is_expected {
                *current = generation;
            }
            is_expected
        })
    }

    /// `false` if there are others than those expected.
    #[cfg(feature = "modules")]
    pub(crate) fn replace_plugins(
        &self,
        expected: Option<&PluginSet>,
        plugins: &PluginSet,
    ) -> Result<bool, LibraryError> {
        if *plugins == self.generation().plugins {
            return Ok(true);
        }
        let generation = Generation::new(&self.origin, &self.provisions, plugins.clone())?;
        Ok(self.set_generation(expected, generation))
    }

    /// Loads the plugins again from where they came.
    #[cfg(feature = "modules")]
    pub(crate) async fn reload_plugins(&self) -> Result<PluginSet, LibraryError> {
        // One after the other, or each would undo what the others have loaded.
        let _one = self.reloading.lock().await;
        loop {
            let before = self.generation().plugins;
            let plugins = before.reload().await;
            // Somebody may have given others meanwhile, which are then to be loaded again.
            if self.replace_plugins(Some(&before), &plugins)? {
                return Ok(plugins);
            }
        }
    }

    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { max_vms: self.config.max_vms, memory: self.config.memory_budget }
    }

    pub(crate) fn find(self: &Arc<Self>, owner: &OwnerState, name: &str) -> Option<Pinned> {
        self.sweep();
        Some(Pinned { shared: self.clone(), record: owner.find(name)? })
    }

    pub(crate) fn acquire(self: &Arc<Self>, owner: &OwnerState, name: &str) -> Pinned {
        self.sweep();
        let record = if self.deadlines.closed.is_cancelled() {
            // The table is gone; a session that has ended before it began says so.
            owner.outside(name, self.now(), None)
        } else {
            let (record, is_new) = owner.acquire(name, &|| self.now());
            if is_new {
                self.begin(&record);
            }
            record
        };
        Pinned { shared: self.clone(), record }
    }

    /// A session that was made just now.
    fn begin(&self, record: &Arc<Record>) {
        self.queue(record);
        // Either who closes the table finds it, or this sees that.
        fence(Ordering::SeqCst);
        if self.deadlines.closed.is_cancelled() {
            self.end_from_within(record, EndReason::TableDropped);
        }
    }

    /// Makes a session that begins with what is durable of another.
    pub(crate) fn fork(self: &Arc<Self>, origin: &Arc<Record>, name: &str) -> Result<(), ScriptError> {
        self.sweep();
        let ended = || ScriptError::from(CheckpointError::from(DurableError::Ended));
        let owner = self.owners.find(origin.key.owner()).ok_or_else(ended)?;
        let slots = self.provisions.fork(origin, &owner.key(name)).map_err(CheckpointError::from)?;
        if origin.end_reason().is_some() || self.deadlines.closed.is_cancelled() {
            self.provisions.end_slots(&slots);
            return Err(ended());
        }
        let record = owner.make(name, self.now(), slots).map_err(|(error, slots)| {
            self.provisions.end_slots(&slots);
            error
        })?;
        let fork = Pinned { shared: self.clone(), record };
        self.begin(&fork.record);
        Ok(())
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
        let mut swept = Vec::new();
        while let Some(record) = self.deadlines.take_due(now) {
            let (at, reason) = self.expiry(&record);
            if at > now {
                self.deadlines.add(&record, at);
                continue;
            }
            // Pinned records come back when they are let go. It ended when its time had come, however late this look at it is.
            let over = |known: &Arc<Record>| Arc::ptr_eq(known, &record) && !record.is_pinned();
            let Some(owner) = self.owners.find(record.key.owner()) else { continue };
            if self.end_if_at(&owner, record.key.name(), reason, at, over).is_some()
                && !swept.iter().any(|known| Arc::ptr_eq(known, &owner))
            {
                swept.push(owner);
            }
        }
        self.is_sweeping.store(false, Ordering::Release);
        swept.iter().for_each(|owner| owner.shrink());
    }

    /// Ends the session of this name if there is one and `condition` holds.
    pub(crate) fn end_if(
        &self,
        owner: &OwnerState,
        name: &str,
        reason: EndReason,
        condition: impl FnOnce(&Arc<Record>) -> bool,
    ) -> Option<Arc<Record>> {
        self.end_if_at(owner, name, reason, self.now(), condition)
    }

    fn end_if_at(
        &self,
        owner: &OwnerState,
        name: &str,
        reason: EndReason,
        at: Instant,
        condition: impl FnOnce(&Arc<Record>) -> bool,
    ) -> Option<Arc<Record>> {
        let record = owner.end_if(name, reason, (at, self.wall(at)), condition)?;
        // Not while the map is locked.
        self.provisions.end(&record, reason);
        if record.is_queued() {
            self.deadlines.count_ended();
        }
        self.drop_warm(&record);
        Some(record)
    }

    /// Waits until nothing is left of a session that has ended.
    pub(crate) async fn is_gone(&self, record: &Record) -> Result<(), ScriptError> {
        fence(Ordering::SeqCst);
        let last = record.flight.load(Ordering::Acquire);
        let is_stuck = || {
            let message = format!(
                "the session {:?} has ended, and something of it is still there: what its last run called cannot be stopped",
                record.key.name()
            );
            ScriptError::new(ErrorKind::Busy, message)
        };
        tokio::select! {
            biased;
            () = record.custody.is_returned(last) => {}
            () = record.custody.is_stuck() => return Err(is_stuck()),
        }
        let left = futures_util::future::join_all(self.provisions.gone(record));
        tokio::time::timeout(GONE, left).await.map(drop).map_err(|_| is_stuck())
    }

    /// Ends a session from within, if it has not ended yet.
    pub(crate) fn end_from_within(&self, record: &Arc<Record>, reason: EndReason) {
        if let Some(owner) = self.owners.find(record.key.owner()) {
            self.end_if(&owner, record.key.name(), reason, |known| Arc::ptr_eq(known, record));
        }
    }

    /// Ends all sessions of an owner.
    pub(crate) fn clear(&self, owner: &OwnerState, reason: EndReason) {
        for record in owner.records() {
            self.end_from_within(&record, reason);
        }
        owner.shrink();
    }

    /// Ends all sessions and makes no more; waits until nothing is left of them.
    pub(crate) async fn shut_down(&self) -> Result<(), ScriptError> {
        self.deadlines.closed.cancel();
        fence(Ordering::SeqCst);
        let records: Vec<_> = self.owners.all().iter().flat_map(|owner| owner.records()).collect();
        self.clear_all(EndReason::TableDropped);
        let gone = futures_util::future::join_all(records.iter().map(|record| self.is_gone(record))).await;
        gone.into_iter().collect()
    }

    /// Ends all sessions.
    pub(crate) fn clear_all(&self, reason: EndReason) {
        self.owners.all().iter().for_each(|owner| self.clear(owner, reason));
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

    fn describe(&self, record: &Record, now: Instant) -> SessionInfo {
        let Description { vars, vars_bytes, commands, command_log_bytes, more, .. } = self.provisions.describe(record);
        SessionInfo {
            owner: record.key.owner().to_owned(),
            name: record.key.name().to_owned(),
            created: self.wall(record.created),
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

    /// What there is to tell of the sessions of these owners, by name.
    pub(crate) fn list(&self, owners: &[Arc<OwnerState>]) -> Vec<SessionInfo> {
        self.sweep();
        let now = self.now();
        let records = owners.iter().flat_map(|owner| owner.records());
        let mut all: Vec<_> = records.map(|record| self.describe(&record, now)).collect();
        all.sort_by(|a, b| (&a.owner, &a.name).cmp(&(&b.owner, &b.name)));
        all
    }
}

/// Ends sessions when their time has come, until the table is gone.
pub(crate) async fn reap(shared: Weak<Shared>, deadlines: Arc<Deadlines>, clock: Arc<dyn Clock>) {
    loop {
        let sleep = async {
            match deadlines.next() {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = deadlines.closed.cancelled() => return,
            () = deadlines.changed.notified() => {}
            () = sleep => {}
        }
        let Some(shared) = shared.upgrade() else { return };
        shared.sweep();
    }
}
