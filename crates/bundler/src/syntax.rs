//! What is asked of syntax trees, whoever asks.

use std::collections::BTreeSet;
use std::ops::Range;

use swc_core::common::{BytePos, Span};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

/// The first offset of a source; swc keeps 0 for "nowhere".
pub(crate) const BASE: u32 = 1;

/// The bytes of the source that a span covers.
pub(crate) fn range(span: Span) -> Range<usize> {
    offset(span.lo)..offset(span.hi)
}

pub(crate) fn offset(position: BytePos) -> usize {
    position.0.saturating_sub(BASE) as usize
}

/// The `type` of import attributes.
pub(crate) fn attribute_type(with: &ObjectLit) -> Option<String> {
    with.props.iter().find_map(|property| {
        let PropOrSpread::Prop(property) = property else { return None };
        let Prop::KeyValue(pair) = &**property else { return None };
        let key = match &pair.key {
            PropName::Ident(name) => name.sym.to_string(),
            PropName::Str(text) => text.value.to_string_lossy().into_owned(),
            _ => return None,
        };
        match (&*key, &*pair.value) {
            ("type", Expr::Lit(Lit::Str(text))) => Some(text.value.to_string_lossy().into_owned()),
            _ => None,
        }
    })
}

/// The names a pattern binds, in order.
pub(crate) fn bound_names(pattern: &Pat) -> Vec<&Ident> {
    fn collect<'a>(pattern: &'a Pat, names: &mut Vec<&'a Ident>) {
        match pattern {
            Pat::Ident(ident) => names.push(&ident.id),
            Pat::Array(array) => array.elems.iter().flatten().for_each(|element| collect(element, names)),
            Pat::Rest(rest) => collect(&rest.arg, names),
            Pat::Assign(assign) => collect(&assign.left, names),
            Pat::Object(object) => {
                for property in &object.props {
                    match property {
                        ObjectPatProp::KeyValue(pair) => collect(&pair.value, names),
                        ObjectPatProp::Assign(assign) => names.push(&assign.key.id),
                        ObjectPatProp::Rest(rest) => collect(&rest.arg, names),
                    }
                }
            }
            Pat::Invalid(_) | Pat::Expr(_) => {}
        }
    }
    let mut names = Vec::new();
    collect(pattern, &mut names);
    names
}

/// Whether a declaration declares nothing that exists when the program runs.
pub(crate) fn is_type_decl(decl: &Decl) -> bool {
    match decl {
        Decl::TsInterface(_) | Decl::TsTypeAlias(_) => true,
        Decl::Var(var) => var.declare,
        Decl::Fn(function) => function.declare || function.function.body.is_none(),
        Decl::Class(class) => class.declare,
        Decl::TsEnum(decl) => decl.declare,
        Decl::TsModule(module) => module.declare || module.global || is_type_only(module.body.as_ref()),
        Decl::Using(_) => false,
    }
}

/// Whether a namespace holds nothing that runs.
fn is_type_only(body: Option<&TsNamespaceBody>) -> bool {
    let Some(body) = body else { return true };
    match body {
        TsNamespaceBody::TsNamespaceDecl(inner) => is_type_only(Some(&inner.body)),
        TsNamespaceBody::TsModuleBlock(block) => block.body.iter().all(|item| match item {
            ModuleItem::Stmt(Stmt::Decl(decl)) => is_type_decl(decl),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => is_type_decl(&export.decl),
            ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) => export.type_only,
            _ => false,
        }),
    }
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

/// Names that a module uses as values.
pub(crate) fn used_names(module: &Module) -> BTreeSet<String> {
    struct Used(BTreeSet<String>);
    impl Visit for Used {
        fn visit_ident(&mut self, ident: &Ident) {
            if !self.0.contains(&*ident.sym) {
                self.0.insert(ident.sym.to_string());
            }
        }
        fn visit_import_decl(&mut self, _: &ImportDecl) {}
        fn visit_export_all(&mut self, _: &ExportAll) {}
        fn visit_named_export(&mut self, export: &NamedExport) {
            if export.src.is_none() && !export.type_only {
                export.visit_children_with(self);
            }
        }
        fn visit_export_named_specifier(&mut self, specifier: &ExportNamedSpecifier) {
            if !specifier.is_type_only {
                specifier.visit_children_with(self);
            }
        }
        fn visit_ts_type(&mut self, _: &TsType) {}
        fn visit_ts_type_ann(&mut self, _: &TsTypeAnn) {}
        fn visit_ts_type_param_decl(&mut self, _: &TsTypeParamDecl) {}
        fn visit_ts_type_param_instantiation(&mut self, _: &TsTypeParamInstantiation) {}
        fn visit_ts_expr_with_type_args(&mut self, _: &TsExprWithTypeArgs) {}
        fn visit_ts_interface_decl(&mut self, _: &TsInterfaceDecl) {}
        fn visit_ts_type_alias_decl(&mut self, _: &TsTypeAliasDecl) {}
    }
    let mut used = Used(BTreeSet::new());
    module.visit_with(&mut used);
    used.0
}

pub(crate) struct Awaits(bool);

impl Visit for Awaits {
    fn visit_await_expr(&mut self, _: &AwaitExpr) {
        self.0 = true;
    }
    fn visit_for_of_stmt(&mut self, statement: &ForOfStmt) {
        self.0 |= statement.is_await;
        statement.visit_children_with(self);
    }
    fn visit_using_decl(&mut self, using: &UsingDecl) {
        self.0 |= using.is_await;
        using.visit_children_with(self);
    }
    fn visit_function(&mut self, _: &Function) {}
    fn visit_arrow_expr(&mut self, _: &ArrowExpr) {}
    fn visit_class_member(&mut self, member: &ClassMember) {
        // Keys are evaluated outside.
        match member {
            ClassMember::Method(method) => method.key.visit_with(self),
            ClassMember::ClassProp(property) => property.key.visit_with(self),
            _ => {}
        }
    }
}

/// Whether something awaits, other than in functions.
pub(crate) fn awaits(node: &impl VisitWith<Awaits>) -> bool {
    let mut awaits = Awaits(false);
    node.visit_with(&mut awaits);
    awaits.0
}
