//! Which crate may use which, and that there is one QuickJS.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The edges that are allowed, besides `protocol`, which everybody may use. Crates of later areas join here.
const ALLOWED: &[(&str, &[&str])] = &[
    ("perennial-protocol", &[]),
    ("perennial-engine", &[]),
    ("perennial-bundler", &[]),
    ("perennial-keeper", &[]),
    ("perennial-stdlib", &["perennial-engine", "perennial-keeper"]),
    ("perennial-browser", &["perennial-keeper", "perennial-stdlib"]),
    ("perennial-sessions", &["perennial-bundler", "perennial-engine", "perennial-keeper", "perennial-stdlib"]),
    ("perennial-server", &["perennial-sessions"]),
    ("perennial-cli", &["perennial-browser", "perennial-server", "perennial-sessions"]),
    ("perennial", &["perennial-browser", "perennial-sessions", "perennial-server"]),
    ("perennial-testkit", &["perennial-sessions"]),
    ("xtask", &["perennial-bundler"]),
];

fn metadata() -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn crates_use_only_the_crates_they_may() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let members: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    assert_eq!(members, allowed.keys().copied().collect(), "every crate is listed, and every listed crate is there");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            let development = dependency["kind"] == "dev";
            // Scripts are what a browser is tried with.
            let tries = used == "perennial-testkit" || (name, used) == ("perennial-browser", "perennial-sessions");
            if !members.contains(used) || used == "perennial-protocol" || (development && tries) {
                continue;
            }
            assert!(allowed[name].contains(&used), "{name} may not use {used}");
        }
    }
}

#[test]
fn heavy_dependencies_stay_in_one_crate_each() {
    let metadata = metadata();
    for (heavy, home) in [
        ("rquickjs", "perennial-engine"),
        ("swc_core", "perennial-bundler"),
        ("oxc_resolver", "perennial-bundler"),
        ("rmcp", "perennial-server"),
        ("clap", "perennial-cli"),
    ] {
        for package in metadata["packages"].as_array().unwrap() {
            let uses = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .any(|dependency| dependency["name"] == heavy && dependency["kind"] != "dev");
            assert!(!uses || package["name"] == home, "{} uses {heavy}", package["name"]);
        }
    }
}

#[test]
fn there_is_one_quickjs() {
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock")).unwrap();
    assert_eq!(lock.matches("name = \"rquickjs-sys\"").count(), 1);
}
