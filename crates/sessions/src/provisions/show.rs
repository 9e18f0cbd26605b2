//! `show`: images that a run's answer carries.

use perennial_protocol::ShownImage;
use perennial_stdlib::show::{self, Shown};

use crate::durable::Snapshot;
use crate::key::SessionKey;
use crate::library::Library;
use crate::provision::{Ended, InRun, Own, Provided, Provision, RunScope};

pub(super) struct ShowProvision;

impl Provision for ShowProvision {
    type Session = Shown;

    fn name(&self) -> &'static str {
        "show"
    }

    fn declare(&self, library: &mut Library) {
        library.ops(show::ops());
        show::areas().into_iter().for_each(|area| library.area(area));
        library.tell("`await show(bytes)` adds an image (PNG, JPEG, GIF, WebP) to the answer.", [""; 0]);
    }

    fn open(&self, _: &SessionKey, _: Option<&Snapshot>) -> Shown {
        Shown::new()
    }

    fn begin(&self, session: Own<'_, Shown>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        run.provide(session.get());
        None
    }
}

impl Provided for Shown {
    /// Like console lines: of this run, and of what was called between the runs.
    fn report(&self, ended: &mut Ended<'_>) {
        let images = self.take().into_iter();
        ended.result.images =
            images.map(|image| ShownImage { mime_type: image.mime_type.to_owned(), data: image.data() }).collect();
    }
}
