use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use perennial_engine::{
    Background, Build, EngineConfig, Globals, MakeProgram, RunEnd, RunOptions, Script, StopReason, Vm, VmSource,
};
use perennial_protocol::{EndReason, ErrorKind, RebuildReason, ScriptError, ScriptResult, VmOrigin};
#[cfg(feature = "commands")]
use perennial_stdlib::commands::SessionProcs;
use perennial_stdlib::files::Files;
#[cfg(feature = "net")]
use perennial_stdlib::net::{NetState, NetUsage};
use serde_json::Value;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit};

use crate::background::{give_back, keep_pumping};
#[cfg(feature = "modules")]
use crate::bundle::CompiledBundle;
use crate::context::RunContext;
use crate::epochs::Epochs;
use crate::in_flight::{InFlight, ThreadOut};
use crate::lock::lock;
use crate::pool::Place;
use crate::provision::{Ended, Provided, Report, RunScope};
#[cfg(feature = "commands")]
use crate::provisions::Procs;
use crate::record::{MadeOf, SessionState};
use crate::shared::Pinned;
use crate::vars::Vars;
use crate::work::Work;

/// One session, locked: nobody else runs on it while this is held.
pub struct BrowserSession {
    pinned: Pinned,
    state: OwnedMutexGuard<SessionState>,
    /// A run has begun; it has not ended if its future was dropped.
    in_run: bool,
}

/// One call and all it brings.
pub(crate) struct Call {
    /// What it brings besides what the table has.
    pub(crate) config: EngineConfig,
    pub(crate) work: Work,
    pub(crate) args: Value,
    pub(crate) options: RunOptions,
    pub(crate) context: RunContext,
    pub(crate) epoch: Option<u64>,
}

/// Where the VM of a run comes from, and how its result says so.
struct Chosen {
    vm: Option<Vm>,
    place: Place,
    origin: VmOrigin,
    because: Option<RebuildReason>,
}

impl BrowserSession {
    pub(crate) fn new(pinned: Pinned, state: OwnedMutexGuard<SessionState>) -> Self {
        Self { pinned, state, in_run: false }
    }

    /// The session's name.
    pub fn name(&self) -> &str {
        self.pinned.record.key.name()
    }

    /// The session's durable values. They may be read and written while scripts run.
    pub fn vars(&self) -> Arc<Vars> {
        self.own()
    }

    /// The session's files. They may be read and written while scripts run.
    pub fn files(&self) -> Arc<Files> {
        self.own()
    }

    /// What the session has used of the network.
    #[cfg(feature = "net")]
    pub fn net_usage(&self) -> NetUsage {
        self.own::<NetState>().usage()
    }

    /// What the session has running.
    #[cfg(feature = "commands")]
    pub fn procs(&self) -> Arc<SessionProcs> {
        self.own::<Procs>().procs.clone()
    }

    /// What the session has of an embedder's own provision. `None` if the table has no provision of this type.
    pub fn provided<S: Provided>(&self) -> Option<Arc<S>> {
        self.pinned.shared.provisions.session(&self.pinned.record)
    }

    fn own<S: Provided>(&self) -> Arc<S> {
        self.provided().expect("every table has it")
    }

    /// Runs a script.
    ///
    /// `config` is what scripts find besides what the table has: `EngineConfig::default()` is nothing, and so is [`engine_config`](crate::SessionTable::engine_config). A name that
    /// both bring refuses the run.
    ///
    /// The VM is rebuilt if there is none, if it was poisoned, if `config` or what the table has is another one, or if it has seen another `epoch` than this:
    /// the generation of the outside resource that the script works on. Without one it is kept. The result says which and what was lost. `vars` survive all of
    /// these.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use perennial_sessions::{Area, Bound, EngineConfig, OpTable, RunContext, RunOptions, SessionTable};
    /// let ops = OpTable::new().sync("roll", Bound::SMALL, |_, _| Ok(serde_json::json!(4).into()));
    /// let dice = EngineConfig::new(ops, vec![Area::new("dice", &["roll"], "((ops) => ({ roll: () => ops.roll() }))")]);
    /// let table = SessionTable::builder().build()?;
    /// let mut session = table.acquire("ada").lock().await?;
    /// let (args, options) = (serde_json::json!([]), RunOptions::default());
    /// let result = session.run(&dice, "vars.set('n', roll()); vars.get('n')", &args, &options, RunContext::new(), None).await;
    /// assert_eq!(result.into_value()?, Some(serde_json::json!(4)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancellation
    /// Dropping the future stops the script and poisons the VM; a later call waits until that VM is gone.
    pub async fn run(
        &mut self,
        config: &EngineConfig,
        source: &str,
        args: &Value,
        options: &RunOptions,
        context: RunContext,
        epoch: Option<u64>,
    ) -> ScriptResult {
        let call = Call {
            config: config.clone(),
            work: Work::Cell(source.into()),
            args: args.clone(),
            options: options.clone(),
            context,
            epoch,
        };
        self.run_since(Instant::now(), call).await
    }

    /// Runs a bundle, under the same rules as [`Self::run`], which says what dropping the future does. The result is the entry's default export, called with `args` if it is a
    /// function. The entry runs anew each time; what it imports is evaluated once per VM.
    ///
    /// # Cancellation
    /// Dropping the future stops the script and poisons the VM; a later call waits until that VM is gone.
    #[cfg(feature = "modules")]
    pub async fn run_module(
        &mut self,
        config: &EngineConfig,
        bundle: &CompiledBundle,
        args: &Value,
        options: &RunOptions,
        context: RunContext,
        epoch: Option<u64>,
    ) -> ScriptResult {
        let call = Call {
            config: config.clone(),
            work: Work::Ready(bundle.ready()),
            args: args.clone(),
            options: options.clone(),
            context,
            epoch,
        };
        self.run_since(Instant::now(), call).await
    }

    pub(crate) async fn run_since(&mut self, started: Instant, call: Call) -> ScriptResult {
        let console_bytes = call.options.console_bytes;
        let mut result = match self.try_run(call).await {
            Ok(result) => result,
            Err(error) => ScriptResult::refused(error),
        };
        result.bound(console_bytes);
        result.duration_ms = started.elapsed().as_secs_f64() * 1000.0;
        result
    }

    async fn try_run(&mut self, call: Call) -> Result<ScriptResult, ScriptError> {
        let Call { config, work, args, options, context, epoch } = call;
        let (shared, record) = (self.pinned.shared.clone(), self.pinned.record.clone());
        self.check_alive()?;
        options.check(&shared.config.ceilings)?;
        if let Work::Cell(source) = &work
            && source.len() > options.source_bytes
        {
            let message =
                format!("the script has {} bytes, more than the {} allowed", source.len(), options.source_bytes);
            return Err(
                ScriptError::invalid_request(message).with_limit(options.source_bytes as u64, source.len() as u64)
            );
        }
        let config = self.made_of(config)?;
        let permit = Arc::new(self.permit(&context).await?);
        if context.is_cancelled() {
            return Err(cancelled_before_it_began());
        }
        record.custody.check_threads()?;
        if shared.has_outlived(&record) {
            shared.end_from_within(&record, EndReason::Lifetime);
        }
        self.check_alive()?;
        let RunContext { extensions: grants, lent: loans, console, cancel } = context;
        let epochs = Epochs::of_call(epoch);
        let has = shared.provisions.of(&record);
        let mut scope = RunScope { has: &has, options: &options, grants, loans, epochs, name: "" };
        if let Work::Ready(ready) = &work {
            (ready.brings)(&mut scope);
        }
        // Before a VM is taken: what refuses a run costs the session nothing.
        shared.provisions.admit(&scope)?;
        let in_runs = shared.provisions.begin(&mut scope, &record, permit.clone())?;
        self.stop_pumping();
        let RunScope { grants, loans, epochs, .. } = scope;

        let chosen = self.choose(&config, &epochs);
        let source_vm = match chosen.vm {
            Some(vm) => VmSource::Warm(vm),
            None => VmSource::Build(Build::new(config.whole.clone(), record.console.clone(), shared.runtime.clone())),
        };
        record.set_stop(source_vm.stop_handle());
        let seq = self.state.seq + 1;
        let (name, prepare) = match work {
            Work::Cell(source) => {
                let name = options.name.clone().unwrap_or_else(|| format!("cell {seq}"));
                let prepare = shared.cells.prepare(source, name.clone());
                (name, prepare)
            }
            Work::Ready(ready) => {
                let prepare: MakeProgram = Box::new(move |_| Ok(ready.program));
                (options.name.clone().unwrap_or(ready.name), prepare)
            }
        };
        let atomic = options.atomic;
        let script = Script {
            prepare,
            args,
            name,
            options: Arc::new(options),
            extensions: grants,
            lent: loans,
            sink: console,
            cancel,
        };
        // If this future is dropped below, the next run finds the session as it is left here.
        let before = self.state.lost_because.replace(RebuildReason::Cancelled);
        let had_vm = std::mem::replace(&mut self.state.had_vm, true);
        let thread = ThreadOut(record.custody.clone());
        let held = Box::new(InFlight { place: chosen.place, thread, permit });
        self.in_run = true;
        let end = perennial_engine::run(&shared.executor, &shared.runtime, source_vm, script, held).await;

        let ended = Ended { has_begun: end.started, is_ok: end.outcome.is_ok(), atomic };
        if !end.started {
            in_runs.settle(&ended, &shared.provisions, &record);
            // Nothing has changed, except that a VM may have been lost before the run was looked at.
            self.state.had_vm = had_vm;
            let poisoned = end.vm.as_ref().and_then(Vm::poisoned_by).map(rebuild_reason);
            self.state.lost_because = poisoned.or(chosen.because).or(before);
            let error =
                end.outcome.err().unwrap_or_else(|| ScriptError::internal("a run that did not start has no result"));
            self.finish(end.vm, end.held);
            self.check_alive()?;
            return Err(error);
        }
        // Refused by the VM that was there already: nothing ran.
        let refused = chosen.origin == VmOrigin::Warm
            && end.outcome.as_ref().is_err_and(|error| error.kind == ErrorKind::InvalidRequest);
        if refused {
            in_runs.settle(&Ended { has_begun: false, ..ended }, &shared.provisions, &record);
            let error = end.outcome.err().unwrap_or_else(|| ScriptError::internal("a refused run has an error"));
            self.state.lost_because = lost_because(end.vm.as_ref(), None);
            self.finish(end.vm, end.held);
            // What callbacks had written by then is said now, or never.
            let mut refused = ScriptResult::refused(error);
            (refused.console, refused.console_dropped) = (end.console.entries, end.console.dropped);
            return Ok(refused);
        }
        self.state.seq = seq;
        self.state.epochs.see(epochs, chosen.origin == VmOrigin::Warm);
        self.state.config = Some(config);
        record.runs.fetch_add(1, Ordering::Relaxed);
        let report = in_runs.settle(&ended, &shared.provisions, &record);
        Ok(self.conclude(end, chosen.origin, chosen.because, seq, report))
    }

    /// Nothing runs between the runs from here on, until this session's VM is given back.
    fn stop_pumping(&mut self) {
        if let Some(pump) = self.state.pump.take() {
            pump.abort();
        }
        self.pinned.record.background.store(false, Ordering::Release);
    }

    fn check_alive(&self) -> Result<(), ScriptError> {
        match self.pinned.record.end_reason() {
            None => Ok(()),
            Some(reason) => Err(session_ended(self.name(), reason)),
        }
    }

    /// What a VM is made of that serves a call.
    fn made_of(&self, brought: EngineConfig) -> Result<MadeOf, ScriptError> {
        let shared = &self.pinned.shared;
        let table = shared.generation().config;
        let brings_nothing = brought.is_empty() || brought.origin() == Some(&shared.origin);
        if brings_nothing {
            return Ok(MadeOf { whole: table.clone(), table, brought: None });
        }
        if brought.has_modules() || brought.origin().is_some() {
            let message = "what a call brings besides what its table has are ops and areas: no other table's configuration, and no loader of modules";
            return Err(ScriptError::invalid_request(message));
        }
        // A session that is called with the same again has merged them already.
        if let Some(known) = &self.state.config
            && known.table == table
            && known.brought.as_ref() == Some(&brought)
        {
            return Ok(known.clone());
        }
        let whole = table.merged(&brought).map_err(|name| {
            ScriptError::invalid_request(format!("the call brings {name:?}, which its table has already; nothing ran"))
        })?;
        Ok(MadeOf { table, brought: Some(brought), whole })
    }

    /// Waits until no VM of this session, or of an earlier one of its name, is in flight.
    async fn permit(&self, context: &RunContext) -> Result<OwnedSemaphorePermit, ScriptError> {
        let record = &self.pinned.record;
        // The common case: nothing of an earlier run is left.
        if let Some(permit) = record.custody.try_take() {
            return Ok(permit);
        }
        let cancelled = async {
            match &context.cancel {
                Some(token) => token.cancelled().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            permit = record.custody.take() => Ok(permit),
            reason = record.has_ended() => Err(session_ended(self.name(), reason)),
            () = cancelled => Err(cancelled_before_it_began()),
            () = record.custody.is_stuck() => Err(busy_with_thread()),
        }
    }

    /// Takes the warm VM, or the place for a new one, and finds out what the result has to say about it.
    fn choose(&mut self, config: &MadeOf, epochs: &Epochs) -> Chosen {
        let shared = &self.pinned.shared;
        let stamp = self.pinned.record.warm.swap(0, Ordering::AcqRel);
        let (vm, place, evicted) = shared.pool.take(stamp, shared.bounds());
        shared.discard_all(evicted);
        let lost = match &vm {
            Some(vm) if vm.is_poisoned() => Some(vm.poisoned_by().map_or(RebuildReason::Internal, rebuild_reason)),
            Some(_) if self.state.config.as_ref().is_none_or(|known| !known.is(config)) => Some(RebuildReason::Config),
            Some(_) if self.state.epochs.differ(epochs) => Some(RebuildReason::Epoch),
            Some(_) => None,
            None => Some(self.state.lost_because.unwrap_or(RebuildReason::Evicted)),
        };
        match (vm, lost) {
            (Some(vm), None) => Chosen { vm: Some(vm), place, origin: VmOrigin::Warm, because: None },
            (vm, lost) => {
                shared.discard_all(vm.into_iter().collect());
                let (origin, because) =
                    if self.state.had_vm { (VmOrigin::Rebuilt, lost) } else { (VmOrigin::Built, None) };
                Chosen { vm: None, place, origin, because }
            }
        }
    }

    /// Turns the end of a run into its result and settles what becomes of the VM.
    fn conclude(
        &mut self,
        mut end: RunEnd,
        origin: VmOrigin,
        because: Option<RebuildReason>,
        seq: u64,
        report: Report,
    ) -> ScriptResult {
        let record = self.pinned.record.clone();
        let lost = match origin {
            VmOrigin::Warm => Globals::default(),
            VmOrigin::Built | VmOrigin::Rebuilt => std::mem::take(&mut self.state.globals),
        };
        let mut shadowed = Vec::new();
        if let Some(mut globals) = end.globals.take() {
            shadowed = std::mem::take(&mut globals.shadowed);
            self.state.globals = globals;
        }
        self.state.lost_because = lost_because(end.vm.as_ref(), end.outcome.as_ref().err());
        if let Err(error) = &mut end.outcome
            && error.kind == ErrorKind::Cancelled
            && let Some(reason) = record.end_reason()
        {
            error.message = format!("the session ended while the script ran ({})", reason.as_str());
        }
        end.usage.background_cpu_ms = std::mem::take(&mut self.state.background.since_last_run).as_secs_f64() * 1000.0;
        end.usage.commands_begun = report.commands_begun;
        end.usage.commands_running = report.commands_running;
        end.usage.command_log_bytes = report.command_log_bytes;
        end.usage.more = report.more;
        let mut result = ScriptResult::of(end.outcome);
        (result.vm, result.rebuilt_because, result.seq) = (Some(origin), because, Some(seq));
        result.lost_globals_count = (lost.count > lost.names.len() as u64).then_some(lost.count);
        (result.lost_globals, result.shadowed) = (lost.names, shadowed);
        result.replaces = lock(&record.replaces).take();
        result.usage = end.usage;
        (result.console, result.console_dropped) = (end.console.entries, end.console.dropped);
        (result.files, result.files_more, result.artifacts) = (report.files, report.files_more, report.artifacts);
        self.finish(end.vm, end.held);
        result
    }

    /// Gives the VM back to the pool, or lets it go; from here on the session is idle.
    fn finish(&mut self, vm: Option<Vm>, held: Box<dyn perennial_engine::Held>) {
        let (shared, record) = (self.pinned.shared.clone(), self.pinned.record.clone());
        self.in_run = false;
        record.clear_stop();
        record.touch(shared.now());
        if shared.has_outlived(&record) {
            shared.end_from_within(&record, EndReason::Lifetime);
        }
        let Some(vm) = vm else { return drop(held) };
        if vm.is_poisoned() || vm.is_stale() || record.end_reason().is_some() {
            return perennial_engine::discard(&shared.executor, vm, held);
        }
        let Ok(held) = (held as Box<dyn Any>).downcast::<InFlight>() else { return };
        let background = (!shared.config.background_budget.is_zero()).then(|| Background::of(&vm)).flatten();
        record.set_stop(vm.stop_handle());
        record.background.store(background.is_some(), Ordering::Release);
        let stamp = give_back(&shared, &record, *held, vm, None);
        if let Some(background) = background {
            let (weak_shared, weak_record) = (Arc::downgrade(&shared), Arc::downgrade(&record));
            let task = shared.runtime.spawn(keep_pumping(weak_shared, weak_record, stamp, background));
            self.state.pump = Some(task.abort_handle());
        }
    }

    /// Drops the session's VM and keeps everything durable; the next run says `rebuilt` because of `reset`. A VM whose thread has not come back is gone
    /// already.
    ///
    /// # Cancellation
    /// Dropping the future leaves the session as it is.
    pub async fn reset(&mut self) {
        if self.pinned.record.custody.thread_out().is_some() {
            return;
        }
        let Ok(permit) = self.permit(&RunContext::new()).await else { return };
        self.stop_pumping();
        self.pinned.shared.drop_warm(&self.pinned.record);
        if self.state.had_vm {
            self.state.lost_because = Some(RebuildReason::Reset);
        }
        drop(permit);
    }
}

impl Drop for BrowserSession {
    fn drop(&mut self) {
        if self.in_run {
            self.pinned.record.touch(self.pinned.shared.now());
        }
    }
}

impl std::fmt::Debug for BrowserSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BrowserSession")
            .field("name", &self.name())
            .field("runs", &self.state.seq)
            .finish_non_exhaustive()
    }
}

fn cancelled_before_it_began() -> ScriptError {
    ScriptError::new(ErrorKind::Cancelled, "the run was cancelled before it began; nothing ran")
}

fn busy_with_thread() -> ScriptError {
    let message = "the thread of this session's last run has not come back from a built-in that cannot be stopped; nothing ran, try again later or \
                   use another session";
    ScriptError::new(ErrorKind::Busy, message)
}

fn session_ended(name: &str, reason: EndReason) -> ScriptError {
    ScriptError::new(
        ErrorKind::SessionEnded,
        format!("the session {name:?} has ended ({}); acquire it again for a new one", reason.as_str()),
    )
}

fn rebuild_reason(stop: StopReason) -> RebuildReason {
    match stop {
        StopReason::Timeout => RebuildReason::Timeout,
        StopReason::CpuLimit => RebuildReason::CpuLimit,
        StopReason::MemoryLimit => RebuildReason::MemoryLimit,
        StopReason::Cancelled => RebuildReason::Cancelled,
        StopReason::Background => RebuildReason::Background,
    }
}

/// Why the next run will not find the VM that a run leaves, if it will not.
fn lost_because(vm: Option<&Vm>, error: Option<&ScriptError>) -> Option<RebuildReason> {
    match (vm, error) {
        (Some(vm), _) if vm.is_poisoned() => Some(vm.poisoned_by().map_or(RebuildReason::Internal, rebuild_reason)),
        (Some(vm), _) => vm.is_stale().then_some(RebuildReason::Modules),
        (None, Some(error)) => Some(reason_of_kind(error.kind)),
        (None, None) => Some(RebuildReason::Internal),
    }
}

/// Why a VM is gone that did not come back from a run of this outcome.
fn reason_of_kind(kind: ErrorKind) -> RebuildReason {
    match kind {
        ErrorKind::Timeout => RebuildReason::Timeout,
        ErrorKind::CpuLimit => RebuildReason::CpuLimit,
        ErrorKind::MemoryLimit => RebuildReason::MemoryLimit,
        ErrorKind::Cancelled => RebuildReason::Cancelled,
        _ => RebuildReason::Internal,
    }
}
