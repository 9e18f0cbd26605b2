//! What a VM's JavaScript finds outside: the dispatcher behind every native function, and the state it works on.

mod areas;
mod calls;
mod imports;
mod listeners;

pub use imports::modules_compiled;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use perennial_protocol::ConsoleLevel;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::bridge::Helpers;
use crate::budget::Budget;
use crate::config::{Area, EngineConfig};
use crate::console::Console;
use crate::inbox::Inbox;
use crate::inspect;
use crate::js::{Bytecode, Class, Exception, Host, ModuleDef, PromiseState, Saved, Scope, TextError, Value};
use crate::modules::Modules;
use crate::op_value::OpError;
use crate::ops::{Extensions, OpContext, OpScope};
use crate::resources::Resources;
use crate::timers::{MAX_TIMERS, Timers};

/// Rejected promises without a handler that are looked after; of more only the number is kept.
const MAX_REJECTIONS: usize = 100;
/// No console entry is longer.
const MAX_ENTRY: usize = 1 << 20;
/// No value of the library has a longer name.
const MAX_NAME: usize = 256;

/// Native functions of the engine itself. Numbers from `OPS` on are those of the configuration's table, from `GLOBALS` on the accessors of
/// library areas' globals: called with nothing they read, with a value a script assigns to them.
#[derive(Clone, Copy)]
#[repr(i32)]
pub(crate) enum Core {
    ConsoleWrite = 0,
    KindOf,
    PromiseLook,
    TimerStart,
    TimerAgain,
    TimerStop,
    ModuleImport,
    LibraryValue,
    ScriptExit,
    RunNumber,
    Listen,
    Unlisten,
    ConsolePlain,
}

pub(crate) const CORE: [(&str, Core); 13] = [
    ("console_write", Core::ConsoleWrite),
    ("kind_of", Core::KindOf),
    ("promise_look", Core::PromiseLook),
    ("timer_start", Core::TimerStart),
    ("timer_again", Core::TimerAgain),
    ("timer_stop", Core::TimerStop),
    ("module_import", Core::ModuleImport),
    ("library_value", Core::LibraryValue),
    ("script_exit", Core::ScriptExit),
    ("run_number", Core::RunNumber),
    ("listen", Core::Listen),
    ("unlisten", Core::Unlisten),
    ("console_plain", Core::ConsolePlain),
];
const OPS: i32 = 1 << 10;
const GLOBALS: i32 = 1 << 12;
/// Reading and writing `_` and `_error`.
const LAST: i32 = 1 << 13;
const LAST_NAMES: [&str; 2] = ["_", "_error"];

/// The state behind one VM's native functions. Only the thread that runs the VM takes its locks, so none is ever waited for.
pub(crate) struct HostState {
    config: EngineConfig,
    pub(crate) console: Console,
    pub(crate) inbox: Arc<Inbox>,
    runtime: Handle,
    /// Cancelled with the VM.
    cancelled: CancellationToken,
    pub(crate) host_calls: AtomicU64,
    pub(crate) timers: Mutex<Timers>,
    pub(crate) helpers: OnceLock<Helpers>,
    library: Mutex<Library>,
    pending: Mutex<Pending>,
    listeners: Mutex<HashMap<u32, Listener>>,
    /// An event was handled: a timer that is due comes before the next, and, where it was an earlier run's, an answer that has come.
    others_first: AtomicBool,
    rejections: Mutex<Rejections>,
    context: Mutex<Context>,
    pub(crate) modules: Arc<Mutex<Modules>>,
    /// The last result and the last error.
    last: [Mutex<Option<Saved>>; 2],
    /// The script has ended itself, with this code.
    exited: Mutex<Option<Exit>>,
}

/// That a script has ended itself.
struct Exit {
    code: u8,
    /// What is thrown until the run has come to its end.
    error: Saved,
}

/// Values of the bootstrap and of loaded areas.
#[derive(Default)]
struct Library {
    make_intrinsics: Option<Saved>,
    intrinsics: Option<Saved>,
    errors: Option<Saved>,
    permission: Option<Saved>,
    ops: Option<Saved>,
    hooks: Option<Saved>,
    cell_helper: Option<Saved>,
    importer: Option<Saved>,
    /// Where the accessors of areas' globals are.
    accessors: Box<[usize]>,
    /// Globals that hide what a call lends, as far as that was told.
    told: HashSet<String>,
    /// What each loaded area provides.
    areas: HashMap<usize, Saved>,
}

#[derive(Default)]
struct Pending {
    next_id: u32,
    /// The last id before the run began.
    before_run: u32,
    ops: HashMap<u32, PendingOp>,
}

struct PendingOp {
    resolve: Saved,
    reject: Saved,
}

struct Listener {
    callback: Saved,
    /// The run that has registered it.
    run: u32,
}

/// What ops know of the call, and the one value that all of them share, made when the first is called.
struct Context {
    scope: OpScope,
    /// In a run, and in a callback between two.
    shared: [Option<OpContext>; 2],
}

impl Context {
    fn shared(&mut self) -> OpContext {
        let is_background = self.scope.budget.control.as_ref().is_some_and(|control| control.is_in_callback());
        let shared = &mut self.shared[usize::from(is_background)];
        let make = || {
            let mut scope = self.scope.clone();
            scope.budget.is_background = is_background;
            OpContext(Arc::new(scope))
        };
        shared.get_or_insert_with(make).clone()
    }
}

#[derive(Default)]
struct Rejections {
    unhandled: Vec<(usize, Saved, Saved)>,
    more: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HostState {
    pub(crate) fn new(
        config: EngineConfig,
        console: Console,
        runtime: Handle,
        cancelled: CancellationToken,
    ) -> Arc<Self> {
        let inbox = Arc::new(Inbox::new(cancelled.clone()));
        Arc::new(Self {
            config,
            console,
            inbox: inbox.clone(),
            runtime,
            cancelled,
            host_calls: AtomicU64::new(0),
            timers: Mutex::default(),
            helpers: OnceLock::new(),
            library: Mutex::default(),
            pending: Mutex::default(),
            listeners: Mutex::default(),
            others_first: AtomicBool::new(false),
            rejections: Mutex::default(),
            context: Mutex::new(Context {
                scope: OpScope {
                    extensions: Default::default(),
                    lent: Default::default(),
                    budget: Budget::default(),
                    resources: Resources::default(),
                    inbox,
                    loans: 0,
                },
                shared: [None, None],
            }),
            modules: Arc::default(),
            last: Default::default(),
            exited: Mutex::default(),
        })
    }

    pub(crate) fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// What is per call is swapped here, and nowhere else.
    pub(crate) fn set_context(&self, extensions: Extensions, lent: Extensions, budget: Budget) {
        let mut context = lock(&self.context);
        context.scope.extensions = extensions;
        context.scope.lent = lent;
        context.scope.budget = budget;
        context.scope.loans = self.inbox.loans();
        context.shared = [None, None];
    }

    /// Takes back what the run that ended lent, with the listeners that end with it. Whether there are functions of listeners to be let go of.
    pub(crate) fn end_loans(&self) -> bool {
        let mut context = lock(&self.context);
        if !context.scope.lent.is_empty() {
            context.scope.lent = Default::default();
            context.shared = [None, None];
        }
        drop(context);
        self.inbox.end_loans()
    }

    /// For a run that begins.
    pub(crate) fn begin_run(&self) {
        lock(&self.timers).begin_run();
        let mut pending = lock(&self.pending);
        pending.before_run = pending.next_id;
    }

    /// The code with which the script has ended itself.
    pub(crate) fn exit_code(&self) -> Option<u8> {
        lock(&self.exited).as_ref().map(|exit| exit.code)
    }

    /// Forgets that something has ended itself; what is called from here on reaches the host again.
    pub(crate) fn forget_exit(&self, scope: Scope<'_>) {
        let exit = lock(&self.exited).take();
        if let Some(exit) = exit {
            // Whoever has got hold of it must not throw it again.
            scope.set_uncatchable(&scope.restore(exit.error), false);
        }
    }

    fn exit(&self, scope: Scope<'_>, code: u8) -> Exception {
        let error = match scope.error("Error", "the script ended itself") {
            Ok(error) => error,
            Err(exception) => return exception,
        };
        scope.set_uncatchable(&error, true);
        *lock(&self.exited) = Some(Exit { code, error: scope.save(error.clone()) });
        scope.throw(error)
    }

    /// Lets go of all that the run waits for: its timers, its ops, its imports.
    pub(crate) fn abandon_run(&self, scope: Scope<'_>) {
        let timers = lock(&self.timers).stop_run();
        if let Some(forget) =
            self.hooks(scope).ok().and_then(|hooks| hooks.get_str("forget").ok()).filter(|_| !timers.is_empty())
        {
            for id in timers {
                if scope.call(&forget, &scope.undefined(), &[&scope.number(id.into())]).is_err() {
                    drop(scope.catch());
                }
            }
        }
        let mut pending = lock(&self.pending);
        // Ids begin again after some four thousand million ops.
        let (before, next) = (pending.before_run, pending.next_id);
        let ids: Vec<u32> = pending
            .ops
            .keys()
            .copied()
            .filter(|id| id.wrapping_sub(before) <= next.wrapping_sub(before) && *id != before)
            .collect();
        let ops: Vec<PendingOp> = ids.iter().filter_map(|id| pending.ops.remove(id)).collect();
        drop(pending);
        for op in ops {
            drop((scope.restore(op.resolve), scope.restore(op.reject)));
        }
        let run = lock(&self.timers).run_number();
        self.forget_listeners(scope, |_, listener| listener.run == run);
        let mut modules = lock(&self.modules);
        // What a module awaits at its top level never comes.
        let waits =
            |evaluation: &Saved| matches!(scope.promise_state(&scope.load(evaluation)), Some(PromiseState::Pending));
        modules.broken |= modules.loaded.values().any(|loaded| loaded.evaluation.as_ref().is_some_and(waits));
        let imports = std::mem::take(&mut modules.imports);
        drop(modules);
        for import in imports {
            drop((scope.restore(import.resolve), scope.restore(import.reject), scope.restore(import.site)));
        }
    }

    pub(crate) fn helpers(&self) -> &Helpers {
        self.helpers.get().expect("the bootstrap ran when the VM was built")
    }

    /// Evaluates the bootstrap and hangs the areas' globals into the global object.
    pub(crate) fn install(&self, scope: Scope<'_>) -> Result<(), Exception> {
        static BOOTSTRAP: OnceLock<Bytecode> = OnceLock::new();
        let main = bytecode(scope, &BOOTSTRAP, include_str!("../js/bootstrap.js"), "perennial:bootstrap")?;
        let global = scope.global();
        let parts = scope.call(&scope.eval_bytecode(main)?, &scope.undefined(), &[&global])?;
        let errors = parts.get_str("errors")?;
        let helpers = Helpers::new(scope, &parts.get_str("helpers")?)?;
        {
            let mut library = lock(&self.library);
            library.make_intrinsics = Some(scope.save(parts.get_str("makeIntrinsics")?));
            library.permission = Some(scope.save(errors.get_str("PermissionError")?));
            library.errors = Some(scope.save(errors));
        }
        if self.helpers.set(helpers).is_err() {
            return Err(scope.throw_error("Error", "a VM is built once"));
        }
        let mut accessors = Vec::with_capacity(self.config.globals().len());
        for (index, (name, _)) in self.config.globals().iter().enumerate() {
            let accessor = scope.function(name, GLOBALS + index as i32)?;
            accessors.push(accessor.address());
            global.define_accessor(&scope.atom(name)?, accessor.clone(), accessor)?;
        }
        lock(&self.library).accessors = accessors.into();
        for (index, name) in LAST_NAMES.iter().enumerate() {
            let accessor = scope.function(name, LAST + index as i32)?;
            global.define_accessor(&scope.atom(name)?, accessor.clone(), accessor)?;
        }
        Ok(())
    }

    /// Whether an area provides a global of this name.
    pub(crate) fn has_global(&self, name: &str) -> bool {
        self.config.globals().iter().any(|(known, _)| known == name)
    }

    /// What works instead of something that is not there.
    pub(crate) fn advice(&self, path: &str) -> Option<String> {
        let advice = self.config.advice()?;
        advice(path, &lock(&self.context).scope.extensions)
    }

    /// Makes a result the value of `_`; `undefined` is none.
    pub(crate) fn remember<'js>(&self, scope: Scope<'js>, value: &Value<'js>) {
        if !value.is_undefined() {
            self.set_last(scope, 0, value);
        }
    }

    /// Makes what was thrown the value of `_error`.
    pub(crate) fn remember_error<'js>(&self, scope: Scope<'js>, thrown: &Value<'js>) {
        self.set_last(scope, 1, thrown);
    }

    fn set_last<'js>(&self, scope: Scope<'js>, index: usize, value: &Value<'js>) {
        let before = lock(&self.last[index]).replace(scope.save(value.clone()));
        if let Some(before) = before {
            drop(scope.restore(before));
        }
    }

    /// `_` and `_error` are accessors until a script makes them its own.
    fn last<'js>(&self, scope: Scope<'js>, id: i32, args: &[Value<'js>]) -> Result<Value<'js>, Exception> {
        let index = id as usize;
        if args.is_empty() {
            return Ok(lock(&self.last[index]).as_ref().map_or_else(|| scope.undefined(), |saved| scope.load(saved)));
        }
        scope.global().define(LAST_NAMES[index], args.first().cloned().unwrap_or_else(|| scope.undefined()))?;
        Ok(scope.undefined())
    }

    /// What prepared cells call; see `cells.js`.
    pub(crate) fn cell_helper<'js>(&self, scope: Scope<'js>) -> Result<Value<'js>, Exception> {
        if let Some(saved) = &lock(&self.library).cell_helper {
            return Ok(scope.load(saved));
        }
        static CELLS: OnceLock<Area> = OnceLock::new();
        let area = CELLS.get_or_init(|| Area::new("cells", &[], include_str!("../js/cells.js")));
        let parts = self.evaluate_area(scope, area)?;
        let helper = parts.get_str("helper")?;
        let importer = scope.save(parts.get_str("importer")?);
        let mut library = lock(&self.library);
        library.cell_helper = Some(scope.save(helper.clone()));
        library.importer = Some(importer);
        Ok(helper)
    }

    /// Makes the `import()` of modules.
    fn importer<'js>(&self, scope: Scope<'js>) -> Result<Value<'js>, Exception> {
        self.cell_helper(scope)?;
        let library = lock(&self.library);
        library.importer.as_ref().map(|saved| scope.load(saved)).ok_or(Exception)
    }

    /// The prototype of the errors that say what is not granted.
    pub(crate) fn permission_prototype<'js>(&self, scope: Scope<'js>) -> Value<'js> {
        lock(&self.library).permission.as_ref().map_or_else(|| scope.null(), |saved| scope.load(saved))
    }

    /// Calls a timer's callback. An exception of the callback is pending when this fails.
    pub(crate) fn fire_timer(&self, scope: Scope<'_>, id: u32) -> Result<(), Exception> {
        let fire = self.hooks(scope)?.get_str("fire")?;
        scope.call(&fire, &scope.undefined(), &[&scope.number(id.into())]).map(drop)
    }

    // ---- the engine's own functions -----------------------------------------------------------------------------------

    fn call_core<'js>(&self, scope: Scope<'js>, core: Core, args: &[Value<'js>]) -> Result<Value<'js>, Exception> {
        let number = |index: usize| args.get(index).and_then(Value::as_number).unwrap_or(0.0);
        let delay = |index: usize| Duration::from_secs_f64(number(index).clamp(0.0, f64::from(i32::MAX)) / 1000.0);
        match core {
            // Says whether that could be done here.
            Core::ConsolePlain => {
                let [_, arguments, means] = args else { return Ok(scope.bool(false)) };
                let text = inspect::entry(arguments, means);
                if let Some(text) = &text {
                    self.console.write(level(number(0)), text);
                }
                Ok(scope.bool(text.is_some()))
            }
            Core::ConsoleWrite => {
                let level = level(number(0));
                match args.get(1).map(Value::text) {
                    Some(Ok(text)) => self.console.write(level, &text),
                    Some(Err(TextError::LoneSurrogate)) => {
                        let text = args.get(1).and_then(|text| text.text_prefix(MAX_ENTRY));
                        self.console.write(level, &text.unwrap_or_default());
                    }
                    Some(Err(TextError::Exception)) => drop(scope.catch()),
                    None => self.console.write(level, ""),
                }
                Ok(scope.undefined())
            }
            Core::KindOf => {
                let kind = match args.first() {
                    Some(value) if value.is_proxy() => "proxy",
                    Some(value) => match value.class() {
                        Class::Array => "array",
                        Class::Date => "date",
                        Class::Error => "error",
                        Class::Map => "map",
                        Class::Set => "set",
                        Class::RegExp => "regexp",
                        Class::Buffer => "buffer",
                        // Of symbols those that are objects are asked for.
                        Class::Boxed | Class::Symbol => "boxed",
                        Class::Promise => "promise",
                        Class::Weak => "weak",
                        Class::Iterator => "iterator",
                        Class::SharedBuffer => "shared",
                        Class::Function => "function",
                        _ => "object",
                    },
                    None => "object",
                };
                scope.string(kind)
            }
            // Nothing while it is pending.
            Core::PromiseLook => {
                let (value, is_rejected) = match args.first().and_then(|promise| scope.promise_state(promise)) {
                    Some(PromiseState::Fulfilled(value)) => (value, false),
                    Some(PromiseState::Rejected(reason)) => (reason, true),
                    Some(PromiseState::Pending) | None => return Ok(scope.undefined()),
                };
                let look = scope.bare_object()?;
                look.define("value", value)?;
                look.define("isRejected", scope.bool(is_rejected))?;
                Ok(look)
            }
            Core::TimerStart => match lock(&self.timers).start(delay(0)) {
                Some(id) => Ok(scope.number(id.into())),
                None => {
                    let (limit, message) = (MAX_TIMERS as u64, format!("{MAX_TIMERS} timers are running already"));
                    Err(self.throw(scope, &OpError::quota(message, limit, limit + 1)))
                }
            },
            Core::TimerAgain => {
                lock(&self.timers).again(number(0) as u32, delay(1));
                Ok(scope.undefined())
            }
            Core::ModuleImport => self.import(scope, args),
            // What the library provides under a name, whatever scripts have made of the global.
            Core::LibraryValue => {
                let name = args.first().and_then(|name| name.text_prefix(MAX_NAME)).unwrap_or_default();
                match self.config.provider(&name) {
                    Some(area) => self.load_area(scope, &name, area),
                    None => Err(scope.throw_error("Error", "no such library value")),
                }
            }
            // A number, for an op that makes what sends to it.
            Core::Listen => self.listen(scope, args),
            Core::Unlisten => {
                let number = number(0) as u32;
                self.forget_listeners(scope, |of, _| of == number);
                Ok(scope.undefined())
            }
            // What belongs to one run is told by it from what belongs to another.
            Core::RunNumber => Ok(scope.number(lock(&self.timers).run_number().into())),
            Core::ScriptExit => Err(self.exit(scope, number(0).clamp(0.0, 255.0) as u8)),
            Core::TimerStop => {
                lock(&self.timers).stop(number(0) as u32);
                Ok(scope.undefined())
            }
        }
    }

    // ---- unhandled rejections -----------------------------------------------------------------------------------------

    /// Whether rejections wait to be looked at.
    pub(crate) fn has_rejections(&self) -> bool {
        !lock(&self.rejections).unhandled.is_empty()
    }

    /// Takes the reasons of rejections that nobody has handled, with a count of those that were not kept.
    pub(crate) fn take_rejections<'js>(&self, scope: Scope<'js>) -> (Vec<Value<'js>>, u64) {
        let rejections = std::mem::take(&mut *lock(&self.rejections));
        let reasons = rejections.unhandled.into_iter().map(|(_, promise, reason)| {
            drop(scope.restore(promise));
            scope.restore(reason)
        });
        (reasons.collect(), rejections.more)
    }
}

impl Host for Arc<HostState> {
    fn call<'js>(&self, scope: Scope<'js>, id: i32, args: &[Value<'js>]) -> Result<Value<'js>, Exception> {
        self.host_calls.fetch_add(1, Ordering::Relaxed);
        // An executor of a promise can swallow what ends the script; what it does after that reaches nothing.
        let exited = lock(&self.exited).as_ref().map(|exit| scope.load(&exit.error));
        if let Some(error) = exited {
            return Err(scope.throw(error));
        }
        match id {
            LAST.. => self.last(scope, id - LAST, args),
            GLOBALS.. if args.is_empty() => match self.config.globals().get((id - GLOBALS) as usize) {
                Some((name, area)) => self.area_global(scope, name, area),
                None => Err(scope.throw_error("Error", "no such library area")),
            },
            GLOBALS.. => {
                let Some((name, _)) = self.config.globals().get((id - GLOBALS) as usize) else {
                    return Err(scope.throw_error("Error", "no such global"));
                };
                let value = args.first().cloned().unwrap_or_else(|| scope.undefined());
                scope.global().define(name, value)?;
                Ok(scope.undefined())
            }
            OPS.. => self.call_op(scope, (id - OPS) as usize, args),
            _ => match CORE.get(id as usize) {
                Some((_, core)) => self.call_core(scope, *core, args),
                None => Err(scope.throw_error("Error", "no such native function")),
            },
        }
    }

    fn function(&self, name: &str) -> Option<i32> {
        let own = CORE.iter().find(|(known, _)| *known == name).map(|(_, op)| *op as i32);
        own.or_else(|| self.config.op_number(name).map(|number| OPS + number as i32))
    }

    fn rejection<'js>(&self, scope: Scope<'js>, promise: Value<'js>, reason: Value<'js>, handled: bool) {
        let mut rejections = lock(&self.rejections);
        let address = promise.address();
        if handled {
            if let Some(index) = rejections.unhandled.iter().position(|(known, _, _)| *known == address) {
                let (_, promise, reason) = rejections.unhandled.swap_remove(index);
                drop(rejections);
                drop((scope.restore(promise), scope.restore(reason)));
            }
        } else if rejections.unhandled.len() < MAX_REJECTIONS {
            rejections.unhandled.push((address, scope.save(promise), scope.save(reason)));
        } else {
            rejections.more += 1;
        }
    }

    fn admit(&self, scope: Scope<'_>, _: &str) -> Result<(), Exception> {
        self.admits_modules(scope)
    }

    fn module(&self, scope: Scope<'_>, name: &str) -> Result<ModuleDef, Exception> {
        self.requested_module(scope, name)
    }
}

/// Compiles a library source once per process and keeps the bytecode.
fn bytecode<'a>(
    scope: Scope<'_>,
    cell: &'a OnceLock<Bytecode>,
    source: &str,
    file: &str,
) -> Result<&'a Bytecode, Exception> {
    if let Some(code) = cell.get() {
        return Ok(code);
    }
    let code = Bytecode::compile(scope, source, file)?;
    Ok(cell.get_or_init(|| code))
}

/// A level as `console.js` numbers them.
fn level(number: f64) -> ConsoleLevel {
    match number as u8 {
        0 => ConsoleLevel::Debug,
        2 => ConsoleLevel::Info,
        3 => ConsoleLevel::Warn,
        4 => ConsoleLevel::Error,
        _ => ConsoleLevel::Log,
    }
}

/// Console text for something thrown where nobody catches.
pub(crate) fn uncaught_text(prefix: &str, error: &perennial_protocol::ScriptError) -> String {
    let mut text = format!("{prefix}: {}: {}", error.name, error.message);
    if let Some(stack) = &error.stack {
        text.push('\n');
        text.push_str(stack);
    }
    text
}
