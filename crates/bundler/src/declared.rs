//! What a module declares at its top level, and what is wrong with what it exports.

use std::collections::BTreeSet;

use swc_core::common::Span;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::diagnostics::{Problem, SourceError};
use crate::syntax::{bound_names, export_name, is_type_decl, range};

/// Names of a module's top level.
#[derive(Default)]
pub(crate) struct Declared {
    values: BTreeSet<String>,
    types: BTreeSet<String>,
}

impl Declared {
    pub(crate) fn of(module: &Module) -> Self {
        Self::with_conflicts(module).0
    }

    /// Nothing, unless the module exports names that might be those of types: a walk of the whole tree less for cells.
    pub(crate) fn of_exporting(module: &Module) -> Self {
        let exports_names = module.body.iter().any(|item| {
            matches!(item, ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(_) | ModuleDecl::ExportDefaultExpr(_)))
        });
        if exports_names { Self::of(module) } else { Self::default() }
    }

    /// With the imports of names that are the module's own already, or were imported before.
    fn with_conflicts(module: &Module) -> (Self, Vec<&Ident>) {
        let mut declared = Self::default();
        for item in &module.body {
            match item {
                ModuleItem::Stmt(Stmt::Decl(decl)) => declared.decl(decl),
                ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => declared.decl(&export.decl),
                ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => match &export.decl {
                    DefaultDecl::Class(ClassExpr { ident: Some(name), .. })
                    | DefaultDecl::Fn(FnExpr { ident: Some(name), .. }) => _ = declared.value(name),
                    DefaultDecl::TsInterfaceDecl(interface) => declared.type_(&interface.id),
                    _ => {}
                },
                ModuleItem::ModuleDecl(ModuleDecl::TsImportEquals(import)) if import.is_type_only => {
                    declared.type_(&import.id);
                }
                ModuleItem::ModuleDecl(ModuleDecl::TsImportEquals(import)) => _ = declared.value(&import.id),
                _ => {}
            }
        }
        module.visit_with(&mut declared);
        let mut conflicts = Vec::new();
        for item in &module.body {
            let ModuleItem::ModuleDecl(ModuleDecl::Import(import)) = item else { continue };
            for specifier in &import.specifiers {
                let is_type = matches!(specifier, ImportSpecifier::Named(named) if named.is_type_only);
                if is_type || import.type_only {
                    declared.type_(specifier.local());
                } else if !declared.value(specifier.local()) {
                    conflicts.push(specifier.local());
                }
            }
        }
        (declared, conflicts)
    }

    /// Whether a name stands for a type and nothing else.
    pub(crate) fn is_type(&self, name: &str) -> bool {
        self.types.contains(name) && !self.values.contains(name)
    }

    /// Whether an expression is the name of such a type.
    pub(crate) fn is_type_expr(&self, expression: &Expr) -> bool {
        matches!(expression, Expr::Ident(name) if self.is_type(&name.sym))
    }

    /// `false` if it was there before.
    fn value(&mut self, name: &Ident) -> bool {
        self.values.insert(name.sym.to_string())
    }

    fn type_(&mut self, name: &Ident) {
        self.types.insert(name.sym.to_string());
    }

    fn decl(&mut self, decl: &Decl) {
        let is_type = is_type_decl(decl);
        let mut add = |name: &Ident| if is_type { self.type_(name) } else { _ = self.value(name) };
        match decl {
            Decl::Class(class) => add(&class.ident),
            Decl::Fn(function) => add(&function.ident),
            Decl::Var(var) => var.decls.iter().flat_map(|one| bound_names(&one.name)).for_each(add),
            Decl::Using(using) => using.decls.iter().flat_map(|one| bound_names(&one.name)).for_each(add),
            Decl::TsInterface(interface) => add(&interface.id),
            Decl::TsTypeAlias(alias) => add(&alias.id),
            Decl::TsEnum(decl) => add(&decl.id),
            Decl::TsModule(module) => {
                if let TsModuleName::Ident(name) = &module.id {
                    add(name);
                }
            }
        }
    }
}

/// `var` belongs to the module wherever it stands, except in functions.
impl Visit for Declared {
    fn visit_var_decl(&mut self, var: &VarDecl) {
        if var.kind == VarDeclKind::Var && !var.declare {
            var.decls.iter().flat_map(|one| bound_names(&one.name)).for_each(|name| _ = self.value(name));
        }
    }
    fn visit_function(&mut self, _: &Function) {}
    fn visit_arrow_expr(&mut self, _: &ArrowExpr) {}
    fn visit_class(&mut self, _: &Class) {}
    fn visit_ts_module_decl(&mut self, _: &TsModuleDecl) {}
}

/// Finds what is imported and declared as well, exported twice, or not there to be exported: https://tc39.es/ecma262/#sec-module-semantics-static-semantics-early-errors.
pub(crate) fn check_exports(module: &Module) -> Result<(), SourceError> {
    let (declared, conflicts) = Declared::with_conflicts(module);
    let conflict = |name: &Ident| Problem::at(range(name.span), format!("'{}' is imported and declared", name.sym));
    let mut exports = Exports { seen: BTreeSet::new(), problems: conflicts.into_iter().map(conflict).collect() };
    for item in &module.body {
        let ModuleItem::ModuleDecl(decl) = item else { continue };
        match decl {
            ModuleDecl::ExportDecl(export) if !is_type_decl(&export.decl) => match &export.decl {
                Decl::Class(class) => exports.add(&class.ident.sym, class.ident.span),
                Decl::Fn(function) => exports.add(&function.ident.sym, function.ident.span),
                Decl::Var(var) => {
                    let names = var.decls.iter().flat_map(|one| bound_names(&one.name));
                    names.for_each(|name| exports.add(&name.sym, name.span));
                }
                // Several of one name are one.
                _ => {}
            },
            ModuleDecl::ExportDefaultExpr(export) if !declared.is_type_expr(&export.expr) => {
                exports.add("default", export.span);
            }
            ModuleDecl::ExportDefaultDecl(export) => match &export.decl {
                DefaultDecl::TsInterfaceDecl(_) => {}
                DefaultDecl::Fn(function) if function.function.body.is_none() => {}
                _ => exports.add("default", export.span),
            },
            ModuleDecl::ExportNamed(export) if !export.type_only => {
                for specifier in &export.specifiers {
                    match specifier {
                        ExportSpecifier::Named(named) if named.is_type_only => {}
                        ExportSpecifier::Named(named) => {
                            let local = export_name(&named.orig);
                            if export.src.is_none() && declared.is_type(&local) {
                                continue;
                            }
                            if export.src.is_none() && !declared.values.contains(&local) {
                                let message = format!("'{local}' is exported and not declared");
                                exports.problems.push(Problem::at(range(named.span), message));
                            }
                            exports.add(&export_name(named.exported.as_ref().unwrap_or(&named.orig)), named.span);
                        }
                        ExportSpecifier::Namespace(star) => exports.add(&export_name(&star.name), star.span),
                        ExportSpecifier::Default(_) => {}
                    }
                }
            }
            _ => {}
        }
    }
    if exports.problems.is_empty() { Ok(()) } else { Err(SourceError { problems: exports.problems }) }
}

struct Exports {
    seen: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Exports {
    fn add(&mut self, name: &str, span: Span) {
        if !self.seen.insert(name.to_owned()) {
            self.problems.push(Problem::at(range(span), format!("'{name}' is exported twice")));
        }
    }
}
