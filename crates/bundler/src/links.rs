//! What modules export, and whether what is imported from them is there.
//!
//! QuickJS would find out when it links, but names no place, and keeps the module that could not be linked.
//! Resolution follows <https://tc39.es/ecma262/#sec-resolveexport>; names that two `export *` bring are left to QuickJS.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use swc_core::common::Spanned;
use swc_core::ecma::ast::*;

use crate::cell::bound_names;
use crate::graph::{Content, Node, exported_names};
use crate::parse::range;

/// What an ES module imports and exports by name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Names {
    /// What it takes from its imports.
    pub(crate) wanted: Vec<Wanted>,
    exports: BTreeMap<String, Export>,
    /// Imports that are exported with `export *`.
    stars: Vec<usize>,
}

/// A name that is taken from an import.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Wanted {
    /// Which of the imports.
    pub(crate) import: usize,
    pub(crate) name: String,
    /// Where it stands in the author's source.
    pub(crate) at: usize,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
enum Export {
    /// Its own, or a namespace.
    Here,
    /// A name of one of its imports.
    Passed(usize, String),
}

pub(crate) fn export_name(name: &ModuleExportName) -> String {
    match name {
        ModuleExportName::Ident(ident) => ident.sym.to_string(),
        ModuleExportName::Str(text) => text.value.to_string_lossy().into_owned(),
    }
}

/// The name that an import specifier takes, unless it takes them all.
pub(crate) fn imported_name(specifier: &ImportSpecifier) -> Option<String> {
    match specifier {
        ImportSpecifier::Default(_) => Some("default".to_owned()),
        ImportSpecifier::Namespace(_) => None,
        ImportSpecifier::Named(named) => {
            Some(named.imported.as_ref().map_or_else(|| named.local.sym.to_string(), export_name))
        }
    }
}

impl Names {
    /// Notes an import specifier that is used.
    pub(crate) fn import(&mut self, import: usize, specifier: &ImportSpecifier) {
        if let Some(name) = imported_name(specifier) {
            self.wanted.push(Wanted { import, name, at: range(specifier.span()).start });
        }
    }

    /// Notes what an item exports. `import` is the import it stands for, if it is one.
    pub(crate) fn export(&mut self, decl: &ModuleDecl, import: Option<usize>) {
        match (decl, import) {
            (ModuleDecl::ExportDecl(export), _) => match &export.decl {
                Decl::Class(class) => self.here(class.ident.sym.to_string()),
                Decl::Fn(function) => self.here(function.ident.sym.to_string()),
                Decl::Var(var) => {
                    let names = var.decls.iter().flat_map(|declarator| bound_names(&declarator.name));
                    names.for_each(|name| self.here(name.sym.to_string()));
                }
                _ => {}
            },
            (ModuleDecl::ExportDefaultExpr(_) | ModuleDecl::ExportDefaultDecl(_), _) => self.here("default".to_owned()),
            (ModuleDecl::ExportAll(_), Some(import)) => self.stars.push(import),
            (ModuleDecl::ExportNamed(export), import) => {
                for specifier in &export.specifiers {
                    match (specifier, import) {
                        (ExportSpecifier::Named(named), _) if named.is_type_only => {}
                        (ExportSpecifier::Named(named), import) => {
                            let exported = export_name(named.exported.as_ref().unwrap_or(&named.orig));
                            let Some(import) = import else {
                                self.here(exported);
                                continue;
                            };
                            let name = export_name(&named.orig);
                            self.wanted.push(Wanted { import, name: name.clone(), at: range(named.span).start });
                            self.exports.insert(exported, Export::Passed(import, name));
                        }
                        (ExportSpecifier::Namespace(star), _) => self.here(export_name(&star.name)),
                        (ExportSpecifier::Default(_), _) => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn here(&mut self, name: String) {
        self.exports.insert(name, Export::Here);
    }
}

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
