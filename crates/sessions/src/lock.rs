use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock whose data a panic leaves whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
