//! What the browser keeps for sites.

use std::sync::Arc;
use std::time::Duration;

use perennial_stdlib::browser::{Answer, BrowserError, Failure, OriginStorage, Storage};
use serde_json::{Value, json};

use super::{called, evaluate};
use crate::input::nothing;
use crate::page::{Deadline, closed, value_of};
use crate::session::Context;

/// Bytes of local storage that are kept of a session.
const MOST: usize = 1 << 20;
/// How long a page has to say what it has stored.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn perform(context: &Arc<Context>, what: Storage) -> Result<Answer, BrowserError> {
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
            let page = context.pages().into_iter().next().ok_or_else(closed)?;
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
        Storage::LocalStorage => Ok(Answer::Value(json!(local_storage(context).await))),
        Storage::SetLocalStorage { origins } => {
            seed(context, &origins).await?;
            Ok(nothing())
        }
        _ => Err(BrowserError::new(Failure::Invalid, "this browser does not know what that is")),
    }
}

/// What the sites that are open have in their local storage.
pub(crate) async fn local_storage(context: &Context) -> Vec<OriginStorage> {
    const READ: &str =
        "() => ({ origin: location.origin, items: location.origin === 'null' ? [] : Object.entries(localStorage) })";
    let (mut found, mut room) = (Vec::<OriginStorage>::new(), MOST);
    for page in context.pages() {
        for frame in page.frames() {
            let read = tokio::time::timeout(PATIENCE, evaluate::in_frame(&page, &frame.id, READ)).await;
            let Ok(Ok(Answer::Value(read))) = read else { continue };
            let Ok(read) = serde_json::from_value::<OriginStorage>(read) else { continue };
            let bytes: usize = read.items.iter().map(|(name, value)| name.len() + value.len()).sum();
            let is_new = !read.items.is_empty() && found.iter().all(|known| known.origin != read.origin);
            if is_new && bytes <= room {
                room -= bytes;
                found.push(read);
            }
        }
    }
    found
}

/// Stores it again, by a page that nobody sees and whose documents are empty.
pub(crate) async fn seed(context: &Arc<Context>, origins: &[OriginStorage]) -> Result<(), BrowserError> {
    if origins.is_empty() {
        return Ok(());
    }
    let page = context.open_quiet_page().await?;
    page.answer_itself();
    let deadline = Deadline::after(10_000);
    let seeded = async {
        for OriginStorage { origin, items } in origins {
            if !["http://", "https://"].iter().any(|scheme| origin.starts_with(scheme)) {
                return Err(BrowserError::new(Failure::Invalid, format!("{origin:?} is no origin of http or https")));
            }
            let gone = called(page.call("Page.navigate", json!({ "url": format!("{origin}/") }))).await?;
            let (frame, commit) = (page.frame(None), perennial_stdlib::browser::LoadState::Commit);
            page.loaded(&frame, gone["loaderId"].as_str(), commit, deadline).await?;
            let spot = page.spot(&frame, false, deadline).await?;
            let store = page.call(
                "Runtime.callFunctionOn",
                json!({
                    "functionDeclaration": "(items) => items.forEach(([name, value]) => localStorage.setItem(name, value))",
                    "executionContextId": spot.context, "arguments": [{ "value": items }], "returnByValue": true,
                }),
            );
            value_of(store.await).map_err(super::failed)?;
        }
        Ok(())
    };
    let seeded = seeded.await;
    let _ = called(context.connection().call(None, "Target.closeTarget", json!({ "targetId": page.target }))).await;
    seeded
}
