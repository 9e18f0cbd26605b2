//! One QuickJS VM: how it is built, run, stopped and dropped. Knows no file, no network, no browser and no session.
//!
//! * [`run`]: one script on one [`Vm`], from the caller's future to an executor thread and back.
//! * [`RunOptions`]: the limits of a run. [`StopReason`]: what stopped one.
//! * [`EngineConfig`], [`OpTable`], [`Area`]: what scripts can reach.
//! * [`Console`]: what they wrote. [`Background`], [`pump`]: what they left running.
//! * [`Executor`]: the threads.

mod bridge;
mod config;
mod console;
mod control;
mod error;
mod executor;
mod host;
mod inbox;
mod js;
mod limits;
mod ops;
mod run;
mod timers;
mod vm;

pub use config::{Area, EngineConfig};
pub use console::{Console, ConsoleOutput, ConsoleSink};
pub use control::StopReason;
pub use executor::{Executor, ExecutorConfig};
pub use limits::RunOptions;
pub use ops::{Extensions, OpContext, OpError, OpFuture, OpResult, OpTable, OpValue, bytes_to_json};
pub use run::{Background, Build, Lease, RunEnd, Script, StopHandle, VmSource, discard, pump, run};
pub use vm::{Globals, Vm};

/// QuickJS runtimes that exist in this process, abandoned ones included.
pub fn live_runtimes() -> usize {
    js::Js::live()
}

/// Hands memory that dropped VMs left behind back to the system, where the allocator has to be told (glibc).
/// Takes a while on a fragmented heap: not for a thread that serves requests.
pub fn trim_memory() {
    js::trim_heap();
}

/// The version of QuickJS that is linked.
pub fn quickjs_version() -> &'static str {
    js::Scope::engine_version()
}
