use std::collections::HashMap;
use std::path::Path;

use perennial_sessions::ModuleAccess;
use perennial_sessions::bundler::{Problem, SourceError, prepare_cell, prepare_entry, survey};

use crate::Exit;
use crate::args::CheckFiles;
use crate::output;
use crate::run::{name_of, project_of, read};

/// `perennial check`: says what is wrong with each file.
pub(crate) fn files(command: CheckFiles, modules: Option<&ModuleAccess>) -> Exit {
    let mut projects = HashMap::new();
    let mut exit = Exit::Ok;
    for file in &command.files {
        let problems = match read(file) {
            Ok(source) => check(file, &source, modules.cloned().or_else(|| project_of(file, &mut projects))),
            Err(error) => vec![format!("error: {}: {error}", file.display())],
        };
        for problem in &problems {
            output::problem(problem);
            exit = Exit::Failed;
        }
    }
    exit
}

fn check(file: &Path, source: &str, modules: Option<ModuleAccess>) -> Vec<String> {
    let name = name_of(file);
    let prepared = survey(source).and_then(|survey| {
        if survey.has_exports {
            let is_typescript =
                !matches!(file.extension().and_then(|extension| extension.to_str()), Some("js" | "mjs" | "cjs"));
            prepare_entry(source, is_typescript)?;
        } else {
            prepare_cell(source)?;
        }
        Ok(survey)
    });
    let survey = match prepared {
        Ok(survey) => survey,
        Err(error) => return vec![error.render(&name, source)],
    };
    let mut problems = Vec::new();
    for import in survey.imports {
        let failed = match &modules {
            Some(modules) => modules.check(&import.specifier, import.kind.as_deref()).err(),
            None => Some(format!("cannot import '{}': there is no project to import from", import.specifier)),
        };
        if let Some(why) = failed {
            let length = import.specifier.len() + 2;
            let problem = Problem { range: import.at..import.at + length, message: why, help: None };
            problems.push(SourceError { problems: vec![problem] }.render(&name, source));
        }
    }
    problems
}
