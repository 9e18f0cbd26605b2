//! Orders: what is answered at once, whatever else is under way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use perennial_sessions::Owner;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::request::{Answer, Request};
use crate::listing::listing;

pub(super) enum Order {
    /// What was asked for under this id, or of this session: what runs, and what waits.
    Cancel {
        session: Option<String>,
        request: Option<Value>,
    },
    Sessions,
    Reload,
}

impl Order {
    pub(super) async fn carry_out(
        self,
        id: Option<Value>,
        owner: &Owner,
        under_way: &UnderWay,
        may_reload: bool,
    ) -> Answer {
        let (mut answer, mut is_ok) = (Map::new(), true);
        if let Some(id) = id {
            answer.insert("id".to_owned(), id);
        }
        let mut say = |op: &str, status: &str, fields: Value| {
            answer.insert("op".to_owned(), json!(op));
            answer.insert("status".to_owned(), json!(status));
            is_ok = status == "ok";
            if let Value::Object(fields) = fields {
                answer.extend(fields);
            }
        };
        match self {
            Self::Cancel { session, request } => {
                let count = under_way.cancel(session.as_deref(), request.as_ref());
                say("cancel", "ok", json!({"cancelled": count}));
            }
            Self::Sessions => {
                let (sessions, more) = listing(owner);
                say("sessions", "ok", json!({"sessions": sessions, "more": more}));
            }
            Self::Reload if !may_reload => {
                say("reload", "error", json!({"error": {"message": "plugins are not loaded again from here"}}));
            }
            Self::Reload => match owner.reload_plugins().await {
                Ok(plugins) => {
                    let names: Vec<&str> = plugins.plugins().map(|plugin| &*plugin.name).collect();
                    let failures: Vec<String> = plugins.failures().iter().map(ToString::to_string).collect();
                    say("reload", "ok", json!({"plugins": names, "failures": failures}));
                }
                Err(error) => say("reload", "error", json!({"error": {"message": error.to_string()}})),
            },
        }
        Answer { line: Value::Object(answer).to_string(), is_ok }
    }
}

/// Requests that run or wait, by their numbers.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<BTreeMap<u64, Entry>>);

struct Entry {
    id: Option<Value>,
    session: String,
    cancel: CancellationToken,
}

impl UnderWay {
    /// Notes a request, until what is returned is dropped.
    pub(super) fn enter(self: &Arc<Self>, number: u64, request: &Request) -> Entered {
        let cancel = CancellationToken::new();
        let entry = Entry { id: request.id.clone(), session: request.session.clone(), cancel: cancel.clone() };
        if request.can_be_cancelled() {
            self.lock().insert(number, entry);
        }
        Entered { under_way: self.clone(), number, cancel }
    }

    fn cancel(&self, session: Option<&str>, request: Option<&Value>) -> usize {
        let entries = self.lock();
        let chosen = entries.values().filter(|entry| {
            session.is_none_or(|session| entry.session == session)
                && request.is_none_or(|request| entry.id.as_ref() == Some(request))
        });
        chosen.map(|entry| entry.cancel.cancel()).count()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is under way.
pub(super) struct Entered {
    under_way: Arc<UnderWay>,
    number: u64,
    pub(super) cancel: CancellationToken,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.under_way.lock().remove(&self.number);
    }
}
