//! What TypeScript adds to the language and types alone do not settle, written out in JavaScript by swc's own passes: enums, namespaces,
//! parameter properties, decorators, accessors. Costs a second parse, so only sources that need it come here.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use swc_core::common::sync::Lrc;
use swc_core::common::{BytePos, GLOBALS, Globals, LineCol, Mark, SourceMap};
use swc_core::ecma::ast::*;
use swc_core::ecma::codegen::text_writer::JsWriter;
use swc_core::ecma::codegen::{Config as CodegenConfig, Emitter};
use swc_core::ecma::transforms::base::fixer::fixer;
use swc_core::ecma::transforms::base::helpers::{HELPERS, Helpers, inject_helpers};
use swc_core::ecma::transforms::base::hygiene::hygiene;
use swc_core::ecma::transforms::base::resolver;
use swc_core::ecma::transforms::proposal::decorator_2023_11::decorator_2023_11;
use swc_core::ecma::transforms::typescript::{Config, typescript};
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::diagnostics::{Problem, SourceError};
use crate::syntax::offset;

/// A source in JavaScript, with where its pieces come from.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Lowered {
    pub(crate) text: String,
    /// Offsets in `text` and in the author's source; ascending in `text`.
    places: Vec<(u32, u32)>,
}

impl Lowered {
    /// Bytes that it takes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + 8 * self.places.len()
    }

    /// The offset in the author's source that an offset in the text comes from.
    pub(crate) fn original(&self, at: usize) -> usize {
        let index = self.places.partition_point(|(place, _)| *place as usize <= at);
        index.checked_sub(1).map_or(0, |index| self.places[index].1 as usize)
    }
}

/// Lowers a module. The module is used up.
pub(crate) fn lower(module: Module, source_length: usize) -> Result<Lowered, SourceError> {
    let map: Lrc<SourceMap> = Lrc::default();
    let mut places: Vec<(BytePos, LineCol)> = Vec::new();
    let mut bytes = Vec::new();
    // A panic in a pass is a source that cannot be used, not more.
    let emitted = catch_unwind(AssertUnwindSafe(|| {
        GLOBALS.set(&Globals::default(), || {
            let (unresolved, top_level) = (Mark::new(), Mark::new());
            let mut program = Program::Module(module);
            HELPERS.set(&Helpers::new(false), || {
                program.mutate(resolver(unresolved, top_level, true));
                program.mutate(decorator_2023_11());
                let config = Config {
                    verbatim_module_syntax: true,
                    native_class_properties: true,
                    no_empty_export: true,
                    // Members may be read by a later cell, and be assigned to.
                    ts_enum_is_mutable: true,
                    ..Config::default()
                };
                program.mutate(typescript(config, unresolved, top_level));
                program.mutate(inject_helpers(unresolved));
            });
            program.mutate(hygiene());
            program.mutate(fixer(None));
            let writer = JsWriter::new(map.clone(), "\n", &mut bytes, Some(&mut places));
            let mut emitter = Emitter { cfg: CodegenConfig::default(), cm: map.clone(), comments: None, wr: writer };
            emitter.emit_program(&program)
        })
    }));
    let text = String::from_utf8(bytes);
    let (Ok(Ok(())), Ok(text)) = (emitted, text) else {
        return Err(Problem::at(0..0, "the source cannot be written out in JavaScript").into());
    };
    let places = offsets(&text, &places, source_length as u32);
    Ok(Lowered { text, places })
}

/// Turns lines and UTF-16 columns into offsets.
fn offsets(text: &str, places: &[(BytePos, LineCol)], source_length: u32) -> Vec<(u32, u32)> {
    let mut result: Vec<(u32, u32)> = Vec::with_capacity(places.len());
    let mut lines = text.split_inclusive('\n').scan(0, |start, line| {
        let at = *start;
        *start += line.len();
        Some((at, line))
    });
    let (mut number, mut line) = (0, lines.next());
    for (original, place) in places {
        while number < place.line {
            number += 1;
            line = lines.next();
        }
        let Some((start, content)) = line else { break };
        // Below it is nowhere, above it are marks of swc's own.
        if original.0 == 0 || original.0 > source_length + 1 {
            continue;
        }
        let column = if content.is_ascii() { place.col as usize } else { utf8_column(content, place.col as usize) };
        result.push(((start + column) as u32, offset(*original) as u32));
    }
    result
}

fn utf8_column(line: &str, units: usize) -> usize {
    let mut seen = 0;
    line.char_indices()
        .find(|(_, c)| {
            let here = seen >= units;
            seen += c.len_utf16();
            here
        })
        .map_or(line.len(), |(at, _)| at)
}

/// The names that a source declares for its top level, `var`s within blocks included.
pub(crate) fn top_level_names(module: &Module) -> BTreeSet<String> {
    let mut names = Names::default();
    for item in &module.body {
        let decl = match item {
            ModuleItem::ModuleDecl(ModuleDecl::TsImportEquals(import)) => {
                names.add(&import.id);
                continue;
            }
            ModuleItem::Stmt(Stmt::Decl(decl)) => decl,
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => &export.decl,
            other => {
                other.visit_with(&mut names);
                continue;
            }
        };
        match decl {
            Decl::Class(class) => names.add(&class.ident),
            Decl::Fn(function) => names.add(&function.ident),
            Decl::Var(var) => var.decls.iter().for_each(|declarator| names.pattern(&declarator.name)),
            Decl::Using(using) => using.decls.iter().for_each(|declarator| names.pattern(&declarator.name)),
            Decl::TsEnum(decl) => names.add(&decl.id),
            Decl::TsModule(module) => {
                if let TsModuleName::Ident(name) = &module.id {
                    names.add(name);
                }
            }
            Decl::TsInterface(_) | Decl::TsTypeAlias(_) => {}
        }
    }
    names.0
}

/// The names of enums and namespaces, which go on with what an earlier cell began.
pub(crate) fn merging_names(module: &Module) -> Vec<String> {
    let mut names = Vec::new();
    for item in &module.body {
        let name = match item {
            ModuleItem::Stmt(Stmt::Decl(Decl::TsEnum(decl))) => decl.id.sym.to_string(),
            ModuleItem::Stmt(Stmt::Decl(Decl::TsModule(module))) => match &module.id {
                TsModuleName::Ident(name) => name.sym.to_string(),
                TsModuleName::Str(_) => continue,
            },
            _ => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn add(&mut self, name: &Ident) {
        self.0.insert(name.sym.to_string());
    }

    fn pattern(&mut self, pattern: &Pat) {
        for name in crate::syntax::bound_names(pattern) {
            self.add(name);
        }
    }
}

impl Visit for Names {
    fn visit_var_decl(&mut self, var: &VarDecl) {
        if var.kind == VarDeclKind::Var {
            var.decls.iter().for_each(|declarator| self.pattern(&declarator.name));
        }
    }

    fn visit_import_specifier(&mut self, specifier: &ImportSpecifier) {
        self.add(specifier.local());
    }

    fn visit_function(&mut self, _: &Function) {}
    fn visit_arrow_expr(&mut self, _: &ArrowExpr) {}
    fn visit_class(&mut self, _: &Class) {}
}
