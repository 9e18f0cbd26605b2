//! What preparing sources may take: parsing happens outside of the VM, whose limits do not see it.

use std::any::Any;
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use perennial_engine::Budget;

/// Bytes that all sources which are being prepared may take together in this process; who comes later waits.
const MOST: u64 = 512 << 20;
/// Who took more than this sees to it that the memory goes back to the system.
const TRIMMED: u64 = 16 << 20;
/// How often somebody who waits looks whether that is still wanted.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Default)]
struct Gate {
    taken: Mutex<u64>,
    freed: Condvar,
}

/// One for the process: it has one memory.
static GATE: LazyLock<Gate> = LazyLock::new(Gate::default);

/// Holds its share until it is dropped.
struct Pass(u64);

impl Drop for Pass {
    fn drop(&mut self) {
        // The allocator would keep it for the next one.
        if self.0 > TRIMMED {
            perennial_engine::trim_memory();
        }
        *GATE.taken.lock().unwrap_or_else(PoisonError::into_inner) -= self.0;
        GATE.freed.notify_all();
    }
}

/// Why a source is not prepared.
pub(crate) enum Denied {
    /// It would take more than the run may have.
    TooLarge { limit: u64, used: u64 },
    /// The run was stopped while it waited.
    Stopped,
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge { limit, used } => write!(
                f,
                "preparing the source would take about {used} bytes of memory, more than the {limit} that the run may have: make it shorter, or pass data as args"
            ),
            Self::Stopped => f.write_str("the run was stopped"),
        }
    }
}

/// Waits until a source that takes so many bytes may be prepared. Blocks, on the thread of the run.
pub(crate) fn admit(bytes: u64, budget: &Budget) -> Result<Box<dyn Any>, Denied> {
    if bytes == 0 {
        return Ok(Box::new(()));
    }
    let limit = budget.memory_bytes() as u64;
    if bytes > limit {
        return Err(Denied::TooLarge { limit, used: bytes });
    }
    // One that is larger than everything there is goes alone.
    let share = bytes.min(MOST);
    let mut taken = GATE.taken.lock().unwrap_or_else(PoisonError::into_inner);
    while *taken + share > MOST {
        if budget.is_stopped() {
            return Err(Denied::Stopped);
        }
        (taken, _) = GATE.freed.wait_timeout(taken, LOOK).unwrap_or_else(PoisonError::into_inner);
    }
    *taken += share;
    Ok(Box::new(Pass(share)))
}
