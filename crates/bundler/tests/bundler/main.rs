//! What becomes of sources, without a VM.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod cells;
mod fuzz;
mod modules;
