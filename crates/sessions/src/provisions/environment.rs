//! `process.env`: what scripts see of the environment.

use std::sync::Arc;

use perennial_stdlib::node::Environment;

use crate::durable::Snapshot;
use crate::key::SessionKey;
use crate::library::Library;
use crate::provision::{InRun, Own, Provision, RunScope};

/// Nothing is provided where nothing is said.
pub(super) struct EnvironmentProvision(Option<Arc<Environment>>);

impl EnvironmentProvision {
    pub(super) fn new(env: Environment) -> Self {
        Self((!env.is_empty()).then(|| Arc::new(env)))
    }
}

impl Provision for EnvironmentProvision {
    type Session = ();

    fn name(&self) -> &'static str {
        "environment"
    }

    /// `process` is there without one, and empty.
    fn declare(&self, library: &mut Library) {
        if let Some(environment) = &self.0 {
            library.tell("`process.env` has", environment.names());
        }
    }

    fn open(&self, _: &SessionKey, _: Option<&Snapshot>) {}

    fn begin(&self, _: Own<'_, ()>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        run.provide_default(self.0.as_ref()?);
        None
    }
}
