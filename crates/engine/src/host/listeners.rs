//! Functions of scripts that events from outside call.

use std::sync::atomic::Ordering;

use super::{HostState, Listener, lock};
use crate::inbox::MAX_LISTENERS;
use crate::js::{Exception, Saved, Scope, Value};
use crate::op_value::{OpError, OpValue};

impl HostState {
    pub(super) fn listen<'js>(&self, scope: Scope<'js>, args: &[Value<'js>]) -> Result<Value<'js>, Exception> {
        let Some(callback) = args.first().filter(|callback| callback.is_function()) else {
            return Err(scope.throw_error("TypeError", "a listener is a function"));
        };
        let Some(number) = self.inbox.listen() else {
            let (limit, message) = (MAX_LISTENERS as u64, format!("{MAX_LISTENERS} listeners are registered already"));
            return Err(self.throw(scope, &OpError::quota(message, limit, limit + 1)));
        };
        let run = lock(&self.timers).run_number();
        lock(&self.listeners).insert(number, Listener { callback: scope.save(callback.clone()), run });
        Ok(scope.number(number.into()))
    }

    /// Lets go of listeners' functions, and of what waits for them.
    pub(super) fn forget_listeners(&self, scope: Scope<'_>, is_over: impl Fn(u32, &Listener) -> bool) {
        let mut listeners = lock(&self.listeners);
        let over: Vec<u32> = listeners
            .iter()
            .filter(|(number, listener)| is_over(**number, listener))
            .map(|(number, _)| *number)
            .collect();
        let callbacks: Vec<Saved> =
            over.iter().filter_map(|number| listeners.remove(number)).map(|of| of.callback).collect();
        drop(listeners);
        over.iter().for_each(|number| self.inbox.unlisten(*number));
        callbacks.into_iter().for_each(|callback| drop(scope.restore(callback)));
    }

    /// Nothing more comes for a listener.
    pub(crate) fn listener_ended(&self, scope: Scope<'_>, number: u32) {
        self.forget_listeners(scope, |of, _| of == number);
    }

    /// Lets go of the functions of listeners that have ended with a run's loans.
    pub(crate) fn forget_ended_listeners(&self, scope: Scope<'_>) {
        if !lock(&self.listeners).is_empty() {
            self.forget_listeners(scope, |number, _| !self.inbox.listens(number));
        }
    }

    /// Whether the listener was registered in an earlier run; `None` if it does not listen any more.
    pub(crate) fn is_foreign_listener(&self, number: u32) -> Option<bool> {
        let run = lock(&self.timers).run_number();
        lock(&self.listeners).get(&number).map(|listener| listener.run != run)
    }

    /// Calls a listener. An exception of the callback is pending when this fails.
    pub(crate) fn fire_event(
        &self,
        scope: Scope<'_>,
        listener: u32,
        value: OpValue,
        dropped: u64,
    ) -> Result<(), Exception> {
        let callback = lock(&self.listeners).get(&listener).map(|listener| scope.load(&listener.callback));
        let Some(callback) = callback else { return Ok(()) };
        let value = self.enter(scope, Ok(value))?;
        scope.call(&callback, &scope.undefined(), &[&value, &scope.number(dropped as f64)]).map(drop)
    }

    /// An event was handled: see [`Self::takes_others_first`].
    pub(crate) fn let_others_first(&self) {
        self.others_first.store(true, Ordering::Relaxed);
    }

    /// Whether a timer that is due, or an answer, comes before the next event. It does once.
    pub(crate) fn takes_others_first(&self) -> bool {
        self.others_first.load(Ordering::Relaxed) && self.others_first.swap(false, Ordering::Relaxed)
    }
}
