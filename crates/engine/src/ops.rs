use std::any::{Any, TypeId};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::budget::Budget;
use crate::inbox::{EventSender, Inbox};
use crate::op_value::{OpResult, OpValue};
use crate::resources::Resources;

/// What an async op returns.
pub type OpFuture = Pin<Box<dyn Future<Output = OpResult> + Send>>;

type Typed = (TypeId, Arc<dyn Any + Send + Sync>);

/// Values of the call that ops find by type: handles, capabilities, stores. Cheap to clone.
#[derive(Clone, Default)]
pub struct Extensions(Option<Arc<Vec<Typed>>>);

impl Extensions {
    /// The same with one more value; one of the same type is replaced.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.with_shared(Arc::new(value))
    }

    /// The same for a value that others hold too.
    #[must_use]
    pub fn with_shared<T: Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        let values = Arc::make_mut(self.0.get_or_insert_default());
        values.retain(|(known, _)| *known != TypeId::of::<T>());
        values.push((TypeId::of::<T>(), value));
        self
    }

    /// The value of this type, if the call brought one.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let (_, value) = self.0.as_ref()?.iter().find(|(known, _)| *known == TypeId::of::<T>())?;
        value.clone().downcast().ok()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|values| values.is_empty())
    }

    pub(crate) fn has(&self, kind: TypeId) -> bool {
        self.0.as_ref().is_some_and(|values| values.iter().any(|(known, _)| *known == kind))
    }
}

impl std::fmt::Debug for Extensions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Extensions({})", self.0.as_ref().map_or(0, |values| values.len()))
    }
}

/// What an op knows of the call it serves: that of the run it was called in or, between runs, of the last one. Cheap to clone: all ops of a run share it.
#[derive(Clone, Debug)]
pub struct OpContext(pub(crate) Arc<OpScope>);

impl std::ops::Deref for OpContext {
    type Target = OpScope;

    fn deref(&self) -> &OpScope {
        &self.0
    }
}

/// What an [`OpContext`] has.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OpScope {
    /// What the session lends for as long as it lives, and policies of the last run.
    pub extensions: Extensions,
    /// What the run lends: gone when the run has ended.
    pub lent: Extensions,
    /// For work on the VM's own thread.
    pub budget: Budget,
    /// What the VM holds outside its heap.
    pub resources: Resources,
    pub(crate) inbox: Arc<Inbox>,
    /// Which loans these are.
    pub(crate) loans: u64,
}

impl OpScope {
    /// What sends events to the listener of this number, which library code has got from `ops.listen(callback)`. It ends with the run, as what the run was
    /// lent does: events that have not been handled by then are gone. `None` if there is no such
    /// listener, if something sends to it already, or if the run is over.
    pub fn listener(&self, number: u32) -> Option<EventSender> {
        self.inbox.sender(number, Some(self.loans))
    }

    /// The same for a listener that stays until the last clone of the sender is dropped, library code calls `ops.unlisten(number)`, or the VM is gone: for
    /// what belongs to the session. `process.exit` ends those of its run.
    pub fn lasting_listener(&self, number: u32) -> Option<EventSender> {
        self.inbox.sender(number, None)
    }
}

/// What an op may be given, and so what it may take: its time and its memory are at most in proportion to the bytes of its arguments, unless it looks
/// at the [`Budget`] itself.
///
/// Arguments are what library code hands over: data properties of its own objects. Only what a script hands over as a *value* is asked for its `toJSON`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    pub(crate) bytes: usize,
    values_from: usize,
}

impl Bound {
    /// Names, numbers and settings: 64 KiB.
    pub const SMALL: Self = Self::bytes(64 << 10);
    /// A piece of data: 2 MiB.
    pub const PIECE: Self = Self::bytes(2 << 20);
    /// As much as may cross at a time: 64 MiB. Only for what is done with them at the speed of memory, or in steps that look at the budget.
    pub const DATA: Self = Self::bytes(64 << 20);

    /// Arguments of at most so many bytes together, counted as what they take in this process.
    pub const fn bytes(most: usize) -> Self {
        Self { bytes: most, values_from: usize::MAX }
    }

    /// The same for an op whose arguments from this index on are values of scripts, as `docs/values.md` says they cross.
    #[must_use]
    pub const fn with_values_from(self, index: usize) -> Self {
        Self { values_from: index, ..self }
    }

    pub(crate) fn is_value(self, index: usize) -> bool {
        index >= self.values_from
    }
}

type SyncOp = dyn Fn(&OpContext, Vec<OpValue>) -> OpResult + Send + Sync;
type AsyncOp = dyn Fn(OpContext, Vec<OpValue>) -> OpFuture + Send + Sync;

pub(crate) struct Op {
    pub(crate) name: String,
    pub(crate) bound: Bound,
    pub(crate) kind: OpKind,
}

pub(crate) enum OpKind {
    /// Runs inline on the VM's thread; must not block.
    Sync(Box<SyncOp>),
    /// Runs as a tokio task; JavaScript gets a promise.
    Async(Box<AsyncOp>),
}

/// The native functions that library code can call: the only way out of a VM.
///
/// ```
/// use perennial_engine::{Bound, OpTable, OpValue};
/// let ops = OpTable::new()
///     .sync("add", Bound::SMALL, |_, args| {
///         let sum: f64 = args.iter().filter_map(OpValue::as_f64).sum();
///         Ok(serde_json::json!(sum).into())
///     })
///     .asynchronous("later", Bound::DATA.with_values_from(0), |_, mut args| {
///         Box::pin(async move { Ok(args.pop().unwrap_or(OpValue::Undefined)) })
///     });
/// assert_eq!(ops.len(), 2);
/// ```
#[derive(Clone, Default)]
pub struct OpTable {
    pub(crate) ops: Vec<Arc<Op>>,
}

impl OpTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an op that runs inline and does not block. A panic in it becomes an `Error` in the script.
    #[must_use]
    pub fn sync(
        mut self,
        name: &str,
        bound: Bound,
        op: impl Fn(&OpContext, Vec<OpValue>) -> OpResult + Send + Sync + 'static,
    ) -> Self {
        self.ops.push(Arc::new(Op { name: name.to_owned(), bound, kind: OpKind::Sync(Box::new(op)) }));
        self
    }

    /// Adds an op that runs as a task. It is cancelled when its VM is stopped or dropped. Its arguments count against the run's memory limit until it
    /// has ended, and what it returns until the script has it.
    #[must_use]
    pub fn asynchronous(
        mut self,
        name: &str,
        bound: Bound,
        op: impl Fn(OpContext, Vec<OpValue>) -> OpFuture + Send + Sync + 'static,
    ) -> Self {
        self.ops.push(Arc::new(Op { name: name.to_owned(), bound, kind: OpKind::Async(Box::new(op)) }));
        self
    }

    /// This table and then the other; a later op of the same name wins.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.ops.extend(other.ops);
        self
    }

    /// The names of the ops.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.ops.iter().map(|op| &*op.name)
    }

    /// How many ops there are.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }
}
