use std::sync::Arc;
use std::time::{Instant, SystemTime};

use perennial_engine::EngineConfig;
use perennial_protocol::{EndReason, ErrorKind, RunRequest, ScriptError, ScriptResult};
use perennial_stdlib::files::Files;

use crate::bundle::CompiledBundle;
use crate::context::RunContext;
use crate::info::SessionInfo;
use crate::provision::Provided;
use crate::registry::OwnerState;
use crate::run::Session;
use crate::session::{Call, Work};
use crate::shared::Slot;
use crate::table::SessionTable;
use crate::vars::Vars;

/// Whose sessions they are: a table as one of those it serves sees it. Names of sessions are of one owner; what others do is neither seen nor, beyond the
/// cores and the warm VMs that all share, felt. Cheap to clone; it keeps the table.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use perennial_sessions::{Run, SessionTable};
/// let table = SessionTable::builder().build()?;
/// let (ada, bob) = (table.of("ada"), table.of("bob"));
/// ada.session("notes").run(Run::script("globalThis.secret = 42")).await;
/// let seen: String = bob.session("notes").run(Run::script("typeof secret")).await.value()?;
/// assert_eq!((seen.as_str(), ada.len(), bob.len()), ("undefined", 1, 1));
/// ada.clear();
/// assert_eq!(table.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Owner {
    table: SessionTable,
    state: Arc<OwnerState>,
}

impl Owner {
    pub(crate) fn new(table: SessionTable, state: Arc<OwnerState>) -> Self {
        Self { table, state }
    }

    /// The owner's name; empty for the local one.
    pub fn name(&self) -> &str {
        self.state.name()
    }

    /// The table.
    pub fn table(&self) -> &SessionTable {
        &self.table
    }

    /// The session of this name, made if there is none, and held until the slot is dropped. Waits for nothing; what the owner may not have is refused by
    /// [`Slot::lock`].
    pub fn acquire(&self, name: &str) -> Slot {
        self.table.shared().acquire(&self.state, name)
    }

    /// The session of this name, which is made when it is first used.
    pub fn session(&self, name: impl Into<String>) -> Session {
        Session::new(self.clone(), name.into())
    }

    /// The durable values of the session of this name, made if there is none; to ask for them uses it. Neither this nor reading and writing them waits for
    /// a script that runs. Once the session has ended, writing is an error: ask again for those of its successor.
    ///
    /// # Errors
    /// `busy` if the owner has as many sessions as it may.
    pub async fn vars(&self, name: &str) -> Result<Arc<Vars>, ScriptError> {
        self.own(name)
    }

    /// The files of the session of this name, likewise.
    ///
    /// # Errors
    /// As [`Self::vars`].
    pub async fn files(&self, name: &str) -> Result<Arc<Files>, ScriptError> {
        self.own(name)
    }

    /// What the session of this name has of an embedder's own provision, likewise: the first whose sessions have this type. `None` if there is none.
    ///
    /// # Errors
    /// As [`Self::vars`].
    pub async fn provided<S: Provided>(&self, name: &str) -> Result<Option<Arc<S>>, ScriptError> {
        self.find_own(name)
    }

    pub(crate) fn find_own<S: Provided>(&self, name: &str) -> Result<Option<Arc<S>>, ScriptError> {
        let (shared, slot) = (self.table.shared(), self.acquire(name));
        slot.check()?;
        slot.record.touch(shared.now());
        Ok(shared.provisions.session(&slot.record))
    }

    /// What every table has.
    fn own<S: Provided>(&self, name: &str) -> Result<Arc<S>, ScriptError> {
        Ok(self.find_own(name)?.expect("every table has it"))
    }

    /// Runs a script on the session of this name; see [`SessionTable::run`].
    ///
    /// # Cancellation
    /// Dropping the future stops the script, which costs the session its VM and nothing else.
    pub async fn run(&self, name: &str, request: RunRequest) -> ScriptResult {
        self.run_with(name, request, RunContext::new()).await
    }

    /// As [`Self::run`], with what the call brings.
    pub async fn run_with(&self, name: &str, request: RunRequest, context: RunContext) -> ScriptResult {
        self.run_work(name, None, request, context).await
    }

    /// Runs a bundle on the session of this name. Of the request everything but the script counts.
    pub async fn run_bundle(
        &self,
        name: &str,
        bundle: &CompiledBundle,
        request: RunRequest,
        context: RunContext,
    ) -> ScriptResult {
        self.run_work(name, Some(bundle), request, context).await
    }

    async fn run_work(
        &self,
        name: &str,
        bundle: Option<&CompiledBundle>,
        request: RunRequest,
        context: RunContext,
    ) -> ScriptResult {
        let started = Instant::now();
        let mut options = self.table.defaults().clone().with(&request.limits());
        options.name = request.name;
        options.atomic = request.atomic;
        options.changes = request.changes;
        let slot = self.acquire(name);
        let locked = match &context.cancel {
            None => slot.lock().await,
            Some(cancel) => tokio::select! {
                biased;
                locked = slot.lock() => locked,
                () = cancel.cancelled() => Err(ScriptError::new(
                    ErrorKind::Cancelled,
                    "the run was cancelled while it waited for its turn; nothing ran",
                )),
            },
        };
        let mut session = match locked {
            Ok(session) => session,
            Err(error) => return ScriptResult::refused(error),
        };
        let call = Call {
            config: EngineConfig::default(),
            work: bundle.map_or_else(|| Work::Cell(request.script.into()), Work::Bundle),
            args: request.args,
            options,
            context,
            epoch: request.epoch,
        };
        session.run_since(started, call).await
    }

    /// Ends a session: stops what it runs, drops its VM and what it has. `false` if there was none. A run under way ends as `cancelled`.
    pub fn remove(&self, name: &str) -> bool {
        let shared = self.table.shared();
        shared.sweep();
        shared.end_if(&self.state, name, EndReason::Removed, |_| true)
    }

    /// Ends all sessions of this owner.
    pub fn clear(&self) {
        self.table.shared().clear(&self.state, EndReason::Cleared);
    }

    /// Drops the VM of a session and keeps what is durable; waits for a run under way. `false` if there was no such session.
    ///
    /// # Cancellation
    /// Dropping the future leaves the session as it is.
    pub async fn reset(&self, name: &str) -> bool {
        let Some(slot) = self.table.shared().find(&self.state, name) else { return false };
        let Ok(mut session) = slot.lock().await else { return false };
        session.reset().await;
        true
    }

    /// How many sessions the owner has.
    pub fn len(&self) -> usize {
        self.table.shared().sweep();
        self.state.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The owner's sessions, by name.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.table.shared().list(std::slice::from_ref(&self.state))
    }

    /// Why and when the last session of this name ended, if that was within the last ten minutes. There may be another one since.
    pub fn ended(&self, name: &str) -> Option<(EndReason, SystemTime)> {
        let shared = self.table.shared();
        shared.sweep();
        self.state.ended(name, shared.now())
    }
}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owner").field("name", &self.name()).field("sessions", &self.state.len()).finish_non_exhaustive()
    }
}
