//! What a session has, seen by everything else: the table, its runs and its listings know provisions and none by name.
//!
//! Confusable: a [`Provision`] is the kind of thing, one for a table; a [`Provided`] is what one session has of it; an [`InRun`] is what one run holds of
//! that.

use std::any::{Any, TypeId};
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use perennial_engine::{Extensions, RunOptions};
use perennial_protocol::{EndReason, ScriptError, ScriptResult};
use serde_json::{Map, Value};

use crate::durable::{Changes, Restorer, Snapshot, Whole};
use crate::epochs::Epochs;
use crate::key::SessionKey;
use crate::library::Library;

/// A future of its own.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A kind of thing that the sessions of a table have: values, files, a network, a service of an embedder's.
///
/// `examples/own_provision.rs` is one in a single file.
pub trait Provision: Send + Sync + 'static {
    /// What one session has of it. `()` where that is nothing: a policy, a handle that calls lend.
    type Session: Provided;

    /// What it is called in usage and listings. No two of a table have the same.
    fn name(&self) -> &'static str;

    /// Says what scripts find of it, and what plugins may ask for. Called for each library that is assembled: when the table is made, when its plugins are
    /// loaded again, and to find out what plugins may ask for.
    fn declare(&self, library: &mut Library);

    /// Whether sessions keep something of it that [`Provided::snapshot`] tells. Where it is false, nobody asks, and a checkpoint opens nothing.
    const IS_DURABLE: bool = false;

    /// What a session has of it, when somebody first asks. Where the session is a fork, `stored` is what [`Provided::fork`] has given of the one that
    /// it was forked from. Waits for nothing, and calls nothing of the table.
    fn open(&self, session: &SessionKey, stored: Option<&Snapshot>) -> Self::Session;

    /// Whether a run may begin with what it was given. Nothing of the session has changed yet, and nothing may be changed that its scripts would notice
    /// if another provision refuses.
    ///
    /// # Errors
    /// What the run is answered with.
    fn admit(&self, session: Own<'_, Self::Session>, run: &RunScope<'_>) -> Result<(), ScriptError> {
        let _ = (session, run);
        Ok(())
    }

    /// A run begins: gives its ops what they find, with [`RunScope::provide`] and [`RunScope::lend`]. Where something is to be done when the run has
    /// ended, or is given up, that is what is returned.
    fn begin(&self, session: Own<'_, Self::Session>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        let _ = (session, run);
        None
    }
}

/// What one session has of a provision. It is dropped when nobody has it any more, and told before that the session has ended.
///
/// All of this is called while the table waits: it answers from memory, calls nothing of the table, and a panic counts
/// as no answer.
pub trait Provided: Any + Send + Sync {
    /// What it keeps the table from doing.
    fn holds(&self) -> Holds {
        Holds::default()
    }

    /// A run that has begun is over: says what is in use.
    fn report(&self, ended: &mut Ended<'_>) {
        let _ = ended;
    }

    /// Says what is in use, for listings.
    fn describe(&self, description: &mut Description) {
        let _ = description;
    }

    /// The durable part as it is: what a checkpoint keeps. Costs the same whatever its size. Who keeps it is not known here, nor for how long, so that
    /// what it may take in memory is to be bounded here.
    fn snapshot(&self) -> Option<Snapshot> {
        None
    }

    /// Makes the durable part what it was. See [`Restorer`] for what becomes of a run that is under way.
    ///
    /// # Errors
    /// A clause that says why it cannot be; then nothing has changed.
    fn restore(&self, snapshot: &Snapshot, by: Restorer) -> Result<(), String> {
        let _ = (snapshot, by);
        Ok(())
    }

    /// What a fork of the session begins with, which [`Provision::open`] gets. `None`: with nothing.
    fn fork(&self) -> Option<Snapshot> {
        None
    }

    /// Says what differs between two snapshots.
    fn changes(&self, from: &Snapshot, to: &Snapshot, changes: &mut Changes<'_>) {
        let _ = (from, to, changes);
    }

    /// The session has ended: stops what it started, and starts nothing more. May be called more than once, and before a run has settled that is under
    /// way.
    fn end(&self, why: EndReason) {
        let _ = why;
    }

    /// Completes when nothing of it is left outside of this program's memory: processes, files, connections. Asked after [`Self::end`], when no run is under
    /// way. Dropping it changes nothing.
    fn gone(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl Provided for () {}

impl Holds {
    /// The session does not end by being idle.
    pub fn expiry() -> Self {
        Self { expiry: true }
    }
}

/// What one run holds of a provision.
///
/// If the run's caller gives up, it is dropped instead of settled: then it undoes what is to be undone. The VM may still be calling ops at that moment, so
/// what they may do has to be refused by then.
pub trait InRun: Send {
    /// The run is over: says what it did.
    fn settle(self: Box<Self>, ended: &mut Ended<'_>);
}

/// What a session's state keeps the table from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holds {
    /// The session counts as used and does not end by being idle.
    pub expiry: bool,
}

/// A run that is over: how it ended, and what provisions have to say of it in its result.
#[derive(Debug)]
pub struct Ended<'a> {
    pub(crate) result: &'a mut ScriptResult,
    pub(crate) has_begun: bool,
    pub(crate) atomic: bool,
    /// Of the provision that says something now.
    pub(crate) name: &'static str,
}

impl Ended<'_> {
    /// Whether a script ran at all; otherwise nothing may have changed.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Whether it returned.
    pub fn is_ok(&self) -> bool {
        self.error().is_none()
    }

    /// Why it did not return.
    pub fn error(&self) -> Option<&ScriptError> {
        self.result.error.as_deref()
    }

    /// Whether what it did is to be undone.
    pub fn is_undone(&self) -> bool {
        self.has_begun && self.atomic && !self.is_ok()
    }

    /// Says what the run or its session uses, as `usage.more` of the result has it under the provision's name. What goes beyond 16 KiB of JSON for all
    /// provisions together is left out, and the result's `cut` says so.
    pub fn usage(&mut self, value: impl Into<Value>) {
        self.result.usage.more.insert(self.name.to_owned(), value.into());
    }
}

/// What provisions say of a session in listings.
#[derive(Debug, Default)]
pub struct Description {
    pub(crate) name: &'static str,
    pub(crate) vars: usize,
    pub(crate) vars_bytes: usize,
    pub(crate) commands: usize,
    pub(crate) command_log_bytes: usize,
    pub(crate) more: Map<String, Value>,
}

impl Description {
    /// What there is, as [`crate::SessionInfo::more`] has it under the provision's name.
    pub fn more(&mut self, value: impl Into<Value>) {
        self.more.insert(self.name.to_owned(), value.into());
    }
}

/// What one session has, by the provision's place in the list. Made when the first is opened.
pub(crate) type Slots = OnceLock<Box<[OnceLock<Arc<dyn Provided>>]>>;

/// All that one session has, for its provisions.
pub(crate) trait Has: Sync {
    fn key(&self) -> &SessionKey;
    /// What is durable of it, for later.
    fn whole(&self) -> Arc<dyn Whole>;
    /// What it has of the provision in this place, opened if need be.
    fn at(&self, index: usize) -> Arc<dyn Provided>;
    /// Likewise of the first that has something of this type.
    fn of(&self, kind: TypeId) -> Option<Arc<dyn Provided>>;
}

/// What the session has of the provision that is asked: opened when it is first needed.
pub struct Own<'a, S> {
    pub(crate) has: &'a dyn Has,
    pub(crate) index: usize,
    pub(crate) kind: PhantomData<S>,
}

impl<S: Provided> Own<'_, S> {
    /// Opens it, or finds it.
    pub fn get(&self) -> Arc<S> {
        let any: Arc<dyn Any + Send + Sync> = self.has.at(self.index);
        any.downcast().unwrap_or_else(|_| unreachable!("a slot has what its provision opens"))
    }
}

/// A run that is about to begin.
pub struct RunScope<'a> {
    pub(crate) has: &'a dyn Has,
    pub(crate) options: &'a RunOptions,
    pub(crate) grants: Extensions,
    pub(crate) loans: Extensions,
    pub(crate) epochs: Epochs,
    /// Of the provision that is asked now.
    pub(crate) name: &'static str,
}

impl RunScope<'_> {
    /// Whose run it is.
    pub fn session(&self) -> &SessionKey {
        self.has.key()
    }

    /// What is durable of all that the session has, for later.
    pub(crate) fn whole(&self) -> Arc<dyn Whole> {
        self.has.whole()
    }

    /// The limits of the run.
    pub fn options(&self) -> &RunOptions {
        self.options
    }

    /// What the call grants, or a provision provides.
    pub fn grant<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.grants.get()
    }

    /// What the call lends.
    pub fn loan<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.loans.get()
    }

    /// What the session has of another provision, if the table has one of this type.
    pub fn of<S: Provided>(&self) -> Option<Arc<S>> {
        let any: Arc<dyn Any + Send + Sync> = self.has.of(TypeId::of::<S>())?;
        any.downcast().ok()
    }

    /// Lets ops find a value by its type (`context.extensions`), in this run and, until the next one, in its callbacks. It takes the place of what the
    /// call grants of this type.
    pub fn provide<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.grants = std::mem::take(&mut self.grants).with_shared(value);
    }

    /// The same, unless the call grants another one.
    pub fn provide_default<T: Send + Sync + 'static>(&mut self, value: &Arc<T>) {
        if self.grants.get::<T>().is_none() {
            self.provide(value.clone());
        }
    }

    /// Says of which generation the outside resource is that the run gets. A VM that has seen another one of this provision's is rebuilt; one that has seen
    /// none is kept.
    pub fn epoch(&mut self, epoch: u64) {
        self.epochs.add(self.name, epoch);
    }

    /// Lets ops find a value by its type (`context.lent`) until the run has ended.
    pub fn lend<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.loans = std::mem::take(&mut self.loans).with_shared(value);
    }
}
