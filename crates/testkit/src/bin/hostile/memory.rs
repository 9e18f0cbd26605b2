//! How large this program and its children become.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use perennial_sessions::{RunRequest, SessionTable, TableConfig};
use perennial_testkit::hostile::{call, set, source};
use tokio::sync::{Mutex, Semaphore};

const LIMIT: u64 = 64 << 20;
const AT_A_TIME: usize = 8;
/// What is promised: twice each heap, and what the program takes itself.
const WITH_FULL_HEAPS: u64 = AT_A_TIME as u64 * 2 * LIMIT + (128 << 20);
const WITHOUT: u64 = 256 << 20;

fn field(process: &str, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The largest that this process has been since [`reset_peak`].
pub(crate) fn peak() -> u64 {
    field("self", "VmHWM:") << 10
}

pub(crate) fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// What this process, and everything below it, have for themselves: pages of the program's file are not counted once for each.
fn family() -> [u64; 2] {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let parents: HashMap<u64, u64> =
        names.filter_map(|name| Some((name.parse().ok()?, field(&name, "PPid:")))).collect();
    let own = u64::from(std::process::id());
    let is_ours = |&&process: &&u64| {
        let mut at = process;
        while at > 1 && at != own {
            at = parents.get(&at).copied().unwrap_or(0);
        }
        at == own
    };
    let size =
        |process: u64| (field(&process.to_string(), "RssAnon:") + field(&process.to_string(), "RssShmem:")) << 10;
    let below = parents.keys().filter(is_ours).filter(|&&process| process != own).map(|&process| size(process)).sum();
    [size(own), below]
}

/// Watches until it is dropped.
struct Watch {
    ended: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<[u64; 2]>,
}

impl Watch {
    fn begin() -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = ended.clone();
        let thread = std::thread::spawn(move || {
            let mut most = [0; 2];
            while !seen.load(Ordering::Acquire) {
                let now = family();
                if now.iter().sum::<u64>() > most.iter().sum() {
                    most = now;
                }
                std::thread::sleep(Duration::from_millis(3));
            }
            most
        });
        Self { ended, thread }
    }

    fn end(self) -> [u64; 2] {
        self.ended.store(true, Ordering::Release);
        self.thread.join().expect("the watch")
    }
}

pub(crate) async fn measure(time: Duration) -> Vec<String> {
    let mut random = fastrand::Rng::new();
    let mut bytes = || std::iter::repeat_with(|| random.u8(..)).take(24).collect::<Vec<u8>>();
    let mut scripts: Vec<String> = set().into_iter().map(|(_, source)| source).collect();
    for n in 0..scripts.len() * 2 {
        scripts.push(if n % 2 == 0 { source(&bytes(), 300_000) } else { call(&bytes(), 4_000_000) });
    }
    let until = Instant::now() + time;
    let mut complaints = Vec::new();
    // Those at their limit are left out, until none is: what comes near it depends on how far it gets in its time.
    loop {
        let (most, full) = all(&scripts, until).await;
        println!(
            "{} scripts, {AT_A_TIME} at a time, {} of them near their limit of {} MiB: at most {}",
            scripts.len(),
            full.len(),
            LIMIT >> 20,
            megabytes(most)
        );
        let bound = if full.is_empty() { WITHOUT } else { WITH_FULL_HEAPS };
        if most.iter().sum::<u64>() > bound {
            complaints.push(format!("more than {} MiB: {}", bound >> 20, megabytes(most)));
        }
        if full.is_empty() || Instant::now() > until {
            return complaints;
        }
        scripts =
            scripts.into_iter().enumerate().filter(|(at, _)| !full.contains(at)).map(|(_, script)| script).collect();
    }
}

fn megabytes([own, below]: [u64; 2]) -> String {
    format!("{} MiB, {} of them in processes below this one", (own + below) >> 20, below >> 20)
}

/// Runs all of them. The most that was held, and which of them came near the limit: by their heap, or by what was prepared or held for them.
async fn all(scripts: &[String], until: Instant) -> ([u64; 2], Vec<usize>) {
    let table = SessionTable::with_config(TableConfig::default());
    let (places, full) = (Arc::new(Semaphore::new(AT_A_TIME)), Arc::new(Mutex::new(Vec::new())));
    let watch = Watch::begin();
    let mut running = tokio::task::JoinSet::new();
    for (at, script) in scripts.iter().enumerate() {
        let place = places.clone().acquire_owned().await.expect("never closed");
        if Instant::now() >= until {
            println!("only {at} of {} were run in the time", scripts.len());
            break;
        }
        let (table, full, script) = (table.clone(), full.clone(), script.clone());
        running.spawn(async move {
            let mut request = RunRequest::new(script).with_timeout_ms(300);
            request.memory_bytes = Some(LIMIT);
            let session = format!("s{}", at % AT_A_TIME);
            let result = table.run(&session, request).await;
            let is_limit = result.error.as_ref().is_some_and(|error| error.limit == Some(LIMIT));
            if is_limit || result.usage.peak_heap_bytes > LIMIT / 4 {
                full.lock().await.push(at);
            }
            // The next begins with nothing of this one's, files and vars included.
            table.remove(&session);
            drop(place);
        });
    }
    while running.join_next().await.is_some() {}
    let most = watch.end();
    let full = full.lock().await.clone();
    (most, full)
}
