use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use perennial_engine::STUCK_AFTER;
use perennial_protocol::{ErrorKind, ScriptError};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::lock::lock;

/// Who has the VM in flight under a name. A session whose predecessor's VM is still out has its custody.
#[derive(Debug)]
pub(crate) struct Custody {
    /// One permit. Outlives the execution guard where a run's future was dropped.
    permit: Arc<Semaphore>,
    /// Since when the thread of an answered run has not come back. It has the permit.
    thread_out: Mutex<Option<Instant>>,
    /// Those of the same owner.
    all_out: Arc<ThreadsOut>,
    /// Counts permits that were given; the last one's number.
    given: AtomicU64,
    /// The number of the last permit that has come back.
    returned: AtomicU64,
    has_returned: Notify,
}

/// The right to have the VM in flight. Comes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    custody: Arc<Custody>,
    number: u64,
    /// Until the last moment.
    permit: Option<OwnedSemaphorePermit>,
}

impl Permit {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.custody.returned.fetch_max(self.number, Ordering::AcqRel);
        self.permit = None;
        self.custody.has_returned.notify_waiters();
    }
}

impl Custody {
    pub(crate) fn new(all_out: Arc<ThreadsOut>) -> Arc<Self> {
        Arc::new(Self {
            permit: Arc::new(Semaphore::new(1)),
            thread_out: Mutex::default(),
            all_out,
            given: AtomicU64::new(0),
            returned: AtomicU64::new(0),
            has_returned: Notify::new(),
        })
    }

    /// Whether somebody has the permit.
    pub(crate) fn is_taken(&self) -> bool {
        self.permit.available_permits() == 0
    }

    /// An error if no run of the owner's may begin, since so many of its threads are stuck.
    pub(crate) fn check_threads(&self) -> Result<(), ScriptError> {
        self.all_out.check()
    }

    /// Takes the permit if nobody has it.
    pub(crate) fn try_take(self: &Arc<Self>) -> Option<Permit> {
        Some(self.give(self.permit.clone().try_acquire_owned().ok()?))
    }

    /// Waits for the permit, in the order of arrival.
    pub(crate) async fn take(self: &Arc<Self>) -> Permit {
        self.give(self.permit.clone().acquire_owned().await.expect("the semaphore is never closed"))
    }

    fn give(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Permit {
        let number = self.given.fetch_add(1, Ordering::AcqRel) + 1;
        Permit { custody: self.clone(), number, permit: Some(permit) }
    }

    /// Waits until the permit of this number has come back. There is one at a time, so that those before it have.
    pub(crate) async fn is_returned(&self, number: u64) {
        loop {
            // Registered before the look, so that a return between the two is not missed.
            let mut returned = std::pin::pin!(self.has_returned.notified());
            returned.as_mut().enable();
            if self.returned.load(Ordering::Acquire) >= number {
                return;
            }
            returned.await;
        }
    }

    /// Notes that the thread of a run that was answered has not come back, or that it has.
    pub(crate) fn set_thread_out(&self, is_out: bool) {
        let now = is_out.then(Instant::now);
        let before = std::mem::replace(&mut *lock(&self.thread_out), now);
        if before.is_some() || now.is_some() {
            self.all_out.change(before, now);
        }
    }

    /// Whether a run was answered whose thread has not come back, here or in an earlier session of this name: since when.
    pub(crate) fn thread_out(&self) -> Option<Instant> {
        *lock(&self.thread_out)
    }

    /// Waits until such a thread has been out for so long that it is stuck.
    pub(crate) async fn is_stuck(&self) {
        /// Whether there is one shows when somebody who waits looks.
        const LOOK: Duration = Duration::from_millis(100);
        loop {
            match self.thread_out().map(|since| since.elapsed()) {
                Some(out) if out >= STUCK_AFTER => return,
                Some(out) => tokio::time::sleep((STUCK_AFTER - out).min(LOOK)).await,
                None => tokio::time::sleep(LOOK).await,
            }
        }
    }
}

/// Since when threads of one owner's answered runs have not come back.
#[derive(Debug)]
pub(crate) struct ThreadsOut {
    since: Mutex<Vec<Instant>>,
    /// How many may be stuck, if there is a limit.
    most: Option<usize>,
}

impl ThreadsOut {
    pub(crate) fn new(most: Option<usize>) -> Self {
        Self { since: Mutex::default(), most }
    }

    /// An error if so many are stuck that no run of the owner's may begin.
    fn check(&self) -> Result<(), ScriptError> {
        let Some(most) = self.most else { return Ok(()) };
        let stuck = lock(&self.since).iter().filter(|since| since.elapsed() >= STUCK_AFTER).count();
        if stuck < most {
            return Ok(());
        }
        let message = format!(
            "{stuck} threads of runs have not come back from built-ins that cannot be stopped, as many as may be; nothing ran, try again later"
        );
        Err(ScriptError::new(ErrorKind::Busy, message).with_limit(most as u64, stuck as u64))
    }

    fn change(&self, before: Option<Instant>, now: Option<Instant>) {
        let mut out = lock(&self.since);
        if let Some(at) = before.and_then(|before| out.iter().position(|since| *since == before)) {
            out.swap_remove(at);
        }
        out.extend(now);
    }

    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.since).is_empty()
    }
}
