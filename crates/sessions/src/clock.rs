use std::future::Future;
use std::pin::Pin;
use std::time::{Instant, SystemTime};

/// The clock that retention goes by: idle times, lifetimes, tombstones, background budgets. Scripts' deadlines go by real time.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Instant;
    /// The time of day now, for people: when a session was made, when it ended. Nothing is decided by it.
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
    /// Completes when the clock has reached `at`.
    fn sleep_until(&self, at: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The real clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, at: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep_until(at.into()))
    }
}
