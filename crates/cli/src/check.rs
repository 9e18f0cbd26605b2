use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use perennial_sessions::bundler::{
    Import, PrepareError, Problem, SourceError, is_typescript, prepare_cell_with, prepare_entry_with, survey,
};
use perennial_sessions::{CompiledBundle, LimitedPreparer, ModuleAccess, RunOptions};

use crate::Exit;
use crate::args::CheckFiles;
use crate::output;
use crate::run::{access_of, name_of, read};

/// How long one file may be looked at, however long it may run.
const LONGEST: Duration = Duration::from_secs(60);

/// `perennial check`: says what is wrong with each file, within what running it might take.
pub(crate) fn files(command: CheckFiles, modules: Option<&ModuleAccess>, limits: &RunOptions) -> Exit {
    let mut projects = HashMap::new();
    let mut exit = Exit::Ok;
    for file in &command.files {
        let problems = match read(file) {
            Ok(source) => check(file, &source, access_of(file, modules, &mut projects), limits),
            Err(error) => vec![format!("error: {}: {error}", file.display())],
        };
        for problem in &problems {
            output::problem(problem);
            exit = Exit::Failed;
        }
    }
    exit
}

fn check(file: &Path, source: &str, modules: Option<ModuleAccess>, limits: &RunOptions) -> Vec<String> {
    let name = name_of(file);
    let preparation = LimitedPreparer::within(limits.wall.min(LONGEST), limits.memory_bytes as u64);
    let prepared = survey(source, is_typescript(file), &preparation).and_then(|survey| {
        if survey.has_exports {
            prepare_entry_with(source, is_typescript(file), &preparation)?;
        } else {
            prepare_cell_with(source, &preparation)?;
        }
        Ok(survey)
    });
    let survey = match prepared {
        Ok(survey) => survey,
        Err(PrepareError::Source(error)) => return vec![error.render(&name, source)],
        Err(PrepareError::Denied(denied)) => {
            return vec![format!("error: {name}: {}", preparation.error(&denied).message)];
        }
    };
    let check = |import: Import| match &modules {
        Some(modules) => modules.check(&import),
        None => {
            let message = format!("cannot import '{}': there is no project to import from", import.specifier);
            Err(SourceError { problems: vec![Problem { range: import.range, message, help: None }] })
        }
    };
    let problems = survey.imports.into_iter().filter_map(|import| check(import).err());
    let mut problems: Vec<String> = problems.map(|error| error.render(&name, source)).collect();
    // The rest is found out as `run` would: an entry may be part of a cycle, or where nothing is granted.
    if let (true, true, Some(modules), Ok(path)) =
        (problems.is_empty(), survey.has_exports, &modules, file.canonicalize())
        && let Err(error) = CompiledBundle::compile(modules, path)
    {
        problems.push(error.excerpt.unwrap_or_else(|| format!("error: {}", error.message)));
    }
    problems
}
