//! The data that crosses Perennial's boundaries, and nothing else: no behaviour beyond constructing and (de)serialising.
//!
//! * [`RunRequest`]: what a caller sends.
//! * [`ScriptResult`], [`ScriptError`], [`Usage`], [`ConsoleEntry`]: what it gets back.
//!
//! Every type serialises with serde and has a JSON schema; [`result_schema`] is the published one of a result.

mod bound;
mod checkpoint;
mod error;
mod line;
mod request;
mod result;

pub use bound::json_bytes;
pub use checkpoint::{Checkpoint, CheckpointRef, StateChange, StateChanges};
pub use error::{Cause, ErrorKind, ScriptError};
pub use line::IdScan;
pub use request::{RunRequest, request_schema};
pub use result::{
    ChangeKind, ConsoleEntry, ConsoleLevel, EndReason, FileChange, OutcomeError, ProducedFile, RebuildReason,
    ScriptResult, ShownImage, Status, Usage, VmOrigin, result_schema,
};
