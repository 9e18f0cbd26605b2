//! Calls of ops: their arguments on the way out, their answers on the way in.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::{HostState, PendingOp, lock};
use crate::bridge::{EnterError, WalkError, from_op_value, to_op_value};
use crate::budget::Budget;
use crate::control::thread_cpu;
use crate::js::{Exception, Scope, Value};
use crate::op_value::{OpError, OpResult, OpValue};
use crate::ops::{Op, OpFuture, OpKind};
use crate::resources::{Charge, Resources};

/// Async ops under way in one VM. Their results are held outside the heap until they are delivered.
const MAX_PENDING_OPS: usize = 1000;
/// What takes less outside the heap, and not for longer than an operation takes, is not counted.
const UNCOUNTED: usize = 16 << 10;

impl HostState {
    pub(super) fn call_op<'js>(
        &self,
        scope: Scope<'js>,
        index: usize,
        args: &[Value<'js>],
    ) -> Result<Value<'js>, Exception> {
        let Some(op) = self.config.ops().get(index) else {
            return Err(scope.throw_error("Error", "no such op"));
        };
        let Op { name, bound, kind } = &**op;
        let (mut plain, mut bytes) = (Vec::with_capacity(args.len()), 0);
        for (index, value) in args.iter().enumerate() {
            match to_op_value(self.helpers(), value, bound.bytes - bytes, bound.is_value(index)) {
                Ok((value, taken)) => {
                    bytes += taken;
                    plain.push(value);
                }
                Err(error) => return Err(self.throw(scope, &argument_error(error, bound.bytes))),
            }
        }
        // Getters of the arguments may have run, and a stop may have come meanwhile; the caller of this function sees to that
        // before anything is returned, but the op must not start either.
        let context = lock(&self.context).shared();
        scope.leave_if_stopped();
        let held = match count(&context.resources, bytes, &context.budget) {
            Ok(held) => held,
            Err(error) => return Err(self.throw(scope, &error)),
        };
        match kind {
            OpKind::Sync(op) => {
                // Of what a callback waits for in here the CPU clock knows nothing.
                let clocks = context.budget.is_background.then(|| (Instant::now(), thread_cpu(None)));
                // An op calls no JavaScript, so this panic is its own and no stop.
                let result = catch_unwind(AssertUnwindSafe(|| op(&context, plain)));
                if let Some((since, cpu)) = clocks {
                    let computed = Duration::from_nanos(thread_cpu(None).saturating_sub(cpu));
                    context.budget.charge_background(since.elapsed().saturating_sub(computed));
                }
                drop(held);
                self.enter(scope, result.unwrap_or_else(|_| Err(panicked(name))))
            }
            OpKind::Async(op) => {
                if lock(&self.pending).ops.len() >= MAX_PENDING_OPS {
                    let message =
                        format!("{MAX_PENDING_OPS} operations are under way already: await some of them first");
                    let limit = MAX_PENDING_OPS as u64;
                    return Err(self.throw(scope, &OpError::quota(message, limit, limit + 1)));
                }
                let (resources, budget) = (context.resources.clone(), context.budget.clone());
                let (promise, resolve, reject) = scope.promise()?;
                let future = catch_unwind(AssertUnwindSafe(|| op(context, plain)));
                let future = match future {
                    Ok(future) => future,
                    Err(_) => return Err(self.throw(scope, &panicked(name))),
                };
                let mut pending = lock(&self.pending);
                pending.next_id = pending.next_id.wrapping_add(1);
                let (id, inbox, name) = (pending.next_id, self.inbox.clone(), name.clone());
                let cancelled = self.cancelled.clone();
                self.runtime.spawn(async move {
                    let result = AssertUnwindSafe(timed(future, budget.clone())).catch_unwind();
                    tokio::select! {
                        biased;
                        () = cancelled.cancelled() => {}
                        result = result => {
                            drop(held);
                            let result = result.unwrap_or_else(|_| Err(panicked(&name)));
                            let bytes = result.as_ref().map_or(0, OpValue::size);
                            let (result, held) = match count(&resources, bytes, &budget) {
                                Ok(held) => (result, held),
                                Err(error) => (Err(error), None),
                            };
                            inbox.reply(id, result, held);
                        }
                    }
                });
                let (resolve, reject) = (scope.save(resolve), scope.save(reject));
                pending.ops.insert(id, PendingOp { resolve, reject });
                Ok(promise)
            }
        }
    }

    /// Settles the promise of one async op. `false` if nothing was waiting for it.
    pub(crate) fn settle(&self, scope: Scope<'_>, id: u32, result: OpResult) -> Result<bool, Exception> {
        let Some(op) = lock(&self.pending).ops.remove(&id) else { return Ok(false) };
        let (resolve, reject) = (scope.restore(op.resolve), scope.restore(op.reject));
        let (function, value) = match self.enter(scope, result) {
            Ok(value) => (resolve, value),
            Err(Exception) => (reject, scope.catch()),
        };
        scope.call(&function, &scope.undefined(), &[&value])?;
        Ok(true)
    }

    /// Whether anything may still arrive: answers of async ops, timers, events.
    pub(crate) fn expects_anything(&self) -> bool {
        !lock(&self.pending).ops.is_empty() || lock(&self.timers).next().is_some() || self.inbox.has_listeners()
    }

    pub(super) fn enter<'js>(&self, scope: Scope<'js>, result: OpResult) -> Result<Value<'js>, Exception> {
        match result {
            Ok(value) => match from_op_value(self.helpers(), scope, &value) {
                Ok(value) => Ok(value),
                Err(EnterError::Exception) => Err(Exception),
                Err(EnterError::Invalid(message)) => Err(self.throw(scope, &OpError::new("Error", message))),
            },
            Err(error) => Err(self.throw(scope, &error)),
        }
    }

    /// Throws an op's error as an instance of its class.
    pub(super) fn throw(&self, scope: Scope<'_>, error: &OpError) -> Exception {
        self.try_throw(scope, error).unwrap_or_else(|exception| exception)
    }

    fn try_throw(&self, scope: Scope<'_>, error: &OpError) -> Result<Exception, Exception> {
        let errors = lock(&self.library).errors.as_ref().map(|saved| scope.load(saved));
        let Some(errors) = errors else { return Ok(scope.throw_error("Error", &error.message)) };
        let prototype = errors.get_str(&error.class)?;
        let object = if prototype.is_object() {
            prototype.new_error_below(&error.message)?
        } else {
            scope.error(&error.class, &error.message)?
        };
        if let Some((limit, used)) = error.numbers {
            object.define_hidden(&scope.atom("limit")?, scope.number(limit as f64))?;
            object.define_hidden(&scope.atom("used")?, scope.number(used as f64))?;
        }
        for (name, value) in &error.properties {
            if let Ok(value) = from_op_value(self.helpers(), scope, &OpValue::Json(value.clone())) {
                object.define(name, value)?;
            }
        }
        Ok(scope.throw(object))
    }
}

pub(super) fn panicked(op: &str) -> OpError {
    tracing::error!(op, "an op panicked");
    OpError::new("Error", format!("the host function {op} failed; this is a defect of the host, not of the script"))
}

/// A future whose polls count against the budget of the callback that has begun it.
async fn timed(mut future: OpFuture, budget: Budget) -> OpResult {
    if !budget.is_background {
        return future.await;
    }
    std::future::poll_fn(|context| {
        let since = Instant::now();
        let polled = future.as_mut().poll(context);
        budget.charge_background(since.elapsed());
        polled
    })
    .await
}

/// Counts what is held outside the heap for as long as an operation takes, unless it is next to nothing.
fn count(resources: &Resources, bytes: usize, budget: &Budget) -> Result<Option<Charge>, OpError> {
    if bytes <= UNCOUNTED { Ok(None) } else { resources.charge(bytes, budget).map(Some) }
}

fn argument_error(error: WalkError, limit: usize) -> OpError {
    match error {
        WalkError::Unserializable { path, why } => OpError::type_error(format!("{why} (at {path})")),
        WalkError::TooLarge { limit: left, used } => OpError::quota(
            format!("a value that is handed to the host takes more than {limit} bytes there: hand over less at a time"),
            limit as u64,
            (limit - left + used) as u64,
        ),
    }
}
