use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use perennial_sessions::bundler::is_unfinished;
use perennial_sessions::files::Artifacts;
use perennial_sessions::{LimitedPreparer, ModuleAccess, RunRequest, SessionTable};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Completer, Config, Editor, Helper, Highlighter, Hinter};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::Exit;
use crate::run::lending;
use crate::{live, output};

const SESSION: &str = "repl";
/// How long a cell may be looked at for whether it is whole, and the memory that may take.
const GLANCE: Duration = Duration::from_secs(1);
const MOST: u64 = 256 << 20;
const HELP: &str = "\
Each input is a cell in TypeScript or JavaScript; its top-level names are there for the next. `_` is the last result, `_error` what was
thrown last. Imports are relative to the working directory.
  .help   this text
  .reset  a new VM; vars and files are kept
  .exit   ends, as Ctrl-D does
Ctrl-C stops the script that runs, or forgets the line that is typed.";

/// `perennial repl`.
pub(crate) async fn repl(table: &SessionTable, modules: Option<ModuleAccess>, artifacts: Option<&Artifacts>) -> Exit {
    let modules = modules.or_else(|| std::env::current_dir().ok()?.canonicalize().ok().map(ModuleAccess::below));
    let mut input = if std::io::stdin().is_terminal() { Input::terminal() } else { Ok(Input::Pipe) };
    loop {
        let reader = match input {
            Ok(reader) => reader,
            Err(error) => {
                output::complain(&error);
                return Exit::Failed;
            }
        };
        let Ok((reader, typed)) = tokio::task::spawn_blocking(move || reader.next()).await else { return Exit::Failed };
        input = Ok(reader);
        let cell = match typed {
            Typed::Cell(cell) => cell,
            Typed::Nothing => continue,
            Typed::End => return Exit::Ok,
            Typed::Failed => return Exit::Failed,
        };
        match cell.trim() {
            "" => {}
            ".exit" => return Exit::Ok,
            ".help" => output::remark(HELP),
            ".reset" => {
                table.reset(SESSION).await;
            }
            command
                if command.starts_with('.') && !command.contains(|c: char| !c.is_ascii_alphabetic() && c != '.') =>
            {
                output::remark(&format!("there is no command {command}; .help names those there are"));
            }
            _ => run(table, cell, modules.clone(), artifacts).await,
        }
    }
}

/// Runs one cell; Ctrl-C stops it and nothing else.
async fn run(table: &SessionTable, cell: String, modules: Option<ModuleAccess>, artifacts: Option<&Artifacts>) {
    let cancel = CancellationToken::new();
    let mut context = lending(artifacts).cancel_with(cancel.clone());
    if let Some(modules) = modules {
        context = context.grant(modules);
    }
    // From here on none is missed, and none of before counts.
    let Ok(mut interrupts) = signal(SignalKind::interrupt()) else {
        return output::complain("signals cannot be received, so nothing could stop the script");
    };
    let result = tokio::select! {
        result = live::shown(async |context| table.run_with(SESSION, RunRequest::new(cell), context).await, context) => result,
        () = async { while interrupts.recv().await.is_some() { cancel.cancel(); } } => return,
    };
    output::result(&result);
}

enum Input {
    Terminal(Box<Editor<Notebook, FileHistory>>),
    /// Lines of a program or a file: as many as make a cell.
    Pipe,
}

enum Typed {
    Cell(String),
    /// Ctrl-C at the prompt.
    Nothing,
    End,
    /// What comes in cannot be read.
    Failed,
}

impl Input {
    fn terminal() -> Result<Self, String> {
        let config = Config::builder()
            .auto_add_history(true)
            .max_history_size(10_000)
            .map_err(|error| error.to_string())?
            .build();
        let mut editor: Editor<Notebook, FileHistory> =
            Editor::with_config(config).map_err(|error| error.to_string())?;
        editor.set_helper(Some(Notebook));
        if let Some(path) = history() {
            // There is none the first time.
            let _ = editor.load_history(&path);
        }
        Ok(Self::Terminal(Box::new(editor)))
    }

    fn next(mut self) -> (Self, Typed) {
        let typed = match &mut self {
            Self::Pipe => piped(),
            Self::Terminal(editor) => match editor.readline("> ") {
                Ok(cell) => {
                    if let Some(path) = history() {
                        let _ = path.parent().map(std::fs::create_dir_all);
                        // A history that cannot be written is no reason to stop.
                        let _ = editor.append_history(&path);
                    }
                    Typed::Cell(cell)
                }
                Err(ReadlineError::Interrupted) => Typed::Nothing,
                Err(ReadlineError::Eof) => Typed::End,
                Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => {
                    output::complain("this was no UTF-8 and is forgotten");
                    Typed::Nothing
                }
                Err(error) => {
                    output::complain(&error.to_string());
                    Typed::Failed
                }
            },
        };
        (self, typed)
    }
}

fn piped() -> Typed {
    let mut cell = String::new();
    let mut stdin = std::io::stdin().lock();
    loop {
        match stdin.read_line(&mut cell) {
            Ok(0) if cell.trim().is_empty() => return Typed::End,
            Ok(read) if read > 0 && is_unfinished(&cell, &LimitedPreparer::within(GLANCE, MOST)) => {}
            Ok(_) => return Typed::Cell(cell),
            Err(error) => {
                output::complain(&error.to_string());
                return Typed::Failed;
            }
        }
    }
}

/// Where the lines of earlier days are kept.
fn history() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    Some(state.join("perennial/history"))
}

/// Lets an input go on as long as something is open.
#[derive(Completer, Helper, Highlighter, Hinter)]
struct Notebook;

impl Validator for Notebook {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let unfinished =
            !context.input().starts_with('.') && is_unfinished(context.input(), &LimitedPreparer::within(GLANCE, MOST));
        Ok(if unfinished { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}
