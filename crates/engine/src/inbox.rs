use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::op_value::{OpResult, OpValue};
use crate::resources::Charge;

/// Listeners of one VM. Each keeps a function alive.
pub(crate) const MAX_LISTENERS: usize = 1000;
/// Events that wait in one VM, and bytes of them. They are outside of every run's memory, so they are few.
const MAX_EVENTS: usize = 1000;
const MAX_BYTES: usize = 1 << 20;
/// Those of one listener: no other loses any because one gets many.
const MAX_OF_ONE: usize = MAX_EVENTS / 4;
const MAX_BYTES_OF_ONE: usize = MAX_BYTES / 4;

/// What has come for a VM from outside. The only thing others hold of a VM.
#[derive(Default)]
pub(crate) struct Inbox {
    /// Cancelled when the VM is gone, or its thread has not come back.
    cancelled: CancellationToken,
    queue: Mutex<Queue>,
    /// Whoever holds the VM waits here; one who held it before may still be waiting, so all are woken, and a permit stays for one
    /// who comes later.
    pub(crate) arrived: Notify,
}

#[derive(Default)]
struct Queue {
    deliveries: VecDeque<Delivery>,
    listeners: HashMap<u32, Waiting>,
    last_listener: u32,
    events: usize,
    bytes: usize,
    /// Counts ends of loans: what an op of an earlier run asks for is not of this one.
    loans: u64,
    /// The VM is gone.
    is_closed: bool,
}

/// What waits for one listener.
#[derive(Default)]
struct Waiting {
    events: usize,
    bytes: usize,
    /// Events that there was no room for, since it was last told.
    dropped: u64,
    /// What sends to it was made, once.
    is_sent_to: bool,
    /// It ends with the loans of the run that it belongs to.
    ends_with_loans: bool,
    /// Events that waited when it ended.
    left: Arc<AtomicUsize>,
}

impl Waiting {
    fn ends(&self) {
        self.left.store(self.events, Ordering::Release);
    }
}

/// What comes for a VM. All come in the order in which they were sent.
pub(crate) enum Delivery {
    /// The answer to one async op.
    Reply {
        id: u32,
        result: OpResult,
        /// What the result takes until the script has it.
        held: Option<Charge>,
    },
    /// For one listener, with the number of those that there was no room for before it.
    Event { listener: u32, value: OpValue, dropped: u64 },
    /// Nothing more comes for this listener.
    Ended(u32),
}

/// Why an event is not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// Nobody listens any more: the script stopped, the run that lent what it listens to is over, or the VM is gone.
    #[error("nobody listens any more")]
    Gone,
    /// There is no room for it. The listener is told how many it has missed.
    #[error("{MAX_OF_ONE} events, or {MAX_BYTES_OF_ONE} bytes of them, wait for the listener already")]
    Full,
    /// No event may take so much.
    #[error("an event of {0} bytes is larger than {MAX_BYTES_OF_ONE}: send where it can be fetched")]
    TooLarge(usize),
}

/// Sends events to one listener of a script: from any thread, while a run is under way and between runs. Cheap to clone; with the last clone the
/// listener ends.
///
/// It keeps no VM warm and no session alive. Events between runs are handled under the session's background budget.
#[derive(Clone, Debug)]
pub struct EventSender(Arc<Sender>);

struct Sender {
    inbox: Arc<Inbox>,
    listener: u32,
    left: Arc<AtomicUsize>,
}

impl EventSender {
    /// Sends an event: the listener is called with it, after all that was sent before it, and with the number of events that it has missed. Never waits.
    ///
    /// # Errors
    /// If nobody listens any more, or there is no room.
    pub fn send(&self, event: impl Into<OpValue>) -> Result<(), EventError> {
        self.0.inbox.send(self.0.listener, event.into())
    }

    /// How many of the events that were sent wait to be handed over. Where nobody listens any more: how many never were.
    pub fn waiting(&self) -> usize {
        let queue = self.0.inbox.lock();
        queue
            .listeners
            .get(&self.0.listener)
            .map_or_else(|| self.0.left.load(Ordering::Acquire), |waiting| waiting.events)
    }

    /// Whether nobody listens any more.
    pub fn is_gone(&self) -> bool {
        self.0.inbox.cancelled.is_cancelled() || !self.0.inbox.listens(self.0.listener)
    }
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let queue = self.lock();
        f.debug_struct("Inbox")
            .field("deliveries", &queue.deliveries.len())
            .field("listeners", &queue.listeners.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.inbox.end(self.listener);
    }
}

impl Inbox {
    pub(crate) fn new(cancelled: CancellationToken) -> Self {
        Self { cancelled, ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reply(&self, id: u32, result: OpResult, held: Option<Charge>) {
        let mut queue = self.lock();
        if queue.is_closed {
            return;
        }
        queue.deliveries.push_back(Delivery::Reply { id, result, held });
        drop(queue);
        self.wake();
    }

    /// Wakes whoever waits.
    pub(crate) fn wake(&self) {
        self.arrived.notify_waiters();
        self.arrived.notify_one();
    }

    pub(crate) fn take(&self) -> Option<Delivery> {
        let mut queue = self.lock();
        let mut delivery = queue.deliveries.pop_front()?;
        if let Delivery::Event { listener, value, dropped } = &mut delivery {
            let size = value.size();
            queue.events -= 1;
            queue.bytes -= size;
            if let Some(waiting) = queue.listeners.get_mut(listener) {
                waiting.events -= 1;
                waiting.bytes -= size;
                // The next event would say so; if none comes, this one does.
                if waiting.events == 0 {
                    *dropped += std::mem::take(&mut waiting.dropped);
                }
            }
        }
        Some(delivery)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().deliveries.is_empty()
    }

    /// The VM is gone: nothing is kept for it any more.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.is_closed = true;
        let Queue { deliveries, listeners, .. } = std::mem::take(&mut *queue);
        queue.is_closed = true;
        drop(queue);
        drop((deliveries, listeners));
        self.wake();
    }

    // ---- listeners ----------------------------------------------------------------------------------------------------

    /// The number of a new listener; `None` if there are too many.
    pub(crate) fn listen(&self) -> Option<u32> {
        let mut queue = self.lock();
        if queue.listeners.len() >= MAX_LISTENERS {
            return None;
        }
        queue.last_listener += 1;
        let listener = queue.last_listener;
        queue.listeners.insert(listener, Waiting::default());
        Some(listener)
    }

    /// What sends to a listener, if there is one of this number that nothing sends to yet. For one that ends with the loans of a run: of which, as
    /// [`Self::loans`] said when it began.
    pub(crate) fn sender(self: &Arc<Self>, listener: u32, loans: Option<u64>) -> Option<EventSender> {
        let mut guard = self.lock();
        let queue = &mut *guard;
        let waiting = queue.listeners.get_mut(&listener).filter(|waiting| !waiting.is_sent_to)?;
        if loans.is_some_and(|loans| loans != queue.loans) {
            return None;
        }
        (waiting.is_sent_to, waiting.ends_with_loans) = (true, loans.is_some());
        let left = waiting.left.clone();
        Some(EventSender(Arc::new(Sender { inbox: self.clone(), listener, left })))
    }

    /// How often loans have ended.
    pub(crate) fn loans(&self) -> u64 {
        self.lock().loans
    }

    fn send(&self, listener: u32, value: OpValue) -> Result<(), EventError> {
        if self.cancelled.is_cancelled() {
            return Err(EventError::Gone);
        }
        let size = value.size();
        let mut guard = self.lock();
        let queue = &mut *guard;
        let Some(waiting) = queue.listeners.get_mut(&listener) else { return Err(EventError::Gone) };
        if size > MAX_BYTES_OF_ONE {
            waiting.dropped += 1;
            return Err(EventError::TooLarge(size));
        }
        if waiting.events >= MAX_OF_ONE
            || queue.events >= MAX_EVENTS
            || waiting.bytes + size > MAX_BYTES_OF_ONE
            || queue.bytes + size > MAX_BYTES
        {
            waiting.dropped += 1;
            return Err(EventError::Full);
        }
        waiting.events += 1;
        waiting.bytes += size;
        queue.events += 1;
        queue.bytes += size;
        let dropped = std::mem::take(&mut waiting.dropped);
        queue.deliveries.push_back(Delivery::Event { listener, value, dropped });
        drop(guard);
        self.wake();
        Ok(())
    }

    /// Nothing more comes for a listener; what waits for it does.
    fn end(&self, listener: u32) {
        let mut queue = self.lock();
        if queue.listeners.contains_key(&listener) {
            queue.deliveries.push_back(Delivery::Ended(listener));
            drop(queue);
            self.wake();
        }
    }

    /// A listener does not listen any more: what waits for it is gone.
    pub(crate) fn unlisten(&self, listener: u32) {
        let mut queue = self.lock();
        if let Some(waiting) = queue.listeners.remove(&listener) {
            waiting.ends();
            queue.forget(|of| of == listener);
        }
    }

    /// Ends the listeners that end with what the run was lent, and those that nothing sends to. Whether there were any.
    pub(crate) fn end_loans(&self) -> bool {
        let mut queue = self.lock();
        queue.loans += 1;
        if queue.listeners.is_empty() {
            return false;
        }
        let mut ended = Vec::new();
        queue.listeners.retain(|listener, waiting| {
            let is_over = waiting.ends_with_loans || !waiting.is_sent_to;
            if is_over {
                waiting.ends();
                ended.push(*listener);
            }
            !is_over
        });
        if !ended.is_empty() {
            queue.forget(|of| ended.contains(&of));
        }
        !ended.is_empty()
    }

    /// The first answer that has come, before the events that came before it.
    pub(crate) fn take_reply(&self) -> Option<Delivery> {
        let mut queue = self.lock();
        let at = queue.deliveries.iter().position(|delivery| matches!(delivery, Delivery::Reply { .. }))?;
        queue.deliveries.remove(at)
    }

    pub(crate) fn listens(&self, listener: u32) -> bool {
        self.lock().listeners.contains_key(&listener)
    }

    /// Whether anything may still be sent.
    pub(crate) fn has_listeners(&self) -> bool {
        self.lock().listeners.values().any(|waiting| waiting.is_sent_to)
    }
}

impl Queue {
    fn forget(&mut self, is_gone: impl Fn(u32) -> bool) {
        let (mut events, mut bytes) = (0, 0);
        self.deliveries.retain(|delivery| match delivery {
            Delivery::Event { listener, value, .. } if is_gone(*listener) => {
                events += 1;
                bytes += value.size();
                false
            }
            Delivery::Ended(listener) => !is_gone(*listener),
            _ => true,
        });
        self.events -= events;
        self.bytes -= bytes;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(delivery: Option<Delivery>) -> Option<(u32, u64)> {
        match delivery {
            Some(Delivery::Event { listener, dropped, .. }) => Some((listener, dropped)),
            _ => None,
        }
    }

    #[test]
    fn one_listener_s_flood_costs_no_other_an_event_and_is_counted() {
        let inbox = Arc::new(Inbox::default());
        let (noisy, quiet) = (inbox.listen().unwrap_or_default(), inbox.listen().unwrap_or_default());
        let (loud, soft) = (inbox.sender(noisy, None), inbox.sender(quiet, None));
        let (loud, soft) = (loud.expect("it listens"), soft.expect("it listens"));
        for n in 0..10 * MAX_EVENTS {
            let sent = loud.send(json!(n));
            assert_eq!(sent.is_ok(), n < MAX_OF_ONE, "{n}");
        }
        assert_eq!(soft.send(json!("here")), Ok(()));
        for _ in 0..MAX_OF_ONE - 1 {
            assert_eq!(event(inbox.take()), Some((noisy, 0)));
        }
        // The last one that there was room for says what was missed, since no other may come.
        let missed = (10 * MAX_EVENTS - MAX_OF_ONE) as u64;
        assert_eq!(event(inbox.take()), Some((noisy, missed)));
        assert_eq!(event(inbox.take()), Some((quiet, 0)));
        assert!(matches!(loud.send(json!("x".repeat(MAX_BYTES))), Err(EventError::TooLarge(_))));
    }

    #[test]
    fn nothing_waits_for_whoever_is_gone() {
        let inbox = Arc::new(Inbox::default());
        let listener = inbox.listen().unwrap_or_default();
        let sender = inbox.sender(listener, Some(0)).expect("it listens");
        assert!(inbox.sender(listener, None).is_none(), "something sends to it already");
        assert_eq!(sender.send(json!(1)), Ok(()));
        let unused = inbox.listen().unwrap_or_default();
        assert!(inbox.end_loans() && inbox.is_empty() && sender.is_gone() && !inbox.listens(unused));
        let late = inbox.listen().unwrap_or_default();
        assert!(inbox.sender(late, Some(0)).is_none(), "the run that asks is over");
        assert_eq!(sender.send(json!(1)), Err(EventError::Gone));
        let listener = inbox.listen().unwrap_or_default();
        let sender = inbox.sender(listener, None).expect("it listens");
        assert_eq!(sender.send(json!(1)), Ok(()));
        inbox.close();
        assert!(inbox.is_empty());
        assert_eq!(sender.send(json!(1)), Err(EventError::Gone));
        drop(sender);
        assert!(inbox.is_empty(), "the end of a sender keeps nothing either");
    }
}
