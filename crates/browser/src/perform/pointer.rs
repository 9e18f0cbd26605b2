//! What the mouse does to elements: our script waits until it can, and judges afterwards what was hit.

use std::time::Duration;

use perennial_stdlib::browser::{Answer, BrowserError, Failure, MouseButton, Part, Place, Selector, Target};
use serde_json::{Value, json};

use super::{called, failed, frame_owner, innermost, on_elements, try_on_elements};
use crate::input::{modifiers, nothing};
use crate::page::{Asked, Deadline, Page, Spot, steps, value_of};

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
pub(super) async fn offset(page: &Page, selector: &[Part], deadline: Deadline) -> Result<(f64, f64), Asked> {
    let steps = steps(selector);
    let frames = &steps[..steps.len() - 1];
    let Some((last, before)) = frames.split_last() else { return Ok((0.0, 0.0)) };
    let spot = innermost(page, before, deadline).await?;
    let owner = frame_owner(page, &spot, last, deadline).await?;
    // Where its content is, within its border: for frames in frames too, from the corner of the page.
    let model = called(page.call("DOM.getBoxModel", json!({ "objectId": owner }))).await?;
    page.tell("Runtime.releaseObject", &json!({ "objectId": owner }));
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
    page.settled(Deadline::after(30_000)).await?;
    Ok(nothing())
}

/// `false` if something else was hit.
async fn try_click(page: &Page, target: &Target, how: &How, held: u32, deadline: Deadline) -> Result<bool, Asked> {
    let given = json!({ "position": how.position, "isHover": how.clicks == 0 });
    let (at, spot) = try_on_elements(page, target, "ready", &given, deadline).await?;
    let (left, top) = offset(page, &target.selector, deadline).await?;
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
    // The verdict is asked for at once, and waits in the page until the mouse is up.
    let hit = if how.clicks > 0 { verdict(page, &spot).await } else { Ok(Value::Bool(true)) };
    for call in calls {
        match value_of(call.await) {
            Ok(_) => {}
            // A page that has gone has been clicked.
            Err(Asked::Again) => return Ok(true),
            Err(error) => return Err(error),
        }
    }
    match hit {
        Ok(Value::String(_)) if !target.force => Ok(false),
        Ok(_) | Err(Asked::Again) => Ok(true),
        Err(error) => Err(error),
    }
}

async fn verdict(page: &Page, spot: &Spot) -> Result<Value, Asked> {
    let call = page.call(
        "Runtime.callFunctionOn",
        json!({
            "functionDeclaration": "() => __perennial.call('verdict')", "executionContextId": spot.context, "awaitPromise": true, "returnByValue": true,
        }),
    );
    value_of(call.await)
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
    let (from_x, from_y) = place(page, target, deadline).await?;
    let mut input = page.input.lock().await;
    called(page.mouse_to(&mut input, from_x, from_y)).await?;
    called(page.mouse_down(&mut input, MouseButton::Left, 1)).await?;
    let there = place(page, &Target { selector: to, ..target.clone() }, deadline).await;
    let moved = match there {
        Ok((x, y)) => {
            // Twice: what is dragged is noticed by the first movement.
            let halfway = called(page.mouse_to(&mut input, f64::midpoint(from_x, x), f64::midpoint(from_y, y))).await;
            let arrived = called(page.mouse_to(&mut input, x, y)).await;
            halfway.and(arrived).map(drop)
        }
        Err(error) => Err(error),
    };
    // Whatever came of it, the button is not held any more.
    let released = called(page.mouse_up(&mut input, MouseButton::Left, 1)).await;
    drop(input);
    moved.and(released)?;
    page.settled(deadline).await?;
    Ok(nothing())
}

async fn place(page: &Page, target: &Target, deadline: Deadline) -> Result<(f64, f64), BrowserError> {
    let at = on_elements(page, target, "ready", &json!({ "isHover": true }), deadline).await?;
    let (left, top) = offset(page, &target.selector, deadline).await.map_err(failed)?;
    Ok((at["x"].as_f64().unwrap_or_default() + left, at["y"].as_f64().unwrap_or_default() + top))
}
