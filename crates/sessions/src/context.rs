use perennial_engine::{ConsoleSink, Extensions};
#[cfg(feature = "browser")]
use perennial_stdlib::browser::Browser;
#[cfg(feature = "commands")]
use perennial_stdlib::commands::CommandSet;
use perennial_stdlib::files::{Artifacts, Mounts};
#[cfg(feature = "net")]
use perennial_stdlib::net::{NetPolicy, Secrets};
use perennial_stdlib::node::Environment;
use tokio_util::sync::CancellationToken;

#[cfg(feature = "modules")]
use crate::modules::{BundleImports, ModuleAccess};

/// A policy that a call may grant: what its scripts may reach. It holds until the session's next run.
pub trait Grant: Send + Sync + 'static {}

/// A handle that a call may lend. It is gone when the run has ended.
pub trait Loan: Send + Sync + 'static {}

#[cfg(feature = "commands")]
impl Grant for CommandSet {}
impl Grant for Environment {}
#[cfg(feature = "modules")]
impl Grant for ModuleAccess {}
impl Grant for Mounts {}
#[cfg(feature = "net")]
impl Grant for NetPolicy {}
#[cfg(feature = "net")]
impl Grant for Secrets {}
impl Loan for Artifacts {}
#[cfg(feature = "browser")]
impl Loan for Browser {}
#[cfg(feature = "modules")]
impl Loan for BundleImports {}

/// What one call brings to a session, besides its script: nothing, unless it is put in here.
#[derive(Clone, Default)]
pub struct RunContext {
    pub(crate) extensions: Extensions,
    pub(crate) lent: Extensions,
    pub(crate) console: Option<ConsoleSink>,
    pub(crate) cancel: Option<CancellationToken>,
}

impl RunContext {
    /// A context that permits computing and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// Grants a policy that ops find by its type: in this run and, until the next one, in its callbacks. It takes the place of the table's of this type.
    #[must_use]
    pub fn grant<T: Grant>(mut self, policy: T) -> Self {
        self.extensions = self.extensions.with(policy);
        self
    }

    /// Lends a handle that ops find by its type until this run has ended. An op that has begun keeps it until the op has ended. To keep access, put an `Arc`
    /// into a type of your own.
    #[must_use]
    pub fn lend<T: Loan>(mut self, handle: T) -> Self {
        self.lent = self.lent.with(handle);
        self
    }

    /// Calls `sink` with each console entry while the script runs. It is called on the VM's thread and must not block.
    #[must_use]
    pub fn on_console(mut self, sink: ConsoleSink) -> Self {
        self.console = Some(sink);
        self
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(CancellationToken::is_cancelled)
    }

    /// Stops the script when the token is cancelled.
    #[must_use]
    pub fn cancel_with(mut self, token: CancellationToken) -> Self {
        self.cancel = Some(token);
        self
    }
}

impl std::fmt::Debug for RunContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunContext")
            .field("extensions", &self.extensions)
            .field("lent", &self.lent)
            .finish_non_exhaustive()
    }
}
