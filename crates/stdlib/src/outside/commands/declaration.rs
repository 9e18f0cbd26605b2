//! What may be run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use perennial_keeper::Limits;

/// What a command is made of.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged, expecting = "`run` is a list of a program and its arguments, or a text for the shell")]
pub enum Run {
    /// A program and its arguments. `${name}` stands for a value, which stays within its argument whatever is in it; an argument that is `${...name}`
    /// alone stands for all items of a list, `${...name?}` for none if there is no such value.
    Argv(Vec<String>),
    /// A text for `/bin/sh`. Values are its environment variables, to be written as `"$name"`; nothing is put into the text.
    Shell(String),
}

/// What becomes of what a command writes to its standard output.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// A text; what is no UTF-8 is replaced by U+FFFD.
    #[default]
    Text,
    /// The value that it is the JSON of.
    Json,
    /// Its lines.
    Lines,
    /// As it is.
    Bytes,
}

/// What to do when a persistent command ends by itself.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Nothing.
    #[default]
    Never,
    /// Start it again, unless it ended with 0. The pauses get longer, from a quarter of a second to half a minute.
    OnFailure,
    /// Start it again in any case.
    Always,
}

/// When a persistent command is ready: one of `line`, `port` and `http`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Ready {
    /// When it has written a line, to either stream, with this in it.
    pub line: Option<String>,
    /// When somebody takes connections at this one of its ports.
    pub port: Option<String>,
    /// When somebody answers HTTP at this one of its ports, with a status below 500.
    pub http: Option<String>,
    /// What is asked for there; `/` if nothing is said.
    pub path: Option<String>,
    /// How long that may take. Then it is killed.
    pub timeout_ms: Option<u64>,
}

/// A command that may be run: of the form in which configuration files and plugins write it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Declaration {
    /// What it is made of.
    pub run: Run,
    /// Variables of the host's environment that it gets, besides `PATH`, `LANG` and a `HOME` of its session's own.
    #[serde(default)]
    pub env: Vec<String>,
    /// Where it runs; its `HOME`, if nothing is said.
    #[serde(default)]
    pub cwd: Option<PathBuf>,
    /// How long it may take; a minute, if nothing is said. Not for persistent ones.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// What becomes of what it writes.
    #[serde(default)]
    pub output: Output,
    /// Whether it goes on by itself: such a command is started, others are run.
    #[serde(default)]
    pub persistent: bool,
    /// Names of ports that it gets: free ones, as values and as variables of its environment.
    #[serde(default)]
    pub ports: Vec<String>,
    /// When it is ready, for persistent ones.
    #[serde(default)]
    pub ready: Option<Ready>,
    /// What to do when it ends by itself, for persistent ones.
    #[serde(default)]
    pub restart: Restart,
    /// Whether values that an argument begins with may begin with `-`.
    #[serde(default)]
    pub allow_options: bool,
    /// Bytes that it may write to either stream before it is killed, for those that are run; 8 MiB, if nothing is said.
    #[serde(default)]
    pub output_bytes: Option<usize>,
    /// What the system holds it to; 64 processes, if nothing is said.
    #[serde(default)]
    pub limits: Limits,
}

const TIMEOUT: Duration = Duration::from_secs(60);
const READY: Duration = Duration::from_secs(30);
const OUTPUT: usize = 8 << 20;
const PROCESSES: u64 = 64;

impl Declaration {
    /// A command with the defaults.
    pub fn new(run: Run) -> Self {
        Self {
            run,
            env: Vec::new(),
            cwd: None,
            timeout_ms: None,
            output: Output::default(),
            persistent: false,
            ports: Vec::new(),
            ready: None,
            restart: Restart::default(),
            allow_options: false,
            output_bytes: None,
            limits: Limits::default(),
        }
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout_ms.map_or(TIMEOUT, Duration::from_millis)
    }

    pub(super) fn output_bytes(&self) -> usize {
        self.output_bytes.unwrap_or(OUTPUT)
    }

    pub(super) fn limits(&self) -> Limits {
        Limits { processes: self.limits.processes.or(Some(PROCESSES)), ..self.limits }
    }

    /// What is wrong with it, if anything is.
    fn check(&self) -> Result<(), String> {
        let parts = match &self.run {
            Run::Argv(argv) if argv.first().is_none_or(|program| program.is_empty() || program.contains("${")) => {
                return Err("`run` names no program; its first item is one, and no value".to_owned());
            }
            Run::Argv(argv) => argv.as_slice(),
            Run::Shell(text) if text.trim().is_empty() => return Err("`run` is an empty text".to_owned()),
            Run::Shell(text) => std::slice::from_ref(text),
        };
        if parts.iter().chain(&self.env).any(|part| part.contains('\0')) {
            return Err("there is a NUL in it".to_owned());
        }
        if let Some(name) = self.env.iter().find(|name| name.is_empty() || name.contains('=')) {
            return Err(format!("{name:?} is no name of a variable"));
        }
        if let Some(name) = self.ports.iter().find(|name| !is_variable(name) || self.env.contains(name)) {
            return Err(format!("{name:?} cannot be the name of a port: it is that of a variable too"));
        }
        if (1..self.ports.len()).any(|at| self.ports[..at].contains(&self.ports[at])) {
            return Err("a port is there twice".to_owned());
        }
        if let Some(name) = self.env.iter().find(|name| ["PATH", "LANG", "HOME"].contains(&name.as_str())) {
            return Err(format!("{name} is there anyhow, and not for `env`"));
        }
        let Limits { cpu_seconds, memory_bytes, open_files, processes } = self.limits;
        if [cpu_seconds, memory_bytes, open_files, processes, self.timeout_ms].contains(&Some(0))
            || self.output_bytes == Some(0)
        {
            return Err("a limit of zero lets nothing run".to_owned());
        }
        if let Run::Argv(argv) = &self.run
            && let Some(part) = argv.iter().find(|part| !is_well_formed(part))
        {
            return Err(format!(
                "the argument {part:?} has a placeholder that is none: ${{name}}, or ${{...name}} and ${{...name?}} alone"
            ));
        }
        if !self.persistent && (self.ready.is_some() || self.restart != Restart::Never) {
            return Err("`ready` and `restart` are for commands that are `persistent`".to_owned());
        }
        if self.persistent && (self.timeout_ms.is_some() || self.output != Output::Text || self.output_bytes.is_some())
        {
            return Err("`timeoutMs`, `output` and `outputBytes` are not for commands that are `persistent`".to_owned());
        }
        self.ready.as_ref().map_or(Ok(()), |ready| ready.check(&self.ports))
    }
}

impl Declaration {
    /// The values that it takes in its arguments, as an object would have them: `name`, `names: […]` or `names?: […]`. What a text for the shell takes is not told.
    pub fn values(&self) -> Vec<String> {
        let Run::Argv(argv) = &self.run else { return Vec::new() };
        let mut values = Vec::new();
        for part in argv {
            for (name, _) in part.split("${").skip(1).filter_map(|rest| rest.split_once('}')) {
                let value = match name.strip_prefix("...") {
                    Some(list) => format!("{list}: […]"),
                    None => name.to_owned(),
                };
                if !self.ports.contains(&value) && !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        values
    }
}

/// Whether every `${` of an argument begins a placeholder.
fn is_well_formed(part: &str) -> bool {
    let is_name =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if let Some(name) = part.strip_prefix("${...").and_then(|rest| rest.strip_suffix('}')) {
        return is_name(name.strip_suffix('?').unwrap_or(name));
    }
    part.split("${")
        .skip(1)
        .all(|rest| rest.split_once('}').is_some_and(|(name, _)| is_name(name) && !name.starts_with('.')))
}

impl Ready {
    fn check(&self, ports: &[String]) -> Result<(), String> {
        match (&self.line, &self.port, &self.http) {
            (Some(line), None, None) if !line.is_empty() => {}
            (None, Some(port), None) | (None, None, Some(port)) if ports.contains(port) => {}
            (None, Some(port), None) | (None, None, Some(port)) => {
                return Err(format!("`ready` waits for {port:?}, which is not among its `ports`"));
            }
            _ => return Err("`ready` waits for one of `line`, `port` and `http`".to_owned()),
        }
        let is_path = |path: &String| path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
        if self.path.as_ref().is_some_and(|path| self.http.is_none() || !is_path(path)) {
            return Err("`ready.path` is for `http` and begins with /".to_owned());
        }
        Ok(())
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout_ms.map_or(READY, Duration::from_millis)
    }
}

/// Whether a value or a port may be a variable of this name, of those that a text asks for: not the shell's own ones, nor those that make programs load
/// code.
pub(super) fn is_variable(name: &str) -> bool {
    let is_name = !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_theirs = ["PATH", "IFS", "ENV", "HOME", "LANG", "SHELLOPTS", "BASHOPTS", "PS4", "PERL5OPT", "NODE_OPTIONS"]
        .contains(&name)
        || ["LD_", "BASH_", "PYTHON", "PERENNIAL_", "GIT_", "LC_"].iter().any(|start| name.starts_with(start));
    is_name && !is_theirs
}

/// A declaration that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the command {name}: {why}")]
pub struct DeclarationError {
    /// Of the command.
    pub name: String,
    /// What is wrong.
    pub why: String,
}

/// The commands that may be run, by name, and the environment that they get variables from. Cheap to clone.
///
/// ```
/// use perennial_stdlib::commands::{CommandSet, Declaration, Run};
/// let list = Declaration::new(Run::Argv(vec!["ls".into(), "-l".into(), "${folder}".into()]));
/// let commands = CommandSet::new().with("list", list)?;
/// assert!(commands.get("list").is_some() && commands.get("rm").is_none());
/// # Ok::<(), perennial_stdlib::commands::DeclarationError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CommandSet(Arc<Inner>);

#[derive(Clone, Debug, Default)]
struct Inner {
    commands: BTreeMap<String, Arc<Declaration>>,
    environment: BTreeMap<String, String>,
}

impl CommandSet {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more; one of the same name is replaced.
    ///
    /// # Errors
    /// If there is nothing to run, if what it says does not go together, or the name has anything but letters, digits, `_`, `-` and `.`.
    pub fn with(mut self, name: &str, declaration: Declaration) -> Result<Self, DeclarationError> {
        let wrong = |why: String| DeclarationError { name: name.to_owned(), why };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(wrong("names are made of letters, digits, _, - and .".to_owned()));
        }
        declaration.check().map_err(wrong)?;
        Arc::make_mut(&mut self.0).commands.insert(name.to_owned(), Arc::new(declaration));
        Ok(self)
    }

    /// The same with one more, in the form of configuration files.
    ///
    /// # Errors
    /// As [`Self::with`], and if it is not of that form.
    pub fn with_json(self, name: &str, declaration: &Value) -> Result<Self, DeclarationError> {
        if !declaration.is_object() {
            let why = "a table is wanted, like { run = [\"ls\"] }".to_owned();
            return Err(DeclarationError { name: name.to_owned(), why });
        }
        let parsed = Declaration::deserialize(declaration);
        self.with(name, parsed.map_err(|error| DeclarationError { name: name.to_owned(), why: error.to_string() })?)
    }

    /// The same with an environment: commands get `PATH` and `LANG` from it, and what they declare.
    #[must_use]
    pub fn with_environment(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Arc::make_mut(&mut self.0).environment = variables.into_iter().collect();
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.commands.is_empty()
    }

    /// The command of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<Declaration>> {
        self.0.commands.get(name)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.commands.keys().map(String::as_str)
    }

    /// The variables that a command gets of the environment.
    pub(super) fn variables(&self, declaration: &Declaration) -> Vec<(String, String)> {
        let of = |name: &str| self.0.environment.get(name).cloned();
        let path = of("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
        let language = of("LANG").unwrap_or_else(|| "C.UTF-8".to_owned());
        let mut variables = vec![("PATH".to_owned(), path), ("LANG".to_owned(), language)];
        variables.extend(declaration.env.iter().filter_map(|name| Some((name.clone(), of(name)?))));
        variables
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_declaration_that_does_not_go_together_says_why() {
        for (declaration, why) in [
            (json!({}), "missing field `run`"),
            (json!({"run": 1}), "`run` is a list"),
            (json!({"run": []}), "names no program"),
            (json!({"run": ["${p}"]}), "names no program"),
            (json!({"run": " "}), "empty"),
            (json!({"run": ["a\0"]}), "NUL"),
            (json!({"run": ["a"], "timeout": 5}), "unknown field `timeout`"),
            (json!({"run": ["a"], "output": "xml"}), "unknown variant `xml`"),
            (json!({"run": ["a"], "ready": {"line": "x"}}), "`persistent`"),
            (json!({"run": ["a"], "persistent": true, "timeoutMs": 5}), "`persistent`"),
            (json!({"run": ["a"], "persistent": true, "ready": {}}), "one of `line`"),
            (json!({"run": ["a"], "persistent": true, "ready": {"port": "web"}}), "among its `ports`"),
            (
                json!({"run": ["a"], "persistent": true, "ports": ["w"], "ready": {"http": "w", "path": "x"}}),
                "begins with /",
            ),
            (json!({"run": ["a"], "ports": ["PATH"]}), "name of a port"),
            (json!({"run": ["a"], "ports": ["A"], "env": ["A"]}), "name of a port"),
            (json!({"run": ["a"], "env": ["A=B"]}), "name of a variable"),
            (json!({"run": ["a"], "env": ["HOME"]}), "there anyhow"),
            (json!({"run": ["a"], "ports": ["p", "p"]}), "twice"),
            (json!({"run": ["a"], "timeoutMs": 0}), "zero"),
            (json!({"run": ["a"], "limits": {"memoryBytes": 0}}), "zero"),
            (json!({"run": ["a", "${p"]}), "placeholder"),
            (json!({"run": ["a", "${}"]}), "placeholder"),
            (json!({"run": ["a", "x${...l}"]}), "placeholder"),
            (json!({"run": ["a", "${p?}"]}), "placeholder"),
            (json!(["ls"]), "a table is wanted"),
        ] {
            let error = CommandSet::new().with_json("c", &declaration).expect_err(why);
            assert!(error.to_string().contains(why), "{error} does not say {why}");
        }
        assert!(CommandSet::new().with_json("a/b", &json!({"run": ["a"]})).is_err());
        let all = json!({"run": "sleep 1", "persistent": true, "ports": ["web"], "restart": "on-failure",
            "ready": {"http": "web", "path": "/up", "timeoutMs": 5}, "limits": {"cpuSeconds": 1, "processes": 3}});
        CommandSet::new().with_json("a", &all).expect("it goes together");
    }
}
