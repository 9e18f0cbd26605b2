use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::control::{CALLBACK, Control};
use crate::executor::{Task, Ticket};
use crate::held::Held;
use crate::js::{Js, catch_stop};
use crate::placement::WELCOME;
use crate::script::Script;
use crate::vm::{BuildSpec, Globals, Step, Vm};

/// How many times as long as a slice may compute it may take on somebody else's thread.
const UNSEEN: u32 = 10;

pub(super) enum Work {
    Build(BuildSpec, Script),
    Start(Vm, Script),
    Resume(Vm),
    Pump(Vm, Duration),
    Drop(Vm, #[expect(dead_code, reason = "dropped after the VM")] Box<dyn Held>),
}

impl Work {
    pub(super) fn into_vm(self) -> Option<Vm> {
        match self {
            Self::Build(..) => None,
            Self::Start(vm, _) | Self::Resume(vm) | Self::Pump(vm, _) | Self::Drop(vm, _) => Some(vm),
        }
    }
}

pub(super) struct Done {
    /// `None` if it could not be built.
    pub(super) vm: Option<Vm>,
    pub(super) step: Step,
    /// How long the slice waited for its thread.
    pub(super) waited: Duration,
    pub(super) pumped: Duration,
}

/// One slice of computing, on its way to a thread.
pub(super) struct Slice {
    pub(super) ticket: Ticket,
    /// Of its VM; none where it is to be dropped.
    control: Option<Arc<Control>>,
    pub(super) sent: Instant,
    pub(super) work: Mutex<Option<(Work, oneshot::Sender<Done>)>>,
    pub(super) made: Mutex<Option<(Done, oneshot::Sender<Done>)>>,
}

impl Slice {
    pub(super) fn new(work: Work, sender: oneshot::Sender<Done>) -> Self {
        let control = match &work {
            Work::Build(spec, _) => Some(spec.control.clone()),
            Work::Start(vm, _) | Work::Resume(vm) | Work::Pump(vm, _) => Some(vm.control().clone()),
            Work::Drop(..) => None,
        };
        Self {
            ticket: Ticket::new(),
            control,
            sent: Instant::now(),
            work: Mutex::new(Some((work, sender))),
            made: Mutex::new(None),
        }
    }

    pub(super) fn take(&self) -> Option<(Work, oneshot::Sender<Done>)> {
        let mut work: MutexGuard<'_, _> = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        work.take()
    }
}

/// While this lives, the calling thread runs the VM; however it goes, nobody takes it for running it afterwards.
pub(super) struct OnThread<'a>(&'a Control);

impl<'a> OnThread<'a> {
    fn enter(control: &'a Control) -> Self {
        control.enter_thread();
        Self(control)
    }
}

impl Drop for OnThread<'_> {
    fn drop(&mut self) {
        Js::left_thread();
        self.0.end_visit();
        self.0.leave_thread();
    }
}

impl Task for Slice {
    fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    fn look(&self) -> bool {
        let Some(control) = &self.control else { return false };
        control.changed.notify_one();
        control.should_stop()
    }

    fn run(&self) {
        let Some((work, sender)) = self.take() else { return };
        let waited = self.sent.elapsed();
        let Some(control) = &self.control else { return };
        let on_thread = OnThread::enter(control);
        if self.ticket.visits() {
            control.visit(WELCOME);
        }
        let mut pumped = Duration::ZERO;
        let since = Instant::now();
        let is_first = matches!(work, Work::Start(..));
        let (mut vm, step) = match work {
            Work::Build(spec, script) => {
                control.begin_run(script.options.wall, script.options.cpu);
                match catch_stop(|| Vm::build(spec)) {
                    Some(Ok(mut vm)) => {
                        let step = catch_stop(|| vm.start(script)).unwrap_or(Step::Stopped);
                        (Some(vm), step)
                    }
                    // A stop makes calls fail before it is noticed where the VM can be left.
                    Some(Err(_)) if control.should_stop() => (None, Step::Stopped),
                    Some(Err(error)) => (None, Step::Settled(Err(error), Globals::default())),
                    None => (None, Step::Stopped),
                }
            }
            Work::Start(mut vm, script) => {
                control.begin_run(script.options.wall, script.options.cpu);
                let step = catch_stop(|| vm.start(script)).unwrap_or(Step::Stopped);
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
        if is_first && let Some(vm) = &mut vm {
            // A native function may have waited, which counts if it was for long: the thread may only have been without a core.
            let waited = if self.ticket.visits() { since.elapsed() / UNSEEN } else { Duration::ZERO };
            let computed = Duration::from_nanos(control.cpu_used());
            vm.note_pace(computed.max(waited), matches!(step, Step::Settled(..)));
        }
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
