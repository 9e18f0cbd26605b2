//! Commands: what scripts may run, and what they have running.
//!
//! Confusable: a [`CommandSet`] is what a call may run; [`SessionProcs`] are what a session has running, which outlives its VMs and dies with it. A
//! *keeper* is the process that watches over one command, the *supervisor* the one that makes keepers.
//!
//! `launch` starts processes; `supervisor`, `keeper`, `tree` and `cgroup` are what runs outside of the host; `host` and `process` are its side of that.

mod cgroup;
mod declaration;
mod fill;
mod helper;
mod host;
mod keeper;
mod launch;
mod logs;
mod mark;
mod once;
mod ops;
mod ports;
mod process;
mod registry;
mod remove;
mod started;
mod supervisor;
mod tree;
mod wire;

pub use declaration::{CommandSet, Declaration, DeclarationError, Output, Ready, Restart, Run};
pub use helper::{Helper, HelperError};
pub use host::{prepare, supervisor_main, use_supervisor};
pub use ops::CommandGrants;
pub use registry::{ProcessLimits, ProcessUsage, SessionProcs};
pub use wire::Limits;

pub use ops::ops;

use perennial_engine::Area;

/// What scripts reach them by.
pub fn areas() -> Vec<Area> {
    vec![
        Area::new("commands", &["CommandError", "commands"], include_str!("../js/commands.js"))
            .with_internals(&["commandsFor"]),
    ]
}
