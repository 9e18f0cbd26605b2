//! What a browser does by itself.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::PageId;

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// In which page.
    pub page: PageId,
    /// What.
    #[serde(flatten)]
    pub what: Happened,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "fields are what their variant says")]
pub enum Happened {
    /// The page was opened, by another one if that is said.
    Opened { opener: Option<PageId> },
    /// It is closed.
    Closed,
    /// What shows it has crashed.
    Crashed,
    /// Its document is parsed.
    Parsed,
    /// All of its document is there.
    Loaded,
    /// A frame has come.
    FrameAttached { frame: String },
    /// A frame shows another document, or another part of it.
    FrameNavigated { frame: String },
    /// A frame has gone.
    FrameDetached { frame: String },
    /// It has written to its console.
    Console(ConsoleMessage),
    /// A script of its own has thrown, and nothing has caught it.
    Error(PageError),
    /// It asks something, and waits. Only told where [`Interest::dialogs`] says so; others are dismissed.
    Dialog {
        kind: String,
        message: String,
        #[serde(rename = "defaultValue")]
        value: String,
    },
    /// It asks for files. Only told where [`Interest::choosers`] says so.
    FileChooser { element: String, frame: Option<String>, multiple: bool },
    /// It has begun a download.
    Download { download: u32, url: String, name: String },
    /// It asks the network for something. Like the next three only told where [`Interest::network`] says so.
    Request(Box<Request>),
    /// The head of an answer has come.
    Response(Box<Response>),
    /// All of an answer has come.
    Finished {
        request: String,
        bytes: u64,
        /// Milliseconds since 1970; -1 if it is not known.
        at: f64,
    },
    /// None has come, or not all of it.
    Failed { request: String, why: String },
    /// A request waits until [`super::Action::Route`] says what becomes of it. Only told where [`Interest::routes`] says so.
    Paused { paused: String, request: Box<Request> },
    /// A script in it has called what [`super::Action::Expose`] has put there: `{ name, id, given }` as JSON. Only told where [`Interest::calls`] says so.
    Called { frame: String, call: String },
}

/// What is written to a console.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConsoleMessage {
    /// `log`, `error` and so on.
    pub kind: String,
    /// What it says.
    pub text: String,
    /// By which script.
    pub url: String,
    /// Where in it, from 0.
    pub line: u32,
    /// And there, from 0.
    pub column: u32,
    /// What was written, each as [`Action::Evaluate`](super::Action::Evaluate) gives what it keeps.
    pub args: Vec<Value>,
}

/// What a script has thrown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PageError {
    /// Its class.
    pub name: String,
    /// What it says.
    pub message: String,
    /// Where it comes from.
    pub stack: String,
}

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Request {
    /// Which one. A redirect has the same as what it comes from.
    pub request: String,
    /// The frame that it is for.
    pub frame: String,
    /// Where to.
    pub url: String,
    /// How.
    pub method: String,
    /// With which headers, in lower case.
    pub headers: Map<String, Value>,
    /// What is sent, if it is a text and not long.
    pub body: Option<String>,
    /// `document`, `script`, `fetch` and so on.
    pub kind: String,
    /// Whether it is for a document that a frame is to show.
    pub is_navigation: bool,
    /// The answer that has led here.
    pub redirected: Option<Box<Response>>,
}

/// The head of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Response {
    /// To which request.
    pub request: String,
    /// From where.
    pub url: String,
    /// Its code.
    pub status: u16,
    /// What that is called.
    pub status_text: String,
    /// Its headers, in lower case.
    pub headers: Map<String, Value>,
    /// Whether a service worker has given it.
    pub from_service_worker: bool,
    /// When its parts came.
    pub timing: Option<Timing>,
}

/// When what leads to an answer was done: milliseconds since `started`, -1 for what was not.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "they are those of Resource Timing")]
pub struct Timing {
    /// Milliseconds since 1970.
    pub started: f64,
    pub domain_lookup_start: f64,
    pub domain_lookup_end: f64,
    pub connect_start: f64,
    pub secure_connection_start: f64,
    pub connect_end: f64,
    pub request_start: f64,
    pub response_start: f64,
}

/// What a script wants to be told of beyond what costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Interest {
    /// Requests and answers.
    pub network: bool,
    /// Dialogs, which wait for it then.
    pub dialogs: bool,
    /// File choosers, which are not shown then.
    pub choosers: bool,
    /// Requests, before they are made: they wait for it.
    pub routes: bool,
    /// Calls of what is exposed, which wait for its answer.
    pub calls: bool,
}

/// Who is told. `false` if it was not: nobody listens any more, too much waits already, or it is too large.
pub type EventSink = Arc<dyn Fn(&Event) -> bool + Send + Sync>;
