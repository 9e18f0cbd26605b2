//! From a specifier to a file, below granted roots only.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use oxc_resolver::{
    FileMetadata, ModuleType, ResolveContext, ResolveError, ResolveOptions, ResolverGeneric, TsconfigDiscovery,
};

use crate::fs::{FileKind, FileSystem, normalize};
use crate::names::Way;

/// What a specifier stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    File {
        path: PathBuf,
        /// What the nearest `package.json` says about files that could be either.
        module_type: Option<Format>,
    },
    /// A package asks to be left without this module.
    Empty,
    /// A module of Node.js, under its name with `node:`.
    Node(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    EsModule,
    CommonJs,
}

/// Why a specifier stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// There is something, outside of the granted roots.
    Refused(PathBuf),
    NotFound(String),
}

/// What one resolution depended on.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    pub(crate) files: BTreeSet<PathBuf>,
    pub(crate) missing: BTreeSet<PathBuf>,
}

/// Resolves below granted roots.
pub(crate) struct Resolver {
    import: ResolverGeneric<Confined>,
    require: ResolverGeneric<Confined>,
    confined: Confined,
}

impl Resolver {
    pub(crate) fn new(files: Arc<dyn FileSystem>, roots: Vec<PathBuf>) -> Self {
        let confined = Confined { files, roots: roots.into(), refused: Arc::default() };
        let strings = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect::<Vec<_>>();
        let conditions = |way: &str| strings(&["perennial", way, "module", "browser", "default"]);
        let options = |way: Way| ResolveOptions {
            tsconfig: Some(TsconfigDiscovery::Auto),
            alias_fields: vec![strings(&["browser"])],
            condition_names: match way {
                Way::Import => conditions("import"),
                Way::Require => strings(&["perennial", "require", "browser", "default"]),
            },
            extensions: strings(&[".ts", ".mts", ".cts", ".js", ".mjs", ".cjs", ".json"]),
            // A TypeScript source imports what it will be compiled to.
            extension_alias: vec![
                (".js".to_owned(), strings(&[".js", ".ts"])),
                (".mjs".to_owned(), strings(&[".mjs", ".mts"])),
                (".cjs".to_owned(), strings(&[".cjs", ".cts"])),
            ],
            main_fields: match way {
                Way::Import => strings(&["browser", "module", "main"]),
                Way::Require => strings(&["browser", "main"]),
            },
            node_path: false,
            module_type: true,
            ..ResolveOptions::default()
        };
        let import = ResolverGeneric::new_with_file_system(confined.clone(), options(Way::Import));
        let require = ResolverGeneric::new_with_file_system(confined.clone(), options(Way::Require));
        Self { import, require, confined }
    }

    /// What `specifier` stands for in a file.
    pub(crate) fn resolve(
        &self,
        importer: &Path,
        specifier: &str,
        way: Way,
        looked: &mut Looked,
    ) -> Result<Found, Unresolved> {
        let resolver = if way == Way::Import { &self.import } else { &self.require };
        self.confined.refused().clear();
        let directory = importer.parent().unwrap_or(importer);
        // What a `tsconfig.json` does not take for its own gets nothing from it.
        let tsconfig = resolver.find_tsconfig(importer).ok().flatten();
        let mut context = ResolveContext::default();
        // What a package calls `#name` may be a module of Node.js; elsewhere packages come first.
        let own = specifier.starts_with('#').then(|| {
            resolver.clone_with_options(ResolveOptions { builtin_modules: true, ..resolver.options().clone() })
        });
        let resolver = own.as_ref().unwrap_or(resolver);
        let resolved = resolver.resolve_with_context(directory, specifier, tsconfig.as_deref(), &mut context);
        looked.files.extend(context.file_dependencies);
        looked.missing.extend(context.missing_dependencies);
        if let Some(tsconfig) = tsconfig {
            looked.files.insert(tsconfig.path().to_owned());
        }
        match resolved {
            Ok(resolution) => {
                let path = resolution.path().to_owned();
                if !self.confined.is_granted(&path) {
                    return Err(Unresolved::Refused(path));
                }
                let module_type = match resolution.module_type().filter(|_| self.confined.has_package_json(&path)) {
                    Some(ModuleType::Module) => Some(Format::EsModule),
                    Some(ModuleType::CommonJs) => Some(Format::CommonJs),
                    _ => None,
                };
                Ok(Found::File { path, module_type })
            }
            Err(ResolveError::Ignored(_)) => Ok(Found::Empty),
            Err(ResolveError::Builtin { resolved, .. }) => Ok(Found::Node(resolved)),
            Err(error) => {
                let refused = self.confined.refused().first().cloned();
                match refused {
                    Some(path) if matches!(error, ResolveError::NotFound(_)) => Err(Unresolved::Refused(path)),
                    _ => Err(Unresolved::NotFound(explain(&error))),
                }
            }
        }
    }
}

/// What the names of modules of Node.js begin with.
pub(crate) const NODE: &str = "node:";

/// The modules of Node.js that packages and models ask for.
const NODE_MODULES: [&str; 36] = [
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "stream",
    "string_decoder",
    "timers",
    "tls",
    "tty",
    "url",
    "util",
    "vm",
    "worker_threads",
    "zlib",
];

/// Whether a specifier without `node:` is that of a module of Node.js.
pub(crate) fn is_node_module(specifier: &str) -> bool {
    const BELOW: [&str; 14] = [
        "assert/strict",
        "dns/promises",
        "fs/promises",
        "inspector/promises",
        "path/posix",
        "path/win32",
        "readline/promises",
        "stream/consumers",
        "stream/promises",
        "stream/web",
        "timers/promises",
        "util/types",
        "stream/iter",
        "test/reporters",
    ];
    NODE_MODULES.contains(&specifier) || BELOW.contains(&specifier)
}

/// What the resolver's error means to who wrote the import.
fn explain(error: &ResolveError) -> String {
    match error {
        ResolveError::PackagePathNotExported { subpath, package_json_path, .. } => {
            format!("{} does not export '{subpath}'", package_json_path.display())
        }
        ResolveError::PackageImportNotDefined(name, path) => format!("{} does not define '{name}'", path.display()),
        ResolveError::Json(json) => format!("{} is no valid JSON: {}", json.path.display(), json.message),
        ResolveError::MatchedAliasNotFound(_, alias) => format!("'{alias}' of the tsconfig leads to nothing"),
        ResolveError::NotFound(_) => String::new(),
        other => other.to_string(),
    }
}

/// A file system that ends at the granted roots: what is outside is not there.
#[derive(Clone)]
struct Confined {
    files: Arc<dyn FileSystem>,
    /// Canonical.
    roots: Arc<[PathBuf]>,
    /// What was asked for outside and is there.
    refused: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Confined {
    fn refused(&self) -> std::sync::MutexGuard<'_, BTreeSet<PathBuf>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_granted(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| path.starts_with(root))
    }

    /// Whether what a `package.json` says may be about a file: a package that has none is none of who depends on it.
    fn has_package_json(&self, path: &Path) -> bool {
        for directory in path.ancestors().skip(1) {
            if directory.file_name().is_some_and(|name| name == "node_modules") {
                return false;
            }
            if self.files.stat(&directory.join("package.json"), true).is_ok() {
                break;
            }
        }
        true
    }

    /// The path without links if it is granted. `follow` says whether the last part is looked through.
    fn admit(&self, path: &Path, follow: bool) -> io::Result<PathBuf> {
        let path = normalize(path);
        let real = if follow {
            self.files.canonicalize(&path)?
        } else {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
                return Err(io::ErrorKind::NotFound.into());
            };
            self.files.canonicalize(parent)?.join(name)
        };
        if self.is_granted(&real) {
            return Ok(real);
        }
        // Directories on the way to a root are asked for by every search upwards; what somebody wanted is a file, or led out by a link.
        let is_wanted = || {
            self.is_granted(&path)
                || self.files.stat(&real, true).is_ok_and(|stat| stat.kind == FileKind::File)
                    && !is_configuration(&real)
        };
        if follow && is_wanted() {
            self.refused().insert(real);
        }
        Err(io::ErrorKind::NotFound.into())
    }

    fn metadata_of(&self, path: &Path, follow: bool) -> io::Result<FileMetadata> {
        let stat = self.files.stat(&self.admit(path, follow)?, follow)?;
        let is = |kind| stat.kind == kind;
        Ok(FileMetadata::new(is(FileKind::File), is(FileKind::Directory), is(FileKind::Link)))
    }
}

/// A larger `package.json` or `tsconfig.json` is none.
const MAX_CONFIGURATION: u64 = 4 << 20;

/// Files that every search upwards asks for.
fn is_configuration(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "package.json" || name == "tsconfig.json")
}

impl oxc_resolver::FileSystem for Confined {
    fn new() -> Self {
        Self { files: Arc::new(crate::fs::MemoryFiles::new()), roots: Arc::default(), refused: Arc::default() }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let path = self.admit(path, true)?;
        let stat = self.files.stat(&path, true)?;
        if stat.kind != FileKind::File || stat.size > MAX_CONFIGURATION {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.files.read(&path)
    }

    fn read_to_string(&self, path: &Path) -> io::Result<String> {
        String::from_utf8(self.read(path)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.metadata_of(path, true)
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.metadata_of(path, false)
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, ResolveError> {
        Ok(self.files.read_link(&self.admit(path, false)?)?)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.admit(path, true)
    }
}
