//! `vars`: durable values.

use std::sync::Arc;

use perennial_protocol::EndReason;

use crate::key::SessionKey;
use crate::library::Library;
use crate::provision::{Description, Ended, InRun, Own, Provided, Provision, RunScope};
use crate::vars::{self, Vars, VarsQuota, VarsView};

pub(super) struct VarsProvision(VarsQuota);

impl VarsProvision {
    pub(super) fn new(quota: VarsQuota) -> Self {
        Self(quota)
    }
}

impl Provision for VarsProvision {
    type Session = Vars;

    fn name(&self) -> &'static str {
        "vars"
    }

    fn declare(&self, library: &mut Library) {
        library.ops(vars::ops());
        library.area(vars::area());
    }

    fn open(&self, _: &SessionKey) -> Vars {
        Vars::new(self.0)
    }

    fn begin(&self, session: Own<'_, Vars>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        let (atomic, changes) = (run.options().atomic, run.options().changes);
        let view = session.get().begin(atomic || changes);
        run.provide(Arc::new(view.clone()));
        Some(Box::new(Undo { view, atomic }))
    }
}

impl Provided for Vars {
    fn end(&self, _: EndReason) {
        Self::end(self);
    }

    fn describe(&self, description: &mut Description) {
        let usage = self.usage();
        (description.vars, description.vars_bytes) = (usage.entries, usage.bytes);
    }
}

struct Undo {
    view: VarsView,
    atomic: bool,
}

impl InRun for Undo {
    fn settle(mut self: Box<Self>, ended: &mut Ended<'_>) {
        self.atomic = false;
        if ended.has_begun() {
            self.view.settle(ended.is_undone());
        } else {
            self.view.withdraw();
        }
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        self.view.settle(self.atomic);
    }
}
