use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::js::{Clamp, current_thread_id};

/// How long a callback between two runs may compute.
pub(crate) const CALLBACK: Duration = Duration::from_millis(50);
/// How long it may take until then, on a machine that has more to do.
const CALLBACK_WALL: Duration = Duration::from_millis(250);

/// Why a VM was force-halted. Every reason poisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StopReason {
    /// The wall-clock limit ran out.
    Timeout = 1,
    /// The CPU-time limit ran out.
    CpuLimit = 2,
    /// The heap limit was met.
    MemoryLimit = 3,
    /// The caller gave up.
    Cancelled = 4,
    /// A callback between two runs took too long.
    Background = 5,
}

impl StopReason {
    fn from_u8(value: u8) -> Option<Self> {
        Some(match value {
            1 => Self::Timeout,
            2 => Self::CpuLimit,
            3 => Self::MemoryLimit,
            4 => Self::Cancelled,
            5 => Self::Background,
            _ => return None,
        })
    }
}

/// What stopped a VM, with both numbers where there are any (milliseconds or bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) reason: StopReason,
    pub(crate) limit: u64,
    pub(crate) used: u64,
    /// A callback was under way that belongs to no run, or to an earlier one.
    pub(crate) in_callback: bool,
}

/// The one deadline object of a VM: it covers building, compiling, running, and the background phase.
///
/// Written by the run's future, read by the thread that runs the VM (interrupt handler, allocator, ops, job loop). The first stop
/// wins and is for ever.
pub(crate) struct Control {
    stop: AtomicU8,
    stop_limit: AtomicU64,
    stop_used: AtomicU64,
    stop_in_callback: AtomicBool,
    epoch: Instant,
    /// Nanoseconds after `epoch`; `u64::MAX` for none.
    deadline: AtomicU64,
    /// Wall limit of this run in nanoseconds, for the error.
    wall_limit: AtomicU64,
    /// CPU time of this run, in nanoseconds, at which its limit is met; `u64::MAX` for none.
    cpu_limit: AtomicU64,
    /// What had been used when the limit began to count: of a callback, not of the run.
    cpu_base: AtomicU64,
    /// CPU time of the finished slices of this run.
    cpu_done: AtomicU64,
    /// CPU clock of the thread at the start of the slice that runs now.
    cpu_slice_start: AtomicU64,
    /// The thread that runs the VM now; 0 for none.
    thread: AtomicI32,
    /// What a running-out deadline means: a run's or a callback's.
    deadline_reason: AtomicU8,
    clamp: Mutex<Option<Clamp>>,
    /// Somebody who watches over the VM has to look at it again: it was stopped, or its deadline is nearer than before.
    pub(crate) changed: Notify,
    /// Cancelled with the VM: ends its async ops.
    pub(crate) ops: CancellationToken,
    /// What is left of the run's time while its VM waits for a thread.
    paused: AtomicU64,
    /// What work elsewhere has taken for callbacks, in nanoseconds.
    owed: AtomicU64,
    /// Until when the VM may have a thread that is somebody else's.
    welcome: AtomicU64,
    /// How often it had one for longer, in its last visit.
    stays: AtomicU32,
}

const NONE: u64 = u64::MAX;

impl Control {
    pub(crate) fn new() -> Self {
        Self {
            stop: AtomicU8::new(0),
            stop_limit: AtomicU64::new(0),
            stop_used: AtomicU64::new(0),
            stop_in_callback: AtomicBool::new(false),
            epoch: Instant::now(),
            deadline: AtomicU64::new(NONE),
            wall_limit: AtomicU64::new(NONE),
            cpu_limit: AtomicU64::new(NONE),
            cpu_base: AtomicU64::new(0),
            cpu_done: AtomicU64::new(0),
            cpu_slice_start: AtomicU64::new(0),
            thread: AtomicI32::new(0),
            deadline_reason: AtomicU8::new(StopReason::Timeout as u8),
            clamp: Mutex::new(None),
            changed: Notify::new(),
            ops: CancellationToken::new(),
            paused: AtomicU64::new(NONE),
            owed: AtomicU64::new(0),
            welcome: AtomicU64::new(NONE),
            stays: AtomicU32::new(0),
        }
    }

    /// Starts the clocks of a run.
    pub(crate) fn begin_run(&self, wall: Duration, cpu: Option<Duration>) {
        self.cpu_done.store(0, Ordering::Relaxed);
        self.cpu_base.store(0, Ordering::Relaxed);
        self.cpu_limit.store(cpu.map_or(NONE, nanos), Ordering::Relaxed);
        self.begin(wall, StopReason::Timeout);
    }

    /// Starts the clocks of one callback that belongs to no run.
    pub(crate) fn begin_callback(&self) {
        self.limit_callback(self.cpu_used());
        self.begin(CALLBACK_WALL, StopReason::Background);
        self.changed.notify_one();
    }

    fn limit_callback(&self, used: u64) {
        self.cpu_base.store(used, Ordering::Relaxed);
        self.cpu_limit.store(used.saturating_add(nanos(CALLBACK)), Ordering::Relaxed);
    }

    fn begin(&self, wall: Duration, reason: StopReason) {
        self.deadline_reason.store(reason as u8, Ordering::Relaxed);
        self.wall_limit.store(nanos(wall), Ordering::Relaxed);
        self.deadline.store(self.now().saturating_add(nanos(wall)), Ordering::Release);
    }

    /// Runs one callback that belongs to no run under limits of its own, where they are met before those in force.
    pub(crate) fn within<T>(&self, callback: impl FnOnce() -> T) -> T {
        let (now, used) = (self.now(), self.cpu_used());
        let (deadline, cpu_limit) = (self.deadline.load(Ordering::Acquire), self.cpu_limit.load(Ordering::Relaxed));
        let is_later = now.saturating_add(nanos(CALLBACK_WALL)) >= deadline;
        if is_later || used.saturating_add(nanos(CALLBACK)) >= cpu_limit {
            return callback();
        }
        let (limit, reason) = (self.wall_limit.load(Ordering::Relaxed), self.deadline_reason.load(Ordering::Relaxed));
        let base = self.cpu_base.load(Ordering::Relaxed);
        self.limit_callback(used);
        self.begin(CALLBACK_WALL, StopReason::Background);
        self.changed.notify_one();
        let value = callback();
        self.cpu_base.store(base, Ordering::Relaxed);
        self.cpu_limit.store(cpu_limit, Ordering::Relaxed);
        self.deadline_reason.store(reason, Ordering::Relaxed);
        self.wall_limit.store(limit, Ordering::Relaxed);
        self.deadline.store(deadline, Ordering::Release);
        value
    }

    /// Stops the clocks: between two runs nothing runs out.
    pub(crate) fn end(&self) {
        self.deadline.store(NONE, Ordering::Release);
        self.cpu_limit.store(NONE, Ordering::Relaxed);
    }

    /// Stops the clock while the VM waits for a thread.
    pub(crate) fn pause(&self) {
        let deadline = self.deadline.swap(NONE, Ordering::AcqRel);
        let left = if deadline == NONE { NONE } else { deadline.saturating_sub(self.now()) };
        self.paused.store(left, Ordering::Release);
    }

    /// Lets it go on.
    pub(crate) fn unpause(&self) {
        let left = self.paused.swap(NONE, Ordering::AcqRel);
        if left != NONE {
            self.deadline.store(self.now().saturating_add(left), Ordering::Release);
        }
    }

    /// When the wall-clock time runs out.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let deadline = self.deadline.load(Ordering::Acquire);
        (deadline != NONE).then(|| self.epoch + Duration::from_nanos(deadline))
    }

    /// When the run is to be looked at next: its deadline, or earlier if its CPU time could have run out by then.
    pub(crate) fn next_check(&self) -> Option<Instant> {
        let deadline = self.deadline.load(Ordering::Acquire);
        let cpu_limit = self.cpu_limit.load(Ordering::Relaxed);
        let mut at = deadline;
        if cpu_limit != NONE {
            let left = cpu_limit.saturating_sub(self.cpu_used());
            at = at.min(self.now().saturating_add(left));
        }
        (at != NONE).then(|| self.epoch + Duration::from_nanos(at))
    }

    /// Whether the VM must not go on. Asks the clocks; for the interrupt handler and the run's future.
    pub(crate) fn should_stop(&self) -> bool {
        if self.is_stopped() {
            return true;
        }
        let now = self.now();
        let deadline = self.deadline.load(Ordering::Acquire);
        if now >= deadline {
            let reason =
                StopReason::from_u8(self.deadline_reason.load(Ordering::Relaxed)).unwrap_or(StopReason::Timeout);
            let limit = self.wall_limit.load(Ordering::Relaxed);
            self.stop_with(reason, limit / 1_000_000, limit.saturating_add(now - deadline) / 1_000_000);
            return true;
        }
        let cpu_limit = self.cpu_limit.load(Ordering::Relaxed);
        if cpu_limit != NONE {
            let used = self.cpu_used();
            if used >= cpu_limit {
                let base = self.cpu_base.load(Ordering::Relaxed);
                let reason = if self.is_in_callback() { StopReason::Background } else { StopReason::CpuLimit };
                let of = |time: u64| time.saturating_sub(base) / 1_000_000;
                self.stop_with(reason, of(cpu_limit), of(used));
                return true;
            }
        }
        false
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire) != 0
    }

    /// What stopped the VM, if anything did.
    pub(crate) fn stop(&self) -> Option<Stop> {
        let reason = StopReason::from_u8(self.stop.load(Ordering::Acquire))?;
        Some(Stop {
            reason,
            limit: self.stop_limit.load(Ordering::Relaxed),
            used: self.stop_used.load(Ordering::Relaxed),
            in_callback: self.stop_in_callback.load(Ordering::Relaxed),
        })
    }

    /// Stops the VM for good, from any thread; the first reason wins.
    pub(crate) fn stop_with(&self, reason: StopReason, limit: u64, used: u64) {
        {
            // Under the lock, so that nobody sees the reason without its numbers.
            let clamp = self.lock_clamp();
            if self.is_stopped() {
                return;
            }
            self.stop_limit.store(limit, Ordering::Relaxed);
            self.stop_used.store(used, Ordering::Relaxed);
            self.stop_in_callback.store(self.is_in_callback(), Ordering::Relaxed);
            self.stop.store(reason as u8, Ordering::Release);
            if let Some(clamp) = clamp.as_ref() {
                clamp.apply();
            }
        }
        self.ops.cancel();
        // One waiter at the most: the run's future.
        self.changed.notify_one();
    }

    /// Makes every call and allocation of the VM fail.
    pub(crate) fn clamp(&self) {
        if let Some(clamp) = self.lock_clamp().as_ref() {
            clamp.apply();
        }
    }

    pub(crate) fn attach(&self, clamp: Clamp) {
        let mut slot = self.lock_clamp();
        if self.is_stopped() {
            clamp.apply();
        }
        *slot = Some(clamp);
    }

    /// Takes the clamp away for a while.
    pub(crate) fn take_clamp(&self) -> Option<Clamp> {
        self.lock_clamp().take()
    }

    pub(crate) fn detach(&self) {
        *self.lock_clamp() = None;
    }

    fn lock_clamp(&self) -> MutexGuard<'_, Option<Clamp>> {
        self.clamp.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calling thread runs the VM from now on.
    pub(crate) fn enter_thread(&self) {
        self.cpu_slice_start.store(thread_cpu(None), Ordering::Relaxed);
        self.thread.store(current_thread_id(), Ordering::Release);
    }

    /// The calling thread has ceased to run the VM.
    pub(crate) fn leave_thread(&self) {
        let slice = thread_cpu(None).saturating_sub(self.cpu_slice_start.load(Ordering::Relaxed));
        self.thread.store(0, Ordering::Release);
        self.cpu_done.fetch_add(slice, Ordering::Relaxed);
    }

    /// CPU time of this run in nanoseconds, read from whatever thread.
    pub(crate) fn cpu_used(&self) -> u64 {
        let done = self.cpu_done.load(Ordering::Relaxed);
        let start = self.cpu_slice_start.load(Ordering::Relaxed);
        match self.thread.load(Ordering::Acquire) {
            0 => done,
            thread => {
                let now = thread_cpu(Some(thread));
                // The slice may have ended meanwhile; then its time is in `cpu_done`, read again by the next check.
                if self.thread.load(Ordering::Acquire) == thread { done + now.saturating_sub(start) } else { done }
            }
        }
    }

    /// Whether a callback is under way that belongs to no run, or to an earlier one.
    pub(crate) fn is_in_callback(&self) -> bool {
        self.deadline_reason.load(Ordering::Relaxed) == StopReason::Background as u8
    }

    /// Notes what work elsewhere has taken for callbacks.
    pub(crate) fn owe(&self, time: Duration) {
        self.owed.fetch_add(nanos(time), Ordering::Relaxed);
    }

    /// What was noted since this was asked last, in nanoseconds.
    pub(crate) fn take_owed(&self) -> u64 {
        self.owed.swap(0, Ordering::Relaxed)
    }

    /// The thread is somebody else's, who has it back soon.
    pub(crate) fn visit(&self, welcome: Duration) {
        self.stays.store(0, Ordering::Relaxed);
        self.welcome.store(self.now().saturating_add(nanos(welcome)), Ordering::Relaxed);
    }

    /// The VM is on its own again.
    pub(crate) fn end_visit(&self) {
        self.welcome.store(NONE, Ordering::Relaxed);
    }

    /// Whether the VM has had somebody else's thread for too long, and how often that was so before in this visit. It is welcome for longer then, and after the third time for
    /// good.
    pub(crate) fn has_stayed_too_long(&self) -> Option<u32> {
        const MORE: Duration = Duration::from_millis(20);
        let welcome = self.welcome.load(Ordering::Relaxed);
        if welcome == NONE || self.now() < welcome {
            return None;
        }
        let before = self.stays.fetch_add(1, Ordering::Relaxed);
        let next = if before < 2 { self.now().saturating_add(nanos(MORE)) } else { NONE };
        self.welcome.store(next, Ordering::Relaxed);
        Some(before)
    }

    /// Whether that was so since this was asked last.
    pub(crate) fn take_overstay(&self) -> bool {
        self.stays.swap(0, Ordering::Relaxed) > 0
    }

    /// Counts CPU time that was spent elsewhere.
    pub(crate) fn charge_cpu(&self, time: Duration) {
        self.cpu_done.fetch_add(nanos(time), Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        nanos(self.epoch.elapsed())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(NONE - 1)
}

/// The CPU clock of a thread of this process, in nanoseconds; 0 if there is no such thread.
pub(crate) fn thread_cpu(thread: Option<i32>) -> u64 {
    let clock = match thread {
        None => ClockId::CLOCK_THREAD_CPUTIME_ID,
        // How Linux names the CPU clock of a thread: the complement of its id, shifted, with the bits for "per thread" (4)
        // and "scheduler time" (2). See CPUCLOCK_PERTHREAD in the kernel's include/linux/posix-timers_types.h.
        Some(thread) => ClockId::from_raw((!thread << 3) | 6),
    };
    clock_gettime(clock).map_or(0, |t| (t.tv_sec() as u64) * 1_000_000_000 + t.tv_nsec() as u64)
}

/// Stops whatever a VM is doing, from anywhere. Stopping a VM that does nothing poisons it all the same.
#[derive(Clone)]
pub struct StopHandle(pub(crate) Arc<Control>);

impl StopHandle {
    /// Cancels the run.
    pub fn cancel(&self) {
        self.0.stop_with(StopReason::Cancelled, 0, 0);
    }
}
