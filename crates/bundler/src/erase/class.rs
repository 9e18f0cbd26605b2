//! Types in classes.

use std::ops::Range;

use swc_core::common::{BytePos, Span, Spanned};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::VisitWith;

use super::Eraser;

use crate::syntax::{offset, range};

const MEMBER_MODIFIERS: [&str; 7] = ["public", "private", "protected", "readonly", "abstract", "override", "declare"];

/// A field.
struct Property<'a> {
    span: Span,
    /// Where its key stands.
    key: Range<usize>,
    decorators: &'a [Decorator],
    type_ann: Option<&'a TsTypeAnn>,
    value: Option<&'a Expr>,
}

impl Eraser<'_, '_> {
    /// Blanks TypeScript's modifiers of a class member, which stand between two offsets.
    fn blank_modifiers(&mut self, from: usize, to: usize) {
        let mut at = self.skip(from);
        let mut is_first = true;
        while at < to {
            let rest = &self.source()[at..to];
            let length = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            if length == 0 {
                at += rest.chars().next().map_or(1, char::len_utf8);
            } else {
                let is_modifier = MEMBER_MODIFIERS.contains(&&rest[..length]);
                if is_modifier && is_first {
                    // What is left may begin with `[` or `*`, which would go on with the member before.
                    self.edits.blank_statement(at..at + length);
                } else if is_modifier {
                    self.edits.blank(at..at + length);
                }
                at += length;
            }
            is_first = false;
            at = self.skip(at);
        }
    }

    fn property(&mut self, property: &Property<'_>) {
        if !property.decorators.is_empty() {
            self.found.needs_lowering = true;
            return;
        }
        self.blank_modifiers(offset(property.span.lo), property.key.start);
        self.property_type(property);
        if let Some(value) = property.value {
            value.visit_with(self);
        }
    }

    fn property_type(&mut self, &Property { span, ref key, type_ann, value, .. }: &Property<'_>) {
        let from = key.end;
        let to = match (type_ann, value) {
            (Some(ann), _) => offset(ann.span.hi),
            // A mark without a type: `a!` or `a?`.
            (None, Some(_)) => {
                let mark = self.skip(from);
                if matches!(self.byte(mark), Some(b'!' | b'?')) {
                    self.edits.blank(mark..mark + 1);
                }
                return;
            }
            (None, None) => offset(span.hi),
        };
        if from >= to {
            return;
        }
        if value.is_none() && type_ann.is_some() {
            // A field called `get`, or one followed by `[` or `(`, must not reach into the next line.
            let mark = self.skip(from);
            self.edits.blank(from..mark);
            self.edits.blank_statement(mark..to);
        } else if type_ann.is_some() {
            self.edits.blank(from..to);
        } else {
            let mark = self.skip(from);
            if matches!(self.byte(mark), Some(b'!' | b'?')) {
                self.edits.replace(mark..mark + 1, ";");
            }
        }
    }

    pub(super) fn class(&mut self, class: &Class) {
        if !class.decorators.is_empty() {
            self.found.needs_lowering = true;
        }
        if class.is_abstract {
            let after = class.decorators.last().map_or(class.span.lo, |last| last.span.hi.max(class.span.lo));
            let word = self.skip(offset(after));
            if self.source()[word..].starts_with("abstract") {
                self.edits.blank(word..word + "abstract".len());
            }
        }
        if let Some(types) = &class.type_params {
            self.blank(types.span);
        }
        if let Some(types) = &class.super_type_params {
            self.blank(types.span);
        }
        if let (Some(first), Some(last)) = (class.implements.first(), class.implements.last()) {
            // The word stands before the first, with nothing but white space and comments between.
            let before = &self.source()[..offset(first.span.lo)];
            if let Some(word) = before.rfind("implements") {
                self.edits.blank(word..offset(last.span.hi));
            }
        }
        class.super_class.visit_with(self);
        class.body.visit_with(self);
    }

    fn method(&mut self, span: Span, key_end: BytePos, function: &Function, is_optional: bool) {
        if function.body.is_none() {
            self.blank_statement(span);
            return;
        }
        if is_optional {
            self.blank_mark(offset(key_end));
        }
        self.function(function);
    }

    pub(super) fn class_member(&mut self, member: &ClassMember) {
        match member {
            ClassMember::TsIndexSignature(signature) => self.blank_statement(signature.span),
            ClassMember::Constructor(constructor) => {
                if constructor.body.is_none() {
                    return self.blank_statement(constructor.span);
                }
                let span = range(constructor.span);
                self.blank_modifiers(span.start, offset(constructor.key.span().lo));
                constructor.params.visit_with(self);
                constructor.body.visit_with(self);
            }
            ClassMember::Method(method) => {
                if method.is_abstract || method.function.body.is_none() {
                    return self.blank_statement(method.span);
                }
                let key = method.key.span();
                self.blank_modifiers(offset(method.span.lo), key_start(self.source(), &method.key));
                method.key.visit_with(self);
                self.method(method.span, key.hi, &method.function, method.is_optional);
            }
            ClassMember::PrivateMethod(method) => {
                let key = method.key.span();
                self.blank_modifiers(offset(method.span.lo), offset(key.lo));
                self.method(method.span, key.hi, &method.function, method.is_optional);
            }
            ClassMember::ClassProp(property) if property.is_abstract || property.declare => {
                if property.decorators.is_empty() {
                    self.blank_statement(property.span);
                } else {
                    self.found.needs_lowering = true;
                }
            }
            ClassMember::ClassProp(property) => {
                let key = key_start(self.source(), &property.key)..offset(property.key.span().hi);
                property.key.visit_with(self);
                self.property(&Property {
                    span: property.span,
                    key,
                    decorators: &property.decorators,
                    type_ann: property.type_ann.as_deref(),
                    value: property.value.as_deref(),
                });
            }
            ClassMember::PrivateProp(property) => self.property(&Property {
                span: property.span,
                key: range(property.key.span()),
                decorators: &property.decorators,
                type_ann: property.type_ann.as_deref(),
                value: property.value.as_deref(),
            }),
            ClassMember::AutoAccessor(_) => self.found.needs_lowering = true,
            ClassMember::StaticBlock(block) => block.visit_with(self),
            ClassMember::Empty(_) => {}
        }
    }
}

/// Whether a name is written with an escape, and so longer than it is.
fn is_escaped(source: &str, name: &IdentName) -> bool {
    source[range(name.span)].contains('\\')
}

/// Where a member's key begins; the span of a key that is called like a modifier takes the modifiers in.
fn key_start(source: &str, key: &PropName) -> usize {
    match key {
        PropName::Ident(name)
            if name.sym.len() < (name.span.hi.0 - name.span.lo.0) as usize && is_escaped(source, name) =>
        {
            offset(name.span.lo)
        }
        PropName::Ident(name) => offset(name.span.lo).max(offset(name.span.hi).saturating_sub(name.sym.len())),
        key => offset(key.span().lo),
    }
}
