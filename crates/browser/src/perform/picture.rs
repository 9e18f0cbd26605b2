//! Pages as files.

use base64::Engine as _;
use perennial_stdlib::browser::{Answer, BrowserError, Failure, Format, Target, What};
use serde_json::{Value, json};

use super::{UNTIMED, insist, on_elements, query};
use crate::input::nothing;
use crate::page::{Deadline, Page, text};

pub(super) async fn pdf(page: &Page, landscape: bool, background: bool) -> Result<Answer, BrowserError> {
    let params = json!({ "landscape": landscape, "printBackground": background });
    file(&insist(page, "Page.printToPDF", params, Deadline::after(UNTIMED)).await?)
}

pub(super) async fn screenshot(
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
        let metrics = insist(page, "Page.getLayoutMetrics", json!({}), deadline).await?;
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
        let metrics = insist(page, "Page.getLayoutMetrics", json!({}), deadline).await?;
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
    let taken = insist(page, "Page.captureScreenshot", params, deadline);
    tokio::select! {
        taken = taken => file(&taken?),
        error = page.until::<()>(deadline, "the picture", |_| None) => Err(error.err().unwrap_or_else(crate::page::closed)),
    }
}

fn file(answer: &Value) -> Result<Answer, BrowserError> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text(&answer["data"]));
    bytes.map(Answer::Bytes).map_err(|_| BrowserError::new(Failure::Failed, "the browser has sent no file"))
}
