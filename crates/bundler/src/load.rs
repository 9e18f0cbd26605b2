//! Loading: from an import to the graph behind it, reading and parsing what has changed and nothing else.

mod content;
mod inner;
mod json;
mod loading;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use self::inner::{Cache, Counters, Inner, Loaded, NO_ROOT, Request, outside};
pub use self::inner::{ImportError, ImportErrorKind};
use self::loading::Loading;
use crate::fs::{FileSystem, MemoryFiles, normalize};
use crate::graph::Graph;
use crate::names::Way;
use crate::parse::with_large_stack;
use crate::task::Preparer;

/// Graphs that are kept, text of parsed files that is kept, and keys whose files are remembered.
const MAX_GRAPHS: usize = 256;
const MAX_BYTES: usize = 64 << 20;
const MAX_PATHS: usize = 100_000;
/// Nobody writes a longer name of a module.
const MAX_SPECIFIER: usize = 4 << 10;

/// Loads modules below granted roots, and those that the host provides. Clones share everything.
///
/// Files are read again when they have changed, and parsed again when their content has.
#[derive(Clone)]
pub struct Loader(Arc<Inner>);

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

/// What a [`Loader`] is made of.
#[derive(Clone, Default)]
#[non_exhaustive]
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

impl LoaderOptions {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
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
        let state = Cache::default();
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
