//! Turns actions into what a browser understands.

mod emulate;
pub(crate) mod evaluate;
mod navigate;
mod network;
mod picture;
mod pointer;
pub(crate) mod storage;

use std::sync::Arc;
use std::time::Duration;

use perennial_stdlib::browser::{Action, Answer, BrowserError, Failure, Key, Mouse, Part, Target, What};
use perennial_stdlib::net::Refusal;
use serde_json::{Value, json};

use crate::input::{all, nothing, unknown};
use crate::keys::key;
use crate::page::{Asked, Deadline, LONG, Page, SHORT, Spot, steps, text, value_of};
use crate::pipe::{Call, CallError};
use crate::session::Context;

/// Milliseconds of what has no timeout of its own.
const UNTIMED: u64 = 30_000;
/// How long a dialog that a script was told of may hold up what else is done in its page.
const DIALOG: Duration = Duration::from_secs(10);

pub(crate) async fn perform(context: &Arc<Context>, action: Action) -> Result<Answer, BrowserError> {
    match action {
        Action::NewPage => Ok(Answer::Value(context.open_page().await?.id.into())),
        Action::InitScript { source } => {
            context.add_script(&source)?;
            Ok(nothing())
        }
        Action::Expose { page: 0, name } => {
            context.expose(&name)?;
            Ok(nothing())
        }
        Action::Storage { what } => storage::perform(context, what).await,
        Action::Emulate { page: 0, what } => emulate::everywhere(context, what).await,
        Action::Close { page } => {
            let page = context.page(page)?;
            called(context.connection().call(None, "Target.closeTarget", json!({ "targetId": page.target }))).await?;
            page.until(Deadline::after(10_000), "the page to close", |page| page.is_closed().then_some(Ok(())))
                .await
                .or_else(|error| if error.kind == Failure::Closed { Ok(()) } else { Err(error) })?;
            Ok(nothing())
        }
        action => on_page(context, action).await,
    }
}

async fn on_page(context: &Arc<Context>, action: Action) -> Result<Answer, BrowserError> {
    let page = context.page(page_of(&action))?;
    // What answers the page waits for nothing in it.
    if !matches!(action, Action::Dialog { .. } | Action::Route { .. } | Action::Said { .. } | Action::Download { .. }) {
        page.caught_up().await;
    }
    if !lives_on(&action) {
        page.check()?;
    }
    let mut under_way = UnderWay { page: &page, is_over: false };
    let done = match action {
        Action::Dialog { .. } => act(context, &page, action).await,
        action => tokio::select! {
            done = act(context, &page, action) => done,
            () = page.held_up(DIALOG) => Err(BrowserError::new(
                Failure::Failed,
                "the page waits for its dialog to be answered: dialog.accept() or dialog.dismiss()",
            )),
        },
    };
    under_way.is_over = true;
    let done = done.map_err(|error| page.explained(error));
    if done.as_ref().is_err_and(|error| error.kind == Failure::Timeout) {
        page.unstick(LONG);
    }
    done
}

/// Whether it can be done to a page that has crashed, too.
fn lives_on(action: &Action) -> bool {
    matches!(
        action,
        Action::Goto { frame: None, .. }
            | Action::Reload { .. }
            | Action::History { .. }
            | Action::Said { .. }
            | Action::Download { .. }
            | Action::Dialog { .. }
            | Action::Route { .. }
            | Action::Body { .. }
    )
}

/// An action that nobody waits for any more: what it has set going in the page ends, if the page does not answer.
struct UnderWay<'a> {
    page: &'a Arc<Page>,
    is_over: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.page.unstick(SHORT);
        }
    }
}

async fn act(context: &Arc<Context>, page: &Arc<Page>, action: Action) -> Result<Answer, BrowserError> {
    match action {
        Action::Goto { frame, url, referer, wait, timeout, .. } => {
            let to = navigate::To { frame: page.frame(frame.as_ref()), url, referer };
            let gone = navigate::go(page, &to, wait, Deadline::after(timeout)).await;
            gone.map_err(|error| match navigate::refusal(context, &to.url) {
                Some(Refusal { is_denied, why }) if error.kind == Failure::Failed => {
                    BrowserError::new(if is_denied { Failure::Denied } else { Failure::Failed }, why)
                }
                _ => error,
            })
        }
        Action::Reload { wait, timeout, .. } => navigate::reload(page, wait, Deadline::after(timeout)).await,
        Action::History { by, wait, timeout, .. } => navigate::along(page, by, wait, Deadline::after(timeout)).await,
        Action::SetContent { frame, html, wait, timeout, .. } => {
            navigate::set_content(page, &page.frame(frame.as_ref()), &html, wait, Deadline::after(timeout)).await
        }
        Action::WaitForLoad { frame, wait, timeout, .. } => {
            page.loaded(&page.frame(frame.as_ref()), None, wait, Deadline::after(timeout)).await?;
            Ok(nothing())
        }
        Action::WaitForMove { moves, timeout, .. } => {
            navigate::moved(page, moves, Deadline::after(timeout)).await?;
            Ok(nothing())
        }
        Action::Content { frame, .. } => ask_page(page, frame, "pageContent").await,
        Action::Title { frame, .. } => {
            evaluate::in_frame(page, &page.frame(frame.as_ref()), "() => document.title").await
        }
        Action::Click { target, button, clicks, position, modifiers, delay } => {
            pointer::click(page, &target, &pointer::How { button, clicks, position, modifiers, delay }).await
        }
        Action::Drag { target, to } => pointer::drag(page, &target, to).await,
        Action::Check { target, checked } => pointer::check(page, &target, checked).await,
        Action::Fill { target, value } => settled(page, &target, "fill", &json!({ "value": value })).await,
        Action::Select { target, options } => settled(page, &target, "choose", &json!({ "options": options })).await,
        Action::SetFiles { target, files } => settled(page, &target, "attach", &json!({ "files": files })).await,
        Action::Do { target, verb } => {
            if !["focus", "blur", "scroll", "select"].contains(&&*verb) {
                return Err(BrowserError::new(
                    Failure::Invalid,
                    format!("{verb:?} is none of focus, blur, scroll and select"),
                ));
            }
            settled(page, &target, "verb", &json!({ "verb": verb })).await
        }
        Action::Dispatch { target, r#type, init } => {
            settled(page, &target, "dispatch", &json!({ "type": r#type, "init": init })).await
        }
        Action::Type { target, text, delay } => {
            let deadline = Deadline::after(target.timeout);
            on_elements(page, &target, "focusOf", &Value::Null, deadline).await?;
            let mut input = page.input.lock().await;
            page.type_text(&mut input, &text, delay).await?;
            page.settled_after_input(deadline).await?;
            Ok(nothing())
        }
        Action::Press { target, key, delay } => {
            let deadline = Deadline::after(target.timeout);
            on_elements(page, &target, "focusOf", &Value::Null, deadline).await?;
            let mut input = page.input.lock().await;
            page.press(&mut input, &key, delay).await?;
            page.settled_after_input(deadline).await?;
            Ok(nothing())
        }
        Action::Query { target, what, name } => query(page, target, what, name).await,
        Action::WaitFor { target, state } => {
            let deadline = Deadline::after(target.timeout);
            on_elements(page, &target, "waitFor", &json!({ "state": state }), deadline).await?;
            Ok(nothing())
        }
        Action::Expect { target, matcher, is_not, how } => {
            let deadline = Deadline::after(target.timeout);
            let mut how = if how.is_object() { how } else { json!({}) };
            how["matcher"] = matcher.into();
            how["isNot"] = is_not.into();
            on_elements(page, &target, "expectThat", &how, deadline).await.map(Answer::Value)
        }
        Action::Evaluate { target, source, is_function, argument, all, handles, subject, keep } => {
            let source =
                evaluate::Source { text: source, is_function, all, handles, has_subject: subject, keeps: keep };
            evaluate::evaluate(page, &target, &source, argument).await
        }
        Action::Release { object, .. } => {
            page.tell("Runtime.releaseObject", &json!({ "objectId": object }));
            Ok(nothing())
        }
        Action::Keyboard { what, text, delay, .. } => {
            let mut input = page.input.lock().await;
            match what {
                Key::Press => page.press(&mut input, &text, delay).await?,
                Key::Type => page.type_text(&mut input, &text, delay).await?,
                Key::Insert => _ = called(page.call("Input.insertText", json!({ "text": text }))).await?,
                Key::Down | Key::Up => {
                    let key = key(&text).ok_or_else(|| unknown(&text))?;
                    let call =
                        if what == Key::Down { page.key_down(&mut input, &key) } else { page.key_up(&mut input, &key) };
                    called(call).await?;
                }
            }
            page.settled_after_input(Deadline::after(UNTIMED)).await?;
            Ok(nothing())
        }
        Action::Mouse { what, x, y, button, clicks, .. } => {
            let mut input = page.input.lock().await;
            let calls = match what {
                Mouse::Move => vec![page.mouse_to(&mut input, x, y)],
                Mouse::Down => vec![page.mouse_down(&mut input, button, clicks.max(1))],
                Mouse::Up => vec![page.mouse_up(&mut input, button, clicks.max(1))],
                Mouse::Wheel => vec![page.wheel(&input, x, y)],
                Mouse::Click => {
                    let mut calls = vec![page.mouse_to(&mut input, x, y)];
                    for click in 1..=clicks.max(1) {
                        calls.push(page.mouse_down(&mut input, button, click));
                        calls.push(page.mouse_up(&mut input, button, click));
                    }
                    calls
                }
            };
            all(calls).await?;
            page.settled_after_input(Deadline::after(UNTIMED)).await?;
            Ok(nothing())
        }
        Action::Viewport { width, height, .. } => {
            const MOST: u32 = 10_000;
            if !(1..=MOST).contains(&width) || !(1..=MOST).contains(&height) {
                return Err(BrowserError::new(
                    Failure::Invalid,
                    format!("a viewport has 1 to {MOST} pixels in each direction, not {width}×{height}"),
                ));
            }
            page.set_viewport(width, height);
            Ok(nothing())
        }
        Action::Snapshot { target, most, is_diff, urls } => {
            let deadline = Deadline::after(target.timeout);
            let how = json!({ "most": most, "isDiff": is_diff, "urls": urls, "all": false });
            on_elements(page, &target, "snapshot", &how, deadline).await.map(Answer::Value)
        }
        Action::Screenshot { target, full_page, format, quality } => {
            picture::screenshot(page, &target, full_page, format, quality).await
        }
        Action::Pdf { landscape, background, .. } => picture::pdf(page, landscape, background).await,
        Action::Dialog { accept, text, .. } => {
            if !page.take_dialog() {
                return Err(BrowserError::new(
                    Failure::Failed,
                    "the dialog has been answered, or its page has gone elsewhere",
                ));
            }
            let text = text.unwrap_or_default();
            called(page.call("Page.handleJavaScriptDialog", json!({ "accept": accept, "promptText": text }))).await?;
            Ok(nothing())
        }
        Action::Said { what, .. } => Ok(Answer::Value(page.said(what))),
        Action::Download { download, what, .. } => context.downloads.perform(download, what).await,
        Action::Body { request, .. } => network::body(page, &request).await,
        Action::Source { frame, .. } => network::source(page, &page.frame(frame.as_ref())).await,
        Action::Route { paused, verdict, .. } => network::route(page, &paused, verdict).await,
        Action::Refer { target, all } => {
            let deadline = Deadline::after(target.timeout);
            let script = if all { "referAll" } else { "refer" };
            on_elements(page, &target, script, &Value::Null, deadline).await.map(Answer::Value)
        }
        Action::Emulate { what, .. } => emulate::on_page(page, what).await,
        Action::Expose { name, .. } => {
            page.expose(&name)?;
            Ok(nothing())
        }
        Action::Front { .. } => {
            insist(page, "Page.bringToFront", json!({}), Deadline::after(UNTIMED)).await?;
            Ok(nothing())
        }
        Action::Markdown { target, most } => {
            let deadline = Deadline::after(target.timeout);
            on_elements(page, &target, "markdown", &json!({ "most": most }), deadline).await.map(Answer::Value)
        }
        // An action of a later version.
        _ => Err(BrowserError::new(Failure::Invalid, "this browser does not know the action")),
    }
}

fn page_of(action: &Action) -> u32 {
    match action {
        Action::Goto { page, .. }
        | Action::Reload { page, .. }
        | Action::History { page, .. }
        | Action::SetContent { page, .. }
        | Action::WaitForLoad { page, .. }
        | Action::WaitForMove { page, .. }
        | Action::Content { page, .. }
        | Action::Title { page, .. }
        | Action::Dialog { page, .. }
        | Action::Said { page, .. }
        | Action::Download { page, .. }
        | Action::Body { page, .. }
        | Action::Source { page, .. }
        | Action::Route { page, .. }
        | Action::Emulate { page, .. }
        | Action::Expose { page, .. }
        | Action::Release { page, .. }
        | Action::Front { page }
        | Action::Keyboard { page, .. }
        | Action::Mouse { page, .. }
        | Action::Viewport { page, .. }
        | Action::Pdf { page, .. }
        | Action::Close { page } => *page,
        Action::Click { target, .. }
        | Action::Drag { target, .. }
        | Action::Fill { target, .. }
        | Action::Type { target, .. }
        | Action::Press { target, .. }
        | Action::Check { target, .. }
        | Action::Select { target, .. }
        | Action::SetFiles { target, .. }
        | Action::Do { target, .. }
        | Action::Dispatch { target, .. }
        | Action::Query { target, .. }
        | Action::WaitFor { target, .. }
        | Action::Expect { target, .. }
        | Action::Evaluate { target, .. }
        | Action::Snapshot { target, .. }
        | Action::Refer { target, .. }
        | Action::Markdown { target, .. }
        | Action::Screenshot { target, .. } => target.page,
        _ => 0,
    }
}

pub(crate) fn failed(error: Asked) -> BrowserError {
    match error {
        Asked::Failed(error) => error,
        Asked::Again => BrowserError::new(Failure::Failed, "the page went elsewhere meanwhile"),
    }
}

/// The answer of a call that is not one of our script's.
pub(crate) async fn called(call: Call) -> Result<Value, BrowserError> {
    call.await.map_err(|error| match error {
        CallError::Refused(why) => BrowserError::new(Failure::Failed, why),
        CallError::Lost => crate::page::closed(),
        CallError::Gone => crate::page::gone(),
    })
}

/// The answer of a page that may be between two documents, which is none then.
async fn insist(page: &Page, method: &str, params: Value, deadline: Deadline) -> Result<Value, BrowserError> {
    loop {
        match called(page.call(method, params.clone())).await {
            Err(error) if error.message.contains("Not attached to an active page") && !deadline.is_over() => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            answer => return answer,
        }
    }
}

// ---- asking our script ------------------------------------------------------------------------------------------------------------------

/// Asks about elements, in whichever frame they are, until there is an answer: a document that goes is no reason to give up.
pub(crate) async fn on_elements(
    page: &Page,
    target: &Target,
    name: &str,
    how: &Value,
    deadline: Deadline,
) -> Result<Value, BrowserError> {
    loop {
        match try_on_elements(page, target, name, how, deadline).await {
            Ok((value, _)) => return Ok(value),
            Err(Asked::Failed(error)) => return Err(explained(page, target, error)),
            Err(Asked::Again) if deadline.is_over() => {
                return Err(explained(page, target, BrowserError::new(Failure::Timeout, "timeout")));
            }
            Err(Asked::Again) => tokio::task::yield_now().await,
        }
    }
}

/// Once. Gives where it was asked, too.
pub(crate) async fn try_on_elements(
    page: &Page,
    target: &Target,
    name: &str,
    how: &Value,
    deadline: Deadline,
) -> Result<(Value, Spot), Asked> {
    let steps = steps(&target.selector);
    // Splitting gives one at least.
    let (frames, last) = (&steps[..steps.len() - 1], steps[steps.len() - 1]);
    let spot = innermost(page, target, frames, deadline).await?;
    let value = page.ask(&spot, name, &as_json(last, target), how, deadline).await?;
    Ok((value, spot))
}

fn as_json(selector: &[Part], target: &Target) -> Value {
    json!({ "selector": selector, "strict": target.strict, "force": target.force })
}

/// The document in a frame in a frame, from the one on that the target begins in.
async fn innermost(page: &Page, target: &Target, frames: &[&[Part]], deadline: Deadline) -> Result<Spot, Asked> {
    let mut spot = page.spot(&page.frame(target.frame.as_ref()), false, deadline).await?;
    for selector in frames {
        let frame = frame_in(page, &spot, selector, deadline).await?;
        spot = match page.spot(&frame, false, deadline).await {
            Ok(spot) => spot,
            Err(error) if error.kind == Failure::Failed => return Err(Asked::Again),
            Err(error) => return Err(error.into()),
        };
    }
    Ok(spot)
}

/// The frame in an element.
async fn frame_in(page: &Page, spot: &Spot, selector: &[Part], deadline: Deadline) -> Result<String, Asked> {
    let owner = frame_owner(page, spot, selector, deadline).await?;
    let node = called(page.call("DOM.describeNode", json!({ "objectId": owner }))).await?;
    page.tell("Runtime.releaseObject", &json!({ "objectId": owner }));
    Ok(text(&node["node"]["frameId"]).to_owned())
}

/// The same of the element that a target says.
async fn content_frame(page: &Page, target: &Target, deadline: Deadline) -> Result<String, Asked> {
    let steps = steps(&target.selector);
    let (frames, last) = (&steps[..steps.len() - 1], steps[steps.len() - 1]);
    let spot = innermost(page, target, frames, deadline).await?;
    frame_in(page, &spot, last, deadline).await
}

/// The element that a frame is in, as an object of the browser's.
async fn frame_owner(page: &Page, spot: &Spot, selector: &[Part], deadline: Deadline) -> Result<String, Asked> {
    let target = json!({ "selector": selector, "strict": true, "force": false });
    page.ask(spot, "frameElement", &target, &Value::Null, deadline).await?;
    let taken = page.call(
        "Runtime.callFunctionOn",
        json!({ "functionDeclaration": "() => __perennial.takeFrame()", "executionContextId": spot.context }),
    );
    let answer = taken.await;
    let object = answer.as_ref().ok().and_then(|answer| answer["result"]["objectId"].as_str()).map(str::to_owned);
    match object {
        Some(object) => Ok(object),
        None => value_of(answer).and(Err(Asked::Again)),
    }
}

/// What a message says of a selector: what it was given as.
fn explained(page: &Page, target: &Target, mut error: BrowserError) -> BrowserError {
    error.log.extend(page.take_notes());
    if error.kind == Failure::Timeout && error.message == "timeout" {
        error.message = format!("timeout of {} ms", target.timeout);
    }
    error
}

async fn ask_page(page: &Page, frame: Option<String>, name: &str) -> Result<Answer, BrowserError> {
    let target = Target { page: page.id, frame, selector: Vec::new(), strict: false, force: false, timeout: 0 };
    on_elements(page, &target, name, &Value::Null, Deadline::after(UNTIMED)).await.map(Answer::Value)
}

/// Something that is done in the page alone, and what it sets going.
async fn settled(page: &Page, target: &Target, name: &str, how: &Value) -> Result<Answer, BrowserError> {
    let deadline = Deadline::after(target.timeout);
    let value = on_elements(page, target, name, how, deadline).await?;
    page.settled(deadline).await?;
    Ok(Answer::Value(value))
}

async fn query(page: &Page, mut target: Target, what: What, name: Option<String>) -> Result<Answer, BrowserError> {
    if what == What::ContentFrame {
        let deadline = Deadline::after(target.timeout);
        return content_frame(page, &target, deadline).await.map(|frame| Answer::Value(frame.into())).map_err(failed);
    }
    let waits = !matches!(what, What::Visible | What::Count | What::AllTextContents | What::AllInnerTexts);
    let script = match what {
        What::Visible => "visible",
        What::Count | What::AllTextContents | What::AllInnerTexts => "all",
        _ => "one",
    };
    // What does not wait has the time that a document takes to come.
    let deadline = Deadline::after(if waits { target.timeout } else { UNTIMED });
    target.strict &= script != "all";
    let asked = on_elements(page, &target, script, &json!({ "what": what, "name": name }), deadline).await;
    match (asked, what) {
        (Ok(mut value), What::Box) if !value.is_null() => {
            // In a frame, from where that is.
            let (x, y) = pointer::offset(page, &target, deadline).await.map_err(failed)?;
            value["x"] = (value["x"].as_f64().unwrap_or_default() + x).into();
            value["y"] = (value["y"].as_f64().unwrap_or_default() + y).into();
            Ok(Answer::Value(value))
        }
        (asked, _) => asked.map(Answer::Value),
    }
}
