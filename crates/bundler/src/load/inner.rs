//! What a loader shares with its clones, and why an import fails.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::diagnostics::line_and_column;
use crate::fs::{FileKind, FileSystem, Stat};
use crate::graph::Graph;
use crate::names::Way;
use crate::node::Content;
use crate::resolve::{NODE, is_node_module};

/// A larger file is no module.
pub(super) const MAX_FILE: u64 = 16 << 20;

pub(super) const NO_ROOT: &str = "no folder is granted to read modules from, so that modules of Node.js alone can be imported (\"node:path\"); write into the script what it is needed for";

/// Names that the host provides begin with one of these.
pub(super) const PROVIDED: [&str; 2] = ["perennial:", NODE];

pub(super) struct Inner {
    pub(super) files: Arc<dyn FileSystem>,
    /// Canonical.
    pub(super) roots: Vec<PathBuf>,
    pub(super) imports: BTreeMap<String, String>,
    pub(super) provided: BTreeMap<String, Arc<str>>,
    pub(super) label: PathBuf,
    /// What the keys of its modules are made of besides the modules.
    pub(super) salt: u64,
    /// Its lock is held for looking up and putting in, never while files are read.
    pub(super) state: Mutex<Cache>,
    pub(super) counts: Counters,
}

#[derive(Default)]
pub(super) struct Cache {
    pub(super) parsed: HashMap<(PathBuf, Kind), Parsed>,
    /// Text in `parsed`.
    pub(super) bytes: usize,
    pub(super) graphs: HashMap<(PathBuf, String, Option<String>), Arc<Loaded>>,
    /// The files behind keys, for what modules import while they run.
    pub(super) paths: HashMap<String, PathBuf>,
}

#[derive(Clone)]
pub(super) struct Parsed {
    pub(super) stat: Stat,
    pub(super) hash: u128,
    pub(super) content: Content,
}

pub(super) struct Loaded {
    pub(super) graph: Arc<Graph>,
    /// Everything it was made of, as it was then.
    pub(super) files: Vec<(PathBuf, Stat)>,
    /// What was looked for and was not there.
    pub(super) missing: Vec<PathBuf>,
}

/// What a file is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    EsModule,
    /// By the package's word, else by what is in it.
    Either,
    CommonJs,
    Json,
    Text,
    Bytes,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) read: AtomicU64,
    pub(super) parsed: AtomicU64,
    pub(super) graph_hits: AtomicU64,
    pub(super) graph_misses: AtomicU64,
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

impl Inner {
    pub(super) fn state(&self) -> MutexGuard<'_, Cache> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The specifier after the import map.
    pub(super) fn mapped(&self, specifier: &str) -> String {
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
    pub(super) fn without_roots(&self, specifier: &str) -> Option<String> {
        if PROVIDED.iter().any(|prefix| specifier.starts_with(prefix)) {
            return Some(specifier.to_owned());
        }
        is_node_module(specifier).then(|| format!("{NODE}{specifier}"))
    }

    /// What is in a file that was found to be like this. `name` is what positions call it.
    pub(super) fn bytes(&self, path: &Path, stat: Stat, name: &str) -> Result<Vec<u8>, (ImportErrorKind, String)> {
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
    pub(super) fn display(&self, path: &Path) -> String {
        let below = self.roots.iter().filter_map(|root| path.strip_prefix(root).ok());
        let below = below.min_by_key(|path| path.as_os_str().len()).unwrap_or(path);
        self.label.join(below).display().to_string()
    }
}

pub(super) fn outside(path: &Path) -> String {
    let path = path.display();
    format!("{path} is outside of the folders that modules may be read from")
}

/// An import on its way to a node.
pub(super) struct Request<'a> {
    pub(super) importer: &'a Path,
    pub(super) specifier: &'a str,
    pub(super) kind: Option<&'a str>,
    pub(super) way: Way,
    /// Where it stands: what positions call the source, the source, and an offset in it.
    pub(super) place: Option<(&'a str, &'a str, usize)>,
}

impl Request<'_> {
    pub(super) fn error(&self, kind: ImportErrorKind, message: impl Into<String>) -> ImportError {
        let importer = self.place.map(|(name, source, at)| {
            let (line, column) = line_and_column(source, at);
            (name.to_owned(), line, column)
        });
        ImportError { kind, specifier: self.specifier.to_owned(), importer, message: message.into() }
    }
}
