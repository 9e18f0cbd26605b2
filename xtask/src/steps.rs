//! Running other programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What went wrong, in a sentence.
pub(crate) type Outcome = Result<(), String>;

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// A program that runs in the workspace's root.
pub(crate) fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

pub(crate) fn cargo(arguments: &[&str]) -> Command {
    program(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()), arguments)
}

/// Whether a program can be started at all.
pub(crate) fn exists(name: &str, arguments: &[&str]) -> bool {
    let status = program(name, arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Announces a step, runs it, and says how long it took.
pub(crate) fn step(title: &str, run: impl FnOnce() -> Outcome) -> Outcome {
    println!("── {title}");
    let started = Instant::now();
    run().map_err(|error| format!("{title}: {error}"))?;
    println!("   {title}: {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| format!("{command:?} does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}")) }
}

/// Says that something was not done, and why.
pub(crate) fn skipped(what: &str, why: &str) -> Outcome {
    println!("   skipped {what}: {why}");
    Ok(())
}
