//! Loading: from an import to the graph behind it, reading and parsing what has changed and nothing else.

mod content;
mod json;
mod loading;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::loading::{Loading, Request};
use crate::fs::{FileKind, FileSystem, MemoryFiles, Stat, normalize};
use crate::graph::{Content, Graph};
use crate::parse::with_large_stack;
use crate::resolve::{Way, is_node_module};
use crate::task::Preparer;

/// A larger file is no module.
const MAX_FILE: u64 = 16 << 20;
/// Graphs that are kept, text of parsed files that is kept, and keys whose files are remembered.
const MAX_GRAPHS: usize = 256;
const MAX_BYTES: usize = 64 << 20;
const MAX_PATHS: usize = 100_000;
/// Nobody writes a longer name of a module.
const MAX_SPECIFIER: usize = 4 << 10;
const NO_ROOT: &str = "no directory is granted to read modules from; `--modules`, or `ModuleAccess` of whoever embeds this, would grant one";
/// Names that the host provides begin with one of these.
const PROVIDED: [&str; 2] = ["perennial:", NODE];
pub(crate) const NODE: &str = "node:";

/// Loads modules below granted roots, and those that the host provides. Clones share everything.
///
/// Files are read again when they have changed, and parsed again when their content has.
#[derive(Clone)]
pub struct Loader(Arc<Inner>);

struct Inner {
    files: Arc<dyn FileSystem>,
    /// Canonical.
    roots: Vec<PathBuf>,
    imports: BTreeMap<String, String>,
    provided: BTreeMap<String, Arc<str>>,
    label: PathBuf,
    /// What the keys of its modules are made of besides the modules.
    salt: u64,
    /// Its lock is held for looking up and putting in, never while files are read.
    state: Mutex<State>,
    counts: Counters,
}

#[derive(Default)]
struct State {
    parsed: HashMap<(PathBuf, Kind), Parsed>,
    /// Text in `parsed`.
    bytes: usize,
    graphs: HashMap<(PathBuf, String, Option<String>), Arc<Loaded>>,
    /// The files behind keys, for what modules import while they run.
    paths: HashMap<String, PathBuf>,
}

#[derive(Clone)]
struct Parsed {
    stat: Stat,
    hash: u128,
    content: Content,
}

struct Loaded {
    graph: Arc<Graph>,
    /// Everything it was made of, as it was then.
    files: Vec<(PathBuf, Stat)>,
    /// What was looked for and was not there.
    missing: Vec<PathBuf>,
}

/// What a file is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    EsModule,
    /// By the package's word, else by what is in it.
    Either,
    CommonJs,
    Json,
    Text,
    Bytes,
}

#[derive(Default)]
struct Counters {
    read: AtomicU64,
    parsed: AtomicU64,
    graph_hits: AtomicU64,
    graph_misses: AtomicU64,
}

/// What loading has taken so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadCounts {
    /// Files that were read.
    pub read: u64,
    /// Files that were parsed.
    pub parsed: u64,
    /// Graphs that were found unchanged.
    pub graph_hits: u64,
    /// Graphs that were put together.
    pub graph_misses: u64,
}

/// Who imports.
#[derive(Clone, Copy, Debug)]
pub enum Importer<'a> {
    /// Something in this directory that is no file.
    Directory(&'a Path),
    /// The module with this key.
    Module(&'a str),
}

/// Why an import failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// What kind of failure it is.
    pub kind: ImportErrorKind,
    /// What was imported.
    pub specifier: String,
    /// File, line and column of the import, unless it is that of who asked.
    pub importer: Option<(String, u32, u32)>,
    /// Why.
    pub message: String,
}

/// The kinds of failed imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportErrorKind {
    /// There is something, but nobody granted it.
    Refused,
    /// There is nothing.
    NotFound,
    /// It is there and no module, or not the one that was asked for.
    WrongKind,
    /// Its source cannot be used.
    Syntax,
    /// It takes more than it may.
    Limit,
}

impl std::fmt::Display for ImportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot import '{}'", self.specifier)?;
        if let Some((file, line, column)) = &self.importer {
            write!(f, " at {file}:{line}:{column}")?;
        }
        if self.message.is_empty() { f.write_str(": not found") } else { write!(f, ": {}", self.message) }
    }
}

impl std::error::Error for ImportError {}

/// What a [`Loader`] is made of.
#[derive(Clone, Default)]
pub struct LoaderOptions {
    /// Directories below which modules may be read. None: only what the host provides can be imported.
    pub roots: Vec<PathBuf>,
    /// Entries of an import map: what stands on the left is imported as what stands on the right. A name that ends in `/` stands for all
    /// that begin with it.
    pub imports: BTreeMap<String, String>,
    /// What stands before the names of files in positions, instead of nothing.
    pub label: Option<PathBuf>,
    /// Whether its modules are nobody else's: what another loader makes of the same files has other keys, and so is another instance in a VM.
    pub private: bool,
    /// Modules of the host, by names that begin with `perennial:` or `node:`, as TypeScript. The latter are found without `node:` too, where
    /// there is no package of the name, and `require` gives their default export.
    pub provided: BTreeMap<String, Arc<str>>,
}

impl Loader {
    /// A loader over files.
    pub fn new(files: Arc<dyn FileSystem>, options: LoaderOptions) -> Self {
        let roots: Vec<PathBuf> = options
            .roots
            .iter()
            .map(|root| normalize(root))
            .map(|root| files.canonicalize(&root).unwrap_or(root))
            .collect();
        let state = State::default();
        static PRIVATE: AtomicU64 = AtomicU64::new(0);
        let LoaderOptions { imports, provided, label, private, .. } = options;
        let salt = if private { 1 + PRIVATE.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let label = label.unwrap_or_default();
        Self(Arc::new(Inner {
            files,
            roots,
            imports,
            provided,
            label,
            salt,
            state: Mutex::new(state),
            counts: Counters::default(),
        }))
    }

    /// A loader that has nothing but what the host provides.
    pub fn provided(provided: BTreeMap<String, Arc<str>>) -> Self {
        Self::new(Arc::new(MemoryFiles::new()), LoaderOptions { provided, ..LoaderOptions::default() })
    }

    /// What has been done so far.
    pub fn counts(&self) -> LoadCounts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = &self.0.counts;
        LoadCounts {
            read: get(&counts.read),
            parsed: get(&counts.parsed),
            graph_hits: get(&counts.graph_hits),
            graph_misses: get(&counts.graph_misses),
        }
    }

    /// The text of a file that is granted, with what positions call it.
    ///
    /// # Errors
    /// If it is not granted, not there, or no text.
    pub fn read(&self, path: &Path) -> Result<(String, String), ImportError> {
        let specifier = path.display().to_string();
        let fail = |kind, message: String| ImportError { kind, specifier: specifier.clone(), importer: None, message };
        let files = &self.0.files;
        let not_found = |error: std::io::Error| fail(ImportErrorKind::NotFound, error.to_string());
        let real = files.canonicalize(&normalize(path)).map_err(not_found)?;
        if !self.0.roots.iter().any(|root| real.starts_with(root)) {
            return Err(fail(ImportErrorKind::Refused, outside(&real)));
        }
        let name = self.0.display(&real);
        let stat = files.stat(&real, true).map_err(not_found)?;
        let bytes = self.0.bytes(&real, stat, &name).map_err(|(kind, message)| fail(kind, message))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| fail(ImportErrorKind::WrongKind, format!("{name} is no UTF-8 text")))?;
        Ok((text, name))
    }

    /// Whether a module of this key was loaded here.
    pub fn knows(&self, key: &str) -> bool {
        self.0.state().paths.contains_key(key)
    }

    /// The directories below which modules may be read.
    pub fn roots(&self) -> &[PathBuf] {
        &self.0.roots
    }

    /// The graph behind an import. `kind` is the `type` of its attributes. Blocks while files are read and parsed; what is not proven to be cheap
    /// to parse is prepared by `preparer`. What was denied is asked for again the next time.
    ///
    /// # Errors
    /// If anything in the graph is not granted, not there, cannot be used, or is not prepared.
    pub fn load(
        &self,
        importer: Importer<'_>,
        specifier: &str,
        kind: Option<&str>,
        preparer: &dyn Preparer,
    ) -> Result<Arc<Graph>, ImportError> {
        if specifier.len() > MAX_SPECIFIER {
            let shown = specifier.chars().take(50).collect::<String>() + "…";
            let message = format!("a specifier has at most {MAX_SPECIFIER} bytes");
            return Err(ImportError { kind: ImportErrorKind::NotFound, specifier: shown, importer: None, message });
        }
        let importer = match importer {
            Importer::Directory(directory) => directory.join("cell.ts"),
            Importer::Module(key) => {
                self.0.state().paths.get(key).cloned().unwrap_or_else(|| PathBuf::from("/unknown"))
            }
        };
        let request = (importer, specifier.to_owned(), kind.map(str::to_owned));
        let known = self.0.state().graphs.get(&request).cloned();
        if let Some(loaded) = known
            && self.is_current(&loaded)
        {
            self.0.counts.graph_hits.fetch_add(1, Ordering::Relaxed);
            return Ok(loaded.graph.clone());
        }
        let inner: &Inner = &self.0;
        let wanted = Request { importer: &request.0, specifier, kind, way: Way::Import, place: None };
        // Those who were granted nothing ask again and again.
        if inner.roots.is_empty() && inner.without_roots(&inner.mapped(specifier)).is_none() {
            return Err(wanted.error(ImportErrorKind::Refused, NO_ROOT));
        }
        inner.counts.graph_misses.fetch_add(1, Ordering::Relaxed);
        // Chains of imports are recursed into.
        let loaded = with_large_stack(|| Loading::new(inner, preparer).load(&wanted))?;
        let mut state = self.0.state();
        if state.graphs.len() >= MAX_GRAPHS || state.bytes > MAX_BYTES {
            state.graphs.clear();
            state.parsed.clear();
            state.bytes = 0;
        }
        if state.paths.len() > MAX_PATHS {
            state.paths.clear();
        }
        for module in &loaded.graph.modules {
            if let Some(path) = &module.path {
                state.paths.insert(module.key.clone(), path.clone());
            }
        }
        let graph = loaded.graph.clone();
        state.graphs.insert(request, Arc::new(loaded));
        Ok(graph)
    }

    fn is_current(&self, loaded: &Loaded) -> bool {
        let files = &self.0.files;
        loaded.files.iter().all(|(path, stat)| files.stat(path, true).is_ok_and(|now| now == *stat))
            && loaded.missing.iter().all(|path| files.stat(path, true).is_err())
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The specifier after the import map.
    fn mapped(&self, specifier: &str) -> String {
        if let Some(target) = self.imports.get(specifier) {
            return target.clone();
        }
        let prefixes =
            self.imports.iter().filter(|(from, _)| from.ends_with('/') && specifier.starts_with(from.as_str()));
        match prefixes.max_by_key(|(from, _)| from.len()) {
            Some((from, to)) => format!("{to}{}", &specifier[from.len()..]),
            None => specifier.to_owned(),
        }
    }

    /// The name of the host's module, or of one of Node.js that is not there, that a specifier stands for where no file is to be read.
    fn without_roots(&self, specifier: &str) -> Option<String> {
        if PROVIDED.iter().any(|prefix| specifier.starts_with(prefix)) {
            return Some(specifier.to_owned());
        }
        is_node_module(specifier).then(|| format!("{NODE}{specifier}"))
    }

    /// What is in a file that was found to be like this. `name` is what positions call it.
    fn bytes(&self, path: &Path, stat: Stat, name: &str) -> Result<Vec<u8>, (ImportErrorKind, String)> {
        if stat.kind != FileKind::File {
            return Err((ImportErrorKind::WrongKind, format!("{name} is no file")));
        }
        if stat.size > MAX_FILE {
            let message = format!("{name} has {} bytes, more than the {MAX_FILE} of the largest module", stat.size);
            return Err((ImportErrorKind::WrongKind, message));
        }
        self.files.read(path).map_err(|error| (ImportErrorKind::NotFound, error.to_string()))
    }

    /// What positions call a file: its path below its root.
    fn display(&self, path: &Path) -> String {
        let below = self.roots.iter().filter_map(|root| path.strip_prefix(root).ok());
        let below = below.min_by_key(|path| path.as_os_str().len()).unwrap_or(path);
        self.label.join(below).display().to_string()
    }
}

fn outside(path: &Path) -> String {
    let path = path.display();
    format!(
        "{path} is outside of the directories that modules may be read from; `--modules`, or `ModuleAccess` of whoever embeds this, would grant it"
    )
}
