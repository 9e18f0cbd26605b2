use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use perennial_engine::{Area, EngineConfig, OpTable};

use crate::config::TableConfig;
use crate::plugins::{self, Capability, Declared, Grants, PluginModules, PluginSet};
use crate::provisions::{Kind, Provisions};

/// What scripts find: native functions, and the JavaScript that they are reached through. Assembled from all provisions when a table is made, and again
/// when its plugins are.
pub struct Library {
    ops: OpTable,
    areas: Vec<Area>,
    plugins: PluginSet,
    capabilities: Vec<Declared>,
    /// The embedder's provision that declares something now.
    by: Option<Arc<dyn Kind>>,
}

/// What keeps a table from being made, or from being given other plugins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// Two provisions have the same name.
    #[error("there are two provisions of the name {0:?}")]
    Provision(String),
    /// Two of them bring the same global, the same op, the same capability or the same name in `ctx`.
    #[error("{0:?} is brought twice: names of globals, ops and capabilities are of one provision each")]
    Name(String),
    /// What stands in the `ctx` of plugins is made by something that no area provides to the library alone.
    #[error("{maker:?}, which makes what plugins have of {key:?}, is no internal of an area")]
    Maker {
        /// The capability.
        key: String,
        /// What is to make it.
        maker: String,
    },
    /// A plugin was loaded where a provision serves something that none of the table does.
    #[error(
        "the plugin {plugin:?} was granted {key:?}, which nothing in this table serves: load it with the provisions of the table"
    )]
    Capability {
        /// The plugin.
        plugin: String,
        /// The capability.
        key: String,
    },
}

impl Library {
    /// Adds native functions.
    pub fn ops(&mut self, ops: OpTable) {
        self.ops = std::mem::take(&mut self.ops).merge(ops);
    }

    /// Adds library JavaScript.
    pub fn area(&mut self, area: Area) {
        self.areas.push(area);
    }

    /// Adds something that plugins may ask for. Returns what those that there are have been granted of it, for the ops that serve them.
    pub fn capability<C: Capability>(&mut self, capability: C) -> Grants<C::Grant> {
        let declared = Declared { capability: Arc::new(capability), by: self.by.clone() };
        let grants = self.plugins.plugins().filter_map(|plugin| {
            let grant = plugin.grant(&declared)?.clone().downcast().ok()?;
            Some((plugin.name.clone(), grant))
        });
        let grants = grants.collect();
        self.capabilities.push(declared);
        grants
    }

    /// Who declares what comes next.
    pub(crate) fn begin(&mut self, by: Option<Arc<dyn Kind>>) {
        self.by = by;
    }

    fn new(plugins: &PluginSet) -> Self {
        Self { ops: OpTable::new(), areas: Vec::new(), plugins: plugins.clone(), capabilities: Vec::new(), by: None }
    }

    /// What plugins can ask for where there are these provisions besides those of every table.
    pub(crate) fn capabilities(own: &Provisions) -> Vec<Declared> {
        let mut library = Self::new(&PluginSet::empty());
        Provisions::of_table(&TableConfig::default()).and(own).declare(&mut library);
        library.capabilities
    }

    fn assemble(provisions: &Provisions, plugins: &PluginSet) -> Self {
        let mut library = Self::new(plugins);
        static TOOLS: LazyLock<Area> = LazyLock::new(|| Area::new("tools", &["tools"], include_str!("../js/tools.js")));
        library.area(TOOLS.clone());
        library.ops(perennial_stdlib::ops());
        perennial_stdlib::areas().into_iter().for_each(|area| library.area(area));
        provisions.declare(&mut library);
        library.ops(plugins::ops(plugins, &library.capabilities));
        library
    }

    /// A name that two capabilities have, or one that is taken.
    fn capability_twice(&self) -> Option<&'static str> {
        let keys = self.capabilities.iter().map(Declared::key);
        let in_context = self.capabilities.iter().map(|declared| declared.capability.context_key());
        twice(keys).or_else(|| twice(std::iter::once("plugin").chain(in_context)))
    }

    fn config(self) -> EngineConfig {
        EngineConfig::new(self.ops, self.areas).with_modules(Arc::new(PluginModules(self.plugins)))
    }

    /// The same, if all fits together.
    fn checked(self) -> Result<EngineConfig, LibraryError> {
        if let Some(name) = self.capability_twice() {
            return Err(LibraryError::Name(name.to_owned()));
        }
        if let Some((plugin, key)) = self.plugins.unserved(&self.capabilities) {
            return Err(LibraryError::Capability { plugin: plugin.to_owned(), key: key.to_owned() });
        }
        let capabilities = self.capabilities.clone();
        let config = self.config();
        if let Some(name) = config.brought_twice() {
            return Err(LibraryError::Name(name.to_owned()));
        }
        match capabilities.iter().find(|declared| !config.has_internal(declared.capability.maker())) {
            None => Ok(config),
            Some(declared) => Err(LibraryError::Maker {
                key: declared.key().to_owned(),
                maker: declared.capability.maker().to_owned(),
            }),
        }
    }
}

fn twice<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut known = HashSet::new();
    names.into_iter().find(|name| !known.insert(*name))
}

/// What the VMs of a table are made of that has these provisions, an embedder's own among them, and these plugins.
pub(crate) fn config_of(
    table: u64,
    provisions: &Provisions,
    plugins: &PluginSet,
) -> Result<EngineConfig, LibraryError> {
    match provisions.twice() {
        Some(name) => Err(LibraryError::Provision(name.to_owned())),
        None => Ok(Library::assemble(provisions, plugins).checked()?.with_origin(table)),
    }
}
