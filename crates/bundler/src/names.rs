//! What a module imports and exports by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use swc_core::common::Spanned;
use swc_core::ecma::ast::*;

use crate::syntax::{bound_names, export_name, imported_name, range};

/// How a module is asked for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub(crate) enum Way {
    Import,
    Require,
}

/// What an ES module imports and exports by name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Names {
    /// What it takes from its imports.
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) exports: BTreeMap<String, Export>,
    /// Imports that are exported with `export *`.
    pub(crate) stars: Vec<usize>,
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
pub(crate) enum Export {
    /// Its own, or a namespace.
    Here,
    /// A name of one of its imports.
    Passed(usize, String),
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
