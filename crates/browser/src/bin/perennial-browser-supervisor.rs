//! Starts browsers for this crate's tests, which cannot be started again as a supervisor, and ends them when a test is gone.

fn main() {
    perennial_keeper::supervisor_main(|_| {});
}
