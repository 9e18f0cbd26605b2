use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use crate::error::{Advice, LIBRARY};
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
    library: Arc<Library>,
    rest: Rest,
}

/// What scripts find, and where each of it is.
struct Library {
    ops: OpTable,
    /// Where each op is in the table.
    op_numbers: HashMap<String, usize>,
    /// What was brought, without the engine's own.
    areas: Vec<Area>,
    /// Each global with the area that provides it.
    globals: Vec<(String, Area)>,
    /// Likewise what areas provide for each other.
    internals: Vec<(String, Area)>,
}

/// What a configuration has besides ops and areas.
#[derive(Clone, Default)]
struct Rest {
    modules: Option<Arc<dyn ModuleLoader>>,
    /// Who has assembled it.
    origin: Option<ConfigOrigin>,
    advice: Option<Arc<Advice>>,
}

impl EngineConfig {
    /// A configuration with these ops and areas, besides the engine's own `console` and timers.
    pub fn new(ops: OpTable, areas: Vec<Area>) -> Self {
        Self::of(ops, areas, Rest::default())
    }

    fn of(ops: OpTable, areas: Vec<Area>, rest: Rest) -> Self {
        let names = |of: fn(&Area) -> &[String]| {
            let all = own_areas().iter().chain(&areas);
            all.flat_map(|area| of(area).iter().map(|name| (name.clone(), area.clone()))).collect()
        };
        let (globals, internals) = (names(Area::globals), names(Area::internals));
        let op_numbers = ops.names().enumerate().map(|(number, name)| (name.to_owned(), number)).collect();
        let library = Arc::new(Library { ops, op_numbers, areas, globals, internals });
        Self(Arc::new(Inner { library, rest }))
    }

    /// The same with a loader of modules; without one nothing can be imported.
    #[must_use]
    pub fn with_modules(self, loader: Arc<dyn ModuleLoader>) -> Self {
        // Whoever assembled it did so without this.
        self.with(|rest| (rest.modules, rest.origin) = (Some(loader), None))
    }

    /// The same with a note of who has assembled it.
    #[must_use]
    pub fn with_origin(self, origin: &ConfigOrigin) -> Self {
        self.with(|rest| rest.origin = Some(origin.clone()))
    }

    /// The same with what says in errors what works instead of something that is not there: it is asked with names as a script has them (`require`,
    /// `process.env.TOKEN`), and what the run was granted. Where it says nothing, names that are alike are offered.
    #[must_use]
    pub fn with_advice(self, advice: Arc<Advice>) -> Self {
        self.with(|rest| rest.advice = Some(advice))
    }

    fn with(self, change: impl FnOnce(&mut Rest)) -> Self {
        let mut rest = self.0.rest.clone();
        change(&mut rest);
        Self(Arc::new(Inner { library: self.0.library.clone(), rest }))
    }

    pub(crate) fn advice(&self) -> Option<&Arc<Advice>> {
        self.0.rest.advice.as_ref()
    }

    /// Who has assembled it, if that was noted.
    pub fn origin(&self) -> Option<&ConfigOrigin> {
        self.0.rest.origin.as_ref()
    }

    /// This configuration and what another one brings besides. The loader of modules is this one's.
    ///
    /// # Errors
    /// A name that both bring; see [`Self::brought_twice`].
    pub fn merged(&self, more: &Self) -> Result<Self, String> {
        let ops = self.0.library.ops.clone().merge(more.0.library.ops.clone());
        let areas = self.0.library.areas.iter().chain(&more.0.library.areas).cloned().collect();
        let merged = Self::of(ops, areas, Rest { origin: None, ..self.0.rest.clone() });
        match merged.brought_twice() {
            Some(name) => Err(name.to_owned()),
            None => Ok(merged),
        }
    }

    /// Whether it brings nothing: no op, no area, no loader of modules.
    pub fn is_empty(&self) -> bool {
        self.0.library.ops.is_empty() && self.0.library.areas.is_empty() && self.0.rest.modules.is_none()
    }

    /// Whether it has a loader of modules.
    pub fn has_modules(&self) -> bool {
        self.0.rest.modules.is_some()
    }

    pub(crate) fn modules(&self) -> Option<&Arc<dyn ModuleLoader>> {
        self.0.rest.modules.as_ref()
    }

    pub(crate) fn ops(&self) -> &[Arc<Op>] {
        &self.0.library.ops.ops
    }

    /// Where the op of a name is among [`Self::ops`].
    pub(crate) fn op_number(&self, name: &str) -> Option<usize> {
        self.0.library.op_numbers.get(name).copied()
    }

    pub(crate) fn globals(&self) -> &[(String, Area)] {
        &self.0.library.globals
    }

    /// A name of a global, of a value of the library or of an op that two bring: the first of them is found, and the second is not.
    pub fn brought_twice(&self) -> Option<&str> {
        let Library { ops, globals, internals, .. } = &*self.0.library;
        let values = globals.iter().chain(internals).map(|(name, _)| &**name);
        let ops = CORE.iter().map(|(name, _)| *name).chain(ops.ops.iter().map(|op| &*op.name));
        let (mut known_values, mut known_ops) = (HashSet::new(), HashSet::new());
        let twice = values.into_iter().find(|name| !known_values.insert(*name));
        twice.or_else(|| ops.into_iter().find(|name| !known_ops.insert(*name)))
    }

    /// Whether an area provides a value of this name to others, and not to scripts.
    pub fn has_internal(&self, name: &str) -> bool {
        self.0.library.internals.iter().any(|(known, _)| known == name)
    }

    /// The area that provides a value to other areas.
    pub(crate) fn provider(&self, name: &str) -> Option<&Area> {
        let known = self.0.library.globals.iter().chain(&self.0.library.internals).find(|(known, _)| known == name);
        known.map(|(_, area)| area)
    }
}

/// Who assembles configurations. No two are equal that were not cloned from each other.
#[derive(Clone, Debug, Default)]
pub struct ConfigOrigin(Arc<u8>);

impl PartialEq for ConfigOrigin {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ConfigOrigin {}

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
        write!(f, "EngineConfig({} ops, {} globals)", self.0.library.ops.len(), self.0.library.globals.len())
    }
}

/// Library JavaScript that provides some globals, loaded when a script first touches one of them.
///
/// The source is one function expression `(ops, intrinsics, hooks) => ({ global: value, … })`. It runs after scripts have had their
/// hands on the realm: what it uses of the language's own objects it takes from `intrinsics`.
///
/// Cheap to clone. What is a clone of another is compiled once with it, in whichever configurations they are.
#[derive(Clone)]
pub struct Area(Arc<AreaInner>);

#[derive(Default)]
struct AreaInner {
    file: String,
    globals: Vec<String>,
    internals: Vec<String>,
    source: String,
    /// It is there only while a call lends something of this type.
    lent: Option<TypeId>,
    bytecode: OnceLock<Bytecode>,
}

impl Area {
    /// An area of this name that provides `globals`.
    pub fn new(name: &str, globals: &[&str], source: impl Into<String>) -> Self {
        Self(Arc::new(AreaInner {
            file: format!("{LIBRARY}{name}"),
            globals: globals.iter().map(|&name| name.to_owned()).collect(),
            source: source.into(),
            ..AreaInner::default()
        }))
    }

    /// The same with values that other areas get by `ops.library_value(name)`, as they get globals, and scripts do not.
    #[must_use]
    pub fn with_internals(self, names: &[&str]) -> Self {
        self.change(|inner| inner.internals = names.iter().map(|&name| name.to_owned()).collect())
    }

    /// The same where its globals are `undefined` in runs that are lent no `T`. A script's own declaration of one of them wins in its VM; the result of the
    /// first run that was lent a `T` all the same says so.
    #[must_use]
    pub fn while_lent<T: Send + Sync + 'static>(self) -> Self {
        self.change(|inner| inner.lent = Some(TypeId::of::<T>()))
    }

    fn change(mut self, change: impl FnOnce(&mut AreaInner)) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            change(inner);
            return self;
        }
        // Somebody else has a clone, which stays as it is.
        let AreaInner { file, globals, internals, source, lent, .. } = &*self.0;
        let (file, source) = (file.clone(), source.clone());
        let (globals, internals) = (globals.clone(), internals.clone());
        let mut inner = AreaInner { file, globals, internals, source, lent: *lent, bytecode: OnceLock::new() };
        change(&mut inner);
        Self(Arc::new(inner))
    }

    pub(crate) fn file(&self) -> &str {
        &self.0.file
    }

    /// The names of what it provides, to scripts and to other areas.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.globals.iter().chain(&self.0.internals).map(String::as_str)
    }

    pub(crate) fn globals(&self) -> &[String] {
        &self.0.globals
    }

    fn internals(&self) -> &[String] {
        &self.0.internals
    }

    pub(crate) fn lent(&self) -> Option<TypeId> {
        self.0.lent
    }

    pub(crate) fn source(&self) -> &str {
        &self.0.source
    }

    pub(crate) fn bytecode(&self) -> &OnceLock<Bytecode> {
        &self.0.bytecode
    }

    /// Which area it is: others may have its name.
    pub(crate) fn number(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

fn own_areas() -> &'static [Area] {
    static OWN: OnceLock<Vec<Area>> = OnceLock::new();
    OWN.get_or_init(|| {
        let timers = ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"];
        vec![
            Area::new("console", &["console"], include_str!("../js/console.js")).with_internals(&["formatter"]),
            Area::new("inspect", &[], include_str!("../js/inspect.js")).with_internals(&["inspector"]),
            Area::new("timers", &timers, include_str!("../js/timers.js")),
        ]
    })
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;
    use crate::measure::vm;

    fn touch(config: &EngineConfig, name: &str) {
        let mut vm = vm(config.clone(), Handle::current());
        vm.with_value(name, |_, value| assert!(!value.is_undefined()));
    }

    #[tokio::test]
    async fn an_area_is_compiled_once_whichever_configurations_it_is_in() {
        let area = Area::new("counter", &["counter"], "(() => ({ counter: 1 }))");
        let one = EngineConfig::new(OpTable::new(), vec![area.clone()]);
        let other =
            EngineConfig::new(OpTable::new(), vec![area, Area::new("other", &["other"], "(() => ({ other: 2 }))")]);
        let compiled = |config: &EngineConfig| {
            config
                .provider("counter")
                .and_then(|area| area.bytecode().get())
                .map(|code| std::ptr::from_ref(code).addr())
        };
        assert_eq!((compiled(&one), compiled(&other)), (None, None));
        touch(&one, "counter");
        let first = compiled(&one);
        assert!(first.is_some() && compiled(&other) == first, "the other finds it");
        touch(&other, "counter");
        assert_eq!(compiled(&other), first);
    }
}
