use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use perennial_sessions::Clock;
use tokio::sync::watch;

/// A clock that stands still until [`ManualClock::advance`] is called.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: Arc<watch::Sender<Instant>>,
    made: (Instant, SystemTime),
}

impl ManualClock {
    /// A clock that shows the time at which it was made.
    #[expect(clippy::new_without_default, reason = "a default would hide that it depends on the time")]
    pub fn new() -> Self {
        let made = (Instant::now(), SystemTime::now());
        Self { now: Arc::new(watch::Sender::new(made.0)), made }
    }

    /// Moves the clock, the time of day with it; whoever sleeps until then wakes up.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now += by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        *self.now.borrow()
    }

    fn wall(&self) -> SystemTime {
        self.made.1 + (self.now() - self.made.0)
    }

    fn sleep_until(&self, at: Instant) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            // The sender lives as long as the table that sleeps; if it is gone, there is nothing to wake up for.
            if now.wait_for(|now| *now >= at).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
