//! `process.env`: what scripts see of the environment.

use std::sync::Arc;

use perennial_stdlib::node::Environment;

use crate::config::TableConfig;
use crate::library::Library;
use crate::provision::{InRun, Own, Provision, RunScope};
use crate::registry::SessionKey;

/// Nothing is provided where nothing is said.
pub(super) struct EnvironmentProvision(Option<Arc<Environment>>);

impl EnvironmentProvision {
    pub(super) fn new(config: &TableConfig) -> Self {
        Self((!config.env.is_empty()).then(|| Arc::new(config.env.clone())))
    }
}

impl Provision for EnvironmentProvision {
    type Session = ();

    fn name(&self) -> &'static str {
        "environment"
    }

    /// `process` is there without one, and empty.
    fn declare(&self, _: &mut Library) {}

    fn open(&self, _: &SessionKey) {}

    fn begin(&self, _: Own<'_, ()>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        run.provide_default(self.0.as_ref()?);
        None
    }
}
