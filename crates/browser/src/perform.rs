//! Turns actions into what a browser understands.

mod evaluate;
mod pointer;

use std::sync::Arc;

use base64::Engine as _;
use perennial_stdlib::browser::{
    Action, Answer, BrowserError, Failure, Format, Key, LoadState, Mouse, Part, Storage, Target, What,
};
use serde_json::{Value, json};

use crate::input::{all, nothing, unknown};
use crate::keys::key;
use crate::page::{Asked, Deadline, LONG, Page, SHORT, Spot, steps, text, value_of};
use crate::pipe::{Call, CallError};
use crate::session::Context;

/// Addresses that a page may be sent to. Everything else a browser knows is its own, or the machine's.
const SCHEMES: &[&str] = &["http:", "https:", "data:", "blob:"];

pub(crate) async fn perform(context: &Arc<Context>, action: Action) -> Result<Answer, BrowserError> {
    match action {
        Action::NewPage => Ok(Answer::Value(context.open_page().await?.id.into())),
        Action::InitScript { source } => {
            context.add_script(&source)?;
            Ok(nothing())
        }
        Action::Storage { what } => storage(context, what).await,
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
    page.unstuck().await;
    let mut under_way = UnderWay { page: &page, is_over: false };
    let done = act(context, &page, action).await;
    under_way.is_over = true;
    if done.as_ref().is_err_and(|error| error.kind == Failure::Timeout) {
        page.unstick(LONG);
    }
    done
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
        Action::Goto { url, wait, timeout, .. } => {
            let gone = go(page, &url, wait, Deadline::after(timeout)).await;
            gone.map_err(|error| match refusal(context, &url) {
                Some(why) if error.kind == Failure::Failed => BrowserError::new(Failure::Denied, why),
                _ => error,
            })
        }
        Action::Reload { wait, timeout, .. } => {
            let deadline = Deadline::after(timeout);
            let moves = page.look().1;
            insist(page, "Page.reload", json!({}), deadline).await?;
            moved(page, moves, deadline).await?;
            arrived(page, None, wait, deadline).await
        }
        Action::History { by, wait, timeout, .. } => {
            let deadline = Deadline::after(timeout);
            let history = insist(page, "Page.getNavigationHistory", json!({}), deadline).await?;
            let at = history["currentIndex"].as_i64().unwrap_or(0) + i64::from(by);
            let entry = usize::try_from(at).ok().and_then(|at| history["entries"].get(at));
            let Some(entry) = entry else { return Ok(Answer::Value(false.into())) };
            let moves = page.look().1;
            insist(page, "Page.navigateToHistoryEntry", json!({ "entryId": entry["id"] }), deadline).await?;
            moved(page, moves, deadline).await?;
            arrived(page, None, wait, deadline).await
        }
        Action::SetContent { html, wait, timeout, .. } => {
            let deadline = Deadline::after(timeout);
            if page.take_was_ended() {
                go(page, "about:blank", LoadState::Load, deadline).await?;
            }
            let frame = page.main_frame();
            let spot = page.spot(&frame, false, deadline).await?;
            // Written by the document itself, so that its scripts run as those of a page do; its states of loading begin anew.
            let write = "(html) => { stop(); document.open(); document.write(html); document.close(); }";
            let answer = page.call(
                "Runtime.callFunctionOn",
                json!({ "functionDeclaration": write, "executionContextId": spot.context, "arguments": [{ "value": html }] }),
            );
            tokio::select! {
                answer = answer => drop(value_of(answer).map_err(failed)?),
                error = page.until::<()>(deadline, "the document to be written", |_| None) => return Err(error.err().unwrap_or_else(crate::page::closed)),
            }
            page.loaded(None, wait, deadline).await?;
            Ok(nothing())
        }
        Action::WaitForLoad { wait, timeout, .. } => {
            page.loaded(None, wait, Deadline::after(timeout)).await?;
            Ok(nothing())
        }
        Action::WaitForMove { moves, timeout, .. } => {
            moved(page, moves, Deadline::after(timeout)).await?;
            Ok(nothing())
        }
        Action::Content { .. } => ask_page(page, "pageContent").await,
        Action::Title { .. } => evaluate::in_main_frame(page, "() => document.title").await,
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
        Action::Evaluate { target, source, is_function, argument, all } => {
            evaluate::evaluate(page, &target, &evaluate::Source { text: source, is_function, all }, argument).await
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
            page.settled_after_input(Deadline::after(30_000)).await?;
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
            page.settled_after_input(Deadline::after(30_000)).await?;
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
            screenshot(page, &target, full_page, format, quality).await
        }
        Action::Pdf { landscape, background, .. } => {
            let params = json!({ "landscape": landscape, "printBackground": background });
            file(&called(page.call("Page.printToPDF", params)).await?)
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
        | Action::Content { page }
        | Action::Title { page }
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

/// The same of a page that may be between two documents, which is none then.
async fn insist(page: &Page, method: &str, params: Value, deadline: Deadline) -> Result<Value, BrowserError> {
    loop {
        match called(page.call(method, params.clone())).await {
            Err(error) if error.message.contains("Not attached to an active page") && !deadline.is_over() => {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            answer => return answer,
        }
    }
}

// ---- going somewhere --------------------------------------------------------------------------------------------------------------------

/// Why the proxy has let nothing through to where a page was sent.
fn refusal(context: &Context, url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.to_ascii_lowercase();
    let host = host.strip_suffix(if scheme == "https" { ":443" } else { ":80" }).unwrap_or(&host);
    context.pass.refusal(&format!("{}://{host}", scheme.to_ascii_lowercase()))
}

async fn go(page: &Arc<Page>, url: &str, wait: LoadState, deadline: Deadline) -> Result<Answer, BrowserError> {
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase() + ":";
    if url != "about:blank" && !SCHEMES.contains(&&*scheme) {
        let message = format!(
            "going to {url:?} is not permitted: pages go to http:, https:, data: and blob: addresses and to about:blank"
        );
        return Err(BrowserError::new(Failure::Denied, message));
    }
    let (moves, waiting) = (page.look().1, format!("{url} to answer"));
    // A page that spins would hold this up.
    page.unstick(LONG);
    let navigating = page.call("Page.navigate", json!({ "url": url }));
    let answer = tokio::select! {
        answer = called(navigating) => answer?,
        // A page that never answers holds this up.
        error = page.until::<()>(deadline, &waiting, |_| None) => {
            page.tell("Page.stopLoading", &json!({}));
            return Err(error.err().unwrap_or_else(crate::page::closed));
        }
    };
    if let Some(why) = answer["errorText"].as_str() {
        let url: String = url.chars().take(200).collect();
        return Err(BrowserError::new(Failure::Failed, format!("{why} at {url}")));
    }
    match answer["loaderId"].as_str() {
        Some(loader) => arrived(page, Some(loader), wait, deadline).await,
        // Within the same document nothing is loaded.
        None => {
            let within = Deadline::after(1000);
            let _ = moved(page, moves, within).await;
            Ok(nothing())
        }
    }
}

/// Waits until a document is there, and says what the answer was that it came with.
async fn arrived(
    page: &Page,
    loader: Option<&str>,
    wait: LoadState,
    deadline: Deadline,
) -> Result<Answer, BrowserError> {
    page.loaded(loader, LoadState::Commit, deadline).await?;
    page.loaded(loader, wait, deadline).await?;
    let status = "() => { const [entry] = performance.getEntriesByType('navigation'); return { url: location.href, status: entry?.responseStatus ?? 0 }; }";
    match evaluate::in_main_frame(page, status).await {
        Ok(Answer::Value(answer)) if answer["status"].as_u64().is_some_and(|status| status > 0) => {
            Ok(Answer::Value(answer))
        }
        Ok(_) => Ok(nothing()),
        Err(error) => Err(error),
    }
}

async fn moved(page: &Page, moves: u64, deadline: Deadline) -> Result<(), BrowserError> {
    page.until(deadline, "a navigation", |page| (page.look().1 > moves).then_some(Ok(()))).await
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
    let spot = innermost(page, frames, deadline).await?;
    let value = page.ask(&spot, name, &as_json(last, target), how, deadline).await?;
    Ok((value, spot))
}

fn as_json(selector: &[Part], target: &Target) -> Value {
    json!({ "selector": selector, "strict": target.strict, "force": target.force })
}

/// The document in a frame in a frame.
async fn innermost(page: &Page, frames: &[&[Part]], deadline: Deadline) -> Result<Spot, Asked> {
    let mut spot = page.spot(&page.main_frame(), false, deadline).await?;
    for selector in frames {
        let owner = frame_owner(page, &spot, selector, deadline).await?;
        let node = called(page.call("DOM.describeNode", json!({ "objectId": owner }))).await?;
        let frame = text(&node["node"]["frameId"]).to_owned();
        page.tell("Runtime.releaseObject", &json!({ "objectId": owner }));
        spot = match page.spot(&frame, false, deadline).await {
            Ok(spot) => spot,
            Err(error) if error.kind == Failure::Failed => return Err(Asked::Again),
            Err(error) => return Err(error.into()),
        };
    }
    Ok(spot)
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

async fn ask_page(page: &Page, name: &str) -> Result<Answer, BrowserError> {
    let target = Target { page: page.id, selector: Vec::new(), strict: false, force: false, timeout: 0 };
    on_elements(page, &target, name, &Value::Null, Deadline::after(30_000)).await.map(Answer::Value)
}

/// Something that is done in the page alone, and what it sets going.
async fn settled(page: &Page, target: &Target, name: &str, how: &Value) -> Result<Answer, BrowserError> {
    let deadline = Deadline::after(target.timeout);
    let value = on_elements(page, target, name, how, deadline).await?;
    page.settled(deadline).await?;
    Ok(Answer::Value(value))
}

async fn query(page: &Page, mut target: Target, what: What, name: Option<String>) -> Result<Answer, BrowserError> {
    let waits = !matches!(what, What::Visible | What::Count | What::AllTextContents | What::AllInnerTexts);
    let script = match what {
        What::Visible => "visible",
        What::Count | What::AllTextContents | What::AllInnerTexts => "all",
        _ => "one",
    };
    // What does not wait has the time that a document takes to come.
    let deadline = Deadline::after(if waits { target.timeout } else { 30_000 });
    target.strict &= script != "all";
    let asked = on_elements(page, &target, script, &json!({ "what": what, "name": name }), deadline).await;
    match (asked, what) {
        (Ok(mut value), What::Box) if !value.is_null() => {
            // In a frame, from where that is.
            let (x, y) = pointer::offset(page, &target.selector, deadline).await.map_err(failed)?;
            value["x"] = (value["x"].as_f64().unwrap_or_default() + x).into();
            value["y"] = (value["y"].as_f64().unwrap_or_default() + y).into();
            Ok(Answer::Value(value))
        }
        (asked, _) => asked.map(Answer::Value),
    }
}

// ---- files ------------------------------------------------------------------------------------------------------------------------------

async fn screenshot(
    page: &Page,
    target: &Target,
    full_page: bool,
    format: Format,
    quality: Option<u8>,
) -> Result<Answer, BrowserError> {
    /// What a picture may have on a side: more Chromium does not draw.
    const MOST: f64 = 16_384.0;
    let deadline = Deadline::after(target.timeout);
    let mut params = json!({ "format": format });
    if let (Format::Jpeg, Some(quality)) = (format, quality) {
        params["quality"] = quality.min(100).into();
    }
    let clip = if !target.selector.is_empty() {
        let on_view = Target { strict: true, ..target.clone() };
        on_elements(page, &on_view, "verb", &json!({ "verb": "scroll" }), deadline).await?;
        let found = query(page, on_view, What::Box, None).await?;
        let Answer::Value(found) = found else { return Ok(nothing()) };
        if found.is_null() {
            return Err(BrowserError::new(
                Failure::Failed,
                "the element is not visible, so that there is nothing to take a picture of",
            ));
        }
        let metrics = called(page.call("Page.getLayoutMetrics", json!({}))).await?;
        let view = &metrics["cssVisualViewport"];
        let from =
            |value: &Value, offset: &Value| value.as_f64().unwrap_or_default() + offset.as_f64().unwrap_or_default();
        Some((
            from(&found["x"], &view["pageX"]),
            from(&found["y"], &view["pageY"]),
            from(&found["width"], &Value::Null),
            from(&found["height"], &Value::Null),
        ))
    } else if full_page {
        let metrics = called(page.call("Page.getLayoutMetrics", json!({}))).await?;
        let size = &metrics["cssContentSize"];
        Some((0.0, 0.0, size["width"].as_f64().unwrap_or_default(), size["height"].as_f64().unwrap_or_default()))
    } else {
        None
    };
    if let Some((x, y, width, height)) = clip {
        params["clip"] =
            json!({ "x": x, "y": y, "width": width.clamp(1.0, MOST), "height": height.clamp(1.0, MOST), "scale": 1 });
        params["captureBeyondViewport"] = true.into();
    }
    let taken = called(page.call("Page.captureScreenshot", params));
    tokio::select! {
        taken = taken => file(&taken?),
        error = page.until::<()>(deadline, "the picture", |_| None) => Err(error.err().unwrap_or_else(crate::page::closed)),
    }
}

fn file(answer: &Value) -> Result<Answer, BrowserError> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text(&answer["data"]));
    bytes.map(Answer::Bytes).map_err(|_| BrowserError::new(Failure::Failed, "the browser has sent no file"))
}

// ---- what sites keep --------------------------------------------------------------------------------------------------------------------

async fn storage(context: &Context, what: Storage) -> Result<Answer, BrowserError> {
    let call = |method: &str, mut params: Value| {
        params["browserContextId"] = context.id.clone().into();
        called(context.connection().call(None, method, params))
    };
    match what {
        Storage::Cookies { urls } => {
            if urls.is_empty() {
                let all = call("Storage.getCookies", json!({})).await?;
                return Ok(Answer::Value(all["cookies"].clone()));
            }
            let page = context.pages().into_iter().next().ok_or_else(crate::page::closed)?;
            let some = called(page.call("Network.getCookies", json!({ "urls": urls }))).await?;
            Ok(Answer::Value(some["cookies"].clone()))
        }
        Storage::AddCookies { cookies } => {
            call("Storage.setCookies", json!({ "cookies": cookies })).await?;
            Ok(nothing())
        }
        Storage::ClearCookies => {
            call("Storage.clearCookies", json!({})).await?;
            Ok(nothing())
        }
        _ => Err(BrowserError::new(Failure::Invalid, "this browser does not know what that is")),
    }
}
