use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use perennial_sessions::bundler::{PrepareError, survey};
use perennial_sessions::files::Artifacts;
use perennial_sessions::protocol::ErrorKind;
use perennial_sessions::{
    CompiledBundle, LimitedPreparer, ModuleAccess, RunContext, RunRequest, ScriptResult, SessionTable,
};

use crate::Exit;
use crate::args::{EvalCode, RunFiles, ScriptOptions};
use crate::{live, output};

const SESSION: &str = "main";

/// `perennial run`: the files in order on one session. `modules` is what they may import, if that was said.
pub(crate) async fn files(
    table: &SessionTable,
    command: RunFiles,
    modules: Option<&ModuleAccess>,
    artifacts: Option<&Artifacts>,
) -> Exit {
    // A file that is missing is found out before the first one runs.
    let mut scripts = Vec::with_capacity(command.files.len());
    let mut projects = HashMap::new();
    for file in &command.files {
        match read(file) {
            Ok(script) => scripts.push((file, script, access_of(file, modules, &mut projects))),
            Err(error) => {
                output::complain(&format!("{}: {error}", file.display()));
                return Exit::Failed;
            }
        }
    }
    let several = scripts.len() > 1 && !command.script.json;
    let mut exit = Exit::Ok;
    for (file, script, project) in scripts {
        let name = name_of(file);
        if several {
            output::heading(&name);
        }
        let context = lending(artifacts);
        let result = run_file(table, file, name, script, &command.script, project, context).await;
        let shown = show(&result, &command.script);
        exit = exit.max_with(exit_of(&result));
        if !shown {
            return Exit::Failed;
        }
    }
    exit
}

/// `perennial eval`.
pub(crate) async fn code(table: &SessionTable, command: EvalCode, artifacts: Option<&Artifacts>) -> Exit {
    let result = run(table, "eval", command.code, &command.script, lending(artifacts)).await;
    if show(&result, &command.script) { exit_of(&result) } else { Exit::Failed }
}

/// What a run is lent of the program's.
pub(crate) fn lending(artifacts: Option<&Artifacts>) -> RunContext {
    artifacts.map_or_else(RunContext::new, |artifacts| RunContext::new().lend(artifacts.clone()))
}

/// A file that exports something is a module, any other a cell.
async fn run_file(
    table: &SessionTable,
    file: &Path,
    name: String,
    script: String,
    options: &ScriptOptions,
    project: Option<ModuleAccess>,
    context: RunContext,
) -> ScriptResult {
    // Within what the run may take.
    let preparation = LimitedPreparer::within(table.defaults().wall, table.defaults().memory_bytes as u64);
    let is_module = match survey(&script, true, &preparation) {
        Ok(survey) => survey.has_exports,
        // The run says what is wrong with it.
        Err(PrepareError::Source(_)) => false,
        Err(PrepareError::Denied(denied)) => return ScriptResult::refused(preparation.error(&denied)),
    };
    let context = match project.clone() {
        Some(project) => context.grant(project),
        None => context,
    };
    let (Some(project), true, Ok(path)) = (project, is_module, file.canonicalize()) else {
        return run(table, &name, script, options, context).await;
    };
    match CompiledBundle::compile(&project, path) {
        Ok(bundle) => {
            let request = request("", options);
            let run = async |context| table.run_bundle(SESSION, &bundle, request, context).await;
            if options.json { run(context).await } else { live::shown(run, context).await }
        }
        Err(error) => ScriptResult::refused(error),
    }
}

async fn run(
    table: &SessionTable,
    name: &str,
    script: String,
    options: &ScriptOptions,
    context: RunContext,
) -> ScriptResult {
    let request = request(script, options).configure(|request| request.name = Some(name.to_owned()));
    let run = async |context| table.run_with(SESSION, request, context).await;
    if options.json { run(context).await } else { live::shown(run, context).await }
}

fn request(script: impl Into<String>, options: &ScriptOptions) -> RunRequest {
    let mut request = RunRequest::new(script);
    if let Some(args) = &options.args {
        request.args = args.clone();
    }
    request.configure(|request| {
        request.atomic = options.atomic;
        request.changes = options.changes;
    })
}

/// What a file may import, relative to it.
pub(crate) fn access_of(
    file: &Path,
    modules: Option<&ModuleAccess>,
    projects: &mut HashMap<PathBuf, ModuleAccess>,
) -> Option<ModuleAccess> {
    let Some(modules) = modules else { return project_of(file, projects) };
    let directory = file.canonicalize().ok().and_then(|path| path.parent().map(Path::to_owned));
    let inside = directory.filter(|directory| modules.grants(directory));
    Some(inside.map_or_else(|| modules.clone(), |directory| modules.relative_to(directory)))
}

/// What a file may import unless something else is said: what lies below its project, which is the nearest directory above it that looks like one, else its own.
fn project_of(file: &Path, known: &mut HashMap<PathBuf, ModuleAccess>) -> Option<ModuleAccess> {
    const MARKS: [&str; 6] = ["perennial.toml", "package.json", "tsconfig.json", "node_modules", "deno.json", ".git"];
    let path =
        if file == Path::new("-") { std::env::current_dir().ok()?.join("stdin") } else { file.canonicalize().ok()? };
    let directory = path.parent()?;
    let root =
        directory.ancestors().find(|above| MARKS.iter().any(|mark| above.join(mark).exists())).unwrap_or(directory);
    let access = known.entry(root.to_owned()).or_insert_with(|| ModuleAccess::below(root));
    Some(access.relative_to(directory))
}

fn show(result: &ScriptResult, options: &ScriptOptions) -> bool {
    if options.json {
        return serde_json::to_string(result).is_ok_and(|json| output::line(&json));
    }
    output::result(result)
}

pub(crate) fn read(file: &Path) -> Result<String, String> {
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
pub(crate) fn name_of(file: &Path) -> String {
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
        Some(error) if let Some(code) = error.exit_code => Exit::Script(code),
        Some(error) if error.kind == ErrorKind::InvalidRequest => Exit::Usage,
        Some(error) if error.kind.is_stop() || error.kind == ErrorKind::ResultTooLarge => Exit::Limit,
        Some(_) => Exit::Failed,
    }
}

impl Exit {
    /// The worse of two ends.
    fn max_with(self, other: Self) -> Self {
        if other.code() > self.code() { other } else { self }
    }
}
