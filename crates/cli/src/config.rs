//! `perennial.toml`: plugins, capabilities and limits of a project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use perennial_browser::ChromiumOptions;
use perennial_sessions::commands::{CommandSet, ProcessLimits, Run};
use perennial_sessions::{Allow, did_you_mean};
use serde_json::{Map, Value};

/// What a configuration file says; nothing of it has to be said.
#[derive(Debug, Default)]
pub(crate) struct Config {
    pub(crate) plugins: Vec<PathBuf>,
    /// The most that plugins are granted.
    pub(crate) allow: Allow,
    pub(crate) modules: Option<PathBuf>,
    /// What scripts may fetch, as on the command line.
    pub(crate) net: Vec<String>,
    /// What scripts may run.
    pub(crate) commands: CommandSet,
    /// How many commands may run, of one session and of all.
    pub(crate) process_limits: ProcessLimits,
    pub(crate) busy_with_commands: bool,
    /// Which browser scripts have.
    pub(crate) browser: Option<ChromiumOptions>,
    /// What scripts see in `process.env`.
    pub(crate) env: BTreeMap<String, String>,
    /// Names of secrets, whose values are in the environment, and the origins they are for.
    pub(crate) secrets: BTreeMap<String, Vec<String>>,
    /// As on the command line, with folders relative to `directory`.
    pub(crate) mounts: Vec<String>,
    /// What scripts write to as `artifacts`.
    pub(crate) artifacts: Option<PathBuf>,
    /// Where the file is.
    pub(crate) directory: PathBuf,
    /// Of an import map, with paths made absolute.
    pub(crate) imports: BTreeMap<String, String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) cpu: Option<Duration>,
    pub(crate) memory: Option<u64>,
    pub(crate) max_vms: Option<usize>,
    pub(crate) idle_ttl: Option<Duration>,
}

const NAME: &str = "perennial.toml";
/// Nobody writes a longer one.
const MAX_BYTES: u64 = 1 << 20;

/// A configuration file, as it is.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Found {
    /// The nearest file from a directory upwards.
    pub(crate) fn nearest(from: &Path) -> Result<Option<Self>, String> {
        // One that is there and cannot be read is no reason to look further up, let alone to go on without.
        let is_there = |path: &PathBuf| path.symlink_metadata().is_ok();
        let path = from.ancestors().map(|directory| directory.join(NAME)).find(is_there);
        path.map(|path| Self::read(&path)).transpose()
    }

    /// One that was named.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        match path.metadata() {
            Ok(metadata) if metadata.is_file() && metadata.len() <= MAX_BYTES => {}
            Ok(metadata) if metadata.is_file() => {
                let bytes = metadata.len();
                return Err(format!(
                    "{}: {bytes} bytes are more than the {MAX_BYTES} of a configuration",
                    path.display()
                ));
            }
            Ok(_) => return Err(format!("{}: not a regular file", path.display())),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        }
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        // What it names is relative to it, wherever it is used.
        let path = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self { path, text })
    }

    /// What it says.
    pub(crate) fn config(&self) -> Result<Config, String> {
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        Config::parse(&self.text, directory)
            .map_err(|problems| format!("{}: {}", self.path.display(), problems.join("; ")))
    }
}

impl Config {
    /// What it grants, in words; nothing if it has limits and modules of its own folder alone.
    pub(crate) fn grants(&self) -> Vec<String> {
        let mut grants = Vec::new();
        let mut say = |what: &str, items: Vec<String>| {
            if !items.is_empty() {
                grants.push(format!("{what} ({})", items.join(", ")));
            }
        };
        let paths = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        say("plugins", paths(&self.plugins));
        let allow = self
            .allow
            .keys()
            .flat_map(|key| self.allow.items(key).into_iter().map(move |item| format!("{key} {item}")));
        say("allow", allow.collect());
        let browser = |options: &ChromiumOptions| {
            let sandbox = if options.sandbox { "" } else { " without a sandbox" };
            format!("{}{sandbox}", options.program)
        };
        say("browser", self.browser.iter().map(browser).collect());
        say("artifacts", paths(self.artifacts.as_slice()));
        let runs = |name: &str| match self.commands.get(name).map(|command| &command.run) {
            Some(Run::Argv(argv)) => format!("{name}: {}", argv.join(" ")),
            Some(Run::Shell(text)) => format!("{name}: {text}"),
            None => name.to_owned(),
        };
        say("commands", self.commands.names().map(runs).collect());
        say("env", self.env.keys().cloned().collect());
        say("mounts", self.mounts.clone());
        say("net", self.net.clone());
        say(
            "secrets",
            self.secrets.iter().map(|(name, origins)| format!("{name} for {}", origins.join(" "))).collect(),
        );
        say("imports", self.imports.iter().map(|(name, target)| format!("{name}: {target}")).collect());
        say("limits", self.busy_with_commands.then(|| "busy_with_commands".to_owned()).into_iter().collect());
        say("modules", paths(self.outer_modules().as_slice()));
        grants
    }

    /// The folder of modules, if it is not within that of the file.
    fn outer_modules(&self) -> Option<PathBuf> {
        let root = self.modules.as_ref()?;
        let is_inner = root.canonicalize().ok().zip(self.directory.canonicalize().ok());
        (!is_inner.is_some_and(|(root, directory)| root.starts_with(directory))).then(|| root.clone())
    }

    /// Without what it grants.
    pub(crate) fn without_grants(self) -> Self {
        // As it is now, whatever becomes of the links in it.
        let inner = self.outer_modules().is_none();
        let modules = self.modules.filter(|_| inner).and_then(|root| root.canonicalize().ok());
        Self {
            modules,
            directory: self.directory,
            timeout: self.timeout,
            cpu: self.cpu,
            memory: self.memory,
            max_vms: self.max_vms,
            idle_ttl: self.idle_ttl,
            ..Self::default()
        }
    }

    /// Paths are relative to `directory`.
    fn parse(text: &str, directory: &Path) -> Result<Self, Vec<String>> {
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| vec![error.to_string().trim().to_owned()])?;
        let root = serde_json::to_value(table).map_err(|error| vec![error.to_string()])?;
        let mut reader = Reader { problems: Vec::new() };
        let mut config = Self { directory: directory.to_owned(), ..Self::default() };
        let root = reader.table(
            &root,
            "",
            &[
                "plugins",
                "allow",
                "artifacts",
                "browser",
                "commands",
                "env",
                "modules",
                "mounts",
                "net",
                "secrets",
                "limits",
            ],
        );
        if let Some(plugins) = root.get("plugins") {
            match plugins.as_array().map(|plugins| plugins.iter().map(Value::as_str).collect::<Option<Vec<_>>>()) {
                Some(Some(plugins)) => config.plugins = plugins.into_iter().map(|path| directory.join(path)).collect(),
                _ => reader.problems.push("plugins: not a list of paths".to_owned()),
            }
        }
        let mut allow = root.get("allow").cloned().unwrap_or(Value::Null);
        if let Some(commands) = allow.get_mut("commands").and_then(Value::as_object_mut) {
            commands.values_mut().filter(|most| most.get("run").is_some()).for_each(|most| here(most, directory));
        }
        match Allow::parse(&allow) {
            Ok(allow) => config.allow = allow,
            Err(problems) => reader.problems.extend(problems.into_iter().map(|why| format!("allow{why}"))),
        }
        if let Some(rules) = root.get("net") {
            match rules.as_array().map(|rules| rules.iter().map(Value::as_str).collect::<Option<Vec<_>>>()) {
                Some(Some(rules)) => config.net = rules.into_iter().map(str::to_owned).collect(),
                _ => reader.problems.push("net: not a list like [\"api.example.com\"]".to_owned()),
            }
        }
        if let Some(commands) = root.get("commands") {
            config.commands = reader.commands(commands, directory);
        }
        if let Some(env) = root.get("env") {
            match env
                .as_object()
                .map(|env| env.iter().map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect())
            {
                Some(Some(env)) => config.env = env,
                _ => reader.problems.push("env: not a table of texts like { MODE = \"test\" }".to_owned()),
            }
        }
        if let Some(secrets) = root.get("secrets") {
            let origins = |value: &Value| {
                value.as_array()?.iter().map(|origin| origin.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
            };
            match secrets
                .as_object()
                .map(|secrets| secrets.iter().map(|(name, value)| Some((name.clone(), origins(value)?))).collect())
            {
                Some(Some(secrets)) => config.secrets = secrets,
                _ => reader
                    .problems
                    .push("secrets: not a table like { github = [\"https://api.github.com\"] }".to_owned()),
            }
        }
        if let Some(mounts) = root.get("mounts") {
            match mounts.as_array().map(|mounts| mounts.iter().map(Value::as_str).collect::<Option<Vec<_>>>()) {
                Some(Some(mounts)) => config.mounts = mounts.into_iter().map(str::to_owned).collect(),
                _ => reader.problems.push("mounts: not a list like [\"data:/data:ro\"]".to_owned()),
            }
        }
        if let Some(browser) = root.get("browser") {
            config.browser = Some(reader.browser(browser));
        }
        config.artifacts = reader.text(&root, "", "artifacts").map(|folder| directory.join(folder));
        if let Some(modules) = root.get("modules") {
            let modules = reader.table(modules, "modules", &["root", "imports"]);
            let root = reader.text(&modules, "modules", "root");
            config.modules = Some(root.map_or_else(|| directory.to_owned(), |path| directory.join(path)));
            if let Some(imports) = modules.get("imports") {
                config.imports = reader.imports(imports, directory);
            }
        }
        if let Some(limits) = root.get("limits") {
            let limits = reader.table(
                limits,
                "limits",
                &[
                    "timeout",
                    "cpu",
                    "memory",
                    "max_vms",
                    "idle_ttl",
                    "commands",
                    "session_commands",
                    "busy_with_commands",
                ],
            );
            config.timeout = reader.time(&limits, "limits", "timeout");
            config.cpu = reader.time(&limits, "limits", "cpu");
            config.idle_ttl = reader.time(&limits, "limits", "idle_ttl");
            config.memory = reader.bytes(&limits, "limits", "memory");
            config.max_vms = reader.count(&limits, "limits", "max_vms");
            let mut processes = ProcessLimits::default();
            processes.session = reader.count(&limits, "limits", "session_commands").unwrap_or(processes.session);
            processes.process = reader.count(&limits, "limits", "commands").unwrap_or(processes.process);
            config.process_limits = processes;
            config.busy_with_commands = reader.flag(&limits, "limits", "busy_with_commands").unwrap_or(false);
        }
        if reader.problems.is_empty() { Ok(config) } else { Err(reader.problems) }
    }
}

/// Commands run where the file is, unless they say where; what they say is relative to it.
fn here(declaration: &mut Value, directory: &Path) {
    if let Value::Object(fields) = declaration
        && fields.get("cwd").is_none_or(Value::is_string)
    {
        let cwd = fields.get("cwd").and_then(Value::as_str).unwrap_or(".");
        let cwd = directory.join(cwd).to_string_lossy().into_owned();
        fields.insert("cwd".to_owned(), Value::String(cwd));
    }
}

struct Reader {
    problems: Vec<String>,
}

impl Reader {
    fn table(&mut self, value: &Value, at: &str, known: &[&str]) -> Map<String, Value> {
        let Value::Object(map) = value else {
            self.problems.push(format!("{at}: not a table"));
            return Map::new();
        };
        for key in map.keys().filter(|key| !known.contains(&&***key)) {
            let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            self.problems.push(format!("there is no '{path}'{}", did_you_mean(key, known)));
        }
        map.clone()
    }

    fn text(&mut self, map: &Map<String, Value>, at: &str, key: &str) -> Option<String> {
        let value = map.get(key)?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            let example = match key {
                "root" => "src",
                "program" => "auto",
                "artifacts" => "out",
                _ => "30s",
            };
            let path = if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
            self.problems.push(format!("{path}: a text like \"{example}\" is wanted"));
        }
        text
    }

    fn flag(&mut self, map: &Map<String, Value>, at: &str, key: &str) -> Option<bool> {
        let value = map.get(key)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.problems.push(format!("{at}.{key}: true or false is wanted"));
        }
        flag
    }

    fn count(&mut self, map: &Map<String, Value>, table: &str, key: &str) -> Option<usize> {
        let value = map.get(key)?;
        let count = value.as_u64().and_then(|value| usize::try_from(value).ok());
        if count.is_none() {
            self.problems.push(format!("{table}.{key}: {value} is no count"));
        }
        count
    }

    fn browser(&mut self, value: &Value) -> ChromiumOptions {
        const KEYS: &[&str] = &["program", "headed", "sandbox", "memory", "contexts", "pages", "downloads", "idle"];
        let map = self.table(value, "browser", KEYS);
        ChromiumOptions::default().configure(|options| {
            match self.text(&map, "browser", "program").as_deref().unwrap_or("auto").parse() {
                Ok(program) => options.program = program,
                Err(why) => self.problems.push(format!("browser.program: {why}")),
            }
            options.headed = self.flag(&map, "browser", "headed").unwrap_or(options.headed);
            options.sandbox = self.flag(&map, "browser", "sandbox").unwrap_or(options.sandbox);
            options.max_memory = self.bytes(&map, "browser", "memory").unwrap_or(options.max_memory);
            options.max_contexts = self.count(&map, "browser", "contexts").unwrap_or(options.max_contexts);
            options.max_pages = self.count(&map, "browser", "pages").unwrap_or(options.max_pages);
            options.max_downloads = self.count(&map, "browser", "downloads").unwrap_or(options.max_downloads);
            options.idle = self.time(&map, "browser", "idle").unwrap_or(options.idle);
        })
    }

    fn commands(&mut self, value: &Value, directory: &Path) -> CommandSet {
        let mut set = CommandSet::new();
        let Value::Object(map) = value else {
            self.problems.push("commands: not a table like { test = { run = [\"npm\", \"test\"] } }".to_owned());
            return set;
        };
        for (name, declaration) in map {
            let mut declaration = declaration.clone();
            here(&mut declaration, directory);
            match set.clone().with_json(name, &declaration) {
                Ok(more) => set = more,
                Err(error) => self.problems.push(format!("commands.{name}: {}", error.why)),
            }
        }
        set
    }

    fn imports(&mut self, value: &Value, directory: &Path) -> BTreeMap<String, String> {
        let Value::Object(map) = value else {
            self.problems.push("modules.imports: not a table".to_owned());
            return BTreeMap::new();
        };
        let mut imports = BTreeMap::new();
        for (name, target) in map {
            match target.as_str() {
                Some(path) if path.starts_with("./") || path.starts_with("../") => {
                    imports.insert(name.clone(), directory.join(path).to_string_lossy().into_owned());
                }
                Some(target) => {
                    imports.insert(name.clone(), target.to_owned());
                }
                None => {
                    self.problems.push(format!("modules.imports.{name}: a text like \"./vendor/{name}.js\" is wanted"));
                }
            }
        }
        imports
    }

    fn bytes(&mut self, map: &Map<String, Value>, table: &str, key: &str) -> Option<u64> {
        let size = self.text(map, table, key)?.parse::<bytesize::ByteSize>();
        size.map_err(|error| self.problems.push(format!("{table}.{key}: {error}"))).ok().map(|size| size.as_u64())
    }

    fn time(&mut self, map: &Map<String, Value>, table: &str, key: &str) -> Option<Duration> {
        let text = self.text(map, table, key)?;
        match humantime::parse_duration(&text) {
            Ok(time) if time.is_zero() => {
                self.problems.push(format!("{table}.{key}: no time at all"));
                None
            }
            Ok(time) => Some(time),
            Err(error) => {
                self.problems.push(format!("{table}.{key}: {error}"));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Vec<String>> {
        Config::parse(text, Path::new("/p"))
    }

    #[test]
    fn a_whole_file_is_read_with_its_paths_relative_to_it() {
        let text = "plugins = [\"plugins/html\"]\nmounts = [\"data:/data:ro\"]\n[allow]\nnet = [\"*.example.com\"]\n[modules]\nroot = \"src\"\nimports = { a = \"./b.ts\", \"c/\" = \"d/\" }\n\
                    [limits]\ntimeout = \"30s\"\ncpu = \"10s\"\nmemory = \"128MiB\"\nmax_vms = 5\nidle_ttl = \"1m\"";
        let config = parse(text).expect("it parses");
        assert_eq!(config.plugins, [PathBuf::from("/p/plugins/html")]);
        assert_eq!((config.mounts, config.directory), (vec!["data:/data:ro".to_owned()], PathBuf::from("/p")));
        assert_eq!(config.modules, Some(PathBuf::from("/p/src")));
        assert_eq!(config.imports, BTreeMap::from([("a".into(), "/p/./b.ts".into()), ("c/".into(), "d/".into())]));
        assert_eq!(
            (config.timeout, config.memory, config.max_vms),
            (Some(Duration::from_secs(30)), Some(128 << 20), Some(5))
        );
        let empty = parse("").expect("nothing has to be said");
        assert!(empty.commands.is_empty() && empty.plugins.is_empty() && empty.directory == Path::new("/p"));
    }

    #[test]
    fn commands_run_where_the_file_is_unless_they_say_where() {
        let allowed =
            parse("[allow.commands]\nlist = { run = [\"ls\"], cwd = \"sub\" }\ngit = {}").expect("it parses").allow;
        assert_eq!(allowed.get("commands").expect("it is there")["list"]["cwd"], "/p/sub");
        assert_eq!(allowed.get("commands").expect("it is there")["git"], serde_json::json!({}));
        let config = parse(
            "[commands]\ntest = { run = [\"npm\", \"test\"] }\n[commands.web]\nrun = \"npm start\"\ncwd = \"web\"\npersistent = true\n[limits]\ncommands = 3",
        );
        let config = config.expect("it parses");
        let cwd = |name: &str| config.commands.get(name).and_then(|command| command.cwd.clone());
        assert_eq!((cwd("test"), cwd("web")), (Some("/p/.".into()), Some("/p/web".into())));
        assert_eq!((config.process_limits.process, config.process_limits.session), (3, 16));
    }

    #[test]
    fn the_documented_example_is_read() {
        let document = include_str!("../../../docs/configuration.md");
        let example =
            document.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("it is there");
        let config = parse(example).expect("it parses");
        assert_eq!(config.imports.len() + config.plugins.len(), 4);
        assert!(config.cpu.is_some() && config.idle_ttl.is_some() && config.max_vms.is_some());
    }

    #[test]
    fn unknown_keys_and_wrong_values_are_errors_with_advice() {
        for (text, expected) in [
            ("plugin = []", "there is no 'plugin' (did you mean 'plugins'?)"),
            ("[limits]\ntimout = \"1s\"", "there is no 'limits.timout' (did you mean 'timeout'?)"),
            ("[limits]\ntimeout = 5", "limits.timeout: a text like \"30s\" is wanted"),
            ("[limits]\ncpu = \"0s\"", "limits.cpu: no time at all"),
            ("[limits]\nmemory = \"lots\"", "limits.memory: "),
            ("[allow]\nnett = []", "allow: there is no 'nett' (did you mean 'net'?)"),
            ("commands = 1", "commands: not a table"),
            ("[commands.x]\nrunn = []", "commands.x: unknown field `runn`"),
            ("[commands.x]\nrun = []", "commands.x: `run` names no program"),
            ("[limits]\ncommands = -1", "limits.commands: -1 is no count"),
            ("plugins = \"x\"", "plugins: not a list of paths"),
            ("limits = 1", "limits: not a table"),
            ("[limits", "TOML parse error"),
        ] {
            let problems = parse(text).expect_err(text);
            assert!(problems[0].starts_with(expected), "{problems:?}");
        }
    }
}
