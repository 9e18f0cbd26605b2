//! `show`: images that a run's answer carries.

use std::sync::Arc;

use perennial_protocol::ShownImage;
use perennial_stdlib::show::{self, Shown};

use crate::key::SessionKey;
use crate::library::Library;
use crate::provision::{Ended, InRun, Own, Provision, RunScope};

pub(super) struct ShowProvision;

impl Provision for ShowProvision {
    type Session = ();

    fn name(&self) -> &'static str {
        "show"
    }

    fn declare(&self, library: &mut Library) {
        library.ops(show::ops());
        show::areas().into_iter().for_each(|area| library.area(area));
        library.tell("`await show(bytes)` adds an image (PNG, JPEG, GIF, WebP) to the answer.", [""; 0]);
    }

    fn open(&self, _: &SessionKey) {}

    fn begin(&self, _: Own<'_, ()>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        let shown = Arc::new(Shown::new());
        run.lend(shown.clone());
        Some(Box::new(InAnswer(shown)))
    }
}

struct InAnswer(Arc<Shown>);

impl InRun for InAnswer {
    fn settle(self: Box<Self>, ended: &mut Ended<'_>) {
        let images = self.0.take().into_iter();
        ended.result.images =
            images.map(|image| ShownImage { mime_type: image.mime_type.to_owned(), data: image.data() }).collect();
    }
}
