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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use perennial_stdlib::browser::ConsoleMessage;

    use super::*;

    fn said(text: String) -> Happened {
        Happened::Console(ConsoleMessage { text, ..ConsoleMessage::default() })
    }

    /// What one hears who listens now.
    fn heard(hub: &Hub, goes_on: bool) -> Vec<usize> {
        let heard = Arc::<Mutex<Vec<usize>>>::default();
        let to = heard.clone();
        let sink = Arc::new(move |event: &Event| {
            let Happened::Console(message) = &event.what else { return false };
            lock(&to).push(message.text.trim_end_matches('x').parse().expect("a number"));
            true
        });
        hub.listen(Some(Listening { sink, goes_on }));
        hub.listen(None);
        std::mem::take(&mut lock(&heard))
    }

    #[test]
    fn between_two_runs_the_last_events_are_kept_by_their_number_and_their_bytes() {
        let hub = Hub::default();
        assert!(!hub.tell(1, said("0".to_owned())), "nobody has ever listened");
        assert!(heard(&hub, true).is_empty());
        (0..500).for_each(|number| assert!(!hub.tell(1, said(number.to_string()))));
        assert_eq!(heard(&hub, true), (300..500).collect::<Vec<_>>());
        assert!(heard(&hub, true).is_empty(), "they are told once");
        // Large ones are fewer.
        (0..500).for_each(|number| _ = hub.tell(1, said(number.to_string() + &"x".repeat(8 << 10))));
        let kept = heard(&hub, true);
        assert_eq!((kept.len(), kept.last()), (7, Some(&499)));
        // One that is larger than all that may be kept costs the others, and is not kept either.
        hub.tell(1, said("1".to_owned()));
        hub.tell(1, said("2".to_owned() + &"x".repeat(100 << 10)));
        assert!(heard(&hub, true).is_empty());
        // A new VM's listener is told nothing of before.
        hub.tell(1, said("1".to_owned()));
        assert!(heard(&hub, false).is_empty());
        assert!(heard(&hub, true).is_empty());
    }
}
