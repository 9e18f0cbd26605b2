//! Enums that would take all memory there is.

use std::collections::HashMap;

use swc_core::ecma::ast::*;

use super::Eraser;
use crate::diagnostics::Problem;
use crate::syntax::range;

/// Characters of one enum member's value.
const MAX_FOLDED: usize = 64 << 10;

/// How long the value of an enum member can become when it is folded, given those of other members by name.
fn folded_size(expression: &Expr, known: &HashMap<String, usize>) -> usize {
    let of = |name: &str| known.get(name).copied().unwrap_or(1);
    match expression {
        Expr::Lit(Lit::Str(text)) => text.value.len(),
        Expr::Lit(_) => 24,
        Expr::Ident(name) => of(&name.sym),
        Expr::Member(MemberExpr { prop: MemberProp::Ident(name), .. }) => of(&name.sym),
        Expr::Member(MemberExpr { prop: MemberProp::Computed(computed), .. }) => match &*computed.expr {
            Expr::Lit(Lit::Str(text)) => of(&text.value.to_string_lossy()),
            _ => known.values().copied().max().unwrap_or(1),
        },
        Expr::Paren(inner) => folded_size(&inner.expr, known),
        Expr::Bin(binary) if binary.op == BinaryOp::Add => {
            folded_size(&binary.left, known).saturating_add(folded_size(&binary.right, known))
        }
        Expr::Tpl(template) => {
            let texts: usize = template.quasis.iter().map(|quasi| quasi.raw.len()).sum();
            template.exprs.iter().fold(texts, |size, part| size.saturating_add(folded_size(part, known)))
        }
        _ => 24,
    }
}

impl Eraser<'_, '_> {
    /// swc folds what members are computed from; strings that double from member to member would take all memory there is.
    pub(super) fn enumeration(&mut self, decl: &TsEnumDecl) {
        for member in &decl.members {
            let name = match &member.id {
                TsEnumMemberId::Ident(name) => name.sym.to_string(),
                TsEnumMemberId::Str(text) => text.value.to_string_lossy().into_owned(),
            };
            let size = member.init.as_deref().map_or(1, |init| folded_size(init, &self.folded));
            if size > MAX_FOLDED {
                let message = format!("the value of '{name}' would have more than {MAX_FOLDED} characters");
                return self.found.problems.push(Problem::at(range(member.span), message));
            }
            let known = self.folded.entry(name).or_default();
            *known = size.max(*known);
        }
    }
}
