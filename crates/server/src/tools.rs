use std::sync::Arc;

use perennial_protocol::result_schema;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

/// The session of callers that name none.
pub(crate) const DEFAULT_SESSION: &str = "default";

/// What a model is told it can rely on. A test keeps it under 1,500 characters.
pub(crate) const RUN: &str = "Runs JavaScript in a session that remembers.

The script is the body of an async function: use `return` for the result and `await` as you like; `const`, `let` and functions are \
local to the call. To keep something for later calls, put it on `globalThis` (fast, lost when the VM is discarded) or into `vars` \
(JSON values, kept until the session ends): vars.get(name), vars.set(name, value), vars.has, vars.delete, vars.keys(), \
vars.update(name, fn).

`args` is bound to the arguments given. `console.log` is returned with the result. Timers work. There is no network, no file system, \
no `require` and no `import`.

A script that throws keeps its globals. One that is stopped (time, memory, cancelled) loses them, and the next result lists what was \
lost. Errors carry line, column and an excerpt. Results are copied as JSON: dates become ISO strings; Map, Set, BigInt, NaN and bytes \
are tagged like {\"$map\": [[key, value]]}; functions, promises and cycles are errors that name the path. A result over 1 MiB is an \
error: return a part.

Calls on one session run one after the other, different sessions side by side.";

pub(crate) fn tools() -> Vec<Tool> {
    vec![
        Tool::new("run", RUN, run_input())
            .with_title("Run JavaScript")
            .with_raw_output_schema(object(result_schema()))
            .with_annotations(annotations(false, true, false)),
        Tool::new(
            "sessions",
            "Lists the sessions with what they hold.",
            object(json!({"type": "object", "additionalProperties": false})),
        )
        .with_title("List sessions")
        .with_raw_output_schema(sessions_output())
        .with_annotations(annotations(true, false, true)),
        Tool::new(
            "reset_session",
            "Discards the globals of a session and keeps its vars. Waits for a script that is running.",
            session_input(),
        )
        .with_title("Reset a session")
        .with_annotations(annotations(false, true, true)),
        Tool::new(
            "close_session",
            "Ends a session: stops what it runs, discards its globals and its vars.",
            session_input(),
        )
        .with_title("Close a session")
        .with_annotations(annotations(false, true, true)),
    ]
}

fn annotations(read_only: bool, destructive: bool, idempotent: bool) -> ToolAnnotations {
    ToolAnnotations::new().read_only(read_only).destructive(destructive).idempotent(idempotent).open_world(false)
}

fn run_input() -> Arc<JsonObject> {
    object(json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["script"],
        "properties": {
            "script": {"type": "string", "description": "The body of an async function."},
            "session": {"type": "string", "description": "The session's name; one default session if absent."},
            "args": {"description": "Any JSON value; bound to `args` in the script."},
            "timeout_ms": {"type": "integer", "minimum": 1, "description": "Wall-clock limit in milliseconds."}
        }
    }))
}

fn session_input() -> Arc<JsonObject> {
    object(json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {"session": {"type": "string", "description": "The session's name; the default session if absent."}}
    }))
}

fn sessions_output() -> Arc<JsonObject> {
    object(json!({
        "type": "object",
        "required": ["sessions"],
        "properties": {"sessions": {"type": "array", "items": {
            "type": "object",
            "required": ["name", "runs", "running", "idle_ms", "vars", "vars_bytes"],
            "properties": {
                "name": {"type": "string"},
                "runs": {"type": "integer"},
                "running": {"type": "boolean"},
                "idle_ms": {"type": "integer"},
                "heap_bytes": {"type": "integer", "description": "Absent while there is no warm VM."},
                "vars": {"type": "integer"},
                "vars_bytes": {"type": "integer"}
            }
        }}}
    }))
}

fn object(value: Value) -> Arc<JsonObject> {
    match value {
        Value::Object(map) => Arc::new(map),
        _ => unreachable!("schemas here are objects"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_for_models_is_short() {
        assert!(RUN.chars().count() < 1500, "{}", RUN.chars().count());
    }

    #[test]
    fn every_schema_is_an_object_at_its_root() {
        for tool in tools() {
            assert_eq!(tool.input_schema.get("type"), Some(&json!("object")), "{}", tool.name);
            if let Some(output) = &tool.output_schema {
                assert_eq!(output.get("type"), Some(&json!("object")), "{}", tool.name);
            }
        }
    }
}
