use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use crate::error::LIBRARY;
use crate::host::CORE;
use crate::js::Bytecode;
use crate::modules::ModuleLoader;
use crate::ops::{Op, OpTable};

/// What the VMs of a session are made of: ops, and the library JavaScript that scripts reach them through. Cheap to clone.
///
/// Two configurations are equal if one is a clone of the other: a session whose next call brings another one gets a new VM.
///
/// ```
/// use perennial_engine::{Area, Bound, EngineConfig, OpTable, OpValue};
/// let ops = OpTable::new().sync("greet", Bound::SMALL, |_, args| {
///     let name = args.first().and_then(OpValue::as_str).unwrap_or("you");
///     Ok(serde_json::json!(format!("hello {name}")).into())
/// });
/// let area = Area::new("greet", &["greet"], "(function (ops) { return { greet: (name) => ops.greet(name) }; })");
/// let config = EngineConfig::new(ops, vec![area]);
/// assert_eq!(config, config.clone());
/// ```
#[derive(Clone)]
pub struct EngineConfig(Arc<Inner>);

struct Inner {
    ops: OpTable,
    /// Each global with the area that provides it.
    globals: Vec<(String, Arc<Area>)>,
    /// Likewise what areas provide for each other.
    internals: Vec<(String, Arc<Area>)>,
    modules: Option<Arc<dyn ModuleLoader>>,
}

impl EngineConfig {
    /// A configuration with these ops and areas, besides the engine's own `console` and timers.
    pub fn new(ops: OpTable, areas: Vec<Area>) -> Self {
        let areas: Vec<Arc<Area>> = own_areas().iter().cloned().chain(areas.into_iter().map(Arc::new)).collect();
        let names = |of: fn(&Area) -> &Vec<String>| {
            areas.iter().flat_map(|area| of(area).iter().map(|name| (name.clone(), area.clone()))).collect()
        };
        let (globals, internals) = (names(|area| &area.globals), names(|area| &area.internals));
        Self(Arc::new(Inner { ops, globals, internals, modules: None }))
    }

    /// The same with a loader of modules; without one nothing can be imported.
    #[must_use]
    pub fn with_modules(self, loader: Arc<dyn ModuleLoader>) -> Self {
        let inner = &self.0;
        Self(Arc::new(Inner {
            ops: inner.ops.clone(),
            globals: inner.globals.clone(),
            internals: inner.internals.clone(),
            modules: Some(loader),
        }))
    }

    pub(crate) fn modules(&self) -> Option<&Arc<dyn ModuleLoader>> {
        self.0.modules.as_ref()
    }

    pub(crate) fn ops(&self) -> &[Arc<Op>] {
        &self.0.ops.ops
    }

    pub(crate) fn globals(&self) -> &[(String, Arc<Area>)] {
        &self.0.globals
    }

    /// A name of a global, of a value of the library or of an op that two bring: the first of them is found, and the second is not.
    pub fn brought_twice(&self) -> Option<&str> {
        let Inner { ops, globals, internals, .. } = &*self.0;
        let values = globals.iter().chain(internals).map(|(name, _)| &**name);
        let ops = CORE.iter().map(|(name, _)| *name).chain(ops.ops.iter().map(|op| &*op.name));
        let (mut known_values, mut known_ops) = (HashSet::new(), HashSet::new());
        let twice = values.into_iter().find(|name| !known_values.insert(*name));
        twice.or_else(|| ops.into_iter().find(|name| !known_ops.insert(*name)))
    }

    /// Whether an area provides a value of this name to others, and not to scripts.
    pub fn has_internal(&self, name: &str) -> bool {
        self.0.internals.iter().any(|(known, _)| known == name)
    }

    /// The area that provides a value to other areas.
    pub(crate) fn provider(&self, name: &str) -> Option<&Arc<Area>> {
        let known = self.0.globals.iter().chain(&self.0.internals).find(|(known, _)| known == name);
        known.map(|(_, area)| area)
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        static DEFAULT: OnceLock<EngineConfig> = OnceLock::new();
        DEFAULT.get_or_init(|| Self::new(OpTable::new(), Vec::new())).clone()
    }
}

impl PartialEq for EngineConfig {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for EngineConfig {}

impl std::fmt::Debug for EngineConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EngineConfig({} ops, {} globals)", self.0.ops.len(), self.0.globals.len())
    }
}

/// Library JavaScript that provides some globals, loaded when a script first touches one of them.
///
/// The source is one function expression `(ops, intrinsics, hooks) => ({ global: value, … })`. It runs after scripts have had their
/// hands on the realm: what it uses of the language's own objects it takes from `intrinsics`.
pub struct Area {
    file: String,
    globals: Vec<String>,
    internals: Vec<String>,
    source: String,
    bytecode: OnceLock<Bytecode>,
}

impl Area {
    /// An area of this name that provides `globals`.
    pub fn new(name: &str, globals: &[&str], source: impl Into<String>) -> Self {
        Self {
            file: format!("{LIBRARY}{name}"),
            globals: globals.iter().map(|&name| name.to_owned()).collect(),
            internals: Vec::new(),
            source: source.into(),
            bytecode: OnceLock::new(),
        }
    }

    /// The same with values that other areas get by `ops.library_value(name)`, as they get globals, and scripts do not.
    #[must_use]
    pub fn with_internals(mut self, names: &[&str]) -> Self {
        self.internals = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    pub(crate) fn globals(&self) -> &[String] {
        &self.globals
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn bytecode(&self) -> &OnceLock<Bytecode> {
        &self.bytecode
    }
}

fn own_areas() -> &'static [Arc<Area>] {
    static OWN: OnceLock<Vec<Arc<Area>>> = OnceLock::new();
    OWN.get_or_init(|| {
        let timers = ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"];
        vec![
            Arc::new(
                Area::new("console", &["console"], include_str!("../js/console.js")).with_internals(&["formatter"]),
            ),
            Arc::new(Area::new("inspect", &[], include_str!("../js/inspect.js")).with_internals(&["inspector"])),
            Arc::new(Area::new("timers", &timers, include_str!("../js/timers.js"))),
        ]
    })
}
