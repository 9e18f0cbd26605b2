//! The project's own commands: `cargo xtask test`, `cargo xtask bench`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]

mod bench;
mod docs;
mod fuzz;
mod generate;
mod steps;
mod test;
mod wpt;

use std::process::ExitCode;

const HELP: &str = "cargo xtask COMMAND

  test    everything that must pass: format, lints, build, tests, doc tests, examples, end-to-end, documents
  test --under-load
          the tests alone, while twice as many threads as there are cores do nothing but spin
  hostile sources|calls|storm|memory [SECONDS]
          searches for the source or the call that costs the most; measures an honest session beside 64 attackers,
          or the memory of hostile scripts
  fuzz [SECONDS] [TARGET...]
          fuzzes every target, or those named, for so long each (60), as many at a time as there are cores
  generate  makes crates/stdlib/js of js-runtime/src
  wpt     runs web platform tests and compares with tests/conformance/wpt.json, which --update writes anew;
          with a part of a path only those files, and says what failed
  bench   measures against bare rquickjs in the same run, prints a table and writes docs/benchmarks.md (about 4 minutes)
";

/// Attacks in numbers, from the crate that makes them.
fn hostile(arguments: &[&str]) -> steps::Outcome {
    let mut command = steps::cargo(&["run", "--release", "-q", "-p", "perennial-testkit", "--bin", "hostile", "--"]);
    steps::run(command.args(arguments))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => test::test(),
        ["test", "--under-load"] => test::under_load(),
        ["bench"] => bench::bench(),
        ["wpt"] => wpt::wpt(false),
        ["wpt", "--update"] => wpt::wpt(true),
        ["wpt", part] if !part.starts_with('-') => wpt::look(part),
        ["hostile", ref more @ ..] if !more.is_empty() => hostile(more),
        ["fuzz", ref more @ ..] => fuzz::fuzz(more),
        ["generate"] => generate::generate(),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
