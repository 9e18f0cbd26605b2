use std::sync::Arc;

use perennial_engine::{ConfigOrigin, EngineConfig};

use crate::advice::advise;
use crate::briefing::Briefing;
use crate::library::{Library, LibraryError};
use crate::plugins::{self, PluginSet};
use crate::provisions::Provisions;

/// What the sessions of a table are made of, until its plugins change.
#[derive(Clone, Debug)]
pub(crate) struct Generation {
    pub(crate) plugins: PluginSet,
    pub(crate) config: EngineConfig,
    pub(crate) briefing: Briefing,
}

impl Generation {
    /// With these provisions, an embedder's own among them, for one table.
    pub(crate) fn new(table: &ConfigOrigin, provisions: &Provisions, plugins: PluginSet) -> Result<Self, LibraryError> {
        if let Some(name) = provisions.twice() {
            return Err(LibraryError::Provision(name.to_owned()));
        }
        let mut library = Library::new(plugins.granted());
        library.ops(perennial_stdlib::ops());
        perennial_stdlib::areas().into_iter().for_each(|area| library.area(area));
        provisions.declare(&mut library);
        plugins::declare(&plugins, &mut library);
        let briefing = library.briefing();
        let config = library.config(plugins::loader(&plugins))?.with_origin(table);
        let of = plugins.clone();
        let config = config.with_advice(Arc::new(move |path, granted| advise(path, granted, &of)));
        Ok(Self { plugins, config, briefing })
    }
}
