use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Instant;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::lock::lock;
use crate::record::Record;

/// When to look at which session next. An entry may be too early, since runs do not touch it: it is then put back at its true
/// time. So a run costs the reaper nothing, and looking costs one entry a session and idle time.
#[derive(Default)]
pub(crate) struct Deadlines {
    heap: Mutex<BinaryHeap<Reverse<Entry>>>,
    /// How many entries are of sessions that have ended otherwise.
    ended: AtomicUsize,
    /// The earliest deadline has changed.
    pub(crate) changed: Notify,
    /// The table is gone.
    pub(crate) closed: CancellationToken,
}

struct Entry {
    at: Instant,
    record: Weak<Record>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl Deadlines {
    /// Looks at the record at `at`, unless it has an entry already.
    pub(crate) fn add(&self, record: &Arc<Record>, at: Instant) {
        if record.set_queued(true) {
            return;
        }
        let is_first = {
            let mut heap = lock(&self.heap);
            let is_first = heap.peek().is_none_or(|Reverse(first)| at < first.at);
            heap.push(Reverse(Entry { at, record: Arc::downgrade(record) }));
            is_first
        };
        if is_first {
            self.changed.notify_one();
        }
    }

    /// A session that has an entry has ended. Once such entries are the most, they are thrown out, so that sessions that come and go
    /// leave nothing until their time would have come.
    pub(crate) fn count_ended(&self) {
        let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
        if ended < 1000 {
            return;
        }
        let mut heap = lock(&self.heap);
        if ended > heap.len() / 2 {
            heap.retain(|Reverse(entry)| entry.record.upgrade().is_some_and(|record| record.end_reason().is_none()));
            heap.shrink_to_fit();
            self.ended.store(0, Ordering::Relaxed);
        }
    }

    /// Whether an entry is due.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.next().is_some_and(|at| at <= now)
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        lock(&self.heap).peek().map(|Reverse(entry)| entry.at)
    }

    /// Takes a record whose entry is due; `None` when there is no more. The record has no entry then.
    pub(crate) fn take_due(&self, now: Instant) -> Option<Arc<Record>> {
        let mut heap = lock(&self.heap);
        while heap.peek().is_some_and(|Reverse(entry)| entry.at <= now) {
            let Some(Reverse(entry)) = heap.pop() else { break };
            if heap.capacity() > 64 && heap.len() < heap.capacity() / 4 {
                heap.shrink_to_fit();
            }
            if let Some(record) = entry.record.upgrade() {
                record.set_queued(false);
                return Some(record);
            }
        }
        None
    }
}
