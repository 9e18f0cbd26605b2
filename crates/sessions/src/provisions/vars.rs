//! `vars`: durable values.

use std::sync::Arc;

use perennial_protocol::EndReason;

use crate::durable::{Changes, Restorer, Snapshot};
use crate::key::SessionKey;
use crate::library::Library;
use crate::provision::{Description, Ended, InRun, Own, Provided, Provision, RunScope};
use crate::vars::{self, Vars, VarsQuota, VarsSnapshot, VarsView};

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
        library.ops(vars::ops::ops());
        library.area(vars::ops::area());
    }

    const IS_DURABLE: bool = true;

    fn open(&self, _: &SessionKey, stored: Option<&Snapshot>) -> Vars {
        match stored.and_then(Snapshot::get::<VarsSnapshot>) {
            Some(stored) => Vars::of(self.0, stored),
            None => Vars::new(self.0),
        }
    }

    fn begin(&self, session: Own<'_, Vars>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        let (atomic, changes) = (run.options().atomic, run.options().changes);
        let view = session.get().begin(atomic || changes);
        run.provide(Arc::new(view.clone()));
        Some(Box::new(Undo { view, atomic }))
    }
}

impl Provided for Vars {
    fn snapshot(&self) -> Option<Snapshot> {
        Some(Snapshot::new(Self::snapshot(self)))
    }

    fn restore(&self, snapshot: &Snapshot, by: Restorer) -> Result<(), String> {
        if let Some(snapshot) = snapshot.get::<VarsSnapshot>() {
            self.roll_back(snapshot, by == Restorer::Host);
        }
        Ok(())
    }

    fn fork(&self) -> Option<Snapshot> {
        Provided::snapshot(self)
    }

    fn changes(&self, from: &Snapshot, to: &Snapshot, changes: &mut Changes<'_>) {
        if let (Some(from), Some(to)) = (from.get::<VarsSnapshot>(), to.get::<VarsSnapshot>()) {
            from.changes_to(to).into_iter().for_each(|(name, change)| changes.add(name, change));
        }
    }

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
