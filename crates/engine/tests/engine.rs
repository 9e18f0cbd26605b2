//! One VM at a time, without sessions.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod engine {
    mod bridge;
    mod harness;
    mod ops;
}
