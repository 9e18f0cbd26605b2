//! What differs between two states of a session's files.

use imbl::ordmap::DiffItem;

use super::path::VirtualPath;
use super::tree::{Kind, Node, Tree};

/// How many differences are listed.
pub const MAX_CHANGES: usize = 1000;

/// What became of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was not there before.
    Created,
    /// It was, and is another one or has other content.
    Modified,
    /// It is not there any more.
    Removed,
}

/// One path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Absolute.
    pub path: String,
    /// What became of it.
    pub change: ChangeKind,
    /// What it is, or was.
    pub kind: Kind,
    /// Its size in bytes now; 0 if it is gone.
    pub size: u64,
}

/// Differences in order of their paths, the first [`MAX_CHANGES`] of them, and how many more there are. What two states share is not
/// looked at. A folder in which something differs does not count as changed itself.
pub(super) fn between(before: &Tree, after: &Tree) -> (Vec<Change>, usize) {
    let mut found = Found { changes: Vec::new(), more: 0 };
    found.compare(&VirtualPath::default(), &before.root(), &after.root());
    (found.changes, found.more)
}

struct Found {
    changes: Vec<Change>,
    more: usize,
}

impl Found {
    fn add(&mut self, path: &VirtualPath, change: ChangeKind, node: &Node) {
        // What hides something of the host's removes it.
        let hides = matches!(node, Node::Gone);
        let change = match change {
            ChangeKind::Created if hides => ChangeKind::Removed,
            ChangeKind::Removed if hides => ChangeKind::Created,
            change => change,
        };
        if self.changes.len() < MAX_CHANGES {
            let size = if change == ChangeKind::Removed { 0 } else { node.size() };
            self.changes.push(Change { path: path.to_string(), change, kind: node.kind(), size });
        } else {
            self.more += 1;
        }
        if change != ChangeKind::Modified
            && let Node::Dir(dir) = node
        {
            dir.entries.iter().for_each(|(name, node)| self.add(&path.join(name), change, node));
        }
    }

    fn compare(&mut self, path: &VirtualPath, before: &Node, after: &Node) {
        if before == after {
            return;
        }
        let (Node::Dir(old), Node::Dir(new)) = (before, after) else {
            if before.kind() == after.kind() {
                self.add(path, ChangeKind::Modified, after);
            } else {
                self.add(path, ChangeKind::Removed, before);
                self.add(path, ChangeKind::Created, after);
            }
            return;
        };
        for difference in old.entries.diff(&new.entries) {
            match difference {
                DiffItem::Update { old: (name, before), new: (_, after) } => {
                    self.compare(&path.join(name), before, after);
                }
                DiffItem::Remove(name, before) => self.add(&path.join(name), ChangeKind::Removed, before),
                DiffItem::Add(name, after) => self.add(&path.join(name), ChangeKind::Created, after),
            }
        }
    }
}
