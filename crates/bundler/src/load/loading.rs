//! Putting a graph together.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::content::content;
use super::inner::{ImportError, ImportErrorKind, Inner, Kind, Loaded, NO_ROOT, PROVIDED, Parsed, Request, outside};
use crate::fs::{FileKind, Stat, normalize};
use crate::graph::{finish, hash};
use crate::links::missing_export;
use crate::module::ModuleText;
use crate::names::Way;
use crate::node::{Content, Node};
use crate::parse::Language;
use crate::prepare::Prepared;
use crate::resolve::{Format, Found, Looked, NODE, Resolver, Unresolved, is_node_module};
use crate::task::{Here, Preparer, prepare_module};

/// Modules of one graph.
const MAX_MODULES: usize = 5000;

/// A graph under construction.
pub(super) struct Loading<'a> {
    inner: &'a Inner,
    preparer: &'a dyn Preparer,
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

impl<'a> Loading<'a> {
    pub(super) fn new(inner: &'a Inner, preparer: &'a dyn Preparer) -> Self {
        Self {
            inner,
            preparer,
            // What the file system looks like is found out anew each time.
            resolver: Resolver::new(inner.files.clone(), inner.roots.clone()),
            nodes: Vec::new(),
            known: HashMap::new(),
            looked: Looked::default(),
            read: Vec::new(),
        }
    }

    pub(super) fn load(mut self, wanted: &Request<'_>) -> Result<Loaded, ImportError> {
        let root = self.node(wanted)?;
        let mut files = self.read;
        let read: HashSet<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
        for path in self.looked.files {
            if !read.contains(&path)
                && let Ok(stat) = self.inner.files.stat(&path, true)
                && stat.kind == FileKind::File
            {
                files.push((path, stat));
            }
        }
        // What is outside of the roots looks missing to the resolver and stays so.
        let missing =
            self.looked.missing.into_iter().filter(|path| self.inner.files.stat(path, true).is_err()).collect();
        if let Some((node, taken, why)) = missing_export(&self.nodes)
            && let Content::EsModule(text) = &self.nodes[node].content
        {
            let place = Some((&*self.nodes[node].name, &*text.prepared.source, taken.at));
            let request = Request { specifier: &text.imports[taken.import].specifier, place, ..*wanted };
            return Err(request.error(ImportErrorKind::Syntax, why));
        }
        let graph = finish(&self.nodes, root).map_err(|(node, why)| {
            wanted.error(ImportErrorKind::WrongKind, format!("{why} ({})", self.nodes[node].name))
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
        if PROVIDED.iter().any(|prefix| specifier.starts_with(prefix)) {
            return self.provided(&specifier, request);
        }
        if self.inner.roots.is_empty() {
            return match self.inner.without_roots(&specifier) {
                Some(name) => self.provided(&name, request),
                None => Err(request.error(ImportErrorKind::Refused, NO_ROOT)),
            };
        }
        let is_path = specifier.starts_with(['.', '/']);
        let path = normalize(&request.importer.parent().unwrap_or(Path::new("/")).join(&specifier));
        if is_path && !self.inner.roots.iter().any(|root| path.starts_with(root)) {
            return Err(request.error(ImportErrorKind::Refused, outside(&path)));
        }
        let found = self.resolver.resolve(request.importer, &specifier, request.way, &mut self.looked);
        let (path, module_type) = match found {
            Ok(Found::File { path, module_type }) => (path, module_type),
            Ok(Found::Node(name)) => return self.provided(&name, request),
            Ok(Found::Empty) => {
                let prepared = Prepared::generated("export default {};".to_owned());
                return Ok(self.add(Id::Empty, "empty".to_owned(), None, Content::Data(prepared), 0));
            }
            Err(Unresolved::Refused(path)) => {
                return Err(request.error(ImportErrorKind::Refused, outside(&path)));
            }
            Err(Unresolved::NotFound(_)) if is_node_module(&specifier) => {
                return self.provided(&format!("{NODE}{specifier}"), request);
            }
            Err(Unresolved::NotFound(why)) if why.is_empty() && !is_path && !specifier.starts_with('#') => {
                return Err(request.error(ImportErrorKind::NotFound, no_package(&specifier)));
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
                Some(Format::CommonJs) => Kind::CommonJs,
                None => Kind::Either,
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
            if let Some(module) = name.strip_prefix(NODE) {
                return Err(request.error(ImportErrorKind::NotFound, self.no_node_module(module)));
            }
            let known = self.inner.provided.keys().map(String::as_str).filter(|name| !name.starts_with(NODE));
            let known: Vec<&str> = known.collect();
            let message = format!(
                "the host provides no module of this name; it provides {}",
                if known.is_empty() { "none".to_owned() } else { known.join(", ") }
            );
            return Err(request.error(ImportErrorKind::NotFound, message));
        };
        if let Some(kind) = request.kind {
            let message = format!("it is a module of the host and not of type {kind}");
            return Err(request.error(ImportErrorKind::WrongKind, message));
        }
        let text = prepare_module(source, Language::TypeScript, &Here)
            .map_err(|error| request.error(ImportErrorKind::Syntax, error.into_source_error().render(name, source)))?;
        let hash = hash((name, &**source, self.inner.salt));
        let text = Arc::new(text);
        let node = self.add(id, name.to_owned(), None, Content::EsModule(text.clone()), hash);
        self.edges(node, Path::new("/"), &text, name)?;
        Ok(node)
    }

    /// Why a module of Node.js is not there, and what is.
    fn no_node_module(&self, name: &str) -> String {
        let there: Vec<&str> =
            self.inner.provided.keys().map(String::as_str).filter(|name| name.starts_with(NODE)).collect();
        if there.is_empty() {
            return "it is part of Node.js, which is not here".to_owned();
        }
        let instead = match name {
            "fs" => "use node:fs/promises or the global fs, whose functions return promises; ",
            "http" | "https" | "http2" => "use fetch; ",
            "crypto" => "use the global crypto; ",
            "stream" | "stream/web" | "stream/promises" => "use ReadableStream, WritableStream and TransformStream; ",
            "zlib" => "use CompressionStream and DecompressionStream; ",
            "timers" => "use setTimeout and the other globals, or node:timers/promises; ",
            "perf_hooks" => "use the global performance; ",
            "querystring" => "use URLSearchParams; ",
            _ => "",
        };
        format!("it is not here: {instead}of Node.js there are {}", there.join(", "))
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
                    hash((&path, kind, parsed.hash, self.inner.salt)),
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
            self.preparer.is_wanted().map_err(|denied| request.error(ImportErrorKind::Limit, denied.to_string()))?;
            let edge = match self.node(&request) {
                Ok(edge) => Some(edge),
                // Packages require what they can do without, and catch it.
                Err(error)
                    if import.way == Way::Require
                        && !matches!(error.kind, ImportErrorKind::Syntax | ImportErrorKind::Limit) =>
                {
                    None
                }
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
        let before = self.inner.state().parsed.get(&(path.to_owned(), kind)).cloned();
        if let Some(known) = before.clone().filter(|known| known.stat == stat) {
            return Ok(known);
        }
        let bytes = self.inner.bytes(path, stat, name).map_err(|(kind, message)| request.error(kind, message))?;
        self.inner.counts.read.fetch_add(1, Ordering::Relaxed);
        let content_hash = hash(&bytes);
        let length = bytes.len();
        let known = |known: Option<Parsed>| known.filter(|known| known.hash == content_hash);
        let content = match known(before) {
            Some(known) => known.content,
            None => {
                self.inner.counts.parsed.fetch_add(1, Ordering::Relaxed);
                content(path, kind, name, bytes, request, self.preparer)?
            }
        };
        let parsed = Parsed { stat, hash: content_hash, content };
        let mut state = self.inner.state();
        // Twice: prepared and as it was written.
        state.bytes += 2 * length;
        state.parsed.insert((path.to_owned(), kind), parsed.clone());
        Ok(parsed)
    }
}

/// Why a specifier that is no path leads to nothing.
fn no_package(specifier: &str) -> String {
    match specifier.split_once(':') {
        Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) => {
            format!("modules are not fetched, and {scheme}: leads to none that is there")
        }
        _ => {
            let parts = 1 + usize::from(specifier.starts_with('@'));
            let name = specifier.split('/').take(parts).collect::<Vec<_>>().join("/");
            match specifier[name.len()..].trim_start_matches('/') {
                "" => format!("there is no package '{name}' in a node_modules directory below what is granted"),
                file => format!(
                    "there is no package '{name}' with a '{file}' in a node_modules directory below what is granted"
                ),
            }
        }
    }
}
