//! What the browser says of a page.

use std::collections::VecDeque;
use std::sync::Arc;

use perennial_stdlib::browser::{Credentials, Happened};
use serde_json::{Value, json};

use super::{Leaving, Page, State, WORLD, address, network, remove_frame, said, text};

/// Messages and errors of a page that are kept, each.
const MAX_SAID: usize = 200;
/// Characters of a dialog that a script is told.
const MAX_DIALOG: usize = 4 << 10;

impl Page {
    pub(crate) fn event(self: &Arc<Self>, method: &str, params: &Value) {
        let (mut state, mut happened) = (self.lock(), None);
        match method {
            "Page.frameAttached" => {
                let id = text(&params["frameId"]).to_owned();
                let frame = state.frame(&id);
                frame.parent = params["parentFrameId"].as_str().map(str::to_owned);
                happened = Some(Happened::FrameAttached { frame: id });
            }
            "Page.frameNavigated" => {
                let (given, mut moved) = (&params["frame"], false);
                let id = text(&given["id"]).to_owned();
                if given["parentId"].is_null() {
                    moved = true;
                    state.main.clone_from(&id);
                    (state.is_crashed, state.is_reopened) = (false, false);
                }
                let frame = state.frame(&id);
                frame.name = text(&given["name"]).to_owned();
                frame.parent = given["parentId"].as_str().map(str::to_owned);
                frame.url = address(given);
                frame.leaving = None;
                frame.begin(text(&given["loaderId"]));
                frame.reached.insert("commit".to_owned());
                state.moves += u64::from(moved);
                happened = Some(Happened::FrameNavigated { frame: id });
            }
            "Page.navigatedWithinDocument" => {
                let id = text(&params["frameId"]).to_owned();
                let is_main = id == state.main;
                if let Some(frame) = state.frames.get_mut(&id) {
                    text(&params["url"]).clone_into(&mut frame.url);
                    frame.leaving = None;
                }
                state.moves += u64::from(is_main);
                happened = Some(Happened::FrameNavigated { frame: id });
            }
            "Page.frameDetached" => {
                let id = text(&params["frameId"]);
                // A swap moves it to another process, and it stays.
                if params["reason"] != "swap" {
                    remove_frame(&mut state.frames, id);
                    happened = Some(Happened::FrameDetached { frame: id.to_owned() });
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
            // By the renderer, which tells in its own order: before it says that nothing is planned any more.
            "Page.frameStartedLoading" => {
                if let Some(frame) = state.frames.get_mut(text(&params["frameId"])) {
                    frame.leaving = frame.leaving.map(|_| Leaving::UnderWay);
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
                let is_main = params["frameId"] == *state.main;
                if let Some(frame) = state.frames.get_mut(text(&params["frameId"])) {
                    if params["name"] == "init" {
                        frame.begin(&loader);
                    }
                    if frame.loader == loader {
                        frame.reached.insert(text(&params["name"]).to_owned());
                        happened = match text(&params["name"]) {
                            "DOMContentLoaded" if is_main => Some(Happened::Parsed),
                            "load" if is_main => Some(Happened::Loaded),
                            _ => None,
                        };
                    }
                }
            }
            "Runtime.executionContextCreated" => {
                let context = &params["context"];
                let (id, of) = (context["id"].as_i64(), &context["auxData"]);
                let frame = state.frame(text(&of["frameId"]));
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
                if state.settings.interest.dialogs {
                    // Before it is told: whoever is told may answer at once.
                    state.has_dialog = true;
                    drop(state);
                    let text_of = |name: &str| network::cut(text(&params[name]), MAX_DIALOG);
                    let (message, value) = (text_of("message"), text_of("defaultPrompt"));
                    if self.happened(Happened::Dialog { kind: kind.to_owned(), message, value }) {
                        return self.notify();
                    }
                    state = self.lock();
                    state.has_dialog = false;
                }
                // A page that would rather not be left is left.
                self.tell("Page.handleJavaScriptDialog", &json!({ "accept": kind == "beforeunload" }));
                if kind != "beforeunload" && state.dialogs.len() < 20 {
                    let message: String = text(&params["message"]).chars().take(200).collect();
                    state.dialogs.push(format!("a dialog was dismissed ({kind}): {message}"));
                }
            }
            "Input.dragIntercepted" => state.dragged = Some(params["data"].clone()),
            "Page.javascriptDialogClosed" => state.has_dialog = false,
            "Page.fileChooserOpened" => {
                drop(state);
                return self.choose(params);
            }
            "Runtime.bindingCalled" => {
                drop(state);
                return self.is_called(params);
            }
            "Runtime.consoleAPICalled" => {
                let message = said::message(params);
                state.has_kept |= message.args.iter().any(|argument| argument["object"].is_string());
                push(&mut state.messages, message.clone());
                happened = Some(Happened::Console(message));
            }
            "Runtime.exceptionThrown" => {
                let error = said::thrown(&params["exceptionDetails"]);
                push(&mut state.errors, error.clone());
                happened = Some(Happened::Error(error));
            }
            "Fetch.requestPaused" if state.answers_itself => {
                let headers = json!([{ "name": "Content-Type", "value": "text/html" }]);
                let empty = json!({ "requestId": params["requestId"], "responseCode": 200, "responseHeaders": headers, "body": "" });
                return self.tell("Fetch.fulfillRequest", &empty);
            }
            "Fetch.requestPaused" => {
                // Where a redirect leads is decided where it was asked for.
                let is_asked = state.settings.interest.routes
                    && state.credentials.is_none()
                    && params["redirectedRequestId"].is_null();
                drop(state);
                let told = self.of_network(method, params).filter(|_| is_asked);
                if !told.is_some_and(|told| self.happened(told)) {
                    self.pass_on(params);
                }
                return;
            }
            method if method.starts_with("Network.") => {
                let is_asked = state.settings.interest.network;
                drop(state);
                if let Some(told) = self.of_network(method, params).filter(|_| is_asked) {
                    self.happened(told);
                }
                return;
            }
            "Fetch.authRequired" => {
                let answer = if params["authChallenge"]["source"] == "Proxy" {
                    let answer = state.credentials.clone().filter(|_| !state.has_shown);
                    state.has_shown |= answer.is_some();
                    answer
                } else {
                    state.introduced(params)
                };
                let answer = answer.unwrap_or_else(|| json!({ "response": "CancelAuth" }));
                self.tell(
                    "Fetch.continueWithAuth",
                    &json!({ "requestId": params["requestId"], "authChallengeResponse": answer }),
                );
            }
            "Inspector.targetCrashed" => {
                (state.is_crashed, state.is_reopened) = (true, false);
                state.frames.values_mut().for_each(|frame| (frame.main_world, frame.world) = (None, None));
                drop(state);
                self.connection.lose(&self.session);
                self.happened(Happened::Crashed);
                return self.notify();
            }
            _ => return,
        }
        drop(state);
        if let Some(happened) = happened {
            self.happened(happened);
        }
        self.notify();
    }

    /// Files are asked for: whoever listens is told where to put them.
    fn choose(self: &Arc<Self>, params: &Value) {
        let (page, params) = (self.clone(), params.clone());
        self.connection.runtime().spawn(async move {
            let frame = text(&params["frameId"]).to_owned();
            let Some(world) = page.lock().frames.get(&frame).and_then(|frame| frame.world) else { return };
            let node = json!({ "backendNodeId": params["backendNodeId"], "executionContextId": world });
            let Ok(node) = page.call("DOM.resolveNode", node).await else { return };
            let refer = json!({
                "functionDeclaration": "function() { return __perennial.referenceOf(this); }",
                "objectId": node["object"]["objectId"], "returnByValue": true,
            });
            let Ok(answer) = page.call("Runtime.callFunctionOn", refer).await else { return };
            page.tell("Runtime.releaseObject", &json!({ "objectId": node["object"]["objectId"] }));
            let element = text(&answer["result"]["value"]).to_owned();
            let frame = Some(frame).filter(|frame| *frame != page.frame(None));
            let multiple = params["mode"] == "selectMultiple";
            page.happened(Happened::FileChooser { element, frame, multiple });
        });
    }
}

impl State {
    /// What a server is shown that asks who it is: once for a request, since it is refused if it is asked again.
    fn introduced(&mut self, params: &Value) -> Option<Value> {
        const MOST: usize = 100;
        let (request, origin) = (text(&params["requestId"]), &params["authChallenge"]["origin"]);
        let is_for = |of: &&Credentials| of.origin.as_deref().is_none_or(|known| *origin == known);
        let Credentials { username, password, .. } = self.settings.credentials.iter().find(is_for)?.clone();
        if self.introduced.iter().any(|known| known == request) {
            return None;
        }
        self.introduced.push_back(request.to_owned());
        if self.introduced.len() > MOST {
            self.introduced.pop_front();
        }
        Some(json!({ "response": "ProvideCredentials", "username": username, "password": password }))
    }
}

fn push<T>(said: &mut VecDeque<T>, one: T) {
    if said.len() >= MAX_SAID {
        said.pop_front();
    }
    said.push_back(one);
}
