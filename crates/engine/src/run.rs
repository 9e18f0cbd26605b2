use std::any::Any;
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use perennial_protocol::{ErrorKind, ScriptError, Usage};
use serde_json::Value as Json;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use crate::config::EngineConfig;
use crate::console::{Console, ConsoleOutput, ConsoleSink};
use crate::control::{Control, StopReason};
use crate::error::describe_stop;
use crate::executor::{Executor, Task, Ticket};
use crate::inbox::Inbox;
use crate::js::{Js, catch_stop};
use crate::ops::OpContext;
use crate::vm::{BuildSpec, CALLBACK, Globals, RunJob, Step, Vm};
use crate::{Extensions, RunOptions};

/// How long a stopped VM may take to come back before it is abandoned with its thread. Whatever stops at all stops within
/// a few milliseconds; the rest of the 100 ms that a caller is promised is for waking up on a busy machine.
const GRACE: Duration = Duration::from_millis(50);

/// How long a stopped VM may take before its thread is interrupted, and how often it is from then on.
const NUDGE: Duration = Duration::from_millis(2);

/// What holds a session's place while its VM is out: dropped when the VM is back, gone or abandoned, whatever became of the caller.
pub type Lease = Box<dyn Any + Send>;

/// Stops whatever a VM is doing, from anywhere. Stopping a VM that does nothing poisons it all the same.
#[derive(Clone)]
pub struct StopHandle(pub(crate) Arc<Control>);

impl StopHandle {
    /// Cancels the run.
    pub fn cancel(&self) {
        self.0.stop_with(StopReason::Cancelled, 0, 0);
    }
}

/// Where a run's VM comes from.
pub enum VmSource {
    /// The VM of an earlier run.
    Warm(Vm),
    /// A VM that is built in the run's first slice, under its deadline.
    Build(Build),
}

/// A VM to be built.
pub struct Build(BuildSpec);

impl Build {
    /// A VM with this configuration; what it writes goes to `console`, and its async ops run on `runtime`.
    pub fn new(config: EngineConfig, console: Console, runtime: Handle) -> Self {
        Self(BuildSpec { config, console, runtime, control: Arc::new(Control::new()) })
    }
}

impl VmSource {
    /// A handle that stops this VM.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(self.control().clone())
    }

    fn control(&self) -> &Arc<Control> {
        match self {
            Self::Warm(vm) => vm.control(),
            Self::Build(build) => &build.0.control,
        }
    }
}

/// One script to run on one VM.
pub struct Script {
    /// The body of an async function.
    pub source: Arc<str>,
    /// Bound to `args`.
    pub args: Json,
    /// What positions call the source.
    pub name: String,
    /// Checked already.
    pub options: Arc<RunOptions>,
    /// What ops find for as long as the session has no later run.
    pub extensions: Extensions,
    /// What ops find until the run ends.
    pub lent: Extensions,
    /// Gets console entries while the script runs.
    pub sink: Option<ConsoleSink>,
    /// Cancels the run.
    pub cancel: Option<CancellationToken>,
}

/// How a run ended, and what it leaves.
pub struct RunEnd {
    /// What the script returned, or why it did not.
    pub outcome: Result<Option<Json>, ScriptError>,
    /// The VM, unless it is gone. It may be poisoned.
    pub vm: Option<Vm>,
    /// Whether the script was given to a VM at all; otherwise nothing has changed.
    pub started: bool,
    /// The globals the run leaves; `None` if they could not be asked for.
    pub globals: Option<Globals>,
    /// What was written, and what had been written since the run before.
    pub console: ConsoleOutput,
    /// What was used.
    pub usage: Usage,
    /// The lease given to [`run`].
    pub lease: Lease,
}

/// Runs a script to its end.
///
/// Dropping the future stops the script and poisons its VM; the lease is then dropped as soon as the VM is gone or abandoned.
pub async fn run(executor: &Arc<Executor>, runtime: &Handle, vm: VmSource, script: Script, lease: Lease) -> RunEnd {
    let submitted = Instant::now();
    let console = match &vm {
        VmSource::Warm(vm) => vm.console().clone(),
        VmSource::Build(build) => build.0.console.clone(),
    };
    let control = vm.control().clone();
    let cancel = script.cancel.clone();
    let job = RunJob {
        source: script.source,
        args: script.args,
        name: script.name,
        options: script.options.clone(),
        context: OpContext { extensions: script.extensions, lent: script.lent },
        sink: script.sink,
    };
    let mut flight = Flight {
        executor: executor.clone(),
        runtime: runtime.clone(),
        control,
        state: State::Home(None),
        lease: Some(lease),
        queued: Duration::ZERO,
        console,
    };
    if flight.control.is_stopped() {
        // Stopped between two runs; the VM is of no use any more, and the script has not been looked at.
        let error = describe_stop(flight.control.stop().expect("it is stopped"));
        return flight.end(Err(error), None, false, submitted, 0);
    }
    let work = match vm {
        VmSource::Warm(vm) => Work::Start(vm, job),
        VmSource::Build(build) => Work::Build(build.0, job),
    };
    let mut outcome = if executor.accepts_runs() { flight.send(work, &script.options) } else { Err(work) };
    let mut started = false;
    loop {
        match outcome {
            Ok(()) => {}
            Err(work) => {
                // The queue is full, or too many threads are stuck; for a run that has begun, the executor is gone.
                let vm = work.into_vm();
                let error = if started {
                    ScriptError::internal("the threads that run scripts have ended")
                } else {
                    busy("too many scripts wait or are stuck")
                };
                return flight.end(Err(error), vm.filter(|_| !started), started, submitted, 0);
            }
        }
        let landed = flight.land(cancel.as_ref(), !started).await;
        let done = match landed {
            Landed::Back(done) => done,
            Landed::Withdrawn(work, error) => {
                let vm = work.into_vm().filter(|_| !started);
                return flight.end(Err(error), vm, started, submitted, 0);
            }
            Landed::Abandoned => {
                let error = flight.stop_error();
                return flight.end(Err(error), None, true, submitted, 0);
            }
            Landed::Lost => {
                let error = ScriptError::internal("the VM failed; this is a defect of the host, not of the script");
                return flight.end(Err(error), None, true, submitted, 0);
            }
        };
        started = true;
        flight.queued += done.waited;
        let Some(vm) = done.vm else {
            let outcome = match done.step {
                Step::Settled(outcome, _) => outcome,
                Step::Quiet | Step::Stopped => Err(flight.stop_error()),
            };
            return flight.end(outcome, None, true, submitted, 0);
        };
        let host_calls = vm.host_calls();
        match done.step {
            Step::Settled(result, globals) => {
                return flight.end_with(result, vm, Some(globals), submitted, host_calls);
            }
            Step::Stopped => {
                let error = flight.stop_error();
                return flight.end_with(Err(error), vm, None, submitted, host_calls);
            }
            Step::Quiet => {
                flight.state = State::Home(Some(vm));
                flight.wait(cancel.as_ref()).await;
                let State::Home(Some(vm)) = std::mem::replace(&mut flight.state, State::Home(None)) else {
                    unreachable!("the VM was put there above")
                };
                if flight.control.is_stopped() {
                    let error = flight.stop_error();
                    return flight.end_with(Err(error), vm, None, submitted, host_calls);
                }
                outcome = flight.send(Work::Resume(vm), &script.options);
            }
        }
    }
}

/// What becomes of an idle VM's callbacks: who holds the VM asks this to wait for the next.
pub struct Background {
    inbox: Arc<Inbox>,
    next_timer: Option<Instant>,
    has_jobs: bool,
}

impl Background {
    /// What the VM still expects, if anything.
    pub fn of(vm: &Vm) -> Option<Self> {
        (vm.expects_anything() && !vm.is_poisoned()).then(|| Self {
            inbox: vm.inbox().clone(),
            next_timer: vm.next_timer(),
            has_jobs: vm.has_jobs(),
        })
    }

    /// Waits until a callback could run.
    pub async fn ready(&self) {
        if self.has_jobs || !self.inbox.is_empty() {
            return;
        }
        tokio::select! {
            () = self.inbox.arrived.notified() => {}
            () = until(self.next_timer) => {}
        }
    }
}

/// Lets an idle VM's callbacks run for at most `budget` of CPU time. Returns the VM unless it is gone, with what was spent.
pub async fn pump(
    executor: &Arc<Executor>,
    runtime: &Handle,
    vm: Vm,
    budget: Duration,
    lease: Lease,
) -> (Option<Vm>, Duration, Lease) {
    let mut flight = Flight {
        executor: executor.clone(),
        runtime: runtime.clone(),
        control: vm.control().clone(),
        state: State::Home(None),
        lease: Some(lease),
        queued: Duration::ZERO,
        console: vm.console().clone(),
    };
    let (vm, spent) = match flight.dispatch(Work::Pump(vm, budget), Instant::now() + CALLBACK) {
        Err(work) => (work.into_vm(), Duration::ZERO),
        Ok(()) => match flight.land(None, true).await {
            Landed::Back(done) => (done.vm, done.pumped),
            Landed::Withdrawn(work, _) => (work.into_vm(), Duration::ZERO),
            Landed::Abandoned | Landed::Lost => (None, CALLBACK),
        },
    };
    (vm, spent, flight.lease.take().unwrap_or_else(|| Box::new(())))
}

/// A VM with a larger heap is dropped on an executor thread.
const SMALL_HEAP: usize = 4 << 20;

/// Drops a VM, and the lease after it; one whose heap takes a while to give back on an executor thread.
pub fn discard(executor: &Executor, vm: Vm, lease: Lease) {
    if vm.heap_bytes() <= SMALL_HEAP {
        drop(vm);
        return drop(lease);
    }
    let (sender, _) = oneshot::channel();
    // If there is no thread for it, dropping the work drops the VM here.
    let _ = executor.submit(Arc::new(Slice::new(Work::Drop(vm, lease), sender)), true);
}

fn busy(why: &str) -> ScriptError {
    ScriptError::new(ErrorKind::Busy, format!("{why}; nothing ran, try again later"))
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at.into()).await,
        None => pending().await,
    }
}

async fn cancelled(cancel: Option<&CancellationToken>) {
    match cancel {
        Some(token) => token.cancelled().await,
        None => pending().await,
    }
}

// ---- a VM under way -----------------------------------------------------------------------------------------------------

/// One run's VM between its owner and the executor. Dropping it in the middle stops the script and sees the VM off.
struct Flight {
    executor: Arc<Executor>,
    runtime: Handle,
    control: Arc<Control>,
    state: State,
    lease: Option<Lease>,
    queued: Duration,
    console: Console,
}

enum State {
    /// Here, waiting for something to arrive; or nothing is under way.
    Home(Option<Vm>),
    /// In the queue or on a thread.
    Away(Away),
}

struct Away {
    slice: Arc<Slice>,
    done: oneshot::Receiver<Done>,
    /// When to look whether a limit has run out, at the earliest.
    first_check: Instant,
    sent: Instant,
}

impl Away {
    fn task(&self) -> Arc<dyn Task> {
        self.slice.clone()
    }
}

enum Landed {
    Back(Box<Done>),
    /// It never got a thread.
    Withdrawn(Work, ScriptError),
    Abandoned,
    /// The thread panicked.
    Lost,
}

impl Flight {
    fn send(&mut self, work: Work, options: &RunOptions) -> Result<(), Work> {
        let now = Instant::now();
        let first_check = match &work {
            // The clocks start with the first slice; they cannot have run out before this.
            Work::Build(..) | Work::Start(..) => now + options.wall.min(options.cpu.unwrap_or(options.wall)),
            _ => {
                let check = self.control.next_check().unwrap_or(now + GRACE);
                self.control.pause();
                check
            }
        };
        self.dispatch(work, first_check)
    }

    fn dispatch(&mut self, work: Work, first_check: Instant) -> Result<(), Work> {
        let (sender, done) = oneshot::channel();
        // A run that has begun is not turned away: it could not be put off without losing what it did.
        let begun = matches!(work, Work::Resume(_));
        let slice = Arc::new(Slice::new(work, sender));
        if self.executor.submit(slice.clone(), begun).is_err() {
            return Err(slice.take().expect("nobody else has it").0);
        }
        self.state = State::Away(Away { slice, done, first_check, sent: Instant::now() });
        Ok(())
    }

    /// Waits for the VM to come back from the executor, and makes it come back when it is time.
    async fn land(&mut self, cancel: Option<&CancellationToken>, first: bool) -> Landed {
        let State::Away(away) = &mut self.state else { return Landed::Lost };
        let (executor, control) = (&self.executor, &self.control);
        let give_up = away.sent + executor.config().max_wait;
        let mut stopped_at = None;
        let mut check = pin!(sleep_until(away.first_check.min(give_up).into()));
        let landed = loop {
            let mut give_up_now = false;
            tokio::select! {
                biased;
                done = &mut away.done => break done.map_or(Landed::Lost, |done| Landed::Back(Box::new(done))),
                () = control.changed.notified(), if stopped_at.is_none() => {}
                () = cancelled(cancel), if stopped_at.is_none() => give_up_now = true,
                () = &mut check => {}
            }
            let now = Instant::now();
            let too_long = first && now >= give_up;
            if (control.is_stopped() || too_long || give_up_now) && away.slice.ticket.withdraw() {
                let Some((work, _)) = away.slice.take() else { break Landed::Lost };
                if give_up_now && !first {
                    control.stop_with(StopReason::Cancelled, 0, 0);
                }
                let error = match control.stop() {
                    Some(stop) => describe_stop(stop),
                    None if give_up_now => {
                        ScriptError::new(ErrorKind::Cancelled, "the run was cancelled before it began; nothing ran")
                    }
                    None => busy(&format!("no thread was free within {:?}", executor.config().max_wait)),
                };
                break Landed::Withdrawn(work, error);
            }
            if give_up_now {
                control.stop_with(StopReason::Cancelled, 0, 0);
            }
            let queued = away.slice.ticket.is_queued();
            if control.should_stop() {
                let at: Instant = *stopped_at.get_or_insert(now);
                // It has just ended after all, or is still queued; either shows at once.
                if now >= at + GRACE && executor.abandon(&away.task()) {
                    break Landed::Abandoned;
                }
                // What stops by itself does so at once; what does not is asked again and again, since it can only be
                // interrupted in some places.
                if now >= at + NUDGE {
                    away.slice.ticket.nudge();
                }
                check.as_mut().reset((now + NUDGE).min((at + GRACE).max(now + Duration::from_millis(1))).into());
            } else {
                let next = control.next_check().unwrap_or(now + GRACE).max(now + Duration::from_millis(1));
                check.as_mut().reset(if first && queued { next.min(give_up) } else { next }.into());
            }
        };
        self.state = State::Home(None);
        landed
    }

    /// Waits, with the VM at home and no thread held, until there is something for it to do or it is stopped.
    async fn wait(&mut self, cancel: Option<&CancellationToken>) {
        let State::Home(Some(vm)) = &self.state else { return };
        let inbox = vm.inbox().clone();
        let timer = vm.next_timer();
        loop {
            if !inbox.is_empty() || timer.is_some_and(|at| at <= Instant::now()) || self.control.should_stop() {
                return;
            }
            tokio::select! {
                () = inbox.arrived.notified() => {}
                () = until(timer) => {}
                () = until(self.control.deadline()) => {}
                () = self.control.changed.notified() => {}
                () = cancelled(cancel) => self.control.stop_with(StopReason::Cancelled, 0, 0),
            }
        }
    }

    fn stop_error(&self) -> ScriptError {
        self.control.stop().map_or_else(|| ScriptError::internal("the VM is gone without a reason"), describe_stop)
    }

    fn end_with(
        self,
        outcome: Result<Option<Json>, ScriptError>,
        vm: Vm,
        globals: Option<Globals>,
        submitted: Instant,
        host_calls: u64,
    ) -> RunEnd {
        let (heap, peak) = (vm.heap_bytes() as u64, vm.peak_heap_bytes() as u64);
        let mut end = self.end(outcome, Some(vm), true, submitted, host_calls);
        end.usage.heap_bytes = heap;
        end.usage.peak_heap_bytes = peak;
        end.globals = globals;
        end
    }

    fn end(
        mut self,
        outcome: Result<Option<Json>, ScriptError>,
        vm: Option<Vm>,
        started: bool,
        submitted: Instant,
        host_calls: u64,
    ) -> RunEnd {
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        // A run that never began leaves what callbacks wrote to the one that does.
        let console = if started { self.console.end_run() } else { ConsoleOutput::default() };
        let usage = Usage {
            wall_ms: if started { ms(submitted.elapsed().saturating_sub(self.queued)) } else { 0.0 },
            cpu_ms: if started { self.control.cpu_used() as f64 / 1e6 } else { 0.0 },
            queue_ms: ms(self.queued),
            host_calls,
            console_bytes: console.bytes,
            ..Usage::default()
        };
        RunEnd {
            outcome,
            vm,
            started,
            globals: None,
            console,
            usage,
            lease: self.lease.take().unwrap_or_else(|| Box::new(())),
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // After a regular end there is neither a VM nor a lease here any more.
        let Some(lease) = self.lease.take() else { return };
        self.control.stop_with(StopReason::Cancelled, 0, 0);
        self.console.forget_run();
        match std::mem::replace(&mut self.state, State::Home(None)) {
            State::Home(Some(vm)) => discard(&self.executor, vm, lease),
            State::Home(None) => drop(lease),
            State::Away(mut away) => {
                if away.slice.ticket.withdraw() {
                    if let Some(vm) = away.slice.take().and_then(|(work, _)| work.into_vm()) {
                        discard(&self.executor, vm, lease);
                    }
                    return;
                }
                let executor = self.executor.clone();
                // If the runtime is shutting down, the task is dropped at once; then nobody waits for the lease either.
                self.runtime.spawn(async move {
                    let until = Instant::now() + GRACE;
                    while tokio::time::timeout(NUDGE, &mut away.done).await.is_err() {
                        away.slice.ticket.nudge();
                        if Instant::now() >= until && executor.abandon(&away.task()) {
                            break;
                        }
                    }
                    drop(lease);
                });
            }
        }
    }
}

// ---- on the executor ----------------------------------------------------------------------------------------------------

enum Work {
    Build(BuildSpec, RunJob),
    Start(Vm, RunJob),
    Resume(Vm),
    Pump(Vm, Duration),
    Drop(Vm, #[expect(dead_code, reason = "dropped after the VM")] Lease),
}

impl Work {
    fn into_vm(self) -> Option<Vm> {
        match self {
            Self::Build(..) => None,
            Self::Start(vm, _) | Self::Resume(vm) | Self::Pump(vm, _) | Self::Drop(vm, _) => Some(vm),
        }
    }
}

struct Done {
    /// `None` if it could not be built.
    vm: Option<Vm>,
    step: Step,
    /// How long the slice waited for its thread.
    waited: Duration,
    pumped: Duration,
}

/// One slice of computing, on its way to a thread.
struct Slice {
    ticket: Ticket,
    sent: Instant,
    work: Mutex<Option<(Work, oneshot::Sender<Done>)>>,
    made: Mutex<Option<(Done, oneshot::Sender<Done>)>>,
}

impl Slice {
    fn new(work: Work, sender: oneshot::Sender<Done>) -> Self {
        Self {
            ticket: Ticket::new(),
            sent: Instant::now(),
            work: Mutex::new(Some((work, sender))),
            made: Mutex::new(None),
        }
    }

    fn take(&self) -> Option<(Work, oneshot::Sender<Done>)> {
        let mut work: MutexGuard<'_, _> = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.take()
    }
}

/// While this lives, the calling thread runs the VM; however it goes, nobody takes it for running it afterwards.
struct OnThread<'a>(&'a Control);

impl<'a> OnThread<'a> {
    fn enter(control: &'a Control) -> Self {
        control.enter_thread();
        Self(control)
    }
}

impl Drop for OnThread<'_> {
    fn drop(&mut self) {
        Js::left_thread();
        self.0.leave_thread();
    }
}

impl Task for Slice {
    fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    fn run(&self) {
        let Some((work, sender)) = self.take() else { return };
        let waited = self.sent.elapsed();
        let control = match &work {
            Work::Build(spec, _) => spec.control.clone(),
            Work::Start(vm, _) | Work::Resume(vm) | Work::Pump(vm, _) => vm.control().clone(),
            Work::Drop(..) => return,
        };
        let on_thread = OnThread::enter(&control);
        let mut pumped = Duration::ZERO;
        let (vm, step) = match work {
            Work::Build(spec, job) => {
                control.begin_run(job.options.wall, job.options.cpu);
                match catch_stop(|| Vm::build(spec)) {
                    Some(Ok(mut vm)) => {
                        let step = catch_stop(|| vm.start(job)).unwrap_or(Step::Stopped);
                        (Some(vm), step)
                    }
                    Some(Err(error)) => (None, Step::Settled(Err(error), Globals::default())),
                    None => (None, Step::Stopped),
                }
            }
            Work::Start(mut vm, job) => {
                control.begin_run(job.options.wall, job.options.cpu);
                let step = catch_stop(|| vm.start(job)).unwrap_or(Step::Stopped);
                (Some(vm), step)
            }
            Work::Resume(mut vm) => {
                control.unpause();
                let step = catch_stop(|| vm.resume()).unwrap_or(Step::Stopped);
                (Some(vm), step)
            }
            Work::Pump(mut vm, budget) => {
                pumped = catch_stop(|| vm.pump(budget)).unwrap_or(CALLBACK);
                (Some(vm), Step::Quiet)
            }
            Work::Drop(..) => return,
        };
        drop(on_thread);
        // Abandoned meanwhile: the VM is dropped here, on this thread.
        if self.ticket.finish() {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            *made = Some((Done { vm, step, waited, pumped }, sender));
        }
    }

    fn deliver(&self) {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((done, sender)) = made {
            // An error means that nobody waits any more; the VM is then dropped here.
            let _ = sender.send(done);
        }
    }
}
