use std::sync::Arc;

use perennial_engine::{Area, EngineConfig, OpTable};

use crate::plugins::{self, PluginModules, PluginSet};
use crate::vars;

/// An engine configuration for sessions: `vars`, and what else the embedder adds. Make it once and clone it; a session that is
/// called with another one rebuilds its VM.
///
/// ```
/// use perennial_sessions::{Area, Bound, OpTable, session_config};
/// let ops = OpTable::new().sync("roll", Bound::SMALL, |_, _| Ok(serde_json::json!(4).into()));
/// let config = session_config(ops, vec![Area::new("dice", &["roll"], "((ops) => ({ roll: () => ops.roll() }))")]);
/// # let _ = config;
/// ```
pub fn session_config(more: OpTable, areas: Vec<Area>) -> EngineConfig {
    with_plugins(&PluginSet::empty(), more, areas)
}

/// The configuration of sessions with these plugins.
pub(crate) fn config_with(plugins: &PluginSet) -> EngineConfig {
    with_plugins(plugins, OpTable::new(), Vec::new())
}

fn with_plugins(plugins: &PluginSet, more: OpTable, mut areas: Vec<Area>) -> EngineConfig {
    areas.insert(0, vars::area());
    areas.extend(perennial_stdlib::areas());
    areas.insert(1, Area::new("tools", &["tools"], include_str!("../js/tools.js")));
    let ops = vars::ops()
        .merge(plugins::ops(plugins))
        .merge(perennial_stdlib::ops(&plugins.net(), &plugins.commands()))
        .merge(more);
    EngineConfig::new(ops, areas).with_modules(Arc::new(PluginModules(plugins.clone())))
}
