use std::sync::Arc;

use perennial_protocol::result_schema;
use perennial_sessions::PluginSet;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

/// The session of callers that name none.
pub(crate) const DEFAULT_SESSION: &str = "default";

/// What a model is told it can rely on. A test keeps it under 1,500 characters.
pub(crate) const RUN: &str = "Runs a cell of TypeScript or JavaScript in a session that remembers, like a notebook.

Top-level `const`, `let`, functions, classes and imports stay for later cells and may be declared again. The result is what you `return`, \
else the value of the last expression; `_` is the last result. `await` works at the top level.

Names are lost when the VM is discarded; `vars` keeps JSON values until the session ends: vars.get(name), vars.set(name, value), vars.has, \
vars.delete, vars.keys(), vars.update(name, fn).

`args` is bound to the arguments given. `console.log` is returned with the result. Timers work. `fs` has the session's own files, \
`fetch` reaches what was granted; `commands.run(name, values)` and `commands.start` run what was declared: a refusal names it.

A script that throws keeps what it had declared. One that is stopped (time, memory, cancelled) loses it, and the next result lists what was \
lost. Errors carry line, column and an excerpt. Results are copied as JSON: dates become ISO strings; Map, Set, BigInt, NaN and bytes \
are tagged like {\"$map\": [[key, value]]}; functions, promises and cycles are errors that name the path. A result over 1 MiB is an \
error: return a part.

Calls on one session run one after the other, different sessions side by side.";

/// How much of the description plugins may take.
const MAX_PLUGINS: usize = 2000;

/// What a model is told of the plugins; the rest it finds with `tools.search`.
fn run_description(plugins: &PluginSet) -> String {
    let mut text = RUN.to_owned();
    if plugins.plugins().next().is_none() {
        return text;
    }
    text.push_str("\n\nPlugins, called as `await tools.PLUGIN.TOOL(args)`; tools.search(\"words\") finds tools, tools.describe(\"plugin.tool\") gives their schemas:");
    let start = text.len();
    for plugin in plugins.plugins() {
        let names: Vec<&str> = plugin.tools.keys().map(String::as_str).collect();
        let line = format!("\n- {} ({}): {}", plugin.name, plugin.description, names.join(", "));
        if text.len() - start + line.len() > MAX_PLUGINS {
            text.push_str("\n- … and more");
            break;
        }
        text.push_str(&line);
    }
    text
}

pub(crate) fn tools(plugins: &PluginSet) -> Vec<Tool> {
    vec![
        Tool::new("run", run_description(plugins), run_input())
            .with_title("Run TypeScript")
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
    use super::*;

    #[test]
    fn the_description_for_models_is_short() {
        assert!(RUN.chars().count() < 1500, "{}", RUN.chars().count());
    }

    #[test]
    fn every_schema_is_an_object_at_its_root() {
        for tool in tools(&PluginSet::empty()) {
            assert_eq!(tool.input_schema.get("type"), Some(&json!("object")), "{}", tool.name);
            if let Some(output) = &tool.output_schema {
                assert_eq!(output.get("type"), Some(&json!("object")), "{}", tool.name);
            }
        }
    }
}
