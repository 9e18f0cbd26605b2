use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::budget::Budget;
use crate::op_value::OpError;

/// How many things one VM may hold outside its heap.
const MAX_RESOURCES: usize = 1000;

/// What the library of one VM holds outside the heap, by number: a stream's compressor, an open file, the body of a response. It goes with
/// the VM at the latest.
///
/// What is held counts against the memory limit of the run that adds it, beside the heap, not together with it.
#[derive(Clone, Debug, Default)]
pub struct Resources(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    last: u32,
    bytes: usize,
    held: HashMap<u32, Held>,
}

#[derive(Debug)]
struct Held {
    value: Arc<dyn Any + Send + Sync>,
    bytes: usize,
}

impl Inner {
    fn take(&mut self, bytes: usize, budget: &Budget) -> Result<(), OpError> {
        let (limit, total) = (budget.memory_bytes(), self.bytes.saturating_add(bytes));
        if total > limit {
            let message =
                format!("what the host holds for this VM would take {total} bytes, and its memory limit is {limit}");
            return Err(OpError::quota(message, limit as u64, total as u64));
        }
        self.bytes = total;
        Ok(())
    }
}

/// Bytes that are held outside the heap. They count until this is dropped.
#[derive(Debug)]
pub struct Charge {
    resources: Resources,
    bytes: usize,
}

impl Charge {
    /// Counts so many bytes more.
    ///
    /// # Errors
    /// As [`Resources::charge`]; then nothing more is counted.
    pub fn grow(&mut self, bytes: usize, budget: &Budget) -> Result<(), OpError> {
        self.resources.lock().take(bytes, budget)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.resources.lock().bytes -= self.bytes;
    }
}

impl Resources {
    /// Holds a value that takes so many bytes.
    ///
    /// # Errors
    /// `QuotaExceededError` if there are too many, or all together take more than the run's memory limit.
    pub fn add<T: Send + Sync + 'static>(&self, value: T, bytes: usize, budget: &Budget) -> Result<u32, OpError> {
        self.add_shared(Arc::new(value), bytes, budget)
    }

    /// As [`Self::add`], for what somebody else has too.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_shared<T: Send + Sync + 'static>(
        &self,
        value: Arc<T>,
        bytes: usize,
        budget: &Budget,
    ) -> Result<u32, OpError> {
        let mut inner = self.lock();
        let count = inner.held.len() + 1;
        if count > MAX_RESOURCES {
            let message =
                format!("{MAX_RESOURCES} files, streams and connections are open already: close some of them first");
            return Err(OpError::quota(message, MAX_RESOURCES as u64, count as u64));
        }
        inner.take(bytes, budget)?;
        inner.last = inner.last.wrapping_add(1);
        let id = inner.last;
        inner.held.insert(id, Held { value, bytes });
        Ok(id)
    }

    /// Counts so many bytes more as long as what this returns is there.
    ///
    /// # Errors
    /// `QuotaExceededError` if all together would take more than the run's memory limit.
    pub fn charge(&self, bytes: usize, budget: &Budget) -> Result<Charge, OpError> {
        let mut charge = Charge { resources: self.clone(), bytes: 0 };
        charge.grow(bytes, budget)?;
        Ok(charge)
    }

    /// The value of this number and type.
    ///
    /// # Errors
    /// `TypeError` if there is none, any more perhaps.
    pub fn get<T: Send + Sync + 'static>(&self, id: u32) -> Result<Arc<T>, OpError> {
        let value = self.lock().held.get(&id).map(|held| held.value.clone());
        value.and_then(|value| value.downcast().ok()).ok_or_else(|| OpError::type_error("it is closed"))
    }

    /// Puts another value in the place of one that is held, whose bytes are counted already; whether that was there.
    pub fn replace<T: Send + Sync + 'static>(&self, id: u32, value: T) -> bool {
        let mut inner = self.lock();
        let before = inner.held.get_mut(&id).map(|held| std::mem::replace(&mut held.value, Arc::new(value)));
        drop(inner);
        before.is_some()
    }

    /// Lets go of it; whether it was there.
    pub fn remove(&self, id: u32) -> bool {
        let mut inner = self.lock();
        let held = inner.held.remove(&id);
        inner.bytes -= held.as_ref().map_or(0, |held| held.bytes);
        // What it is made of is dropped without the lock.
        drop(inner);
        held.is_some()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lock().held.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_stays_within_the_memory_limit_and_is_given_back() {
        let budget = Budget { memory_bytes: 100, ..Budget::default() };
        let resources = Resources::default();
        let first = resources.add("a".to_owned(), 60, &budget).expect("there is room");
        let refused = resources.add("b".to_owned(), 41, &budget).expect_err("60 and 41 are more than 100");
        assert_eq!(refused.numbers, Some((100, 101)));
        assert_eq!(*resources.get::<String>(first).expect("it is there"), "a");
        assert!(resources.get::<u32>(first).is_err(), "of another type");
        assert!(resources.remove(first) && !resources.remove(first));
        resources.add("b".to_owned(), 100, &budget).expect("there is room again");
    }

    #[test]
    fn there_are_only_so_many() {
        let budget = Budget { memory_bytes: 100, ..Budget::default() };
        let resources = Resources::default();
        for _ in 0..MAX_RESOURCES {
            resources.add((), 0, &budget).expect("there is room");
        }
        assert!(resources.add((), 0, &budget).is_err());
        assert_eq!(resources.len(), MAX_RESOURCES);
    }
}
