use std::sync::Arc;
use std::time::Duration;

use crate::control::Control;

/// What work for a run may take, and whether it is still wanted.
#[derive(Clone, Default)]
pub struct Budget {
    pub(crate) control: Option<Arc<Control>>,
    pub(crate) memory_bytes: usize,
    /// It is that of a callback between two runs.
    pub(crate) is_background: bool,
}

impl Budget {
    /// The memory limit of the run, which the VM's heap and what is done for the run each have to keep.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Whether the VM was stopped, or has to be: its time is over. Whoever works or waits on its thread asks at least every few milliseconds.
    pub fn is_stopped(&self) -> bool {
        self.control.as_ref().is_some_and(|control| control.should_stop())
    }

    /// Counts what another process or thread has computed for the run as CPU time of the run.
    pub fn charge_cpu(&self, time: Duration) {
        if let Some(control) = &self.control {
            control.charge_cpu(time);
        }
    }

    /// Counts what another thread has done, or waited for the host's disks, for a callback between two runs. What a run does counts by its own clocks.
    pub fn charge_background(&self, time: Duration) {
        if let Some(control) = self.control.as_ref().filter(|_| self.is_background) {
            control.owe(time);
        }
    }
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget").field("memory_bytes", &self.memory_bytes).finish_non_exhaustive()
    }
}
