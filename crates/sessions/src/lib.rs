//! Named sessions that remember, over VMs that may be thrown away at any moment.
//!
//! * [`SessionTable`]: all sessions of one process. [`SessionTable::run`] is the whole of it in one call.
//! * [`Slot`], [`BrowserSession`]: one session, pinned and then locked, for callers that want more than one call.
//! * [`TableConfig`]: the retention policy and the default limits. [`RunContext`]: what one call brings.
//! * [`Vars`], [`files::Files`]: what outlives every VM. [`Provision`]: one kind of what sessions have, an embedder's own among them.
//!
//! Confusable: a *slot* pins a session's record (it is neither reaped nor replaced while held); the *guard* that
//! [`Slot::lock`] gives is the execution guard; the *lease* inside a run is what a VM under way holds, and may outlive both.

mod background;
mod builder;
mod bundle;
mod capability;
mod clock;
mod config;
mod context;
mod custody;
mod epochs;
mod generation;
mod info;
mod key;
mod lease;
mod library;
mod lock;
mod modules;
mod owner;
mod plugins;
mod pool;
mod preparer;
mod programs;
mod provision;
mod provisions;
mod reaper;
mod record;
mod registry;
mod run;
mod session;
mod shared;
mod slot;
mod table;
mod tombstones;
mod vars;

pub use builder::TableBuilder;
pub use bundle::CompiledBundle;
pub use capability::{Capability, Grants, PluginHost};
pub use clock::{Clock, SystemClock};
pub use config::TableConfig;
pub use context::{Grant, Loan, RunContext};
pub use info::SessionInfo;
pub use key::SessionKey;
pub use library::{Library, LibraryError};
pub use modules::{ModuleAccess, provided_modules};
pub use owner::{Owner, Session};
pub use perennial_bundler as bundler;
pub use perennial_engine::{
    Area, Bound, Budget, ConsoleSink, EngineConfig, EventError, EventSender, ExecutorConfig, Extensions, OpContext,
    OpError, OpFuture, OpResult, OpScope, OpTable, OpValue, RunOptions, StopReason, live_runtimes, modules_compiled,
    quickjs_version, use_utc,
};
pub use perennial_keeper::use_supervisor;
pub use perennial_protocol as protocol;
pub use perennial_protocol::{EndReason, ErrorKind, OutcomeError, RunRequest, ScriptError, ScriptResult};
pub use perennial_stdlib::{commands, files, net, node};
pub use plugins::{Allow, Capabilities, Plugin, PluginFailure, PluginOptions, PluginSet, Tool, did_you_mean};
pub use preparer::{Preparation, supervisor_main};
pub use programs::CacheCounts;
pub use provision::{Description, Ended, Holds, InRun, Own, Provided, Provision, Report, RunScope};
pub use provisions::Provisions;
pub use registry::OwnerLimits;
pub use run::Run;
pub use session::BrowserSession;
pub use slot::Slot;
pub use table::SessionTable;
pub use tokio_util::sync::CancellationToken;
pub use vars::{Vars, VarsError, VarsQuota, VarsUsage};
