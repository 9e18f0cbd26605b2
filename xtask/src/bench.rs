//! Runs the benchmarks and turns what they leave into one table of ratios.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::steps::{Outcome, cargo, exists, program, root, run, skipped};

/// One line of the table: two figures and the ratio that is aimed at.
struct Row {
    what: &'static str,
    figure: String,
    against: String,
    ratio: f64,
    goal: Goal,
}

enum Goal {
    AtMost(f64),
    AtLeast(f64),
    None,
}

pub(crate) fn bench() -> Outcome {
    run(&mut cargo(&["bench", "-p", "perennial-sessions", "--bench", "ratios"]))?;
    run(&mut cargo(&["bench", "-p", "perennial-sessions", "--bench", "sources"]))?;
    run(&mut cargo(&["bench", "-p", "perennial-sessions", "--bench", "library"]))?;
    let output = cargo(&["bench", "-p", "perennial-sessions", "--bench", "scale"])
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("the benchmark `scale` ended with {}", output.status));
    }
    let figures = scale(&String::from_utf8_lossy(&output.stdout));
    let table = table(&figures, &browser()?)?;
    print!("{table}");
    let path = root().join("docs/benchmarks.md");
    fs::write(&path, document(&table)).map_err(|error| format!("{}: {error}", path.display()))
}

/// Steps in a browser under Perennial and under Playwright, by name in milliseconds or MiB. None where one of the two is not there.
fn browser() -> Result<HashMap<String, (f64, f64)>, String> {
    const FOLDER: &str = "tests/end-to-end";
    if !exists("node", &["--version"]) || !Path::new("/usr/lib/chromium/chromium-headless-shell").exists() {
        skipped("the comparison with Playwright", "there is no Node, or no headless shell of Chromium")?;
        return Ok(HashMap::new());
    }
    run(&mut cargo(&["build", "--release", "-p", "perennial-cli"]))?;
    run(program("npm", &["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(root().join(FOLDER)))?;
    let perennial = root().join("target/release/perennial");
    let output = program("node", &["tests/browser/bench.mjs", &perennial.to_string_lossy()])
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("the comparison with Playwright ended with {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), (words.next()?.parse().ok()?, words.next()?.parse().ok()?)))
    };
    Ok(text.lines().filter_map(line).collect())
}

/// The lines `name value unit` of the benchmark `scale`.
fn scale(output: &str) -> HashMap<String, f64> {
    output
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
        })
        .collect()
}

/// A median that criterion has left, in nanoseconds.
fn median(group: &str, name: &str) -> Result<f64, String> {
    let path = root().join("target/criterion").join(group).join(name).join("new/estimates.json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let estimates: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    estimates["median"]["point_estimate"].as_f64().ok_or_else(|| format!("{}: no median", path.display()))
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.1} µs", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

fn table(figures: &HashMap<String, f64>, browser: &HashMap<String, (f64, f64)>) -> Result<String, String> {
    let figure = |name: &str| figures.get(name).copied().ok_or_else(|| format!("the figure {name} is missing"));
    let timed = |what, group, ours: &str, other: &str, goal| -> Result<Row, String> {
        let (ours, other) = (median(group, ours)?, median(group, other)?);
        Ok(Row { what, figure: time(ours), against: time(other), ratio: ours / other, goal })
    };
    let mut rows = vec![
        timed("warm `return 1` through `SessionTable`, against bare", "warm", "table", "bare", Goal::AtMost(1.25))?,
        timed("the same, against bare that keeps the function", "warm", "table", "bare_kept", Goal::None)?,
        timed("the same by `Placement::Caller`, against bare there", "warm", "caller", "direct", Goal::AtMost(1.5))?,
        timed(
            "the same, against bare that keeps the function there",
            "warm",
            "caller",
            "direct_kept",
            Goal::AtMost(4.0),
        )?,
        timed("the same, against a task on that runtime with nothing in it", "warm", "caller", "task", Goal::None)?,
        timed(
            "`return 1` by the executor with a new text each time, against one that stays",
            "warm",
            "new_cells",
            "table",
            Goal::None,
        )?,
        again()?,
        timed("build and first run, against bare", "build", "table", "bare", Goal::AtMost(1.5))?,
        timed("rebuild after a timeout, against a first build", "build", "after_timeout", "first", Goal::AtMost(1.0))?,
        timed("`acquire` at 100,000 records, against 100", "acquire", "100000", "100", Goal::AtMost(3.0))?,
        timed(
            "the same, against looking for a name in a `DashMap` of that size",
            "acquire",
            "100000",
            "dashmap_100000",
            Goal::AtMost(1.5),
        )?,
        timed(
            "copying out 1 KB, against `JSON.stringify` and parse",
            "walk",
            "walk_1k",
            "stringify_1k",
            Goal::AtMost(0.7),
        )?,
        timed(
            "copying out 90 KB, against `JSON.stringify` and parse",
            "walk",
            "walk_90k",
            "stringify_90k",
            Goal::AtMost(0.7),
        )?,
    ];
    rows.extend([
        timed("copying in 1 KB, against writing and `JSON.parse`", "walk", "enter_1k", "parse_1k", Goal::AtMost(0.6))?,
        timed("copying in 90 KB, against the same", "walk", "enter_90k", "parse_90k", Goal::AtMost(0.6))?,
        timed(
            "`console.log` of a text, a number and an object, against an op of three arguments",
            "natives",
            "console",
            "three_arguments",
            Goal::AtMost(2.5),
        )?,
        timed("`vars.set` and `vars.get`, against two ops", "natives", "vars_pair", "two_ops", Goal::AtMost(1.5))?,
        timed("preparing a cell of 2 KB, against parsing it once", "cell", "prepare", "parse_once", Goal::AtMost(5.0))?,
        timed("running a cell of 2 KB again, against one that is new", "cell", "run_again", "run_new", Goal::None)?,
        timed("a loop over a top-level name, against over one of a block", "names", "top_level", "block", Goal::None)?,
        timed("a graph of 50 modules on disk, unchanged, against loading it", "graph", "cached", "cold", Goal::None)?,
        timed("session build with 10 plugins, against none", "plugins", "build_10", "build_0", Goal::AtMost(2.0))?,
        timed(
            "a tool call, against a plain async function, in the VM",
            "plugins",
            "call_tool",
            "call_function",
            Goal::AtMost(3.0),
        )?,
    ]);
    rows.extend([
        timed(
            "reading a file of 1 KB, against awaiting a plain async function",
            "files",
            "read_1k",
            "await_function",
            Goal::AtMost(5.0),
        )?,
        timed("writing a small file, against the same", "files", "write_1k", "await_function", Goal::AtMost(5.0))?,
        timed(
            "reading 1 MB from a mount, against `std::fs::read`",
            "files",
            "mount_1m",
            "std_read_1m",
            Goal::AtMost(6.0),
        )?,
        timed(
            "a run that is atomic, 1,000 files, against one that is not",
            "files",
            "atomic_run",
            "plain_run",
            Goal::None,
        )?,
        timed(
            "the same with a list of changes, against one that is not",
            "files",
            "changes_run",
            "plain_run",
            Goal::None,
        )?,
        timed(
            "`fetch` of 1 KB from loopback, against a blocking socket",
            "network",
            "fetch",
            "socket",
            Goal::AtMost(3.0),
        )?,
        timed("running `true`, against `std::process::Command`", "commands", "run", "std", Goal::AtMost(1.3))?,
        timed(
            "from stopping a script that runs `sleep` until that is gone, against running `true`",
            "commands",
            "stop",
            "run",
            Goal::None,
        )?,
        timed("`new URL`, against the `url` crate in Rust", "library", "new_url", "url_crate", Goal::AtMost(8.0))?,
        timed("SHA-256 of 1 MB, against the same crate in Rust", "library", "digest_1m", "sha2_1m", Goal::None)?,
        timed("64 KB to base64 by `Buffer`, against `btoa`", "library", "buffer_base64_64k", "btoa_64k", Goal::None)?,
    ]);
    let (ours, bare) = (figure("memory_table")?, figure("memory_bare")?);
    rows.push(Row {
        what: "memory of a warm session, against a bare VM",
        figure: format!("{ours:.0} KiB"),
        against: format!("{bare:.0} KiB"),
        ratio: ours / bare,
        goal: Goal::AtMost(1.3),
    });
    for (what, name, placed, sessions, goal) in [
        (
            "scripts of 100 µs on 50 sessions, runs a second, against bare VMs on two threads without a hop",
            "throughput",
            "table",
            50,
            Goal::AtLeast(0.85),
        ),
        ("the same on 500 sessions", "throughput", "table", 500, Goal::AtLeast(0.75)),
        ("the same on 1,000 sessions", "throughput", "table", 1000, Goal::None),
        ("`1+1` on 50 sessions by the executor, against the same", "trivial", "table", 50, Goal::None),
        ("the same on 500 sessions", "trivial", "table", 500, Goal::None),
        ("`1+1` on 50 sessions by `Placement::Caller`, against the same", "trivial", "caller", 50, Goal::AtLeast(0.6)),
        ("the same on 500 sessions", "trivial", "caller", 500, Goal::AtLeast(0.5)),
    ] {
        let (ours, bare) =
            (figure(&format!("{name}_{placed}_{sessions}"))?, figure(&format!("{name}_bare_{sessions}"))?);
        rows.push(Row {
            what,
            figure: format!("{ours:.0}/s"),
            against: format!("{bare:.0}/s"),
            ratio: ours / bare,
            goal,
        });
    }
    let (ours, bare) = (figure("sparse_table")?, figure("sparse_bare")?);
    rows.push(Row {
        what: "`return 1` every two milliseconds, against bare with its hop",
        figure: time(ours * 1e3),
        against: time(bare * 1e3),
        ratio: ours / bare,
        goal: Goal::AtMost(1.25),
    });
    let (ours, bare) = (figure("asleep_seconds")?, figure("asleep_bare_seconds")?);
    rows.push(Row {
        what: "10,000 sessions that sleep 300 ms at the same time, against making as many bare VMs on two threads",
        figure: format!("{ours:.1} s"),
        against: format!("{bare:.1} s"),
        ratio: ours / bare,
        goal: Goal::None,
    });
    let (p50, p99) = (figure("spinning_p50")?, figure("spinning_p99")?);
    rows.push(Row {
        what: "trivial call while 8 sessions spin, p99 against p50",
        figure: time(p99 * 1e3),
        against: time(p50 * 1e3),
        ratio: p99 / p50,
        goal: Goal::None,
    });

    let milliseconds = |value: f64| time(value * 1e6);
    let mebibytes = |value: f64| format!("{value:.0} MiB");
    for (what, name, say, goal) in [
        (
            "in a browser: a click and a read, against Playwright",
            "click_and_read",
            &milliseconds as &dyn Fn(f64) -> String,
            Goal::AtMost(0.65),
        ),
        ("a page, a click and a read, against the same", "goto_click_read", &milliseconds, Goal::AtMost(0.65)),
        ("`fill`, against the same", "fill", &milliseconds, Goal::AtMost(0.4)),
        ("`getByRole` among 5,000 elements, against the same", "by_role", &milliseconds, Goal::AtMost(0.5)),
        ("a snapshot of 5,000 elements, against the same", "snapshot", &milliseconds, Goal::AtMost(0.4)),
        (
            "starting the program and a browser, a page, and the end of it, against the same",
            "launch",
            &milliseconds,
            Goal::None,
        ),
        (
            "steps a second of twenty sessions side by side, against Playwright's",
            "side_by_side",
            &(|steps: f64| format!("{steps:.0}/s")),
            Goal::None,
        ),
        (
            "memory of the program without the browser, against Playwright's process",
            "memory",
            &mebibytes,
            Goal::AtMost(0.3),
        ),
    ] {
        if let Some((ours, other)) = browser.get(&format!("browser_{name}")) {
            rows.push(Row { what, figure: say(*ours), against: say(*other), ratio: ours / other, goal });
        }
    }

    let mut text =
        String::from("| what | figure | against | ratio | goal | |\n| --- | ---: | ---: | ---: | ---: | --- |\n");
    for row in &rows {
        let (goal, met) = match row.goal {
            Goal::AtMost(most) => (format!("≤ {most}"), Some(row.ratio <= most)),
            Goal::AtLeast(least) => (format!("≥ {least}"), Some(row.ratio >= least)),
            Goal::None => (String::new(), None),
        };
        let verdict = met.map_or("", |met| if met { "met" } else { "**missed**" });
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.2} | {goal} | {verdict} |",
            row.what, row.figure, row.against, row.ratio
        );
    }
    let _ = write!(
        text,
        "\nThe 10,000 that sleep have {:.0} threads more than before, and {:.0} KiB a session.\n",
        figure("asleep_threads")?,
        figure("asleep_memory")?,
    );
    Ok(text)
}

/// A cell that comes again, against the shortest one and what it computes itself.
fn again() -> Result<Row, String> {
    let (ours, shortest, own) = (median("again", "table")?, median("warm", "table")?, median("again", "own")?);
    let against = shortest + own;
    Ok(Row {
        what: "a cell of 3.5 KB again with other arguments, against `return 1` and what it computes",
        figure: time(ours),
        against: time(against),
        ratio: ours / against,
        goal: Goal::AtMost(1.3),
    })
}

fn document(table: &str) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench`; do not edit. Every ratio compares two figures of one run, on a machine with {cores} cores where\n\
         other programs run too: look at the ratios, not at the times. *Bare* is rquickjs as it comes, on a thread of its own, reached\n\
         through the same kind of hop: a message to the thread, a tokio wake-up back.\n\n\
         {table}\n\
         The benchmarks are in `crates/sessions/benches`: `ratios.rs`, `sources.rs` and `library.rs` (criterion), `scale.rs`.\n\n\
         {MISSES}"
    )
}

/// What profiles say of the rows whose goals are not met.
const MISSES: &str = include_str!("bench/misses.md");
