//! JavaScript sessions that remember, for Rust programs.
//!
//! This crate re-exports [`perennial_sessions`] and, behind the feature `server`, the Model Context Protocol server; it has no
//! logic of its own. Begin at [`SessionTable`].
//!
//! A panic must unwind in the program that embeds this: scripts are stopped by unwinding, and one panic costs one session.

pub use perennial_sessions::{
    Allow, Area, Bound, BrowserSession, Budget, CacheCounts, CancellationToken, Capabilities, Capability, Clock,
    CompiledBundle, ConsoleSink, Description, EndReason, Ended, EngineConfig, ErrorKind, EventError, EventSender,
    ExecutorConfig, Extensions, Grant, Grants, Holds, InRun, Library, LibraryError, Loan, ModuleAccess, OpContext,
    OpError, OpFuture, OpResult, OpScope, OpTable, OpValue, OutcomeError, Own, Owner, OwnerLimits, Plugin,
    PluginFailure, PluginHost, PluginOptions, PluginSet, Provided, Provision, Provisions, Report, Run, RunContext,
    RunOptions, RunRequest, RunScope, ScriptError, ScriptResult, Session, SessionInfo, SessionKey, SessionTable, Slot,
    StopReason, SystemClock, TableBuilder, TableConfig, Tool, Vars, VarsError, VarsQuota, VarsUsage, commands,
    did_you_mean, files, live_runtimes, modules_compiled, net, node, protocol, provided_modules, quickjs_version,
    supervisor_main, use_supervisor, use_utc,
};

#[cfg(feature = "server")]
pub use perennial_server as server;

/// The page for embedders, whose examples are run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/embedding.md")]
mod embedding {}
