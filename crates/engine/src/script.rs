use std::sync::Arc;

use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use crate::console::ConsoleSink;
use crate::limits::RunOptions;
use crate::ops::Extensions;
use crate::program::{MakeProgram, Program};

/// One script to run on one VM. It goes to the VM as a whole.
pub struct Script {
    /// Makes the program, on the thread that runs it and within the run's limits.
    pub prepare: MakeProgram,
    /// What that will make, if it is known and the run may compute where it is called ([`Placement::Caller`](crate::Placement)).
    pub known: Option<Arc<Program>>,
    /// Bound to `args`.
    pub args: Json,
    /// What positions call the source.
    pub name: String,
    /// Checked already.
    pub options: Arc<RunOptions>,
    /// What ops find for as long as the session has no later run.
    pub extensions: Extensions,
    /// What ops find until the run ends.
    pub lent: Extensions,
    /// Gets console entries while the script runs.
    pub sink: Option<ConsoleSink>,
    /// Cancels the run.
    pub cancel: Option<CancellationToken>,
}
