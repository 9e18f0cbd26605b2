//! `page` and what belongs to it: the browser that a call lends.
//!
//! Confusable: a [`Driver`] is what does things in a browser for one session, an [`Action`] one of these things, and [`Browser`] the handle that a call lends. Names that scripts
//! know from Playwright are made of actions in `js-runtime/src/browser-*.ts`; a driver knows none of them.

mod action;
mod event;
mod fake;
mod ops;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use perennial_engine::Area;
use serde::Serialize;
use serde_json::Value;

pub use self::action::{
    Action, Choice, Cookie, Credentials, DownloadVerb, Emulation, File, Format, Geolocation, Handle, Key, LoadState,
    Mouse, MouseButton, OriginStorage, PageId, Part, Place, Said, Selector, State, Storage, Target, TextMatch, Verdict,
    What,
};
pub use self::event::{ConsoleMessage, Event, EventSink, Happened, Interest, PageError, Request, Response, Timing};
pub use self::fake::FakeBrowser;
pub use self::ops::{BrowserRun, ops};
use crate::area;

/// What an action comes to. The future needs no polling to end the action: dropping it does.
pub type Performing = Pin<Box<dyn Future<Output = Result<Answer, BrowserError>> + Send>>;

/// Does things in a browser, for one session.
///
/// `examples/own_browser.rs` has one of thirty lines; [`FakeBrowser`] is one for tests.
pub trait Driver: Send + Sync + 'static {
    /// Which browser it is: another one after a crash, a relaunch or a reconnect. What scripts have kept from an earlier one throws `StaleHandleError`.
    fn generation(&self) -> Generation;

    /// Why the generation before has ended: a clause. It is told to whoever has something of it.
    fn ended_because(&self) -> Option<String> {
        None
    }

    /// What is known without asking the browser. Waits for nothing.
    fn look(&self) -> Look;

    /// Does one thing. What it waits for it waits for until the action's own timeout.
    ///
    /// # Cancellation
    /// Dropping the future ends the action within 100 ms, in the browser too. It may have been done all the same.
    fn perform(&self, action: Action) -> Performing;

    /// What pages may reach from now on: what a run of the session may. A driver holds them to it.
    #[cfg(feature = "net")]
    fn set_reach(&self, reach: &crate::net::Reach) {
        let _ = reach;
    }

    /// Who is told what happens from now on; `None` for nobody, and then nothing is of interest either. What one who has listened before has missed since is told first, as far
    /// as it was kept.
    fn listen(&self, listening: Option<Listening>) {
        let _ = listening;
    }

    /// What whoever listens wants to be told from now on.
    fn set_interest(&self, interest: Interest) {
        let _ = interest;
    }

    /// A run of the session begins, which may use it.
    fn run_begins(&self) {}

    /// That run is over. What it has not waited for has ended.
    fn run_ends(&self) {}

    /// The session has ended: closes what it has. It is begun at once; the future completes when nothing is left.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}

/// Somebody who listens.
#[derive(Clone)]
pub struct Listening {
    /// Who is told.
    pub sink: EventSink,
    /// Whether they have listened before, in an earlier run.
    pub goes_on: bool,
    /// What of it has not reached them.
    pub unheard: Arc<dyn Fn() -> Unheard + Send + Sync>,
}

/// Events that were told and have not reached the script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unheard {
    /// So many of the last ones.
    pub events: usize,
    /// They never will: the run is over.
    pub is_over: bool,
}

/// Gives sessions their drivers.
pub trait Browsers: Send + Sync + 'static {
    /// The driver of a session that is used for the first time. Starts nothing yet.
    fn open(&self, owner: &str, session: &str) -> Arc<dyn Driver>;

    /// Whether its pages reach no more than their session may ([`Driver::set_reach`]). It is told to whoever writes scripts.
    fn holds_pages(&self) -> bool {
        true
    }
}

/// Numbers browsers, of whatever drivers, in one process: no two have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Generation(u64);

impl Generation {
    /// One that nobody has had.
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// The number.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// What a driver knows of its pages.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Look {
    /// The open ones, oldest first. The first is the script's `page`.
    pub pages: Vec<PageLook>,
    /// Which version of the browser runs; empty if none does yet.
    pub version: String,
    /// Bytes that its processes take, as far as that is known.
    pub bytes: u64,
}

impl Look {
    /// These pages.
    pub fn of(pages: Vec<PageLook>) -> Self {
        Self { pages, ..Self::default() }
    }
}

/// One page.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageLook {
    /// Which one.
    pub id: PageId,
    /// Where it is.
    pub url: String,
    /// How often it has been somewhere else.
    pub moves: u64,
    /// Width and height of the viewport.
    pub viewport: Option<(u32, u32)>,
    /// Its frames, the main one first and then the oldest.
    pub frames: Vec<FrameLook>,
}

/// A frame of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FrameLook {
    /// Which one.
    pub id: String,
    /// The frame that it is in.
    pub parent: Option<String>,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: String,
}

/// What an action gives.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A value; `null` where there is nothing to say.
    Value(Value),
    /// A file.
    Bytes(Vec<u8>),
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct BrowserError {
    /// What kind of failure it is.
    pub kind: Failure,
    /// One sentence.
    pub message: String,
    /// What was tried until then, a line each.
    pub log: Vec<String>,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// What it waited for did not come in time: a `TimeoutError`.
    Timeout,
    /// More than one element matches.
    Strict,
    /// The handle is of a browser that is gone: a `StaleHandleError`.
    Stale,
    /// The page is closed, or has crashed.
    Closed,
    /// A navigation failed, or an element is none that this can be done to, or a script in the page threw.
    Failed,
    /// What was asked for is not permitted: a `PermissionError`.
    Denied,
    /// The action is not one that this driver knows, or says something that cannot be: a `TypeError`.
    Invalid,
}

impl BrowserError {
    /// An error without a log.
    pub fn new(kind: Failure, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), log: Vec::new() }
    }

    /// The same with what was tried.
    #[must_use]
    pub fn with_log(mut self, log: Vec<String>) -> Self {
        self.log = log;
        self
    }
}

/// A browser that a call lends: `RunContext::new().lend(Browser::new(driver))`. Its scripts have `page`, `context` and `browser`.
#[derive(Clone)]
pub struct Browser(Arc<dyn Driver>);

impl Browser {
    /// What this driver drives.
    pub fn new(driver: impl Driver) -> Self {
        Self(Arc::new(driver))
    }

    /// The same for one that others hold too.
    pub fn shared(driver: Arc<dyn Driver>) -> Self {
        Self(driver)
    }

    /// The driver.
    pub fn driver(&self) -> &Arc<dyn Driver> {
        &self.0
    }
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Browser").field(&self.0.generation()).finish()
    }
}

/// What scripts reach it by, while a call lends one.
pub fn areas() -> Vec<Area> {
    use std::sync::LazyLock;
    // Made once, so that each is compiled once.
    static WHILE_LENT: LazyLock<[Area; 2]> = LazyLock::new(|| {
        [&area::BROWSER_PAGE, &area::BROWSER_EXPECT].map(|area| Area::clone(area).while_lent::<BrowserRun>())
    });
    let mut areas = area::each(&[
        &area::BROWSER_SELECTORS,
        &area::BROWSER_LOCATOR,
        &area::BROWSER_FRAME,
        &area::BROWSER_NETWORK,
        &area::BROWSER_EVENTS,
        &area::BROWSER_CONTEXT,
        &area::BROWSER_INPUT,
        &area::BROWSER_REQUEST,
    ]);
    areas.extend(WHILE_LENT.iter().cloned());
    areas
}
