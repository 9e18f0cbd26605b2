//! Calls of the script that is ours in each of a page's documents.

use std::sync::atomic::Ordering;

use perennial_stdlib::browser::{BrowserError, Failure};
use serde_json::{Value, json};

use super::{Deadline, Page, Spot, crashed, gone, strings, text};
use crate::pipe::CallError;

impl Page {
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
                return Err(Asked::Failed(BrowserError::new(Failure::Timeout, "the page does not answer: a script in it does not come to an end, or there is too much in it")));
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
        CallError::Refused(why) if why.contains("Could not find object with given id") => {
            Asked::Failed(BrowserError::new(
                Failure::Failed,
                "the handle was let go of: its run is over, its page went elsewhere, or it was disposed of",
            ))
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
