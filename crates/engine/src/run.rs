mod flight;
mod slice;

use std::sync::Arc;
use std::time::{Duration, Instant};

use perennial_protocol::{ScriptError, Usage};
use serde_json::Value as Json;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use self::flight::{Flight, Landed, Whereabouts, busy, until};
use self::slice::{Slice, Work};
use crate::config::EngineConfig;
use crate::console::{Console, ConsoleOutput};
use crate::control::{CALLBACK, Control, StopHandle};
use crate::error::describe_stop;
use crate::executor::Executor;
use crate::held::Held;
use crate::inbox::Inbox;
use crate::script::Script;
use crate::vm::{BuildSpec, Globals, Step, Vm};

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
    /// The held given to [`run`].
    pub held: Box<dyn Held>,
}

/// Runs a script to its end.
///
/// Dropping the future stops the script and poisons its VM; what is held is then dropped as soon as the VM is gone or abandoned.
pub async fn run(
    executor: &Arc<Executor>,
    runtime: &Handle,
    vm: VmSource,
    script: Script,
    held: Box<dyn Held>,
) -> RunEnd {
    let submitted = Instant::now();
    let console = match &vm {
        VmSource::Warm(vm) => vm.console().clone(),
        VmSource::Build(build) => build.0.console.clone(),
    };
    let control = vm.control().clone();
    let (cancel, options) = (script.cancel.clone(), script.options.clone());
    let mut flight = Flight {
        executor: executor.clone(),
        runtime: runtime.clone(),
        control,
        state: Whereabouts::Home(None),
        held: Some(held),
        queued: Duration::ZERO,
        console,
    };
    if flight.control.is_stopped() {
        // Stopped between two runs; the VM is of no use any more, and the script has not been looked at.
        let error = describe_stop(flight.control.stop().expect("it is stopped"));
        return flight.end(Err(error), None, false, submitted, 0);
    }
    let visits = match (&vm, &script.known) {
        (VmSource::Warm(vm), Some(program)) => vm.is_short(program, &script.args),
        _ => false,
    };
    let work = match vm {
        VmSource::Warm(vm) => Work::Start(vm, script),
        VmSource::Build(build) => Work::Build(build.0, script),
    };
    let mut outcome = flight.send(work, &options, visits);
    let mut started = false;
    loop {
        match outcome {
            Ok(()) => {}
            Err(work) => {
                // The queue is full, or no thread is to be had; for a run that has begun, the executor is gone.
                let vm = work.into_vm();
                let error = if started {
                    ScriptError::internal("the threads that run scripts have ended")
                } else {
                    busy("too many scripts wait for a thread")
                };
                return flight.end(Err(error), vm.filter(|_| !started), started, submitted, 0);
            }
        }
        let landed = flight.land(cancel.as_ref(), !started).await;
        let done = match landed {
            Landed::Back(done) => done,
            Landed::Withdrawn(work, error) => {
                let vm = work.into_vm().filter(|_| !started);
                return flight.end(Err(*error), vm, started, submitted, 0);
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
                flight.state = Whereabouts::Home(Some(vm));
                flight.wait(cancel.as_ref()).await;
                let Whereabouts::Home(Some(vm)) = std::mem::replace(&mut flight.state, Whereabouts::Home(None)) else {
                    unreachable!("the VM was put there above")
                };
                if flight.control.is_stopped() {
                    let error = flight.stop_error();
                    return flight.end_with(Err(error), vm, None, submitted, host_calls);
                }
                outcome = flight.send(Work::Resume(vm), &options, false);
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
    held: Box<dyn Held>,
) -> (Option<Vm>, Duration, Box<dyn Held>) {
    let mut flight = Flight {
        executor: executor.clone(),
        runtime: runtime.clone(),
        control: vm.control().clone(),
        state: Whereabouts::Home(None),
        held: Some(held),
        queued: Duration::ZERO,
        console: vm.console().clone(),
    };
    let (vm, spent) = match flight.dispatch(Work::Pump(vm, budget), Instant::now() + CALLBACK, None) {
        Err(work) => (work.into_vm(), Duration::ZERO),
        Ok(()) => match flight.land(None, true).await {
            Landed::Back(done) => (done.vm, done.pumped),
            Landed::Withdrawn(work, _) => (work.into_vm(), Duration::ZERO),
            Landed::Abandoned | Landed::Lost => (None, CALLBACK),
        },
    };
    (vm, spent, flight.held.take().unwrap_or_else(|| Box::new(())))
}

/// A VM with a larger heap is dropped on an executor thread.
const SMALL_HEAP: usize = 4 << 20;

/// Drops a VM, and what is held after it; one whose heap takes a while to give back on an executor thread.
pub fn discard(executor: &Executor, vm: Vm, held: Box<dyn Held>) {
    if vm.heap_bytes() <= SMALL_HEAP {
        drop(vm);
        return drop(held);
    }
    let (sender, _) = oneshot::channel();
    // If there is no thread for it, dropping the work drops the VM here.
    let _ = executor.submit(Arc::new(Slice::new(Work::Drop(vm, held), sender)), true);
}
