//! The library's JavaScript, made of its TypeScript with the project's own bundler.

use std::collections::BTreeMap;
use std::sync::Arc;

use perennial_bundler::{Disk, Here, Importer, Loader, LoaderOptions};

use crate::steps::{Outcome, root};

const SOURCES: &str = "js-runtime/src";
const TARGET: &str = "crates/stdlib/js";

/// Writes `crates/stdlib/js`.
pub(crate) fn generate() -> Outcome {
    let target = root().join(TARGET);
    std::fs::create_dir_all(&target).map_err(|error| error.to_string())?;
    for (name, text) in areas()? {
        std::fs::write(target.join(&name), text).map_err(|error| format!("{TARGET}/{name}: {error}"))?;
        println!("{TARGET}/{name}");
    }
    Ok(())
}

/// Fails unless what is committed is what would be written.
pub(crate) fn check() -> Outcome {
    let target = root().join(TARGET);
    let areas = areas()?;
    for (name, text) in &areas {
        if std::fs::read_to_string(target.join(name)).ok().as_ref() != Some(text) {
            return Err(format!("{TARGET}/{name} is not what `cargo xtask generate` makes of {SOURCES}"));
        }
    }
    let there = std::fs::read_dir(&target).map_err(|error| error.to_string())?.flatten();
    match there.map(|entry| entry.file_name().to_string_lossy().into_owned()).find(|name| !areas.contains_key(name)) {
        Some(name) => Err(format!("{TARGET}/{name} has no source in {SOURCES}")),
        None => Ok(()),
    }
}

/// File names and texts: each one function expression, as the engine wants an area.
fn areas() -> Result<BTreeMap<String, String>, String> {
    let folder = root().join(SOURCES);
    let options = LoaderOptions::default().configure(|options| options.roots = vec![folder.clone()]);
    let loader = Loader::new(Arc::new(Disk), options);
    let mut areas = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).map_err(|error| format!("{SOURCES}: {error}"))?.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let Some(name) = file.strip_suffix(".ts").filter(|name| !name.ends_with(".d")) else { continue };
        let loaded = loader.load(Importer::Directory(&folder), &format!("./{file}"), None, &Here);
        let graph = loaded.map_err(|error| error.to_string())?;
        if graph.modules.len() != 1 {
            return Err(format!("{SOURCES}/{file} imports: areas get at each other through ops.library_value"));
        }
        areas.insert(format!("{name}.js"), expression(&graph.root().prepared.text, &file)?);
    }
    Ok(areas)
}

fn expression(module: &str, file: &str) -> Result<String, String> {
    let (before, function) = module
        .split_once("export default (")
        .ok_or_else(|| format!("{SOURCES}/{file} has no `export default (…) => …`"))?;
    let function =
        function.trim_end().strip_suffix("};").ok_or_else(|| format!("{SOURCES}/{file} does not end with `}};`"))?;
    if module.contains("${") {
        return Err(format!(
            "{SOURCES}/{file} has a template with a substitution, which QuickJS makes a call of a replaceable method"
        ));
    }
    let text = format!("// Made of {SOURCES}/{file} by `cargo xtask generate`.\n{before}(({function}}})\n");
    Ok(text.lines().map(|line| format!("{}\n", line.trim_end())).collect())
}
