use std::io::Read;
use std::path::Path;

use perennial_sessions::protocol::ErrorKind;
use perennial_sessions::{RunRequest, ScriptResult, SessionTable};

use crate::Exit;
use crate::args::{EvalCode, RunFiles, ScriptOptions};
use crate::output;

const SESSION: &str = "main";

/// `perennial run`: the files in order on one session.
pub(crate) async fn files(table: &SessionTable, command: RunFiles) -> Exit {
    // A file that is missing is found out before the first one runs.
    let mut scripts = Vec::with_capacity(command.files.len());
    for file in &command.files {
        match read(file) {
            Ok(script) => scripts.push((name_of(file), script)),
            Err(error) => {
                output::complain(&format!("{}: {error}", file.display()));
                return Exit::Failed;
            }
        }
    }
    let several = scripts.len() > 1 && !command.script.json;
    let mut exit = Exit::Ok;
    for (name, script) in scripts {
        if several {
            output::heading(&name);
        }
        let result = run(table, &name, script, &command.script).await;
        let shown = show(&result, &command.script);
        exit = exit.max_with(exit_of(&result));
        if !shown {
            return Exit::Failed;
        }
    }
    exit
}

/// `perennial eval`.
pub(crate) async fn code(table: &SessionTable, command: EvalCode) -> Exit {
    let result = run(table, "eval", command.code, &command.script).await;
    if show(&result, &command.script) { exit_of(&result) } else { Exit::Failed }
}

async fn run(table: &SessionTable, name: &str, script: String, options: &ScriptOptions) -> ScriptResult {
    let mut request = RunRequest::new(script);
    request.name = Some(name.to_owned());
    if let Some(args) = &options.args {
        request.args = args.clone();
    }
    table.run(SESSION, request).await
}

fn show(result: &ScriptResult, options: &ScriptOptions) -> bool {
    if options.json {
        return serde_json::to_string(result).is_ok_and(|json| output::line(&json));
    }
    output::result(result)
}

fn read(file: &Path) -> Result<String, String> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        bytes
    } else {
        std::fs::read(file).map_err(|error| error.to_string())?
    };
    String::from_utf8(bytes).map_err(|error| format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
}

/// What positions call the file: its path as given, if that can be shown in one short line.
fn name_of(file: &Path) -> String {
    if file == Path::new("-") {
        return "stdin".to_owned();
    }
    let name: String = file.to_string_lossy().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let excess = name.len().saturating_sub(200);
    let start = (excess..name.len()).find(|&at| name.is_char_boundary(at)).unwrap_or(name.len());
    name[start..].to_owned()
}

fn exit_of(result: &ScriptResult) -> Exit {
    match &result.error {
        None => Exit::Ok,
        Some(error) if error.kind == ErrorKind::InvalidRequest => Exit::Usage,
        Some(error) if error.kind.is_stop() || error.kind == ErrorKind::ResultTooLarge => Exit::Limit,
        Some(_) => Exit::Failed,
    }
}

impl Exit {
    /// The worse of two ends.
    fn max_with(self, other: Self) -> Self {
        if other as i32 > self as i32 { other } else { self }
    }
}
