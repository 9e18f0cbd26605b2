//! What can be said of a source without running it.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use swc_core::common::Spanned;
use swc_core::ecma::ast::*;

use crate::diagnostics::SourceError;
use crate::parse::{Goal, Language, parse};
use crate::syntax::{attribute_type, export_name, imported_name, range, used_names};

/// One thing that a source imports before it begins.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Import {
    /// What it names.
    pub specifier: String,
    /// The `type` of its attributes.
    pub kind: Option<String>,
    /// Where it stands, in UTF-8 bytes.
    pub range: Range<usize>,
    /// The names that are taken from it and used, and where each stands.
    pub names: Vec<(String, Range<usize>)>,
}

/// What a source says of itself.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// What it imports before it begins. A module in TypeScript imports only what it uses as a value.
    pub imports: Vec<Import>,
    /// Whether it is a module rather than a cell: it exports something.
    pub has_exports: bool,
}

/// Looks a source over.
pub(crate) fn survey_of(source: &str, is_typescript: bool) -> Result<Survey, SourceError> {
    let Program::Module(module) = parse(source, Language::TypeScript, Goal::Cell)? else {
        unreachable!("only CommonJS is parsed as a script")
    };
    let has_exports = module.body.iter().any(|item| {
        matches!(item, ModuleItem::ModuleDecl(decl) if !matches!(decl, ModuleDecl::Import(_) | ModuleDecl::TsImportEquals(_)))
    });
    Ok(Survey { imports: imports(&module, has_exports && is_typescript), has_exports })
}

/// What a module imports before it begins; see [`Survey::imports`].
pub(crate) fn imports(module: &Module, only_used: bool) -> Vec<Import> {
    let used = used_names(module);
    let mut imports = Vec::new();
    for item in &module.body {
        let ModuleItem::ModuleDecl(decl) = item else { continue };
        let mut names = Vec::new();
        let (src, with) = match decl {
            ModuleDecl::Import(import) if import.type_only => continue,
            ModuleDecl::Import(import) => {
                let is_used = |specifier: &&ImportSpecifier| used.contains(&*specifier.local().sym);
                let specifiers = &import.specifiers;
                if only_used && !specifiers.is_empty() && !specifiers.iter().any(|specifier| is_used(&specifier)) {
                    continue;
                }
                let named = specifiers.iter().filter(is_used);
                names.extend(named.filter_map(|named| Some((imported_name(named)?, range(named.span())))));
                (&import.src, &import.with)
            }
            ModuleDecl::ExportNamed(NamedExport { src: Some(src), type_only: false, with, specifiers, .. }) => {
                names.extend(specifiers.iter().filter_map(|specifier| match specifier {
                    ExportSpecifier::Named(named) if !named.is_type_only => {
                        Some((export_name(&named.orig), range(named.span)))
                    }
                    _ => None,
                }));
                (src, with)
            }
            ModuleDecl::ExportAll(export) if !export.type_only => (&export.src, &export.with),
            _ => continue,
        };
        imports.push(Import {
            specifier: src.value.to_string_lossy().into_owned(),
            kind: with.as_deref().and_then(attribute_type),
            range: range(src.span),
            names,
        });
    }
    imports
}

/// Whether a source ends in the middle of something, so that more lines may make it whole.
pub(crate) fn ends_open(source: &str) -> bool {
    let Err(error) = parse(source, Language::TypeScript, Goal::Cell) else { return false };
    let end = source.trim_end().len();
    // An open string is a mistake, an open template is not.
    error.problems.iter().any(|problem| problem.range.start >= end || problem.message == "unterminated template")
        || error.problems.iter().any(|problem| problem.message == "unterminated block comment")
}
