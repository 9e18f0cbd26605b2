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
    markdown_below(&root.join("docs"), &mut files)?;
    for file in files {
        links(&file)?;
    }
    Ok(())
}

fn markdown_below(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> Outcome {
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() {
            markdown_below(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
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
