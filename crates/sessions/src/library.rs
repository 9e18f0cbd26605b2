use std::sync::Arc;

use perennial_engine::{Area, EngineConfig, OpTable};

use crate::config::TableConfig;
use crate::plugins::{self, PluginModules, PluginSet};
use crate::provisions::Provisions;

/// What scripts find: native functions, and the JavaScript that they are reached through. Assembled from all provisions when a table is made, and again
/// when its plugins are.
pub struct Library {
    ops: OpTable,
    areas: Vec<Area>,
    plugins: PluginSet,
}

/// What keeps a table from being made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LibraryError {
    /// Two provisions have the same name.
    #[error("there are two provisions of the name {0:?}")]
    Provision(String),
    /// Two of them bring the same global, or the same op.
    #[error("{0:?} is brought twice: names of globals and ops are of one provision each")]
    Name(String),
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

    /// The plugins whose tools scripts can call.
    pub(crate) fn plugins(&self) -> &PluginSet {
        &self.plugins
    }

    fn assemble(provisions: &Provisions, plugins: &PluginSet) -> Self {
        let mut library = Self { ops: OpTable::new(), areas: Vec::new(), plugins: plugins.clone() };
        library.ops(plugins::ops(plugins).merge(perennial_stdlib::ops()));
        library.area(Area::new("tools", &["tools"], include_str!("../js/tools.js")));
        perennial_stdlib::areas().into_iter().for_each(|area| library.area(area));
        provisions.declare(&mut library);
        library
    }

    fn config(self) -> EngineConfig {
        EngineConfig::new(self.ops, self.areas).with_modules(Arc::new(PluginModules(self.plugins)))
    }
}

/// An engine configuration for sessions: what every table has, and what else the embedder adds. Make it once and clone it; a session that is called with
/// another one rebuilds its VM.
///
/// ```
/// use perennial_sessions::{Area, Bound, OpTable, session_config};
/// let ops = OpTable::new().sync("roll", Bound::SMALL, |_, _| Ok(serde_json::json!(4).into()));
/// let config = session_config(ops, vec![Area::new("dice", &["roll"], "((ops) => ({ roll: () => ops.roll() }))")]);
/// # let _ = config;
/// ```
pub fn session_config(more: OpTable, areas: Vec<Area>) -> EngineConfig {
    let mut library = Library::assemble(&Provisions::of_table(&TableConfig::default()), &PluginSet::empty());
    library.ops(more);
    areas.into_iter().for_each(|area| library.area(area));
    library.config()
}

/// The configuration of sessions with these plugins, and what every table has.
pub(crate) fn config_with(plugins: &PluginSet) -> EngineConfig {
    Library::assemble(&Provisions::of_table(&TableConfig::default()), plugins).config()
}

/// The same with an embedder's own provisions. Without any it is that of the plugins, whoever asks for it.
pub(crate) fn config_of(own: &Provisions, all: &Provisions, plugins: &PluginSet) -> Result<EngineConfig, LibraryError> {
    if own.is_empty() {
        return Ok(plugins.config());
    }
    if let Some(name) = all.twice() {
        return Err(LibraryError::Provision(name.to_owned()));
    }
    let config = Library::assemble(all, plugins).config();
    match config.brought_twice() {
        Some(name) => Err(LibraryError::Name(name.to_owned())),
        None => Ok(config),
    }
}
