use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use perennial_browser::{Chromium, Program};
use perennial_sessions::browser::Browsers;
use perennial_sessions::commands::{CommandSet, Declaration, Run};
use perennial_sessions::files::{Artifacts, Mount, MountError, Mounts};
use perennial_sessions::net::{NetLimits, NetPolicy, Secrets};
use perennial_sessions::node::Environment;
use perennial_sessions::{ModuleAccess, ScriptError, TableConfig};
use serde_json::Value;
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::config::{Config, Found};
use crate::{output, trust};

/// Bytes that scripts may produce together.
const ARTIFACTS: u64 = 256 << 20;

/// JavaScript and TypeScript sessions that remember.
#[derive(Debug, Parser)]
#[command(
    name = "perennial",
    version,
    max_term_width = 100,
    after_help = "A perennial.toml in the working directory or above it holds plugins, capabilities, modules, mounts and limits (docs/configuration.md)."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run script files in order on one session
    ///
    /// Each file is a cell, in TypeScript or JavaScript: its top-level names are there for the files behind it, `return` or the last
    /// expression gives its result, and it may import what belongs to its project. A file that exports something
    /// is run as a module: its result is its default export, called with the arguments if it is a function. Values go to stdout as JSON, console output
    /// and notes to stderr. A script that fails does not keep the next from running; a file that cannot be read keeps all from it.
    ///
    /// Exit status: 0 all returned, 1 a script failed, 2 the command line is wrong, 3 a limit stopped a script, or what a script gave to
    /// process.exit; the largest of them.
    Run(RunFiles),
    /// Run one script given on the command line
    Eval(EvalCode),
    /// Report what is wrong with script files, without running them
    ///
    /// Parses each file and everything it imports. A file that exports something is checked as a module, any other as a cell.
    ///
    /// Exit status: 0 nothing is wrong, 1 something is.
    Check(CheckFiles),
    /// Type cells by hand, as in a notebook
    ///
    /// Each input is a cell of one session: its top-level names are there for the next. Input goes on over several lines as long as
    /// something is open. Ctrl-C stops the script that runs, Ctrl-D ends.
    Repl,
    /// Write, check and test plugins
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Print TypeScript declarations of everything that scripts find, plugins included
    Types,
    /// Drive sessions through a pipe: JSON lines in, JSON lines out
    ///
    /// Each line is a request (docs/batch-request.schema.json): {"id": 1, "session": "a", "script": "return 1", "args": [], "timeout_ms": 1000}, or
    /// {"id": 2, "session": "a", "op": "reset"} or "op": "close". Requests of one session run in order, sessions run side by side;
    /// each answer carries the id and the session. With "stream": true console lines come before the answer, as they are written. {"op": "cancel", "session": "a"}
    /// or "request": 1, {"op": "sessions"} and {"op": "reload"} (plugins) are answered at once. A line that is wrong gets an answer with its number. Exit status 0 means that
    /// every line was answered, whatever the scripts did.
    Batch(Batch),
    /// Print a shell's completions of this program, for its own configuration
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print a manual page, for `man -l -`
    Man,
    /// Agree to what a perennial.toml grants, until it says something else
    ///
    /// A file that was found, and not named with -c, grants nothing before: it comes with its folder, which somebody else may have written. What was
    /// agreed to is remembered by the file's place and content.
    Trust(Trust),
    /// Serve the Model Context Protocol on stdin and stdout
    ///
    /// Ctrl-C and SIGTERM end it, SIGHUP loads the plugins again.
    Mcp(Mcp),
}

impl Command {
    /// Whether scripts of the caller run.
    pub(crate) fn runs_scripts(&self) -> bool {
        !matches!(
            self,
            Self::Check(_)
                | Self::Types
                | Self::Trust(_)
                | Self::Completions { .. }
                | Self::Man
                | Self::Plugin(PluginCommand::New { .. } | PluginCommand::Check { .. })
        )
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Write a plugin to begin with into a new folder
    New {
        /// How scripts will call it: tools.NAME
        name: String,
    },
    /// Say what a plugin offers and may use, and everything that is wrong with it
    Check {
        /// Folder or file of the plugin
        path: PathBuf,
    },
    /// Run a plugin's *.test.ts in real sessions
    Test {
        /// Folder or file of the plugin
        path: PathBuf,
        /// Run the tests alone whose names have this in them
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        filter: String,
        /// Run them again whenever a file changes
        #[arg(long)]
        watch: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RunFiles {
    /// Files to run, in order; - is stdin
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) script: ScriptOptions,
}

#[derive(Debug, Args)]
pub(crate) struct CheckFiles {
    /// Files to check; - is stdin
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EvalCode {
    /// TypeScript or JavaScript
    #[arg(value_name = "CODE", allow_hyphen_values = true)]
    pub(crate) code: String,
    #[command(flatten)]
    pub(crate) script: ScriptOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ScriptOptions {
    /// Value of `args` in the scripts
    #[arg(long, value_name = "JSON", value_parser = json, allow_hyphen_values = true)]
    pub(crate) args: Option<Value>,
    /// Undo what a script did to vars and the session's files unless it returns
    #[arg(long)]
    pub(crate) atomic: bool,
    /// Say what each script changed among the session's files
    #[arg(long)]
    pub(crate) changes: bool,
    /// Print whole results as JSON, one a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Batch {
    /// File of requests; - is stdin
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// Requests that run at the same time
    #[arg(long, default_value_t = 64, value_name = "N")]
    pub(crate) concurrency: u16,
}

#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// The file; the nearest perennial.toml unless it is said
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Take it back
    #[arg(long)]
    pub(crate) revoke: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Mcp {
    /// Answer with structured content besides the text, for clients that are programs: some show a model that instead
    #[arg(long)]
    pub(crate) structured: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Configuration file, which may grant whatever it says; the nearest perennial.toml unless it is said
    #[arg(short = 'c', long, global = true, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Look for no perennial.toml
    #[arg(long, global = true)]
    no_config: bool,
    /// Wall-clock limit of a script; of `mcp` the most that a call may ask for, of `batch` what requests have that say nothing else [default: 5m]
    #[arg(long, global = true, value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
    /// CPU-time limit of a script [default: none]
    #[arg(long, global = true, value_name = "TIME", value_parser = humantime::parse_duration)]
    cpu: Option<Duration>,
    /// Heap limit of a script [default: 256MiB]
    #[arg(long, global = true, value_name = "SIZE")]
    memory: Option<ByteSize>,
    /// Directory below which scripts may import modules [default: for `run` the project of each file, for `repl` the working directory, else
    /// none]. Imports of a file below it are relative to the file, others to the directory
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) modules: Option<PathBuf>,
    /// What scripts may fetch, as `[METHODS ][SCHEME://]HOST[:PORT][/PATH][ @RANGES]` (api.example.com, GET https://*.example.org/v1, http://localhost:3000); may
    /// be given again. Without a scheme it is https
    #[arg(long = "allow-net", global = true, value_name = "RULE")]
    allow_net: Vec<String>,
    /// Program that scripts may run, with arguments of their choice, in the working directory: commands.run("NAME", { args: ["…"] }); may be given again.
    /// What runs with fewer liberties is declared under `[commands]` in perennial.toml (docs/commands.md)
    #[arg(long = "allow-run", global = true, value_name = "NAME")]
    allow_run: Vec<String>,
    /// Give scripts a browser as `page`, `context` and `browser`, with Playwright's names: auto (the headless shell, else Chromium), chromium, headless-shell or a path. Its pages
    /// reach what scripts may fetch (docs/browser.md)
    #[arg(long, global = true, value_name = "WHICH", num_args = 0..=1, default_missing_value = "auto", require_equals = true)]
    browser: Option<Program>,
    /// Show the browser's windows
    #[arg(long, global = true)]
    headed: bool,
    /// Start the browser without its own sandbox, as root has to
    #[arg(long, global = true)]
    browser_no_sandbox: bool,
    /// Use a browser that runs instead, by the address of its DevTools: http://127.0.0.1:9222 of one that was started with --remote-debugging-port=9222, or all of ws://…. Sessions have contexts
    /// of their own in it. Its pages reach whatever that browser reaches: needs --allow-net-unchecked
    #[arg(long, global = true, value_name = "URL", conflicts_with_all = ["browser", "headed", "browser_no_sandbox"])]
    cdp: Option<String>,
    /// Agree that pages of --cdp reach whatever that browser reaches, whatever --allow-net says
    #[arg(long, global = true)]
    allow_net_unchecked: bool,
    /// Variable that scripts see in process.env, as NAME=VALUE, or NAME to pass on the program's own; may be given again
    #[arg(long = "env", global = true, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// Secret that scripts use as perennial.secret("NAME") and never see, as NAME=ORIGIN[,ORIGIN…] (`github=https://api.github.com`); its value is the
    /// program's environment variable NAME; may be given again
    #[arg(long = "secret", global = true, value_name = "NAME=ORIGINS")]
    secrets: Vec<String>,
    /// Folder of the host that scripts see among their files, as `HOST:AT[:ro|rw|overlay]` (./data:/data:ro); may be given again. What scripts write to an
    /// overlay stays in the session
    #[arg(long = "mount", global = true, value_name = "MOUNT")]
    mounts: Vec<String>,
    /// Folder that scripts write to as `artifacts`, 256 MiB at most; made if it is not there
    #[arg(long, global = true, value_name = "DIR")]
    artifacts: Option<PathBuf>,
    /// Folder, file or package (below node_modules) of a plugin whose tools scripts can call; may be given again
    #[arg(long = "plugin", global = true, value_name = "PATH")]
    plugins: Vec<PathBuf>,
    /// End with status 1 if a plugin cannot be used, instead of going on without it
    #[arg(long, global = true)]
    pub(crate) require_plugins: bool,
    /// What the program says of itself on stderr: error, warn, info, debug or trace, of all of it or of one part (`perennial::net=info`: each request, allowed or denied), with
    /// commas between several
    #[arg(long, global = true, value_name = "LEVEL", env = "PERENNIAL_LOG", hide_env_values = true, value_parser = log_targets)]
    pub(crate) log: Option<Targets>,
    /// VMs kept warm [default: 1000]
    #[arg(long, global = true, value_name = "N")]
    max_vms: Option<usize>,
    /// How long a session may be unused before it ends [default: 30m]
    #[arg(long, global = true, value_name = "TIME", value_parser = humantime::parse_duration)]
    idle_ttl: Option<Duration>,
}

impl Common {
    /// What the configuration file says that counts. One that was found and nobody has agreed to grants nothing, and a line says so.
    pub(crate) fn configuration(&self) -> Result<Config, String> {
        if self.no_config {
            return Ok(Config::default());
        }
        if let Some(path) = &self.config {
            return Found::read(path)?.config();
        }
        let directory = std::env::current_dir().map_err(|error| error.to_string())?;
        let Some(found) = Found::nearest(&directory)? else { return Ok(Config::default()) };
        let config = found.config()?;
        let grants = config.grants();
        if grants.is_empty() || trust::is_trusted(&found.path, &found.text) {
            return Ok(config);
        }
        output::complain(&format!(
            "{} grants nothing yet: `perennial trust` agrees to {}; `-c FILE` does for once, `--no-config` looks for none",
            found.path.display(),
            grants.join(", ")
        ));
        Ok(config.without_grants())
    }

    /// The policy asked for: the command line first, then the configuration file. Limits that no script could run under are refused here,
    /// once. What the environment has to hold for scripts is looked at only if some are to run.
    pub(crate) fn table_config(&self, file: &Config, runs_scripts: bool) -> Result<TableConfig, ScriptError> {
        let mut config = TableConfig::default();
        if let Some(wall) = self.timeout.or(file.timeout) {
            config.defaults.wall = wall;
        }
        config.defaults.cpu = self.cpu.or(file.cpu);
        if let Some(memory) = self.memory.map(|memory| memory.as_u64()).or(file.memory) {
            config.defaults.memory_bytes = usize::try_from(memory).unwrap_or(usize::MAX);
        }
        config.max_vms = self.max_vms.or(file.max_vms).unwrap_or(config.max_vms);
        config.idle_ttl = self.idle_ttl.or(file.idle_ttl).unwrap_or(config.idle_ttl);
        if let Some(directory) = self.modules.as_ref().or(file.modules.as_ref()) {
            let access = match directory.canonicalize() {
                Ok(path) if path.is_dir() => Ok(ModuleAccess::below_with_imports(path, file.imports.clone())),
                Ok(_) => Err(format!("modules: {} is no directory", directory.display())),
                Err(error) => Err(format!("modules: {}: {error}", directory.display())),
            };
            config.modules = Some(access.map_err(ScriptError::invalid_request)?);
        }
        config.mounts = self.mounts(file).map_err(|error| ScriptError::invalid_request(error.to_string()))?;
        let rules: Vec<&String> = file.net.iter().chain(&self.allow_net).collect();
        if !rules.is_empty() {
            let policy = NetPolicy::parse(&rules, NetLimits::default());
            config.net = Some(policy.map_err(|error| ScriptError::invalid_request(error.to_string()))?);
        }
        config.process_limits = file.process_limits;
        config.busy_with_commands = file.busy_with_commands;
        config.commands = self.commands(file)?;
        config.browsers = self.browsers(file, runs_scripts)?;
        if runs_scripts {
            config.env = self.environment(file)?;
            config.secrets = self.secrets(file)?;
        }
        config.defaults.check(&config.ceilings)?;
        Ok(config)
    }

    /// The browser of the command line, or else of the configuration file. One that is not there is an error at once, where scripts are to run.
    fn browsers(&self, file: &Config, runs_scripts: bool) -> Result<Option<Arc<dyn Browsers>>, ScriptError> {
        if self.cdp.is_some() != self.allow_net_unchecked {
            return Err(ScriptError::invalid_request(match self.cdp {
                Some(_) => {
                    "--cdp: pages reach whatever that browser reaches, and nothing here holds them: add --allow-net-unchecked to agree"
                }
                None => "--allow-net-unchecked is for the pages of a browser that runs: add --cdp",
            }));
        }
        let remote = self.cdp.clone().map(Program::Remote);
        let program = remote.or_else(|| self.browser.clone());
        if program.is_none() && file.browser.is_none() {
            if self.headed || self.browser_no_sandbox {
                return Err(ScriptError::invalid_request(
                    "--headed and --browser-no-sandbox are for a browser: add --browser",
                ));
            }
            return Ok(None);
        }
        let options = file.browser.clone().unwrap_or_default().configure(|options| {
            options.program = program.unwrap_or_else(|| options.program.clone());
            options.headed |= self.headed;
            options.sandbox &= !self.browser_no_sandbox;
        });
        if runs_scripts {
            let option = if self.cdp.is_some() { "--cdp" } else { "--browser" };
            options.check().map_err(|why| ScriptError::invalid_request(format!("{option}: {why}")))?;
        }
        Ok(Some(Arc::new(Chromium::new(options))))
    }

    /// The variables of the configuration file and of the command line, the latter first.
    fn environment(&self, file: &Config) -> Result<Environment, ScriptError> {
        let named = file.env.iter().map(|(name, value)| Ok((name.clone(), value.clone())));
        let given = self.env.iter().map(|text| match text.split_once('=') {
            Some(("", _)) => Err(format!("--env {text}: a name stands before the =")),
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Ok((text.clone(), own_variable(text)?)),
        });
        let mut environment = Environment::new();
        for variable in named.chain(given) {
            let (name, value) = variable.map_err(ScriptError::invalid_request)?;
            environment = environment.with(name, value);
        }
        Ok(environment)
    }

    /// The commands of the configuration file, and the programs of the command line.
    fn commands(&self, file: &Config) -> Result<CommandSet, ScriptError> {
        let mut set = file.commands.clone().with_environment(own_variables());
        for name in &self.allow_run {
            let wrong = |why: &str| ScriptError::invalid_request(format!("--allow-run {name}: {why}"));
            let here = std::env::current_dir().map_err(|error| wrong(&error.to_string()))?;
            let mut declaration = Declaration::new(Run::Argv(vec![name.clone(), "${...args?}".to_owned()]));
            declaration.allow_options = true;
            declaration.cwd = Some(here);
            // A program is named by its path, a command by the last of it.
            let short = Path::new(name).file_name().and_then(|name| name.to_str()).unwrap_or(name);
            set = set.with(short, declaration).map_err(|error| wrong(&error.why))?;
        }
        Ok(set)
    }

    /// The secrets of the configuration file and of the command line.
    fn secrets(&self, file: &Config) -> Result<Secrets, ScriptError> {
        let named = file.secrets.iter().map(|(name, origins)| Ok((name.clone(), origins.clone())));
        let given = self.secrets.iter().map(|text| match text.split_once('=') {
            Some((name, origins)) => Ok((name.to_owned(), origins.split(',').map(str::to_owned).collect())),
            None => Err(format!("--secret {text}: write NAME=ORIGIN, as in github=https://api.github.com")),
        });
        let mut secrets = Secrets::new();
        for secret in named.chain(given) {
            let (name, origins): (String, Vec<String>) = secret.map_err(ScriptError::invalid_request)?;
            let origins: Vec<&str> = origins.iter().map(String::as_str).collect();
            let kept = match own_variable(&name) {
                Ok(value) => secrets.with(&name, &value, &origins),
                // It fails who uses it.
                Err(why) => {
                    output::remark(&format!("the secret {name} has no value, so what uses it fails: {why}"));
                    secrets.without_value(&name, &why)
                }
            };
            secrets = kept.map_err(|error| ScriptError::invalid_request(error.to_string()))?;
        }
        Ok(secrets)
    }

    /// The mounts of the configuration file and of the command line.
    fn mounts(&self, file: &Config) -> Result<Option<Mounts>, MountError> {
        let named = file.mounts.iter().map(|text| (text, file.directory.as_path()));
        let mounts = named.chain(self.mounts.iter().map(|text| (text, Path::new("."))));
        let mounts = mounts.map(|(text, base)| Mount::parse(text, base)).collect::<Result<Vec<_>, _>>()?;
        if mounts.is_empty() { Ok(None) } else { Mounts::new(mounts).map(Some) }
    }

    /// The folder of the command line, or else of the configuration file.
    pub(crate) fn artifacts(&self, file: &Config) -> Result<Option<Artifacts>, String> {
        let Some(folder) = self.artifacts.as_ref().or(file.artifacts.as_ref()) else { return Ok(None) };
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Artifacts::in_folder(folder, ARTIFACTS).map(Some).map_err(|error| error.to_string())
    }

    /// The plugins of the configuration file and of the command line.
    pub(crate) fn plugins(&self, file: &Config) -> Vec<PathBuf> {
        file.plugins.iter().chain(&self.plugins).map(|path| package_of(path).unwrap_or_else(|| path.clone())).collect()
    }
}

/// The folder of a plugin that is named as a package is, in the nearest `node_modules` that has it.
fn package_of(path: &Path) -> Option<PathBuf> {
    let is_name = !path.exists() && path.is_relative() && !path.starts_with(".") && !path.starts_with("..");
    let here = is_name.then(std::env::current_dir)?.ok()?;
    here.ancestors().map(|folder| folder.join("node_modules").join(path)).find(|folder| folder.is_dir())
}

/// The program's own environment, as far as it is text.
pub(crate) fn own_variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// A variable of the program's own environment.
fn own_variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|error| match error {
        std::env::VarError::NotPresent => format!("the environment has no variable {name}"),
        std::env::VarError::NotUnicode(_) => format!("the environment's {name} is no Unicode text"),
    })
}

fn log_targets(text: &str) -> Result<Targets, String> {
    // A level alone is for our own parts: libraries say what is in requests.
    match text.parse::<LevelFilter>() {
        Ok(level) => Ok(Targets::new().with_target("perennial", level)),
        Err(_) => text.parse().map_err(|error| format!("{error}")),
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}
