use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use perennial_protocol::{ConsoleLevel, ErrorKind, ScriptError};
use serde_json::Value as Json;
use tokio::runtime::Handle;

use crate::RunOptions;
use crate::bridge::{EnterError, Helpers, WalkError, from_json, to_json};
use crate::budget::Budget;
use crate::config::EngineConfig;
use crate::console::Console;
use crate::control::{CALLBACK, Control, StopHandle, StopReason};
use crate::error::{Sources, describe, describe_syntax};
use crate::host::{HostState, uncaught_text};
use crate::inbox::{Delivery, Inbox};
use crate::js::{Exception, Job, Js, PromiseState, Saved, Scope, Value, catch_stop};
use crate::kept::{Kept, Ran};
use crate::placement::WELCOME;
use crate::program::Program;
use crate::script::Script;

/// How long microtasks that a settled run left behind may go on as part of the run.
const DRAIN: Duration = Duration::from_millis(5);
/// Names of globals that are remembered for the day the VM is lost.
const MAX_GLOBALS: usize = 100;
/// Globals that are looked at for these.
const LOOKED_AT: usize = 1000;
/// Bytes of one of these names, and of all. A longer name is counted and not told.
const MAX_NAME: usize = 128;
const MAX_NAMES: usize = 8 << 10;

/// One QuickJS runtime and context with all that belongs to it: a value that runs on whatever executor thread it is moved to,
/// and that may be dropped at any time.
pub struct Vm {
    js: Js,
    host: Arc<HostState>,
    control: Arc<Control>,
    sources: Sources,
    kept: Kept,
    /// The run's function was kept.
    is_again: bool,
    run: Option<Running>,
    /// A cell has declared the name: it keeps it until a run brings arguments of its own.
    args_declared: bool,
}

struct Running {
    promise: Saved,
    options: Arc<RunOptions>,
    result_is_optional: bool,
}

/// What a VM is built from.
pub(crate) struct BuildSpec {
    pub(crate) config: EngineConfig,
    pub(crate) console: Console,
    pub(crate) runtime: Handle,
    pub(crate) control: Arc<Control>,
}

/// Names of the globals that scripts have made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globals {
    /// At most a hundred.
    pub names: Vec<String>,
    /// How many there are.
    pub count: u64,
    /// Names of what the run was lent that the script has declared itself, and so does not see. Each is told once in a VM.
    pub shadowed: Vec<String>,
}

impl Globals {
    /// Counts these as well, as far as they are not there.
    pub fn add(&mut self, names: &[String]) {
        let mut room = MAX_NAMES.saturating_sub(self.names.iter().map(String::len).sum());
        for name in names {
            // Of those that are not listed nobody knows which they are.
            if self.names.contains(name) || self.names.len() as u64 != self.count {
                continue;
            }
            self.count += 1;
            if self.names.len() < MAX_GLOBALS && name.len() <= MAX_NAME.min(room) {
                room -= name.len();
                self.names.push(name.clone());
            }
        }
    }
}

/// Where a slice of computing ended.
pub(crate) enum Step {
    /// The script has returned or thrown.
    Settled(Result<Option<Json>, ScriptError>, Globals),
    /// Nothing to do until something arrives.
    Quiet,
    /// Force-halted; the control says why.
    Stopped,
}

/// The line that the wrapper begins on, so that the author's first line is line 1. It cannot be 0, which QuickJS takes for 1.
const FIRST_LINE: i32 = -1;

/// What stands before the label on the wrapper's last line.
const LAST_LINE: &str = "break ";
const LABEL_COLUMN: u32 = LAST_LINE.len() as u32 + 1;

/// The two lines before the author's first and the one after the last. The label ties the two together: a script that closes the
/// function early leaves a `break` to a label that is not there, which does not compile, instead of code that runs elsewhere.
fn wrap(program: &Program, label: &str, args: &str) -> String {
    let source = &*program.text;
    let mut text = String::with_capacity(source.len() + 4 * label.len() + 40);
    // Not in parentheses: QuickJS looks ahead to the closing one before it knows what this is, and so would read the whole script
    // twice. An arrow function, so that the arguments have no other names.
    text.push_str("0,async(");
    text.push_str(args);
    if let Some(helper) = &program.helper {
        text.push(',');
        text.push_str(helper);
    }
    text.push_str(")=>{");
    text.push_str(label);
    text.push_str(":{\n\n");
    text.push_str(source);
    text.push('\n');
    text.push_str(LAST_LINE);
    text.push_str(label);
    text.push_str(";}}");
    text
}

/// A label that no script can know when it is written.
fn fresh_label() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    format!("$perennial_{:016x}", RandomState::new().build_hasher().finish())
}

impl Vm {
    /// Builds a VM on the calling thread. The control's deadline covers it.
    pub(crate) fn build(spec: BuildSpec) -> Result<Self, ScriptError> {
        let host = HostState::new(spec.config, spec.console, spec.runtime, spec.control.ops.clone());
        let js = Js::new(spec.control.clone(), Box::new(host.clone()));
        let Some(mut js) = js else { return Err(ScriptError::internal("no memory for another VM")) };
        let scope = js.enter(RunOptions::default().stack_bytes);
        if host.install(scope).is_err() {
            let reason = scope.catch().text_prefix(MAX_NAME).unwrap_or_default();
            return Err(ScriptError::internal(format!("the library of a new VM does not load: {reason}")));
        }
        let sources = Sources::new(host.modules.clone());
        Ok(Self {
            js,
            host,
            control: spec.control,
            sources,
            kept: Kept::default(),
            is_again: false,
            run: None,
            args_declared: false,
        })
    }

    /// Begins a run. The heap limit is checked first; a VM that holds more already is left as it is.
    pub(crate) fn start(&mut self, script: Script) -> Step {
        // Answered already; the console and the context are the successor's.
        if self.control.should_stop() {
            return Step::Stopped;
        }
        self.is_again = false;
        let Script { prepare, known: _, args: given, name, options, extensions, lent, sink, cancel: _ } = script;
        let mut held = self.js.heap_bytes();
        if held > options.memory_bytes {
            self.kept.clear(self.js.enter(options.stack_bytes));
            held = self.js.heap_bytes();
        }
        if held > options.memory_bytes {
            let error = ScriptError::invalid_request(format!(
                "memory_bytes is {}, but the session's VM holds {held} already: reset the session or raise the limit",
                options.memory_bytes
            ));
            return self.refuse(error.with_limit(options.memory_bytes as u64, held as u64));
        }
        self.js.set_heap_limit(options.memory_bytes);
        let budget =
            Budget { control: Some(self.control.clone()), memory_bytes: options.memory_bytes, is_background: false };
        self.host.set_context(extensions, lent, budget.clone());
        self.host.begin_run();
        self.host.console.begin_run(&options, sink);
        self.host.host_calls.store(0, Ordering::Relaxed);
        let program = match prepare(&budget) {
            Ok(program) => program,
            // Whatever it says: the run's time was over.
            Err(_) if self.control.should_stop() => return Step::Stopped,
            Err(error) => return self.refuse(error),
        };
        let hides_args = self.hides_args(&program, &given);
        self.args_declared |= declares_args(&program);

        let scope = self.js.enter(options.stack_bytes);
        let called = (|| {
            let function = match self.kept.find(scope, &program, hides_args) {
                Some((function, file)) => {
                    self.is_again = true;
                    self.sources.again(file, &name, &program.origin);
                    function
                }
                None => {
                    self.sources.add(&name, &program.origin);
                    let label = fresh_label();
                    let args = program.args.as_deref().unwrap_or(if hides_args { &label } else { "args" });
                    let before = scope.heap_bytes();
                    let Ok(function) = scope.eval(&wrap(&program, &label, args), &name, FIRST_LINE) else {
                        let thrown = scope.catch();
                        return Err(Some(describe_syntax(self.host.helpers(), &self.sources, &thrown, LABEL_COLUMN)));
                    };
                    let bytes = scope.heap_bytes().saturating_sub(before);
                    self.kept.add(scope, &program, hides_args, &function, &name, bytes);
                    function
                }
            };
            let args = match from_json(self.host.helpers(), scope, &given) {
                Ok(args) => args,
                Err(EnterError::Invalid(message)) => {
                    return Err(Some(ScriptError::invalid_request(format!("args: {message}"))));
                }
                Err(EnterError::Exception) => return Err(None),
            };
            let helper = match &program.helper {
                Some(_) => self.host.cell_helper(scope).map_err(|Exception| None)?,
                None => scope.undefined(),
            };
            let promise = scope.call(&function, &scope.undefined(), &[&args, &helper]).map_err(|Exception| None)?;
            promise.mark_handled();
            Ok(scope.save(promise))
        })();
        match called {
            Ok(promise) => {
                self.run = Some(Running { promise, options, result_is_optional: program.result_is_optional });
                self.drive()
            }
            Err(_) if self.control.should_stop() => Step::Stopped,
            Err(None) if let Some(code) = self.host.exit_code() => {
                drop(scope.catch());
                self.settle(&options, exited(code))
            }
            Err(Some(error)) => self.refuse(error),
            Err(None) => {
                let thrown = scope.catch();
                let error = describe_thrown(&self.host, &self.sources, &thrown);
                drop(thrown);
                self.refuse(error)
            }
        }
    }

    /// Whether a run of a program with these arguments computes for a moment and no longer, as far as anybody can tell beforehand.
    pub(crate) fn is_short(&self, program: &Arc<Program>, args: &Json) -> bool {
        !self.expects_anything()
            && self.host.inbox.is_empty()
            && is_small(args, &mut 100)
            && self.kept.is_short(program, self.hides_args(program, args))
    }

    /// Notes what the run has computed in its first slice; with `is_over` that was all of it. What compiles or loads something first says nothing of the next.
    pub(crate) fn note_pace(&mut self, computed: Duration, is_over: bool) {
        let overstayed = self.control.take_overstay();
        if self.is_again {
            self.kept.note(match is_over && !overstayed {
                true if computed < WELCOME => Ran::Short,
                true => Ran::Longer,
                false => Ran::TooLong,
            });
        }
    }

    /// Whether the arguments of a run are not what its program finds by the name.
    fn hides_args(&self, program: &Program, args: &Json) -> bool {
        declares_args(program) || (self.args_declared && is_nothing(args))
    }

    /// Goes on with a run after something has arrived, or a timer is due.
    pub(crate) fn resume(&mut self) -> Step {
        self.drive()
    }

    /// Ends a run that did not get as far as running.
    fn refuse(&mut self, error: ScriptError) -> Step {
        self.host.end_loans();
        self.control.end();
        Step::Settled(Err(error), self.globals())
    }

    /// Runs until the script has settled, was stopped, or waits.
    fn drive(&mut self) -> Step {
        let Some(running) = self.run.take() else { return Step::Quiet };
        let scope = self.js.enter(running.options.stack_bytes);
        let promise = scope.load(&running.promise);
        let outcome = loop {
            if self.control.should_stop() {
                return Step::Stopped;
            }
            // Its promise may never settle, or have settled meanwhile.
            if let Some(code) = self.host.exit_code() {
                break exited(code);
            }
            let settled = match scope.promise_state(&promise) {
                Some(PromiseState::Pending) => None,
                Some(PromiseState::Fulfilled(value)) => {
                    self.host.remember(scope, &value);
                    let result = to_json(self.host.helpers(), &value, running.options.result_bytes);
                    Some(match result {
                        Err(_) if running.result_is_optional => Ok(None),
                        result => result.map_err(|error| result_error(error, &running.options)),
                    })
                }
                Some(PromiseState::Rejected(reason)) => {
                    self.host.remember_error(scope, &reason);
                    Some(Err(describe_thrown(&self.host, &self.sources, &reason)))
                }
                // An async function returns a promise; only one that could not be entered does not.
                None => Some(Err(ScriptError::internal("the script did not start"))),
            };
            // What the script imports is part of the run, whether it waits for it or not.
            if settled.is_some() && self.host.has_imports() {
                self.host.advance_imports(scope);
                continue;
            }
            if let Some(outcome) = settled {
                // What converting the value ran into counts more than the value.
                if self.control.should_stop() {
                    return Step::Stopped;
                }
                break self.host.exit_code().map_or(outcome, exited);
            }
            if let Turn::Nothing = turn(&self.host, &self.control, &self.sources, scope) {
                self.run = Some(running);
                return Step::Quiet;
            }
        };
        drop((promise, scope.restore(running.promise)));
        self.settle(&running.options, outcome)
    }

    /// The result is there: lets what is left run for a moment, says what nobody handled, and stops the clocks. A stop in here
    /// costs the VM but not the result.
    fn settle(&mut self, options: &RunOptions, mut outcome: Result<Option<Json>, ScriptError>) -> Step {
        self.control.end();
        let mut globals = self.globals();
        // If this is stopped, that is told another time.
        let shadowed = catch_stop(|| self.host.shadowed(self.js.enter(options.stack_bytes))).unwrap_or_default();
        if self.js.has_jobs() || self.host.has_rejections() {
            // If this is stopped, what the script had made by now is what was lost.
            let after = catch_stop(|| {
                self.control.begin_callback();
                let until = Instant::now() + if self.host.exit_code().is_some() { CALLBACK } else { DRAIN };
                let scope = self.js.enter(options.stack_bytes);
                while !self.control.should_stop() && Instant::now() < until {
                    if !run_job(&self.host, &self.sources, scope) {
                        break;
                    }
                }
                report_rejections(&self.host, &self.sources, scope);
                self.globals()
            });
            globals = after.unwrap_or(globals);
            // Somebody did not wait for what ends the script.
            if let Some(code) = self.host.exit_code().filter(|code| *code != 0) {
                outcome = exited(code);
            }
        }
        if self.host.exit_code().is_some() && !self.control.is_stopped() {
            // What it left behind can call nothing any more; what it waits for is not delivered.
            catch_stop(|| {
                let scope = self.js.enter(options.stack_bytes);
                self.host.abandon_run(scope);
                self.host.forget_exit(scope);
            });
        }
        if self.host.end_loans() && !self.control.is_stopped() {
            catch_stop(|| self.host.forget_ended_listeners(self.js.enter(options.stack_bytes)));
        }
        self.control.end();
        globals.shadowed = shadowed;
        Step::Settled(outcome, globals)
    }

    /// Lets callbacks run between two runs, each under its own deadline, until nothing is due or `budget` of CPU time is spent.
    /// Returns what was spent.
    pub(crate) fn pump(&mut self, budget: Duration) -> Duration {
        let scope = self.js.enter(RunOptions::default().stack_bytes);
        let budget = u64::try_from(budget.as_nanos()).unwrap_or(u64::MAX);
        let mut spent = 0;
        loop {
            self.control.begin_callback();
            let before = self.control.cpu_used();
            let turned = turn(&self.host, &self.control, &self.sources, scope);
            while !self.control.should_stop() && run_job(&self.host, &self.sources, scope) {}
            if !self.control.is_stopped() {
                report_rejections(&self.host, &self.sources, scope);
            }
            spent += self.control.cpu_used().saturating_sub(before) + self.control.take_owed();
            // What ends itself between two runs is the callback.
            self.host.forget_exit(scope);
            if self.control.is_stopped() || spent >= budget || matches!(turned, Turn::Nothing) {
                break;
            }
        }
        self.control.end();
        Duration::from_nanos(spent)
    }

    /// The enumerable globals; those of the realm and the library are not.
    fn globals(&mut self) -> Globals {
        let scope = self.js.enter(RunOptions::default().stack_bytes);
        let Ok(keys) = scope.global().keys() else {
            drop(scope.catch());
            return Globals::default();
        };
        let mut room = MAX_NAMES;
        let names = keys.iter().take(LOOKED_AT).filter_map(|key| {
            let text = key.text().ok().filter(|text| text.len() <= MAX_NAME.min(room))?;
            room -= text.len();
            Some(text.to_owned())
        });
        Globals { names: names.take(MAX_GLOBALS).collect(), count: keys.len() as u64, shadowed: Vec::new() }
    }

    /// Evaluates an expression and hands its value over; for benchmarks.
    pub(crate) fn with_value(&mut self, expression: &str, use_it: impl FnOnce(&Helpers, &Value<'_>)) {
        let scope = self.js.enter(RunOptions::default().stack_bytes);
        let value = scope.eval(expression, "expression", 1).expect("the expression evaluates");
        use_it(self.host.helpers(), &value);
    }

    /// Whether the VM was force-halted and must be dropped.
    pub fn is_poisoned(&self) -> bool {
        self.control.is_stopped()
    }

    /// Why it was force-halted.
    pub fn poisoned_by(&self) -> Option<StopReason> {
        self.control.stop().map(|stop| stop.reason)
    }

    /// A handle that stops this VM, now or while it runs.
    pub fn stop_handle(&self) -> StopHandle {
        StopHandle(self.control.clone())
    }

    /// Bytes of heap the VM holds.
    pub fn heap_bytes(&self) -> usize {
        self.js.heap_bytes()
    }

    pub(crate) fn peak_heap_bytes(&self) -> usize {
        self.js.peak_heap_bytes()
    }

    pub(crate) fn host_calls(&self) -> u64 {
        self.host.host_calls.load(Ordering::Relaxed)
    }

    pub(crate) fn control(&self) -> &Arc<Control> {
        &self.control
    }

    pub(crate) fn console(&self) -> &Console {
        &self.host.console
    }

    pub(crate) fn inbox(&self) -> &Arc<Inbox> {
        &self.host.inbox
    }

    /// When the next timer is due.
    pub(crate) fn next_timer(&self) -> Option<Instant> {
        self.host.timers.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    pub(crate) fn expects_anything(&self) -> bool {
        self.has_jobs() || self.host.expects_anything()
    }

    pub(crate) fn has_jobs(&self) -> bool {
        self.js.has_jobs() || self.host.has_imports()
    }

    /// Whether the VM is better not kept, though nothing is wrong with it: modules that nobody can reach any more fill it.
    pub fn is_stale(&self) -> bool {
        self.host.modules.lock().unwrap_or_else(PoisonError::into_inner).is_stale()
    }

    /// The configuration the VM was built with.
    pub fn config(&self) -> &EngineConfig {
        self.host.config()
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.control.ops.cancel();
        // Who waits for its callbacks waits for nothing, and who sends to it sends to nobody.
        self.host.inbox.close();
    }
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vm").field("heap_bytes", &self.heap_bytes()).field("poisoned_by", &self.poisoned_by()).finish()
    }
}

enum Turn {
    Worked,
    Nothing,
}

/// One turn of the event loop: a microtask if there is one, else a delivery, else a timer that is due.
fn turn(host: &HostState, control: &Control, sources: &Sources, scope: Scope<'_>) -> Turn {
    if run_job(host, sources, scope) {
        return Turn::Worked;
    }
    if host.advance_imports(scope) {
        return Turn::Worked;
    }
    let take_due = || host.timers.lock().unwrap_or_else(PoisonError::into_inner).take_due(Instant::now());
    // However many events come, timers have their turn, and answers that the run waits for.
    let mut delivery = None;
    if host.takes_others_first() {
        if let Some(due) = take_due() {
            callback(host, control, sources, scope, due.foreign, || host.fire_timer(scope, due.id));
            return Turn::Worked;
        }
        delivery = host.inbox.take_reply();
    }
    match delivery.or_else(|| host.inbox.take()) {
        Some(Delivery::Reply { id, result, held }) => {
            if host.settle(scope, id, result).is_err() {
                report_uncaught(host, sources, scope);
            }
            drop(held);
            return Turn::Worked;
        }
        Some(Delivery::Event { listener, value, dropped }) => {
            if let Some(is_foreign) = host.is_foreign_listener(listener) {
                host.let_others_first();
                let fire = || host.fire_event(scope, listener, value, dropped);
                callback(host, control, sources, scope, is_foreign, fire);
            }
            return Turn::Worked;
        }
        Some(Delivery::Ended(listener)) => {
            host.listener_ended(scope, listener);
            return Turn::Worked;
        }
        None => {}
    }
    let Some(due) = take_due() else { return Turn::Nothing };
    callback(host, control, sources, scope, due.foreign, || host.fire_timer(scope, due.id));
    Turn::Worked
}

/// Calls back into a script. What an earlier run left behind must not use up the time of this one, and ends itself only.
fn callback(
    host: &HostState,
    control: &Control,
    sources: &Sources,
    scope: Scope<'_>,
    is_foreign: bool,
    fire: impl FnOnce() -> Result<(), Exception>,
) {
    let fired = if is_foreign {
        let fired = control.within(fire);
        if host.exit_code().is_some() {
            drop(scope.catch());
            return host.forget_exit(scope);
        }
        fired
    } else {
        fire()
    };
    if fired.is_err() {
        report_uncaught(host, sources, scope);
    }
}

/// Runs one microtask; `false` if there was none.
fn run_job(host: &HostState, sources: &Sources, scope: Scope<'_>) -> bool {
    match scope.run_job() {
        Job::None => false,
        Job::Ran => {
            host.wake_imports();
            true
        }
        Job::Threw => {
            host.wake_imports();
            report_uncaught(host, sources, scope);
            true
        }
    }
}

/// A callback threw: nobody can catch it, so the console says it.
fn report_uncaught(host: &HostState, sources: &Sources, scope: Scope<'_>) {
    let thrown = scope.catch();
    // After a stop the exception says nothing that the stop does not, and neither after an end of the script's own.
    if !scope.is_stopped() && host.exit_code().is_none() {
        let error = describe_thrown(host, sources, &thrown);
        host.console.write(ConsoleLevel::Error, &uncaught_text("Uncaught", &error));
    }
}

fn report_rejections(host: &HostState, sources: &Sources, scope: Scope<'_>) {
    let (reasons, more) = host.take_rejections(scope);
    for reason in reasons {
        scope.leave_if_stopped();
        let error = describe_thrown(host, sources, &reason);
        host.console.write(ConsoleLevel::Error, &uncaught_text("Unhandled rejection", &error));
    }
    if more > 0 {
        host.console.write(ConsoleLevel::Error, &format!("Unhandled rejections: {more} more"));
    }
}

fn describe_thrown(host: &HostState, sources: &Sources, thrown: &Value<'_>) -> ScriptError {
    describe(host, sources, thrown)
}

/// What a run comes to that ended itself.
fn exited(code: u8) -> Result<Option<Json>, ScriptError> {
    if code == 0 {
        return Ok(None);
    }
    let mut error = ScriptError::new(ErrorKind::Runtime, format!("the script ended itself with code {code}"));
    "Exit".clone_into(&mut error.name);
    error.exit_code = Some(code);
    Err(error)
}

fn declares_args(program: &Program) -> bool {
    program.declares.iter().any(|name| name == "args")
}

/// Whether arguments are what a run has that was given none.
fn is_nothing(args: &Json) -> bool {
    match args {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// Whether copying arguments in takes next to no time: so many values at the most, and no long text among them.
fn is_small(args: &Json, left: &mut usize) -> bool {
    const TEXT: usize = 4 << 10;
    let Some(fewer) = left.checked_sub(1) else { return false };
    *left = fewer;
    match args {
        Json::String(text) => text.len() <= TEXT,
        Json::Array(items) => items.iter().all(|item| is_small(item, left)),
        Json::Object(fields) => fields.iter().all(|(key, item)| key.len() <= TEXT && is_small(item, left)),
        _ => true,
    }
}

fn result_error(error: WalkError, options: &RunOptions) -> ScriptError {
    match error {
        WalkError::Unserializable { path, why } => {
            let mut error = ScriptError::new(ErrorKind::Unserializable, format!("the result cannot be returned: {why} (at {path})"));
            error.path = Some(path);
            error
        }
        WalkError::TooLarge { used, .. } => ScriptError::new(
            ErrorKind::ResultTooLarge,
            format!(
                "the result is larger than {} bytes of JSON: return less of it, or keep it in vars or on globalThis and return a part",
                options.result_bytes
            ),
        )
        .with_limit(options.result_bytes as u64, used as u64),
    }
}
