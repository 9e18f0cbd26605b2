//! Fuzzing: every target for a while, as many at a time as there are cores.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::steps::{Outcome, exists, program, root, run};

const SECONDS: &str = "60";
/// Of a fuzzer; what libFuzzer itself has beside the program is in it.
const MAX_MIB: u64 = 2048;
/// For one input, with instrumentation and on a machine that has more to do.
const MAX_SECONDS: u64 = 100;

/// Fuzzes targets, all of them unless some are named. What was found stays in `target/fuzz/found`, and the inputs that led somewhere in
/// `target/fuzz/corpus`, where the next time begins.
pub(crate) fn fuzz(arguments: &[&str]) -> Outcome {
    let (seconds, wanted) = match arguments {
        [first, rest @ ..] if first.parse::<u32>().is_ok() => (*first, rest),
        all => (SECONDS, all),
    };
    if !exists("cargo-fuzz", &["--version"]) {
        return Err("there is no cargo-fuzz: cargo install cargo-fuzz".to_owned());
    }
    let all = targets()?;
    if let Some(unknown) = wanted.iter().find(|name| !all.iter().any(|one| one == *name)) {
        return Err(format!("there is no target {unknown}, but {}", all.join(", ")));
    }
    let targets: Vec<String> =
        all.into_iter().filter(|name| wanted.is_empty() || wanted.contains(&name.as_str())).collect();
    let folder = root().join("target/fuzz");
    let mut build = program("cargo", &["fuzz", "build", "--target", &triple(), "--target-dir"]);
    // The fuzzer's instrumentation is a feature of nightly compilers.
    run(build.arg(folder.join("build")).env("RUSTC_BOOTSTRAP", "1"))?;
    let queue = Mutex::new(targets.into_iter());
    let failures = Mutex::new(Vec::new());
    let work = || {
        while let Some(name) = queue.lock().ok().and_then(|mut queue| queue.next()) {
            let outcome = one(&folder, &name, seconds);
            match outcome {
                Ok(count) => println!("{name:>10}  {count} inputs, nothing found"),
                Err(error) => {
                    println!("{name:>10}  {error}");
                    failures.lock().into_iter().for_each(|mut all| all.push(name.clone()));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().unwrap_or_default();
    if failures.is_empty() { Ok(()) } else { Err(format!("found something in {}", failures.join(", "))) }
}

fn triple() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

fn targets() -> Result<Vec<String>, String> {
    let folder = root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| Some(entry.path().file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names)
}

/// How many inputs one target was given, or what was found.
fn one(folder: &Path, name: &str, seconds: &str) -> Result<String, String> {
    let made = |part: &str| -> Result<PathBuf, String> {
        let path = folder.join(part).join(name);
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    };
    let (corpus, found) = (made("corpus")?, made("found")?);
    let log = folder.join(format!("{name}.log"));
    let output = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let status = Command::new(folder.join("build").join(triple()).join("release").join(name))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-rss_limit_mb={MAX_MIB}"))
        .arg(format!("-timeout={MAX_SECONDS}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg("-print_final_stats=1")
        .arg(corpus)
        // The example scripts are where mutation begins.
        .arg(root().join("tests/hostile"))
        .stderr(output)
        .status()
        .map_err(|error| format!("{name} does not start: {error}"))?;
    let text = fs::read_to_string(&log).unwrap_or_default();
    if !status.success() {
        return Err(format!("ended with {status}; see {}", log.display()));
    }
    let count = text.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    Ok(count.unwrap_or("?").trim().to_owned())
}
