use std::sync::Arc;

/// One session among all: whose it is, and its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey {
    owner: Arc<str>,
    name: Arc<str>,
}

impl SessionKey {
    pub(crate) fn new(owner: Arc<str>, name: &str) -> Self {
        Self { owner, name: name.into() }
    }

    /// Whose it is; empty for what a program runs for itself.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name, which other owners may use as well.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl std::fmt::Display for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Quoted, so that no two look alike.
        if self.owner.is_empty() { write!(f, "{:?}", self.name) } else { write!(f, "{:?}/{:?}", self.owner, self.name) }
    }
}
