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
    /// What whoever listens was told and may not have heard yet.
    told: VecDeque<Event>,
    kept: VecDeque<(Event, usize)>,
    bytes: usize,
}

impl State {
    /// Keeps an event for whoever listens next, unless it is one that waits for an answer: that is given without them.
    fn keep(&mut self, event: Event) {
        use Happened::{Called, Dialog, FileChooser, Paused};
        if !self.keeps || matches!(event.what, Called { .. } | Dialog { .. } | FileChooser { .. } | Paused { .. }) {
            return;
        }
        let bytes = serde_json::to_string(&event).map_or(0, |text| text.len());
        self.bytes += bytes;
        self.kept.push_back((event, bytes));
        while self.kept.len() > MAX_KEPT || self.bytes > MAX_BYTES {
            let Some((_, bytes)) = self.kept.pop_front() else { break };
            self.bytes -= bytes;
        }
    }

    /// Whoever listened does so no more. What they have not heard is kept, before what has come since.
    fn take_back(&mut self) {
        let Some(listening) = self.listening.take() else { return };
        let (told, since) = (std::mem::take(&mut self.told), std::mem::take(&mut self.kept));
        self.bytes = 0;
        let heard = told.len().saturating_sub((listening.unheard)().events);
        told.into_iter()
            .skip(heard)
            .chain(since.into_iter().map(|(event, _)| event))
            .for_each(|event| self.keep(event));
    }
}

impl Hub {
    pub(crate) fn listen(&self, listening: Option<Listening>) {
        let mut state = lock(&self.0);
        state.take_back();
        if let Some(listening) = &listening {
            state.bytes = 0;
            let kept = std::mem::take(&mut state.kept).into_iter().map(|(event, _)| event);
            state.told = kept.filter(|event| listening.goes_on && (listening.sink)(event)).collect();
            state.keeps = true;
        }
        state.listening = listening;
    }

    /// Tells whoever listens. `false` if nobody was told.
    pub(crate) fn tell(&self, page: PageId, what: Happened) -> bool {
        let (mut guard, event) = (lock(&self.0), Event { page, what });
        let state = &mut *guard;
        if let Some(listening) = &state.listening {
            if (listening.sink)(&event) {
                state.told.push_back(event);
                let heard = state.told.len().saturating_sub((listening.unheard)().events);
                state.told.drain(..heard);
                return true;
            }
            // Where there is no room the script is told how many it has missed.
            if !(listening.unheard)().is_over {
                return false;
            }
        }
        state.keep(event);
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use perennial_stdlib::browser::{ConsoleMessage, Unheard};

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
        hub.listen(Some(Listening { sink, goes_on, unheard: Arc::new(Unheard::default) }));
        hub.listen(None);
        std::mem::take(&mut lock(&heard))
    }

    #[test]
    fn what_was_told_and_not_heard_when_a_run_ended_is_told_in_the_next_one_and_nothing_twice() {
        let hub = Hub::default();
        let unheard = Arc::<Mutex<Unheard>>::default();
        let (counted, looked) = (unheard.clone(), unheard.clone());
        let sink = Arc::new(move |_: &Event| {
            let mut unheard = lock(&counted);
            unheard.events += usize::from(!unheard.is_over);
            !unheard.is_over
        });
        hub.listen(Some(Listening { sink, goes_on: false, unheard: Arc::new(move || *lock(&looked)) }));
        (0..5).for_each(|number| assert!(hub.tell(1, said(number.to_string()))));
        // Three of them have arrived. One that waits for its answer has not, and nor have the last ones.
        lock(&unheard).events -= 3;
        let dialog = Happened::Dialog { kind: "alert".to_owned(), message: String::new(), value: String::new() };
        assert!(hub.tell(1, dialog.clone()));
        lock(&unheard).is_over = true;
        assert!(!hub.tell(1, said("5".to_owned())) && !hub.tell(1, dialog), "the run is over");
        hub.listen(None);
        assert!(!hub.tell(1, said("6".to_owned())));
        assert_eq!(heard(&hub, true), [3, 4, 5, 6]);
        assert!(heard(&hub, true).is_empty());
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
