//! The list of what sessions have, and what each of them has of it.

mod artifacts;
#[cfg(feature = "browser")]
mod browser;
mod checkpoints;
#[cfg(feature = "commands")]
mod commands;
mod environment;
mod files;
#[cfg(feature = "modules")]
mod modules;
#[cfg(feature = "net")]
mod net;
mod show;
mod vars;

use std::any::{Any, TypeId};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, OnceLock, Weak};

use perennial_protocol::{EndReason, ScriptError, ScriptResult, StateChanges};
#[cfg(feature = "browser")]
use perennial_stdlib::browser::Browsers;
#[cfg(feature = "commands")]
use perennial_stdlib::commands::{CommandSet, ProcessLimits};
use perennial_stdlib::files::{FilesQuota, Mounts};
#[cfg(feature = "net")]
use perennial_stdlib::net::{NetPolicy, Network, Secrets};
use perennial_stdlib::node::Environment;

#[cfg(feature = "commands")]
pub(crate) use self::commands::Procs;
use crate::clock::{Clock, SystemClock};
use crate::custody::Permit;
use crate::durable::{Changes, DurableError, Parts, Restorer, Snapshot, Whole};
use crate::key::SessionKey;
use crate::library::Library;
#[cfg(feature = "modules")]
use crate::modules::ModuleAccess;
use crate::provision::{BoxFuture, Description, Ended, Has, InRun, Own, Provided, Provision, RunScope, Slots};
use crate::record::Record;
use crate::vars::VarsQuota;

/// What the sessions of a table have.
///
/// ```no_run
/// # use perennial_sessions::{Provision, Provisions, SessionTable, TableConfig};
/// # fn make(counter: impl Provision) -> SessionTable {
/// SessionTable::with_config(TableConfig::default().configure(|config| config.provisions = Provisions::new().with(counter)))
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Provisions {
    list: Vec<Listed>,
}

#[derive(Clone)]
struct Listed {
    kind: Arc<dyn Kind>,
    /// Which one it is among all that embedders have made; none for those of every table.
    number: Option<u64>,
}

/// What the provisions of every table are made of.
#[derive(Default)]
pub(crate) struct Standard {
    pub(crate) vars: VarsQuota,
    pub(crate) files: FilesQuota,
    pub(crate) mounts: Option<Mounts>,
    pub(crate) env: Environment,
    #[cfg(feature = "net")]
    pub(crate) net: Option<NetPolicy>,
    #[cfg(feature = "net")]
    pub(crate) secrets: Secrets,
    #[cfg(feature = "net")]
    pub(crate) network: Network,
    #[cfg(feature = "commands")]
    pub(crate) commands: CommandSet,
    #[cfg(feature = "commands")]
    pub(crate) process_limits: ProcessLimits,
    #[cfg(feature = "commands")]
    pub(crate) busy_with_commands: bool,
    #[cfg(feature = "modules")]
    pub(crate) modules: Option<ModuleAccess>,
    #[cfg(feature = "browser")]
    pub(crate) browsers: Option<Arc<dyn Browsers>>,
}

/// A session's record with the provisions of its table.
struct Of<'a> {
    provisions: &'a Arc<Provisions>,
    record: &'a Arc<Record>,
}

/// The same for as long as there is one.
struct OfLater {
    provisions: Arc<Provisions>,
    record: Weak<Record>,
}

impl OfLater {
    fn record(&self) -> Result<Arc<Record>, DurableError> {
        self.record.upgrade().filter(|record| record.end_reason().is_none()).ok_or(DurableError::Ended)
    }
}

impl Whole for OfLater {
    fn snapshot(&self) -> Result<Parts, DurableError> {
        self.provisions.parts(&*self.record()?, |provided| provided.snapshot())
    }

    fn restore(&self, parts: &Parts, by: Restorer) -> Result<(), DurableError> {
        self.provisions.restore(&*self.record()?, parts, by)
    }

    fn number(&self) -> Result<u64, DurableError> {
        Ok(self.record()?.numbers.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn changes(&self, from: &Parts, to: &Parts) -> Result<StateChanges, DurableError> {
        Ok(self.provisions.changes(&*self.record()?, from, to))
    }
}

impl Has for Of<'_> {
    fn key(&self) -> &SessionKey {
        &self.record.key
    }

    fn whole(&self) -> Arc<dyn Whole> {
        Arc::new(OfLater { provisions: self.provisions.clone(), record: Arc::downgrade(self.record) })
    }

    fn at(&self, index: usize) -> Arc<dyn Provided> {
        self.provisions.open(self.record, index)
    }

    fn of(&self, kind: TypeId) -> Option<Arc<dyn Provided>> {
        let index = self.provisions.list.iter().position(|listed| listed.kind.session_type() == kind)?;
        Some(self.at(index))
    }
}

/// A provision whose session's type is not known.
trait Kind: Send + Sync {
    fn name(&self) -> &'static str;
    fn session_type(&self) -> TypeId;
    fn declare(&self, library: &mut Library);
    fn is_durable(&self) -> bool;
    fn open(&self, session: &SessionKey, stored: Option<&Snapshot>) -> Arc<dyn Provided>;
    fn admit(&self, index: usize, run: &RunScope<'_>) -> Result<(), ScriptError>;
    fn begin(&self, index: usize, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>>;
}

impl<P: Provision> Kind for P {
    fn name(&self) -> &'static str {
        Provision::name(self)
    }

    fn session_type(&self) -> TypeId {
        TypeId::of::<P::Session>()
    }

    fn declare(&self, library: &mut Library) {
        Provision::declare(self, library);
    }

    fn is_durable(&self) -> bool {
        P::IS_DURABLE
    }

    fn open(&self, session: &SessionKey, stored: Option<&Snapshot>) -> Arc<dyn Provided> {
        Arc::new(Provision::open(self, session, stored))
    }

    fn admit(&self, index: usize, run: &RunScope<'_>) -> Result<(), ScriptError> {
        let own = Own { has: run.has, index, kind: PhantomData };
        Provision::admit(self, own, run)
    }

    fn begin(&self, index: usize, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        let own = Own { has: run.has, index, kind: PhantomData };
        Provision::begin(self, own, run)
    }
}

impl Provisions {
    /// None besides those of every table.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, provision: impl Provision) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let number = Some(NUMBERS.fetch_add(1, Ordering::Relaxed));
        self.list.push(Listed { kind: Arc::new(provision), number });
        self
    }

    fn standard(mut self, provision: impl Provision) -> Self {
        self.list.push(Listed { kind: Arc::new(provision), number: None });
        self
    }

    /// What plugins may ask for where there is no table yet.
    pub(crate) fn to_ask() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self::of_every_table(Standard::default(), &clock)
    }

    /// What every table has.
    pub(crate) fn of_every_table(of: Standard, clock: &Arc<dyn Clock>) -> Self {
        let all = Self::new()
            // First, so that it is the first whose part in a run is over: what is undone after it is not brought back by a script of that run.
            .standard(checkpoints::CheckpointsProvision::new(clock.clone()))
            .standard(vars::VarsProvision::new(of.vars))
            .standard(files::FilesProvision::new(of.files, of.mounts))
            .standard(artifacts::ArtifactsProvision)
            .standard(show::ShowProvision)
            .standard(environment::EnvironmentProvision::new(of.env));
        #[cfg(feature = "net")]
        let all = all.standard(net::NetProvision::new(of.net, of.secrets, of.network));
        #[cfg(feature = "commands")]
        let all = all.standard(commands::CommandsProvision::new(of.commands, of.process_limits, of.busy_with_commands));
        #[cfg(feature = "modules")]
        let all = all.standard(modules::ModulesProvision::new(of.modules));
        #[cfg(feature = "browser")]
        let all = all.standard(browser::BrowserProvision::new(of.browsers));
        all
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn and(mut self, more: &Self) -> Self {
        self.list.extend(more.list.iter().cloned());
        self
    }

    pub(crate) fn declare(&self, library: &mut Library) {
        for Listed { kind, number } in &self.list {
            library.begin(kind.name(), *number);
            kind.declare(library);
        }
    }

    /// A name that two of them have.
    pub(crate) fn twice(&self) -> Option<&'static str> {
        let names = || self.list.iter().map(|listed| listed.kind.name());
        names().enumerate().find_map(|(at, name)| names().take(at).any(|before| before == name).then_some(name))
    }

    pub(crate) fn open(&self, record: &Record, index: usize) -> Arc<dyn Provided> {
        let slots = record.provided.get_or_init(|| self.list.iter().map(|_| OnceLock::new()).collect());
        let provided = slots[index].get_or_init(|| self.list[index].kind.open(&record.key, None));
        // Either who ends the session sees what was opened, or this sees that it has ended.
        fence(Ordering::SeqCst);
        if let Some(why) = record.end_reason() {
            ended(self.list[index].kind.name(), provided, why);
        }
        provided.clone()
    }

    /// All that a session has.
    pub(crate) fn of<'a>(self: &'a Arc<Self>, record: &'a Arc<Record>) -> impl Has + 'a {
        Of { provisions: self, record }
    }

    /// What the session has of the provision with this type, opened if need be.
    pub(crate) fn session<S: Provided>(self: &Arc<Self>, record: &Arc<Record>) -> Option<Arc<S>> {
        let any: Arc<dyn Any + Send + Sync> = self.of(record).of(TypeId::of::<S>())?;
        any.downcast().ok()
    }

    /// What is open, with the names.
    fn opened<'a>(&'a self, record: &'a Record) -> impl Iterator<Item = (&'static str, &'a Arc<dyn Provided>)> {
        self.in_slots(&record.provided)
    }

    fn in_slots<'a>(&'a self, slots: &'a Slots) -> impl Iterator<Item = (&'static str, &'a Arc<dyn Provided>)> {
        let slots = slots.get().map(|slots| &**slots).unwrap_or_default();
        self.list.iter().zip(slots).filter_map(|(listed, slot)| Some((listed.kind.name(), slot.get()?)))
    }

    /// Whether something keeps the session from ending by being idle.
    pub(crate) fn keep(&self, record: &Record) -> bool {
        self.opened(record).any(|(name, provided)| caught(name, || provided.holds()).unwrap_or_default().expiry)
    }

    pub(crate) fn describe(&self, record: &Record) -> Description {
        let mut description = Description::default();
        for (name, provided) in self.opened(record) {
            description.name = name;
            caught(name, || provided.describe(&mut description));
        }
        description
    }

    /// Tells everything that is open, or is just being opened, that the session has ended.
    pub(crate) fn end(&self, record: &Record, why: EndReason) {
        fence(Ordering::SeqCst);
        self.opened(record).for_each(|(name, provided)| ended(name, provided, why));
    }

    /// What becomes of it when everything has ended.
    pub(crate) fn gone(&self, record: &Record) -> Vec<BoxFuture<'static, ()>> {
        self.opened(record).filter_map(|(name, provided)| caught(name, || provided.gone())).collect()
    }

    // ---- what is durable ----

    /// Asks everything durable, opened if need be, for something of it.
    fn parts(&self, record: &Record, part: impl Fn(&dyn Provided) -> Option<Snapshot>) -> Result<Parts, DurableError> {
        let part = |(index, Listed { kind, .. }): (usize, &Listed)| {
            let asked = || kind.is_durable().then(|| part(&*self.open(record, index))).flatten();
            caught(kind.name(), asked).ok_or(DurableError::Defect(kind.name()))
        };
        self.list.iter().enumerate().map(part).collect::<Result<_, _>>().map(Parts)
    }

    /// Makes everything durable what it was, or, with an error, leaves it as it is.
    fn restore(&self, record: &Record, parts: &Parts, by: Restorer) -> Result<(), DurableError> {
        let before = self.parts(record, |provided| provided.snapshot())?;
        let restore = |index: usize, parts: &Parts| {
            let (name, Some(part)) = (self.list[index].kind.name(), &parts.0[index]) else { return Ok(()) };
            match caught(name, || self.open(record, index).restore(part, by)) {
                Some(Ok(())) => Ok(()),
                Some(Err(why)) => Err(DurableError::Refused { of: name, why }),
                None => Err(DurableError::Defect(name)),
            }
        };
        for index in 0..self.list.len() {
            let Err(error) = restore(index, parts) else { continue };
            // Whoever panics may have changed something. What was a moment ago can be again.
            (0..=index).for_each(|index| _ = restore(index, &before));
            return Err(error);
        }
        Ok(())
    }

    /// What differs between two moments.
    fn changes(&self, record: &Record, from: &Parts, to: &Parts) -> StateChanges {
        let mut all = StateChanges::default();
        for (index, Listed { kind, .. }) in self.list.iter().enumerate() {
            let (Some(from), Some(to)) = (&from.0[index], &to.0[index]) else { continue };
            let mut changes = Changes { of: kind.name(), all: &mut all };
            caught(kind.name(), || self.open(record, index).changes(from, to, &mut changes));
        }
        all
    }

    /// What a fork of the session has.
    pub(crate) fn fork(&self, record: &Record, key: &SessionKey) -> Result<Slots, DurableError> {
        let parts = self.parts(record, |provided| provided.fork())?;
        let slots = Slots::new();
        let all = slots.get_or_init(|| self.list.iter().map(|_| OnceLock::new()).collect());
        for (index, part) in parts.0.iter().enumerate() {
            let (kind, Some(part)) = (&self.list[index].kind, part) else { continue };
            let Some(opened) = caught(kind.name(), || kind.open(key, Some(part))) else {
                self.end_slots(&slots);
                return Err(DurableError::Defect(kind.name()));
            };
            let _ = all[index].set(opened);
        }
        Ok(slots)
    }

    /// Of a session that never was.
    pub(crate) fn end_slots(&self, slots: &Slots) {
        self.in_slots(slots).for_each(|(name, provided)| ended(name, provided, EndReason::Removed));
    }

    pub(crate) fn admit(&self, run: &RunScope<'_>) -> Result<(), ScriptError> {
        self.list.iter().enumerate().try_for_each(|(index, Listed { kind, .. })| {
            caught(kind.name(), || kind.admit(index, run)).unwrap_or_else(|| Err(failed(kind.name())))
        })
    }

    /// Begins a run. The permit is let go when all is settled or undone.
    pub(crate) fn begin(
        &self,
        run: &mut RunScope<'_>,
        record: &Record,
        permit: Arc<Permit>,
    ) -> Result<InRuns, ScriptError> {
        let mut begun = InRuns { runs: Vec::new(), permit };
        for (index, Listed { kind, .. }) in self.list.iter().enumerate() {
            let name = kind.name();
            run.name = name;
            match caught(name, || kind.begin(index, run)) {
                Some(in_run) => begun.runs.extend(in_run.map(|in_run| (name, in_run))),
                None => {
                    let mut result = ScriptResult::refused(failed(name));
                    begun.settle(Ended { result: &mut result, has_begun: false, atomic: false, name }, self, record);
                    return Err(failed(name));
                }
            }
        }
        Ok(begun)
    }
}

/// Calls a provision, whose panic is its own.
fn caught<T>(name: &str, call: impl FnOnce() -> T) -> Option<T> {
    let called = catch_unwind(AssertUnwindSafe(call));
    if called.is_err() {
        tracing::error!(provision = name, "panicked");
    }
    called.ok()
}

fn ended(name: &str, provided: &Arc<dyn Provided>, why: EndReason) {
    caught(name, || provided.end(why));
}

fn failed(name: &str) -> ScriptError {
    ScriptError::internal(format!("{name} failed when the run began; this is a defect of the host, not of the script"))
}

impl std::fmt::Debug for Provisions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.list.iter().map(|listed| listed.kind.name())).finish()
    }
}

/// What a run holds of provisions. Dropped without having been settled, it undoes.
pub(crate) struct InRuns {
    runs: Vec<(&'static str, Box<dyn InRun>)>,
    /// Goes last: whoever comes next finds everything as it should be.
    #[expect(dead_code, reason = "held")]
    permit: Arc<Permit>,
}

impl InRuns {
    /// Settles everything, and asks what is in use if a script ran.
    pub(crate) fn settle(mut self, mut ended: Ended<'_>, provisions: &Provisions, record: &Record) {
        for (name, in_run) in self.runs.drain(..) {
            ended.name = name;
            caught(name, || in_run.settle(&mut ended));
        }
        if !ended.has_begun {
            return;
        }
        for (name, provided) in provisions.opened(record) {
            ended.name = name;
            caught(name, || provided.report(&mut ended));
        }
    }
}
