//! What can be said of a source without running it.

use swc_core::ecma::ast::*;

use crate::cell::attribute_type;
use crate::diagnostics::SourceError;
use crate::parse::{Goal, Language, parse, prepared_on_large_stack, range};

/// One thing that a source imports before it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// What it names.
    pub specifier: String,
    /// The `type` of its attributes.
    pub kind: Option<String>,
    /// Where it stands, in UTF-8 bytes.
    pub at: usize,
}

/// What a source says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// What it imports before it begins.
    pub imports: Vec<Import>,
    /// Whether it is a module rather than a cell: it exports something.
    pub has_exports: bool,
}

/// Looks a source over.
///
/// # Errors
/// If it does not parse.
pub fn survey(source: &str) -> Result<Survey, SourceError> {
    prepared_on_large_stack(source, || {
        let Program::Module(module) = parse(source, Language::TypeScript, Goal::Cell)? else {
            unreachable!("only CommonJS is parsed as a script")
        };
        let mut survey = Survey::default();
        for item in &module.body {
            let ModuleItem::ModuleDecl(decl) = item else { continue };
            let (src, with) = match decl {
                ModuleDecl::Import(import) if !import.type_only => (Some(&import.src), import.with.as_deref()),
                ModuleDecl::Import(_) => continue,
                ModuleDecl::ExportNamed(export) => (export.src.as_ref(), export.with.as_deref()),
                ModuleDecl::ExportAll(export) => (Some(&export.src), export.with.as_deref()),
                _ => (None, None),
            };
            survey.has_exports |= !matches!(decl, ModuleDecl::Import(_));
            survey.imports.extend(src.map(|src| Import {
                specifier: src.value.to_string_lossy().into_owned(),
                kind: with.and_then(attribute_type),
                at: range(src.span).start,
            }));
        }
        Ok(survey)
    })
}

/// Whether a source ends in the middle of something, so that more lines may make it whole.
pub fn is_unfinished(source: &str) -> bool {
    let parsed = prepared_on_large_stack(source, || parse(source, Language::TypeScript, Goal::Cell).map(drop));
    let Err(error) = parsed else { return false };
    let end = source.trim_end().len();
    // An open string is a mistake, an open template is not.
    error.problems.iter().any(|problem| problem.range.start >= end || problem.message == "unterminated template")
        || error.problems.iter().any(|problem| problem.message == "unterminated block comment")
}
