//! A transcript is a Markdown file: the file is a session, a section a run, the fenced `json` block behind it the result that is
//! expected of it, to the letter but for times and sizes.
//!
//! ````text
//! ## run {"timeout_ms": 100}
//! ```js
//! return 1
//! ```
//! ```json
//! { "status": "ok", "value": 1, "vm": "built", "seq": 1 }
//! ```
//! ````
//!
//! Sections without a script steer: `## advance 90 s` moves the clock, `## reset`, `## remove`, `## evict` (another session needs
//! the only warm place), `## settle` (callbacks that are due have run), `## file PATH` with a block of `ts` (writes a file from which
//! modules may be imported, below `/app`), `## delete PATH`, `## deny` (from here on nothing may be imported). A section headed `## run NAME {…}` runs on another session.
//! With `UPDATE_TRANSCRIPTS=1` the expected results are rewritten from what happened.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use perennial_sessions::bundler::{Loader, LoaderOptions, MemoryFiles};
use perennial_sessions::{
    ModuleAccess, RunContext, RunRequest, ScriptResult, SessionTable, TableConfig, provided_modules,
};
use serde_json::{Map, Value};

use crate::{ManualClock, eventually};

/// Plays a transcript and compares.
///
/// # Panics
/// If a result differs from what the file expects, or the file cannot be read.
pub async fn play(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let clock = ManualClock::new();
    let config = TableConfig::default().configure(|config| {
        config.max_vms = 1;
        config.clock = Arc::new(clock.clone());
    });
    let table = SessionTable::with_config(config);
    let files = MemoryFiles::new();
    let mut access = None;
    let mut played = String::new();
    for section in sections(&text) {
        played.push_str(section.before);
        let Some(heading) = section.heading else { continue };
        let words: Vec<&str> = heading.splitn(2, ' ').collect();
        let rest = words.get(1).copied().unwrap_or("");
        match words[0] {
            "run" => {
                let (name, options) = match rest.split_once('{') {
                    Some((name, options)) => (name.trim(), format!("{{{options}")),
                    None => (rest.trim(), "{}".to_owned()),
                };
                let name = if name.is_empty() { "main" } else { name };
                let script = section.script.unwrap_or_else(|| panic!("{}: a run without a js block", path.display()));
                let request = request(path, &options, script);
                let context =
                    access.clone().map_or_else(RunContext::new, |access: ModuleAccess| RunContext::new().grant(access));
                let result = table.run_with(name, request, context).await;
                let _ = write!(played, "```json\n{}\n```\n", normalised(&result));
            }
            "advance" => clock.advance(duration(rest)),
            "reset" => assert!(table.reset("main").await, "{}: no session to reset", path.display()),
            "remove" => assert!(table.remove("main"), "{}: no session to remove", path.display()),
            "evict" => {
                table.run("evictor", RunRequest::new("")).await;
                table.remove("evictor");
            }
            "settle" => settle(&table).await,
            "file" => {
                files.write(rest, section.file.unwrap_or_default());
                access.get_or_insert_with(|| {
                    let options = LoaderOptions::default().configure(|options| {
                        options.roots = vec!["/app".into()];
                        options.provided = provided_modules();
                    });
                    ModuleAccess::new(Loader::new(Arc::new(files.clone()), options), "/app")
                });
            }
            "delete" => assert!(files.remove(rest), "{}: no file {rest}", path.display()),
            "deny" => access = None,
            other => panic!("{}: no such section: {other}", path.display()),
        }
        played.push_str(section.after);
    }
    if played != text {
        if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
            std::fs::write(path, played).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            return;
        }
        let difference = text.lines().zip(played.lines()).position(|(expected, got)| expected != got);
        let line = difference.unwrap_or(text.lines().count().min(played.lines().count()));
        panic!("{}:{}: expected\n{text}\n---- got ----\n{played}", path.display(), line + 1);
    }
}

/// Waits until the sessions' callbacks have had their turn.
async fn settle(table: &SessionTable) {
    eventually("the sessions are quiet", || {
        table.sessions().iter().all(|session| !session.running && !session.background)
    })
    .await;
}

fn duration(text: &str) -> Duration {
    let (number, unit) = text.trim().split_once(' ').unwrap_or((text, "s"));
    let number: u64 = number.parse().unwrap_or_else(|_| panic!("no number: {text:?}"));
    match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "min" => Duration::from_secs(60 * number),
        _ => panic!("no unit of time: {unit:?}"),
    }
}

fn request(path: &Path, options: &str, script: &str) -> RunRequest {
    let mut map: Map<String, Value> = match serde_json::from_str(options) {
        Ok(map) => map,
        Err(error) => panic!("{}: {options}: {error}", path.display()),
    };
    map.insert("script".to_owned(), Value::from(script.strip_suffix('\n').unwrap_or(script)));
    serde_json::from_value(Value::Object(map)).unwrap_or_else(|error| panic!("{}: {options}: {error}", path.display()))
}

/// A result without what differs from run to run: times, sizes, and how far over a limit something was.
pub fn normalised(result: &ScriptResult) -> String {
    let mut value = serde_json::to_value(result).unwrap_or(Value::Null);
    if let Some(map) = value.as_object_mut() {
        map.retain(|key, _| key != "duration_ms" && key != "usage");
        if map.get("console_dropped") == Some(&Value::from(0)) {
            map.shift_remove("console_dropped");
        }
        if map.get("console").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            map.shift_remove("console");
        }
        if let Some(entries) = map.get_mut("console").and_then(Value::as_array_mut) {
            for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
                entry.shift_remove("ts_ms");
                if entry.get("background") == Some(&Value::Bool(false)) {
                    entry.shift_remove("background");
                }
            }
        }
        if let Some(error) = map.get_mut("error").and_then(Value::as_object_mut) {
            let kind = error.get("kind").and_then(Value::as_str).unwrap_or("").to_owned();
            if matches!(kind.as_str(), "timeout" | "cpu_limit" | "memory_limit") {
                error.shift_remove("used");
                error.shift_remove("message");
            }
        }
    }
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

/// A piece of the file: text up to and including the script, the expected result, and what follows it.
struct Section<'a> {
    before: &'a str,
    heading: Option<&'a str>,
    script: Option<&'a str>,
    file: Option<&'a str>,
    after: &'a str,
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut starts: Vec<usize> = text.match_indices("\n## ").map(|(at, _)| at + 1).collect();
    if text.starts_with("## ") {
        starts.insert(0, 0);
    }
    let first = starts.first().copied().unwrap_or(text.len());
    let mut all = vec![Section { before: &text[..first], heading: None, script: None, file: None, after: "" }];
    for (index, &start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(text.len());
        all.push(section(&text[start..end]));
    }
    all
}

fn section(text: &str) -> Section<'_> {
    let heading = text.lines().next().and_then(|line| line.strip_prefix("## "));
    let fence = |open: &str| {
        let from = text.find(open)? + open.len();
        let to = from + text[from..].find("```\n")?;
        Some((from, to))
    };
    let script = fence("```js\n");
    let (before, after) = match (script, text.find("```json\n")) {
        (_, Some(from)) => {
            let body = from + "```json\n".len();
            let to = body + text[body..].find("```\n").map_or(text.len() - body, |at| at + "```\n".len());
            (&text[..from], &text[to..])
        }
        // No result yet: it goes behind the script.
        (Some((_, to)), None) => (&text[..to + "```\n".len()], &text[to + "```\n".len()..]),
        (None, None) => (text, ""),
    };
    let text_of = |(from, to)| &text[from..to];
    Section { before, heading, script: script.map(text_of), file: fence("```ts\n").map(text_of), after }
}
