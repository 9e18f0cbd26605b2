//! Lines: what they ask for, and how they are answered.

use std::sync::Arc;

use perennial_protocol::{ConsoleEntry, IdScan, RunRequest, ScriptError, ScriptResult, request_schema as run_schema};
use perennial_sessions::files::Artifacts;
use perennial_sessions::{Owner, RunContext};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::Out;
use super::order::{Entered, Order};

/// Bytes of a session's name, and of an id as JSON.
const MAX_NAME: usize = 256;
const MAX_ID: usize = 1 << 10;

/// What a line asks for.
pub(super) enum Parsed {
    Request(Request),
    /// With the id that its answer carries.
    Order(Option<Value>, Order),
}

/// Something to do on a session, when what was asked for before is done.
pub(super) struct Request {
    pub(super) id: Option<Value>,
    pub(super) session: String,
    action: Action,
}

enum Action {
    Run { request: Box<RunRequest>, streams: bool },
    Reset,
    Close,
}

/// A line that cannot be carried out.
pub(super) struct Refusal {
    id: Option<Value>,
    session: Option<String>,
    message: String,
}

impl Refusal {
    pub(super) fn of(id: Option<Value>, message: impl Into<String>) -> Self {
        Self { id, session: None, message: message.into() }
    }

    pub(super) fn answer(self, line: u64) -> String {
        let mut answer = Map::new();
        answer.insert("line".to_owned(), json!(line));
        let error = ScriptError::invalid_request(format!("line {line}: {}", self.message));
        finish(self.id, self.session.as_deref(), answer, &ScriptResult::refused(error))
    }
}

pub(super) fn parse(line: &[u8]) -> Result<Parsed, Refusal> {
    let mut map: Map<String, Value> = serde_json::from_slice(line).map_err(|error| {
        let mut scan = IdScan::default();
        scan.feed(line);
        Refusal::of(scan.id(), format!("no JSON object: {error}"))
    })?;
    let id = map.shift_remove("id");
    if id.as_ref().is_some_and(|id| id.to_string().len() > MAX_ID) {
        return Err(Refusal::of(None, format!("an id has at most {MAX_ID} bytes")));
    }
    let session = match map.shift_remove("session") {
        None => None,
        Some(Value::String(session)) if (1..=MAX_NAME).contains(&session.len()) => Some(session),
        Some(Value::String(_)) => {
            return Err(Refusal::of(id, format!("session is a name of 1 to {MAX_NAME} bytes")));
        }
        Some(_) => return Err(Refusal::of(id, "session is not a string")),
    };
    match what(map, session.as_ref()) {
        Ok(What::Order(order)) => Ok(Parsed::Order(id, order)),
        Ok(What::Action(action)) => match session {
            Some(session) => Ok(Parsed::Request(Request { id, session, action })),
            None => Err(Refusal::of(id, "session is missing")),
        },
        Err(message) => Err(Refusal { id, session, message }),
    }
}

enum What {
    Action(Action),
    Order(Order),
}

fn what(mut map: Map<String, Value>, session: Option<&String>) -> Result<What, String> {
    let Some(op) = map.shift_remove("op") else {
        let streams = match map.shift_remove("stream") {
            None => false,
            Some(Value::Bool(streams)) => streams,
            Some(_) => return Err("stream is true or false".to_owned()),
        };
        let request = serde_json::from_value(Value::Object(map)).map_err(|error| error.to_string())?;
        return Ok(What::Action(Action::Run { request: Box::new(request), streams }));
    };
    let op = op.as_str().unwrap_or_default();
    let request = if op == "cancel" { map.shift_remove("request") } else { None };
    if let Some(key) = map.keys().next() {
        return Err(format!("unknown field `{key}` beside op"));
    }
    match op {
        "reset" => Ok(What::Action(Action::Reset)),
        "close" => Ok(What::Action(Action::Close)),
        "cancel" if session.is_none() && request.is_none() => {
            Err("cancel says of which session, or which request by its id".to_owned())
        }
        "cancel" => Ok(What::Order(Order::Cancel { session: session.cloned(), request })),
        "sessions" | "reload" if session.is_some() => Err(format!("{op} is of no session")),
        "sessions" => Ok(What::Order(Order::Sessions)),
        "reload" => Ok(What::Order(Order::Reload)),
        _ => Err("op is \"reset\", \"close\", \"cancel\", \"sessions\" or \"reload\"".to_owned()),
    }
}

/// A line that answers one.
pub(super) struct Answer {
    pub(super) line: String,
    pub(super) is_ok: bool,
}

impl Request {
    /// Whether it is a script.
    pub(super) fn is_run(&self) -> bool {
        matches!(self.action, Action::Run { .. })
    }

    pub(super) async fn carry_out(
        self,
        owner: &Owner,
        artifacts: Option<Artifacts>,
        entered: Entered,
        answers: &mpsc::Sender<Out>,
    ) -> Answer {
        let (op, existed) = match self.action {
            Action::Run { request, streams } => {
                let mut context = RunContext::new().cancel_with(entered.cancel.clone());
                if let Some(artifacts) = artifacts {
                    context = context.lend(artifacts);
                }
                let forwarded = streams.then(|| {
                    // What is sent is bounded by the run's console limits.
                    let (sender, entries) = mpsc::unbounded_channel::<ConsoleEntry>();
                    let sink = Arc::new(move |entry: &ConsoleEntry| _ = sender.send(entry.clone()));
                    (sink, tokio::spawn(forward(entries, self.id.clone(), self.session.clone(), answers.clone())))
                });
                let (context, forwarded) = match forwarded {
                    Some((sink, forwarded)) => (context.on_console(sink), Some(forwarded)),
                    None => (context, None),
                };
                let result = owner.run_with(&self.session, *request, context).await;
                if let Some(forwarded) = forwarded {
                    // It ends with the sink, which is gone with the run; the answer comes last.
                    let _ = forwarded.await;
                }
                let is_ok = result.is_ok();
                return Answer { line: finish(self.id, Some(&self.session), Map::new(), &result), is_ok };
            }
            Action::Reset => ("reset", owner.reset(&self.session).await),
            Action::Close => ("close", owner.remove(&self.session)),
        };
        let mut answer = whose(self.id, Some(&self.session));
        answer.insert("op".to_owned(), json!(op));
        answer.insert("status".to_owned(), json!("ok"));
        answer.insert("existed".to_owned(), json!(existed));
        Answer { line: Value::Object(answer).to_string(), is_ok: true }
    }
}

/// Sends what a script writes while it runs, a line an entry.
async fn forward(
    mut entries: mpsc::UnboundedReceiver<ConsoleEntry>,
    id: Option<Value>,
    session: String,
    answers: mpsc::Sender<Out>,
) {
    while let Some(entry) = entries.recv().await {
        let mut line = whose(id.clone(), Some(&session));
        line.insert("console".to_owned(), json!(entry));
        if answers.send(Out::Console(Value::Object(line).to_string())).await.is_err() {
            return;
        }
    }
}

fn whose(id: Option<Value>, session: Option<&str>) -> Map<String, Value> {
    let mut answer = Map::new();
    if let Some(id) = id {
        answer.insert("id".to_owned(), id);
    }
    if let Some(session) = session {
        answer.insert("session".to_owned(), json!(session));
    }
    answer
}

/// An answer: whose it is, then the fields of the result.
fn finish(id: Option<Value>, session: Option<&str>, mut answer: Map<String, Value>, result: &ScriptResult) -> String {
    answer.extend(whose(id, session));
    // A result is made of JSON and always serialises.
    if let Ok(Value::Object(fields)) = serde_json::to_value(result) {
        answer.extend(fields);
    }
    Value::Object(answer).to_string()
}

/// The JSON schema of a line of a batch.
pub fn request_schema() -> Value {
    let mut run = run_schema();
    let session = json!({"type": "string", "minLength": 1, "maxLength": MAX_NAME});
    let id = json!({"description": "Any JSON of at most 1 KiB; the answer has it."});
    run["properties"]["session"] = session.clone();
    run["properties"]["id"] = id.clone();
    run["properties"]["stream"] = json!({"type": "boolean", "description": "Whether console entries come as they are written, each a line with `console`."});
    if let Some(required) = run["required"].as_array_mut() {
        required.push(json!("session"));
    }
    let definitions = run.as_object_mut().and_then(|run| run.remove("$defs"));
    let op = |ops: &[&str], more: Value, required: &[&str]| {
        let mut properties = json!({"id": id, "op": {"enum": ops}});
        if let (Value::Object(properties), Value::Object(more)) = (&mut properties, more) {
            properties.extend(more);
        }
        json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
    };
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "BatchRequest",
        "description": "One line of a batch.",
        "oneOf": [
            run,
            op(&["reset", "close"], json!({"session": session}), &["op", "session"]),
            op(&["cancel"], json!({"session": session, "request": {"description": "The id of the request."}}), &["op"]),
            op(&["sessions", "reload"], json!({}), &["op"]),
        ],
    });
    if let Some(definitions) = definitions {
        schema["$defs"] = definitions;
    }
    schema
}
