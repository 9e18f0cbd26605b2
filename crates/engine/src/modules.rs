//! Modules in a VM: what is there, and the imports that are under way.
//!
//! An import is not QuickJS's own: prepared texts call a native function instead, and the event loop does the rest between two jobs, since
//! QuickJS aborts when modules are linked while one of them is being evaluated. Modules are evaluated one by one, each after all that it
//! imports has settled: so none of them ever waits for another, which QuickJS does not always survive.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, OnceLock};

use crate::js::{Bytecode, ModuleDef, Saved};
use crate::op_value::OpError;
use crate::ops::OpContext;
use crate::program::Origin;

/// A module that is ready to be compiled: imports are keys of other modules.
pub struct Module {
    /// Names this module with this content and these imports, and nothing else.
    pub key: String,
    /// What positions call it.
    pub name: String,
    /// An ES module.
    pub text: Arc<str>,
    /// Where it comes from.
    pub origin: Arc<dyn Origin>,
    /// The value of the library that it finds as `import.meta.$library`.
    library: Option<String>,
    /// Compiled once per process.
    bytecode: OnceLock<Bytecode>,
}

impl Module {
    /// A module that has not been compiled yet.
    pub fn new(key: String, name: String, text: Arc<str>, origin: Arc<dyn Origin>) -> Self {
        Self { key, name, text, origin, library: None, bytecode: OnceLock::new() }
    }

    /// The same for a module of the host that shows a value of the library (see [`crate::Area::with_internals`]), which it finds as
    /// `import.meta.$library`.
    #[must_use]
    pub fn with_library(mut self, value: &str) -> Self {
        self.library = Some(value.to_owned());
        self
    }

    pub(crate) fn library(&self) -> Option<&str> {
        self.library.as_deref()
    }

    pub(crate) fn bytecode(&self) -> &OnceLock<Bytecode> {
        &self.bytecode
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("key", &self.key).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A module and all that it imports.
#[derive(Clone, Debug)]
pub struct ModuleGraph {
    /// In order of evaluation. Of modules that import each other the one that is to be evaluated first comes first.
    pub modules: Vec<Arc<Module>>,
    /// The one that was asked for.
    pub root: Arc<Module>,
}

/// Finds modules. Called on the thread that runs the script; may block for as long as reading files takes.
pub trait ModuleLoader: Send + Sync {
    /// The graph behind an import. `importer` is the key of the module that imports; `None` stands for a script. `kind` is the `type` of the
    /// import's attributes.
    ///
    /// # Errors
    /// If there is none. The error is thrown where the import stands.
    fn load(
        &self,
        context: &OpContext,
        importer: Option<&str>,
        specifier: &str,
        kind: Option<&str>,
    ) -> Result<Arc<ModuleGraph>, OpError>;
}

/// What QuickJS keeps for a module besides its text, roughly.
const MODULE_COST: usize = 4 << 10;
/// Memory of modules that have been replaced by a newer content, beyond which the VM is not kept.
const MAX_STRANDED: usize = 4 << 20;

/// The modules of one VM.
#[derive(Default)]
pub(crate) struct Modules {
    pub(crate) loaded: HashMap<String, Loaded>,
    /// The newest key of each name.
    newest: HashMap<String, String>,
    stranded: usize,
    pub(crate) imports: VecDeque<Import>,
    /// The graph that is being linked: QuickJS may ask for its modules.
    pub(crate) linking: Option<Arc<ModuleGraph>>,
    /// Something could not be linked, which leaves QuickJS with a module it cannot use and cannot forget.
    pub(crate) broken: bool,
}

pub(crate) struct Loaded {
    pub(crate) module: Arc<Module>,
    pub(crate) def: ModuleDef,
    pub(crate) resolved: bool,
    /// The promise of its end, once it has begun.
    pub(crate) evaluation: Option<Saved>,
}

/// One import on its way.
pub(crate) struct Import {
    pub(crate) graph: Arc<ModuleGraph>,
    pub(crate) resolve: Saved,
    pub(crate) reject: Saved,
    /// An error that was made where the import stands.
    pub(crate) site: Saved,
    /// Everything is linked.
    pub(crate) linked: bool,
    /// Which module of the graph is next.
    pub(crate) next: usize,
    /// The next one has begun and not settled.
    pub(crate) waits: bool,
    /// A module threw.
    pub(crate) evaluated: bool,
}

impl Modules {
    pub(crate) fn add(&mut self, module: Arc<Module>, def: ModuleDef) {
        let before = self.newest.insert(module.name.clone(), module.key.clone());
        if let Some(before) = before.filter(|before| *before != module.key)
            && let Some(before) = self.loaded.get(&before)
        {
            self.stranded += MODULE_COST + 2 * before.module.text.len();
        }
        self.loaded.insert(module.key.clone(), Loaded { module, def, resolved: false, evaluation: None });
    }

    /// Whether the VM holds so much that nobody can reach any more that a new one is better, or cannot link what it should.
    pub(crate) fn is_stale(&self) -> bool {
        self.broken || self.stranded > MAX_STRANDED
    }

    pub(crate) fn origin(&self, key: &str) -> Option<Arc<Module>> {
        self.loaded.get(key).map(|loaded| loaded.module.clone())
    }
}
