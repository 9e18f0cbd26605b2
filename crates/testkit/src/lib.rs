//! What Perennial's own tests share.
//!
//! * [`ManualClock`]: a clock that moves when a test says so.
//! * [`transcript`]: sessions written down as Markdown, with the expected results beside the runs.
//! * [`Footprint`]: what a process holds, for leak tests.
//! * [`hostile`]: attacks, made from bytes.

mod clock;
mod footprint;
pub mod hostile;
pub mod transcript;

pub use clock::ManualClock;
pub use footprint::Footprint;

use std::time::Duration;

/// Waits until `condition` holds, yielding in between; for what another thread is about to do.
///
/// # Panics
/// If it does not hold within ten seconds.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let reached = tokio::time::timeout(Duration::from_secs(10), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(reached.await.is_ok(), "{what} did not happen within ten seconds");
}
