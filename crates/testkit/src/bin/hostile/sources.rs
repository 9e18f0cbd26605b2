//! Sources: what preparing them takes in this process, which has parsed them only if a look has proven them to be cheap.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use perennial_sessions::bundler::{Denied, Preparer, Product, SourceError, Task, prepare_cell_with};
use perennial_testkit::hostile::source;

use crate::ALLOCATED;
use crate::search::{Candidate, Worst, head};

const SIZES: [usize; 7] = [64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 512 << 10];
/// What no source may take here, beside what the size adds.
const TIME: (Duration, f64) = (Duration::from_millis(8), 3_000.0);
const MEMORY: (usize, usize) = (2 << 20, 2 << 10);

/// Everything else than what is proven to be cheap goes to another process, and is none of this one's work.
struct Elsewhere;

impl Preparer for Elsewhere {
    fn prepare(&self, _: &Task<'_>) -> Result<Result<Product, SourceError>, Denied> {
        Err(Denied::Apart(String::new()))
    }
}

struct Took {
    time: Duration,
    memory: usize,
    is_here: bool,
}

fn prepare(text: &str) -> Took {
    ALLOCATED.reset_peak_usage();
    let before = ALLOCATED.current_usage();
    let begun = Instant::now();
    let prepared = prepare_cell_with(text, &Elsewhere);
    let time = begun.elapsed();
    let is_here = !matches!(prepared, Err(perennial_sessions::bundler::PrepareError::Denied(_)));
    Took { time, memory: ALLOCATED.peak_usage().saturating_sub(before), is_here }
}

/// The machine is noisy: the best of a few.
fn carefully(text: &str) -> Took {
    let mut best = prepare(text);
    for _ in 0..4 {
        let took = prepare(text);
        best.time = best.time.min(took.time);
        best.memory = best.memory.min(took.memory);
    }
    best
}

/// What is exponential does not come back. Says which source it is, and ends the program.
fn watch(begun: &Arc<AtomicU64>) {
    let (begun, mut last) = (begun.clone(), 0);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(5));
            let now = begun.load(Ordering::Acquire);
            if now == last {
                println!("out of bounds: the source in {} takes longer than 5 s", file().display());
                std::process::abort();
            }
            last = now;
        }
    });
}

/// Where the source is found that this program has fallen over.
fn file() -> PathBuf {
    std::env::temp_dir().join("perennial-hostile-source.ts")
}

pub(crate) fn search(time: Duration) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut random = fastrand::Rng::new();
    let begun = Arc::new(AtomicU64::new(1));
    watch(&begun);
    // A thread is started, a name interned, before anything is measured.
    prepare("let x = 1");
    println!(
        "{:>8} {:>8} {:>6} {:>10} {:>8} {:>10} {:>8}  worst of time; of memory",
        "bytes", "sources", "here", "time", "ns/byte", "memory", "byte/byte"
    );
    for size in SIZES {
        let (mut by_time, mut by_memory) = (Worst::default(), Worst::default());
        let (mut tried, mut here) = (0_u32, 0_u32);
        let until = Instant::now() + time / SIZES.len() as u32;
        while Instant::now() < until {
            let bytes = if tried % 2 == 0 { by_time.next(&mut random) } else { by_memory.next(&mut random) };
            let text = source(&bytes, size);
            if text.len() > 2 * size {
                continue;
            }
            let _ = std::fs::write(file(), &text);
            begun.fetch_add(1, Ordering::AcqRel);
            let took = prepare(&text);
            (tried, here) = (tried + 1, here + u32::from(took.is_here));
            by_time.seen(Candidate { bytes: bytes.clone(), cost: took.time.as_nanos() as f64 });
            by_memory.seen(Candidate { bytes, cost: took.memory as f64 });
        }
        let again = |worst: &Worst, cost: fn(&Took) -> f64| {
            let again = |text: String| {
                begun.fetch_add(1, Ordering::AcqRel);
                (carefully(&text), text)
            };
            let mut all: Vec<_> = worst.all().iter().map(|it| again(source(&it.bytes, size))).collect();
            all.sort_by(|a, b| cost(&b.0).total_cmp(&cost(&a.0)));
            all.swap_remove(0)
        };
        let (slow, slow_text) = again(&by_time, |took| took.time.as_nanos() as f64);
        let (large, large_text) = again(&by_memory, |took| took.memory as f64);
        println!(
            "{size:>8} {tried:>8} {:>5.0}% {:>7} µs {:>8.0} {:>6} KiB {:>8}  {}; {}",
            100.0 * f64::from(here) / f64::from(tried),
            slow.time.as_micros(),
            slow.time.as_nanos() as f64 / slow_text.len() as f64,
            large.memory >> 10,
            large.memory / large_text.len(),
            head(&slow_text),
            head(&large_text)
        );
        if slow.time > TIME.0 + Duration::from_nanos((slow_text.len() as f64 * TIME.1) as u64) {
            complaints.push(format!("{} bytes took {:?}: {}", slow_text.len(), slow.time, head(&slow_text)));
        }
        if large.memory > MEMORY.0 + large_text.len() * MEMORY.1 {
            complaints.push(format!("{} bytes took {} bytes: {}", large_text.len(), large.memory, head(&large_text)));
        }
    }
    complaints
}
