//! Commands: what scripts may run, and what they have running.
//!
//! Confusable: a [`CommandSet`] is what a call may run; [`SessionProcs`] are what a session has running, which outlives its VMs and dies with it.
//! The processes are [`perennial_keeper`]'s.

mod declaration;
mod fill;
mod logs;
mod once;
mod ops;
mod ports;
mod registry;
mod started;

pub use declaration::{CommandSet, Declaration, DeclarationError, Output, Ready, Restart, Run};
pub use ops::CommandGrants;
pub use registry::{ProcessLimits, ProcessUsage, SessionProcs};

pub use ops::ops;

use perennial_engine::Area;
pub use perennial_keeper::{Limits, prepare};

use crate::area;

/// What scripts reach them by.
pub fn areas() -> Vec<Area> {
    area::each(&[&area::COMMANDS])
}
