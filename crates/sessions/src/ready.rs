use std::sync::Arc;

use perennial_engine::Program;

use crate::provision::RunScope;

/// A program that is ready.
#[derive(Clone)]
pub(crate) struct Ready {
    /// What positions call it, where the run has no name of its own.
    pub(crate) name: String,
    pub(crate) program: Arc<Program>,
    /// Gives the run what the program needs.
    pub(crate) brings: Arc<dyn Fn(&mut RunScope<'_>) + Send + Sync>,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready").field("name", &self.name).finish_non_exhaustive()
    }
}
