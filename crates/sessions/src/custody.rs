use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use perennial_engine::STUCK_AFTER;
use perennial_protocol::{ErrorKind, ScriptError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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
}

impl Custody {
    pub(crate) fn new(all_out: Arc<ThreadsOut>) -> Arc<Self> {
        Arc::new(Self { permit: Arc::new(Semaphore::new(1)), thread_out: Mutex::default(), all_out })
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
    pub(crate) fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        self.permit.clone().try_acquire_owned().ok()
    }

    /// Waits for the permit, in the order of arrival.
    pub(crate) async fn take(&self) -> OwnedSemaphorePermit {
        self.permit.clone().acquire_owned().await.expect("the semaphore is never closed")
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
