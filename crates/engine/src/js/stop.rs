use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What a stop unwinds with.
struct Stopped;

/// Leaves the VM: unwinds to the innermost [`catch_stop`], through QuickJS. The VM must not be entered again.
pub(super) fn leave() -> ! {
    // Not a panic anybody is to read about: the hook is not called.
    resume_unwind(Box::new(Stopped))
}

/// Runs what enters a VM. `None` if the VM was stopped and has been left.
pub(crate) fn catch_stop<T>(enter: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(enter)) {
        Ok(value) => Some(value),
        Err(payload) if payload.is::<Stopped>() => None,
        Err(payload) => resume_unwind(payload),
    }
}

/// Runs code of the host inside of a native function. A panic is returned; a stop goes on.
pub(super) fn catch_panic<T>(call: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Err(payload) if payload.is::<Stopped>() => resume_unwind(payload),
        outcome => outcome,
    }
}
