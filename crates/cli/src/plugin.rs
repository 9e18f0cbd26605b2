use std::path::{Path, PathBuf};

use perennial_sessions::{ModuleAccess, PluginOptions, PluginSet, RunContext, RunRequest, SessionTable, TableConfig};

use crate::Exit;
use crate::args::PluginCommand;
use crate::output;

/// `perennial plugin`.
pub(crate) async fn plugin(command: PluginCommand, config: TableConfig, options: &PluginOptions) -> Exit {
    match command {
        PluginCommand::New { name } => new(&name),
        PluginCommand::Check { path } => check(&path, options).await,
        PluginCommand::Test { path } => test(&path, config, options).await,
    }
}

/// Writes a plugin to begin with.
fn new(name: &str) -> Exit {
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name {
        output::complain(&format!(
            "'{name}' is no name for a plugin: a lower-case letter and then letters, digits or _"
        ));
        return Exit::Usage;
    }
    let folder = Path::new(name);
    if folder.exists() {
        output::complain(&format!("{name} is there already"));
        return Exit::Failed;
    }
    let files = [
        ("plugin.ts", include_str!("../template/plugin.ts")),
        ("plugin.test.ts", include_str!("../template/plugin.test.ts")),
        ("README.md", include_str!("../template/README.md")),
    ];
    let written = std::fs::create_dir_all(folder).and_then(|()| {
        files.iter().try_for_each(|(file, text)| std::fs::write(folder.join(file), text.replace("NAME", name)))
    });
    match written {
        Ok(()) => {
            for (file, _) in files {
                output::line(&folder.join(file).display().to_string());
            }
            Exit::Ok
        }
        Err(error) => {
            output::complain(&format!("{name}: {error}"));
            Exit::Failed
        }
    }
}

async fn load(path: &Path, options: &PluginOptions) -> Option<PluginSet> {
    let plugins = PluginSet::load(&[path.to_owned()], options).await;
    for failure in plugins.failures() {
        for problem in &failure.problems {
            output::problem(&format!("error: {}: {problem}", failure.path.display()));
        }
    }
    plugins.failures().is_empty().then_some(plugins)
}

async fn check(path: &Path, options: &PluginOptions) -> Exit {
    let Some(plugins) = load(path, options).await else { return Exit::Failed };
    for plugin in plugins.plugins() {
        output::line(&format!("{} {}: {}", plugin.name, plugin.version, plugin.description));
        for (name, tool) in &plugin.tools {
            output::line(&format!("  tools.{}.{name}: {}", plugin.name, tool.description));
        }
        output::line(&format!("  granted: {}", plugin.granted.summary()));
        if !plugin.withheld.is_empty() {
            output::line(&format!("  not granted: {}", plugin.withheld.summary()));
        }
    }
    Exit::Ok
}

/// What the runner asks of a test file that has been evaluated.
const FINISH: &str = "return await (await import(\"perennial:test\")).finish()";

async fn test(path: &Path, config: TableConfig, options: &PluginOptions) -> Exit {
    let Some(plugins) = load(path, options).await else { return Exit::Failed };
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".test.ts"))
        .collect();
    files.sort();
    if files.is_empty() {
        output::complain(&format!("{}: there is no *.test.ts in it", folder.display()));
        return Exit::Failed;
    }
    let Ok(root) = folder.canonicalize() else { return Exit::Failed };
    let table = SessionTable::with_config(TableConfig { plugins: Some(plugins), ..config });
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let name = file.display().to_string();
        let source = match std::fs::read_to_string(&file) {
            Ok(source) => source,
            Err(error) => {
                output::complain(&format!("{name}: {error}"));
                failed += 1;
                continue;
            }
        };
        let context = || RunContext::new().with(ModuleAccess::below(&root));
        let request = |script: String, name: &str| {
            let mut request = RunRequest::new(script);
            request.name = Some(name.to_owned());
            request
        };
        // Each file has a session of its own.
        let evaluated = table.run_with(&name, request(source, &name), context()).await;
        if evaluated.error.is_some() {
            output::result(&evaluated);
            failed += 1;
            continue;
        }
        let finished = table.run_with(&name, request(FINISH.to_owned(), "perennial:test-runner"), context()).await;
        let Some(results) = finished.value.as_ref().and_then(|value| value.as_array()) else {
            output::result(&finished);
            failed += 1;
            continue;
        };
        if results.is_empty() {
            output::problem(&format!("{name}: no test in it"));
            failed += 1;
        }
        for result in results {
            let title = format!("{name}: {}", result["name"].as_str().unwrap_or(""));
            match result["error"].as_str() {
                None => {
                    passed += 1;
                    output::line(&format!("ok     {title}"));
                }
                Some(error) => {
                    failed += 1;
                    let stack = result["stack"].as_str().unwrap_or("");
                    // The place in the test, not in what it calls to compare.
                    let place: Vec<&str> = stack.lines().filter(|line| line.contains(&name)).collect();
                    output::line(format!("FAILED {title}\n{error}\n{}", place.join("\n")).trim_end());
                }
            }
        }
    }
    output::line(&format!("{passed} passed, {failed} failed"));
    if failed == 0 { Exit::Ok } else { Exit::Failed }
}
