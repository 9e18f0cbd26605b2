use std::path::PathBuf;
use std::sync::Arc;

use crate::module::ModuleText;
use crate::prepare::Prepared;

/// One module of a graph under construction.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) path: Option<PathBuf>,
    pub(crate) content: Content,
    /// Of the content, not of what it imports.
    pub(crate) hash: u128,
    /// For each import the node it leads to; `None` for what is required and not there.
    pub(crate) edges: Vec<Option<usize>>,
}

#[derive(Clone)]
pub(crate) enum Content {
    EsModule(Arc<ModuleText>),
    CommonJs(Arc<ModuleText>),
    /// Its one edge is the CommonJS module.
    Facade,
    /// A default export of data.
    Data(Prepared),
}
