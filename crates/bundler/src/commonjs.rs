//! CommonJS in the world of ES modules.
//!
//! A CommonJS file becomes a module that exports one function, `$cjs`, which runs the file's body the first time it is called and returns
//! what it exports. Modules of what it requires are imported, so cycles work as they do in Node.js: function declarations are there before
//! anything runs. Who imports it as an ES module gets a second module in between, with a default export and the names that are seen in the
//! source.

use std::collections::BTreeSet;

use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::diagnostics::SourceError;
use crate::edits::Edits;
use crate::module::{Exports, ImportSite, ModuleText};
use crate::names::{Names, Way};
use crate::node_env::rewrite_node_env;
use crate::parse::{Goal, Language, parse};
use crate::prepare::Prepared;
use crate::syntax::{bound_names, range};

/// How the module of something required is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Required {
    CommonJs,
    EsModule,
    /// Its default export is the thing.
    Data,
    /// There is none; requiring it throws.
    Missing,
}

/// Whether a file that could be either may be CommonJS: it mentions what only CommonJS has, or nothing that only modules have.
pub(crate) fn looks_like_commonjs(source: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| source.contains(word));
    has(&["require", "module", "exports"]) || !has(&["import", "export", "await"])
}

/// Makes a CommonJS module ready. Its text is the body alone; [`assemble`] puts the rest around it.
pub(crate) fn commonjs_of(source: &str) -> Result<ModuleText, SourceError> {
    let Program::Script(script) = parse(source, Language::JavaScript, Goal::CommonJs)? else {
        unreachable!("CommonJS is parsed as a script")
    };
    let mut edits = Edits::new(source);
    if script.shebang.is_some() {
        edits.blank(0..source.find('\n').unwrap_or(source.len()));
    }
    rewrite_node_env(&script, &mut edits);
    let mut reader = Reader { edits: &mut edits, imports: Vec::new(), exports: Exports::default() };
    script.visit_with(&mut reader);
    reader.exports.shadows = shadows(&script);
    let (imports, exports) = (reader.imports, reader.exports);
    let (text, map) = edits.finish();
    Ok(ModuleText {
        prepared: Prepared::new(text, source, map, None),
        imports,
        holes: Vec::new(),
        awaits: false,
        names: Names::default(),
        commonjs: Some(exports),
    })
}

/// What the wrapper gives to a source.
const GIVEN: [&str; 7] = ["exports", "require", "module", "__filename", "__dirname", "global", "process"];

fn shadows(script: &Script) -> bool {
    let is_given = |name: &Ident| GIVEN.contains(&&*name.sym);
    script.body.iter().any(|statement| match statement {
        Stmt::Decl(Decl::Class(class)) => is_given(&class.ident),
        Stmt::Decl(Decl::Var(var)) if var.kind != VarDeclKind::Var => {
            var.decls.iter().flat_map(|one| bound_names(&one.name)).any(is_given)
        }
        _ => false,
    })
}

/// What stands before the body, on its first line, and behind it. The keys of imports go into the first, at the
/// offsets that come with it.
pub(crate) fn assemble(
    imports: &[(String, Required)],
    exports: &Exports,
    file: &str,
) -> (String, String, Vec<(usize, usize)>) {
    let mut before = String::new();
    let mut holes = Vec::new();
    let mut cases = String::new();
    let json = |text: &str| serde_json::Value::from(text).to_string();
    for (index, (specifier, required)) in imports.iter().enumerate() {
        let value = match required {
            Required::CommonJs => {
                before.push_str(&format!("import {{$cjs as $r{index}}} from \""));
                format!("return $r{index}()")
            }
            Required::EsModule => {
                before.push_str(&format!("import * as $r{index} from \""));
                format!("return $r{index}")
            }
            Required::Data => {
                before.push_str(&format!("import $r{index} from \""));
                format!("return $r{index}")
            }
            Required::Missing => String::new(),
        };
        if *required != Required::Missing {
            holes.push((before.len(), index));
            before.push_str("\";");
            cases.push_str(&format!("case {}: {value};", json(specifier)));
        }
    }
    before.push_str("var $m; export function $cjs(){if($m===undefined){$m={exports:{}};(function(exports,require,module,__filename,__dirname,global,process){");
    // Such names need a scope of their own; a `var` of them needs this one.
    let (open, close) = if exports.shadows { ("(()=>{", "})()") } else { ("", "") };
    before.push_str(open);
    let directory = file.rsplit_once('/').map_or(".", |(directory, _)| directory);
    let after = format!(
        "\n{close}}}).call($m.exports,$m.exports,$require,$m,{},{},globalThis,{{env:{{NODE_ENV:\"production\"}}}})}}return $m.exports}}\
         function $require(name){{switch(name){{{cases}}}throw Object.assign(new Error(`Cannot find module '${{name}}'`),{{code:\"MODULE_NOT_FOUND\"}})}}",
        json(file),
        json(directory),
    );
    (before, after, holes)
}

/// The module in between: what an ES module sees of a CommonJS module. Its one import is that module.
pub(crate) fn facade(names: &BTreeSet<String>) -> (String, usize) {
    let before = "import {$cjs} from \"";
    let mut text = format!(
        "{before}\";const $e=$cjs(),$o=$e!==null&&(typeof $e===\"object\"||typeof $e===\"function\")?$e:{{}};\
         const $g=(n)=>{{try{{return $o[n]}}catch{{}}}};export default $o.__esModule&&\"default\" in $o?$o.default:$e;"
    );
    for (index, name) in names.iter().filter(|name| *name != "default" && is_identifier_name(name)).enumerate() {
        text.push_str(&format!("const $v{index}=$g(\"{name}\");export {{$v{index} as {name}}};"));
    }
    (text, before.len())
}

fn is_identifier_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '$'))
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
}

struct Reader<'a, 's> {
    edits: &'a mut Edits<'s>,
    imports: Vec<ImportSite>,
    exports: Exports,
}

impl Reader<'_, '_> {
    /// The index of what a `require("…")` asks for.
    fn required(&mut self, call: &CallExpr) -> Option<usize> {
        let Callee::Expr(callee) = &call.callee else { return None };
        let Expr::Ident(name) = &**callee else { return None };
        let [ExprOrSpread { spread: None, expr }] = &call.args[..] else { return None };
        let Expr::Lit(Lit::Str(specifier)) = &**expr else { return None };
        if &*name.sym != "require" {
            return None;
        }
        let specifier = specifier.value.to_string_lossy().into_owned();
        let known = self.imports.iter().position(|import| import.specifier == specifier);
        Some(known.unwrap_or_else(|| {
            let at = range(call.span).start;
            self.imports.push(ImportSite { specifier, kind: None, way: Way::Require, at });
            self.imports.len() - 1
        }))
    }

    fn export_all_of(&mut self, value: &Expr) {
        match value {
            Expr::Object(object) => {
                for property in &object.props {
                    match property {
                        PropOrSpread::Prop(property) => {
                            let name = match &**property {
                                Prop::Shorthand(name) => Some(name.sym.to_string()),
                                Prop::KeyValue(pair) => property_name(&pair.key),
                                Prop::Method(method) => property_name(&method.key),
                                Prop::Getter(getter) => property_name(&getter.key),
                                _ => None,
                            };
                            self.exports.names.extend(name);
                        }
                        PropOrSpread::Spread(spread) => self.export_all_of(&spread.expr),
                    }
                }
            }
            Expr::Call(call) => {
                if let Some(index) = self.required(call) {
                    self.exports.passed_on.insert(index);
                }
            }
            Expr::Assign(assign) => self.export_all_of(&assign.right),
            _ => {}
        }
    }
}

fn property_name(key: &PropName) -> Option<String> {
    match key {
        PropName::Ident(name) => Some(name.sym.to_string()),
        PropName::Str(text) => Some(text.value.to_string_lossy().into_owned()),
        _ => None,
    }
}

fn is_ident(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::Ident(ident) if &*ident.sym == name)
}

/// `exports` or `module.exports`.
fn is_exports(expression: &Expr) -> bool {
    is_ident(expression, "exports")
        || matches!(expression, Expr::Member(MemberExpr { obj, prop: MemberProp::Ident(name), .. })
            if &*name.sym == "exports" && is_ident(obj, "module"))
}

impl Visit for Reader<'_, '_> {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        self.required(call);
        if let Callee::Import(import) = &call.callee {
            self.edits.replace(range(import.span), "import.meta.$import");
        }
        if let Callee::Expr(callee) = &call.callee {
            let name = match &**callee {
                Expr::Ident(name) => Some(&name.sym),
                Expr::Member(MemberExpr { prop: MemberProp::Ident(name), .. }) => Some(&name.sym),
                _ => None,
            };
            let first = call.args.first().map(|first| &*first.expr);
            match (name.map(|name| &**name), first) {
                (Some("defineProperty"), Some(target)) if is_exports(target) => {
                    if let Some(Expr::Lit(Lit::Str(name))) = call.args.get(1).map(|name| &*name.expr) {
                        self.exports.names.insert(name.value.to_string_lossy().into_owned());
                    }
                }
                // What TypeScript makes of `export *`.
                (Some("__exportStar" | "__export"), Some(Expr::Call(inner))) => {
                    if let Some(index) = self.required(inner) {
                        self.exports.passed_on.insert(index);
                    }
                }
                _ => {}
            }
        }
        call.visit_children_with(self);
    }

    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        if let AssignTarget::Simple(SimpleAssignTarget::Member(member)) = &assign.left {
            let name = match &member.prop {
                MemberProp::Ident(name) => Some(name.sym.to_string()),
                MemberProp::Computed(computed) => match &*computed.expr {
                    Expr::Lit(Lit::Str(text)) => Some(text.value.to_string_lossy().into_owned()),
                    _ => None,
                },
                MemberProp::PrivateName(_) => None,
            };
            if is_exports(&member.obj) {
                self.exports.names.extend(name);
            } else if name.as_deref() == Some("exports") && is_ident(&member.obj, "module") {
                self.export_all_of(&assign.right);
            }
        }
        assign.visit_children_with(self);
    }
}
