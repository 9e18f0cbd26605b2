use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::ops::OpResult;
use crate::resources::Charge;

/// What has come back for a VM from ops that run outside of it. The only thing others hold of a VM.
#[derive(Default)]
pub(crate) struct Inbox {
    queue: Mutex<VecDeque<Delivery>>,
    /// Whoever holds the VM waits here; one who held it before may still be waiting, so all are woken, and a permit stays for one
    /// who comes later.
    pub(crate) arrived: Notify,
}

/// The answer to one async op.
pub(crate) struct Delivery {
    pub(crate) id: u32,
    pub(crate) result: OpResult,
    /// What the result takes until the script has it.
    pub(crate) _held: Option<Charge>,
}

impl Inbox {
    pub(crate) fn deliver(&self, id: u32, result: OpResult, held: Option<Charge>) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(Delivery { id, result, _held: held });
        self.wake();
    }

    /// Wakes whoever waits.
    pub(crate) fn wake(&self) {
        self.arrived.notify_waiters();
        self.arrived.notify_one();
    }

    pub(crate) fn take(&self) -> Option<Delivery> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}
