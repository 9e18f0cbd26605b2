use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::docs;
use crate::steps::{Outcome, cargo, exists, program, root, run, skipped, step};

/// Everything that must pass. Works with Rust and a C compiler alone; what else is there is used.
pub(crate) fn test() -> Outcome {
    step("format", || {
        if exists("cargo", &["fmt", "--version"]) {
            run(&mut cargo(&["fmt", "--all", "--check"]))
        } else {
            skipped("the format check", "rustfmt is not installed")
        }
    })?;
    step("lints", || {
        if exists("cargo", &["clippy", "--version"]) {
            run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))
        } else {
            skipped("the lints", "clippy is not installed")
        }
    })?;
    step("generated files", crate::generate::check)?;
    step("build", || run(&mut cargo(&["build", "--workspace", "--all-targets", "--all-features"])))?;
    step("tests", tests)?;
    step("doc tests", || run(&mut cargo(&["test", "--workspace", "--all-features", "--doc"])))?;
    step("examples", || {
        ["compute", "remember", "commands", "own_provision", "own_browser"]
            .into_iter()
            .try_for_each(|name| run(&mut cargo(&["run", "--quiet", "-p", "perennial", "--example", name])))
    })?;
    step("each feature alone", features)?;
    step("end to end with the official MCP clients", end_to_end)?;
    step("bans and licences", || {
        const CHECK: [&str; 4] = ["check", "bans", "licenses", "sources"];
        if exists("cargo", &["deny", "--version"]) {
            return run(cargo(&["deny"]).args(CHECK));
        }
        // Beside what is built, and nowhere else.
        let tools = root().join("target/tools");
        let denies = tools.join("bin/cargo-deny");
        if !denies.exists() {
            println!("installing cargo-deny");
            let mut install = cargo(&["install", "--quiet", "--locked", "cargo-deny", "--root"]);
            if let Err(error) = run(install.arg(&tools)) {
                let why = format!("it could not be installed ({error}); a test checks that rquickjs-sys is there once");
                return skipped("cargo deny", &why);
            }
        }
        run(&mut program(&denies.display().to_string(), &CHECK))
    })?;
    step("documents", || {
        run(cargo(&["doc", "--workspace", "--all-features", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
        docs::check()
    })?;
    println!("everything passed");
    Ok(())
}

/// Of the crate that embedders depend on: none, and each by itself.
fn features() -> Outcome {
    const ALONE: [&str; 2] = ["-p", "perennial"];
    let linted = exists("cargo", &["clippy", "--version"]);
    for features in ["", "typescript", "modules", "net", "crypto", "commands", "browser", "mcp"] {
        let mut check = cargo(&[if linted { "clippy" } else { "check" }, "--quiet"]);
        check.args(ALONE).args(["--no-default-features", "--features", features]);
        run(if linted { check.args(["--", "-D", "warnings"]) } else { &mut check })?;
    }
    run(&mut cargo(&["run", "--quiet", "-p", "perennial", "--no-default-features", "--example", "compute"]))
}

fn end_to_end() -> Outcome {
    const FOLDER: &str = "tests/end-to-end";
    if !exists("node", &["--version"]) || !exists("npm", &["--version"]) {
        return skipped("the MCP clients, npm packages and the TypeScript compiler", "there is no Node with npm");
    }
    let old = program("node", &["-e", "process.exit(process.versions.node.split('.')[0] < 20 ? 1 : 0)"]).status();
    if !old.is_ok_and(|status| status.success()) {
        return skipped("the MCP clients, npm packages and the TypeScript compiler", "they need Node 20 or later");
    }
    run(&mut cargo(&["build", "--quiet", "-p", "perennial-cli"]))?;
    let folder = root().join(FOLDER);
    if let Err(error) = run(program("npm", &["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(&folder)) {
        return skipped(
            "the MCP clients, npm packages and the TypeScript compiler",
            &format!("npm could not install them ({error})"),
        );
    }
    run(program("node", &["--test", "--test-reporter=spec"]).current_dir(&folder))
}

/// Where the browsers are that tests are run in, and the packages that have them. The first is the one that is tried unless something else is said.
const BROWSERS: [(&str, &str, &str); 2] = [
    ("headless-shell", "/usr/lib/chromium/chromium-headless-shell", "chromium-headless-shell"),
    ("chromium", "/usr/lib/chromium/chromium", "chromium"),
];

fn tests() -> Outcome {
    let is_there = |(_, path, _): &(&str, &str, &str)| Path::new(path).exists();
    let missing: Vec<&str> =
        BROWSERS.iter().filter(|browser| !is_there(browser)).map(|(.., package)| *package).collect();
    if !missing.is_empty() {
        println!("installing {}", missing.join(" and "));
        let mut install = program("apt-get", &["-qq", "-y", "install", "--no-install-recommends"]);
        install.args(&missing).env("DEBIAN_FRONTEND", "noninteractive");
        let installed = run(&mut program("apt-get", &["-qq", "update"])).and_then(|()| run(&mut install));
        if let Err(error) = installed {
            skipped("the tests in browsers that are not here", &format!("they could not be installed ({error})"))?;
        }
    }
    let there: Vec<&str> = BROWSERS.iter().filter(|browser| is_there(browser)).map(|(name, ..)| *name).collect();
    let Some((first, others)) = there.split_first() else {
        return all_tests(&[], None);
    };
    all_tests(&[first], None)?;
    others.iter().try_for_each(|browser| all_tests(&[browser], Some("perennial-browser")))
}

/// The tests of a package, or of all, in a browser; without one its own are left out.
fn all_tests(browser: &[&str], package: Option<&str>) -> Outcome {
    let mut tests = if exists("cargo", &["nextest", "--version"]) {
        let mut tests = cargo(&["nextest", "run", "--workspace", "--all-features", "--no-fail-fast"]);
        match (package, browser) {
            (Some(package), _) => tests.args(["-E", &format!("package({package})")]),
            (None, []) => tests.args(["-E", "not package(perennial-browser)"]),
            (None, _) => &mut tests,
        };
        tests
    } else {
        let mut tests = cargo(&["test", "--all-features", "--lib", "--bins", "--tests", "--no-fail-fast"]);
        match (package, browser) {
            (Some(package), _) => tests.args(["-p", package]),
            (None, []) => tests.args(["--workspace", "--exclude", "perennial-browser"]),
            (None, _) => tests.arg("--workspace"),
        };
        // One test at a time: some count what their process holds.
        tests.args(["--", "--test-threads=1"]);
        tests
    };
    tests.envs(browser.iter().map(|browser| ("PERENNIAL_TEST_BROWSER", browser)));
    run(&mut tests)
}

/// The tests on a machine that has other things to do.
pub(crate) fn under_load() -> Outcome {
    step("build", || run(&mut cargo(&["build", "--workspace", "--all-targets", "--all-features"])))?;
    let over = AtomicBool::new(false);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..2 * cores {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let done = step("tests under load", tests);
        over.store(true, Ordering::Relaxed);
        done
    })
}
