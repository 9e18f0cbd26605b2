//! `fetch`, behind a policy: <https://fetch.spec.whatwg.org/>.
//!
//! Confusable: a [`NetPolicy`] is what a call may reach; a [`NetState`] is what a session has used, and its cookies; [`Network`] is what the
//! process has: names, roots of trust, idle connections. Every hop of every request goes through `exchange`, and every connection through `dial`.

mod address;
mod cookies;
mod dial;
mod download;
mod exchange;
mod fetch;
mod multipart;
mod ops;
mod policy;
#[cfg(feature = "browser")]
mod proxy;
mod secrets;

pub use address::{AddressClass, AddressRange, classify};
pub use dial::{Network, Resolver, SystemResolver};
pub use policy::{NetLimits, NetPolicy, PolicyError, Rule};
#[cfg(feature = "browser")]
pub use proxy::{Pass, Proxy, Reach, Refusal};
pub use secrets::{SecretError, Secrets};

pub use ops::NetGrants;
pub use ops::ops;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use perennial_engine::{Area, OpError};
use tokio::sync::Notify;

use cookies::Jar;

use crate::area;

/// What scripts reach it by.
pub fn areas() -> Vec<Area> {
    area::each(&[&area::FETCH])
}

/// The contents of the parts of a form.
pub(crate) fn multipart_parts<'a>(boundary: &str, body: &'a [u8]) -> Option<Vec<&'a [u8]>> {
    let mut contents = Vec::new();
    let parsed = multipart::parse(boundary, body, |part| {
        contents.push(&body[part.content]);
        Ok::<(), std::convert::Infallible>(())
    });
    parsed.unwrap_or_default().map(|()| contents)
}

/// What one session has used of the network, and its cookies. It lives as long as the session.
#[derive(Debug, Default)]
pub struct NetState {
    requests: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    /// In nanoseconds.
    time: AtomicU64,
    jar: Mutex<Jar>,
    /// Requests that wait for their response.
    waiting: AtomicUsize,
    /// One of them does no longer.
    answered: Notify,
}

/// How much a session has used of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetUsage {
    /// Requests, redirects included.
    pub requests: u64,
    /// Bytes of bodies sent.
    pub sent: u64,
    /// Bytes of bodies received, as [`NetLimits::received`] counts them.
    pub received: u64,
    /// From each request to the end of its response's body.
    pub time: Duration,
}

/// Counts the time of one request until it is dropped.
struct Stopwatch {
    state: Arc<NetState>,
    since: Instant,
}

impl Stopwatch {
    fn start(state: &Arc<NetState>) -> Self {
        Self { state: state.clone(), since: Instant::now() }
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        let spent = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.state.time.fetch_add(spent, Ordering::Relaxed);
    }
}

/// One of the requests that wait for their response, until it is dropped.
struct Waiting<'s>(&'s NetState);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        // All of them: policies may differ in how many they allow.
        self.0.answered.notify_waiters();
    }
}

impl NetState {
    /// What was used so far.
    pub fn usage(&self) -> NetUsage {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        NetUsage {
            requests: read(&self.requests),
            sent: read(&self.sent),
            received: read(&self.received),
            time: Duration::from_nanos(read(&self.time)),
        }
    }

    fn charge(count: &AtomicU64, more: u64, limit: u64, what: &str) -> Result<(), OpError> {
        let used = count.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        if used <= limit {
            return Ok(());
        }
        Err(OpError::quota(format!("the session may have {limit} {what} and would have {used}"), limit, used))
    }

    /// Waits until fewer than `most` wait for their response.
    async fn turn(&self, most: usize) -> Waiting<'_> {
        loop {
            let mut answered = std::pin::pin!(self.answered.notified());
            // What is answered from here on is not missed.
            answered.as_mut().enable();
            let one_more = |count: usize| (count < most).then_some(count + 1);
            if self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok() {
                return Waiting(self);
            }
            answered.await;
        }
    }

    fn charge_request(&self, limits: &NetLimits) -> Result<(), OpError> {
        let time = Duration::from_nanos(self.time.load(Ordering::Relaxed));
        if time > limits.total_time {
            let (limit, used) = (limits.total_time.as_millis() as u64, time.as_millis() as u64);
            let message = format!("the session may spend {limit} ms on requests to the network and has spent {used}");
            return Err(OpError::quota(message, limit, used));
        }
        Self::charge(&self.requests, 1, limits.requests, "requests to the network")
    }

    fn charge_sent(&self, bytes: u64, limits: &NetLimits) -> Result<(), OpError> {
        Self::charge(&self.sent, bytes, limits.sent, "bytes sent to the network")
    }

    fn charge_received(&self, bytes: u64, limits: &NetLimits) -> Result<(), OpError> {
        Self::charge(&self.received, bytes, limits.received, "bytes received from the network")
    }
}
