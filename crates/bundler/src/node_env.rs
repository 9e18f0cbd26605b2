//! `process.env.NODE_ENV`, by which packages choose between their two builds.

use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::edits::Edits;
use crate::syntax::range;

/// Writes it as the value it has here, unless the source has a `process` of its own.
pub(crate) fn rewrite_node_env<N>(node: &N, edits: &mut Edits<'_>)
where
    N: VisitWith<BindsProcess> + for<'e, 's> VisitWith<Rewrite<'e, 's>>,
{
    if !edits.source().contains("NODE_ENV") {
        return;
    }
    let mut binds = BindsProcess(false);
    node.visit_with(&mut binds);
    if !binds.0 {
        node.visit_with(&mut Rewrite { edits });
    }
}

/// Whether anything is called `process`.
pub(crate) struct BindsProcess(bool);

impl Visit for BindsProcess {
    fn visit_binding_ident(&mut self, name: &BindingIdent) {
        self.0 |= &*name.id.sym == "process";
    }
    fn visit_import_specifier(&mut self, specifier: &ImportSpecifier) {
        self.0 |= &*specifier.local().sym == "process";
    }
    fn visit_fn_decl(&mut self, function: &FnDecl) {
        self.0 |= &*function.ident.sym == "process";
        function.visit_children_with(self);
    }
    fn visit_class_decl(&mut self, class: &ClassDecl) {
        self.0 |= &*class.ident.sym == "process";
        class.visit_children_with(self);
    }
}

pub(crate) struct Rewrite<'e, 's> {
    edits: &'e mut Edits<'s>,
}

impl Visit for Rewrite<'_, '_> {
    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        // Only what is read is known.
        let is_target =
            matches!(&assign.left, AssignTarget::Simple(SimpleAssignTarget::Member(member)) if is_node_env(member));
        if !is_target {
            assign.left.visit_with(self);
        }
        assign.right.visit_with(self);
    }

    fn visit_member_expr(&mut self, member: &MemberExpr) {
        if is_node_env(member) {
            self.edits.replace(range(member.span), "\"production\"");
        } else {
            member.visit_children_with(self);
        }
    }

    fn visit_ts_type(&mut self, _: &TsType) {}
}

fn is_node_env(member: &MemberExpr) -> bool {
    let (Expr::Member(env), MemberProp::Ident(name)) = (&*member.obj, &member.prop) else { return false };
    let (Expr::Ident(process), MemberProp::Ident(middle)) = (&*env.obj, &env.prop) else { return false };
    &*process.sym == "process" && &*middle.sym == "env" && &*name.sym == "NODE_ENV"
}
