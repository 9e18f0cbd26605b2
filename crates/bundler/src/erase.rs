//! Types vanish: what TypeScript adds and JavaScript does not know becomes spaces, so that everything else stays where it is.

mod class;
mod enumeration;

use std::collections::HashMap;

use swc_core::common::{BytePos, Span, Spanned};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::declared::Declared;
use crate::diagnostics::Problem;
use crate::edits::Edits;
use crate::syntax::{export_name, is_type_decl, offset, range};
use crate::text::{is_line_break, skip_trivia};

/// Erases types. What has to be more than erased is not touched but noted in `lower`.
pub(crate) fn erase(module: &Module, edits: &mut Edits<'_>) -> Found {
    let declared = Declared::of_exporting(module);
    let mut eraser = Eraser { edits, found: Found::default(), folded: HashMap::new(), declared };
    module.visit_with(&mut eraser);
    eraser.found
}

/// What a source contains that erasing does not settle.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Enums, namespaces, parameter properties, decorators, accessors.
    pub(crate) needs_lowering: bool,
    /// What the parser let pass and should not have.
    pub(crate) problems: Vec<Problem>,
}

struct Eraser<'a, 's> {
    edits: &'a mut Edits<'s>,
    found: Found,
    /// How long the values of enum members can become, by their names.
    folded: HashMap<String, usize>,
    declared: Declared,
}

impl Eraser<'_, '_> {
    fn blank(&mut self, span: Span) {
        self.edits.blank(range(span));
    }

    fn blank_between(&mut self, from: BytePos, to: BytePos) {
        if from < to {
            self.edits.blank(offset(from)..offset(to));
        }
    }

    fn blank_statement(&mut self, span: Span) {
        self.edits.blank_statement(range(span));
    }

    fn source(&self) -> &str {
        self.edits.source()
    }

    /// The first offset from `at` on that is neither white space nor comment.
    fn skip(&self, at: usize) -> usize {
        skip_trivia(self.source(), at)
    }

    /// The first such byte between two offsets that is in no comment.
    fn find_byte(&self, from: usize, to: usize, byte: u8) -> Option<usize> {
        let mut at = self.skip(from);
        while at < to {
            if self.byte(at) == Some(byte) {
                return Some(at);
            }
            at = self.skip(at + self.source()[at..].chars().next().map_or(1, char::len_utf8));
        }
        None
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.source().as_bytes().get(at).copied()
    }

    /// After something was erased at the end of an expression: a line that follows and begins like a continuation must not become one.
    fn keep_apart(&mut self, end: usize) {
        let next = self.skip(end);
        let breaks = self.source()[end..next].contains(is_line_break);
        if breaks && matches!(self.byte(next), Some(b'(' | b'[' | b'`')) {
            self.edits.between(end, end, ";");
        }
    }

    fn commonjs_only(&mut self, span: Span) {
        let problem = Problem::at(range(span), "`import … = require(…)` and `export =` are for CommonJS only")
            .with_help("write `import … from` and `export default`");
        self.found.problems.push(problem);
    }

    /// Marks and annotations between the end of a name and the end of its annotation.
    fn binding(&mut self, name: &Ident, type_ann: Option<&TsTypeAnn>) {
        let end = name_end(self.source(), name);
        let to = type_ann.map_or(offset(name.span.hi), |ann| offset(ann.span.hi));
        if end < to {
            self.edits.blank(end..to);
        } else if name.optional {
            self.blank_mark(end);
        }
    }

    /// The `?` of an optional parameter, somewhere behind its name.
    fn blank_mark(&mut self, from: usize) {
        let mark = self.skip(from);
        if self.byte(mark) == Some(b'?') {
            self.edits.blank(mark..mark + 1);
        }
    }

    /// What follows the closing bracket of a pattern.
    fn pattern(&mut self, span: Span, optional: bool, type_ann: Option<&TsTypeAnn>) {
        let Some(ann) = type_ann else {
            if optional {
                self.blank_mark(offset(span.hi));
            }
            return;
        };
        self.blank(ann.span);
        let before = self.source()[..offset(ann.span.lo)].trim_end();
        if optional && before.ends_with('?') {
            self.edits.blank(before.len() - 1..before.len());
        }
    }

    fn function(&mut self, function: &Function) {
        if let Some(this) = &function.this_param {
            let start = offset(this.span().lo);
            let end = self.skip(offset(this.span().hi));
            self.edits.blank(start..if self.byte(end) == Some(b',') { end + 1 } else { end });
        }
        if let Some(types) = &function.type_params {
            self.blank(types.span);
        }
        if let Some(result) = &function.return_type {
            self.blank(result.span);
        }
        if !function.decorators.is_empty() {
            self.found.needs_lowering = true;
        }
        function.params.visit_with(self);
        function.body.visit_with(self);
    }
}

/// The end of an identifier's name; spans of some identifiers go on to the end of their annotation.
fn name_end(source: &str, name: &Ident) -> usize {
    let start = offset(name.span.lo);
    let rest = &source[start..offset(name.span.hi).min(source.len())];
    // Escapes in names are longer than the name.
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, ':' | '?' | '!' | '/' | ',' | ')' | '='))
        .unwrap_or(rest.len());
    start + end
}

/// Parts of a namespace's name: each is a level of indentation in what swc writes.
const MAX_NAMESPACE: usize = 50;

/// What a chain of casts is around.
fn cast_operand(expression: &Expr) -> Option<&Expr> {
    let inner = match expression {
        Expr::TsAs(cast) => &cast.expr,
        Expr::TsSatisfies(cast) => &cast.expr,
        Expr::TsConstAssertion(cast) if cast.expr.span().lo == cast.span.lo => &cast.expr,
        _ => return None,
    };
    Some(cast_operand(inner).unwrap_or(inner))
}

impl Visit for Eraser<'_, '_> {
    fn visit_decl(&mut self, decl: &Decl) {
        if let Decl::TsModule(module) = decl {
            if let (TsModuleName::Str(_), false) = (&module.id, module.declare) {
                let message = "a module with a name in quotes is a declaration: put `declare` before it";
                return self.found.problems.push(Problem::at(range(module.span), message));
            }
            let mut body = module.body.as_ref();
            let mut parts = 0;
            while let Some(TsNamespaceBody::TsNamespaceDecl(inner)) = body {
                body = Some(&inner.body);
                parts += 1;
            }
            if parts > MAX_NAMESPACE {
                let message = format!("the name of a namespace has more than {MAX_NAMESPACE} parts");
                return self.found.problems.push(Problem::at(range(module.span), message));
            }
        }
        if is_type_decl(decl) {
            self.blank_statement(decl.span());
            return;
        }
        match decl {
            Decl::TsEnum(decl) => {
                self.found.needs_lowering = true;
                self.enumeration(decl);
            }
            Decl::TsModule(module) => {
                self.found.needs_lowering = true;
                module.visit_children_with(self);
            }
            _ => decl.visit_children_with(self),
        }
    }

    fn visit_export_decl(&mut self, export: &ExportDecl) {
        if is_type_decl(&export.decl) {
            self.blank_statement(export.span);
        } else {
            export.decl.visit_with(self);
        }
    }

    fn visit_export_default_decl(&mut self, export: &ExportDefaultDecl) {
        match &export.decl {
            DefaultDecl::TsInterfaceDecl(_) => self.blank_statement(export.span),
            DefaultDecl::Fn(function) if function.function.body.is_none() => self.blank_statement(export.span),
            DefaultDecl::Class(class) => class.visit_with(self),
            DefaultDecl::Fn(function) => function.visit_with(self),
        }
    }

    fn visit_export_default_expr(&mut self, export: &ExportDefaultExpr) {
        if self.declared.is_type_expr(&export.expr) {
            self.blank_statement(export.span);
        } else {
            export.expr.visit_with(self);
        }
    }

    fn visit_named_export(&mut self, export: &NamedExport) {
        if export.type_only {
            return self.blank_statement(export.span);
        }
        for specifier in &export.specifiers {
            if let ExportSpecifier::Named(named) = specifier
                && (named.is_type_only || export.src.is_none() && self.declared.is_type(&export_name(&named.orig)))
            {
                self.blank_specifier(named.span);
            }
        }
    }

    fn visit_export_all(&mut self, export: &ExportAll) {
        if export.type_only {
            self.blank_statement(export.span);
        }
    }

    fn visit_import_decl(&mut self, import: &ImportDecl) {
        if import.type_only {
            return self.blank_statement(import.span);
        }
        for specifier in &import.specifiers {
            if let ImportSpecifier::Named(named) = specifier
                && named.is_type_only
            {
                self.blank_specifier(named.span);
            }
        }
    }

    fn visit_ts_import_equals_decl(&mut self, decl: &TsImportEqualsDecl) {
        if let (TsModuleRef::TsEntityName(_), false) = (&decl.module_ref, decl.is_type_only) {
            self.found.needs_lowering = true;
        } else if decl.is_type_only {
            self.blank_statement(decl.span);
        } else {
            self.commonjs_only(decl.span);
        }
    }

    fn visit_ts_export_assignment(&mut self, export: &TsExportAssignment) {
        self.commonjs_only(export.span);
    }

    fn visit_ts_namespace_export_decl(&mut self, export: &TsNamespaceExportDecl) {
        self.blank_statement(export.span);
    }

    fn visit_binding_ident(&mut self, ident: &BindingIdent) {
        self.binding(&ident.id, ident.type_ann.as_deref());
    }

    fn visit_array_pat(&mut self, pattern: &ArrayPat) {
        self.pattern(pattern.span, pattern.optional, pattern.type_ann.as_deref());
        pattern.elems.visit_with(self);
    }

    fn visit_object_pat(&mut self, pattern: &ObjectPat) {
        self.pattern(pattern.span, pattern.optional, pattern.type_ann.as_deref());
        pattern.props.visit_with(self);
    }

    fn visit_rest_pat(&mut self, pattern: &RestPat) {
        if let Some(ann) = &pattern.type_ann {
            self.blank(ann.span);
        }
        pattern.arg.visit_with(self);
    }

    fn visit_function(&mut self, function: &Function) {
        self.function(function);
    }

    fn visit_param(&mut self, param: &Param) {
        if !param.decorators.is_empty() {
            self.found.needs_lowering = true;
        }
        param.pat.visit_with(self);
    }

    fn visit_ts_param_prop(&mut self, _: &TsParamProp) {
        self.found.needs_lowering = true;
    }

    fn visit_arrow_expr(&mut self, arrow: &ArrowExpr) {
        if let Some(types) = &arrow.type_params {
            let span = range(types.span);
            let paren = self.skip(span.end);
            if self.source()[span.start..paren].contains(['\n', '\r']) && self.byte(paren) == Some(b'(') {
                // `async <T,⏎U>(x)` must not become a line break after `async`.
                self.edits.replace(span.start..span.start + 1, "(");
                self.edits.blank(span.start + 1..paren + 1);
            } else {
                self.blank(types.span);
            }
        }
        if let Some(result) = &arrow.return_type {
            let span = range(result.span);
            let sign = self.skip(span.end);
            let from = arrow.params.last().map_or(arrow.span.lo, |last| last.span().hi);
            let from = arrow.type_params.as_ref().map_or(from, |types| from.max(types.span.hi));
            match self.find_byte(offset(from), span.start, b')') {
                Some(paren) if self.source()[paren..sign].contains(['\n', '\r']) => {
                    // No line break may stand before the arrow: the bracket moves down to it.
                    self.edits.blank(paren..span.end);
                    self.edits.close_inner(sign, ")");
                }
                _ => self.blank(result.span),
            }
        }
        arrow.params.visit_with(self);
        arrow.body.visit_with(self);
    }

    fn visit_class(&mut self, class: &Class) {
        self.class(class);
    }

    fn visit_class_member(&mut self, member: &ClassMember) {
        self.class_member(member);
    }

    fn visit_bin_expr(&mut self, expression: &BinExpr) {
        // `a + b as T ** c` casts the sum; without the cast it would be another one.
        if let Some(operand) = cast_operand(&expression.left)
            && let Expr::Bin(inner) = operand
            && (inner.op.precedence() < expression.op.precedence()
                || (inner.op.precedence() == expression.op.precedence() && expression.op == BinaryOp::Exp))
        {
            self.edits.open(offset(inner.span.lo), "(");
            self.edits.close_inner(offset(inner.span.hi), ")");
        }
        expression.visit_children_with(self);
    }

    fn visit_invalid(&mut self, invalid: &Invalid) {
        self.found.problems.push(Problem::at(range(invalid.span), "this is no expression"));
    }

    fn visit_module_items(&mut self, items: &[ModuleItem]) {
        let functions = items.iter().map(|item| match item {
            ModuleItem::Stmt(Stmt::Decl(Decl::Fn(function))) => Some(function),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(ExportDecl { decl: Decl::Fn(function), .. })) => {
                Some(function)
            }
            _ => None,
        });
        self.overloads(functions);
        items.iter().for_each(|item| item.visit_with(self));
    }

    fn visit_stmts(&mut self, statements: &[Stmt]) {
        let functions = statements.iter().map(|statement| match statement {
            Stmt::Decl(Decl::Fn(function)) => Some(function),
            _ => None,
        });
        self.overloads(functions);
        statements.iter().for_each(|statement| statement.visit_with(self));
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let Some(types) = &call.type_args {
            self.blank(types.span);
        }
        call.callee.visit_with(self);
        call.args.visit_with(self);
    }

    fn visit_opt_call(&mut self, call: &OptCall) {
        if let Some(types) = &call.type_args {
            self.blank(types.span);
        }
        call.callee.visit_with(self);
        call.args.visit_with(self);
    }

    fn visit_new_expr(&mut self, call: &NewExpr) {
        if let Some(types) = &call.type_args {
            self.blank(types.span);
            if call.args.is_none() {
                self.keep_apart(offset(types.span.hi));
            }
        }
        call.callee.visit_with(self);
        call.args.visit_with(self);
    }

    fn visit_tagged_tpl(&mut self, template: &TaggedTpl) {
        if let Some(types) = &template.type_params {
            self.blank(types.span);
        }
        template.tag.visit_with(self);
        template.tpl.visit_with(self);
    }

    fn visit_ts_as_expr(&mut self, expression: &TsAsExpr) {
        expression.expr.visit_with(self);
        self.blank_between(expression.expr.span().hi, expression.span.hi);
        self.keep_apart(offset(expression.span.hi));
    }

    fn visit_ts_satisfies_expr(&mut self, expression: &TsSatisfiesExpr) {
        expression.expr.visit_with(self);
        self.blank_between(expression.expr.span().hi, expression.span.hi);
        self.keep_apart(offset(expression.span.hi));
    }

    fn visit_ts_const_assertion(&mut self, expression: &TsConstAssertion) {
        expression.expr.visit_with(self);
        if expression.expr.span().lo > expression.span.lo {
            self.angle_brackets(expression.span, expression.expr.span());
        } else {
            self.blank_between(expression.expr.span().hi, expression.span.hi);
            self.keep_apart(offset(expression.span.hi));
        }
    }

    fn visit_ts_non_null_expr(&mut self, expression: &TsNonNullExpr) {
        expression.expr.visit_with(self);
        self.blank_between(expression.expr.span().hi, expression.span.hi);
    }

    fn visit_ts_instantiation(&mut self, expression: &TsInstantiation) {
        expression.expr.visit_with(self);
        self.blank_between(expression.expr.span().hi, expression.span.hi);
        self.keep_apart(offset(expression.span.hi));
    }

    fn visit_ts_type_assertion(&mut self, expression: &TsTypeAssertion) {
        self.angle_brackets(expression.span, expression.expr.span());
        expression.expr.visit_with(self);
    }

    // Types themselves are never entered: whoever holds one blanks it.
    fn visit_ts_type_ann(&mut self, _: &TsTypeAnn) {}
    fn visit_ts_type(&mut self, _: &TsType) {}
    fn visit_ts_type_param_decl(&mut self, _: &TsTypeParamDecl) {}
    fn visit_ts_type_param_instantiation(&mut self, _: &TsTypeParamInstantiation) {}
}

impl Eraser<'_, '_> {
    /// Signatures have to be followed by their function: one that forgot its body is no signature.
    fn overloads<'a>(&mut self, functions: impl Iterator<Item = Option<&'a FnDecl>>) {
        let mut waiting: Option<&FnDecl> = None;
        for function in functions.chain([None]) {
            if let Some(signature) = waiting.take()
                && function.is_none_or(|function| function.ident.sym != signature.ident.sym)
            {
                let problem =
                    Problem::at(range(signature.ident.span), format!("function '{}' has no body", signature.ident.sym));
                self.found.problems.push(problem);
            }
            waiting = function.filter(|function| !function.declare && function.function.body.is_none());
        }
    }

    /// `<T>x` becomes `(   x)`: without the bracket an object would become a block, and `return <T>⏎x` would return nothing.
    fn angle_brackets(&mut self, whole: Span, inner: Span) {
        let (start, end) = (offset(whole.lo), offset(whole.hi));
        self.edits.replace(start..start + 1, "(");
        self.edits.blank(start + 1..offset(inner.lo));
        self.edits.close_inner(end, ")");
    }

    /// An import or export specifier with the comma behind it.
    fn blank_specifier(&mut self, span: Span) {
        let end = self.skip(offset(span.hi));
        let end = if self.byte(end) == Some(b',') { end + 1 } else { offset(span.hi) };
        self.edits.blank(offset(span.lo)..end);
    }
}
