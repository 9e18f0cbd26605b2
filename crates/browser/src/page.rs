//! One page: what is known of it from what the browser says, and calls of the script that is ours in each of its documents.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use perennial_stdlib::browser::{
    BrowserError, ConsoleMessage, Failure, FrameLook, Happened, LoadState, PageError, PageId, Part, Said,
};
use perennial_stdlib::net::Pass;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::hub::Hub;
use crate::pipe::{Call, Connection};
use crate::settings::Settings;

mod ask;
mod events;
pub(crate) mod expose;
mod network;
mod said;

pub(crate) use self::ask::{Asked, value_of};
pub(crate) use self::network::cut;

/// The world that our script is in: the page's own scripts do not see it.
const WORLD: &str = "perennial";
/// How long a page has to answer when its run was stopped, until what runs in it is ended.
pub(crate) const SHORT: Duration = Duration::from_millis(100);
/// The same when somebody waits in vain: it may only have much to do.
pub(crate) const LONG: Duration = Duration::from_secs(1);
/// What a page has beyond the timeout of what waits in it, to say that it has run out.
const LATE: Duration = Duration::from_secs(2);
/// Where a page is that was opened and has not been anywhere.
const INITIAL: &str = ":";
/// What pages have written to their console is in this group of the browser's.
const CONSOLE: &str = "console";
/// How long a document that an action has led to has to be parsed before the action is done.
const PARSED: Duration = Duration::from_secs(1);
/// How long an action without a timeout of its own may take a page that does not answer.
const UNRESPONSIVE: Duration = Duration::from_secs(30);

/// Our script, without its comments.
static SCRIPT: LazyLock<String> = LazyLock::new(|| {
    let parts = [
        include_str!("../js/tree.js"),
        include_str!("../js/roles.js"),
        include_str!("../js/query.js"),
        include_str!("../js/act.js"),
        include_str!("../js/read.js"),
        include_str!("../js/snapshot.js"),
        include_str!("../js/aria.js"),
        include_str!("../js/markdown.js"),
        include_str!("../js/api.js"),
    ];
    let lines = parts.iter().flat_map(|part| part.lines()).map(str::trim_start);
    let code: Vec<&str> =
        lines.filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("/** ")).collect();
    format!("globalThis.__perennial = (() => {{\n{}\n}})()", code.join("\n"))
});

pub(crate) struct Page {
    pub(crate) id: PageId,
    pub(crate) target: String,
    pub(crate) session: Arc<str>,
    pub(crate) connection: Arc<Connection>,
    /// The one that has opened it.
    opener: Option<PageId>,
    /// `None` for one that no script hears of.
    hub: Option<Arc<Hub>>,
    state: Mutex<State>,
    /// Counts what has happened.
    changed: watch::Sender<u64>,
    /// The last wait in the page.
    waits: AtomicU64,
    /// One action moves the mouse or types at a time.
    pub(crate) input: tokio::sync::Mutex<Input>,
}

/// Where the mouse is, and what is held.
#[derive(Default)]
pub(crate) struct Input {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) buttons: u32,
    pub(crate) modifiers: u32,
}

#[derive(Default)]
struct State {
    main: String,
    frames: BTreeMap<String, Frame>,
    /// Frames that there have been.
    frame_count: u64,
    settings: Settings,
    /// Names of a script's functions that its documents have.
    exposed: HashSet<String>,
    /// What it has said lately.
    messages: VecDeque<ConsoleMessage>,
    errors: VecDeque<PageError>,
    /// Its documents are empty: nothing is asked of the network.
    answers_itself: bool,
    /// A script of the run has handles of what is in it.
    has_kept: bool,
    /// How far 1970 is from the beginning of the browser's clock, in seconds.
    clock_began: Option<f64>,
    /// A dialog is open, and a script has been told.
    has_dialog: bool,
    is_ready: bool,
    is_closed: bool,
    is_crashed: bool,
    /// It is on its way from there to another document, which may not come: until then it is crashed.
    is_reopened: bool,
    moves: u64,
    viewport: Option<(u32, u32)>,
    /// Dialogs that nobody has listened for since the last action.
    dialogs: Vec<String>,
    was_ended: bool,
    /// What it was told to do and has not said yet that it does: the next action waits for that.
    pending: u32,
    /// What is being dragged, as the page has said.
    dragged: Option<Value>,
    /// What the proxy is to be shown when it asks, and whether it has been.
    credentials: Option<Value>,
    has_shown: bool,
    /// Requests whose server has been shown who it is.
    introduced: VecDeque<String>,
}

#[derive(Clone, Default)]
struct Frame {
    /// Which one of all that there have been.
    number: u64,
    parent: Option<String>,
    name: String,
    url: String,
    loader: String,
    /// When its document has come.
    since: Option<Instant>,
    reached: HashSet<String>,
    /// The context of the page's scripts, and of ours.
    main_world: Option<i64>,
    world: Option<i64>,
    /// It has been asked to go somewhere else, and is not there yet.
    leaving: Option<Leaving>,
}

impl State {
    /// A frame, which may be new.
    fn frame(&mut self, id: &str) -> &mut Frame {
        if !self.frames.contains_key(id) {
            self.frame_count += 1;
            self.frames.insert(id.to_owned(), Frame { number: self.frame_count, ..Frame::default() });
        }
        self.frames.entry(id.to_owned()).or_default()
    }
}

impl Frame {
    /// Another document is there, or is about to be.
    fn begin(&mut self, loader: &str) {
        if self.loader != loader {
            loader.clone_into(&mut self.loader);
            self.since = Some(Instant::now());
            self.reached.clear();
        }
    }
}

/// How far a document is on its way out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaving {
    /// Its frame means to go elsewhere, which it may think better of.
    Planned,
    /// What comes next is asked for: it comes, or the frame stops loading.
    UnderWay,
}

/// Where our script is called: a frame, and one of its worlds.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) frame: String,
    pub(crate) context: i64,
}

/// How long something may take.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// So many milliseconds from now; 0 is for ever.
    pub(crate) fn after(timeout: u64) -> Self {
        Self((timeout > 0).then(|| Instant::now() + Duration::from_millis(timeout.min(24 * 60 * 60 * 1000))))
    }

    /// Milliseconds that are left: at least 1, or 0 for ever.
    pub(crate) fn left(self) -> u64 {
        self.0.map_or(0, |at| u64::try_from((at - Instant::now()).as_millis()).unwrap_or(1).max(1))
    }

    pub(crate) fn is_over(self) -> bool {
        self.0.is_some_and(|at| at <= Instant::now())
    }

    async fn over(self) {
        match self.0 {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    fn late(self) -> Self {
        Self(Some(self.0.map_or_else(|| Instant::now() + 24 * 60 * UNRESPONSIVE, |at| at + LATE)))
    }
}

pub(crate) fn closed() -> BrowserError {
    BrowserError::new(Failure::Closed, "the page is closed")
}

pub(crate) fn gone() -> BrowserError {
    BrowserError::new(Failure::Stale, "the browser is gone: it crashed or was killed. The next run has a new one")
}

fn crashed() -> BrowserError {
    BrowserError::new(Failure::Closed, "the page has crashed: `goto` opens it again")
}

impl Page {
    pub(crate) fn new(
        id: PageId,
        target: &str,
        session: &str,
        connection: Arc<Connection>,
        opener: Option<PageId>,
        hub: Option<Arc<Hub>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            target: target.to_owned(),
            session: session.into(),
            connection,
            opener,
            hub,
            state: Mutex::default(),
            changed: watch::Sender::new(0),
            waits: AtomicU64::new(0),
            input: tokio::sync::Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn call(&self, method: &str, params: Value) -> Call {
        self.connection.call(Some(&self.session), method, params)
    }

    pub(crate) fn tell(&self, method: &str, params: &Value) {
        self.connection.tell(Some(&self.session), method, params);
    }

    /// Makes ready a page that waits for it.
    pub(crate) fn set_up(
        self: &Arc<Self>,
        scripts: &[String],
        exposed: &BTreeSet<String>,
        viewport: (u32, u32),
        settings: &Settings,
    ) {
        let page = self.clone();
        let script = json!({ "source": *SCRIPT, "worldName": WORLD, "runImmediately": true });
        let calls = vec![
            page.call("Page.enable", json!({})),
            page.call("Runtime.enable", json!({})),
            page.call("Page.setLifecycleEventsEnabled", json!({ "enabled": true })),
            page.call("Page.addScriptToEvaluateOnNewDocument", script),
            page.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })),
        ];
        let tree = page.call("Page.getFrameTree", json!({}));
        // As many as the context takes.
        exposed.iter().for_each(|name| drop(page.expose(name)));
        scripts.iter().for_each(|source| page.add_script(source));
        page.set_viewport(viewport.0, viewport.1);
        page.configure(|of_page| of_page.clone_from(settings));
        page.tell("Runtime.runIfWaitingForDebugger", &json!({}));
        self.connection.runtime().spawn(async move {
            for call in calls {
                let _ = call.await;
            }
            if let Ok(tree) = tree.await {
                page.take_tree(&tree["frameTree"]);
            }
            page.lock().is_ready = true;
            page.notify();
            // What a page is opened with is no document yet that anybody would look at.
            let is_somewhere = |page: &Self| {
                let state = page.lock();
                let is_there = |main: &Frame| !main.url.is_empty() && main.url != INITIAL;
                state.frames.get(&state.main).is_some_and(is_there).then_some(Ok(()))
            };
            let _ = page.until(Deadline::after(10_000), "its first document", is_somewhere).await;
            page.happened(Happened::Opened { opener: page.opener });
        });
    }

    /// Changes what it is told: what it was and what it is.
    pub(crate) fn change_settings(&self, change: impl FnOnce(&mut Settings)) -> (Settings, Settings) {
        let mut state = self.lock();
        let before = state.settings.clone();
        change(&mut state.settings);
        (before, state.settings.clone())
    }

    /// Ends what runs in the page, if that keeps it from answering for so long.
    pub(crate) fn unstick(self: &Arc<Self>, patience: Duration) {
        let (page, asked) = (self.clone(), self.ask_whether_it_runs());
        // Who comes next waits for it, unless it is a page that is only asked in passing.
        let is_short = patience < LONG;
        self.lock().pending += u32::from(is_short);
        self.connection.runtime().spawn(async move {
            page.end_if_stuck(asked, patience).await;
            page.lock().pending -= u32::from(is_short);
            page.notify();
        });
    }

    /// Ends what keeps the page from being left. Once the next document has come as far as to a renderer that spins nothing reaches that any more.
    pub(crate) async fn free(&self) {
        if !self.lock().is_crashed {
            self.end_if_stuck(self.ask_whether_it_runs(), LONG).await;
        }
        self.caught_up().await;
    }

    fn ask_whether_it_runs(&self) -> Call {
        self.call("Runtime.evaluate", json!({ "expression": "0" }))
    }

    async fn end_if_stuck(&self, asked: Call, patience: Duration) {
        let is_stuck = tokio::time::timeout(patience, asked).await.is_err();
        // A dialog that a script is told of is no reason.
        if is_stuck && !self.lock().has_dialog {
            self.tell("Runtime.terminateExecution", &json!({}));
            self.lock().was_ended = true;
        }
    }

    /// An action waits until these are answered.
    pub(crate) fn await_first(self: &Arc<Self>, calls: Vec<Call>) {
        if calls.is_empty() {
            return;
        }
        self.lock().pending += 1;
        let page = self.clone();
        self.connection.runtime().spawn(async move {
            for call in calls {
                let _ = call.await;
            }
            page.lock().pending -= 1;
            page.notify();
        });
    }

    /// Waits until what was told to the page before is done, and until it is known whether it is stuck with what an earlier action has set going.
    pub(crate) async fn caught_up(&self) {
        let is_done = |page: &Self| {
            let state = page.lock();
            // What has crashed does nothing before it is opened again.
            (state.pending == 0 || state.is_crashed).then_some(Ok(()))
        };
        let _ = self.until(Deadline::after(2000), "the page", is_done).await;
    }

    /// Whether something in the page was ended since this was asked last: its document may not be one any more that can be written to.
    pub(crate) fn take_was_ended(&self) -> bool {
        std::mem::take(&mut self.lock().was_ended)
    }

    pub(crate) fn add_script(&self, source: &str) {
        self.tell("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": source }));
    }

    pub(crate) fn set_viewport(&self, width: u32, height: u32) {
        self.lock().viewport = Some((width, height));
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        );
    }

    fn take_tree(&self, tree: &Value) {
        let frame = &tree["frame"];
        let id = text(&frame["id"]).to_owned();
        let mut state = self.lock();
        if frame["parentId"].is_null() {
            state.main.clone_from(&id);
        }
        let known = state.frame(&id);
        known.name = text(&frame["name"]).to_owned();
        if known.loader.is_empty() {
            known.parent = frame["parentId"].as_str().map(str::to_owned);
            known.url = address(frame);
            text(&frame["loaderId"]).clone_into(&mut known.loader);
            // Whatever it is, it is there.
            known.reached.extend(["DOMContentLoaded", "load", "networkIdle"].map(str::to_owned));
        }
        drop(state);
        tree["childFrames"].as_array().into_iter().flatten().for_each(|child| self.take_tree(child));
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.hub.is_none()
    }

    /// Tells whoever listens. `false` if nobody was told.
    fn happened(&self, what: Happened) -> bool {
        self.hub.as_ref().is_some_and(|hub| hub.tell(self.id, what))
    }

    fn notify(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    /// Has the context keep what its proxy wants to be shown: asked once, it shows it by itself from then on.
    pub(crate) async fn show_pass(&self, nowhere: &str, pass: &Pass) -> Result<(), BrowserError> {
        {
            let mut state = self.lock();
            state.credentials =
                Some(json!({ "response": "ProvideCredentials", "username": pass.user, "password": pass.password }));
        }
        self.tell("Fetch.enable", &json!({ "handleAuthRequests": true, "patterns": [{ "urlPattern": "*" }] }));
        // Nothing is there, so that the page stays where it is.
        let gone = self.call("Page.navigate", json!({ "url": nowhere }));
        let shown = self
            .until(Deadline::after(10_000), "the browser to accept its proxy", |page| {
                page.lock().has_shown.then_some(Ok(()))
            })
            .await;
        let _ = gone.await;
        let disabled = self.call("Fetch.disable", json!({})).await;
        self.lock().credentials = None;
        shown?;
        disabled.map(drop).map_err(|error| BrowserError::new(Failure::Failed, error.to_string()))
    }

    /// From here on its documents are empty, wherever it goes.
    pub(crate) fn answer_itself(&self) {
        self.lock().answers_itself = true;
        self.tell("Fetch.enable", &json!({ "patterns": [{ "urlPattern": "*" }] }));
    }

    pub(crate) fn set_closed(&self) {
        self.lock().is_closed = true;
        self.connection.lose(&self.session);
        self.happened(Happened::Closed);
        self.notify();
    }

    // ---- what is known --------------------------------------------------------------------------------------------------------------

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Where it is, how often it has moved, how large it is shown.
    pub(crate) fn look(&self) -> (String, u64, Option<(u32, u32)>) {
        let state = self.lock();
        let url = state.frames.get(&state.main).map_or("about:blank", |frame| &frame.url);
        let url = if url.is_empty() || url == INITIAL { "about:blank" } else { url };
        (url.to_owned(), state.moves, state.viewport)
    }

    /// What happened that nobody has been told yet.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().dialogs)
    }

    pub(crate) fn has_dragged(&self) -> bool {
        self.lock().dragged.is_some()
    }

    /// What a page has begun to drag.
    pub(crate) fn take_dragged(&self) -> Option<Value> {
        self.lock().dragged.take()
    }

    /// The frame of this name, or the main one.
    pub(crate) fn frame(&self, frame: Option<&String>) -> String {
        frame.cloned().unwrap_or_else(|| self.lock().main.clone())
    }

    pub(crate) fn has_frame(&self, id: &str) -> bool {
        self.lock().frames.contains_key(id)
    }

    /// Its frames, the oldest first.
    pub(crate) fn frames(&self) -> Vec<FrameLook> {
        let state = self.lock();
        let mut frames: Vec<_> = state.frames.iter().collect();
        frames.sort_by_key(|(id, frame)| (**id != state.main, frame.number));
        let look = |(id, frame): (&String, &Frame)| FrameLook {
            id: id.clone(),
            parent: frame.parent.clone(),
            name: frame.name.clone(),
            url: frame.url.clone(),
        };
        frames.into_iter().map(look).collect()
    }

    /// What it has said lately.
    pub(crate) fn said(&self, what: Said) -> Value {
        let state = self.lock();
        match what {
            Said::Console => json!(state.messages),
            Said::Errors => json!(state.errors),
        }
    }

    /// An error of an action, which says more if the page was ended for a reason that is known.
    pub(crate) fn explained(&self, mut error: BrowserError) -> BrowserError {
        if error.kind == Failure::Closed && self.is_closed() {
            return closed();
        }
        if error.kind == Failure::Closed && self.lock().is_crashed {
            error = crashed();
            if let Some(why) = self.connection.noted() {
                error.message = format!("the page was ended, since {why}: `goto` opens it again");
            }
        }
        error
    }

    /// Whether something can be asked of it.
    ///
    /// # Errors
    /// If it has crashed: some of what is asked of such a page ends the browser.
    pub(crate) fn check(&self) -> Result<(), BrowserError> {
        if self.lock().is_crashed { Err(self.explained(crashed())) } else { Ok(()) }
    }

    /// It is sent elsewhere: whatever has become of what it showed, the next document is waited for.
    pub(crate) fn leaves(&self) {
        let mut state = self.lock();
        state.is_reopened = state.is_crashed;
    }

    /// A document of its is written anew: what was reached of the one before does not count.
    pub(crate) fn is_rewritten(&self, frame: &str) {
        if let Some(frame) = self.lock().frames.get_mut(frame) {
            frame.reached.clear();
        }
    }

    pub(crate) fn keeps(&self) {
        self.lock().has_kept = true;
    }

    /// The run is over: what it has kept is let go of, and what waits for its answer goes on without.
    pub(crate) fn run_ends(&self) {
        let mut state = self.lock();
        let (has_kept, has_dialog) = (std::mem::take(&mut state.has_kept), std::mem::take(&mut state.has_dialog));
        drop(state);
        if has_kept {
            for group in [crate::perform::evaluate::KEPT, CONSOLE] {
                self.tell("Runtime.releaseObjectGroup", &json!({ "objectGroup": group }));
            }
        }
        if has_dialog {
            self.tell("Page.handleJavaScriptDialog", &json!({ "accept": false }));
        }
    }

    /// Completes when a dialog has waited for its answer for so long.
    pub(crate) async fn held_up(&self, patience: Duration) {
        let is = |wanted: bool| move |page: &Self| (page.lock().has_dialog == wanted).then_some(Ok(()));
        let forever = Deadline::after(0);
        loop {
            if self.until(forever, "a dialog", is(true)).await.is_err() {
                return std::future::pending().await;
            }
            if tokio::time::timeout(patience, self.until(forever, "its answer", is(false))).await.is_err() {
                return;
            }
        }
    }

    /// Whether a dialog waited for an answer.
    pub(crate) fn take_dialog(&self) -> bool {
        std::mem::take(&mut self.lock().has_dialog)
    }

    /// Waits until `done` gives something, whenever something happens.
    pub(crate) async fn until<T>(
        &self,
        deadline: Deadline,
        what: &str,
        done: impl Fn(&Self) -> Option<Result<T, BrowserError>>,
    ) -> Result<T, BrowserError> {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if let Some(result) = done(self) {
                return result;
            }
            if self.connection.is_gone() {
                return Err(gone());
            }
            if self.is_closed() {
                return Err(closed());
            }
            tokio::select! {
                _ = changed.changed() => {}
                () = deadline.over() => return Err(BrowserError::new(Failure::Timeout, format!("timeout while waiting for {what}"))),
            }
        }
    }

    pub(crate) async fn ready(&self) -> Result<(), BrowserError> {
        let deadline = Deadline::after(10_000);
        self.until(deadline, "the page to open", |page| page.lock().is_ready.then_some(Ok(()))).await
    }

    /// Waits until a frame's document has loaded so far: the one of this loader, or the one that is there.
    pub(crate) async fn loaded(
        &self,
        frame: &str,
        loader: Option<&str>,
        wait: LoadState,
        deadline: Deadline,
    ) -> Result<(), BrowserError> {
        let name = match wait {
            LoadState::Commit => "commit",
            LoadState::DomContentLoaded => "DOMContentLoaded",
            LoadState::NetworkIdle => "networkIdle",
            _ => "load",
        };
        let what = format!("the page to load ({name})");
        self.until(deadline, &what, |page| {
            let state = page.lock();
            if state.is_crashed && !state.is_reopened {
                return Some(Err(crashed()));
            }
            let Some(frame) = state.frames.get(frame) else {
                return (!state.frames.is_empty())
                    .then(|| Err(BrowserError::new(Failure::Failed, "the frame was removed")));
            };
            let is_it = loader.is_none_or(|loader| frame.loader == loader);
            let has = frame.reached.contains(name) || (name == "commit" && frame.world.is_some());
            (is_it && has && (wait == LoadState::Commit || frame.world.is_some())).then_some(Ok(()))
        })
        .await
    }

    /// The same after keys and the mouse, of which the browser says that they have arrived by another way than that by which the page says what came of them.
    pub(crate) async fn settled_after_input(&self, deadline: Deadline) -> Result<(), BrowserError> {
        let said = self.call("Page.enable", json!({}));
        tokio::select! {
            _ = said => {}
            stopped = self.until::<()>(deadline, "the page to answer", |_| None) => stopped?,
        }
        self.settled(deadline).await
    }

    /// If an action has set the page on its way elsewhere, waits until the next document is there; and for a moment until it is parsed, so that who reads it at once reads all of it.
    pub(crate) async fn settled(&self, deadline: Deadline) -> Result<(), BrowserError> {
        let came = self
            .until(deadline, "a navigation that it has started", |page| {
                let state = page.lock();
                let main = state.frames.get(&state.main)?;
                (main.leaving.is_none() || state.is_crashed).then_some(Ok(main.since))
            })
            .await?;
        let Some(came) = came else { return Ok(()) };
        let _ = self
            .until(Deadline(Some(came + PARSED)), "its document to be parsed", |page| {
                let state = page.lock();
                let is_parsed = |main: &Frame| main.reached.contains("DOMContentLoaded");
                (state.is_crashed || state.frames.get(&state.main).is_none_or(is_parsed)).then_some(Ok(()))
            })
            .await;
        Ok(())
    }
}

/// A selector's steps: what is looked for in each document on the way, the last one in the innermost.
pub(crate) fn steps(selector: &[Part]) -> Vec<&[Part]> {
    selector.split(|part| matches!(part, Part::Frame)).collect()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(crate) fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn address(frame: &Value) -> String {
    format!("{}{}", text(&frame["url"]), text(&frame["urlFragment"]))
}

fn remove_frame(frames: &mut BTreeMap<String, Frame>, id: &str) {
    frames.remove(id);
    let children: Vec<String> = frames
        .iter()
        .filter(|(_, frame)| frame.parent.as_deref() == Some(id))
        .map(|(child, _)| child.clone())
        .collect();
    children.iter().for_each(|child| remove_frame(frames, child));
}
