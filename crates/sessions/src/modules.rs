use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use perennial_bundler::{
    Graph, Import, ImportError, ImportErrorKind, Importer, LoadCounts, Loader, LoaderOptions, Problem, SourceError,
};
use perennial_engine::{Budget, Module, ModuleGraph, ModuleLoader, OpContext, OpError};
use perennial_protocol::{ErrorKind, ScriptError};

use crate::cells::Author;
use crate::preparer::LimitedPreparer;

/// What scripts may import, as a capability: hand it to a run with [`crate::RunContext::grant`]. Without one only modules that the host
/// provides can be imported. Cheap to clone; clones share what has been read and parsed.
///
/// ```no_run
/// use perennial_sessions::{ModuleAccess, RunContext};
/// let context = RunContext::new().grant(ModuleAccess::below("/srv/app"));
/// ```
#[derive(Clone)]
pub struct ModuleAccess {
    loader: Loader,
    base: Arc<Path>,
}

impl ModuleAccess {
    /// Modules of this machine below a directory, which is also where the imports of scripts are relative to.
    pub fn below(directory: impl Into<PathBuf>) -> Self {
        Self::below_with_imports(directory, BTreeMap::new())
    }

    /// As [`Self::below`], with the `imports` of an import map: what stands on the left is imported as what stands on the right, a name that
    /// ends in `/` with all that begin with it. Paths on the right are absolute; scopes there are none.
    pub fn below_with_imports(directory: impl Into<PathBuf>, imports: BTreeMap<String, String>) -> Self {
        let directory = directory.into();
        let roots = vec![directory.clone()];
        let options = LoaderOptions::default().configure(|options| {
            options.roots = roots;
            options.imports = imports;
            options.provided = provided_modules();
        });
        Self::new(Loader::new(Arc::new(perennial_bundler::Disk), options), directory)
    }

    /// Whether modules in a directory, whose path is without links, may be imported.
    pub fn grants(&self, directory: &Path) -> bool {
        self.loader.roots().iter().any(|root| directory.starts_with(root))
    }

    /// What a loader finds. Imports of scripts are relative to `base`. Modules of the host are among it if the loader has them
    /// ([`provided_modules`]).
    pub fn new(loader: Loader, base: impl Into<PathBuf>) -> Self {
        let base: PathBuf = base.into();
        Self { loader, base: base.into() }
    }

    /// The same with another directory that the imports of scripts are relative to.
    #[must_use]
    pub fn relative_to(&self, base: impl Into<PathBuf>) -> Self {
        Self::new(self.loader.clone(), base)
    }

    /// Packages that scripts may import by their names: those that the project depends on and has. Blocks; a `package.json` that cannot be read has none.
    pub fn packages(&self) -> Vec<String> {
        const MOST: u64 = 1 << 20;
        let path = self.base.join("package.json");
        if path.metadata().is_ok_and(|metadata| !metadata.is_file() || metadata.len() > MOST) {
            return Vec::new();
        }
        let package: Option<serde_json::Value> =
            std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let listed =
            ["dependencies", "devDependencies"].into_iter().filter_map(|kind| package.as_ref()?.get(kind)?.as_object());
        let is_there = |name: &&String| self.base.join("node_modules").join(name).is_dir();
        listed.flat_map(serde_json::Map::keys).filter(is_there).cloned().collect()
    }

    /// What is wrong with an import of a script, in the script. Blocks; runs nothing.
    ///
    /// # Errors
    /// Why it would fail.
    pub fn check(&self, import: &Import) -> Result<(), SourceError> {
        let loaded = self.loader.load(
            Importer::Directory(&self.base),
            &import.specifier,
            import.kind.as_deref(),
            &LimitedPreparer::of_host(),
        );
        let problem =
            |error: ImportError| Problem { range: import.range.clone(), message: error.to_string(), help: None };
        loaded.map_err(|error| SourceError::from(problem(error)))?.check(import)
    }

    pub(crate) fn loader(&self) -> &Loader {
        &self.loader
    }

    /// A path as imports of scripts mean it.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    /// The text of a file with what positions call it.
    pub(crate) fn read(&self, path: &Path) -> Result<(String, String), ScriptError> {
        self.loader.read(path).map_err(|error| script_error(&error))
    }

    /// What loading has taken so far.
    pub fn counts(&self) -> LoadCounts {
        self.loader.counts()
    }
}

impl std::fmt::Debug for ModuleAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModuleAccess").field("roots", &self.loader.roots()).field("base", &self.base).finish()
    }
}

/// Graphs that are kept ready for the engine.
const MAX_GRAPHS: usize = 256;
/// Bytes of their modules.
const MAX_BYTES: usize = 128 << 20;

/// Finds modules for sessions, with the access that the call brings.
#[derive(Default)]
pub(crate) struct SessionModules {
    state: Mutex<Compiled>,
}

#[derive(Default)]
struct Compiled {
    /// By the key of the root.
    graphs: HashMap<String, Arc<ModuleGraph>>,
    /// Text of the modules, and roughly their bytecode.
    bytes: usize,
    /// Every module there is, so that its bytecode is made once however many graphs it is part of.
    modules: HashMap<String, Weak<Module>>,
}

/// A loader for those who were granted nothing.
static NOTHING: LazyLock<Loader> = LazyLock::new(|| Loader::provided(provided_modules()));

/// The modules of the host: `perennial:plugin`, `perennial:test`, and those of Node.js that are here. For `LoaderOptions::provided` of a
/// loader that is made by hand; [`ModuleAccess::below`] and plugins have them.
pub fn provided_modules() -> BTreeMap<String, Arc<str>> {
    let modules =
        [("perennial:plugin", include_str!("../js/plugin.ts")), ("perennial:test", include_str!("../js/test.ts"))];
    let own = modules.into_iter().map(|(name, source)| (name.to_owned(), source.into()));
    own.chain(perennial_stdlib::node::modules()).collect()
}

impl SessionModules {
    fn lock(&self) -> MutexGuard<'_, Compiled> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The graph behind an import, found by a loader within what the run may take.
    pub(crate) fn load_with(
        &self,
        loader: &Loader,
        importer: Importer<'_>,
        specifier: &str,
        kind: Option<&str>,
        budget: &Budget,
    ) -> Result<Arc<ModuleGraph>, OpError> {
        let loaded = loader.load(importer, specifier, kind, &LimitedPreparer::of_run(budget));
        let graph = loaded.map_err(|error| op_error(&error))?;
        Ok(self.graph(&graph))
    }

    /// The engine's form of a graph.
    pub(crate) fn graph(&self, graph: &Graph) -> Arc<ModuleGraph> {
        let mut state = self.lock();
        if let Some(known) = state.graphs.get(&graph.root().key) {
            return known.clone();
        }
        if state.graphs.len() >= MAX_GRAPHS || state.bytes > MAX_BYTES {
            state.graphs.clear();
            state.bytes = 0;
            state.modules.retain(|_, module| module.strong_count() > 0);
        }
        let mut modules = Vec::with_capacity(graph.modules.len());
        for module in &graph.modules {
            let known = state.modules.get(&module.key).and_then(Weak::upgrade);
            let module = known.unwrap_or_else(|| {
                let (text, origin) = (module.prepared.text.clone(), Arc::new(Author(module.prepared.clone())));
                state.bytes += 2 * text.len();
                let made = Module::new(module.key.clone(), module.name.clone(), text, origin);
                let library = module.provided().filter(|name| name.starts_with("node:"));
                let made = Arc::new(match library {
                    Some(value) => made.with_library(value),
                    None => made,
                });
                state.modules.insert(module.key.clone(), Arc::downgrade(&made));
                made
            });
            modules.push(module);
        }
        let root = modules
            .iter()
            .find(|module| module.key == graph.root().key)
            .expect("the root is part of its graph")
            .clone();
        let made = Arc::new(ModuleGraph { modules, root });
        state.graphs.insert(graph.root().key.clone(), made.clone());
        made
    }
}

/// One for the process: what is compiled is compiled once.
pub(crate) fn session_modules() -> &'static Arc<SessionModules> {
    static MODULES: LazyLock<Arc<SessionModules>> = LazyLock::new(Arc::default);
    &MODULES
}

impl ModuleLoader for SessionModules {
    fn load(
        &self,
        context: &OpContext,
        importer: Option<&str>,
        specifier: &str,
        kind: Option<&str>,
    ) -> Result<Arc<ModuleGraph>, OpError> {
        if importer.is_none()
            && let Some(imports) = context.lent.get::<BundleImports>()
            && let Some(graph) = imports.0.get(&(specifier.to_owned(), kind.map(str::to_owned)))
        {
            return Ok(graph.clone());
        }
        let access = context.extensions.get::<ModuleAccess>();
        let (loader, base) = match &access {
            Some(access) => (&access.loader, &*access.base),
            None => (&*NOTHING, Path::new("/")),
        };
        let importer = importer.map_or(Importer::Directory(base), Importer::Module);
        self.load_with(loader, importer, specifier, kind, &context.budget)
    }
}

/// The graphs behind what a bundle's entry imports, by specifier and type.
#[derive(Clone)]
pub(crate) struct BundleImports(pub(crate) Arc<Graphs>);

/// Graphs by what is imported: specifier and type.
type Graphs = HashMap<(String, Option<String>), Arc<ModuleGraph>>;

/// How a failed import is reported: the kind of a run that fails with it, and the class of what is thrown.
fn reported(kind: ImportErrorKind) -> (ErrorKind, &'static str) {
    match kind {
        ImportErrorKind::Refused => (ErrorKind::Permission, "PermissionError"),
        ImportErrorKind::Syntax => (ErrorKind::Syntax, "SyntaxError"),
        ImportErrorKind::WrongKind => (ErrorKind::Runtime, "TypeError"),
        ImportErrorKind::NotFound => (ErrorKind::Runtime, "Error"),
        ImportErrorKind::Limit => (ErrorKind::Runtime, "QuotaExceededError"),
    }
}

pub(crate) fn op_error(error: &ImportError) -> OpError {
    OpError::new(reported(error.kind).1, error.to_string())
}

pub(crate) fn script_error(error: &ImportError) -> ScriptError {
    let (kind, name) = reported(error.kind);
    ScriptError::new(kind, error.to_string()).configure(|error| error.name = name.to_owned())
}
