use std::collections::HashSet;
use std::sync::Arc;

use perennial_engine::{Area, EngineConfig, ModuleLoader, OpTable};

use crate::briefing::Briefing;
use crate::capability::{Capability, Declared, Granted, Grants};

/// What scripts find: native functions, and the JavaScript that they are reached through. Assembled from all provisions when a table is made, and again
/// when its plugins are.
#[derive(Default)]
pub struct Library {
    ops: OpTable,
    areas: Vec<Area>,
    granted: Granted,
    capabilities: Vec<Declared>,
    briefing: Briefing,
    /// Which of embedders' provisions declares something now.
    by: Option<u64>,
    /// The name of the provision that does.
    who: &'static str,
    /// Each name that was declared, with who did.
    said: Vec<(String, &'static str)>,
}

/// What keeps a table from being made, or from being given other plugins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// Two provisions have the same name.
    #[error("there are two provisions of the name {0:?}")]
    Provision(String),
    /// Two of them bring the same global, the same op, the same capability or the same name in `ctx`.
    #[error("{name:?} is brought twice ({by}): names of globals, ops and capabilities are of one provision each")]
    Name {
        /// What both bring.
        name: String,
        /// Who does, as far as that is known.
        by: String,
    },
    /// The default limits of runs are no limits, or more than the ceilings; or nothing could run.
    #[error("limits: {0}")]
    Limits(String),
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
        self.said.extend(ops.names().map(|name| (name.to_owned(), self.who)));
        self.ops = std::mem::take(&mut self.ops).merge(ops);
    }

    /// Adds library JavaScript.
    pub fn area(&mut self, area: Area) {
        self.said.extend(area.names().map(|name| (name.to_owned(), self.who)));
        self.areas.push(area);
    }

    /// Tells those who write scripts for the table what they have of this, or that they have nothing of it: a sentence, and a list behind it if there is one. A model
    /// reads it in the description of the tool that runs scripts, with the others', as far as there is room ([`Owner::briefing`](crate::Owner::briefing)). What is a
    /// secret, or the host's own business, is not for it.
    pub fn tell(&mut self, text: impl Into<String>, items: impl IntoIterator<Item = impl Into<String>>) {
        self.briefing.add(text.into(), items.into_iter().map(Into::into).collect());
    }

    /// What was told.
    pub(crate) fn briefing(&self) -> Briefing {
        self.briefing.clone()
    }

    /// Adds something that plugins may ask for. Returns what those that there are have been granted of it, for the ops that serve them.
    pub fn capability<C: Capability>(&mut self, capability: C) -> Grants<C::Grant> {
        let declared = Declared { capability: Arc::new(capability), by: self.by };
        let grants = self.granted.iter().filter_map(|(plugin, grants)| {
            let (_, grant) = grants.iter().find(|(granted, _)| granted.is(&declared))?;
            Some((plugin.clone(), grant.clone().downcast().ok()?))
        });
        let grants = grants.collect();
        let names = [declared.key(), declared.capability.context_key()];
        self.said.extend(names.map(|name| (name.to_owned(), self.who)));
        self.capabilities.push(declared);
        grants
    }

    /// One for plugins that were granted this.
    pub(crate) fn new(granted: Granted) -> Self {
        Self { granted, who: "every table", ..Self::default() }
    }

    /// Who declares what comes next.
    pub(crate) fn begin(&mut self, who: &'static str, by: Option<u64>) {
        (self.who, self.by) = (who, by);
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

    fn twice(&self, name: &str) -> LibraryError {
        let mut by: Vec<&str> = self.said.iter().filter(|(said, _)| said == name).map(|(_, who)| *who).collect();
        let said = by.len();
        by.dedup();
        let by = match by[..] {
            [who] if said > 1 => format!("both times by {who}"),
            // What nobody here has said is the engine's.
            [who] => format!("by {who} and every table"),
            _ => format!("by {}", by.join(" and ")),
        };
        LibraryError::Name { name: name.to_owned(), by }
    }

    /// What VMs are made of that have all this, if it fits together.
    pub(crate) fn config(self, modules: Option<Arc<dyn ModuleLoader>>) -> Result<EngineConfig, LibraryError> {
        if let Some(name) = self.capability_twice() {
            return Err(self.twice(name));
        }
        if let Some((plugin, key)) = self.unserved() {
            return Err(LibraryError::Capability { plugin: plugin.to_owned(), key: key.to_owned() });
        }
        let config = EngineConfig::new(self.ops.clone(), self.areas.clone());
        let config = match modules {
            Some(modules) => config.with_modules(modules),
            None => config,
        };
        if let Some(name) = config.brought_twice() {
            return Err(self.twice(name));
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
