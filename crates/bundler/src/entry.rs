//! Entries: a module that is run again and again.
//!
//! QuickJS keeps a module for ever, so an entry is evaluated like a cell, as the body of an async function. What it imports are namespaces,
//! and every use of an import reads its property, so that imports are as live as they are in a module:
//!
//! ```text
//! import d, {a as b} from "x"      const $cell_0 = await $cell.namespace("x", undefined);
//! b(d)                             (0,$cell_0.a)($cell_0.default)
//! export default e                 const $cell_d = {default: e}
//! ```

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use swc_core::common::{GLOBALS, Globals, Mark, Spanned, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::transforms::base::resolver;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::declared::{Declared, check_exports};
use crate::diagnostics::SourceError;
use crate::edits::{Edits, PositionMap};
use crate::lower::lower;
use crate::node_env::rewrite_node_env;
use crate::parse::{Goal, Language, parse};
use crate::prepare::{Prepared, at_origin, erased, parse_lowered};
use crate::survey::{Import, imports};
use crate::syntax::{attribute_type, export_name, imported_name, is_type_decl, range, used_names};
use crate::text::{fresh_name, json};

/// An entry made ready: the body of an async function that gets a helper and arguments.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The body.
    pub prepared: Prepared,
    /// The name under which the body expects the helper.
    pub helper: String,
    /// The name under which the body expects the arguments of the run.
    pub args: String,
    /// What it imports before it begins.
    pub imports: Vec<Import>,
}

/// Makes an entry ready.
pub(crate) fn entry_of(source: &str, language: Language) -> Result<Entry, SourceError> {
    let Program::Module(module) = parse(source, language, Goal::Module)? else {
        unreachable!("only CommonJS is parsed as a script")
    };
    check_exports(&module)?;
    let imports = imports(&module, language == Language::TypeScript);
    let entry = move |prepared, helper: String| {
        let args = format!("{helper}_args");
        Entry { prepared, args, helper, imports }
    };
    let (edits, found) = erased(source, &module)?;
    if !found.needs_lowering {
        drop(edits);
        let (text, map, helper) = transform(module, source, language)?;
        return Ok(entry(Prepared::new(text, source, map, None), helper));
    }
    let lowered = lower(module, source.len())?;
    let module = parse_lowered(&lowered, Goal::Module)?;
    let (text, map, helper) = transform(module, &lowered.text, language).map_err(|error| at_origin(error, &lowered))?;
    Ok(entry(Prepared::new(text, source, map, Some(lowered)), helper))
}

/// Text, the way back, and the name of the helper.
fn transform(module: Module, source: &str, language: Language) -> Result<(String, PositionMap, String), SourceError> {
    // Which names are whose; spans stay what they are.
    let module = GLOBALS.set(&Globals::default(), || {
        let mut program = Program::Module(module);
        program.mutate(resolver(Mark::new(), Mark::new(), true));
        program.expect_module()
    });
    let (erased, _) = erased(source, &module)?;
    let mut edits = Edits::new(source);
    if module.shebang.is_some() {
        edits.blank(0..source.find('\n').unwrap_or(source.len()));
    }
    rewrite_node_env(&module, &mut edits);
    let mut entry = Names {
        edits: &mut edits,
        helper: fresh_name(source),
        imports: Vec::new(),
        bound: HashMap::new(),
        default: None,
        used: used_names(&module),
        declared: Declared::of(&module),
        language,
    };
    for item in &module.body {
        if let ModuleItem::ModuleDecl(ModuleDecl::Import(import)) = item {
            entry.import(import);
        }
    }
    for item in &module.body {
        if let ModuleItem::ModuleDecl(decl) = item {
            entry.export(decl);
        }
    }
    module.visit_with(&mut entry);
    let (helper, default) = (entry.helper.clone(), entry.default.take().unwrap_or_else(|| "undefined".to_owned()));
    let imports = std::mem::take(&mut entry.imports);
    for (index, (at, specifier, kind)) in imports.iter().enumerate() {
        let kind = kind.as_deref().map_or("undefined".to_owned(), json);
        let text = format!("const {helper}_{index} = await {helper}.namespace({}, {kind});", json(specifier));
        edits.between(0, *at, text);
    }
    edits.append(erased);
    edits.between(source.len(), source.len(), format!("\nreturn {helper}.result({default}, {helper}_args);"));
    let (text, map) = edits.finish();
    Ok((text, map, helper))
}

struct Names<'a, 's> {
    edits: &'a mut Edits<'s>,
    helper: String,
    /// Where each stands, its specifier and its type.
    imports: Vec<(usize, String, Option<String>)>,
    /// Imported names with what reads them.
    bound: HashMap<(String, SyntaxContext), String>,
    /// What reads the default export.
    default: Option<String>,
    used: BTreeSet<String>,
    declared: Declared,
    language: Language,
}

/// Reads a property by its name.
fn property(object: &str, name: &str) -> String {
    format!("{object}[{}]", json(name))
}

impl Names<'_, '_> {
    /// Notes an import and returns the name of its namespace.
    fn namespace(&mut self, at: usize, src: &Str, with: Option<&ObjectLit>) -> String {
        let request = (src.value.to_string_lossy().into_owned(), with.and_then(attribute_type));
        let known = self.imports.iter().position(|(_, specifier, kind)| *specifier == request.0 && *kind == request.1);
        let index = known.unwrap_or_else(|| {
            self.imports.push((at, request.0, request.1));
            self.imports.len() - 1
        });
        format!("{}_{index}", self.helper)
    }

    fn import(&mut self, import: &ImportDecl) {
        let span = range(import.span);
        let is_used = |specifier: &ImportSpecifier| self.used.contains(&*specifier.local().sym);
        if import.type_only {
            return;
        }
        if self.language == Language::TypeScript
            && !import.specifiers.is_empty()
            && !import.specifiers.iter().any(is_used)
        {
            self.edits.blank_statement(span);
            return;
        }
        let namespace = self.namespace(span.start, &import.src, import.with.as_deref());
        self.edits.blank_statement(span);
        for specifier in &import.specifiers {
            if matches!(specifier, ImportSpecifier::Named(named) if named.is_type_only) {
                continue;
            }
            let read = imported_name(specifier).map_or_else(|| namespace.clone(), |name| property(&namespace, &name));
            let local = specifier.local();
            self.bound.insert((local.sym.to_string(), local.ctxt), read);
        }
    }

    fn export(&mut self, decl: &ModuleDecl) {
        let span = range(decl.span());
        match decl {
            ModuleDecl::ExportDecl(export) if is_type_decl(&export.decl) => {}
            ModuleDecl::ExportDefaultExpr(export) if self.declared.is_type_expr(&export.expr) => {}
            ModuleDecl::ExportDecl(export) => self.edits.blank(span.start..range(export.decl.span()).start),
            ModuleDecl::ExportDefaultExpr(export) => {
                let value = range(export.expr.span()).start;
                self.default_is(span.start, value, range(export.expr.span()).end);
            }
            ModuleDecl::ExportDefaultDecl(export) => {
                if matches!(&export.decl, DefaultDecl::Fn(function) if function.function.body.is_none()) {
                    return;
                }
                let (ident, start) = match &export.decl {
                    DefaultDecl::Fn(function) => (&function.ident, range(function.function.span).start),
                    DefaultDecl::Class(class) => (&class.ident, range(class.class.span).start),
                    DefaultDecl::TsInterfaceDecl(_) => return,
                };
                match ident {
                    Some(ident) => {
                        self.edits.blank(span.start..start);
                        self.default = Some(ident.sym.to_string());
                    }
                    None => {
                        self.default_is(span.start, start, span.end);
                        self.edits.close(span.end, ";");
                    }
                }
            }
            ModuleDecl::ExportNamed(export) if !export.type_only => {
                let namespace = export.src.as_ref().map(|src| self.namespace(span.start, src, export.with.as_deref()));
                for specifier in &export.specifiers {
                    let ExportSpecifier::Named(named) = specifier else { continue };
                    let exported = export_name(named.exported.as_ref().unwrap_or(&named.orig));
                    let is_type = |orig: &ModuleExportName| {
                        named.is_type_only || (namespace.is_none() && self.declared.is_type(&export_name(orig)))
                    };
                    if exported != "default" || is_type(&named.orig) {
                        continue;
                    }
                    self.default = Some(match (&namespace, &named.orig) {
                        (Some(namespace), orig) => property(namespace, &export_name(orig)),
                        (None, ModuleExportName::Ident(local)) => {
                            let known = self.bound.get(&(local.sym.to_string(), local.ctxt)).cloned();
                            known.unwrap_or_else(|| local.sym.to_string())
                        }
                        (None, ModuleExportName::Str(_)) => continue,
                    });
                }
                self.edits.blank_statement(span);
            }
            ModuleDecl::ExportAll(export) if !export.type_only => {
                self.namespace(span.start, &export.src, export.with.as_deref());
                self.edits.blank_statement(span);
            }
            _ => {}
        }
    }

    /// The default export is the expression between two offsets. A property of this name, so that functions get it.
    fn default_is(&mut self, export: usize, start: usize, end: usize) {
        let name = format!("{}_d", self.helper);
        self.edits.replace(export..export + "export".len(), format!("const {name} = {{default:"));
        self.edits.blank(export + "export".len()..start);
        self.edits.close(end, "}");
        self.default = Some(format!("{name}.default"));
    }

    fn read(&self, ident: &Ident) -> Option<&String> {
        self.bound.get(&(ident.sym.to_string(), ident.ctxt))
    }

    /// Replaces a callee, so that it is called without a `this`.
    fn callee(&mut self, callee: &Expr) -> bool {
        let Expr::Ident(ident) = callee else { return false };
        let Some(read) = self.read(ident) else { return false };
        let text = format!("(0,{read})");
        self.edits.replace(range(ident.span), text);
        true
    }
}

impl Visit for Names<'_, '_> {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        match &call.callee {
            Callee::Import(import) => self.edits.replace(range(import.span), format!("{}.load", self.helper)),
            Callee::Expr(callee) if self.callee(callee) => {}
            callee => callee.visit_with(self),
        }
        call.args.visit_with(self);
    }

    fn visit_opt_call(&mut self, call: &OptCall) {
        if !self.callee(&call.callee) {
            call.callee.visit_with(self);
        }
        call.args.visit_with(self);
    }

    fn visit_tagged_tpl(&mut self, template: &TaggedTpl) {
        if !self.callee(&template.tag) {
            template.tag.visit_with(self);
        }
        template.tpl.visit_with(self);
    }

    fn visit_expr(&mut self, expression: &Expr) {
        if let Expr::Ident(ident) = expression {
            if let Some(read) = self.read(ident) {
                let read = read.clone();
                self.edits.replace(range(ident.span), read);
            }
        } else {
            expression.visit_children_with(self);
        }
    }

    fn visit_prop(&mut self, property: &Prop) {
        match property {
            Prop::Shorthand(ident) => {
                if let Some(read) = self.read(ident) {
                    let text = format!("{}: {read}", ident.sym);
                    self.edits.replace(range(ident.span), text);
                }
            }
            property => property.visit_children_with(self),
        }
    }

    fn visit_meta_prop_expr(&mut self, meta: &MetaPropExpr) {
        if meta.kind == MetaPropKind::ImportMeta {
            self.edits.replace(range(meta.span), format!("{}.meta", self.helper));
        }
    }

    fn visit_import_decl(&mut self, _: &ImportDecl) {}
    fn visit_named_export(&mut self, _: &NamedExport) {}
    fn visit_ts_type(&mut self, _: &TsType) {}
    fn visit_ts_type_ann(&mut self, _: &TsTypeAnn) {}
}
