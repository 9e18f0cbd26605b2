use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use perennial_bundler::{Disk, FileSystem, ImportError, Importer, Loader, LoaderOptions};
use perennial_engine::{Budget, ModuleGraph, OpFuture, OpValue};
use serde_json::Value;

use super::allow::{Allow, known};
use super::manifest::{Manifest, Tool};
use super::read::read;
use crate::capability::{AnyGrant, Declared, Granted, PluginHost};
use crate::modules::{provided_modules, session_modules};
use crate::preparer::LimitedPreparer;
use crate::provisions::Provisions;

/// Plugins that sessions can use. Made once per process and shared; cheap to clone.
#[derive(Clone)]
pub struct PluginSet(pub(super) Arc<Set>);

pub(super) struct Set {
    /// What it was loaded from.
    paths: Vec<PathBuf>,
    options: PluginOptions,
    pub(super) plugins: BTreeMap<String, Plugin>,
    failures: Vec<PluginFailure>,
}

/// One plugin.
pub struct Plugin {
    /// How scripts call it: `tools.NAME`.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// What it is for.
    pub description: String,
    /// What it may use: what it asks for, as far as the operator grants it.
    pub granted: Allow,
    /// What it asks for and does not get.
    pub withheld: Allow,
    /// Its tools.
    pub tools: BTreeMap<String, Tool>,
    /// Where it comes from.
    pub path: PathBuf,
    /// For the ops that serve it.
    grants: Vec<(Declared, AnyGrant)>,
    pub(super) loader: Loader,
    /// Where its entry is, for the loader.
    root: PathBuf,
    specifier: String,
}

impl Plugin {
    /// The modules of the plugin as they are now.
    pub(super) fn graph(&self, budget: &Budget) -> Result<Arc<ModuleGraph>, ImportError> {
        let preparation = LimitedPreparer::of_run(budget);
        let graph = self.loader.load(Importer::Directory(&self.root), &self.specifier, None, &preparation)?;
        Ok(session_modules().graph(&graph))
    }
}

impl Set {
    pub(super) fn capabilities(&self) -> Option<&Arc<dyn Capabilities>> {
        self.options.capabilities.as_ref()
    }

    pub(super) fn start_limit(&self) -> Duration {
        self.options.deadline
    }
}

/// A plugin that could not be loaded. The others are there all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFailure {
    /// Where it was looked for.
    pub path: PathBuf,
    /// What is wrong, each a sentence.
    pub problems: Vec<String>,
}

impl std::fmt::Display for PluginFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "plugin {}: {}", self.path.display(), self.problems.join("; "))
    }
}

/// What plugins reach the outside with. Calls come with what the plugin was granted, and whatever else runs in the VM at the moment plays no
/// part.
pub trait Capabilities: Send + Sync {
    /// Does something for a plugin. `method` is `net.fetch`, `read.readText`, `read.readBytes`, `read.list`, `commands.run` or one of an embedder's own.
    fn call(&self, plugin: &str, granted: &Allow, method: &str, args: Vec<OpValue>) -> OpFuture;
}

/// How plugins are loaded.
#[derive(Clone)]
#[non_exhaustive]
pub struct PluginOptions {
    /// The most that a plugin is granted. Nothing, unless it is said.
    pub ceiling: Allow,
    /// How long a plugin may take to be evaluated, and how long a call waits for its `setup`.
    pub deadline: Duration,
    /// Where commands get variables from: `PATH`, `LANG` and what they are granted.
    pub environment: BTreeMap<String, String>,
    /// What relative paths of `allow.read` are relative to.
    pub base: PathBuf,
    /// What serves those granted capabilities that have [methods](crate::Capability::methods), in place of the library's `fetch`, the host's files and its
    /// commands.
    pub capabilities: Option<Arc<dyn Capabilities>>,
    /// Where plugins are read from.
    pub files: Arc<dyn FileSystem>,
    /// The embedder's own of the table that the plugins are for: what they may ask for besides `net`, `read` and `commands`.
    pub provisions: Provisions,
}

impl PluginOptions {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

impl Default for PluginOptions {
    fn default() -> Self {
        Self {
            ceiling: Allow::default(),
            deadline: Duration::from_secs(5),
            environment: BTreeMap::new(),
            base: PathBuf::from("."),
            capabilities: None,
            files: Arc::new(Disk),
            provisions: Provisions::new(),
        }
    }
}

impl PluginSet {
    /// Loads plugins from files or folders. One that cannot be used is left out and told of by [`Self::failures`].
    ///
    /// # Cancellation
    /// Dropping the future stops what is being evaluated and loads nothing.
    pub async fn load(paths: &[PathBuf], options: &PluginOptions) -> Self {
        let mut set =
            Set { paths: paths.to_owned(), options: options.clone(), plugins: BTreeMap::new(), failures: Vec::new() };
        for path in paths {
            match load(path, options).await {
                Ok(plugin) => match set.plugins.get(&plugin.name) {
                    // Said twice, by the command line and by a file.
                    Some(first) if is_same(&first.path, &plugin.path, &*options.files) => {}
                    Some(first) => {
                        let problem = format!("its name '{}' is taken by {}", plugin.name, first.path.display());
                        set.failures.push(PluginFailure { path: path.clone(), problems: vec![problem] });
                    }
                    None => {
                        set.plugins.insert(plugin.name.clone(), plugin);
                    }
                },
                Err(problems) => set.failures.push(PluginFailure { path: path.clone(), problems }),
            }
        }
        Self(Arc::new(set))
    }

    /// Loads the same plugins again, from the same places and in the same way.
    ///
    /// # Cancellation
    /// As [`Self::load`].
    pub async fn reload(&self) -> Self {
        Self::load(&self.0.paths, &self.0.options).await
    }

    /// No plugins.
    pub fn empty() -> Self {
        // One set, so that nobody gets a new VM who goes from none to none.
        static NONE: LazyLock<PluginSet> = LazyLock::new(|| {
            PluginSet(Arc::new(Set {
                paths: Vec::new(),
                options: PluginOptions::default(),
                plugins: BTreeMap::new(),
                failures: Vec::new(),
            }))
        });
        NONE.clone()
    }

    /// The plugins that can be used, by name.
    pub fn plugins(&self) -> impl Iterator<Item = &Plugin> {
        self.0.plugins.values()
    }

    /// Those that cannot.
    pub fn failures(&self) -> &[PluginFailure] {
        &self.0.failures
    }

    /// What each was granted.
    pub(crate) fn granted(&self) -> Granted {
        self.plugins().map(|plugin| (plugin.name.clone(), plugin.grants.clone())).collect()
    }
}

/// Two sets are equal if one is a clone of the other.
impl PartialEq for PluginSet {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for PluginSet {}

impl std::fmt::Debug for PluginSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.plugins.keys()).finish()
    }
}

fn is_same(one: &Path, other: &Path, files: &dyn FileSystem) -> bool {
    let real = |path: &Path| files.canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real(one) == real(other)
}

/// The file of a plugin.
fn entry_of(path: &Path, files: &dyn FileSystem) -> Result<(PathBuf, PathBuf), String> {
    use perennial_bundler::FileKind;
    let stat = files.stat(path, true).map_err(|error| error.to_string())?;
    if stat.kind == FileKind::File {
        let root = path.parent().unwrap_or(Path::new("/")).to_owned();
        return Ok((path.to_owned(), root));
    }
    let names = ["plugin.ts", "plugin.mts", "plugin.js", "plugin.mjs", "index.ts", "index.js"];
    let entry = names.iter().map(|name| path.join(name)).find(|path| files.stat(path, true).is_ok());
    let entry = entry.ok_or_else(|| format!("there is no {} in it", names.join(", ")))?;
    Ok((entry, path.to_owned()))
}

async fn load(path: &Path, options: &PluginOptions) -> Result<Plugin, Vec<String>> {
    let one = |problem: String| vec![problem];
    let real = options.files.canonicalize(path).map_err(|error| one(error.to_string()))?;
    let (entry, root) = entry_of(&real, &*options.files).map_err(one)?;
    // Positions name files as the operator named the plugin.
    let label = if real == entry { path.parent().map(Path::to_owned).unwrap_or_default() } else { path.to_owned() };
    let loader = Loader::new(
        options.files.clone(),
        LoaderOptions::default().configure(|options| {
            options.roots = vec![root.clone()];
            options.provided = provided_modules();
            options.label = Some(label); // A script that imports the plugin's file gets a module of its own.
            options.private = true;
        }),
    );
    let specifier = format!("./{}", entry.strip_prefix(&root).unwrap_or(&entry).display());
    let (loading, from, wanted) = (loader.clone(), root.clone(), specifier.clone());
    let loading = move || loading.load(Importer::Directory(&from), &wanted, None, &LimitedPreparer::of_host());
    let graph = tokio::task::spawn_blocking(loading).await;
    let graph = graph.map_err(|error| one(error.to_string()))?.map_err(|error| {
        // The import of the plugin itself is nobody's line.
        one(if error.importer.is_none() && !error.message.is_empty() { error.message } else { error.to_string() })
    })?;
    let graph = session_modules().graph(&graph);
    let raw = read(graph, &loader, options.deadline).await.map_err(one)?;
    let manifest = Manifest::check(raw, &known(&options.provisions))?;
    let (granted, withheld) = manifest.allow.bounded_by(&options.ceiling);
    let host = PluginHost { environment: &options.environment, base: &options.base };
    let mut grants = Vec::new();
    for asked in granted.asked() {
        let most = options.ceiling.get(asked.of.key()).unwrap_or(&Value::Null);
        grants.push((asked.of.clone(), asked.of.capability.grant(&asked.value, most, &host).map_err(one)?));
    }
    Ok(Plugin {
        name: manifest.name,
        version: manifest.version,
        description: manifest.description,
        granted,
        withheld,
        tools: manifest.tools,
        path: path.to_owned(),
        grants,
        loader,
        root,
        specifier,
    })
}
