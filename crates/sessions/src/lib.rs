//! Named sessions that remember, over VMs that may be thrown away at any moment.
//!
//! * [`SessionTable`]: all sessions of one process. [`SessionTable::run`] is the whole of it in one call.
//! * [`Slot`], [`BrowserSession`]: one session, pinned and then locked, for callers that want more than one call.
//! * [`TableConfig`]: the retention policy and the default limits. [`RunContext`]: what one call brings.
//! * [`Vars`], [`files::Files`]: what outlives every VM. [`Provision`]: one kind of what sessions have, an embedder's own among them.
//!
//! Confusable: a *slot* pins a session's record (it is neither reaped nor replaced while held); the *guard* that
//! [`Slot::lock`] gives is the execution guard; what is *in flight* with a run is what its VM holds while it is out, and may outlive both.

#![cfg_attr(
    not(feature = "modules"),
    allow(dead_code, reason = "what plugins may ask for is declared where there are none")
)]

mod advice;
mod background;
mod briefing;
mod builder;
#[cfg(feature = "modules")]
mod bundle;
mod capability;
#[cfg(not(feature = "typescript"))]
#[path = "plain.rs"]
mod cells;
#[cfg(feature = "typescript")]
mod cells;
mod checkpoints;
mod clock;
mod config;
mod context;
mod custody;
mod durable;
mod epochs;
mod generation;
mod in_flight;
mod info;
mod key;
mod library;
mod lock;
#[cfg(feature = "modules")]
mod modules;
mod owner;
#[cfg(not(feature = "modules"))]
#[path = "no_plugins.rs"]
mod plugins;
#[cfg(feature = "modules")]
mod plugins;
mod pool;
#[cfg(feature = "typescript")]
mod preparer;
mod provision;
mod provisions;
mod ready;
mod reaper;
mod record;
mod registry;
mod rewind;
mod run;
mod session;
mod shared;
mod slot;
#[cfg(any(feature = "commands", feature = "typescript"))]
mod supervise;
mod table;
mod tombstones;
mod vars;

pub use builder::TableBuilder;
#[cfg(feature = "modules")]
pub use bundle::CompiledBundle;
pub use capability::{Capability, Grants, PluginHost};
pub use clock::{Clock, SystemClock};
pub use config::TableConfig;
pub use context::{Grant, Loan, RunContext};
pub use durable::{Changes, Restorer, Snapshot};
pub use info::{CacheCounts, SessionInfo};
pub use key::SessionKey;
pub use library::{Library, LibraryError};
#[cfg(feature = "modules")]
pub use modules::{ModuleAccess, provided_modules};
#[cfg(feature = "modules")]
pub use owner::PluginChanges;
pub use owner::{Owner, Session};
#[cfg(feature = "typescript")]
pub use perennial_bundler as bundler;
pub use perennial_engine::{
    Area, Bound, Budget, ConsoleSink, Denied, EngineConfig, EventError, EventSender, ExecutorConfig, Extensions,
    OpContext, OpError, OpFuture, OpResult, OpScope, OpTable, OpValue, Placement, RunOptions, StopReason, did_you_mean,
    live_runtimes, modules_compiled, quickjs_version, use_utc,
};
#[cfg(any(feature = "commands", feature = "typescript"))]
pub use perennial_keeper::use_supervisor;
pub use perennial_protocol as protocol;
pub use perennial_protocol::{
    ChangeKind, Checkpoint, CheckpointRef, EndReason, ErrorKind, OutcomeError, RebuildReason, RunRequest, ScriptError,
    ScriptResult, StateChange, StateChanges, VmOrigin,
};
#[cfg(feature = "browser")]
pub use perennial_stdlib::browser;
#[cfg(feature = "commands")]
pub use perennial_stdlib::commands;
#[cfg(feature = "net")]
pub use perennial_stdlib::net;
pub use perennial_stdlib::{files, node};
#[cfg(feature = "modules")]
pub use plugins::{Allow, Capabilities, Plugin, PluginFailure, PluginOptions, PluginSet, Tool};
#[cfg(feature = "typescript")]
pub use preparer::LimitedPreparer;
pub use provision::{BoxFuture, Description, Ended, Holds, InRun, Own, Provided, Provision, RunScope};
pub use provisions::Provisions;
pub use registry::OwnerLimits;
pub use run::Run;
pub use session::BrowserSession;
pub use slot::Slot;
#[cfg(any(feature = "commands", feature = "typescript"))]
pub use supervise::supervisor_main;
pub use table::SessionTable;
pub use tokio_util::sync::CancellationToken;
pub use vars::{Vars, VarsError, VarsQuota, VarsUsage};
