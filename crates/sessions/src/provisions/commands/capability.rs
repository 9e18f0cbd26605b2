use perennial_stdlib::commands::CommandSet;
use serde_json::{Map, Value, json};

use crate::capability::{Capability, PluginHost};

/// `commands`, and `ctx.commands`: what a plugin may run, by name, with what is said about each.
pub(super) struct CommandsCapability;

impl Capability for CommandsCapability {
    type Grant = CommandSet;

    fn key(&self) -> &'static str {
        "commands"
    }

    fn maker(&self) -> &'static str {
        "commandsFor"
    }

    fn check(&self, asked: &Value) -> Result<(), Vec<String>> {
        let Value::Object(known) = asked else { return Err(vec![": not an object".to_owned()]) };
        let mut problems = Vec::new();
        for (name, value) in known {
            if name.is_empty() || name.contains(['/', '\0', ' ']) {
                problems.push(format!(": '{name}' is no name of a command"));
            } else if !value.is_object() {
                problems.push(format!(".{name}: not an object"));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn items(&self, asked: &Value) -> Vec<String> {
        asked.as_object().map(|known| known.keys().cloned().collect()).unwrap_or_default()
    }

    fn within(&self, asked: &Value, most: &Value) -> (Value, Value) {
        entries_within(asked, most)
    }

    /// Where the operator says what a name runs, that counts; otherwise what the plugin says of the program of that name.
    fn grant(&self, granted: &Value, most: &Value, host: &PluginHost<'_>) -> Result<CommandSet, String> {
        let mut set = CommandSet::new().with_environment(host.environment.clone());
        for (name, asked) in granted.as_object().into_iter().flatten() {
            let most = most.get(name).unwrap_or(&Value::Null);
            let declaration = if most.get("run").is_some() { most.clone() } else { declaration(name, asked, most)? };
            set = set.with_json(name, &declaration).map_err(|error| error.to_string())?;
        }
        Ok(set)
    }

    fn methods(&self) -> &'static [&'static str] {
        &["run"]
    }
}

/// What a plugin says of a command of whose program only the name is granted.
fn declaration(name: &str, asked: &Value, most: &Value) -> Result<Value, String> {
    // What is said without `run` would be said of nothing.
    if let Some(key) = most.as_object().and_then(|most| most.keys().find(|key| *key != "env")) {
        return Err(format!(
            "allow.commands.{name}: the operator grants it with {key:?}, which goes with a `run` only"
        ));
    }
    let mut declaration = asked.clone();
    let run = declaration["run"].take();
    let program = match &run {
        Value::Null => Some(name),
        run => run.get(0).and_then(Value::as_str),
    };
    if program != Some(name) {
        return Err(format!(
            "allow.commands.{name}: the operator grants the program {name}, so that `run` has to be a list that begins with {name:?}; what else is run, the operator has to say"
        ));
    }
    let may = |variable: &Value| most.get("env").and_then(Value::as_array).is_some_and(|most| most.contains(variable));
    if let Some(variable) = asked["env"].as_array().into_iter().flatten().find(|variable| !may(variable)) {
        return Err(format!("allow.commands.{name}: the operator does not grant it the variable {variable}"));
    }
    declaration["run"] = if run.is_null() { json!([name]) } else { run };
    Ok(declaration)
}

/// The entries of an object that another one names, and the others.
fn entries_within(asked: &Value, most: &Value) -> (Value, Value) {
    let empty = Map::new();
    let (asked, most) = (asked.as_object().unwrap_or(&empty), most.as_object().unwrap_or(&empty));
    let (within, beyond): (Map<_, _>, Map<_, _>) =
        asked.clone().into_iter().partition(|(name, _)| most.contains_key(name));
    (within.into(), beyond.into())
}
