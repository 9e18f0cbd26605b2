//! Attacks in numbers: `cargo xtask hostile [sources|calls|storm|memory] [SECONDS]`.
//!
//! * `sources`: searches, by mutation, for the source of each size that takes this process the most time or memory, and the parser beside it.
//! * `calls`: the same for calls of native operations.
//! * `storm`: 64 sessions attack at once while an honest one runs `1+1` every 10 ms.
//! * `memory`: the largest that this program and its children become while eight hostile scripts run at a time.
//!
//! It ends with 1 if something is out of its bound.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its output is what it is for")]

mod calls;
mod memory;
mod search;
mod sources;
mod storm;

use std::process::ExitCode;
use std::time::Duration;

/// Counts what the search for sources takes.
#[global_allocator]
static ALLOCATED: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

fn main() -> ExitCode {
    perennial_sessions::supervisor_main();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seconds = arguments.get(1).map_or(Ok(60), |text| text.parse());
    let (Some(what), Ok(seconds)) = (arguments.first(), seconds) else {
        eprintln!("hostile sources|calls|storm|memory [SECONDS]");
        return ExitCode::from(2);
    };
    let time = Duration::from_secs(seconds);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let complaints = match &**what {
        "sources" => sources::search(time),
        "calls" => runtime.block_on(calls::search(time)),
        "storm" => runtime.block_on(storm::storm(time)),
        "memory" => runtime.block_on(memory::measure(time)),
        _ => vec![format!("there is no '{what}'")],
    };
    for complaint in &complaints {
        println!("out of bounds: {complaint}");
    }
    ExitCode::from(u8::from(!complaints.is_empty()))
}
