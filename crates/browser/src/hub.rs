//! Who is told what happens in a session's pages.

use std::collections::VecDeque;
use std::sync::Mutex;

use perennial_stdlib::browser::{Event, Happened, Listening, PageId};

use crate::chromium::lock;

/// Events that are kept for somebody who listens in some runs and not between them, and bytes of them.
const MAX_KEPT: usize = 200;
const MAX_BYTES: usize = 64 << 10;

#[derive(Default)]
pub(crate) struct Hub(Mutex<State>);

#[derive(Default)]
struct State {
    listening: Option<Listening>,
    /// Somebody has listened, and may do so again.
    keeps: bool,
    kept: VecDeque<(Event, usize)>,
    bytes: usize,
}

impl Hub {
    pub(crate) fn listen(&self, listening: Option<Listening>) {
        let mut state = lock(&self.0);
        if let Some(listening) = &listening {
            state.bytes = 0;
            let kept = std::mem::take(&mut state.kept);
            for (event, _) in kept.iter().filter(|_| listening.goes_on) {
                (listening.sink)(event);
            }
            state.keeps = true;
        }
        state.listening = listening;
    }

    /// Tells whoever listens. `false` if nobody was told.
    pub(crate) fn tell(&self, page: PageId, what: Happened) -> bool {
        let (mut state, event) = (lock(&self.0), Event { page, what });
        if let Some(listening) = &state.listening {
            return (listening.sink)(&event);
        }
        if state.keeps {
            let bytes = serde_json::to_string(&event).map_or(0, |text| text.len());
            state.bytes += bytes;
            state.kept.push_back((event, bytes));
            while state.kept.len() > MAX_KEPT || state.bytes > MAX_BYTES {
                let Some((_, bytes)) = state.kept.pop_front() else { break };
                state.bytes -= bytes;
            }
        }
        false
    }
}
