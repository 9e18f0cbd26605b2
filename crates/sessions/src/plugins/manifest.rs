//! What a plugin says of itself, checked.

use std::collections::BTreeMap;
use std::time::Duration;

use perennial_engine::{Budget, OpError};
use serde::Deserialize;
use serde_json::Value;

use super::allow::Allow;
use super::schema::Schema;
use crate::capability::Declared;

/// Names under `tools` that are not plugins'.
const RESERVED: [&str; 6] = ["search", "describe", "then", "constructor", "toString", "toJSON"];
const MAX_TOOLS: usize = 1000;
const MAX_TEXT: usize = 4 << 10;

/// What the loader reads off a plugin's default export.
#[derive(Debug, Deserialize)]
pub(super) struct Raw {
    keys: Vec<String>,
    name: Value,
    version: Value,
    description: Value,
    allow: Value,
    tools: Vec<(String, Option<RawTool>)>,
    setup: String,
}

#[derive(Debug, Deserialize)]
struct RawTool {
    keys: Vec<String>,
    description: Value,
    input: Value,
    output: Value,
    timeout: Value,
    run: String,
}

/// A plugin's own word, checked.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) description: String,
    pub(super) allow: Allow,
    pub(super) tools: BTreeMap<String, Tool>,
}

/// One tool of a plugin.
#[derive(Debug)]
pub struct Tool {
    /// What it does, for people and models.
    pub description: String,
    /// JSON Schema of its argument.
    pub input: Value,
    /// JSON Schema of its result.
    pub output: Option<Value>,
    /// How long a call is waited for.
    pub timeout: Option<Duration>,
    pub(super) input_schema: Schema,
    pub(super) output_schema: Option<Schema>,
}

impl Manifest {
    /// Checks what was read. Everything that is wrong is said.
    pub(super) fn check(raw: Raw, known: &[Declared]) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        unknown_keys(
            &raw.keys,
            &["name", "version", "description", "allow", "tools", "setup"],
            "a plugin",
            &mut problems,
        );
        let name = text(&raw.name, "name", &mut problems);
        if !name.is_empty() && !is_name(&name) {
            problems.push(format!("name: '{name}' is no name: it is how scripts call the plugin, a lower-case letter and then letters, digits or _"));
        }
        if RESERVED.contains(&&*name) {
            problems.push(format!("name: '{name}' is reserved"));
        }
        let version = text(&raw.version, "version", &mut problems);
        let description = text(&raw.description, "description", &mut problems);
        let allow = Allow::parse_of(&raw.allow, known).unwrap_or_else(|why| {
            problems.extend(why.into_iter().map(|why| format!("allow{why}")));
            Allow::default()
        });
        if !matches!(&*raw.setup, "function" | "undefined") {
            problems.push("setup: not a function".to_owned());
        }
        if raw.tools.is_empty() {
            problems.push("tools: a plugin offers at least one".to_owned());
        }
        if raw.tools.len() > MAX_TOOLS {
            problems.push(format!("tools: {} are more than the {MAX_TOOLS} of one plugin", raw.tools.len()));
        }
        let mut tools = BTreeMap::new();
        for (name, raw) in raw.tools {
            let Some(raw) = raw else {
                problems.push(format!("tools.{name}: not made by defineTool({{ … }})"));
                continue;
            };
            if let Some(tool) = Tool::check(&name, raw, &mut problems) {
                tools.insert(name, tool);
            }
        }
        if problems.is_empty() { Ok(Self { name, version, description, allow, tools }) } else { Err(problems) }
    }
}

impl Tool {
    fn check(name: &str, raw: RawTool, problems: &mut Vec<String>) -> Option<Self> {
        let before = problems.len();
        let at = format!("tools.{name}");
        let known = ["description", "input", "output", "timeoutMs", "run"];
        unknown_keys(&raw.keys, &known, &at, problems);
        let is_identifier = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_identifier || matches!(name, "then" | "constructor" | "__proto__") {
            problems.push(format!("{at}: no name for a tool: scripts call it, so it is letters, digits and _"));
        }
        if raw.run != "function" {
            problems.push(format!("{at}.run: not a function"));
        }
        let description = text(&raw.description, &format!("{at}.description"), problems);
        let mut schema = |schema: &Value, what: &str| match Schema::new(schema) {
            Ok(schema) => Some(schema),
            Err((place, why)) => {
                problems.push(format!("{at}.{what}{place}: not a JSON Schema: {why}"));
                None
            }
        };
        let input_schema = if raw.input.is_null() { None } else { schema(&raw.input, "input") };
        let output = (!raw.output.is_null()).then_some(raw.output);
        let output_schema = output.as_ref().map(|output| schema(output, "output"));
        if raw.input.is_null() {
            problems.push(format!("{at}.input: missing; that of a tool without arguments is {{ type: \"object\" }}"));
        }
        let timeout = match &raw.timeout {
            Value::Null => None,
            value => match value.as_f64().filter(|ms| (1.0..=86_400_000.0).contains(ms)) {
                Some(ms) => Some(Duration::from_secs_f64(ms / 1000.0)),
                None => {
                    problems.push(format!("{at}.timeoutMs: {value} is no number of milliseconds from 1 to a day"));
                    None
                }
            },
        };
        if problems.len() > before {
            return None;
        }
        Some(Self {
            description,
            input: raw.input,
            output,
            timeout,
            input_schema: input_schema?,
            output_schema: output_schema.flatten(),
        })
    }

    /// What is wrong with an argument: path and what was expected.
    pub(super) fn check_input(
        &self,
        name: impl FnOnce() -> String,
        value: &Value,
        budget: &Budget,
    ) -> Result<(), OpError> {
        self.input_schema.check(value, || name() + ": args", budget)
    }

    /// What is wrong with a result.
    pub(super) fn check_output(
        &self,
        name: impl FnOnce() -> String,
        value: &Value,
        budget: &Budget,
    ) -> Result<(), OpError> {
        let Some(schema) = &self.output_schema else { return Ok(()) };
        let checked = schema.check(value, || name() + " returned what its schema does not allow: result", budget);
        checked.map_err(|error| OpError::new("Error", error.message))
    }
}

fn text(value: &Value, what: &str, problems: &mut Vec<String>) -> String {
    match value {
        Value::String(text) if !text.trim().is_empty() && text.len() <= MAX_TEXT => return text.clone(),
        Value::String(text) if text.len() > MAX_TEXT => problems.push(format!("{what}: longer than {MAX_TEXT} bytes")),
        Value::String(text) if text.trim().is_empty() => problems.push(format!("{what}: empty")),
        Value::Null => problems.push(format!("{what}: missing")),
        _ => problems.push(format!("{what}: not a text")),
    }
    String::new()
}

fn unknown_keys(keys: &[String], known: &[&str], what: &str, problems: &mut Vec<String>) {
    for key in keys.iter().filter(|key| !known.contains(&&***key)) {
        problems.push(format!("{what} has no '{key}'{}", perennial_engine::did_you_mean(key, known)));
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
