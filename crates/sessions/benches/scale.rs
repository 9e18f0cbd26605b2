//! Figures that are no times of one call: throughput, memory, latency beside spinning scripts, sleeping sessions. Prints one line a
//! figure, `name value unit`, for `cargo xtask bench`.
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

#[path = "support/bare.rs"]
mod bare;
#[path = "support/hop.rs"]
mod hop;

use std::sync::Arc;
use std::time::{Duration, Instant};

use perennial_sessions::{Placement, RunRequest, SessionTable, TableConfig};
use perennial_testkit::Footprint;
use tokio::sync::Barrier;

use bare::Bare;
use hop::BareThread;

/// About 100 µs of computing on a present-day core; calibrated in the run, since only the ratio counts. In a block, so that its names are
/// local on both sides: what a cell's top-level names cost is measured in `sources`.
fn script(turns: u64) -> String {
    format!("{{ let x = 0; for (let i = 0; i < {turns}; i++) x = (x * 31 + i) | 0; return x }}")
}

fn figure(name: &str, value: f64, unit: &str) {
    println!("{name} {value:.3} {unit}");
}

fn main() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    // `cargo bench --bench scale -- asleep` runs one of the five.
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    if "memory".contains(&wanted) {
        memory(&runtime);
    }
    if "throughput".contains(&wanted) {
        throughput(&runtime);
    }
    if "sparse".contains(&wanted) {
        runtime.block_on(async { tokio::spawn(sparse()).await.expect("it ends") });
    }
    if "spinning".contains(&wanted) {
        runtime.block_on(beside_spinning());
    }
    if "asleep".contains(&wanted) {
        runtime.block_on(asleep());
    }
}

fn table() -> SessionTable {
    placed(Placement::default())
}

fn placed(placement: Placement) -> SessionTable {
    SessionTable::with_config(TableConfig::default().configure(|config| {
        config.max_vms = 20_000;
        config.placement = placement;
    }))
}

fn calibrate() -> u64 {
    let vm = Bare::new();
    let (mut turns, mut best) = (1000, Duration::MAX);
    for _ in 0..200 {
        let body = script(turns);
        let start = Instant::now();
        vm.run(&body);
        best = best.min(start.elapsed());
        if best < Duration::from_micros(95) {
            turns += turns / 10 + 1;
            best = Duration::MAX;
        }
    }
    turns
}

fn throughput(runtime: &tokio::runtime::Runtime) {
    let body = script(calibrate());
    let time = Duration::from_secs(3);
    let (executor, caller) = (Placement::Executor, Placement::Caller);
    let measure = |name: &str, body: &str, sessions: usize, placements: &[(&str, Placement)]| {
        // All twice, in turns, so that none has the warmer machine.
        let (mut bare, mut ours) = (0.0_f64, vec![0.0_f64; placements.len()]);
        for _ in 0..2 {
            bare = bare.max(bare_throughput(body, sessions, time));
            for (best, (_, placement)) in ours.iter_mut().zip(placements) {
                *best = best.max(runtime.block_on(our_throughput(body, sessions, time, *placement)));
            }
        }
        figure(&format!("{name}_bare_{sessions}"), bare, "runs/s");
        for (best, (placed, _)) in ours.iter().zip(placements) {
            figure(&format!("{name}_{placed}_{sessions}"), *best, "runs/s");
        }
    };
    for sessions in [50, 500, 1000] {
        measure("throughput", &body, sessions, &[("table", executor)]);
    }
    for sessions in [50, 500] {
        measure("trivial", "return 1+1", sessions, &[("table", executor), ("caller", caller)]);
    }
}

/// Two threads, each with half of the VMs, without any hop.
fn bare_throughput(body: &str, sessions: usize, time: Duration) -> f64 {
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let body = body.to_owned();
            std::thread::spawn(move || {
                let vms: Vec<Bare> = (0..sessions / 2).map(|_| Bare::new()).collect();
                let (start, mut runs) = (Instant::now(), 0_u64);
                while start.elapsed() < time {
                    vms[runs as usize % vms.len()].run(&body);
                    runs += 1;
                }
                runs as f64 / start.elapsed().as_secs_f64()
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().expect("it ends")).sum()
}

async fn our_throughput(body: &str, sessions: usize, time: Duration, placement: Placement) -> f64 {
    let table = placed(placement);
    let body: Arc<str> = body.into();
    let ready = Arc::new(Barrier::new(sessions + 1));
    let tasks: Vec<_> = (0..sessions)
        .map(|i| {
            let (table, body, ready) = (table.clone(), body.clone(), ready.clone());
            tokio::spawn(async move {
                let name = format!("session {i}");
                table.run(&name, RunRequest::new(&*body)).await;
                ready.wait().await;
                let (start, mut runs) = (Instant::now(), 0_u64);
                while start.elapsed() < time {
                    table.run(&name, RunRequest::new(&*body)).await;
                    runs += 1;
                }
                runs
            })
        })
        .collect();
    ready.wait().await;
    let start = Instant::now();
    let mut runs = 0;
    for task in tasks {
        runs += task.await.expect("it ends");
    }
    runs as f64 / start.elapsed().as_secs_f64()
}

/// Resident memory a warm session takes, against a bare VM that has run the same.
fn memory(runtime: &tokio::runtime::Runtime) {
    const COUNT: usize = 1000;
    let before = Footprint::now().resident_kib;
    let vms: Vec<Bare> = (0..COUNT)
        .map(|_| {
            let vm = Bare::new();
            vm.run("return 1");
            vm
        })
        .collect();
    let bare = (Footprint::now().resident_kib - before) as f64 / COUNT as f64;
    drop(vms);
    perennial_engine::trim_memory();
    let ours = runtime.block_on(async {
        let table = table();
        // The pool's threads are not the sessions'.
        table.run("first", RunRequest::new("return 1")).await;
        let before = Footprint::now().resident_kib;
        for i in 0..COUNT {
            table.run(&format!("session {i}"), RunRequest::new("return 1")).await;
        }
        (Footprint::now().resident_kib - before) as f64 / COUNT as f64
    });
    figure("memory_bare", bare, "KiB");
    figure("memory_table", ours, "KiB");
}

/// A call every two milliseconds: what is asleep has to be woken.
async fn sparse() {
    const COUNT: usize = 600;
    let (table, bare) = (table(), BareThread::start());
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    // In turns, so that both have the same machine.
    for _ in 0..COUNT {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let start = Instant::now();
        table.run("s", RunRequest::new("return 1")).await;
        ours.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
        let start = Instant::now();
        bare.run("return 1").await;
        others.push(start.elapsed());
    }
    for (name, mut times) in [("sparse_table", ours), ("sparse_bare", others)] {
        times.sort();
        figure(name, times[COUNT / 2].as_secs_f64() * 1e6, "us");
    }
}

async fn beside_spinning() {
    let table = table();
    let spinning: Vec<_> = (0..8)
        .map(|i| {
            let table = table.clone();
            let request = RunRequest::new("for (;;) {}").with_timeout_ms(8000);
            tokio::spawn(async move { table.run(&format!("spinner {i}"), request).await })
        })
        .collect();
    let measured = tokio::spawn({
        let table = table.clone();
        async move {
            table.run("trivial", RunRequest::new("return 1")).await;
            let mut times = Vec::new();
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(5) {
                let one = Instant::now();
                table.run("trivial", RunRequest::new("return 1")).await;
                times.push(one.elapsed());
            }
            times.sort();
            times
        }
    });
    let times = measured.await.expect("it ends");
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    figure("spinning_p50", at(0.50), "us");
    figure("spinning_p99", at(0.99), "us");
    for i in 0..8 {
        table.remove(&format!("spinner {i}"));
    }
    for task in spinning {
        let _ = task.await;
    }
}

async fn asleep() {
    const COUNT: usize = 10_000;
    // What making the VMs alone takes, on as many threads as there are cores here.
    let start = Instant::now();
    let makers: Vec<_> =
        (0..2).map(|_| std::thread::spawn(|| (0..COUNT / 2).map(|_| Bare::new()).collect::<Vec<_>>().len())).collect();
    let made: usize = makers.into_iter().map(|maker| maker.join().expect("it ends")).sum();
    assert_eq!(made, COUNT, "every VM is made");
    figure("asleep_bare_seconds", start.elapsed().as_secs_f64(), "s");
    perennial_engine::trim_memory();
    let table = table();
    table.run("first", RunRequest::new("return 1")).await;
    let before = Footprint::now();
    let start = Instant::now();
    let tasks: Vec<_> = (0..COUNT)
        .map(|i| {
            let table = table.clone();
            let request = RunRequest::new("await new Promise((resolve) => setTimeout(resolve, 300)); return 1");
            tokio::spawn(async move { table.run(&format!("sleeper {i}"), request).await.is_ok() })
        })
        .collect();
    let mut ok = 0;
    for task in tasks {
        ok += usize::from(task.await.unwrap_or(false));
    }
    let after = Footprint::now();
    assert_eq!(ok, COUNT, "every sleeper wakes up");
    figure("asleep_seconds", start.elapsed().as_secs_f64(), "s");
    figure("asleep_threads", after.threads.saturating_sub(before.threads) as f64, "threads more");
    figure("asleep_memory", (after.resident_kib - before.resident_kib) as f64 / COUNT as f64, "KiB/session");
}
