//! Files that a session's pages download. They stay in the browser's scratch folder until a script takes them, and go with the context.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use perennial_stdlib::browser::{Answer, BrowserError, DownloadVerb, Failure, Happened, PageId};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::hub::Hub;
use crate::page::{closed, cut, text};
use crate::pipe::Connection;

/// Bytes of one: what crosses to a script at a time.
const MAX_BYTES: u64 = 16 << 20;
/// Bytes of all of a context's.
const MAX_ALL: u64 = 64 << 20;
/// Downloads of a context that are remembered.
const MAX_COUNT: usize = 200;

pub(crate) struct Downloads {
    context: String,
    connection: Arc<Connection>,
    /// None where the browser has files of its own.
    folder: Option<PathBuf>,
    /// Under way at a time.
    most: usize,
    known: watch::Sender<Known>,
}

#[derive(Default)]
struct Known {
    last: u32,
    by_number: BTreeMap<u32, Download>,
}

struct Download {
    /// What the browser calls it, and its file.
    guid: String,
    bytes: u64,
    stage: Stage,
}

enum Stage {
    UnderWay,
    Done,
    Failed(String),
}

impl Downloads {
    pub(crate) fn new(context: &str, connection: Arc<Connection>, folder: Option<PathBuf>, most: usize) -> Self {
        Self { context: context.to_owned(), connection, folder, most, known: watch::Sender::default() }
    }

    /// What a context is told so that they come here.
    pub(crate) fn behavior(&self) -> Value {
        let mut told = json!({ "behavior": "deny", "browserContextId": self.context, "eventsEnabled": true });
        if let Some(folder) = &self.folder {
            told["behavior"] = "allowAndName".into();
            told["downloadPath"] = folder.to_string_lossy().into();
        }
        told
    }

    /// One begins, of a page of this context.
    pub(crate) fn begins(&self, page: PageId, params: &Value, hub: &Hub) {
        let guid = text(&params["guid"]).to_owned();
        let mut number = 0;
        let mut why = None;
        self.known.send_modify(|known| {
            known.last += 1;
            number = known.last;
            let under_way = known.by_number.values().filter(|of| matches!(of.stage, Stage::UnderWay)).count();
            if self.folder.is_none() {
                why = Some("a browser that runs elsewhere keeps its files to itself".to_owned());
            } else if under_way >= self.most {
                why = Some(format!("{under_way} downloads are under way, as many as may be"));
            }
            let stage = why.clone().map_or(Stage::UnderWay, Stage::Failed);
            known.by_number.insert(number, Download { guid: guid.clone(), bytes: 0, stage });
            while known.by_number.len() > MAX_COUNT {
                known.by_number.pop_first();
            }
        });
        if why.is_some() {
            self.cancel(&guid);
        }
        let (url, name) = (cut(text(&params["url"]), 16 << 10), cut(text(&params["suggestedFilename"]), 1 << 10));
        hub.tell(page, Happened::Download { download: number, url, name });
    }

    pub(crate) fn progresses(&self, params: &Value) {
        let guid = text(&params["guid"]);
        let mut is_too_much = false;
        self.known.send_if_modified(|known| {
            let others: u64 = known.by_number.values().filter(|of| of.guid != guid).map(|of| of.bytes).sum();
            let Some(of) = known.by_number.values_mut().find(|of| of.guid == guid) else { return false };
            if !matches!(of.stage, Stage::UnderWay) {
                return false;
            }
            let number = |name: &str| params[name].as_f64().unwrap_or(0.0) as u64;
            of.bytes = number("receivedBytes");
            // What is said of its size beforehand may be wrong, or missing.
            let size = of.bytes.max(number("totalBytes"));
            of.stage = match text(&params["state"]) {
                _ if size > MAX_BYTES => {
                    Stage::Failed(format!("it is larger than the {MAX_BYTES} bytes that a download may have"))
                }
                _ if others + size > MAX_ALL => {
                    Stage::Failed(format!("the session's downloads take {others} of {MAX_ALL} bytes already"))
                }
                "completed" => Stage::Done,
                "canceled" => Stage::Failed("canceled".to_owned()),
                _ => Stage::UnderWay,
            };
            is_too_much = size > MAX_BYTES || others + size > MAX_ALL;
            if matches!(of.stage, Stage::Failed(_)) {
                of.bytes = 0;
            }
            true
        });
        if is_too_much {
            self.cancel(guid);
            if let Some(file) = self.folder.as_ref().map(|folder| folder.join(guid)) {
                self.connection.runtime().spawn_blocking(move || drop(std::fs::remove_file(file)));
            }
        }
    }

    fn cancel(&self, guid: &str) {
        self.connection.tell(
            None,
            "Browser.cancelDownload",
            &json!({ "guid": guid, "browserContextId": self.context }),
        );
    }

    pub(crate) async fn perform(&self, number: u32, what: DownloadVerb) -> Result<Answer, BrowserError> {
        let unknown = || BrowserError::new(Failure::Failed, "there is no such download any more");
        let mut known = self.known.subscribe();
        if what == DownloadVerb::Cancel {
            let guid = known.borrow().by_number.get(&number).map(|of| of.guid.clone()).ok_or_else(unknown)?;
            self.cancel(&guid);
        }
        let over =
            known.wait_for(|known| known.by_number.get(&number).is_none_or(|of| !matches!(of.stage, Stage::UnderWay)));
        let (guid, failed) = {
            let known = over.await.map_err(|_| closed())?;
            let of = known.by_number.get(&number).ok_or_else(unknown)?;
            let failed = match &of.stage {
                Stage::Failed(why) => Some(why.clone()),
                _ => None,
            };
            (of.guid.clone(), failed)
        };
        match (what, failed) {
            (DownloadVerb::Cancel, _) => Ok(Answer::Value(Value::Null)),
            (DownloadVerb::Failure, failed) => Ok(Answer::Value(failed.map_or(Value::Null, Value::from))),
            (DownloadVerb::Read, Some(why)) => {
                Err(BrowserError::new(Failure::Failed, format!("the download has failed: {why}")))
            }
            (DownloadVerb::Read, None) => {
                let file = self.folder.as_ref().ok_or_else(unknown)?.join(guid);
                let read = tokio::task::spawn_blocking(move || std::fs::read(file)).await;
                read.ok().and_then(Result::ok).map(Answer::Bytes).ok_or_else(unknown)
            }
        }
    }

    /// The browser is gone.
    pub(crate) fn lost(&self) {
        self.known.send_modify(|known| {
            let under_way = known.by_number.values_mut().filter(|of| matches!(of.stage, Stage::UnderWay));
            under_way.for_each(|of| of.stage = Stage::Failed("the browser is gone".to_owned()));
        });
    }
}

impl Drop for Downloads {
    fn drop(&mut self) {
        let Some(folder) = self.folder.take() else { return };
        self.connection.runtime().spawn_blocking(move || drop(std::fs::remove_dir_all(folder)));
    }
}
