//! JavaScript sessions that remember, for Rust programs.
//!
//! This crate re-exports [`perennial_sessions`] and, behind the feature `mcp`, the Model Context Protocol server; it has no
//! logic of its own. Begin at [`SessionTable`].
//!
//! A panic must unwind in the program that embeds this: scripts are stopped by unwinding, and one panic costs one session.

#[cfg(feature = "browser")]
pub use perennial_browser as chromium;
#[cfg(feature = "browser")]
pub use perennial_sessions::browser;
#[cfg(feature = "commands")]
pub use perennial_sessions::commands;
#[cfg(feature = "net")]
pub use perennial_sessions::net;
#[cfg(feature = "modules")]
pub use perennial_sessions::{
    Allow, Capabilities, CompiledBundle, ModuleAccess, Plugin, PluginFailure, PluginOptions, PluginSet, Tool,
    did_you_mean, provided_modules,
};
pub use perennial_sessions::{
    Area, Bound, BoxFuture, BrowserSession, Budget, CacheCounts, CancellationToken, Capability, ChangeKind, Changes,
    Checkpoint, CheckpointRef, Clock, ConsoleSink, Denied, Description, EndReason, Ended, EngineConfig, ErrorKind,
    EventError, EventSender, ExecutorConfig, Extensions, Grant, Grants, Holds, InRun, Library, LibraryError, Loan,
    OpContext, OpError, OpFuture, OpResult, OpScope, OpTable, OpValue, OutcomeError, Own, Owner, OwnerLimits,
    Placement, PluginHost, Provided, Provision, Provisions, RebuildReason, Restorer, Run, RunContext, RunOptions,
    RunRequest, RunScope, ScriptError, ScriptResult, Session, SessionInfo, SessionKey, SessionTable, Slot, Snapshot,
    StateChange, StateChanges, StopReason, SystemClock, TableBuilder, TableConfig, Vars, VarsError, VarsQuota,
    VarsUsage, VmOrigin, files, live_runtimes, modules_compiled, node, protocol, quickjs_version, use_utc,
};
#[cfg(any(feature = "commands", feature = "typescript"))]
pub use perennial_sessions::{supervisor_main, use_supervisor};

#[cfg(feature = "mcp")]
pub use perennial_server as server;

/// A folder of the host among a session's files, by an older name.
pub type PathSandbox = files::Mount;

/// The page on browsers, whose example compiles.
#[cfg(all(doctest, feature = "browser"))]
#[doc = include_str!("../../../docs/browser.md")]
mod browsers {}

/// The page for embedders, whose examples are run.
#[cfg(all(doctest, feature = "mcp", feature = "net", feature = "commands"))]
#[doc = include_str!("../../../docs/embedding.md")]
mod embedding {}
