use std::sync::Arc;

use perennial_protocol::result_schema;
use perennial_sessions::Owner;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use crate::mcp::McpOptions;

/// The session of callers that name none.
pub(crate) const DEFAULT_SESSION: &str = "default";

/// What a model is told it can rely on, whatever it is granted.
pub(crate) const RUN: &str = "Runs a cell of TypeScript or JavaScript in a session that remembers, like a notebook.

The result is what you `return`, else the value of the last expression; `_` is the last one. `await` works at the top level. Top-level names and \
imports stay for later cells and may be declared again. A script that throws keeps them. One that is stopped (time, memory, cancelled) loses them, and the next \
result lists which; `vars` and files stay: vars.set(name, value), vars.get(name), vars.update(name, fn), vars.keys().

`args` is what the call gives. `console.log` comes with the result. `fs` has the session's own files, by promises: await fs.readFile(path, \"utf8\"), writeFile, \
readdir, stat, rm, glob. Results are JSON: dates are ISO strings; Map, Set, BigInt, NaN and bytes are tagged: {\"$map\": [[key, value]]}, {\"$bytes\": base64}. Functions, promises, \
cycles and more than 1 MiB are errors.

Calls on one session run in turn, different sessions side by side.
";

/// The same of where scripts may produce files.
const ARTIFACTS: &str = "- `await artifacts.write(name, textOrBytes)` makes a file for whoever reads the answer.\n";

/// Characters of the description with all that is granted.
const DESCRIPTION: usize = 2000;

/// What a model is told of `run`, made of what there is.
fn run_description(owner: &Owner, has_artifacts: bool) -> String {
    let artifacts = if has_artifacts { ARTIFACTS } else { "" };
    let room = DESCRIPTION - RUN.chars().count() - artifacts.chars().count() - 1;
    format!("{RUN}\n{artifacts}{}", owner.briefing(room))
}

/// The tools, with the schemas of structured answers if those are given.
pub(crate) fn tools(owner: &Owner, options: &McpOptions) -> Vec<Tool> {
    let with_output = |tool: Tool, schema: fn() -> Arc<JsonObject>| {
        if options.structured { tool.with_raw_output_schema(schema()) } else { tool }
    };
    vec![
        with_output(Tool::new("run", run_description(owner, options.artifacts.is_some()), run_input()), || {
            object(result_schema())
        })
        .with_title("Run TypeScript")
        .with_annotations(annotations(false, true, false)),
        with_output(
            Tool::new(
                "sessions",
                "Lists the sessions with what they hold.",
                object(json!({"type": "object", "additionalProperties": false})),
            ),
            sessions_output,
        )
        .with_title("List sessions")
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
            "Ends a session at once: stops what it runs and what waits for it, discards its globals, vars and files.",
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
            "script": {"type": "string", "description": "TypeScript or JavaScript."},
            "session": {"type": "string", "description": "The session's name; one default session if absent."},
            "args": {"description": "Any JSON value; bound to `args` in the script."},
            "timeout_ms": {"type": "integer", "minimum": 1, "description": "Wall-clock limit in milliseconds, at most what the service allows."}
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
            "required": ["name", "runs", "running", "idle_ms", "vars", "vars_bytes", "commands", "command_log_bytes"],
            "properties": {
                "name": {"type": "string"},
                "runs": {"type": "integer"},
                "running": {"type": "boolean"},
                "idle_ms": {"type": "integer"},
                "heap_bytes": {"type": "integer", "description": "Absent while there is no warm VM."},
                "vars": {"type": "integer"},
                "vars_bytes": {"type": "integer"},
                "commands": {"type": "integer", "description": "Commands that run."},
                "command_log_bytes": {"type": "integer", "description": "What is kept of what they wrote."}
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
    use perennial_sessions::SessionTable;

    use super::*;

    #[tokio::test]
    async fn every_schema_is_an_object_at_its_root() {
        let table = SessionTable::builder().build().expect("a table");
        for tool in tools(&table.local(), &McpOptions::default().configure(|options| options.structured = true)) {
            assert_eq!(tool.input_schema.get("type"), Some(&json!("object")), "{}", tool.name);
            if let Some(output) = &tool.output_schema {
                assert_eq!(output.get("type"), Some(&json!("object")), "{}", tool.name);
            }
        }
    }
}
