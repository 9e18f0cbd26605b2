//! Imports: from the call of a native function to a namespace, between the jobs of the event loop.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::calls::panicked;
use super::{HostState, lock};
use crate::js::{Bytecode, CompileError, Exception, ModuleDef, PromiseState, Scope, TextError, Value};
use crate::modules::{Import, Module, ModuleGraph};
use crate::op_value::OpError;

/// How far one import has come.
enum Progress {
    Done,
    /// A module that awaits at its top level has not settled.
    Waiting,
}

/// What a namespace's module leaves in `import.meta` for what it imports while it runs; see the bundler.
const IMPORT: &str = "$import";
/// Likewise what a module of the host finds of the library.
const LIBRARY_VALUE: &str = "$library";

impl HostState {
    /// `import(…)` of a script (`importer` is `undefined`) or of a module. Returns a promise of the namespace, whatever happens.
    pub(super) fn import<'js>(&self, scope: Scope<'js>, args: &[Value<'js>]) -> Result<Value<'js>, Exception> {
        let text = |index: usize| {
            args.get(index).filter(|value| value.is_string()).and_then(|text| text.text_prefix(MAX_NAME))
        };
        let importer = text(0);
        let (promise, resolve, reject) = scope.promise()?;
        let refuse = |thrown: Value<'js>| scope.call(&reject, &scope.undefined(), &[&thrown]).map(drop);
        let specifier = match args.get(1).map(Value::text) {
            Some(Ok(specifier)) => specifier.to_owned(),
            Some(Err(TextError::Exception)) => {
                refuse(scope.catch())?;
                return Ok(promise);
            }
            Some(Err(TextError::LoneSurrogate)) | None => String::new(),
        };
        let loaded = match self.config.modules() {
            None => Err(OpError::permission(&format!("importing '{specifier}'"), "a module loader")),
            Some(loader) => {
                let context = lock(&self.context).shared();
                let load = || loader.load(&context, importer.as_deref(), &specifier, text(2).as_deref());
                catch_unwind(AssertUnwindSafe(load)).unwrap_or_else(|_| Err(panicked("import")))
            }
        };
        // Reading and parsing takes its time.
        scope.leave_if_stopped();
        match loaded {
            Ok(graph) => {
                // An error made here knows where the import stands; what goes wrong later does not.
                let site = scope.error_here("SyntaxError", "")?;
                let import = Import {
                    graph,
                    resolve: scope.save(resolve),
                    reject: scope.save(reject),
                    site: scope.save(site),
                    linked: false,
                    next: 0,
                    waits: false,
                    evaluated: false,
                };
                lock(&self.modules).imports.push_back(import);
            }
            Err(error) => {
                let Exception = self.throw(scope, &error);
                refuse(scope.catch())?;
            }
        }
        Ok(promise)
    }

    /// Whether an import waits for nothing but its turn.
    pub(crate) fn has_imports(&self) -> bool {
        lock(&self.modules).imports.iter().any(|import| !import.waits)
    }

    /// A job ran: what an import waits for may have settled.
    pub(crate) fn wake_imports(&self) {
        let mut modules = lock(&self.modules);
        for import in modules.imports.iter_mut().filter(|import| import.waits) {
            import.waits = false;
        }
    }

    /// Takes imports further; `false` if there was nothing to do. Never from within a native function.
    pub(crate) fn advance_imports(&self, scope: Scope<'_>) -> bool {
        let count = lock(&self.modules).imports.len();
        let mut worked = false;
        for _ in 0..count {
            let Some(mut import) = lock(&self.modules).imports.pop_front() else { break };
            let before = (import.linked, import.next);
            match self.advance(scope, &mut import) {
                Ok(Progress::Waiting) => {
                    worked |= before != (import.linked, import.next);
                    lock(&self.modules).imports.push_back(import);
                }
                Ok(Progress::Done) => {
                    worked = true;
                    self.settle_import(scope, import, None);
                }
                Err(Exception) => {
                    worked = true;
                    let thrown = scope.catch();
                    self.settle_import(scope, import, Some(thrown));
                }
            }
        }
        worked
    }

    fn settle_import<'js>(&self, scope: Scope<'js>, import: Import, failure: Option<Value<'js>>) {
        let (resolve, reject) = (scope.restore(import.resolve), scope.restore(import.reject));
        let site = scope.restore(import.site);
        let settled = match failure {
            // What a module threw itself is passed on as it is.
            Some(thrown) if import.evaluated => scope.call(&reject, &scope.undefined(), &[&thrown]),
            Some(thrown) => {
                let message = thrown.get_str("message").ok().and_then(|message| message.text_prefix(MAX_NAME));
                let message = readable(&import.graph, message.unwrap_or_default());
                scope
                    .atom("message")
                    .and_then(|atom| site.define_hidden(&atom, scope.string(&message)?))
                    .and_then(|()| scope.call(&reject, &scope.undefined(), &[&site]))
            }
            None => {
                let namespace =
                    self.def(&import.graph.root.key).ok_or(Exception).and_then(|def| scope.module_namespace(def));
                match namespace {
                    Ok(namespace) => scope.call(&resolve, &scope.undefined(), &[&namespace]),
                    Err(Exception) => scope.call(&reject, &scope.undefined(), &[&scope.catch()]),
                }
            }
        };
        if settled.is_err() {
            drop(scope.catch());
        }
    }

    fn def(&self, key: &str) -> Option<ModuleDef> {
        lock(&self.modules).loaded.get(key).map(|loaded| loaded.def)
    }

    fn advance(&self, scope: Scope<'_>, import: &mut Import) -> Result<Progress, Exception> {
        if !import.linked {
            self.link(scope, &import.graph)?;
            import.linked = true;
        }
        while let Some(module) = import.graph.modules.get(import.next) {
            let begun = lock(&self.modules)
                .loaded
                .get(&module.key)
                .and_then(|loaded| loaded.evaluation.as_ref().map(|evaluation| scope.load(evaluation)));
            let promise = match begun {
                Some(promise) => promise,
                None => {
                    let def = self.def(&module.key).ok_or(Exception)?;
                    let begun = scope.unclamped(|| scope.evaluate_module(def));
                    // A module that was left in the middle cannot be evaluated again.
                    lock(&self.modules).broken |= self.exit_code().is_some();
                    let promise = begun?;
                    promise.mark_handled();
                    if let Some(loaded) = lock(&self.modules).loaded.get_mut(&module.key) {
                        loaded.evaluation = Some(scope.save(promise.clone()));
                    }
                    promise
                }
            };
            match scope.promise_state(&promise) {
                Some(PromiseState::Fulfilled(_)) => {
                    import.next += 1;
                    import.waits = false;
                }
                Some(PromiseState::Rejected(reason)) => {
                    import.evaluated = true;
                    return Err(scope.throw(reason));
                }
                Some(PromiseState::Pending) | None => {
                    import.waits = true;
                    return Ok(Progress::Waiting);
                }
            }
        }
        Ok(Progress::Done)
    }

    /// Reads what is missing of a graph into the context and links it.
    fn link(&self, scope: Scope<'_>, graph: &Arc<ModuleGraph>) -> Result<(), Exception> {
        self.compile(scope, graph)?;
        lock(&self.modules).linking = Some(graph.clone());
        let linked = scope.unclamped(|| {
            let mut fresh = Vec::new();
            for module in &graph.modules {
                if self.def(&module.key).is_none() {
                    self.read(scope, module)?;
                }
                fresh.push(module);
            }
            for module in fresh {
                let known = lock(&self.modules).loaded.get(&module.key).map(|loaded| (loaded.def, loaded.resolved));
                if let Some((def, false)) = known {
                    scope.resolve_module(def)?;
                    if let Some(loaded) = lock(&self.modules).loaded.get_mut(&module.key) {
                        loaded.resolved = true;
                    }
                }
            }
            Ok(())
        });
        let mut modules = lock(&self.modules);
        modules.linking = None;
        modules.broken |= linked.is_err();
        linked
    }

    /// Compiles what nobody has compiled in this process.
    fn compile(&self, scope: Scope<'_>, graph: &ModuleGraph) -> Result<(), Exception> {
        let missing: Vec<&Arc<Module>> =
            graph.modules.iter().filter(|module| module.bytecode().get().is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let texts = missing.iter().map(|module| (&*module.key, &*module.text));
        // What a run may take, but as much as any module of the library does.
        let heap = lock(&self.context).scope.budget.memory_bytes().clamp(COMPILE_LEAST, COMPILE_HEAP);
        let compiled = scope.unclamped(|| scope.compile_modules(heap, COMPILE_STACK, texts));
        scope.leave_if_stopped();
        match compiled {
            Ok(compiled) => {
                COMPILED.fetch_add(compiled.len() as u64, Ordering::Relaxed);
                for (module, bytecode) in missing.iter().zip(compiled) {
                    let _: Result<(), Bytecode> = module.bytecode().set(bytecode);
                }
                Ok(())
            }
            Err(CompileError { index, message, stack }) => {
                let module = missing[index];
                let place = stack.lines().find_map(|line| {
                    let mut parts = line.trim_end_matches(')').rsplitn(3, ':');
                    let (column, line) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
                    Some(module.origin.place(line, column))
                });
                let place = place.map_or_else(String::new, |(line, column)| format!(":{line}:{column}"));
                Err(scope.throw_error("SyntaxError", &format!("{message} ({}{place})", module.name)))
            }
        }
    }

    fn read(&self, scope: Scope<'_>, module: &Arc<Module>) -> Result<ModuleDef, Exception> {
        let Some(bytecode) = module.bytecode().get() else {
            return Err(scope.throw_error("Error", "a module is not compiled"));
        };
        let def = scope.read_module(bytecode)?;
        lock(&self.modules).add(module.clone(), def);
        if module.text.contains(IMPORT) {
            let importer = self.importer(scope)?;
            let import = scope.call(&importer, &scope.undefined(), &[&scope.string(&module.key)?])?;
            scope.import_meta(def)?.define_hidden(&scope.atom(IMPORT)?, import)?;
        }
        if let Some(name) = module.library() {
            let value = match self.config.provider(name) {
                Some(area) => self.load_area(scope, name, area)?,
                None => return Err(scope.throw_error("Error", "no such library value")),
            };
            scope.import_meta(def)?.define_hidden(&scope.atom(LIBRARY_VALUE)?, value)?;
        }
        Ok(def)
    }

    /// QuickJS asks for a module that is not in the context: one of those that import each other.
    pub(super) fn requested_module(&self, scope: Scope<'_>, key: &str) -> Result<ModuleDef, Exception> {
        if let Some(def) = self.def(key) {
            return Ok(def);
        }
        let graph = lock(&self.modules).linking.clone();
        let module = graph.as_ref().and_then(|graph| graph.modules.iter().find(|module| module.key == key));
        match module {
            Some(module) => self.read(scope, module),
            None => Err(scope.throw_error("Error", &format!("no module '{key}'"))),
        }
    }

    /// Whether QuickJS may ask for modules at all: what is not prepared (`eval`, `new Function`) imports nothing.
    pub(super) fn admits_modules(&self, scope: Scope<'_>) -> Result<(), Exception> {
        if lock(&self.modules).linking.is_some() {
            return Ok(());
        }
        Err(scope.throw_error("TypeError", "import() does not work in code that is made of strings at run time"))
    }
}

/// Modules that were compiled in this process.
static COMPILED: AtomicU64 = AtomicU64::new(0);

/// How many modules were compiled in this process; the same content imported again is not.
pub fn modules_compiled() -> u64 {
    COMPILED.load(Ordering::Relaxed)
}

/// The heap and the stack that compiling a graph may take.
const COMPILE_HEAP: usize = 512 << 20;
const COMPILE_LEAST: usize = 16 << 20;
/// Of names of modules and messages about them no more is looked at.
const MAX_NAME: usize = 8 << 10;
const COMPILE_STACK: usize = 1 << 20;

/// A message of QuickJS with names in place of keys.
fn readable(graph: &ModuleGraph, mut message: String) -> String {
    for module in &graph.modules {
        if message.contains(&module.key) {
            message = message.replace(&module.key, &module.name);
        }
    }
    message
}
