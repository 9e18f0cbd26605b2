use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use perennial_sessions::{
    ModuleAccess, PluginOptions, PluginSet, RunContext, RunRequest, ScriptResult, SessionTable, TableConfig,
};

use crate::Exit;
use crate::args::PluginCommand;
use crate::{live, output};

/// `perennial plugin`.
pub(crate) async fn plugin(command: PluginCommand, config: TableConfig, options: &PluginOptions) -> Exit {
    match command {
        PluginCommand::New { name } => new(&name, options).await,
        PluginCommand::Check { path } => check(&path, options).await,
        PluginCommand::Test { path, filter, watch: false } => test(&path, &filter, config, options).await,
        PluginCommand::Test { path, filter, watch: true } => watch(&path, &filter, &config, options).await,
    }
}

/// Writes a plugin to begin with, and what `tsc --noEmit` needs to check it.
async fn new(name: &str, options: &PluginOptions) -> Exit {
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
        ("tsconfig.json", include_str!("../template/tsconfig.json")),
        ("README.md", include_str!("../template/README.md")),
    ];
    let written = std::fs::create_dir_all(folder).and_then(|()| {
        files.iter().try_for_each(|(file, text)| std::fs::write(folder.join(file), text.replace("NAME", name)))
    });
    let types = folder.join("perennial.d.ts");
    let written = match written {
        // With the tools of the plugin itself, which its tests call.
        Ok(()) => std::fs::write(&types, PluginSet::load(&[folder.to_owned()], options).await.types()),
        Err(error) => Err(error),
    };
    match written {
        Ok(()) => {
            for (file, _) in files {
                output::line(&folder.join(file).display().to_string());
            }
            output::line(&types.display().to_string());
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
        for key in plugin.withheld.keys() {
            let items = plugin.withheld.items(key).join(", ");
            output::line(&format!("  not granted: {key} {items} (not within `{key}` of [allow])"));
        }
    }
    Exit::Ok
}

/// Runs the tests again whenever a file beside them changes.
async fn watch(path: &Path, filter: &str, config: &TableConfig, options: &PluginOptions) -> Exit {
    const LOOK: Duration = Duration::from_millis(300);
    let folder = if path.is_dir() { path.to_owned() } else { path.parent().unwrap_or(Path::new(".")).to_owned() };
    loop {
        let before = times(&folder);
        test(path, filter, config.clone(), options).await;
        output::remark("waiting for a change; Ctrl-C ends");
        while times(&folder) == before {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// When what is in a folder was changed last, however deep it is; packages and hidden folders are left out.
fn times(folder: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut times = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_left_out = name == "node_modules" || name.to_string_lossy().starts_with('.');
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() && !is_left_out => folders.push(entry.path()),
                Ok(metadata) if metadata.is_file() => {
                    times.insert(entry.path(), metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH));
                }
                _ => {}
            }
        }
    }
    times
}

async fn test(path: &Path, filter: &str, config: TableConfig, options: &PluginOptions) -> Exit {
    let Some(plugins) = load(path, options).await else { return Exit::Failed };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = if path.is_dir() { path } else { parent.unwrap_or(Path::new(".")) };
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
    let table = SessionTable::with_config(config.configure(|config| config.plugins = Some(plugins)));
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
        let tests = TestFile { table: &table, name, source, access: ModuleAccess::below(&root), filter };
        let (more_passed, more_failed) = tests.run().await;
        passed += more_passed;
        failed += more_failed;
    }
    if passed + failed == 0 {
        output::complain(&format!("no test has {filter:?} in its name"));
        return Exit::Failed;
    }
    output::line(&format!("{passed} passed, {failed} failed"));
    if failed == 0 { Exit::Ok } else { Exit::Failed }
}

/// A file of tests; it has a session of its own.
struct TestFile<'a> {
    table: &'a SessionTable,
    name: String,
    source: String,
    access: ModuleAccess,
    /// What the name of a test has in it to be run.
    filter: &'a str,
}

impl TestFile<'_> {
    /// Runs every test by itself; says how many passed and how many failed.
    async fn run(&self) -> (usize, usize) {
        let Some(names) = self.evaluate().await else { return (0, 1) };
        if names.is_empty() {
            output::problem(&format!("{}: no test in it", self.name));
            return (0, 1);
        }
        let mut passed = 0;
        for (index, test) in names.iter().enumerate().filter(|(_, test)| test.contains(self.filter)) {
            let title = format!("{}: {test}", self.name);
            let result = self.ask(&format!("$run({index})")).await;
            let failure = match &result.error {
                None => result.value.as_ref().and_then(|value| value["error"].as_str().map(str::to_owned)),
                Some(error) => Some(format!("{}: {}", error.kind, error.message)),
            };
            let Some(failure) = failure else {
                passed += 1;
                output::line(&format!("ok     {title}"));
                continue;
            };
            let stack = result.value.as_ref().and_then(|value| value["stack"].as_str()).unwrap_or("");
            // The place in the test, not in what it calls to compare.
            let place: Vec<&str> = stack.lines().filter(|line| line.contains(&self.name)).collect();
            output::line(format!("FAILED {title}\n{failure}\n{}", place.join("\n")).trim_end());
            // A test that was stopped took the others with it.
            if result.error.is_some() && self.evaluate().await.is_none() {
                break;
            }
        }
        let chosen = names.iter().filter(|test| test.contains(self.filter)).count();
        (passed, chosen - passed)
    }

    /// Evaluates the file and returns the names of its tests.
    async fn evaluate(&self) -> Option<Vec<String>> {
        let evaluated = self.script(self.source.clone(), &self.name).await;
        if evaluated.error.is_some() {
            output::problem(&format!("FAILED {}: it cannot be evaluated", self.name));
            output::result(&evaluated);
            return None;
        }
        let names = self.ask("$names()").await;
        names.value.and_then(|names| serde_json::from_value(names).ok())
    }

    async fn ask(&self, what: &str) -> ScriptResult {
        let script = format!("return await (await import(\"perennial:test\")).{what}");
        self.script(script, "perennial:test-runner").await
    }

    async fn script(&self, script: String, name: &str) -> ScriptResult {
        let mut request = RunRequest::new(script);
        request.name = Some(name.to_owned());
        let run = async |context| self.table.run_with(&self.name, request, context).await;
        live::shown(run, RunContext::new().grant(self.access.clone())).await
    }
}
