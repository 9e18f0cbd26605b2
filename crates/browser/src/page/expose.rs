//! Functions of a script's that scripts in its pages can call.

use std::sync::Arc;

use perennial_stdlib::browser::{BrowserError, Failure, Happened};
use serde_json::{Value, json};

use super::{Page, text};

/// What a call tells the browser by.
const BINDING: &str = "__perennialCall";
/// Functions of a page, and bytes of a name.
const MOST: usize = 100;
const MAX_NAME: usize = 200;

/// Whether there is room for one more.
///
/// # Errors
/// If there are too many, or its name is too long.
pub(crate) fn check(count: usize, name: &str) -> Result<(), BrowserError> {
    if count < MOST && name.len() <= MAX_NAME {
        return Ok(());
    }
    let message = format!("a page has at most {MOST} functions that are exposed, with names of {MAX_NAME} bytes");
    Err(BrowserError::new(Failure::Failed, message))
}

impl Page {
    /// Puts a function into its documents.
    ///
    /// # Errors
    /// As [`check`] has it.
    pub(crate) fn expose(self: &Arc<Self>, name: &str) -> Result<(), BrowserError> {
        let mut state = self.lock();
        if state.exposed.contains(name) {
            return Ok(());
        }
        check(state.exposed.len(), name)?;
        state.exposed.insert(name.to_owned());
        drop(state);
        self.await_first(vec![
            self.call("Runtime.addBinding", json!({ "name": BINDING })),
            self.call(
                "Page.addScriptToEvaluateOnNewDocument",
                json!({ "source": source(name), "runImmediately": true }),
            ),
        ]);
        Ok(())
    }

    /// One of them is called.
    pub(super) fn is_called(&self, params: &Value) {
        let context = params["executionContextId"].as_i64();
        let state = self.lock();
        let frame = state.frames.iter().find(|(_, frame)| context.is_some() && frame.main_world == context);
        let Some(frame) = frame.map(|(id, _)| id.clone()) else { return };
        let is_asked = state.settings.interest.calls;
        drop(state);
        let call = text(&params["payload"]);
        if params["name"] != BINDING || (is_asked && self.happened(Happened::Called { frame, call: call.to_owned() })) {
            return;
        }
        self.tell(
            "Runtime.callFunctionOn",
            &json!({
                "functionDeclaration": "(call, why) => { const { name, id } = JSON.parse(call); globalThis[name].settle(id, undefined, why); }",
                "executionContextId": context,
                "arguments": [{ "value": call }, { "value": "nobody answers: the run that has exposed the function is over, or it is told too much" }],
            }),
        );
    }
}

/// What a document has of a function.
fn source(name: &str) -> String {
    let name = Value::from(name);
    format!(
        "(() => {{
            const tell = globalThis.{BINDING}, waiting = new Map();
            let last = 0;
            const exposed = (...given) => new Promise((resolve, reject) => {{
                waiting.set(++last, {{ resolve, reject }});
                tell(JSON.stringify({{ name: {name}, id: last, given }}));
            }});
            const settle = (id, value, why) => {{
                const call = waiting.get(id);
                waiting.delete(id);
                if (why === undefined) call?.resolve(value);
                else call?.reject(new Error(why));
            }};
            Object.defineProperty(exposed, 'settle', {{ value: settle }});
            globalThis[{name}] = exposed;
        }})()"
    )
}
