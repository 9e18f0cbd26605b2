//! `artifacts`: an output folder that a call lends.

use std::sync::Arc;

use perennial_protocol::ProducedFile;
use perennial_stdlib::files::{Artifacts, ArtifactsRun, artifact_areas, artifact_ops};

use crate::durable::Snapshot;
use crate::key::SessionKey;
use crate::library::Library;
use crate::provision::{Ended, InRun, Own, Provision, RunScope};

pub(super) struct ArtifactsProvision;

impl Provision for ArtifactsProvision {
    type Session = ();

    fn name(&self) -> &'static str {
        "artifacts"
    }

    fn declare(&self, library: &mut Library) {
        library.ops(artifact_ops());
        artifact_areas().into_iter().for_each(|area| library.area(area));
    }

    fn open(&self, _: &SessionKey, _: Option<&Snapshot>) {}

    fn begin(&self, _: Own<'_, ()>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        let produced = Arc::new(run.loan::<Artifacts>()?.begin());
        run.lend(produced.clone());
        Some(Box::new(Produced(produced)))
    }
}

/// The output folder of a run, which is over with it, whoever gave up on it.
struct Produced(Arc<ArtifactsRun>);

impl InRun for Produced {
    fn settle(self: Box<Self>, ended: &mut Ended<'_>) {
        let produced = self.0.end().into_iter();
        ended.result.artifacts = produced.map(|file| ProducedFile { name: file.name, bytes: file.bytes }).collect();
    }
}

impl Drop for Produced {
    fn drop(&mut self) {
        self.0.end();
    }
}
