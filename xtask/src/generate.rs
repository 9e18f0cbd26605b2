//! The library's JavaScript, made of its TypeScript with the project's own bundler, and the list of what each area provides: what it returns. Of that
//! scripts have what is declared to them in `js-runtime/types`; the rest is for other areas.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use perennial_bundler::{Disk, Here, Importer, Loader, LoaderOptions};

use crate::steps::{Outcome, root};

const SOURCES: &str = "js-runtime/src";
const TYPES: &str = "js-runtime/types";
const TARGET: &str = "crates/stdlib/js";
const LIST: &str = "crates/stdlib/src/area.rs";
/// What the engine and the sessions provide, and not the areas of these sources.
const SESSION_TYPES: &str = "session.d.ts";

/// Writes `crates/stdlib/js` and the list of the areas.
pub(crate) fn generate() -> Outcome {
    let target = root().join(TARGET);
    std::fs::create_dir_all(&target).map_err(|error| error.to_string())?;
    let areas = areas()?;
    std::fs::write(root().join(LIST), list(&areas)?).map_err(|error| format!("{LIST}: {error}"))?;
    println!("{LIST}");
    for (name, text) in areas {
        std::fs::write(target.join(&name), text).map_err(|error| format!("{TARGET}/{name}: {error}"))?;
        println!("{TARGET}/{name}");
    }
    Ok(())
}

/// Fails unless what is committed is what would be written.
pub(crate) fn check() -> Outcome {
    let target = root().join(TARGET);
    let areas = areas()?;
    if std::fs::read_to_string(root().join(LIST)).ok() != Some(list(&areas)?) {
        return Err(format!("{LIST} is not what `cargo xtask generate` makes of {SOURCES} and {TYPES}"));
    }
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

/// Rust that says of each area what it provides.
fn list(areas: &BTreeMap<String, String>) -> Result<String, String> {
    let (declared, files) = declared()?;
    let mut undeclared = declared.clone();
    let mut out = format!(
        "//! The areas of the library. Made of {SOURCES} and {TYPES} by `cargo xtask generate`.\n\n\
         use std::sync::LazyLock;\n\nuse perennial_engine::Area;\n\n\
         type Lazy = LazyLock<Area>;\n\n\
         pub(crate) fn each(areas: &[&Lazy]) -> Vec<Area> {{\n    areas.iter().map(|area| Area::clone(area)).collect()\n}}\n"
    );
    for (file, text) in areas {
        let name = file.trim_end_matches(".js");
        let provided =
            provided(text).ok_or_else(|| format!("{SOURCES}/{name}.ts does not end with `return {{ … }};`"))?;
        let (globals, internals): (Vec<&String>, Vec<_>) = provided.iter().partition(|name| declared.contains(*name));
        globals.iter().for_each(|name| _ = undeclared.remove(*name));
        let constant = name.to_uppercase().replace('-', "_");
        let _ = write!(
            out,
            "\npub(crate) static {constant}: Lazy = Lazy::new(|| Area::new({name:?}, &{globals:?}, include_str!(\"../js/{file}\"))"
        );
        if !internals.is_empty() {
            let _ = write!(out, ".with_internals(&{internals:?})");
        }
        out.push_str(");\n");
    }
    if let Some(name) = undeclared.first() {
        return Err(format!("{TYPES} declares {name}, which no area of {SOURCES} returns"));
    }
    out.push_str("\n/// What TypeScript is to know of them.\npub(crate) const DECLARATIONS: &[&str] = &[\n");
    for file in files {
        let _ = writeln!(out, "    include_str!(\"../../../{TYPES}/{file}\"),");
    }
    out.push_str("];\n");
    Ok(out)
}

/// The names that are declared to scripts, and the files that declare them.
fn declared() -> Result<(BTreeSet<String>, BTreeSet<String>), String> {
    let (mut names, mut files) = (BTreeSet::new(), BTreeSet::new());
    for entry in std::fs::read_dir(root().join(TYPES)).map_err(|error| format!("{TYPES}: {error}"))?.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        if file == SESSION_TYPES {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).map_err(|error| format!("{TYPES}/{file}: {error}"))?;
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("declare ") else { continue };
            let Some((kind, rest)) = rest.split_once(' ') else { continue };
            // A module is a value that other areas get.
            if ["const", "class", "function", "var"].contains(&kind) {
                names.insert(rest.chars().take_while(|c| c.is_alphanumeric() || "_$".contains(*c)).collect());
            }
        }
        files.insert(file);
    }
    Ok((names, files))
}

/// The keys of what an area returns, sorted.
fn provided(text: &str) -> Option<BTreeSet<String>> {
    let (_, returned) = text.rsplit_once("\n  return {")?;
    let mut names = BTreeSet::new();
    let (mut depth, mut is_key, mut key) = (0, true, String::new());
    for c in returned.chars() {
        match c {
            '}' if depth == 0 => {
                names.insert(std::mem::take(&mut key));
                names.remove("");
                return Some(names);
            }
            ',' if depth == 0 => {
                names.insert(std::mem::take(&mut key));
                is_key = true;
            }
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            // A getter's name is what follows.
            ' ' if is_key && depth == 0 && key == "get" => key.clear(),
            '"' | '\n' | ' ' => {}
            // Of a quoted key this is a part.
            ':' if is_key && key == "node" => key.push(c),
            ':' if depth == 0 => is_key = false,
            c if is_key && depth == 0 => key.push(c),
            _ => {}
        }
    }
    None
}
