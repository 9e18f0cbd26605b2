//! The order in which a client's calls came: rmcp gives each a task of its own, and these begin in any order.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use rmcp::model::RequestId;
use tokio::sync::Notify;

/// Calls that were read and have not begun.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order(Arc<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    calls: Mutex<VecDeque<RequestId>>,
    changed: Notify,
}

impl Order {
    fn calls(&self) -> MutexGuard<'_, VecDeque<RequestId>> {
        self.0.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call was read.
    pub(crate) fn came(&self, id: RequestId) {
        self.calls().push_back(id);
    }

    /// A call has begun, or was answered without.
    pub(crate) fn goes(&self, id: &RequestId) {
        let mut calls = self.calls();
        if let Some(at) = calls.iter().position(|known| known == id) {
            calls.remove(at);
            drop(calls);
            self.0.changed.notify_waiters();
        }
    }

    /// Begins a call when all have begun that came before: what it waits for it has asked for then, as runs of a session do that wait for each other.
    pub(crate) async fn begin<T>(&self, id: &RequestId, call: impl Future<Output = T>) -> T {
        // However this ends, those behind it go on.
        let place = Place { order: self, id };
        loop {
            let changed = self.0.changed.notified();
            let mut changed = pin!(changed);
            // Before it is looked at: nothing is missed that happens in between.
            changed.as_mut().enable();
            if self.calls().iter().position(|known| known == id).is_none_or(|at| at == 0) {
                break;
            }
            changed.await;
        }
        let mut call = pin!(call);
        let begun = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        drop(place);
        match begun {
            Poll::Ready(done) => done,
            Poll::Pending => call.await,
        }
    }
}

struct Place<'a> {
    order: &'a Order,
    id: &'a RequestId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.order.goes(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_begin_as_they_came_and_one_that_is_dropped_holds_up_nobody() {
        let order = Order::default();
        let begun = Arc::new(Mutex::new(Vec::new()));
        for id in 0..5 {
            order.came(RequestId::Number(id));
        }
        let call = |id: i64| {
            let (order, begun) = (order.clone(), begun.clone());
            tokio::spawn(async move {
                let work = async {
                    begun.lock().unwrap_or_else(PoisonError::into_inner).push(id);
                    // The next begins without waiting for the end of this one.
                    std::future::pending::<()>().await;
                };
                order.begin(&RequestId::Number(id), work).await;
            })
        };
        let late: Vec<_> = [4, 3, 1].map(call).into();
        tokio::task::yield_now().await;
        assert!(begun.lock().unwrap_or_else(PoisonError::into_inner).is_empty());
        // One is dropped while it waits, one was answered without having begun.
        late[2].abort();
        let first = call(0);
        order.goes(&RequestId::Number(2));
        let all = async {
            while begun.lock().unwrap_or_else(PoisonError::into_inner).len() < 3 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), all).await.expect("they begin");
        assert_eq!(*begun.lock().unwrap_or_else(PoisonError::into_inner), [0, 3, 4]);
        first.abort();
    }
}
