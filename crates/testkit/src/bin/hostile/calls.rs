//! Calls of native operations: how long after its deadline a run ends, and what it makes this process grow to.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use perennial_sessions::{RunRequest, ScriptResult, SessionTable, TableConfig};
use perennial_testkit::hostile::call;

use crate::memory::{peak, reset_peak};
use crate::search::{Candidate, Worst};

const SIZES: [usize; 5] = [100, 10_000, 1_000_000, 10_000_000, 60_000_000];
const TIMEOUT: Duration = Duration::from_millis(400);
const LIMIT: u64 = 64 << 20;
/// What a run may be late, on a machine where others run too.
const LATE: Duration = Duration::from_millis(400);
/// A result is bounded as a whole: value, console, artifacts' names, errors.
const RESULT: usize = 4 << 20;

pub(crate) async fn search(time: Duration) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut random = fastrand::Rng::new();
    let table = SessionTable::with_config(TableConfig::default());
    for path in ["fs", "crypto", "fetch", "URLPattern", "Buffer"] {
        table.run("calls", RunRequest::new(format!("typeof {path}"))).await;
    }
    println!(
        "{:>9} {:>6} {:>8} {:>8} {:>10}  worst of time; of memory; how the runs ended",
        "size", "calls", "late", "grown", "result"
    );
    for size in SIZES {
        let (mut late, mut grown) = (Worst::default(), Worst::default());
        let (mut tried, mut longest, mut ends) = (0_u32, 0, BTreeMap::<String, u32>::new());
        let until = Instant::now() + time / SIZES.len() as u32;
        while Instant::now() < until {
            let bytes = if tried % 2 == 0 { late.next(&mut random) } else { grown.next(&mut random) };
            let script = call(&bytes, size);
            reset_peak();
            let before = peak();
            let (result, took) = run(&table, &script).await;
            let more = peak().saturating_sub(before);
            tried += 1;
            let length = serde_json::to_vec(&result).map_or(0, |text| text.len());
            longest = longest.max(length);
            *ends
                .entry(result.error.as_ref().map_or_else(|| "ok".to_owned(), |error| error.kind.to_string()))
                .or_default() += 1;
            if length > RESULT {
                complaints.push(format!("a result of {length} bytes: {script}"));
            }
            late.seen(Candidate { bytes: bytes.clone(), cost: took.as_secs_f64() });
            grown.seen(Candidate { bytes, cost: more as f64 });
            if took > TIMEOUT + LATE {
                complaints.push(format!("{took:?} of {TIMEOUT:?}: {script}"));
            }
            if more > 2 * LIMIT + (64 << 20) {
                complaints.push(format!("{} MiB more: {script}", more >> 20));
            }
            // A thread that has not come back is late, however early its run was answered.
            let since = Instant::now();
            while table.abandoned_threads() > 0 && since.elapsed() < Duration::from_secs(10) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            if since.elapsed() > LATE {
                complaints.push(format!("its thread was stuck for {:?}: {script}", since.elapsed()));
            }
        }
        let [late, grown] = [&late, &grown]
            .map(|worst| worst.worst().map_or((0.0, String::new()), |it| (it.cost, call(&it.bytes, size))));
        println!(
            "{size:>9} {tried:>6} {:>5.0} ms {:>4.0} MiB {:>6} KiB  {}; {}; {ends:?}",
            (late.0 - TIMEOUT.as_secs_f64()) * 1e3,
            grown.0 / f64::from(1 << 20),
            longest >> 10,
            shown(&late.1),
            shown(&grown.1),
        );
    }
    complaints
}

async fn run(table: &SessionTable, script: &str) -> (ScriptResult, Duration) {
    let mut request = RunRequest::new(script.to_owned()).with_timeout_ms(TIMEOUT.as_millis() as u64);
    request.memory_bytes = Some(LIMIT);
    let begun = Instant::now();
    let result = table.run("calls", request).await;
    (result, begun.elapsed())
}

fn shown(script: &str) -> String {
    script.trim().trim_start_matches("await (async () => { ").trim_end_matches(" })();").chars().take(90).collect()
}
