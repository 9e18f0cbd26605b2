//! Runs that compute on the threads of whoever calls.
//!
//! A program that has proven short, in a VM that is warm and waits for nothing, is not worth a change of threads. It computes in a task of its own on the caller's runtime,
//! awaited like any other, so that `select!`, `join!`, timeouts and drops act as ever. What takes longer than it is welcome hands the worker's core to another thread at the
//! next poll of the VM, and its program goes to the executor from then on.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::executor::{Executor, Task};
use crate::js::{stack_left, unblock_nudges};

/// Where a run computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Placement {
    /// On threads of the executor.
    #[default]
    Executor,
    /// A run whose script has proven short in its VM on a worker of the runtime that calls, at most on half of them at a time; all others on the executor.
    /// For embedders who vouch for their scripts: one that is stuck in a built-in holds the worker, and what else waits for that one, until its deadline.
    Caller,
}

/// How long a slice may take that computes on somebody else's thread.
pub(crate) const WELCOME: Duration = Duration::from_micros(200);
/// How long another thread takes to come for a worker's core, the first time.
const HAND_OVER: Duration = Duration::from_micros(150);
/// Stack beyond that of JavaScript: for native functions, and for leaving a VM.
const HEADROOM: usize = 512 << 10;

/// One that computes on a runtime, or is about to. Its place is free again when this is dropped.
struct Visit {
    executor: Arc<Executor>,
    task: Arc<dyn Task>,
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.executor.end_visit(&self.task);
    }
}

impl Executor {
    /// Has a task computed on the runtime of whoever calls, if that is one with several workers of which enough are left. Until it is through, the executor asks whoever
    /// waits for it now and then to look at the clocks.
    pub(crate) fn visit(self: &Arc<Self>, task: &Arc<dyn Task>, stack_bytes: usize) -> bool {
        let Ok(runtime) = Handle::try_current() else { return false };
        if runtime.runtime_flavor() != RuntimeFlavor::MultiThread {
            return false;
        }
        if !self.begin_visit(task, &runtime, runtime.metrics().num_workers() / 2) {
            return false;
        }
        let visit = Visit { executor: self.clone(), task: task.clone() };
        runtime.spawn(async move {
            let task = visit.task.clone();
            if stack_left().is_some_and(|left| left >= stack_bytes + HEADROOM) {
                unblock_nudges();
                visit.executor.compute(&task);
                // Before anybody hears of it, who may come with the next.
                drop(visit);
                task.deliver();
            } else {
                // If there is no thread either, the run is `busy` after a while.
                let _ = visit.executor.submit(task.clone(), true);
                task.look();
            }
        });
        true
    }
}

/// Lets another thread have what waits for this worker. It may be that none takes it in that time; the next time is longer.
pub(crate) fn hand_over(before: u32) {
    tokio::task::block_in_place(|| std::thread::sleep(HAND_OVER * 10_u32.pow(before.min(2))));
}
