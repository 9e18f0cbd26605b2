//! Loading: from an import to the graph behind it, reading and parsing what has changed and nothing else.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::commonjs::{looks_like_commonjs, prepare_commonjs};
use crate::diagnostics::{SourceError, line_and_column};
use crate::fs::{FileKind, FileSystem, MemoryFiles, Stat, normalize};
use crate::graph::{Content, Graph, Node, finish, hash};
use crate::module::{ModuleText, prepare_module};
use crate::parse::{Language, with_large_stack};
use crate::prepare::Prepared;
use crate::resolve::{Format, Found, Looked, Resolver, Unresolved, Way};

/// A larger file is no module.
const MAX_FILE: u64 = 16 << 20;
/// Modules of one graph.
const MAX_MODULES: usize = 5000;
/// Graphs that are kept, text of parsed files that is kept, and keys whose files are remembered.
const MAX_GRAPHS: usize = 256;
const MAX_BYTES: usize = 64 << 20;
const MAX_PATHS: usize = 100_000;
/// Nobody writes a longer name of a module.
const MAX_SPECIFIER: usize = 4 << 10;
const NO_ROOT: &str = "no directory is granted to read modules from; `trusted_modules` would grant one";
/// Names that the host provides begin with this.
const PROVIDED: &str = "perennial:";

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
    /// Modules of the host, by names that begin with `perennial:`, as TypeScript.
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
        let LoaderOptions { imports, provided, label, .. } = options;
        let label = label.unwrap_or_default();
        Self(Arc::new(Inner {
            files,
            roots,
            imports,
            provided,
            label,
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
        let path = normalize(path);
        let real = self.0.files.canonicalize(&path);
        let real = real.map_err(|error| fail(ImportErrorKind::NotFound, error.to_string()))?;
        if !self.0.roots.iter().any(|root| real.starts_with(root)) {
            return Err(fail(ImportErrorKind::Refused, outside(&real)));
        }
        let stat =
            self.0.files.stat(&real, true).map_err(|error| fail(ImportErrorKind::NotFound, error.to_string()))?;
        if stat.kind != FileKind::File || stat.size > MAX_FILE {
            return Err(fail(ImportErrorKind::WrongKind, format!("no file, or one of more than {MAX_FILE} bytes")));
        }
        let bytes = self.0.files.read(&real).map_err(|error| fail(ImportErrorKind::NotFound, error.to_string()))?;
        let text =
            String::from_utf8(bytes).map_err(|_| fail(ImportErrorKind::WrongKind, "no UTF-8 text".to_owned()))?;
        let name = self.0.display(&real);
        Ok((text, name))
    }

    /// Whether a module of this key was loaded here.
    pub fn knows(&self, key: &str) -> bool {
        self.lock().paths.contains_key(key)
    }

    /// The directories below which modules may be read.
    pub fn roots(&self) -> &[PathBuf] {
        &self.0.roots
    }

    /// The graph behind an import. `kind` is the `type` of its attributes. Blocks while files are read and parsed.
    ///
    /// # Errors
    /// If anything in the graph is not granted, not there, or cannot be used.
    pub fn load(&self, importer: Importer<'_>, specifier: &str, kind: Option<&str>) -> Result<Arc<Graph>, ImportError> {
        if specifier.len() > MAX_SPECIFIER {
            let shown = specifier.chars().take(50).collect::<String>() + "…";
            let message = format!("a specifier has at most {MAX_SPECIFIER} bytes");
            return Err(ImportError { kind: ImportErrorKind::NotFound, specifier: shown, importer: None, message });
        }
        let importer = match importer {
            Importer::Directory(directory) => directory.join("cell.ts"),
            Importer::Module(key) => self.lock().paths.get(key).cloned().unwrap_or_else(|| PathBuf::from("/unknown")),
        };
        let request = (importer, specifier.to_owned(), kind.map(str::to_owned));
        let known = self.lock().graphs.get(&request).cloned();
        if let Some(loaded) = known
            && self.is_current(&loaded)
        {
            self.0.counts.graph_hits.fetch_add(1, Ordering::Relaxed);
            return Ok(loaded.graph.clone());
        }
        let inner: &Inner = &self.0;
        // Those who were granted nothing ask again and again.
        if inner.roots.is_empty() && !inner.mapped(specifier).starts_with(PROVIDED) {
            let kind = ImportErrorKind::Refused;
            return Err(ImportError {
                kind,
                specifier: specifier.to_owned(),
                importer: None,
                message: NO_ROOT.to_owned(),
            });
        }
        inner.counts.graph_misses.fetch_add(1, Ordering::Relaxed);
        // Chains of imports are recursed into.
        let loaded = with_large_stack(|| {
            let mut loading = Loading {
                inner,
                // What the file system looks like is found out anew each time.
                resolver: Resolver::new(inner.files.clone(), inner.roots.clone()),
                nodes: Vec::new(),
                known: HashMap::new(),
                looked: Looked::default(),
                read: Vec::new(),
            };
            loading.load(&request.0, specifier, kind)
        })?;
        let mut state = self.lock();
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state()
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

    /// What positions call a file: its path below its root.
    fn display(&self, path: &Path) -> String {
        let below = self.roots.iter().filter_map(|root| path.strip_prefix(root).ok());
        let below = below.min_by_key(|path| path.as_os_str().len()).unwrap_or(path);
        self.label.join(below).display().to_string()
    }
}

struct Loading<'a> {
    inner: &'a Inner,
    resolver: Resolver,
    nodes: Vec<Node>,
    known: HashMap<Id, usize>,
    looked: Looked,
    read: Vec<(PathBuf, Stat)>,
}

/// What a node stands for.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Id {
    Provided(String),
    File(PathBuf, Kind),
    Facade(PathBuf, Kind),
    Empty,
}

/// An import on its way to a node.
struct Request<'a> {
    importer: &'a Path,
    specifier: &'a str,
    kind: Option<&'a str>,
    way: Way,
    /// Where it stands: what positions call the source, the source, and an offset in it.
    place: Option<(&'a str, &'a str, usize)>,
}

impl Request<'_> {
    fn error(&self, kind: ImportErrorKind, message: impl Into<String>) -> ImportError {
        let importer = self.place.map(|(name, source, at)| {
            let (line, column) = line_and_column(source, at);
            (name.to_owned(), line, column)
        });
        ImportError { kind, specifier: self.specifier.to_owned(), importer, message: message.into() }
    }
}

impl Loading<'_> {
    fn load(&mut self, importer: &Path, specifier: &str, kind: Option<&str>) -> Result<Loaded, ImportError> {
        let root = self.node(&Request { importer, specifier, kind, way: Way::Import, place: None })?;
        let mut files = std::mem::take(&mut self.read);
        let read: HashSet<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
        for path in std::mem::take(&mut self.looked.files) {
            if !read.contains(&path)
                && let Ok(stat) = self.inner.files.stat(&path, true)
                && stat.kind == FileKind::File
            {
                files.push((path, stat));
            }
        }
        // What is outside of the roots looks missing to the resolver and stays so.
        let missing = std::mem::take(&mut self.looked.missing);
        let missing = missing.into_iter().filter(|path| self.inner.files.stat(path, true).is_err()).collect();
        let graph = finish(&self.nodes, root).map_err(|(node, why)| ImportError {
            kind: ImportErrorKind::WrongKind,
            specifier: specifier.to_owned(),
            importer: None,
            message: format!("{why} ({})", self.nodes[node].name),
        })?;
        Ok(Loaded { graph: Arc::new(graph), files, missing })
    }

    /// The node of an import, with everything below it.
    fn node(&mut self, request: &Request<'_>) -> Result<usize, ImportError> {
        let kind = match request.kind {
            None => None,
            Some("json") => Some(Kind::Json),
            Some("text") => Some(Kind::Text),
            Some("bytes") => Some(Kind::Bytes),
            Some(other) => {
                let message = format!("there are no modules of type '{other}': there are json, text and bytes");
                return Err(request.error(ImportErrorKind::WrongKind, message));
            }
        };
        let specifier = self.inner.mapped(request.specifier);
        if specifier.starts_with(PROVIDED) {
            return self.provided(&specifier, request);
        }
        if self.inner.roots.is_empty() {
            return Err(request.error(ImportErrorKind::Refused, NO_ROOT));
        }
        let is_path = specifier.starts_with(['.', '/']);
        let path = normalize(&request.importer.parent().unwrap_or(Path::new("/")).join(&specifier));
        if is_path && !self.inner.roots.iter().any(|root| path.starts_with(root)) {
            return Err(request.error(ImportErrorKind::Refused, outside(&path)));
        }
        let found = self.resolver.resolve(request.importer, &specifier, request.way, &mut self.looked);
        let (path, module_type) = match found {
            Ok(Found::File { path, module_type }) => (path, module_type),
            Ok(Found::Empty) => {
                let prepared = Prepared::generated("export default {};".to_owned());
                return Ok(self.add(Id::Empty, "empty".to_owned(), None, Content::Data(prepared), 0));
            }
            Err(Unresolved::Refused(path)) => {
                return Err(request.error(ImportErrorKind::Refused, outside(&path)));
            }
            Err(Unresolved::NotFound(why)) if why.is_empty() && !is_path && !specifier.starts_with('#') => {
                let name: Vec<&str> =
                    specifier.splitn(3, '/').take(1 + usize::from(specifier.starts_with('@'))).collect();
                let message = format!(
                    "there is no package '{}' in a node_modules directory below what is granted",
                    name.join("/")
                );
                return Err(request.error(ImportErrorKind::NotFound, message));
            }
            Err(Unresolved::NotFound(why)) => return Err(request.error(ImportErrorKind::NotFound, why)),
        };
        let kind = match kind {
            Some(kind) => kind,
            None => self.kind_of(&path, module_type, request)?,
        };
        self.file(path, kind, request)
    }

    fn kind_of(&self, path: &Path, module_type: Option<Format>, request: &Request<'_>) -> Result<Kind, ImportError> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
        match extension {
            "ts" | "mts" | "mjs" => Ok(Kind::EsModule),
            "cjs" => Ok(Kind::CommonJs),
            "json" => Ok(Kind::Json),
            "js" => Ok(match module_type {
                Some(Format::EsModule) => Kind::EsModule,
                Some(Format::CommonJs) | None => Kind::Either,
            }),
            "tsx" | "jsx" => Err(request.error(ImportErrorKind::WrongKind, "JSX is not supported")),
            "cts" => Err(request.error(
                ImportErrorKind::WrongKind,
                "CommonJS in TypeScript is not supported: use `import` and `export`",
            )),
            "node" | "wasm" => Err(request.error(ImportErrorKind::WrongKind, "native code cannot be imported")),
            other => {
                let message = format!(
                    "a file of kind '.{other}' is no module; add `with {{ type: \"text\" }}` or `\"bytes\"` to get what is in it"
                );
                Err(request.error(ImportErrorKind::WrongKind, message))
            }
        }
    }

    fn provided(&mut self, name: &str, request: &Request<'_>) -> Result<usize, ImportError> {
        let id = Id::Provided(name.to_owned());
        if let Some(known) = self.known.get(&id) {
            return Ok(*known);
        }
        let Some(source) = self.inner.provided.get(name) else {
            let known: Vec<&str> = self.inner.provided.keys().map(String::as_str).collect();
            let message = format!(
                "the host provides no module of this name; it provides {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            );
            return Err(request.error(ImportErrorKind::NotFound, message));
        };
        let text = prepare_module(source, Language::TypeScript)
            .map_err(|error| request.error(ImportErrorKind::Syntax, error.render(name, source)))?;
        let hash = hash((name, &**source));
        let text = Arc::new(text);
        let node = self.add(id, name.to_owned(), None, Content::EsModule(text.clone()), hash);
        self.edges(node, Path::new("/"), &text, name)?;
        Ok(node)
    }

    fn file(&mut self, path: PathBuf, kind: Kind, request: &Request<'_>) -> Result<usize, ImportError> {
        let (id, facade) = (Id::File(path.clone(), kind), Id::Facade(path.clone(), kind));
        let wants_facade = request.way == Way::Import;
        if let Some(known) = wants_facade.then(|| self.known.get(&facade)).flatten() {
            return Ok(*known);
        }
        let name = match kind {
            Kind::Text | Kind::Bytes => {
                format!("{}:{}", self.inner.display(&path), if kind == Kind::Text { "text" } else { "bytes" })
            }
            _ => self.inner.display(&path),
        };
        let node = match self.known.get(&id) {
            Some(known) => *known,
            None => {
                if self.nodes.len() >= MAX_MODULES {
                    return Err(request
                        .error(ImportErrorKind::WrongKind, format!("the graph has more than {MAX_MODULES} modules")));
                }
                let parsed = self.parsed(&path, kind, &name, request)?;
                let node = self.add(
                    id,
                    name.clone(),
                    Some(path.clone()),
                    parsed.content.clone(),
                    hash((&path, kind, parsed.hash)),
                );
                if let Content::EsModule(text) | Content::CommonJs(text) = &parsed.content {
                    self.edges(node, &path, text, &name)?;
                }
                node
            }
        };
        if !wants_facade || !matches!(self.nodes[node].content, Content::CommonJs(_)) {
            return Ok(node);
        }
        let between = self.add(
            facade,
            format!("{name}:exports"),
            Some(path),
            Content::Facade,
            hash((self.nodes[node].hash, "facade")),
        );
        self.nodes[between].edges.push(Some(node));
        Ok(between)
    }

    fn add(&mut self, id: Id, name: String, path: Option<PathBuf>, content: Content, hash: u128) -> usize {
        if let Some(known) = self.known.get(&id) {
            return *known;
        }
        let index = self.nodes.len();
        self.known.insert(id, index);
        self.nodes.push(Node { name, path, content, hash, edges: Vec::new() });
        index
    }

    fn edges(&mut self, node: usize, path: &Path, text: &ModuleText, name: &str) -> Result<(), ImportError> {
        for import in &text.imports {
            let request = Request {
                importer: path,
                specifier: &import.specifier,
                kind: import.kind.as_deref(),
                way: import.way,
                place: Some((name, &text.prepared.source, import.at)),
            };
            let edge = match self.node(&request) {
                Ok(edge) => Some(edge),
                // Packages require what they can do without, and catch it.
                Err(error) if import.way == Way::Require && error.kind != ImportErrorKind::Syntax => None,
                Err(error) => return Err(error),
            };
            self.nodes[node].edges.push(edge);
        }
        Ok(())
    }

    fn parsed(&mut self, path: &Path, kind: Kind, name: &str, request: &Request<'_>) -> Result<Parsed, ImportError> {
        let unreadable = |error: std::io::Error| request.error(ImportErrorKind::NotFound, error.to_string());
        let stat = self.inner.files.stat(path, true).map_err(unreadable)?;
        self.read.push((path.to_owned(), stat));
        let known = self.inner.state().parsed.get(&(path.to_owned(), kind)).cloned();
        if let Some(known) = known.clone().filter(|known| known.stat == stat) {
            return Ok(known);
        }
        if stat.kind != FileKind::File {
            return Err(request.error(ImportErrorKind::WrongKind, format!("{name} is no file")));
        }
        if stat.size > MAX_FILE {
            let message = format!("{name} has {} bytes, more than the {MAX_FILE} of the largest module", stat.size);
            return Err(request.error(ImportErrorKind::WrongKind, message));
        }
        let bytes = self.inner.files.read(path).map_err(unreadable)?;
        self.inner.counts.read.fetch_add(1, Ordering::Relaxed);
        let content_hash = hash(&bytes);
        let length = bytes.len();
        let content = match known.filter(|known| known.hash == content_hash) {
            Some(known) => known.content,
            None => {
                self.inner.counts.parsed.fetch_add(1, Ordering::Relaxed);
                self.content(path, kind, name, bytes, request)?
            }
        };
        let parsed = Parsed { stat, hash: content_hash, content };
        let mut state = self.inner.state();
        // Twice: prepared and as it was written.
        state.bytes += 2 * length;
        state.parsed.insert((path.to_owned(), kind), parsed.clone());
        Ok(parsed)
    }

    fn content(
        &self,
        path: &Path,
        kind: Kind,
        name: &str,
        bytes: Vec<u8>,
        request: &Request<'_>,
    ) -> Result<Content, ImportError> {
        if kind == Kind::Bytes {
            use base64::Engine as _;
            let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
            return Ok(Content::Data(Prepared::generated(format!(
                "export default Uint8Array.fromBase64(\"{encoded}\");"
            ))));
        }
        let Ok(source) = String::from_utf8(bytes) else {
            return Err(request.error(
                ImportErrorKind::WrongKind,
                format!("{name} is no UTF-8 text; `with {{ type: \"bytes\" }}` imports any file"),
            ));
        };
        let wrong = |error: &SourceError| {
            request.error(ImportErrorKind::Syntax, format!("{error}\n{}", error.render(name, &source)))
        };
        let language = match path.extension().and_then(|extension| extension.to_str()) {
            Some("ts" | "mts") => Language::TypeScript,
            _ => Language::JavaScript,
        };
        let module = |source: &str| prepare_module(source, language).map(|text| Content::EsModule(Arc::new(text)));
        let commonjs = |source: &str| prepare_commonjs(source).map(|text| Content::CommonJs(Arc::new(text)));
        match kind {
            Kind::EsModule => module(&source).map_err(|error| wrong(&error)),
            Kind::CommonJs => commonjs(&source).map_err(|error| wrong(&error)),
            // What imports or exports does not parse as CommonJS.
            Kind::Either if looks_like_commonjs(&source) => match commonjs(&source) {
                Ok(content) => Ok(content),
                Err(_) => module(&source).map_err(|error| wrong(&error)),
            },
            Kind::Either => match module(&source) {
                Ok(content) => Ok(content),
                Err(error) => commonjs(&source).map_err(|_| wrong(&error)),
            },
            Kind::Json => {
                let text = source.strip_prefix('\u{feff}').unwrap_or(&source);
                match serde_json::from_str::<serde_json::Value>(text) {
                    Ok(value) => Ok(Content::Data(Prepared::generated(format!("export default {};", literal(&value))))),
                    Err(error) => {
                        Err(request.error(ImportErrorKind::Syntax, format!("{name} is no valid JSON: {error}")))
                    }
                }
            }
            Kind::Text => {
                let text = serde_json::Value::from(source).to_string();
                Ok(Content::Data(Prepared::generated(format!("export default {text};"))))
            }
            Kind::Bytes => unreachable!("returned above"),
        }
    }
}

fn outside(path: &Path) -> String {
    let path = path.display();
    format!("{path} is outside of the directories that modules may be read from; `trusted_modules` would grant it")
}

/// JSON as a JavaScript expression: `__proto__` is a key like any other.
fn literal(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(",")),
        Value::Object(fields) => {
            let fields =
                fields.iter().map(|(key, value)| format!("[{}]:{}", Value::from(key.as_str()), literal(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}
