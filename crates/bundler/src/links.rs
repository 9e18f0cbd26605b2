//! What modules export, and whether what is imported from them is there.
//!
//! QuickJS would find out when it links, but names no place, and keeps the module that could not be linked.
//! Resolution follows <https://tc39.es/ecma262/#sec-resolveexport>; names that two `export *` bring are left to QuickJS.

use std::collections::BTreeSet;

use crate::names::{Export, Wanted};
use crate::node::{Content, Node};

/// The first import of a graph that takes a name which is not there: the node that imports, what it takes, and why it cannot.
pub(crate) fn missing_export(nodes: &[Node]) -> Option<(usize, &Wanted, String)> {
    nodes.iter().enumerate().find_map(|(index, node)| {
        let Content::EsModule(text) = &node.content else { return None };
        text.names.wanted.iter().find_map(|wanted| {
            let target = node.edges.get(wanted.import).copied().flatten()?;
            let why = lacks(nodes, target, &wanted.name)?;
            Some((index, wanted, why))
        })
    })
}

/// Why a module has no such export, if it has none.
fn lacks(nodes: &[Node], node: usize, name: &str) -> Option<String> {
    (!has(nodes, node, name, &mut BTreeSet::new())).then(|| {
        let mut names = BTreeSet::new();
        collect_exports(nodes, node, &mut names, &mut BTreeSet::new());
        // A facade is nothing that anybody has heard of.
        let shown = match &nodes[node].content {
            Content::Facade => nodes[node].edges.first().copied().flatten().unwrap_or(node),
            _ => node,
        };
        no_export(&nodes[shown].name, name, &names)
    })
}

/// How a missing export is reported.
pub(crate) fn no_export(module: &str, name: &str, exports: &BTreeSet<String>) -> String {
    const SHOWN: usize = 30;
    let mut shown: Vec<&str> = exports.iter().take(SHOWN).map(String::as_str).collect();
    let more = format!("and {} more", exports.len().saturating_sub(SHOWN));
    if exports.len() > SHOWN {
        shown.push(&more);
    }
    let known = if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") };
    format!("{module} has no export '{name}'; it exports {known}")
}

fn has(nodes: &[Node], node: usize, name: &str, seen: &mut BTreeSet<(usize, String)>) -> bool {
    match &nodes[node].content {
        Content::Data(_) => name == "default",
        Content::CommonJs(_) => true,
        Content::Facade => name == "default" || exported_names(nodes, node, &mut BTreeSet::new()).contains(name),
        Content::EsModule(text) => {
            let follow =
                |import: usize, name: &str, seen: &mut _| match nodes[node].edges.get(import).copied().flatten() {
                    Some(edge) => has(nodes, edge, name, seen),
                    None => true,
                };
            match text.names.exports.get(name) {
                Some(Export::Here) => true,
                _ if !seen.insert((node, name.to_owned())) => false,
                Some(Export::Passed(import, name)) => follow(*import, name, seen),
                None => name != "default" && text.names.stars.iter().any(|import| follow(*import, name, seen)),
            }
        }
    }
}

/// Every name that a module exports.
pub(crate) fn collect_exports(nodes: &[Node], node: usize, names: &mut BTreeSet<String>, seen: &mut BTreeSet<usize>) {
    if !seen.insert(node) {
        return;
    }
    match &nodes[node].content {
        Content::Data(_) => _ = names.insert("default".to_owned()),
        Content::CommonJs(_) => {}
        Content::Facade => {
            names.insert("default".to_owned());
            names.extend(exported_names(nodes, node, &mut BTreeSet::new()));
        }
        Content::EsModule(text) => {
            names.extend(text.names.exports.keys().cloned());
            for star in &text.names.stars {
                if let Some(edge) = nodes[node].edges.get(*star).copied().flatten() {
                    let mut below = BTreeSet::new();
                    collect_exports(nodes, edge, &mut below, seen);
                    below.remove("default");
                    names.extend(below);
                }
            }
        }
    }
}

/// The names that a CommonJS module, or the facade of one, is known to export.
pub(crate) fn exported_names(nodes: &[Node], index: usize, seen: &mut BTreeSet<usize>) -> BTreeSet<String> {
    if !seen.insert(index) {
        return BTreeSet::new();
    }
    match &nodes[index].content {
        Content::Facade => nodes[index]
            .edges
            .first()
            .copied()
            .flatten()
            .map_or_else(BTreeSet::new, |edge| exported_names(nodes, edge, seen)),
        Content::CommonJs(text) => {
            let Some(exports) = &text.commonjs else { return BTreeSet::new() };
            let mut names = exports.names.clone();
            for import in &exports.passed_on {
                if let Some(edge) = nodes[index].edges.get(*import).copied().flatten() {
                    names.extend(exported_names(nodes, edge, seen));
                }
            }
            names
        }
        Content::EsModule(_) | Content::Data(_) => BTreeSet::new(),
    }
}
