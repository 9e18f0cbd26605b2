//! Every script of `tests/hostile` against one table. A file's head says what is expected of it:
//!
//! * `// expect: timeout|memory_limit`: how its run may end.
//! * `// timeout_ms: 10000`: its deadline. Without it, 200 ms where a timeout is among what is expected, and time enough otherwise.
//! * `// after: reset`: it spoils its own realm without being stopped; the session is reset before it is asked again.
//! * `// after: background`: it spoils the time between the runs, and the VM may be rebuilt for it.

use std::path::Path;
use std::time::{Duration, Instant};

use perennial_sessions::{ErrorKind, Placement, RunRequest, ScriptResult, SessionTable, TableConfig};
use serde_json::json;

/// What a caller is promised after its deadline, and the slack this test allows for: a machine where everything else runs too.
const PROMISED: Duration = Duration::from_millis(100);
const SLACK: Duration = Duration::from_millis(400);

struct Hostile {
    name: String,
    source: String,
}

impl Hostile {
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hostile");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let only = std::env::var("ONLY").unwrap_or_default();
        files
            .iter()
            .map(|path| Self {
                name: path.file_stem().unwrap().to_string_lossy().into_owned(),
                source: std::fs::read_to_string(path).unwrap(),
            })
            .filter(|hostile| hostile.name.contains(&only))
            .collect()
    }

    fn head(&self, key: &str) -> Option<&str> {
        self.source.lines().find_map(|line| line.strip_prefix("// ")?.strip_prefix(key)?.strip_prefix(": "))
    }
}

fn ending(result: &ScriptResult) -> String {
    result.error.as_ref().map_or_else(|| "ok".to_owned(), |error| error.kind.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_hostile_script_ends_in_time_with_the_right_error_and_harms_nobody() {
    attack(Placement::Executor).await;
}

/// The same by scripts that have pretended to be short ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hostile_scripts_end_in_time_where_they_were_called_too() {
    tokio::spawn(attack(Placement::Caller)).await.unwrap();
}

async fn attack(placement: Placement) {
    let table = SessionTable::with_config(TableConfig::default().configure(|config| config.placement = placement));
    let mut all = Hostile::all();
    if placement == Placement::Caller {
        // What is in the result is none in a block.
        all.retain(|hostile| !hostile.name.contains("result") && !hostile.name.ends_with("returned"));
        for hostile in &mut all {
            hostile.source = format!(
                "{}\nif (args === 1) {{\n{}\n}}",
                hostile.source.lines().filter(|line| line.starts_with("// ")).collect::<Vec<_>>().join("\n"),
                hostile.source
            );
        }
    }
    let mut complaints = Vec::new();
    let mut abandoned = Vec::new();
    for hostile in &all {
        let before = table.abandoned_threads();
        let expected = hostile.head("expect").unwrap_or_else(|| panic!("{} expects nothing", hostile.name));
        let default = if expected.contains("timeout") { 200 } else { 20_000 };
        let timeout = hostile.head("timeout_ms").map_or(default, |ms| ms.parse().unwrap());
        let mut request = RunRequest::new(hostile.source.clone()).with_timeout_ms(timeout).with_args(json!(1));
        request.memory_bytes = Some(64 << 20);
        if placement == Placement::Caller {
            let harmless = request.clone().with_args(json!(0)).with_timeout_ms(5000);
            let first = table.run("hostile", harmless.clone()).await;
            // One that is about the text that it stands in.
            if first.error.is_some_and(|error| error.kind == ErrorKind::Syntax) {
                continue;
            }
            for _ in 0..6 {
                let again = table.run("hostile", harmless.clone()).await;
                assert!(again.is_ok(), "{}: {:?}", hostile.name, again.error);
            }
        }
        let started = Instant::now();
        let result = table.run("hostile", request).await;
        // Waiting for a thread is not the script's time.
        let queued = Duration::from_secs_f64(result.usage.queue_ms / 1000.0);
        let took = started.elapsed().saturating_sub(queued);

        let ended = ending(&result);
        if !expected.split('|').any(|kind| kind == ended) {
            complaints.push(format!("{}: {ended} instead of {expected}: {:?}", hostile.name, result.error));
        }
        if took > Duration::from_millis(timeout) + PROMISED + SLACK {
            complaints.push(format!("{}: took {took:?}", hostile.name));
        }
        if hostile.head("after") == Some("reset") {
            table.reset("hostile").await;
        }
        for session in ["other", "hostile"] {
            let next = table.run(session, RunRequest::new("return 1").with_timeout_ms(5000)).await;
            if next.value != Some(json!(1)) {
                complaints.push(format!("{}: afterwards {session} answers {next:?}", hostile.name));
            }
        }
        if table.abandoned_threads() > before {
            abandoned.push(hostile.name.as_str());
        }
    }
    #[expect(clippy::print_stdout, reason = "shown with --no-capture: which built-ins could not be stopped")]
    {
        println!("{} scripts, {} abandoned: {}", all.len(), abandoned.len(), abandoned.join(" "));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
