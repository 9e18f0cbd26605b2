use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::control::thread_cpu;
use crate::held::Held;
use crate::js::{current_thread_id, nudge, set_idle_priority, unblock_nudges};
use crate::limits::THREAD_STACK;

/// How often a starved queue is looked at; also how long a trivial run may wait behind scripts that keep every thread.
const GROW_AFTER: Duration = Duration::from_millis(1);

/// How many results a saturated pool holds back, and for how long, so that whoever waits for them is woken once for several: a wake-up
/// and the change of threads that comes with it cost as much as a short script.
const BATCH: usize = 16;
const BATCH_AGE: Duration = Duration::from_millis(1);
/// How long a thread that has nothing to do looks for work before it sleeps: a little longer than a caller takes to come back with the
/// next script.
const SPIN: Duration = Duration::from_micros(15);

/// How often a thread whose run was answered without it is asked to come back.
const ASK_AGAIN: Duration = Duration::from_millis(10);
/// After how long such a thread counts as stuck. Until then it may only have been starved by others.
pub const STUCK_AFTER: Duration = Duration::from_secs(1);
/// CPU time after which a stuck thread runs only when nobody else wants to. One that has had less may be about to come back, and is let.
const IDLE_AFTER: Duration = Duration::from_millis(200);

/// Limits of the thread pool.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExecutorConfig {
    /// Threads at the most, stuck ones not counted.
    pub max_threads: usize,
    /// Slices that may wait for a thread.
    pub queue: usize,
    /// How long a run may wait for its first slice before it is `busy`.
    pub max_wait: Duration,
    /// How long an idle thread stays.
    pub keep_alive: Duration,
}

impl ExecutorConfig {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

impl Default for ExecutorConfig {
    fn default() -> Self {
        Self { max_threads: 512, queue: 1 << 16, max_wait: Duration::from_secs(10), keep_alive: Duration::from_secs(5) }
    }
}

/// The threads that run VMs: our own, so that one which is stuck holds up neither the embedder's runtime nor its shutdown.
///
/// The pool grows only while nothing moves: two threads a core would share a core; a thread that spins must not keep others out.
/// Threads are detached; they end when the executor is dropped and they have nothing to do.
pub struct Executor {
    shared: Arc<Shared>,
}

struct Shared {
    config: ExecutorConfig,
    /// Threads to start without asking, one a core.
    eager: usize,
    state: Mutex<Threads>,
    work: Condvar,
    starved: Condvar,
    /// The length of the queue, for threads that look without the lock.
    queued: AtomicUsize,
    /// Slices taken from the queue since the start; the sitter sees by it whether anything moves.
    taken: AtomicU64,
}

#[derive(Default)]
struct Threads {
    queue: VecDeque<Arc<dyn Task>>,
    /// Threads that sleep.
    idle: usize,
    /// Threads that look for work before they sleep.
    spinning: usize,
    /// Results that have not been handed over, and since when.
    undelivered: Vec<Arc<dyn Task>>,
    undelivered_since: Option<Instant>,
    threads: usize,
    /// Tasks that were abandoned and have not come back.
    late: Vec<Late>,
    /// How many of them are stuck.
    stuck: usize,
    /// Tasks that compute on threads of others.
    visiting: Vec<Visiting>,
    /// There was one since the sitter looked last.
    visited: bool,
    /// The thread that watches a starved queue exists.
    sitter: bool,
    sitter_parked: bool,
    closed: bool,
}

/// A task that was answered without it.
struct Late {
    task: Arc<dyn Task>,
    since: Instant,
    /// What its thread had computed by then, in nanoseconds; `None` once it has idle priority.
    cpu: Option<u64>,
    /// What its run holds until the thread is back: nobody else gets a VM in its place.
    held: Option<Box<dyn Held>>,
}

/// A task on somebody else's thread.
struct Visiting {
    task: Arc<dyn Task>,
    runtime: Handle,
    since: Instant,
    /// Another worker of the runtime was woken, to see to what the first one would.
    woke: bool,
}

/// A piece of work for a thread.
pub(crate) trait Task: Send + Sync {
    fn ticket(&self) -> &Ticket;
    /// Asks the clocks, and has whoever waits for it do the same. `true` if its VM must not go on.
    fn look(&self) -> bool;
    /// Does the work and keeps what it made.
    fn run(&self);
    /// Hands over what [`Self::run`] made. Called once after it, soon, from whatever thread.
    fn deliver(&self);
}

/// Where a task stands. Whoever changes the phase first decides what becomes of it.
pub(crate) struct Ticket {
    phase: AtomicU8,
    thread: AtomicI32,
    /// The thread is somebody else's.
    visits: AtomicBool,
}

const QUEUED: u8 = 0;
const RUNNING: u8 = 1;
const DONE: u8 = 2;
const WITHDRAWN: u8 = 3;
/// Running, and answered without it.
const ABANDONED: u8 = 4;
/// The same for so long that the thread is given up.
const STUCK: u8 = 5;

impl Ticket {
    pub(crate) fn new() -> Self {
        Self { phase: AtomicU8::new(QUEUED), thread: AtomicI32::new(0), visits: AtomicBool::new(false) }
    }

    fn change(&self, from: u8, to: u8) -> bool {
        self.phase.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Takes the task back from the queue. `false` if a thread has it.
    pub(crate) fn withdraw(&self) -> bool {
        self.change(QUEUED, WITHDRAWN)
    }

    /// Whether the thread that runs the task is somebody else's.
    pub(crate) fn visits(&self) -> bool {
        self.visits.load(Ordering::Acquire)
    }

    fn is_stuck(&self) -> bool {
        self.phase.load(Ordering::Acquire) == STUCK
    }

    pub(crate) fn is_queued(&self) -> bool {
        self.phase.load(Ordering::Acquire) == QUEUED
    }

    /// Interrupts the thread that runs the task, in case it is stuck in a VM that was stopped.
    pub(crate) fn nudge(&self) {
        if matches!(self.phase.load(Ordering::Acquire), RUNNING | ABANDONED | STUCK) {
            nudge(self.thread.load(Ordering::Acquire));
        }
    }

    /// The task is through. `false` if it was abandoned meanwhile: then nobody waits for what it made.
    pub(crate) fn finish(&self) -> bool {
        self.change(RUNNING, DONE)
    }
}

/// The queue is full, or no thread is to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

impl Executor {
    /// A pool without threads yet.
    pub fn new(mut config: ExecutorConfig) -> Self {
        // Longer than anybody waits, and short enough to be added to a time.
        config.max_wait = config.max_wait.min(Duration::from_secs(24 * 60 * 60));
        let eager = thread::available_parallelism().map_or(2, usize::from).min(config.max_threads).max(1);
        Self {
            shared: Arc::new(Shared {
                config,
                eager,
                state: Mutex::default(),
                work: Condvar::new(),
                starved: Condvar::new(),
                queued: AtomicUsize::new(0),
                taken: AtomicU64::new(0),
            }),
        }
    }

    /// The limits it was made with.
    pub fn config(&self) -> &ExecutorConfig {
        &self.shared.config
    }

    /// Threads whose run was answered without them and that have not come back.
    pub fn abandoned_threads(&self) -> usize {
        self.shared.lock().late.len()
    }

    /// Threads that exist and are not stuck.
    pub fn threads(&self) -> usize {
        self.shared.lock().threads
    }

    /// Puts a task into the queue; with `begun`, even if that is full.
    pub(crate) fn submit(&self, task: Arc<dyn Task>, begun: bool) -> Result<(), Refused> {
        let mut state = self.shared.lock();
        if state.closed || (!begun && state.queue.len() >= self.shared.config.queue) {
            return Err(Refused);
        }
        state.queue.push_back(task);
        self.shared.queued.store(state.queue.len(), Ordering::Release);
        // Every task that waits has a thread coming for it: one leaves `idle` or `spinning` before it takes one from the queue.
        let coming = state.spinning + state.idle;
        if state.queue.len() <= state.spinning {
            // Seen without being told.
        } else if state.queue.len() <= coming {
            drop(state);
            self.shared.work.notify_one();
        } else if state.threads < self.shared.eager {
            if !self.shared.start_worker(&mut state) && state.threads == 0 {
                // Nobody would ever come for it.
                state.queue.pop_back();
                self.shared.queued.store(state.queue.len(), Ordering::Release);
                return Err(Refused);
            }
        } else if !state.sitter {
            self.shared.start_sitter(&mut state);
        } else if state.sitter_parked {
            self.shared.starved.notify_one();
        }
        Ok(())
    }

    /// Notes that a task is to compute on a runtime of somebody else's, unless as many do as may.
    pub(crate) fn begin_visit(&self, task: &Arc<dyn Task>, runtime: &Handle, most: usize) -> bool {
        let mut state = self.shared.lock();
        if state.visiting.len() >= most {
            return false;
        }
        state.visiting.push(Visiting {
            task: task.clone(),
            runtime: runtime.clone(),
            since: Instant::now(),
            woke: false,
        });
        state.visited = true;
        if !state.sitter {
            self.shared.start_sitter(&mut state);
        } else if state.sitter_parked {
            self.shared.starved.notify_one();
        }
        true
    }

    pub(crate) fn end_visit(&self, task: &Arc<dyn Task>) {
        self.shared.lock().visiting.retain(|visiting| !Arc::ptr_eq(&visiting.task, task));
    }

    /// Runs a task on the calling thread, which is one of the runtime's.
    pub(crate) fn compute(&self, task: &Arc<dyn Task>) {
        task.ticket().visits.store(true, Ordering::Release);
        self.shared.run(task);
    }

    /// Waits no longer for a task: what it makes is dropped on its thread, and what is held then. `false` if the task has just ended.
    pub(crate) fn abandon(&self, task: &Arc<dyn Task>, held: &mut Option<Box<dyn Held>>) -> bool {
        let mut state = self.shared.lock();
        if !task.ticket().change(RUNNING, ABANDONED) {
            return false;
        }
        let mut held = held.take();
        if let Some(held) = &mut held {
            held.thread_is_out();
        }
        let cpu = Some(thread_cpu(Some(task.ticket().thread.load(Ordering::Acquire))));
        state.late.push(Late { task: task.clone(), since: Instant::now(), cpu, held });
        if !state.sitter {
            self.shared.start_sitter(&mut state);
        } else if state.sitter_parked {
            self.shared.starved.notify_one();
        }
        true
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        self.shared.work.notify_all();
        self.shared.starved.notify_all();
    }
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor")
            .field("threads", &self.threads())
            .field("abandoned", &self.abandoned_threads())
            .finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Threads> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `false` if the system has none.
    fn start_worker(self: &Arc<Self>, state: &mut Threads) -> bool {
        let shared = self.clone();
        let started = thread::Builder::new()
            .name("perennial-vm".to_owned())
            .stack_size(THREAD_STACK)
            .spawn(move || shared.work());
        match started {
            Ok(_) => state.threads += 1,
            Err(ref error) => tracing::error!(%error, "no thread for another VM"),
        }
        started.is_ok()
    }

    fn start_sitter(self: &Arc<Self>, state: &mut Threads) {
        let shared = self.clone();
        match thread::Builder::new()
            .name("perennial-sitter".to_owned())
            .stack_size(64 << 10)
            .spawn(move || shared.sit())
        {
            Ok(_) => state.sitter = true,
            Err(error) => tracing::error!(%error, "no thread to watch the queue"),
        }
    }

    /// A worker: takes tasks until there has been none for a while.
    fn work(self: Arc<Self>) {
        // Whoever started it may have blocked every signal.
        unblock_nudges();
        let mut state = self.lock();
        let mut rested = false;
        loop {
            if let Some(task) = state.queue.pop_front() {
                rested = false;
                self.queued.store(state.queue.len(), Ordering::Relaxed);
                self.taken.fetch_add(1, Ordering::Relaxed);
                let due = state.take_undelivered(false);
                drop(state);
                deliver(due);
                if self.run(&task) {
                    return;
                }
                state = self.lock();
                state.undelivered_since.get_or_insert_with(Instant::now);
                state.undelivered.push(task);
                let due = state.take_undelivered(false);
                if !due.is_empty() {
                    drop(state);
                    deliver(due);
                    state = self.lock();
                }
            } else if !state.undelivered.is_empty() {
                // Held back by a thread that has taken a long task since.
                let due = state.take_undelivered(true);
                drop(state);
                deliver(due);
                state = self.lock();
            } else if state.closed {
                state.threads -= 1;
                return;
            } else if !rested {
                rested = true;
                state.spinning += 1;
                drop(state);
                self.spin();
                state = self.lock();
                state.spinning -= 1;
            } else {
                state.idle += 1;
                let (guard, timeout) =
                    self.work.wait_timeout(state, self.config.keep_alive).unwrap_or_else(PoisonError::into_inner);
                state = guard;
                state.idle -= 1;
                if timeout.timed_out() && state.queue.is_empty() {
                    state.threads -= 1;
                    return;
                }
            }
        }
    }

    /// Looks for work for a moment, giving way to whoever else wants the core.
    fn spin(&self) {
        let until = Instant::now() + SPIN;
        while self.queued.load(Ordering::Acquire) == 0 && Instant::now() < until {
            for _ in 0..16 {
                std::hint::spin_loop();
            }
            thread::yield_now();
        }
    }

    /// Runs one task. `true` if the thread was given up meanwhile.
    fn run(&self, task: &Arc<dyn Task>) -> bool {
        let ticket = task.ticket();
        ticket.thread.store(current_thread_id(), Ordering::Release);
        if !ticket.change(QUEUED, RUNNING) {
            return false;
        }
        if catch_unwind(AssertUnwindSafe(|| task.run())).is_err() {
            tracing::error!("a VM panicked; its session is told");
        }
        // A panic leaves the ticket running; an abandoned task leaves it to us to say that it is back.
        if ticket.change(RUNNING, DONE) || !matches!(ticket.phase.load(Ordering::Acquire), ABANDONED | STUCK) {
            return false;
        }
        let mut state = self.lock();
        let late = state.late.iter().position(|late| Arc::ptr_eq(&late.task, task)).map(|at| state.late.remove(at));
        let was_stuck = !ticket.change(ABANDONED, DONE);
        state.stuck -= usize::from(was_stuck);
        drop(state);
        // The VM went before; its place is free now.
        drop(late.and_then(|late| late.held));
        was_stuck
    }

    /// How long nothing may move before there is another thread: longer, the more share a core already, since each takes from all.
    fn patience(&self, state: &Threads) -> Duration {
        GROW_AFTER * u32::try_from(state.threads / self.eager).unwrap_or(u32::MAX).max(1)
    }

    /// The sitter: while tasks wait and nothing moves, adds a thread at a time; while threads are late, asks them to come back; while tasks compute elsewhere, looks after
    /// them.
    fn sit(self: Arc<Self>) {
        let mut state = self.lock();
        let mut taken = self.taken.load(Ordering::Relaxed);
        let (mut since, mut asked) = (Instant::now(), Instant::now());
        loop {
            if state.closed {
                return;
            }
            let due = state.take_undelivered(false);
            if !due.is_empty() {
                drop(state);
                deliver(due);
                state = self.lock();
                continue;
            }
            // Where one has visited another will, and need not wake anybody.
            let is_quiet = state.visiting.is_empty() && !std::mem::take(&mut state.visited);
            if state.queue.is_empty() && state.late.is_empty() && is_quiet {
                state.sitter_parked = true;
                state = self.starved.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.sitter_parked = false;
                taken = self.taken.load(Ordering::Relaxed);
                since = Instant::now();
                continue;
            }
            let pause = if state.queue.is_empty() { ASK_AGAIN } else { GROW_AFTER };
            state = self.starved.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0;
            if asked.elapsed() >= ASK_AGAIN {
                asked = Instant::now();
                state.ask_late_threads();
                state.look_after_visits();
            }
            let now_taken = self.taken.load(Ordering::Relaxed);
            if now_taken != taken {
                (taken, since) = (now_taken, Instant::now());
            } else if !state.queue.is_empty() && state.idle == 0 && since.elapsed() >= self.patience(&state) {
                if state.threads < self.config.max_threads {
                    self.start_worker(&mut state);
                }
                since = Instant::now();
            }
        }
    }
}

impl Threads {
    /// Interrupts the threads that are late, and gives those up that have been for long.
    fn ask_late_threads(&mut self) {
        for Late { task, since, cpu, .. } in &mut self.late {
            let ticket = task.ticket();
            ticket.nudge();
            if ticket.visits() {
                // It is not ours to give up, nor to slow down.
                continue;
            }
            if since.elapsed() >= STUCK_AFTER && ticket.change(ABANDONED, STUCK) {
                self.stuck += 1;
                self.threads -= 1;
                tracing::warn!(
                    stuck = self.stuck,
                    "a script is stuck in a built-in; its thread was given up, and its session is busy"
                );
            }
            let thread = ticket.thread.load(Ordering::Acquire);
            let is_over = |before: u64| thread_cpu(Some(thread)).saturating_sub(before) >= IDLE_AFTER.as_nanos() as u64;
            if ticket.is_stuck() && cpu.is_some_and(is_over) {
                set_idle_priority(thread);
                *cpu = None;
            }
        }
    }

    /// Sees to it that what has a thread of somebody else's does not hold up all that runtime, and ends in time: nobody else may be awake there.
    fn look_after_visits(&mut self) {
        for Visiting { task, runtime, since, woke } in &mut self.visiting {
            if since.elapsed() < ASK_AGAIN / 2 {
                continue;
            }
            if !std::mem::replace(woke, true) {
                runtime.spawn(std::future::ready(()));
            }
            if task.look() {
                task.ticket().nudge();
            }
        }
    }

    /// Results that are to be handed over now: all, unless the pool is saturated and they are few and fresh. While any are held back,
    /// tasks wait; so either a thread is coming for them, which hands over what it finds when there is none left, or the sitter is awake,
    /// which does so when they are due.
    fn take_undelivered(&mut self, all: bool) -> Vec<Arc<dyn Task>> {
        // The more wait for a thread, the less it matters to wait for a result.
        let patience = 1 + u32::try_from(self.queue.len() / 256).unwrap_or(u32::MAX).min(4);
        let hold = !all
            && self.sitter
            && !self.queue.is_empty()
            && self.undelivered.len() < BATCH + self.queue.len() / 16
            && self.undelivered_since.is_none_or(|since| since.elapsed() < BATCH_AGE * patience);
        if hold {
            return Vec::new();
        }
        self.undelivered_since = None;
        std::mem::take(&mut self.undelivered)
    }
}

fn deliver(tasks: Vec<Arc<dyn Task>>) {
    for task in tasks {
        task.deliver();
    }
}
