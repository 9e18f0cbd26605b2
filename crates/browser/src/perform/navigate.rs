//! Going somewhere.

use std::sync::Arc;

use perennial_stdlib::browser::{Answer, BrowserError, Failure, LoadState};
use perennial_stdlib::net::Refusal;
use serde_json::json;

use super::{evaluate, failed, insist};
use crate::input::nothing;
use crate::page::{Deadline, Page, value_of};
use crate::session::Context;

/// Addresses that a page may be sent to. Everything else a browser knows is its own, or the machine's.
const SCHEMES: &[&str] = &["http:", "https:", "data:", "blob:"];

/// Why the proxy has let nothing through to where a page was sent.
pub(super) fn refusal(context: &Context, url: &str) -> Option<Refusal> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.to_ascii_lowercase();
    let host = host.strip_suffix(if scheme == "https" { ":443" } else { ":80" }).unwrap_or(&host);
    context.pass.as_ref()?.refusal(&format!("{}://{host}", scheme.to_ascii_lowercase()))
}

/// Where a frame is sent.
pub(super) struct To {
    pub(super) frame: String,
    pub(super) url: String,
    pub(super) referer: Option<String>,
}

pub(super) async fn go(page: &Arc<Page>, to: &To, wait: LoadState, deadline: Deadline) -> Result<Answer, BrowserError> {
    let url = &*to.url;
    let Some((scheme, _)) = url.split_once(':') else {
        let message = format!("{url:?} is no address: say all of it, as in https://example.com/page");
        return Err(BrowserError::new(Failure::Invalid, message));
    };
    let scheme = scheme.to_ascii_lowercase() + ":";
    if url != "about:blank" && !SCHEMES.contains(&&*scheme) {
        let message = format!(
            "going to {url:?} is not permitted: pages go to http:, https:, data: and blob: addresses and to about:blank"
        );
        return Err(BrowserError::new(Failure::Denied, message));
    }
    let (moves, waiting) = (page.look().1, format!("{url} to answer"));
    let mut params = json!({ "url": url, "frameId": to.frame });
    if let Some(referer) = &to.referer {
        params["referrer"] = referer.clone().into();
    }
    page.free().await;
    page.leaves();
    let navigating = insist(page, "Page.navigate", params, deadline);
    let answer = tokio::select! {
        answer = navigating => answer?,
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
        Some(loader) => arrived(page, &to.frame, Some(loader), wait, deadline).await,
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
    frame: &str,
    loader: Option<&str>,
    wait: LoadState,
    deadline: Deadline,
) -> Result<Answer, BrowserError> {
    page.loaded(frame, loader, LoadState::Commit, deadline).await?;
    page.loaded(frame, loader, wait, deadline).await?;
    let status = "() => { const [entry] = performance.getEntriesByType('navigation'); return { url: location.href, status: entry?.responseStatus ?? 0 }; }";
    match evaluate::in_frame(page, frame, status).await {
        Ok(Answer::Value(answer)) if answer["status"].as_u64().is_some_and(|status| status > 0) => {
            Ok(Answer::Value(answer))
        }
        Ok(_) => Ok(nothing()),
        Err(error) => Err(error),
    }
}

pub(super) async fn moved(page: &Page, moves: u64, deadline: Deadline) -> Result<(), BrowserError> {
    page.until(deadline, "a navigation", |page| (page.look().1 > moves).then_some(Ok(()))).await
}

pub(super) async fn reload(page: &Page, wait: LoadState, deadline: Deadline) -> Result<Answer, BrowserError> {
    page.free().await;
    page.leaves();
    let moves = page.look().1;
    insist(page, "Page.reload", json!({}), deadline).await?;
    moved(page, moves, deadline).await?;
    arrived(page, &page.frame(None), None, wait, deadline).await
}

/// Back or forward in its history: `false` if there is nothing.
pub(super) async fn along(page: &Page, by: i32, wait: LoadState, deadline: Deadline) -> Result<Answer, BrowserError> {
    let history = insist(page, "Page.getNavigationHistory", json!({}), deadline).await?;
    let at = history["currentIndex"].as_i64().unwrap_or(0) + i64::from(by);
    let entry = usize::try_from(at).ok().and_then(|at| history["entries"].get(at));
    let Some(entry) = entry else { return Ok(Answer::Value(false.into())) };
    page.free().await;
    page.leaves();
    let moves = page.look().1;
    insist(page, "Page.navigateToHistoryEntry", json!({ "entryId": entry["id"] }), deadline).await?;
    moved(page, moves, deadline).await?;
    arrived(page, &page.frame(None), None, wait, deadline).await
}

pub(super) async fn set_content(
    page: &Arc<Page>,
    frame: &str,
    html: &str,
    wait: LoadState,
    deadline: Deadline,
) -> Result<Answer, BrowserError> {
    if page.take_was_ended() {
        let nowhere = To { frame: page.frame(None), url: "about:blank".to_owned(), referer: None };
        go(page, &nowhere, LoadState::Load, deadline).await?;
    }
    let spot = page.spot(frame, false, deadline).await?;
    page.is_rewritten(frame);
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
    page.loaded(frame, None, wait, deadline).await?;
    Ok(nothing())
}
