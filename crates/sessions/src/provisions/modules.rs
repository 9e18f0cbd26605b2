//! `import`: what scripts may import from the host.

use std::sync::Arc;

use crate::durable::Snapshot;
use crate::key::SessionKey;
use crate::library::Library;
use crate::modules::ModuleAccess;
use crate::provision::{InRun, Own, Provision, RunScope};

/// Nothing is provided where nothing is said.
pub(super) struct ModulesProvision(Option<Arc<ModuleAccess>>);

impl ModulesProvision {
    pub(super) fn new(access: Option<ModuleAccess>) -> Self {
        Self(access.map(Arc::new))
    }
}

impl Provision for ModulesProvision {
    type Session = ();

    fn name(&self) -> &'static str {
        "modules"
    }

    /// The loader is the library's, since what the host and plugins provide is imported without any access.
    fn declare(&self, library: &mut Library) {
        let node = perennial_stdlib::node::modules().map(|(name, _)| name.trim_start_matches("node:").to_owned());
        library.tell("`import` has, of Node, after `node:`", node);
        match &self.0 {
            None => library.tell("There are no other modules: nothing can be installed.", [""; 0]),
            Some(access) => match access.packages() {
                packages if packages.is_empty() => library.tell("`import` has the files of the project.", [""; 0]),
                packages => library.tell("`import` has the files of the project and the packages", packages),
            },
        }
    }

    fn open(&self, _: &SessionKey, _: Option<&Snapshot>) {}

    fn begin(&self, _: Own<'_, ()>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        run.provide_default(self.0.as_ref()?);
        None
    }
}
