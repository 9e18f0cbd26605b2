use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use perennial_protocol::{ErrorKind, ScriptError, Usage};
use serde_json::Value as Json;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::slice::{Done, Slice, Work};
use super::{RunEnd, discard};
use crate::RunOptions;
use crate::console::{Console, ConsoleOutput};
use crate::control::{Control, StopReason};
use crate::error::describe_stop;
use crate::executor::{Executor, Task};
use crate::held::Held;
use crate::vm::{Globals, Vm};

/// How long a stopped VM may take to come back before it is abandoned with its thread. Whatever stops at all stops within
/// a few milliseconds; the rest of the 100 ms that a caller is promised is for waking up on a busy machine.
const GRACE: Duration = Duration::from_millis(50);

/// How long a stopped VM may take before its thread is interrupted, and how often it is from then on.
const NUDGE: Duration = Duration::from_millis(2);

/// One run's VM between its owner and the executor. Dropping it in the middle stops the script and sees the VM off.
pub(super) struct Flight {
    pub(super) executor: Arc<Executor>,
    pub(super) runtime: Handle,
    pub(super) control: Arc<Control>,
    pub(super) state: Whereabouts,
    pub(super) held: Option<Box<dyn Held>>,
    pub(super) queued: Duration,
    pub(super) console: Console,
}

pub(super) enum Whereabouts {
    /// Here, waiting for something to arrive; or nothing is under way.
    Home(Option<Vm>),
    /// In the queue or on a thread.
    Away(Away),
}

pub(super) struct Away {
    slice: Arc<Slice>,
    done: oneshot::Receiver<Done>,
    /// When to look whether a limit has run out, at the earliest. None while the executor looks: a timer that is set and cleared again costs more than most of what
    /// computes on somebody else's thread.
    first_check: Option<Instant>,
    sent: Instant,
}

impl Away {
    pub(super) fn task(&self) -> Arc<dyn Task> {
        self.slice.clone()
    }
}

pub(super) enum Landed {
    Back(Box<Done>),
    /// It never got a thread.
    Withdrawn(Work, Box<ScriptError>),
    Abandoned,
    /// The thread panicked.
    Lost,
}

impl Flight {
    pub(super) fn send(&mut self, work: Work, options: &RunOptions, visits: bool) -> Result<(), Work> {
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
        self.dispatch(work, first_check, visits.then_some(options.stack_bytes))
    }

    /// `visits` has the bytes of stack that the work needs where it may be done on the caller's runtime.
    pub(super) fn dispatch(&mut self, work: Work, first_check: Instant, visits: Option<usize>) -> Result<(), Work> {
        let (sender, done) = oneshot::channel();
        // A run that has begun is not turned away: it could not be put off without losing what it did.
        let begun = matches!(work, Work::Resume(_));
        let slice = Arc::new(Slice::new(work, sender));
        let task: Arc<dyn Task> = slice.clone();
        let visits = visits.is_some_and(|stack_bytes| self.executor.visit(&task, stack_bytes));
        if !visits && self.executor.submit(task, begun).is_err() {
            return Err(slice.take().expect("nobody else has it").0);
        }
        let first_check = (!visits).then_some(first_check);
        self.state = Whereabouts::Away(Away { slice, done, first_check, sent: Instant::now() });
        Ok(())
    }

    /// Waits for the VM to come back from the executor, and makes it come back when it is time.
    pub(super) async fn land(&mut self, cancel: Option<&CancellationToken>, first: bool) -> Landed {
        let Whereabouts::Away(away) = &mut self.state else { return Landed::Lost };
        let (executor, control) = (&self.executor, &self.control);
        let give_up = away.sent + executor.config().max_wait;
        let mut stopped_at = None;
        let mut check = pin!(until(away.first_check.map(|at| at.min(give_up))));
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
                break Landed::Withdrawn(work, Box::new(error));
            }
            if give_up_now {
                control.stop_with(StopReason::Cancelled, 0, 0);
            }
            let queued = away.slice.ticket.is_queued();
            if control.should_stop() {
                let at: Instant = *stopped_at.get_or_insert(now);
                // It has just ended after all, or is still queued; either shows at once.
                if now >= at + GRACE && executor.abandon(&away.task(), &mut self.held) {
                    // Nothing comes for it any more.
                    self.control.ops.cancel();
                    break Landed::Abandoned;
                }
                // What stops by itself does so at once; what does not is asked again and again, since it can only be
                // interrupted in some places.
                if now >= at + NUDGE {
                    away.slice.ticket.nudge();
                }
                check.set(until(Some((now + NUDGE).min((at + GRACE).max(now + Duration::from_millis(1))))));
            } else {
                let next = control.next_check().unwrap_or(now + GRACE).max(now + Duration::from_millis(1));
                check.set(until(Some(if first && queued { next.min(give_up) } else { next })));
            }
        };
        self.state = Whereabouts::Home(None);
        landed
    }

    /// Waits, with the VM at home and no thread held, until there is something for it to do or it is stopped.
    pub(super) async fn wait(&mut self, cancel: Option<&CancellationToken>) {
        let Whereabouts::Home(Some(vm)) = &self.state else { return };
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

    pub(super) fn stop_error(&self) -> ScriptError {
        self.control.stop().map_or_else(|| ScriptError::internal("the VM is gone without a reason"), describe_stop)
    }

    pub(super) fn end_with(
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

    pub(super) fn end(
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
        let mut usage = Usage::default();
        if started {
            usage.wall_ms = ms(submitted.elapsed().saturating_sub(self.queued));
            usage.cpu_ms = self.control.cpu_used() as f64 / 1e6;
        }
        (usage.queue_ms, usage.host_calls, usage.console_bytes) = (ms(self.queued), host_calls, console.bytes);
        RunEnd {
            outcome,
            vm,
            started,
            globals: None,
            console,
            usage,
            held: self.held.take().unwrap_or_else(|| Box::new(())),
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        // After a regular end there is neither a VM nor anything held here any more.
        let Some(held) = self.held.take() else { return };
        self.control.stop_with(StopReason::Cancelled, 0, 0);
        self.console.forget_run();
        match std::mem::replace(&mut self.state, Whereabouts::Home(None)) {
            Whereabouts::Home(Some(vm)) => discard(&self.executor, vm, held),
            Whereabouts::Home(None) => drop(held),
            Whereabouts::Away(mut away) => {
                if away.slice.ticket.withdraw() {
                    if let Some(vm) = away.slice.take().and_then(|(work, _)| work.into_vm()) {
                        discard(&self.executor, vm, held);
                    }
                    return;
                }
                let (executor, mut held) = (self.executor.clone(), Some(held));
                // If the runtime is shutting down, the task is dropped at once; then nobody waits for what is held either.
                self.runtime.spawn(async move {
                    let until = Instant::now() + GRACE;
                    while tokio::time::timeout(NUDGE, &mut away.done).await.is_err() {
                        away.slice.ticket.nudge();
                        if Instant::now() >= until && executor.abandon(&away.task(), &mut held) {
                            break;
                        }
                    }
                    drop(held);
                });
            }
        }
    }
}

pub(super) fn busy(why: &str) -> ScriptError {
    ScriptError::new(ErrorKind::Busy, format!("{why}; nothing ran, try again later"))
}

pub(super) async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at.into()).await,
        None => pending().await,
    }
}

pub(super) async fn cancelled(cancel: Option<&CancellationToken>) {
    match cancel {
        Some(token) => token.cancelled().await,
        None => pending().await,
    }
}
