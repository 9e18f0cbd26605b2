//! What the mouse does to elements: our script waits until it can, and judges afterwards what was hit.

use std::time::Duration;

use perennial_stdlib::browser::{Answer, BrowserError, Failure, MouseButton, Place, Selector, Target};
use serde_json::{Value, json};

use super::{UNTIMED, called, failed, frame_owner, innermost, on_elements, try_on_elements};
use crate::input::{modifiers, nothing};
use crate::page::{Asked, Deadline, Page, steps, value_of};
use crate::pipe::Call;

/// How long the page has to say what was hit.
const JUDGED: Duration = Duration::from_secs(2);

pub(super) struct How {
    pub(super) button: MouseButton,
    /// None is to hover.
    pub(super) clicks: u32,
    pub(super) position: Option<Place>,
    pub(super) modifiers: Vec<String>,
    pub(super) delay: u64,
}

impl How {
    fn once() -> Self {
        Self { button: MouseButton::Left, clicks: 1, position: None, modifiers: Vec::new(), delay: 0 }
    }
}

/// Where the document that a selector ends in begins, from the upper left corner of the page.
pub(super) async fn offset(page: &Page, target: &Target, deadline: Deadline) -> Result<(f64, f64), Asked> {
    let steps = steps(&target.selector);
    let frames = &steps[..steps.len() - 1];
    // Where its content is, within its border: for frames in frames too, from the corner of the page.
    let model = match (frames.split_last(), &target.frame) {
        (Some((last, before)), _) => {
            let spot = innermost(page, target, before, deadline).await?;
            let owner = frame_owner(page, &spot, last, deadline).await?;
            let model = called(page.call("DOM.getBoxModel", json!({ "objectId": owner }))).await?;
            page.tell("Runtime.releaseObject", &json!({ "objectId": owner }));
            model
        }
        (None, Some(frame)) if *frame != page.frame(None) => {
            let owner = called(page.call("DOM.getFrameOwner", json!({ "frameId": frame }))).await?;
            called(page.call("DOM.getBoxModel", json!({ "backendNodeId": owner["backendNodeId"] }))).await?
        }
        _ => return Ok((0.0, 0.0)),
    };
    let at = |index: usize| model["model"]["content"][index].as_f64().unwrap_or_default();
    Ok((at(0), at(1)))
}

pub(super) async fn click(page: &Page, target: &Target, how: &How) -> Result<Answer, BrowserError> {
    let deadline = Deadline::after(target.timeout);
    let held = modifiers(&how.modifiers)?;
    let mut log = Vec::new();
    loop {
        match try_click(page, target, how, held, deadline).await {
            Ok(true) => break,
            // Something came in between at the last moment.
            Ok(false) => log.push("something else was hit, which the page has not noticed".to_owned()),
            Err(Asked::Again) => {}
            Err(Asked::Failed(mut error)) => {
                error.log.splice(0..0, log);
                error.log.extend(page.take_notes());
                if error.kind == Failure::Timeout && error.message == "timeout" {
                    error.message = format!("timeout of {} ms", target.timeout);
                }
                return Err(error);
            }
        }
        if deadline.is_over() {
            return Err(BrowserError::new(Failure::Timeout, format!("timeout of {} ms", target.timeout)).with_log(log));
        }
        tokio::task::yield_now().await;
    }
    page.settled(Deadline::after(UNTIMED)).await?;
    Ok(nothing())
}

/// `false` if something else was hit.
async fn try_click(page: &Page, target: &Target, how: &How, held: u32, deadline: Deadline) -> Result<bool, Asked> {
    let given = json!({ "position": how.position, "isHover": how.clicks == 0 });
    let (at, spot) = try_on_elements(page, target, "ready", &given, deadline).await?;
    let (left, top) = offset(page, target, deadline).await?;
    let (x, y) = (at["x"].as_f64().unwrap_or_default() + left, at["y"].as_f64().unwrap_or_default() + top);
    let mut input = page.input.lock().await;
    let before = std::mem::replace(&mut input.modifiers, held);
    let mut calls = vec![page.mouse_to(&mut input, x, y)];
    for click in 1..=how.clicks {
        calls.push(page.mouse_down(&mut input, how.button, click));
        if how.delay > 0 {
            tokio::time::sleep(Duration::from_millis(how.delay)).await;
        }
        calls.push(page.mouse_up(&mut input, how.button, click));
    }
    input.modifiers = before;
    pressed(calls).await?;
    if how.clicks == 0 {
        return Ok(true);
    }
    // The page has done with the mouse. What it tells of what came of that is told before its verdict.
    let verdict = page.call(
        "Runtime.callFunctionOn",
        json!({ "functionDeclaration": "() => __perennial.call('verdict')", "executionContextId": spot.context, "awaitPromise": true, "returnByValue": true }),
    );
    // In a frame whose scripts are off nothing judges, and nothing answers.
    let hit = tokio::time::timeout(JUDGED, verdict).await.map_or(Ok(Value::Bool(true)), value_of);
    match hit {
        Ok(Value::String(_)) if !target.force => Ok(false),
        Ok(_) | Err(Asked::Again) => Ok(true),
        Err(error) => Err(error),
    }
}

/// What the mouse was told has happened. A page that has gone meanwhile has been clicked.
async fn pressed(calls: Vec<Call>) -> Result<(), Asked> {
    for call in calls {
        match value_of(call.await) {
            Ok(_) => {}
            Err(Asked::Again) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(super) async fn check(page: &Page, target: &Target, wanted: bool) -> Result<Answer, BrowserError> {
    let deadline = Deadline::after(target.timeout);
    let before = on_elements(page, target, "checked", &Value::Null, deadline).await?;
    if before["checked"] == wanted {
        return Ok(nothing());
    }
    if before["isRadio"] == true && !wanted {
        return Err(BrowserError::new(Failure::Failed, "a radio button is unchecked by checking another one"));
    }
    click(page, &Target { timeout: deadline.left(), ..target.clone() }, &How::once()).await?;
    let after = on_elements(page, target, "checked", &Value::Null, deadline).await?;
    if after["checked"] == wanted {
        return Ok(nothing());
    }
    Err(BrowserError::new(Failure::Failed, "clicking it has not changed whether it is checked"))
}

pub(super) async fn drag(page: &Page, target: &Target, to: Selector) -> Result<Answer, BrowserError> {
    let deadline = Deadline::after(target.timeout);
    let from = place(page, target, deadline).await?;
    let mut input = page.input.lock().await;
    // What the page drags is told to us instead of the system, which has no pointer here.
    page.take_dragged();
    called(page.call("Input.setInterceptDrags", json!({ "enabled": true }))).await?;
    let to = Target { selector: to, ..target.clone() };
    let dragged = drag_over(page, &mut input, &from, &to, deadline).await;
    // Whatever came of it, nothing is held any more.
    let released = match dragged {
        Ok(true) => {
            input.buttons = 0;
            Ok(())
        }
        _ => called(page.mouse_up(&mut input, MouseButton::Left, 1)).await.map(drop),
    };
    drop(input);
    called(page.call("Input.setInterceptDrags", json!({ "enabled": false }))).await?;
    dragged?;
    released?;
    page.settled_after_input(deadline).await?;
    Ok(nothing())
}

/// Presses here and moves there. `true` if the page has dragged something, which has been dropped then.
async fn drag_over(
    page: &Page,
    input: &mut crate::page::Input,
    from: &Spotted,
    to: &Target,
    deadline: Deadline,
) -> Result<bool, BrowserError> {
    called(page.mouse_to(input, from.x, from.y)).await?;
    called(page.mouse_down(input, MouseButton::Left, 1)).await?;
    let Spotted { x, y, .. } = place(page, to, deadline).await?;
    // What is dragged is noticed by the first movement.
    let moves = [page.mouse_to(input, f64::midpoint(from.x, x), f64::midpoint(from.y, y)), page.mouse_to(input, x, y)];
    // A page that drags may answer a movement when the drag is over; that it does is told before.
    for call in moves {
        tokio::select! {
            moved = called(call) => drop(moved?),
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
    }
    if from.is_draggable {
        // It may forbid that by a script, and then nothing is told.
        let told = Deadline::after(300);
        let _ = page.until(told, "what is dragged", |page| page.has_dragged().then_some(Ok(()))).await;
    }
    let Some(data) = page.take_dragged() else { return Ok(false) };
    for kind in ["dragEnter", "dragOver", "drop"] {
        let params = json!({ "type": kind, "x": x, "y": y, "data": data, "modifiers": input.modifiers });
        called(page.call("Input.dispatchDragEvent", params)).await?;
    }
    Ok(true)
}

/// Where an element is, in the page.
struct Spotted {
    x: f64,
    y: f64,
    is_draggable: bool,
}

async fn place(page: &Page, target: &Target, deadline: Deadline) -> Result<Spotted, BrowserError> {
    let at = on_elements(page, target, "ready", &json!({ "isHover": true }), deadline).await?;
    let (left, top) = offset(page, target, deadline).await.map_err(failed)?;
    let coordinate = |name: &str| at[name].as_f64().unwrap_or_default();
    Ok(Spotted { x: coordinate("x") + left, y: coordinate("y") + top, is_draggable: at["isDraggable"] == true })
}
