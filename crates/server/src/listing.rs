use perennial_sessions::Owner;
use serde_json::{Value, json};

/// Sessions that are listed.
const MAX_LISTED: usize = 1000;

/// What an owner's sessions hold, and how many there are beyond those listed.
pub(crate) fn listing(owner: &Owner) -> (Vec<Value>, usize) {
    let sessions = owner.sessions();
    let more = sessions.len().saturating_sub(MAX_LISTED);
    let listed = sessions.iter().take(MAX_LISTED).map(|session| {
        let mut listed = json!({
            "name": session.name,
            "runs": session.runs,
            "running": session.running,
            "idle_ms": session.idle.as_millis() as u64,
            "vars": session.vars,
            "vars_bytes": session.vars_bytes,
            "commands": session.commands,
            "command_log_bytes": session.command_log_bytes,
        });
        if let Some(bytes) = session.heap_bytes {
            listed["heap_bytes"] = json!(bytes);
        }
        listed
    });
    (listed.collect(), more)
}
