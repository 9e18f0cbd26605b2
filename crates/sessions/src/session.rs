use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use perennial_engine::{
    Background, Build, EngineConfig, Globals, MakeProgram, Placement, RunEnd, RunOptions, Script, StopReason, Vm,
    VmSource,
};
use perennial_protocol::{EndReason, ErrorKind, RebuildReason, RunRequest, ScriptError, ScriptResult, Usage, VmOrigin};
#[cfg(feature = "commands")]
use perennial_stdlib::commands::SessionProcs;
use perennial_stdlib::files::Files;
#[cfg(feature = "net")]
use perennial_stdlib::net::{NetState, NetUsage};
use serde_json::Value;
use tokio::sync::OwnedMutexGuard;

use crate::background::{give_back, keep_pumping};
#[cfg(feature = "modules")]
use crate::bundle::CompiledBundle;
use crate::context::RunContext;
use crate::custody::Permit;
use crate::epochs::Epochs;
use crate::in_flight::{InFlight, ThreadOut};
use crate::lock::lock;
use crate::pool::Place;
use crate::provision::{Ended, Provided, RunScope};
#[cfg(feature = "commands")]
use crate::provisions::Procs;
use crate::ready::Ready;
use crate::record::{Declares, MadeOf, SessionState};
use crate::run::Run;
use crate::shared::Pinned;
use crate::vars::Vars;

/// One session, locked: nobody else runs on it while this is held.
pub struct BrowserSession {
    pinned: Pinned,
    state: OwnedMutexGuard<SessionState>,
    /// A run has begun; it has not ended if its future was dropped.
    in_run: bool,
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
        let request = RunRequest::new(source).with_args(args.clone()).configure(|request| request.epoch = epoch);
        let (options, config) = (Some(options.clone()), config.clone());
        let run = Run { options, config, context, ..Run::request(request) };
        self.run_since(Instant::now(), run).await
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
        let request = RunRequest::new("").with_args(args.clone()).configure(|request| request.epoch = epoch);
        let (options, config) = (Some(options.clone()), config.clone());
        let run = Run { ready: Some(bundle.ready()), options, config, context, ..Run::request(request) };
        self.run_since(Instant::now(), run).await
    }

    pub(crate) async fn run_since(&mut self, started: Instant, mut run: Run) -> ScriptResult {
        let options = run.take_options(&self.pinned.shared.config.defaults);
        let console_bytes = options.console_bytes;
        let mut result = match self.try_run(run, options).await {
            Ok(result) => result,
            Err(error) => ScriptResult::refused(error),
        };
        result.bound(console_bytes);
        result.duration_ms = started.elapsed().as_secs_f64() * 1000.0;
        result
    }

    async fn try_run(&mut self, run: Run, options: RunOptions) -> Result<ScriptResult, ScriptError> {
        let Run { request, ready, options: _, config, context } = run;
        let RunRequest { script: source, args, epoch, .. } = request;
        let (shared, record) = (self.pinned.shared.clone(), self.pinned.record.clone());
        self.check_alive()?;
        options.check(&shared.config.ceilings)?;
        if ready.is_none() && source.len() > options.source_bytes {
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
        // Nobody has seen the run out that was given up, and what it declared went with its VM.
        if let Some(declares) = self.state.under_way.take() {
            self.state.globals.add(declares.get().map_or(&[], |names| &**names));
        }
        if shared.has_outlived(&record) {
            shared.end_from_within(&record, EndReason::Lifetime);
        }
        self.check_alive()?;
        let RunContext { extensions: grants, lent: loans, console, cancel } = context;
        let epochs = Epochs::of_call(epoch);
        let has = shared.provisions.of(&record);
        let mut scope = RunScope { has: &has, options: &options, grants, loans, epochs, name: "" };
        if let Some(ready) = &ready {
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
        // What is lost where it is stopped.
        let declares = Declares::default();
        let may_visit = shared.config.placement == Placement::Caller && chosen.origin == VmOrigin::Warm;
        let (name, prepare, known): (_, MakeProgram, _) = match ready {
            Some(Ready { name, program, .. }) => {
                let known = may_visit.then(|| program.clone());
                (options.name.clone().unwrap_or(name), Box::new(move |_| Ok(program)), known)
            }
            None => {
                let name = options.name.clone().unwrap_or_else(|| format!("cell {seq}"));
                let known = may_visit.then(|| shared.cells.known(&source)).flatten();
                let prepare: MakeProgram = match known.clone() {
                    Some(program) => Box::new(move |_| Ok(program)),
                    None => shared.cells.prepare(source, name.clone()),
                };
                let declares = declares.clone();
                let prepare: MakeProgram = Box::new(move |budget| {
                    let program = prepare(budget)?;
                    // The first and only time.
                    let _ = declares.set(program.declares.clone());
                    Ok(program)
                });
                (name, prepare, known)
            }
        };
        let atomic = options.atomic;
        let script = Script {
            prepare,
            known,
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
        self.state.under_way = Some(declares.clone());
        let end = perennial_engine::run(&shared.executor, &shared.runtime, source_vm, script, held).await;

        self.state.under_way = None;
        // What the VM refused that was there already has not run.
        let has_begun = end.started
            && !(chosen.origin == VmOrigin::Warm
                && end.outcome.as_ref().is_err_and(|error| error.kind == ErrorKind::InvalidRequest));
        let RunEnd { outcome, vm, started, globals, console, usage, held } = end;
        let mut result = ScriptResult::of(outcome);
        (result.console, result.console_dropped, result.usage) = (console.entries, console.dropped, usage);
        in_runs.settle(Ended { result: &mut result, has_begun, atomic, name: "" }, &shared.provisions, &record);
        if has_begun {
            self.state.seq = seq;
            self.state.epochs.see(epochs, chosen.origin == VmOrigin::Warm);
            self.state.config = Some(config);
            record.runs.fetch_add(1, Ordering::Relaxed);
            self.tell(&mut result, chosen.origin, chosen.because, globals);
            if vm.as_ref().is_none_or(Vm::is_poisoned) {
                self.state.globals.add(declares.get().map_or(&[], |names| &**names));
            }
            self.state.lost_because = lost_because(vm.as_ref(), result.error.as_deref());
        } else if started {
            self.state.lost_because = lost_because(vm.as_ref(), None);
        } else {
            // Nothing has changed, except that a VM may have been lost before the run was looked at.
            self.state.had_vm = had_vm;
            let poisoned = vm.as_ref().and_then(Vm::poisoned_by).map(rebuild_reason);
            self.state.lost_because = poisoned.or(chosen.because).or(before);
        }
        self.finish(vm, held);
        if !started {
            self.check_alive()?;
        }
        if !has_begun {
            result.usage = Usage::default();
        }
        Ok(result)
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
    async fn permit(&self, context: &RunContext) -> Result<Permit, ScriptError> {
        let record = &self.pinned.record;
        // The common case: nothing of an earlier run is left.
        if let Some(permit) = record.custody.try_take() {
            record.set_flight(&permit);
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
            permit = record.custody.take() => {
                record.set_flight(&permit);
                Ok(permit)
            }
            reason = record.has_ended() => Err(session_ended(self.name(), reason)),
            () = cancelled => Err(cancelled_before_it_began()),
            () = record.custody.is_stuck() => Err(busy_with_thread()),
        }
    }

    /// Waits until nothing of the session runs, which lasts as long as the permit is held, and notes that it is used.
    pub(crate) async fn still(&self) -> Result<Permit, ScriptError> {
        let (shared, record) = (&self.pinned.shared, &self.pinned.record);
        self.check_alive()?;
        let permit = self.permit(&RunContext::new()).await?;
        if shared.has_outlived(record) {
            shared.end_from_within(record, EndReason::Lifetime);
        }
        self.check_alive()?;
        record.touch(shared.now());
        Ok(permit)
    }

    /// Makes a session of this name that begins with what is durable of this one.
    pub(crate) fn fork(&self, name: &str) -> Result<(), ScriptError> {
        self.pinned.shared.fork(&self.pinned.record, name)
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

    /// Says in the result of a run what became of the session's state.
    fn tell(
        &mut self,
        result: &mut ScriptResult,
        origin: VmOrigin,
        because: Option<RebuildReason>,
        globals: Option<Globals>,
    ) {
        let record = &self.pinned.record;
        let lost = match origin {
            VmOrigin::Warm => Globals::default(),
            VmOrigin::Built | VmOrigin::Rebuilt => std::mem::take(&mut self.state.globals),
        };
        if let Some(mut globals) = globals {
            result.shadowed = std::mem::take(&mut globals.shadowed);
            self.state.globals = globals;
        }
        if let Some(error) = &mut result.error
            && error.kind == ErrorKind::Cancelled
            && let Some(reason) = record.end_reason()
        {
            error.message = format!("the session ended while the script ran ({})", reason.as_str());
        }
        result.usage.background_cpu_ms =
            std::mem::take(&mut self.state.background.since_last_run).as_secs_f64() * 1000.0;
        (result.vm, result.rebuilt_because, result.seq) = (Some(origin), because, Some(self.state.seq));
        result.lost_globals_count = (lost.count > lost.names.len() as u64).then_some(lost.count);
        result.lost_globals = lost.names;
        result.replaces = lock(&record.replaces).take();
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
        format!("the session {name:?} has ended ({}); the name is free for a new one", reason.as_str()),
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
