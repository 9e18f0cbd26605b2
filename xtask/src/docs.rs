//! Checks of the documents that no test of a crate makes.

use std::fs;
use std::path::Path;

use crate::steps::{Outcome, root};

/// ARCHITECTURE.md is to be read in one go.
const ARCHITECTURE_BYTES: u64 = 16 << 10;

pub(crate) fn check() -> Outcome {
    let root = root();
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "docs/values.md",
        "docs/benchmarks.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ] {
        if !root.join(name).is_file() {
            return Err(format!("{name} is missing"));
        }
    }
    let bytes = fs::metadata(root.join("ARCHITECTURE.md")).map_err(|error| error.to_string())?.len();
    if bytes > ARCHITECTURE_BYTES {
        return Err(format!("ARCHITECTURE.md has {bytes} bytes, more than {ARCHITECTURE_BYTES}"));
    }
    let mut files = vec![root.join("README.md"), root.join("ARCHITECTURE.md"), root.join("CHANGELOG.md")];
    below(&root.join("docs"), "md", &mut files)?;
    for file in files {
        links(&file)?;
    }
    for name in ["keeper", "sessions", "stdlib", "server"] {
        let mut sources = Vec::new();
        below(&root.join("crates").join(name).join("src"), "rs", &mut sources)?;
        sources.iter().try_for_each(|source| cancellation(source))?;
    }
    Ok(())
}

/// Public functions that are awaited say what dropping their future does.
fn cancellation(file: &Path) -> Outcome {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("pub async fn ")) {
        let above = lines[..index].iter().rev().take_while(|line| line.starts_with("///") || line.starts_with("#["));
        if !above.into_iter().any(|line| line.contains("# Cancellation")) {
            return Err(format!("{}:{}: `{line}` does not say # Cancellation", file.display(), index + 1));
        }
    }
    Ok(())
}

fn below(folder: &Path, kind: &str, files: &mut Vec<std::path::PathBuf>) -> Outcome {
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() {
            below(&path, kind, files)?;
        } else if path.extension().is_some_and(|extension| extension == kind) {
            files.push(path);
        }
    }
    Ok(())
}

/// Every link to a file of the project leads somewhere.
fn links(file: &Path) -> Outcome {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    for (at, _) in text.match_indices("](") {
        let rest = &text[at + 2..];
        let target = rest.split([')', '#', ' ', '\n']).next().unwrap_or("");
        if target.is_empty() || target.contains("://") {
            continue;
        }
        let path = file.parent().unwrap_or(Path::new("")).join(target);
        if !path.exists() {
            return Err(format!("{}: the link to {target} leads nowhere", file.display()));
        }
    }
    Ok(())
}
