//! What a script does with requests and answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use perennial_stdlib::browser::{Answer, BrowserError, Failure, Verdict};
use serde_json::{Value, json};

use super::{UNTIMED, called, insist};
use crate::input::nothing;
use crate::page::{Deadline, Page, text};

/// The body of an answer.
pub(super) async fn body(page: &Page, request: &str) -> Result<Answer, BrowserError> {
    let answer = called(page.call("Network.getResponseBody", json!({ "requestId": request }))).await;
    let answer = answer.map_err(|error| {
        let why = format!("the browser does not have the body (any more): {}", error.message);
        BrowserError::new(error.kind, why)
    })?;
    bytes(&answer["body"], answer["base64Encoded"] == true)
}

/// A frame's document as it came.
pub(super) async fn source(page: &Page, frame: &str) -> Result<Answer, BrowserError> {
    let url = page.frames().into_iter().find(|known| known.id == frame).map(|known| known.url);
    let params = json!({ "frameId": frame, "url": url.as_deref().and_then(|url| url.split('#').next()) });
    let answer = insist(page, "Page.getResourceContent", params, Deadline::after(UNTIMED)).await?;
    bytes(&answer["content"], answer["base64Encoded"] == true)
}

fn bytes(body: &Value, is_encoded: bool) -> Result<Answer, BrowserError> {
    if !is_encoded {
        return Ok(Answer::Bytes(text(body).as_bytes().to_vec()));
    }
    let bytes = STANDARD.decode(text(body));
    bytes.map(Answer::Bytes).map_err(|_| BrowserError::new(Failure::Failed, "the browser has sent no file"))
}

pub(super) async fn route(page: &Page, paused: &str, verdict: Verdict) -> Result<Answer, BrowserError> {
    let pairs = |headers: &[(String, String)]| -> Value {
        headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    let (method, mut params) = match verdict {
        Verdict::Continue { url, method, headers, body } => {
            let mut params = json!({});
            let given = [
                ("url", url.map(Value::from)),
                ("method", method.map(Value::from)),
                ("postData", body.map(Value::from)),
            ];
            given.into_iter().for_each(|(name, value)| value.into_iter().for_each(|value| params[name] = value));
            if let Some(headers) = headers {
                params["headers"] = pairs(&headers);
            }
            ("Fetch.continueRequest", params)
        }
        Verdict::Fulfill { status, headers, body } => (
            "Fetch.fulfillRequest",
            json!({ "responseCode": status, "responseHeaders": pairs(&headers), "body": body }),
        ),
        Verdict::Abort { why } => ("Fetch.failRequest", json!({ "errorReason": why })),
        _ => return Err(BrowserError::new(Failure::Invalid, "this browser does not know the verdict")),
    };
    params["requestId"] = paused.into();
    let mut answer = called(page.call(method, params.clone())).await;
    // A status that has no name of its own is given one.
    if answer.as_ref().is_err_and(|error| error.message.contains("Invalid http status code or phrase")) {
        params["responsePhrase"] = "Unknown".into();
        answer = called(page.call(method, params)).await;
    }
    match answer {
        // Its page has gone elsewhere meanwhile, which is nobody's fault.
        Err(error) if error.message.contains("Invalid InterceptionId") => Ok(nothing()),
        answer => answer.map(|_| nothing()),
    }
}
