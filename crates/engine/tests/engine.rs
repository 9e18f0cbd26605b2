//! One VM at a time, without sessions.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod engine {
    pub mod harness;
    mod hostile;
    mod smoke;
}
