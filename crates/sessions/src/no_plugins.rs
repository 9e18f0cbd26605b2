//! In place of plugins, which are modules.

use std::sync::Arc;

use perennial_engine::ModuleLoader;

use crate::capability::Granted;
use crate::library::Library;

/// None.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PluginSet;

impl PluginSet {
    pub(crate) fn granted(&self) -> Granted {
        Granted::new()
    }
}

pub(crate) fn declare(_: &PluginSet, _: &mut Library) {}

pub(crate) fn loader(_: &PluginSet) -> Option<Arc<dyn ModuleLoader>> {
    None
}
