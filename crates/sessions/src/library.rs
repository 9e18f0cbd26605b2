use std::collections::HashSet;
use std::sync::Arc;

use perennial_engine::{Area, EngineConfig, ModuleLoader, OpTable};

use crate::capability::{Capability, Declared, Granted, Grants};

/// What scripts find: native functions, and the JavaScript that they are reached through. Assembled from all provisions when a table is made, and again
/// when its plugins are.
#[derive(Default)]
pub struct Library {
    ops: OpTable,
    areas: Vec<Area>,
    granted: Granted,
    capabilities: Vec<Declared>,
    /// Which of embedders' provisions declares something now.
    by: Option<u64>,
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
        let declared = Declared { capability: Arc::new(capability), by: self.by };
        let grants = self.granted.iter().filter_map(|(plugin, grants)| {
            let (_, grant) = grants.iter().find(|(granted, _)| granted.is(&declared))?;
            Some((plugin.clone(), grant.clone().downcast().ok()?))
        });
        let grants = grants.collect();
        self.capabilities.push(declared);
        grants
    }

    /// One for plugins that were granted this.
    pub(crate) fn new(granted: Granted) -> Self {
        Self { granted, ..Self::default() }
    }

    /// Who declares what comes next.
    pub(crate) fn begin(&mut self, by: Option<u64>) {
        self.by = by;
    }

    /// What plugins can ask for.
    pub(crate) fn capabilities(&self) -> &[Declared] {
        &self.capabilities
    }

    /// A name that two capabilities have, or one that is taken.
    fn capability_twice(&self) -> Option<&'static str> {
        let keys = self.capabilities.iter().map(Declared::key);
        let in_context = self.capabilities.iter().map(|declared| declared.capability.context_key());
        twice(keys).or_else(|| twice(std::iter::once("plugin").chain(in_context)))
    }

    /// A plugin that was granted something that nothing here serves, and what.
    fn unserved(&self) -> Option<(&str, &'static str)> {
        self.granted.iter().find_map(|(plugin, grants)| {
            let mut granted = grants.iter().map(|(declared, _)| declared);
            let unserved = granted.find(|granted| !self.capabilities.iter().any(|served| served.is(granted)))?;
            Some((&**plugin, unserved.key()))
        })
    }

    /// What VMs are made of that have all this, if it fits together.
    pub(crate) fn config(self, modules: Option<Arc<dyn ModuleLoader>>) -> Result<EngineConfig, LibraryError> {
        if let Some(name) = self.capability_twice() {
            return Err(LibraryError::Name(name.to_owned()));
        }
        if let Some((plugin, key)) = self.unserved() {
            return Err(LibraryError::Capability { plugin: plugin.to_owned(), key: key.to_owned() });
        }
        let config = EngineConfig::new(self.ops, self.areas);
        let config = match modules {
            Some(modules) => config.with_modules(modules),
            None => config,
        };
        if let Some(name) = config.brought_twice() {
            return Err(LibraryError::Name(name.to_owned()));
        }
        match self.capabilities.iter().find(|declared| !config.has_internal(declared.capability.maker())) {
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
