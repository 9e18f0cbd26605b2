//! `session`: checkpoints of what is durable.

use std::sync::Arc;

use crate::checkpoints::ops::{area, ops};
use crate::checkpoints::{Checkpoints, Undo};
use crate::clock::Clock;
use crate::durable::Snapshot;
use crate::key::SessionKey;
use crate::library::Library;
use crate::provision::{Ended, InRun, Own, Provision, RunScope};

pub(super) struct CheckpointsProvision(Arc<dyn Clock>);

impl CheckpointsProvision {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self(clock)
    }
}

/// Has no durable part itself: a rollback keeps the checkpoints, those after it included, and a fork has none.
impl Provision for CheckpointsProvision {
    type Session = Checkpoints;

    fn name(&self) -> &'static str {
        "checkpoints"
    }

    fn declare(&self, library: &mut Library) {
        library.ops(ops());
        library.area(area());
        library.tell(
            "`session.checkpoint(\"name\")` remembers vars and files, `session.rollback(\"name\")` brings them back.",
            [""; 0],
        );
    }

    fn open(&self, _: &SessionKey, _: Option<&Snapshot>) -> Checkpoints {
        Checkpoints::new(self.0.clone())
    }

    fn begin(&self, session: Own<'_, Checkpoints>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        let atomic = run.options().atomic;
        let view = session.get().begin(|| run.whole(), atomic);
        run.provide(Arc::new(view.clone()));
        atomic.then(|| Box::new(view.undo()) as Box<dyn InRun>)
    }
}

impl InRun for Undo {
    fn settle(self: Box<Self>, ended: &mut Ended<'_>) {
        // A run that never began has changed nothing, and what belongs to an earlier one goes on.
        if !ended.is_undone() {
            self.keep();
        }
    }
}
