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
            } else if let Err(error) = CommandSet::new().with_json(name, &as_declared(name, value)) {
                problems.push(format!(".{name}: {}", error.why));
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

    /// Where the operator says what a name runs, that counts; otherwise what the plugin says of the program that is granted.
    fn grant(&self, granted: &Value, most: &Value, host: &PluginHost<'_>) -> Result<CommandSet, String> {
        let mut set = CommandSet::new().with_environment(host.environment.clone());
        for (name, asked) in granted.as_object().into_iter().flatten() {
            let Some((program, most)) = entry_of(name, asked, most) else { continue };
            let declaration =
                if most.get("run").is_some() { most.clone() } else { declaration(name, program, asked, most, host)? };
            set = set.with_json(name, &declaration).map_err(|error| error.to_string())?;
        }
        Ok(set)
    }

    fn methods(&self) -> &'static [&'static str] {
        &["run"]
    }
}

/// What a plugin says of a command, as a declaration: where it runs, and what if nothing is said, is seen when it is granted.
fn as_declared(name: &str, asked: &Value) -> Value {
    let mut declared = asked.clone();
    if declared["run"].is_null() {
        declared["run"] = json!([name]);
    }
    if declared["cwd"] == json!("project") {
        declared["cwd"] = Value::Null;
    }
    declared
}

/// The program that a plugin runs by a name: the name itself, unless it says otherwise. None of a text for the shell.
fn program_of<'a>(name: &'a str, asked: &'a Value) -> Option<&'a str> {
    match asked.get("run") {
        None | Some(Value::Null) => Some(name),
        Some(run) => run.get(0).and_then(Value::as_str),
    }
}

/// What the operator grants of a command: an entry of its name, or one of its program that says nothing of what is run.
fn entry_of<'a>(name: &'a str, asked: &'a Value, most: &'a Value) -> Option<(&'a str, &'a Value)> {
    let program = program_of(name, asked);
    match most.get(name) {
        Some(entry) if entry.get("run").is_some() => Some((name, entry)),
        entry => {
            let of_program = program.filter(|program| *program != name).and_then(|program| {
                let entry = most.get(program).filter(|entry| entry.get("run").is_none())?;
                Some((program, entry))
            });
            of_program.or(entry.map(|entry| (name, entry)))
        }
    }
}

/// What a plugin says of a command of whose program only the name is granted.
fn declaration(name: &str, program: &str, asked: &Value, most: &Value, host: &PluginHost<'_>) -> Result<Value, String> {
    // What is said without `run` would be said of nothing.
    if let Some(key) = most.as_object().and_then(|most| most.keys().find(|key| !["env", "cwd"].contains(&key.as_str())))
    {
        return Err(format!(
            "allow.commands.{program}: the operator grants it with {key:?}, which goes with a `run` only"
        ));
    }
    if program_of(name, asked) != Some(program) {
        return Err(format!(
            "allow.commands.{name}: the operator grants the program {program}, so that `run` has to be a list that begins with {program:?}; what else is run, the operator has to say"
        ));
    }
    let mut declaration = asked.clone();
    let project = Value::from("project");
    declaration["cwd"] = match (asked.get("cwd"), most.get("cwd")) {
        (_, Some(given)) if *given != project => {
            return Err(format!(
                "allow.commands.{program}: without a `run` the operator grants \"project\" as `cwd`, and no other folder"
            ));
        }
        (Some(wanted), granted) if *wanted == project => match granted {
            // Commands are started elsewhere.
            Some(_) => json!(std::path::absolute(host.base).map_err(|error| error.to_string())?),
            None => {
                return Err(format!(
                    "allow.commands.{name}: the operator does not grant it the project's folder; {program} = {{ cwd = \"project\" }} would"
                ));
            }
        },
        (Some(_), _) => {
            return Err(format!("allow.commands.{name}: a plugin runs it in its own folder, or in \"project\""));
        }
        (None, _) => Value::Null,
    };
    let may = |variable: &Value| most.get("env").and_then(Value::as_array).is_some_and(|most| most.contains(variable));
    if let Some(variable) = asked["env"].as_array().into_iter().flatten().find(|variable| !may(variable)) {
        return Err(format!("allow.commands.{name}: the operator does not grant it the variable {variable}"));
    }
    if declaration["run"].is_null() {
        declaration["run"] = json!([program]);
    }
    Ok(declaration)
}

/// The commands that another object permits, and the others.
fn entries_within(asked: &Value, most: &Value) -> (Value, Value) {
    let empty = Map::new();
    let asked = asked.as_object().unwrap_or(&empty).clone();
    let (within, beyond): (Map<_, _>, Map<_, _>) =
        asked.into_iter().partition(|(name, asked)| entry_of(name, asked, most).is_some());
    (within.into(), beyond.into())
}
