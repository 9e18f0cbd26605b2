//! Cells: what a notebook makes of top-level declarations.
//!
//! Each top-level name becomes one configurable property of `globalThis`, and the cell the body of a strict async arrow function that gets
//! a helper, here called `$cell` (`engine/js/cells.js` is its other half). In place, so that lines stay what they are:
//!
//! ```text
//! let x = e                 void ($cell.let({x: e}))
//! const {a, b: [c]} = e     void ($cell.const((({a, b: [c]}) => ({a, c}))(e)))
//! var x = e                 void (x = e)                    predeclared, wherever it stands
//! function f() {}           function $cell_f() {}           published first
//! class A {}                void $cell.let({A: class A {}});
//! import d, {a as b} from   (nothing)                       awaited first
//! using x = e               void ($cell.using({x: e}))      disposed of when the cell ends
//! e                         return (e)                      if it is the last statement
//! ```

use std::collections::{BTreeSet, HashMap, HashSet};

use swc_core::common::{Span, Spanned};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::diagnostics::{Problem, SourceError, line_and_column};
use crate::edits::{Edits, PositionMap};
use crate::syntax::{attribute_type, awaits, bound_names, imported_name, is_type_decl, offset, range};
use crate::text::{fresh_name, is_line_break, json, skip_trivia};

/// Problems of one kind that are worth finding a line for.
const MAX_PROBLEMS: usize = 20;
/// Names that a session provides and that a cell would lose for all later ones.
const PROVIDED: [&str; 2] = ["vars", "tools"];
/// Names that cannot be properties of the global object, or not others.
const FIXED: [&str; 4] = ["undefined", "NaN", "Infinity", "globalThis"];

/// What a cell turned out to be.
pub(crate) struct CellText {
    pub(crate) text: String,
    pub(crate) map: PositionMap,
    /// What the helper is called in the text.
    pub(crate) helper: String,
    /// Whether the helper is needed at all.
    pub(crate) uses_helper: bool,
    /// The names that it makes globals, sorted.
    pub(crate) declares: Vec<String>,
    /// Whether the last statement assigns what it comes to.
    pub(crate) ends_in_assignment: bool,
}

/// Edits a cell. `merges` are names of enums and namespaces, which go on with what an earlier cell began; `erased` are the edits
/// that make types vanish. Of a source that swc has rewritten, names that are not in `own` stay within the cell.
pub(crate) fn transform(
    module: &Module,
    erased: Edits<'_>,
    merges: &[String],
    own: Option<&BTreeSet<String>>,
) -> Result<CellText, SourceError> {
    let source = erased.source();
    let mut edits = Edits::new(source);
    let mut cell = Cell {
        edits: &mut edits,
        helper: fresh_name(source),
        declared: HashMap::new(),
        vars: Vec::new(),
        functions: Vec::new(),
        seen: HashSet::new(),
        imports: Vec::new(),
        disposes: None,
        problems: Vec::new(),
        uses_helper: !merges.is_empty(),
        own,
    };
    if module.shebang.is_some() {
        let end = source.find('\n').unwrap_or(source.len());
        cell.edits.blank(0..end);
    }
    let last = module.body.iter().rposition(|item| !is_nothing(item, own.is_some()));
    let ends_in_assignment = last.is_some_and(|last| {
        matches!(&module.body[last], ModuleItem::Stmt(Stmt::Expr(statement)) if matches!(*statement.expr, Expr::Assign(_)))
    });
    for (index, item) in module.body.iter().enumerate() {
        cell.item(item, Some(index) == last);
    }
    Vars { cell: &mut cell }.visit_module(module);
    Imports { cell: &mut cell }.visit_module(module);
    if !cell.problems.is_empty() {
        let mut problems = std::mem::take(&mut cell.problems);
        problems.sort_by_key(|problem| problem.range.start);
        return Err(SourceError { problems });
    }
    let helper = cell.helper.clone();
    let mut declares: Vec<String> = cell.declared.keys().cloned().collect();
    declares.sort_unstable();
    let (vars, functions) = (std::mem::take(&mut cell.vars), std::mem::take(&mut cell.functions));
    let (imports, disposes) = (std::mem::take(&mut cell.imports), cell.disposes);
    let uses_helper =
        cell.uses_helper || !vars.is_empty() || !functions.is_empty() || !imports.is_empty() || disposes.is_some();
    let mut prelude = Vec::new();
    if !merges.is_empty() {
        prelude.push((0, format!("{helper}.merge({});", names(merges.iter().map(String::as_str)))));
    }
    if !vars.is_empty() {
        prelude.push((0, format!("{helper}.var({});", names(vars.iter().map(String::as_str)))));
    }
    if !functions.is_empty() {
        let pairs: Vec<String> = functions.iter().map(|name| format!("{}: {helper}_{name}", key(name))).collect();
        prelude.push((0, format!("{helper}.functions({{{}}});", pairs.join(", "))));
    }
    for (at, import) in imports {
        prelude.push((at, format!("await {helper}.import({import});")));
    }
    // In front of everything the author wrote, on the first line.
    if disposes.is_some() {
        edits.between(0, 0, format!("const {helper}_ = {helper}.scope(); try {{"));
    }
    for (origin, text) in prelude {
        edits.between(0, origin, text);
    }
    edits.append(erased);
    if let Some(awaits) = disposes {
        let dispose = if awaits { format!("await {helper}_.disposeAsync()") } else { format!("{helper}_.dispose()") };
        let end = format!("\n}} catch (e) {{ {helper}_.failed(e); }} finally {{ {dispose}; }}");
        edits.between(source.len(), source.len(), end);
    }
    let (text, map) = edits.finish();
    Ok(CellText { text, map, helper, uses_helper, declares, ends_in_assignment })
}

struct Cell<'a, 's> {
    edits: &'a mut Edits<'s>,
    own: Option<&'a BTreeSet<String>>,
    helper: String,
    /// Lexical names with where they are declared.
    declared: HashMap<String, (usize, Kind)>,
    vars: Vec<String>,
    functions: Vec<String>,
    /// What is in these two: functions with `true`, variables with `false`.
    seen: HashSet<(bool, String)>,
    /// Where each stands, and the argument for the helper.
    imports: Vec<(usize, String)>,
    /// Something is to be disposed of; `true` if that has to be awaited.
    disposes: Option<bool>,
    problems: Vec<Problem>,
    uses_helper: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Lexical,
    Function,
    Var,
}

/// A name as the key of an object literal.
fn key(name: &str) -> String {
    if name == "__proto__" { "[\"__proto__\"]".to_owned() } else { name.to_owned() }
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", names.map(json).collect::<Vec<_>>().join(", "))
}

/// Whether an item has no part in what the cell comes to: types, functions, lone semicolons.
fn is_nothing(item: &ModuleItem, is_lowered: bool) -> bool {
    match item {
        // swc declares a namespace's name behind everything.
        ModuleItem::Stmt(Stmt::Decl(Decl::Var(var))) if is_lowered && var.decls.iter().all(|d| d.init.is_none()) => {
            true
        }
        ModuleItem::Stmt(Stmt::Empty(_)) | ModuleItem::Stmt(Stmt::Decl(Decl::Fn(_))) => true,
        ModuleItem::Stmt(Stmt::Decl(decl)) => is_type_decl(decl),
        ModuleItem::ModuleDecl(ModuleDecl::Import(_)) => true,
        _ => false,
    }
}

impl Cell<'_, '_> {
    fn item(&mut self, item: &ModuleItem, is_last: bool) {
        match item {
            ModuleItem::Stmt(Stmt::Expr(statement)) if is_last => {
                let span = range(statement.expr.span());
                self.edits.open(span.start, "return (");
                self.edits.close(span.end, ")");
            }
            ModuleItem::Stmt(Stmt::Decl(decl)) if !is_type_decl(decl) => self.declaration(decl),
            ModuleItem::Stmt(_) => {}
            ModuleItem::ModuleDecl(ModuleDecl::Import(import)) if import.type_only => {}
            ModuleItem::ModuleDecl(ModuleDecl::Import(import)) => self.import(import),
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) if is_type_decl(&export.decl) => {}
            ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) if export.type_only => {}
            ModuleItem::ModuleDecl(ModuleDecl::TsImportEquals(_)) => {}
            ModuleItem::ModuleDecl(decl) => {
                let mut range = range(decl.span());
                range.end = range.end.min(range.start + "export".len());
                let problem = Problem::at(range, "a cell exports nothing")
                    .with_help("its top-level names are there for later cells without `export`");
                self.problems.push(problem);
            }
        }
    }

    /// Whether a name is the author's and not of swc's making.
    fn is_own(&self, name: &Ident) -> bool {
        self.own.is_none_or(|own| own.contains(&*name.sym))
    }

    fn declaration(&mut self, decl: &Decl) {
        let is_own = match decl {
            Decl::Var(var) => has_own_name(self, &var.decls),
            Decl::Using(using) => has_own_name(self, &using.decls),
            Decl::Fn(function) => self.is_own(&function.ident),
            Decl::Class(class) => self.is_own(&class.ident),
            _ => true,
        };
        if !is_own {
            return;
        }
        match decl {
            Decl::Var(var) if var.kind != VarDeclKind::Var => {
                let function = if var.kind == VarDeclKind::Const { ".const" } else { ".let" };
                self.lexical(var.span, &var.decls, function);
            }
            Decl::Using(using) => {
                self.disposes = Some(self.disposes.unwrap_or(false) || using.is_await);
                self.lexical(using.span, &using.decls, if using.is_await { "_.usingAsync" } else { "_.using" });
            }
            Decl::Fn(function) => {
                self.declare(&function.ident, Kind::Function);
                let name = function.ident.sym.to_string();
                let at = range(function.ident.span);
                self.edits.replace(at, format!("{}_{name}", self.helper));
                if self.seen.insert((true, name.clone())) {
                    self.functions.push(name);
                }
            }
            Decl::Class(class) => {
                self.declare(&class.ident, Kind::Lexical);
                self.uses_helper = true;
                let span = range(class.span());
                let name = key(&class.ident.sym);
                self.edits.open(span.start, format!("void {}.let({{{name}: ", self.helper));
                self.edits.close(span.end, "});");
            }
            _ => {}
        }
    }

    /// `let`, `const` and `using`.
    fn lexical(&mut self, span: Span, declarators: &[VarDeclarator], function: &str) {
        self.uses_helper = true;
        let source = self.edits.source();
        let start = offset(span.lo);
        let (Some(first), Some(last)) = (declarators.first(), declarators.last()) else { return };
        let keyword = source[start..offset(first.span.lo)].trim_end();
        let keyword_end = start + keyword_length(keyword);
        self.edits.replace(start..keyword_end, "void (");
        for declarator in declarators {
            for name in bound_names(&declarator.name) {
                self.declare(name, Kind::Lexical);
            }
            let from = range(declarator.name.span());
            let init = declarator.init.as_ref().map(|init| range(init.span()));
            match (&declarator.name, &init) {
                (Pat::Ident(ident), _) => {
                    let name = range(ident.id.span);
                    let name = name.start..name.end.min(name.start + written_length(&source[name.start..]));
                    let open = format!("{}{function}({{", self.helper);
                    if &*ident.id.sym == "__proto__" {
                        self.edits.replace(name, format!("{open}[\"__proto__\"]"));
                    } else {
                        self.edits.open(name.start, open);
                    }
                    match &init {
                        Some(init) => {
                            self.equals_becomes(from.end, ":".to_owned());
                            self.edits.close(init.end, "})");
                        }
                        None => self.edits.close(from.end, ": undefined})"),
                    }
                }
                (pattern, Some(init)) => {
                    let fields: Vec<String> = bound_names(pattern)
                        .iter()
                        .map(|name| match &*name.sym {
                            "__proto__" => "[\"__proto__\"]: __proto__".to_owned(),
                            name => name.to_owned(),
                        })
                        .collect();
                    let fields = fields.join(", ");
                    if awaits(pattern) {
                        // Parameters may not await.
                        let open = format!("{}{function}(await (async () => {{ const ", self.helper);
                        self.edits.open(from.start, open);
                        self.edits.close(init.end, format!("; return {{{fields}}}; }})())"));
                    } else {
                        self.edits.open(from.start, format!("{}{function}(((", self.helper));
                        self.equals_becomes(left_end(pattern), format!(") => ({{{fields}}}))("));
                        self.edits.close(init.end, "))");
                    }
                }
                // The parser has said so.
                (_, None) => {}
            }
        }
        let end = offset(last.span.hi);
        self.edits.close(end, ")");
        if last.init.is_none() {
            self.keep_apart(end);
        }
    }

    /// A declaration that ends with its name must not go on in the next line now that it ends with a bracket.
    fn keep_apart(&mut self, end: usize) {
        let source = self.edits.source();
        let next = skip_trivia(source, end);
        let breaks = source[end..next].contains(is_line_break);
        if breaks
            && matches!(source.as_bytes().get(next), Some(b'(' | b'[' | b'`' | b'/' | b'+' | b'-' | b'*' | b'.' | b'<'))
        {
            self.edits.between(end, end, ";");
        }
    }

    /// Replaces the `=` behind a declaration's left side and its type.
    fn equals_becomes(&mut self, left_end: usize, text: String) {
        let at = skip_trivia(self.edits.source(), left_end);
        self.edits.replace(at..at + 1, text);
    }

    fn import(&mut self, import: &ImportDecl) {
        let at = offset(import.span.lo);
        self.edits.blank_statement(range(import.span));
        let mut bindings = Vec::new();
        for specifier in &import.specifiers {
            if matches!(specifier, ImportSpecifier::Named(named) if named.is_type_only) {
                continue;
            }
            let (name, local) = (imported_name(specifier).unwrap_or_else(|| "*".to_owned()), specifier.local());
            self.declare(local, Kind::Lexical);
            bindings.push(format!("[{}, {}]", json(&local.sym), json(&name)));
        }
        let specifier = import.src.value.to_string_lossy();
        let kind = import.with.as_deref().and_then(attribute_type).map_or("undefined".to_owned(), |kind| json(&kind));
        self.imports.push((at, format!("{}, {kind}, [{}]", json(&specifier), bindings.join(", "))));
    }

    fn declare(&mut self, name: &Ident, kind: Kind) {
        let at = range(name.span);
        let at = at.start..at.end.min(at.start + name.sym.len());
        let sym: &str = &name.sym;
        if PROVIDED.contains(&sym) {
            let problem = Problem::at(at, format!("'{sym}' is what the session provides under this name"))
                .with_help("choose another name");
            return self.problems.push(problem);
        }
        if FIXED.contains(&sym) {
            return self.problems.push(Problem::at(at, format!("'{sym}' cannot be declared")));
        }
        match self.declared.get(sym) {
            Some((first, other)) if kind != Kind::Var || *other == Kind::Lexical => {
                // Nobody reads more of them.
                if self.problems.len() >= MAX_PROBLEMS {
                    return;
                }
                let (line, column) = line_and_column(self.edits.source(), *first);
                let problem = Problem::at(at, format!("'{sym}' is declared twice in this cell"))
                    .with_help(format!("the other declaration is at {line}:{column}"));
                self.problems.push(problem);
            }
            Some(_) => {}
            None => {
                self.declared.insert(sym.to_owned(), (at.start, kind));
            }
        }
    }
}

fn has_own_name(cell: &Cell<'_, '_>, declarators: &[VarDeclarator]) -> bool {
    declarators.iter().flat_map(|declarator| bound_names(&declarator.name)).any(|name| cell.is_own(name))
}

/// How much of the text between a declaration's start and its first name is the keyword: comments may follow it.
fn keyword_length(text: &str) -> usize {
    let first = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    if &text[..first] != "await" {
        return first;
    }
    let second = skip_trivia(text, first);
    second + "using".len()
}

/// Where a pattern and its type end.
fn left_end(pattern: &Pat) -> usize {
    let annotation = match pattern {
        Pat::Array(array) => &array.type_ann,
        Pat::Object(object) => &object.type_ann,
        _ => &None,
    };
    let end = pattern.span().hi;
    offset(annotation.as_ref().map_or(end, |annotation| annotation.span.hi.max(end)))
}

/// How long an identifier is as it is written, escapes included.
fn written_length(text: &str) -> usize {
    let mut braces = false;
    text.find(|c: char| {
        braces = (braces || c == '{') && c != '}';
        !(c.is_alphanumeric() || matches!(c, '_' | '$' | '\\' | '}' | '\u{200c}' | '\u{200d}') || braces)
    })
    .unwrap_or(text.len())
}

/// `var`, which belongs to the cell wherever it stands, except in functions.
struct Vars<'c, 'a, 's> {
    cell: &'c mut Cell<'a, 's>,
}

impl Vars<'_, '_, '_> {
    fn predeclare(&mut self, var: &VarDecl) {
        for declarator in &var.decls {
            for name in bound_names(&declarator.name) {
                self.cell.declare(name, Kind::Var);
                let name = name.sym.to_string();
                if self.cell.seen.insert((false, name.clone())) {
                    self.cell.vars.push(name);
                }
            }
        }
    }

    fn is_var(&self, var: &VarDecl) -> bool {
        var.kind == VarDeclKind::Var && !var.declare && has_own_name(self.cell, &var.decls)
    }

    fn head(&mut self, head: &ForHead) {
        let ForHead::VarDecl(var) = head else { return };
        if !self.is_var(var) {
            return;
        }
        self.predeclare(var);
        let (start, end) = (offset(var.span.lo), offset(var.span.hi));
        let is_async = matches!(var.decls.first().map(|d| &d.name), Some(Pat::Ident(name)) if &*name.id.sym == "async");
        if is_async {
            // `for (async of …)` is not allowed, for the sake of arrow functions.
            self.cell.edits.replace(start..start + 3, "(");
            self.cell.edits.close(end, ")");
        } else {
            self.cell.edits.blank(start..start + 3);
        }
    }
}

impl Visit for Vars<'_, '_, '_> {
    fn visit_var_decl(&mut self, var: &VarDecl) {
        if self.is_var(var) {
            self.predeclare(var);
            let (start, end) =
                (offset(var.span.lo), var.decls.last().map_or(offset(var.span.hi), |d| offset(d.span.hi)));
            self.cell.edits.replace(start..start + 3, "void (");
            self.cell.edits.close(end, ")");
            if var.decls.last().is_some_and(|last| last.init.is_none()) {
                self.cell.keep_apart(end);
            }
        }
        var.visit_children_with(self);
    }

    fn visit_for_of_stmt(&mut self, statement: &ForOfStmt) {
        self.head(&statement.left);
        statement.right.visit_with(self);
        statement.body.visit_with(self);
    }

    fn visit_for_in_stmt(&mut self, statement: &ForInStmt) {
        self.head(&statement.left);
        statement.right.visit_with(self);
        statement.body.visit_with(self);
    }

    // Expressions hold no statements, except in functions, whose own they are.
    fn visit_function(&mut self, _: &Function) {}
    fn visit_arrow_expr(&mut self, _: &ArrowExpr) {}
    fn visit_class(&mut self, _: &Class) {}
    fn visit_ts_type(&mut self, _: &TsType) {}
}

/// `import(…)`, anywhere.
struct Imports<'c, 'a, 's> {
    cell: &'c mut Cell<'a, 's>,
}

impl Visit for Imports<'_, '_, '_> {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let Callee::Import(import) = &call.callee {
            self.cell.uses_helper = true;
            let load = format!("{}.load", self.cell.helper);
            self.cell.edits.replace(range(import.span), load);
        }
        call.visit_children_with(self);
    }

    fn visit_meta_prop_expr(&mut self, meta: &MetaPropExpr) {
        if meta.kind == MetaPropKind::ImportMeta {
            self.cell.problems.push(Problem::at(range(meta.span), "a cell has no import.meta: it is no module"));
        }
    }

    fn visit_ts_type(&mut self, _: &TsType) {}
}
