//! A browser for tests.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{
    Action, Answer, BrowserError, Driver, Event, Generation, Happened, Interest, Listening, Look, PageId, PageLook,
    Performing,
};

type Script = dyn Fn(&Action) -> Result<Answer, BrowserError> + Send + Sync;

/// A browser that only pretends, for tests of what scripts do with one: a function answers their actions, and the test says what else happens. It has one page, whose number is 1.
///
/// ```
/// use perennial_stdlib::browser::{Action, Answer, BrowserError, FakeBrowser, Failure};
///
/// let fake = FakeBrowser::new(|action| match action {
///     Action::Title { .. } => Ok(Answer::Value("Shop".into())),
///     action => Err(BrowserError::new(Failure::Failed, format!("not in this test: {action:?}"))),
/// });
/// // Lent by `Run::lend(Browser::shared(Arc::new(fake)))`, `await page.title()` is "Shop" then.
/// assert!(fake.actions().is_empty());
/// ```
pub struct FakeBrowser {
    script: Box<Script>,
    state: Mutex<State>,
}

struct State {
    generation: Generation,
    ended_because: Option<String>,
    pages: Vec<PageLook>,
    actions: Vec<Action>,
    listening: Option<Listening>,
    interest: Interest,
    runs: u64,
    under_way: u64,
}

impl FakeBrowser {
    /// One whose actions come to what this function says, at once.
    pub fn new(script: impl Fn(&Action) -> Result<Answer, BrowserError> + Send + Sync + 'static) -> Self {
        let page = PageLook { id: 1, url: "about:blank".to_owned(), moves: 0, viewport: None, frames: Vec::new() };
        let state = State {
            generation: Generation::next(),
            ended_because: None,
            pages: vec![page],
            actions: Vec::new(),
            listening: None,
            interest: Interest::default(),
            runs: 0,
            under_way: 0,
        };
        Self { script: Box::new(script), state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it was asked for so far.
    pub fn actions(&self) -> Vec<Action> {
        self.lock().actions.clone()
    }

    /// The pages that scripts see from now on.
    pub fn set_pages(&self, pages: Vec<PageLook>) {
        self.lock().pages = pages;
    }

    /// Something happens in a page. `false` if nobody is told: no run listens, or what waits for it is too much already.
    pub fn tell(&self, page: PageId, what: Happened) -> bool {
        let sink = self.lock().listening.as_ref().map(|listening| listening.sink.clone());
        sink.is_some_and(|sink| sink(&Event { page, what }))
    }

    /// What the run that is under way wants to be told.
    pub fn interest(&self) -> Interest {
        self.lock().interest
    }

    /// It crashes, and another one is there: what scripts have kept is of the one before. The reason is a clause.
    pub fn relaunch(&self, why: &str) {
        let mut state = self.lock();
        state.generation = Generation::next();
        state.ended_because = Some(why.to_owned());
    }

    /// Runs that it was lent to, and how many of them are under way.
    pub fn runs(&self) -> (u64, u64) {
        let state = self.lock();
        (state.runs, state.under_way)
    }
}

impl Driver for FakeBrowser {
    fn generation(&self) -> Generation {
        self.lock().generation
    }

    fn ended_because(&self) -> Option<String> {
        self.lock().ended_because.clone()
    }

    fn look(&self) -> Look {
        Look::of(self.lock().pages.clone())
    }

    fn perform(&self, action: Action) -> Performing {
        let answer = (self.script)(&action);
        self.lock().actions.push(action);
        Box::pin(std::future::ready(answer))
    }

    fn listen(&self, listening: Option<Listening>) {
        let mut state = self.lock();
        if listening.is_none() {
            state.interest = Interest::default();
        }
        state.listening = listening;
    }

    fn set_interest(&self, interest: Interest) {
        self.lock().interest = interest;
    }

    fn run_begins(&self) {
        let mut state = self.lock();
        state.runs += 1;
        state.under_way += 1;
    }

    fn run_ends(&self) {
        self.lock().under_way -= 1;
    }
}

impl std::fmt::Debug for FakeBrowser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeBrowser").field("actions", &self.lock().actions.len()).finish_non_exhaustive()
    }
}
