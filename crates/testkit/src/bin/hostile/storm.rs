//! An honest session beside 64 that attack.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use perennial_sessions::{RunRequest, SessionTable, TableConfig};
use perennial_testkit::hostile::{call, set, source};
use serde_json::json;

const ATTACKERS: usize = 64;
/// How long threads of the last runs may take.
const BACK: Duration = Duration::from_secs(5);
const EVERY: Duration = Duration::from_millis(10);

pub(crate) async fn storm(time: Duration) -> Vec<String> {
    let table = SessionTable::with_config(TableConfig::default());
    let (ended, runs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let scripts: Arc<Vec<String>> = Arc::new(set().into_iter().map(|(_, source)| source).collect());
    let mut attackers = tokio::task::JoinSet::new();
    for attacker in 0..ATTACKERS {
        let (table, ended, runs, scripts) = (table.clone(), ended.clone(), runs.clone(), scripts.clone());
        attackers.spawn(async move {
            let mut random = fastrand::Rng::with_seed(attacker as u64);
            while !ended.load(Ordering::Acquire) {
                let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(24).collect();
                let script = match random.u8(..3) {
                    0 => scripts[random.usize(..scripts.len())].clone(),
                    1 => source(&bytes, 1 << random.u32(5..18)),
                    _ => call(&bytes, 1 << random.u32(5..24)),
                };
                let mut request = RunRequest::new(script).with_timeout_ms(random.u64(50..2000));
                request.memory_bytes = Some(64 << 20);
                table.run(&format!("attacker {attacker}"), request).await;
                runs.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let (mut took, mut complaints) = (Vec::new(), Vec::new());
    let until = Instant::now() + time;
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    while Instant::now() < until {
        every.tick().await;
        let begun = Instant::now();
        let result = table.run("honest", RunRequest::new("1+1")).await;
        took.push(begun.elapsed());
        if result.value != Some(json!(2)) {
            complaints.push(format!("the honest session was answered {:?}", result.error));
        }
    }
    ended.store(true, Ordering::Release);
    while attackers.join_next().await.is_some() {}
    // Those of the last runs are under way; one that is stuck stays.
    let since = Instant::now();
    while table.abandoned_threads() > 0 && since.elapsed() < BACK {
        tokio::time::sleep(EVERY).await;
    }
    if table.abandoned_threads() > 0 {
        complaints.push(format!("{} threads are not back after {BACK:?}", table.abandoned_threads()));
    }
    took.sort_unstable();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    println!(
        "{} runs of {ATTACKERS} attackers; {} of the honest session: p50 {:?}, p99 {:?}, worst {:?}; out of bounds: {}; threads back after {:?}",
        runs.load(Ordering::Relaxed),
        took.len(),
        at(0.5),
        at(0.99),
        at(1.0),
        complaints.len(),
        since.elapsed()
    );
    complaints.truncate(5);
    complaints
}
