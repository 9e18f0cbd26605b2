//! Lines: what they ask for, and how they are answered.

use std::sync::Arc;

use perennial_protocol::{
    CheckpointRef, ConsoleEntry, ErrorKind, IdScan, RunRequest, ScriptError, ScriptResult, request_schema as run_schema,
};
use perennial_sessions::files::Artifacts;
use perennial_sessions::{Owner, RunContext};
use serde::Deserialize;
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
    Of(OnSession),
}

/// What is asked for by `op`.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum Op {
    Reset {},
    Close {},
    Checkpoint { name: Option<String> },
    Checkpoints {},
    Rollback { to: CheckpointRef },
    Changes { from: CheckpointRef, to: Option<CheckpointRef> },
    Forget { checkpoint: CheckpointRef },
    Fork { name: String },
    Cancel { request: Option<Value> },
    Sessions {},
    Reload {},
}

/// What is done with a session besides running scripts on it.
enum OnSession {
    Reset,
    Close,
    Checkpoint(Option<String>),
    Checkpoints,
    Rollback(CheckpointRef),
    Changes(CheckpointRef, Option<CheckpointRef>),
    Forget(CheckpointRef),
    Fork(String),
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
    map.insert("op".to_owned(), op);
    let op = serde_json::from_value(Value::Object(map)).map_err(|error| error.to_string())?;
    let on_session = |on| Ok(What::Action(Action::Of(on)));
    match op {
        Op::Reset {} => on_session(OnSession::Reset),
        Op::Close {} => on_session(OnSession::Close),
        Op::Checkpoint { name } => on_session(OnSession::Checkpoint(name)),
        Op::Checkpoints {} => on_session(OnSession::Checkpoints),
        Op::Rollback { to } => on_session(OnSession::Rollback(to)),
        Op::Changes { from, to } => on_session(OnSession::Changes(from, to)),
        Op::Forget { checkpoint } => on_session(OnSession::Forget(checkpoint)),
        Op::Fork { name } if !(1..=MAX_NAME).contains(&name.len()) => {
            Err(format!("name is one of 1 to {MAX_NAME} bytes"))
        }
        Op::Fork { name } => on_session(OnSession::Fork(name)),
        Op::Cancel { request: None } if session.is_none() => {
            Err("cancel says of which session, or which request by its id".to_owned())
        }
        Op::Cancel { request } => Ok(What::Order(Order::Cancel { session: session.cloned(), request })),
        Op::Sessions {} | Op::Reload {} if session.is_some() => Err("sessions and reload are of no session".to_owned()),
        Op::Sessions {} => Ok(What::Order(Order::Sessions)),
        Op::Reload {} => Ok(What::Order(Order::Reload)),
    }
}

/// A line that answers one.
pub(super) struct Answer {
    pub(super) line: String,
    pub(super) is_ok: bool,
}

impl Request {
    /// The sessions whose requests are answered in order with it.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &str> {
        let other = match &self.action {
            Action::Of(OnSession::Fork(name)) if *name != self.session => Some(&**name),
            _ => None,
        };
        std::iter::once(&*self.session).chain(other)
    }

    /// Whether it can be cancelled: not what ends something.
    pub(super) fn can_be_cancelled(&self) -> bool {
        !matches!(self.action, Action::Of(OnSession::Reset | OnSession::Close))
    }

    pub(super) async fn carry_out(
        self,
        owner: &Owner,
        artifacts: Option<Artifacts>,
        entered: Entered,
        answers: &mpsc::Sender<Out>,
    ) -> Answer {
        let on = match self.action {
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
            Action::Of(on) => on,
        };
        let op = on.name();
        let done = tokio::select! {
            biased;
            () = entered.cancel.cancelled() => {
                Err(ScriptError::new(ErrorKind::Cancelled, "the request was cancelled before its turn; nothing was done"))
            }
            done = on.carry_out(owner, &self.session) => done,
        };
        let (status, is_ok) = if done.is_ok() { ("ok", true) } else { ("error", false) };
        let mut answer = whose(self.id, Some(&self.session));
        answer.insert("op".to_owned(), json!(op));
        answer.insert("status".to_owned(), json!(status));
        match done {
            Ok(fields) => answer.extend(fields),
            Err(error) => _ = answer.insert("error".to_owned(), json!(error)),
        }
        Answer { line: Value::Object(answer).to_string(), is_ok }
    }
}

impl OnSession {
    fn name(&self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Close => "close",
            Self::Checkpoint(_) => "checkpoint",
            Self::Checkpoints => "checkpoints",
            Self::Rollback(_) => "rollback",
            Self::Changes(..) => "changes",
            Self::Forget(_) => "forget",
            Self::Fork(_) => "fork",
        }
    }

    /// Does it, and says what came of it: fields of the answer.
    async fn carry_out(self, owner: &Owner, name: &str) -> Result<Map<String, Value>, ScriptError> {
        let session = owner.session(name);
        let (key, value) = match self {
            Self::Reset => ("existed", json!(session.reset().await)),
            Self::Close => ("existed", json!(session.end().await?)),
            Self::Checkpoint(name) => ("checkpoint", json!(session.checkpoint(name.as_deref()).await?)),
            Self::Checkpoints => ("checkpoints", json!(session.checkpoints().await)),
            Self::Rollback(to) => ("checkpoint", json!(session.rollback(to).await?)),
            Self::Changes(from, to) => {
                let Value::Object(changes) = json!(session.changes(from, to).await?) else { return Ok(Map::new()) };
                return Ok(changes);
            }
            Self::Forget(checkpoint) => {
                session.forget(checkpoint).await?;
                return Ok(Map::new());
            }
            Self::Fork(name) => ("name", json!(session.fork(name).await?.name())),
        };
        Ok(Map::from_iter([(key.to_owned(), value)]))
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
    let checkpoint_name = json!({"type": ["string", "null"], "minLength": 1, "maxLength": MAX_NAME});
    let checkpoint = json!({"type": ["integer", "string"], "description": "The id of a checkpoint, or its name: then the last one of that name."});
    let or_null =
        json!({"type": ["integer", "string", "null"], "description": "Likewise; without one, what there is now."});
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
            op(&["reset", "close", "checkpoints"], json!({"session": session}), &["op", "session"]),
            op(&["checkpoint"], json!({"session": session, "name": checkpoint_name}), &["op", "session"]),
            op(&["rollback"], json!({"session": session, "to": checkpoint}), &["op", "session", "to"]),
            op(&["changes"], json!({"session": session, "from": checkpoint, "to": or_null}), &["op", "session", "from"]),
            op(&["forget"], json!({"session": session, "checkpoint": checkpoint}), &["op", "session", "checkpoint"]),
            op(&["fork"], json!({"session": session, "name": session}), &["op", "session", "name"]),
            op(&["cancel"], json!({"session": session, "request": {"description": "The id of the request."}}), &["op"]),
            op(&["sessions", "reload"], json!({}), &["op"]),
        ],
    });
    if let Some(definitions) = definitions {
        schema["$defs"] = definitions;
    }
    schema
}
