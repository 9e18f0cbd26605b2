//! Which crate may use which. What is not in the list is not allowed.

use std::fs;

use crate::steps::{Outcome, root};

/// Crates of the workspace that each may depend on; in parentheses those of its tests and benchmarks.
const ALLOWED: [(&str, &[&str], &[&str]); 10] = [
    ("protocol", &[], &[]),
    ("engine", &["protocol"], &[]),
    ("bundler", &[], &[]),
    ("stdlib", &["engine", "protocol"], &[]),
    ("sessions", &["bundler", "engine", "protocol", "stdlib"], &["testkit"]),
    ("server", &["protocol", "sessions"], &["testkit"]),
    ("cli", &["protocol", "server", "sessions"], &["testkit"]),
    ("perennial", &["server", "sessions"], &[]),
    ("testkit", &["sessions"], &[]),
    ("xtask", &["bundler"], &[]),
];

pub(crate) fn check() -> Outcome {
    let mut found: Vec<String> = Vec::new();
    let entries = fs::read_dir(root().join("crates")).map_err(|error| error.to_string())?;
    let mut crates: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    crates.push(root().join("xtask"));
    for folder in crates {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some((_, uses, tests_use)) = ALLOWED.iter().find(|(known, ..)| *known == name) else {
            found.push(format!("{name} is in no list of xtask/src/edges.rs"));
            continue;
        };
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).map_err(|error| format!("{name}: {error}"))?;
        for (section, used) in edges(&manifest) {
            let is_allowed = match section {
                "[dev-dependencies]" => uses.contains(&used) || tests_use.contains(&used),
                _ => uses.contains(&used),
            };
            if !is_allowed {
                found.push(format!("{name} uses {used} in {section}"));
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("; ")) }
}

/// The sections of a manifest that name crates of the workspace, with what they name.
fn edges(manifest: &str) -> Vec<(&str, &str)> {
    let mut section = "";
    let mut edges = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line.trim();
        } else if section.ends_with("dependencies]")
            && let Some(rest) = line.strip_prefix("perennial-")
        {
            edges.push((section, rest.split(['.', ' ', '=']).next().unwrap_or(rest)));
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_found_whichever_way_they_are_written() {
        let manifest = "[package]\nname = \"perennial-x\"\n[dependencies]\nserde = \"1\"\nperennial-engine.workspace = true\n\
            perennial-stdlib = { workspace = true }\n[dev-dependencies]\nperennial-testkit = { path = \"..\" }\n";
        let found = [("[dependencies]", "engine"), ("[dependencies]", "stdlib"), ("[dev-dependencies]", "testkit")];
        assert_eq!(edges(manifest), found);
    }
}
