//! Modules: types vanish, and specifiers become the keys of the modules they stand for.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use swc_core::common::Spanned;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::declared::check_exports;
use crate::diagnostics::SourceError;
use crate::edits::Edits;
use crate::lower::lower;
use crate::names::{Names, Way};
use crate::node_env::rewrite_node_env;
use crate::parse::{Goal, Language, parse};
use crate::prepare::{Prepared, at_origin, erased, parse_lowered};
use crate::syntax::{attribute_type, awaits, offset, range, used_names};

/// A module but for the keys of what it imports.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ModuleText {
    pub(crate) prepared: Prepared,
    pub(crate) imports: Vec<ImportSite>,
    /// Where in the text which import's key goes.
    pub(crate) holes: Vec<(usize, usize)>,
    pub(crate) awaits: bool,
    pub(crate) names: Names,
    /// What a CommonJS module is known to export.
    pub(crate) commonjs: Option<Exports>,
}

/// What the source of a CommonJS module shows of its exports.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Exports {
    pub(crate) names: BTreeSet<String>,
    /// Indices of imports whose names it passes on.
    pub(crate) passed_on: BTreeSet<usize>,
    /// Whether the source declares, with `let`, `const` or `class`, a name that the wrapper gives it.
    pub(crate) shadows: bool,
}

/// One thing that a module imports when it is linked.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct ImportSite {
    pub(crate) specifier: String,
    /// The `type` of its attributes.
    pub(crate) kind: Option<String>,
    pub(crate) way: Way,
    /// Where it stands in the author's source.
    pub(crate) at: usize,
}

/// Makes an ES module ready.
pub(crate) fn module_of(source: &str, language: Language) -> Result<ModuleText, SourceError> {
    let Program::Module(module) = parse(source, language, Goal::Module)? else {
        unreachable!("only CommonJS is parsed as a script")
    };
    check_exports(&module)?;
    let (edits, found) = erased(source, &module)?;
    if !found.needs_lowering {
        let sites = transform(&module, edits, language);
        return Ok(sites.finish(source, None));
    }
    let lowered = lower(module, source.len())?;
    let module = parse_lowered(&lowered, Goal::Module)?;
    let (edits, _) = erased(&lowered.text, &module).map_err(|error| at_origin(error, &lowered))?;
    let mut sites = transform(&module, edits, language);
    let places = sites.imports.iter_mut().map(|import| &mut import.at);
    for at in places.chain(sites.names.wanted.iter_mut().map(|wanted| &mut wanted.at)) {
        *at = lowered.original(*at);
    }
    Ok(sites.finish(source, Some(lowered.clone())))
}

struct Sites<'s> {
    edits: Edits<'s>,
    imports: Vec<ImportSite>,
    /// Offsets in the edited source of literals that were replaced by holes.
    holes: Vec<(usize, usize)>,
    awaits: bool,
    names: Names,
}

impl Sites<'_> {
    fn finish(self, source: &str, lowered: Option<crate::lower::Lowered>) -> ModuleText {
        let (text, map) = self.edits.finish();
        let put_in = map.put_in();
        let holes = self.holes.iter().filter_map(|(at, index)| Some((put_in.get(at)? + 1, *index))).collect();
        ModuleText {
            prepared: Prepared::new(text, source, map, lowered),
            imports: self.imports,
            holes,
            awaits: self.awaits,
            names: self.names,
            commonjs: None,
        }
    }
}

fn transform<'s>(module: &Module, mut edits: Edits<'s>, language: Language) -> Sites<'s> {
    if module.shebang.is_some() {
        let end = edits.source().find('\n').unwrap_or(edits.source().len());
        edits.blank(0..end);
    }
    let used = (language == Language::TypeScript).then(|| used_names(module));
    let mut sites =
        Sites { edits, imports: Vec::new(), holes: Vec::new(), awaits: awaits(module), names: Names::default() };
    for item in &module.body {
        let ModuleItem::ModuleDecl(decl) = item else { continue };
        match decl {
            ModuleDecl::Import(import) if import.type_only => {}
            ModuleDecl::Import(import) => {
                let is_used = |specifier: &ImportSpecifier| {
                    used.as_ref().is_none_or(|used| used.contains(&*specifier.local().sym))
                };
                if !import.specifiers.is_empty() && !import.specifiers.iter().any(is_used) {
                    // Types only, or nobody needs it: TypeScript leaves it out, too.
                    sites.edits.blank_statement(range(import.span));
                    continue;
                }
                let index = sites.import(&import.src, import.with.as_deref());
                for specifier in &import.specifiers {
                    match specifier {
                        used if is_used(used) => sites.names.import(index, used),
                        ImportSpecifier::Named(named) if named.is_type_only => {}
                        // One that nobody uses does no harm.
                        ImportSpecifier::Namespace(_) => {}
                        unused => sites.drop_specifier(range(unused.span())),
                    }
                }
            }
            ModuleDecl::ExportNamed(export) if export.type_only => {}
            ModuleDecl::ExportNamed(export) => {
                let index = export.src.as_ref().map(|src| sites.import(src, export.with.as_deref()));
                sites.names.export(decl, index);
            }
            ModuleDecl::ExportAll(export) if export.type_only => {}
            ModuleDecl::ExportAll(export) => {
                let index = sites.import(&export.src, export.with.as_deref());
                sites.names.export(decl, Some(index));
            }
            _ => sites.names.export(decl, None),
        }
    }
    rewrite_node_env(module, &mut sites.edits);
    module.visit_with(&mut Imports { edits: &mut sites.edits });
    sites
}

impl Sites<'_> {
    /// Notes an import and returns its index.
    fn import(&mut self, src: &Str, with: Option<&ObjectLit>) -> usize {
        let literal = range(src.span);
        let site = ImportSite {
            specifier: src.value.to_string_lossy().into_owned(),
            kind: with.and_then(attribute_type),
            way: Way::Import,
            at: literal.start,
        };
        let index = self.imports.len();
        self.imports.push(site);
        // The key goes between the quotes once it is known.
        self.edits.replace(literal.clone(), "\"\"");
        self.holes.push((literal.start, index));
        if let Some(with) = with {
            self.edits.blank(literal.end..offset(with.span.hi));
        }
        index
    }

    /// An import specifier with the comma behind it.
    fn drop_specifier(&mut self, span: Range<usize>) {
        let source = self.edits.source();
        let next = crate::text::skip_trivia(source, span.end);
        let end = if source.as_bytes().get(next) == Some(&b',') { next + 1 } else { span.end };
        self.edits.blank(span.start..end);
    }
}

/// Imports within statements.
struct Imports<'a, 's> {
    edits: &'a mut Edits<'s>,
}

impl Visit for Imports<'_, '_> {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let Callee::Import(import) = &call.callee {
            self.edits.replace(range(import.span), "import.meta.$import");
        }
        call.visit_children_with(self);
    }

    fn visit_ts_type(&mut self, _: &TsType) {}
}
