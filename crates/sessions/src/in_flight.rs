use std::sync::Arc;

use perennial_engine::Held;

use crate::custody::{Custody, Permit};
use crate::pool::Place;

/// What a VM in flight holds: its place in the pool and its session's one permit. Given back when the VM is, or when its thread is.
pub(crate) struct InFlight {
    pub(crate) place: Place,
    /// Goes before the permit does.
    pub(crate) thread: ThreadOut,
    pub(crate) permit: Arc<Permit>,
}

/// Notes that a thread has not come back, until it has.
pub(crate) struct ThreadOut(pub(crate) Arc<Custody>);

impl Held for InFlight {
    fn thread_is_out(&mut self) {
        self.thread.0.set_thread_out(true);
    }
}

impl Drop for ThreadOut {
    fn drop(&mut self) {
        self.0.set_thread_out(false);
    }
}
