//! The `perennial` program: the only place that reads the command line and the only one that exits.

mod args;
mod batch;
mod check;
mod config;
mod live;
mod output;
mod plugin;
mod repl;
mod run;
mod trust;

use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use clap_complete::Shell;
use perennial_server::McpOptions;
use perennial_sessions::net::{NetLimits, NetPolicy};
use perennial_sessions::{Owner, PluginOptions, PluginSet, SessionTable};
use tokio::runtime::Builder;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Arguments, Command, Trust};
use crate::config::Found;

/// What the program ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Ok,
    /// A script failed, or the program could not do what it was asked to.
    Failed,
    /// The command line is wrong; clap ends with the same.
    Usage,
    /// A limit stopped a script.
    Limit,
    /// A script ended itself with this code, which is not 0.
    Script(u8),
    /// Ctrl-C, as shells write it.
    Interrupted,
    /// SIGTERM, as shells write it.
    Terminated,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Limit => 3,
            Self::Script(code) => code,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

fn main() -> ExitCode {
    // Commands are run by this program, started again.
    perennial_sessions::supervisor_main();
    // Before there are threads: scripts have no business with the local time zone.
    perennial_sessions::use_utc();
    let arguments = Arguments::parse();
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::complain(&format!("no runtime: {error}"));
            return ExitCode::from(Exit::Failed.code());
        }
    };
    let exit = runtime.block_on(main_async(arguments));
    // A thread may sit in a read of stdin or be stuck in a script; neither is waited for.
    runtime.shutdown_timeout(Duration::from_millis(50));
    leave(exit)
}

#[expect(clippy::exit, reason = "returning from main would run destructors that have nothing left to do")]
fn leave(exit: Exit) -> ! {
    std::process::exit(exit.code().into())
}

async fn main_async(arguments: Arguments) -> Exit {
    match &arguments.command {
        Command::Trust(command) => return agree(command),
        Command::Completions { shell } => return describe(|out| complete(*shell, out)),
        Command::Man => return describe(|out| clap_mangen::Man::new(Arguments::command()).render(out)),
        _ => {}
    }
    if let Some(targets) = arguments.common.log.clone() {
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
        tracing_subscriber::registry().with(lines.with_filter(targets)).init();
    }
    let file = match arguments.common.configuration() {
        Ok(file) => file,
        Err(error) => {
            output::complain(&error);
            return Exit::Usage;
        }
    };
    let mut config = match arguments.common.table_config(&file, arguments.command.runs_scripts()) {
        Ok(config) => config,
        Err(error) => {
            output::complain(&error.message);
            return Exit::Usage;
        }
    };
    let base = if file.directory.as_os_str().is_empty() { ".".into() } else { file.directory.clone() };
    let environment = args::own_variables().collect();
    let options = PluginOptions::default().configure(|options| {
        options.ceiling = file.allow.clone();
        options.base = base;
        options.environment = environment;
    });
    let plugins = match arguments.command {
        // Nothing of these would call a tool.
        Command::Check(_) | Command::Plugin(_) => PluginSet::empty(),
        _ => PluginSet::load(&arguments.common.plugins(&file), &options).await,
    };
    for failure in plugins.failures() {
        // The others are there all the same.
        output::complain(&failure.to_string());
    }
    if arguments.common.require_plugins && !plugins.failures().is_empty() {
        return Exit::Failed;
    }
    if let Command::Types = arguments.command {
        // What is missing would be missed by whoever checks with it.
        let is_whole = plugins.failures().is_empty();
        return if output::line(plugins.types().trim_end()) && is_whole { Exit::Ok } else { Exit::Failed };
    }
    if let Command::Plugin(command) = arguments.command {
        return plugin::plugin(command, config, &options).await;
    }
    // Whoever serves for long ends at once what it left when it was killed.
    if serves(&arguments.command)
        && !(config.commands.is_empty() && file.allow.get("commands").is_none())
        && let Err(error) = perennial_sessions::commands::prepare().await
    {
        output::complain(&format!("commands: {error}"));
    }
    config.plugins = Some(plugins);
    let modules = config.modules.clone();
    let artifacts = match arguments.command.runs_scripts().then(|| arguments.common.artifacts(&file)).transpose() {
        Ok(artifacts) => artifacts.flatten(),
        Err(error) => {
            output::complain(&error);
            return Exit::Usage;
        }
    };
    // The shell stays when a script is stopped.
    let signalled = signalled(!matches!(arguments.command, Command::Repl));
    let table = SessionTable::with_config(config);
    let reloading = serves(&arguments.command).then(|| tokio::spawn(reload_on_hangup(table.local())));
    let work = async {
        match arguments.command {
            Command::Run(run) => run::files(&table, run, modules.as_ref(), artifacts.as_ref()).await,
            Command::Eval(eval) => run::code(&table, eval, artifacts.as_ref()).await,
            Command::Plugin(_) | Command::Types | Command::Trust(_) | Command::Completions { .. } | Command::Man => {
                unreachable!("done above")
            }
            Command::Check(check) => check::files(check, modules.as_ref(), table.defaults()),
            Command::Repl => repl::repl(&table, modules, artifacts.as_ref()).await,
            Command::Batch(batch) => batch::batch(&table, batch, artifacts).await,
            Command::Mcp(mcp) => {
                let options = McpOptions::default().configure(|options| {
                    options.structured = mcp.structured;
                    options.artifacts = artifacts;
                });
                let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
                let served = perennial_server::serve_mcp(table.local(), input, output, options).await;
                match served {
                    Ok(()) => Exit::Ok,
                    Err(error) => {
                        output::complain(&error.to_string());
                        Exit::Failed
                    }
                }
            }
        }
    };
    let exit = tokio::select! {
        exit = work => exit,
        exit = signalled => exit,
    };
    if let Some(reloading) = reloading {
        reloading.abort();
    }
    // Stops what still runs.
    table.clear();
    exit
}

/// Writes what is made of the command line's own description.
fn describe(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Exit {
    let mut text = Vec::new();
    let written = write(&mut text).is_ok() && output::line(String::from_utf8_lossy(&text).trim_end());
    if written { Exit::Ok } else { Exit::Failed }
}

fn complete(shell: Shell, out: &mut Vec<u8>) -> std::io::Result<()> {
    clap_complete::generate(shell, &mut Arguments::command(), "perennial", out);
    Ok(())
}

/// `perennial trust`.
fn agree(command: &Trust) -> Exit {
    let found = match &command.file {
        Some(path) => Found::read(path).map(Some),
        None => std::env::current_dir().map_err(|error| error.to_string()).and_then(|from| Found::nearest(&from)),
    };
    let agreed = found.and_then(|found| {
        let Found { path, text } = found.ok_or("there is no perennial.toml here or above")?;
        let config = Found { path: path.clone(), text: text.clone() }.config()?;
        NetPolicy::parse(&config.net, NetLimits::default()).map_err(|error| format!("{}: {error}", path.display()))?;
        let grants = config.grants();
        let said = match (command.revoke, grants.is_empty()) {
            (true, _) if trust::revoke(&path, &text)? => "no longer trusted".to_owned(),
            (true, _) => "was not trusted".to_owned(),
            (false, true) => "grants nothing that has to be agreed to".to_owned(),
            (false, false) => {
                // Said before it counts.
                output::remark(&format!("{} may grant {}", path.display(), grants.join(", ")));
                trust::trust(&path, &text)?;
                "trusted, as it is".to_owned()
            }
        };
        Ok(format!("{}: {said}", path.display()))
    });
    match agreed {
        Ok(said) => {
            output::remark(&said);
            Exit::Ok
        }
        Err(error) => {
            output::complain(&error);
            Exit::Failed
        }
    }
}

/// Whether the program goes on until its client leaves.
fn serves(command: &Command) -> bool {
    matches!(command, Command::Batch(_) | Command::Mcp(_))
}

/// Loads the plugins again whenever the program is told to by SIGHUP.
async fn reload_on_hangup(owner: Owner) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
    while hangups.recv().await.is_some() {
        match owner.reload_plugins().await {
            Ok(plugins) => {
                output::remark(&format!("plugins loaded again: {}", plugins.plugins().count()));
                plugins.failures().iter().for_each(|failure| output::complain(&failure.to_string()));
            }
            Err(error) => output::complain(&error.to_string()),
        }
    }
}

/// Completes with the first signal that asks the program to end; Ctrl-C does so only with `interrupts`. Listens from the moment it is called,
/// not from when it is awaited: who reads lines from a terminal puts handlers of its own in and then back what it found.
fn signalled(interrupts: bool) -> impl Future<Output = Exit> {
    use tokio::signal::unix::{SignalKind, signal};
    let listeners = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    async move {
        let (Ok(mut interrupt), Ok(mut terminate)) = listeners else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv(), if interrupts => Exit::Interrupted,
            _ = terminate.recv() => Exit::Terminated,
        }
    }
}
