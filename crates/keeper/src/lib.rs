//! Processes that die with us. Knows no engine and no session.
//!
//! * [`Process`]: a program that runs, and all that it starts. Dropped, all of it is killed; so it is when this process ends, however it went.
//! * [`Helper`]: our own program, started again for work that must not be able to hurt this process.
//! * [`supervisor_main`]: for the first line of `main`. [`use_supervisor`] names a program that has it.
//!
//! Confusable: a *keeper* is the process that watches over one program, the *supervisor* the one that makes keepers, the *host* this process.
//!
//! `launch` starts processes; `supervisor`, `keeper`, `tree` and `cgroup` are what runs outside of the host; `host` and `process` are its side of that.

mod cgroup;
mod helper;
mod host;
mod keeper;
mod launch;
mod mark;
mod process;
mod remove;
mod supervisor;
mod tree;
mod wire;

pub use helper::{Helper, HelperError};
pub use host::{HostError, Tenant, make_folder_in_scratch, prepare, scratch, supervisor_main, use_supervisor};
pub use process::{Process, Signals, Stage, StartError, Streams};
pub use remove::remove;
pub use wire::{Ended, Limits, Measured, Request};
