//! One page: what is known of it from what the browser says, and calls of the script that is ours in each of its documents.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use perennial_stdlib::browser::{BrowserError, Failure, LoadState, PageId, Part};
use perennial_stdlib::net::Pass;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::pipe::{Call, CallError, Connection};

/// The world that our script is in: the page's own scripts do not see it.
const WORLD: &str = "perennial";
/// How long a page has to answer when its run was stopped, until what runs in it is ended.
pub(crate) const SHORT: Duration = Duration::from_millis(100);
/// The same when somebody waits in vain: it may only have much to do.
pub(crate) const LONG: Duration = Duration::from_secs(1);
/// What a page has beyond the timeout of what waits in it, to say that it has run out.
const LATE: Duration = Duration::from_secs(2);
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
    is_ready: bool,
    is_closed: bool,
    is_crashed: bool,
    moves: u64,
    viewport: Option<(u32, u32)>,
    /// Dialogs that nobody has listened for since the last action.
    dialogs: Vec<String>,
    was_ended: bool,
    unsticking: u32,
    /// What is being dragged, as the page has said.
    dragged: Option<Value>,
    /// What the proxy is to be shown when it asks, and whether it has been.
    credentials: Option<Value>,
    has_shown: bool,
}

#[derive(Clone, Default)]
struct Frame {
    parent: Option<String>,
    url: String,
    loader: String,
    reached: HashSet<String>,
    /// The context of the page's scripts, and of ours.
    main_world: Option<i64>,
    world: Option<i64>,
    /// It has been asked to go somewhere else, and is not there yet.
    leaving: Option<Leaving>,
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

fn crashed() -> BrowserError {
    BrowserError::new(Failure::Closed, "the page has crashed: `goto` opens it again")
}

impl Page {
    pub(crate) fn new(id: PageId, target: &str, session: &str, connection: Arc<Connection>) -> Arc<Self> {
        Arc::new(Self {
            id,
            target: target.to_owned(),
            session: session.into(),
            connection,
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
    pub(crate) fn set_up(self: &Arc<Self>, scripts: &[String], viewport: (u32, u32)) {
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
        scripts.iter().for_each(|source| page.add_script(source));
        page.set_viewport(viewport.0, viewport.1);
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
        });
    }

    /// Ends what runs in the page, if that keeps it from answering for so long.
    pub(crate) fn unstick(self: &Arc<Self>, patience: Duration) {
        let (page, asked) = (self.clone(), self.call("Runtime.evaluate", json!({ "expression": "0" })).id);
        // Who comes next waits for it, unless it is a page that is only asked in passing.
        let is_short = patience < LONG;
        self.lock().unsticking += u32::from(is_short);
        self.connection.runtime().spawn(async move {
            tokio::time::sleep(patience).await;
            let is_stuck = page.connection.waits(asked);
            if is_stuck {
                page.tell("Runtime.terminateExecution", &json!({}));
            }
            let mut state = page.lock();
            state.was_ended |= is_stuck;
            state.unsticking -= u32::from(is_short);
            drop(state);
            page.notify();
        });
    }

    /// Waits until it is known whether the page is stuck with what an earlier action has set going.
    pub(crate) async fn unstuck(&self) {
        let soon = Deadline::after(1000);
        let _ = self.until(soon, "the page", |page| (page.lock().unsticking == 0).then_some(Ok(()))).await;
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
        let known = state.frames.entry(id).or_default();
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

    fn notify(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    // ---- what the browser says ------------------------------------------------------------------------------------------------------

    pub(crate) fn event(&self, method: &str, params: &Value) {
        let mut state = self.lock();
        match method {
            "Page.frameAttached" => {
                let frame = state.frames.entry(text(&params["frameId"]).to_owned()).or_default();
                frame.parent = params["parentFrameId"].as_str().map(str::to_owned);
            }
            "Page.frameNavigated" => {
                let (given, mut moved) = (&params["frame"], false);
                let id = text(&given["id"]).to_owned();
                if given["parentId"].is_null() {
                    moved = true;
                    state.main.clone_from(&id);
                    state.is_crashed = false;
                }
                let frame = state.frames.entry(id).or_default();
                frame.parent = given["parentId"].as_str().map(str::to_owned);
                frame.url = address(given);
                frame.leaving = None;
                if frame.loader != text(&given["loaderId"]) {
                    text(&given["loaderId"]).clone_into(&mut frame.loader);
                    frame.reached.clear();
                }
                frame.reached.insert("commit".to_owned());
                state.moves += u64::from(moved);
            }
            "Page.navigatedWithinDocument" => {
                let id = text(&params["frameId"]).to_owned();
                let is_main = id == state.main;
                if let Some(frame) = state.frames.get_mut(&id) {
                    text(&params["url"]).clone_into(&mut frame.url);
                    frame.leaving = None;
                }
                state.moves += u64::from(is_main);
            }
            "Page.frameDetached" => {
                let id = text(&params["frameId"]);
                // A swap moves it to another process, and it stays.
                if params["reason"] != "swap" {
                    remove_frame(&mut state.frames, id);
                }
            }
            "Page.frameRequestedNavigation" | "Page.frameScheduledNavigation" | "Page.frameStartedNavigating" => {
                let is_elsewhere = params["disposition"].as_str().is_none_or(|how| how == "currentTab")
                    && params["navigationType"] != "sameDocument";
                if let Some(frame) = state.frames.get_mut(text(&params["frameId"])).filter(|_| is_elsewhere) {
                    // What was planned is told by the renderer, what is under way by the browser: in whichever order.
                    let is_under = method == "Page.frameStartedNavigating" || frame.leaving == Some(Leaving::UnderWay);
                    frame.leaving = Some(if is_under { Leaving::UnderWay } else { Leaving::Planned });
                }
            }
            // Told too when what was planned begins.
            "Page.frameClearedScheduledNavigation" => {
                if let Some(frame) = state.frames.get_mut(text(&params["frameId"])) {
                    frame.leaving = frame.leaving.filter(|leaving| *leaving == Leaving::UnderWay);
                }
            }
            "Page.frameStoppedLoading" => {
                if let Some(frame) = state.frames.get_mut(text(&params["frameId"])) {
                    frame.leaving = None;
                }
            }
            "Page.lifecycleEvent" => {
                let loader = text(&params["loaderId"]).to_owned();
                if let Some(frame) = state.frames.get_mut(text(&params["frameId"])) {
                    if params["name"] == "init" && frame.loader != loader {
                        frame.loader.clone_from(&loader);
                        frame.reached.clear();
                    }
                    if frame.loader == loader {
                        frame.reached.insert(text(&params["name"]).to_owned());
                    }
                }
            }
            "Runtime.executionContextCreated" => {
                let context = &params["context"];
                let (id, of) = (context["id"].as_i64(), &context["auxData"]);
                let frame = state.frames.entry(text(&of["frameId"]).to_owned()).or_default();
                if of["isDefault"] == true {
                    frame.main_world = id;
                } else if context["name"] == WORLD {
                    frame.world = id;
                }
            }
            "Runtime.executionContextDestroyed" => {
                let id = params["executionContextId"].as_i64();
                for frame in state.frames.values_mut() {
                    frame.main_world = frame.main_world.filter(|known| Some(*known) != id);
                    frame.world = frame.world.filter(|known| Some(*known) != id);
                }
            }
            "Runtime.executionContextsCleared" => {
                state.frames.values_mut().for_each(|frame| (frame.main_world, frame.world) = (None, None));
            }
            "Page.javascriptDialogOpening" => {
                let kind = text(&params["type"]);
                // A page that would rather not be left is left.
                self.tell("Page.handleJavaScriptDialog", &json!({ "accept": kind == "beforeunload" }));
                if kind != "beforeunload" && state.dialogs.len() < 20 {
                    let message: String = text(&params["message"]).chars().take(200).collect();
                    state.dialogs.push(format!("a dialog was dismissed ({kind}): {message}"));
                }
            }
            "Input.dragIntercepted" => state.dragged = Some(params["data"].clone()),
            "Fetch.requestPaused" => {
                self.tell("Fetch.continueRequest", &json!({ "requestId": params["requestId"] }));
                return;
            }
            "Fetch.authRequired" => {
                let is_proxy = params["authChallenge"]["source"] == "Proxy";
                let answer = state.credentials.clone().filter(|_| is_proxy && !state.has_shown);
                state.has_shown |= answer.is_some();
                let answer = answer.unwrap_or_else(|| json!({ "response": "CancelAuth" }));
                self.tell(
                    "Fetch.continueWithAuth",
                    &json!({ "requestId": params["requestId"], "authChallengeResponse": answer }),
                );
            }
            "Inspector.targetCrashed" => {
                state.is_crashed = true;
                state.frames.values_mut().for_each(|frame| (frame.main_world, frame.world) = (None, None));
                drop(state);
                self.connection.lose(&self.session);
                return self.notify();
            }
            _ => return,
        }
        drop(state);
        self.notify();
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

    pub(crate) fn set_closed(&self) {
        self.lock().is_closed = true;
        self.connection.lose(&self.session);
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
        let url = if url.is_empty() { "about:blank" } else { url };
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

    pub(crate) fn main_frame(&self) -> String {
        self.lock().main.clone()
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

    /// Waits until a document has loaded so far: the one of this loader, or the one that is there.
    pub(crate) async fn loaded(
        &self,
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
            if state.is_crashed {
                return Some(Err(crashed()));
            }
            let frame = state.frames.get(&state.main)?;
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

    /// If an action has set a frame on its way elsewhere, waits until it is there.
    pub(crate) async fn settled(&self, deadline: Deadline) -> Result<(), BrowserError> {
        self.until(deadline, "a navigation that it has started", |page| {
            let state = page.lock();
            let main = state.frames.get(&state.main)?;
            (main.leaving.is_none() || state.is_crashed).then_some(Ok(()))
        })
        .await
    }

    // ---- our script -----------------------------------------------------------------------------------------------------------------

    /// The context of a frame's world, when it has one.
    pub(crate) async fn spot(
        &self,
        frame: &str,
        is_main_world: bool,
        deadline: Deadline,
    ) -> Result<Spot, BrowserError> {
        let context = self
            .until(deadline, "the document", |page| {
                let state = page.lock();
                if state.is_crashed {
                    return Some(Err(crashed()));
                }
                let Some(frame) = state.frames.get(frame) else {
                    return Some(Err(BrowserError::new(Failure::Failed, "the frame was removed")));
                };
                let context = if is_main_world { frame.main_world } else { frame.world };
                context.map(Ok)
            })
            .await?;
        Ok(Spot { frame: frame.to_owned(), context })
    }

    /// Calls a function of our script, which may wait there. Dropped, it ends the wait.
    pub(crate) async fn ask(
        &self,
        spot: &Spot,
        name: &str,
        target: &Value,
        how: &Value,
        deadline: Deadline,
    ) -> Result<Value, Asked> {
        let id = self.waits.fetch_add(1, Ordering::Relaxed) + 1;
        let mut target = target.clone();
        target["timeout"] = deadline.left().into();
        let call = self.call(
            "Runtime.callFunctionOn",
            json!({
                "functionDeclaration": "(name, ...given) => __perennial.call(name, ...given)",
                "executionContextId": spot.context,
                "arguments": [{ "value": name }, { "value": id }, { "value": target }, { "value": how }],
                "awaitPromise": true,
                "returnByValue": true,
            }),
        );
        let mut waiting = Asking { page: self, spot, id, is_done: false };
        let answer = tokio::select! {
            answer = call => answer,
            () = deadline.late().over() => {
                return Err(Asked::Failed(BrowserError::new(Failure::Timeout, "the page does not answer: a script in it does not come to an end")));
            }
        };
        waiting.is_done = true;
        // A fault of a selector's; the rest of what is said is about our script.
        let result = value_of(answer).map_err(|asked| match asked {
            Asked::Failed(mut error) => {
                error.message.truncate(error.message.find('\n').unwrap_or(error.message.len()));
                Asked::Failed(error)
            }
            asked => asked,
        })?;
        let log = || strings(&result["log"]);
        match result["error"].as_str() {
            None => Ok(result["value"].clone()),
            Some("timeout") => Err(Asked::Failed(BrowserError::new(Failure::Timeout, "timeout").with_log(log()))),
            Some(kind) => {
                let failure = match kind {
                    "strict" => Failure::Strict,
                    _ => Failure::Failed,
                };
                Err(Asked::Failed(BrowserError::new(failure, text(&result["message"])).with_log(log())))
            }
        }
    }
}

/// Why a question has no answer.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The document has gone meanwhile: it can be asked again of the next.
    Again,
    Failed(BrowserError),
}

impl From<BrowserError> for Asked {
    fn from(error: BrowserError) -> Self {
        Self::Failed(error)
    }
}

/// What stands for a wait in the page.
struct Asking<'a> {
    page: &'a Page,
    spot: &'a Spot,
    id: u64,
    is_done: bool,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        self.page.tell(
            "Runtime.callFunctionOn",
            &json!({
                "functionDeclaration": "(id) => __perennial.call('cancel', id)",
                "executionContextId": self.spot.context,
                "arguments": [{ "value": self.id }],
            }),
        );
    }
}

pub(crate) fn gone() -> BrowserError {
    BrowserError::new(Failure::Stale, "the browser is gone: it crashed or was killed. The next run has a new one")
}

/// What a call in the page gives.
pub(crate) fn value_of(answer: Result<Value, CallError>) -> Result<Value, Asked> {
    let answer = answer.map_err(|error| match error {
        CallError::Refused(why)
            if [
                "Cannot find context",
                "context was destroyed",
                "Inspected target navigated",
                "uniqueContextId not found",
            ]
            .iter()
            .any(|known| why.contains(known)) =>
        {
            Asked::Again
        }
        CallError::Refused(why) => Asked::Failed(BrowserError::new(Failure::Failed, why)),
        CallError::Lost => Asked::Failed(crashed()),
        CallError::Gone => Asked::Failed(gone()),
    })?;
    if let Some(thrown) = answer.get("exceptionDetails") {
        let said = thrown["exception"]["description"].as_str().or_else(|| thrown["exception"]["value"].as_str());
        let message = said.unwrap_or_else(|| text(&thrown["text"]));
        // By us, and for somebody else.
        if message.contains("__perennial is not defined")
            || message.contains("Execution was terminated")
            || text(&thrown["text"]).contains("Execution was terminated")
        {
            return Err(Asked::Again);
        }
        return Err(Asked::Failed(BrowserError::new(Failure::Failed, message)));
    }
    Ok(answer["result"]["value"].clone())
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
