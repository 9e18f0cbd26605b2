//! When sessions end. The clock stands still unless a test moves it.

use std::sync::Arc;
use std::time::Duration;

use perennial_sessions::protocol::ErrorKind;
use perennial_sessions::{EngineConfig, RunContext, RunOptions, RunRequest, SessionTable, TableConfig};
use perennial_testkit::{ManualClock, eventually};
use serde_json::json;

const MINUTE: Duration = Duration::from_secs(60);

fn table(configure: impl FnOnce(&mut TableConfig)) -> (SessionTable, ManualClock) {
    let clock = ManualClock::new();
    let mut config = TableConfig::default().configure(|config| {
        config.idle_ttl = 10 * MINUTE;
        config.clock = Arc::new(clock.clone());
    });
    configure(&mut config);
    (SessionTable::with_config(config), clock)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_reaped_by_its_deadline_and_not_by_the_next_call() {
    let (table, clock) = table(|_| ());
    table.run("s", RunRequest::new("return 1")).await;
    assert_eq!(table.live_vm_count(), 1);
    clock.advance(10 * MINUTE);
    // Nobody asks for the session: only its VM is looked at.
    eventually("the VM is gone", || table.live_vm_count() == 0).await;
    assert!(table.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_gone_on_read_swept_or_not() {
    let (table, clock) = table(|_| ());
    for i in 0..100 {
        drop(table.acquire(&format!("s{i}")));
    }
    clock.advance(10 * MINUTE);
    assert_eq!(table.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_idle_from_the_end_of_its_last_run_only() {
    let (table, clock) = table(|_| ());
    table.run("s", RunRequest::new("globalThis.n = 1")).await;
    clock.advance(9 * MINUTE);
    // Held, but not used: that is no use.
    drop(table.acquire("s"));
    clock.advance(MINUTE);
    assert_eq!(table.len(), 0);

    table.run("s", RunRequest::new("globalThis.n = 1")).await;
    clock.advance(9 * MINUTE);
    table.run("s", RunRequest::new("n++")).await;
    clock.advance(9 * MINUTE);
    assert_eq!(table.run("s", RunRequest::new("return n")).await.value, Some(json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_not_reaped_while_a_run_is_in_flight_or_a_slot_is_held() {
    let (table, clock) = table(|_| ());
    let slot = table.acquire("held");
    let run = tokio::spawn({
        let table = table.clone();
        async move { table.run("running", RunRequest::new("for (;;) {}").with_timeout_ms(300)).await }
    });
    eventually("the script runs", || table.sessions().iter().any(|s| s.name == "running" && s.running)).await;
    clock.advance(20 * MINUTE);
    assert_eq!(table.len(), 2);
    run.await.unwrap();
    // The run's end counts, not its beginning.
    assert_eq!(table.len(), 2);
    drop(slot);
    assert_eq!(table.len(), 1, "the one that was held and never used has expired");
    clock.advance(10 * MINUTE);
    assert_eq!(table.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_run_is_use_too() {
    let (table, clock) = table(|_| ());
    table.run("s", RunRequest::new("return 1")).await;
    clock.advance(9 * MINUTE);
    let run = tokio::spawn({
        let table = table.clone();
        async move { table.run("s", RunRequest::new("for (;;) {}")).await }
    });
    eventually("the script runs", || table.sessions().iter().any(|s| s.running)).await;
    run.abort();
    eventually("the VM is gone", || table.sessions().iter().all(|s| !s.running)).await;
    clock.advance(9 * MINUTE);
    assert_eq!(table.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_neither_refresh_the_idle_clock_nor_keep_a_session() {
    let (table, clock) = table(|_| ());
    table.run("s", RunRequest::new("setInterval(() => {}, 1)")).await;
    clock.advance(10 * MINUTE);
    assert_eq!(table.len(), 0);
    eventually("the VM is gone", || table.live_vm_count() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_lifetime_is_checked_when_runs_begin_and_end() {
    let (table, clock) = table(|config| config.hard_lifetime = Some(15 * MINUTE));
    let slot = table.acquire("s");
    let mut session = slot.lock().await.unwrap();
    let (config, options) = (EngineConfig::default(), RunOptions::default());
    for _ in 0..2 {
        assert!(session.run(&config, "return 1", &json!([]), &options, RunContext::new(), None).await.is_ok());
        clock.advance(8 * MINUTE);
    }
    let result = session.run(&config, "return 1", &json!([]), &options, RunContext::new(), None).await;
    let error = result.error.unwrap();
    assert_eq!(error.kind, ErrorKind::SessionEnded);
    assert!(error.message.contains("lifetime"), "{}", error.message);
    drop((session, slot));
    let result = table.run("s", RunRequest::new("return 1")).await;
    assert_eq!(result.replaces.map(|reason| reason.as_str()), Some("lifetime"));
}

#[tokio::test]
async fn the_reaper_ends_with_the_table() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let table = SessionTable::new(10, Duration::from_secs(1_000_000));
    drop(table.acquire("s"));
    tokio::task::yield_now().await;
    assert_eq!(tasks(), before + 1);
    drop(table);
    let ended = tokio::time::timeout(Duration::from_millis(100), async {
        while tasks() > before {
            tokio::task::yield_now().await;
        }
    });
    assert!(ended.await.is_ok());
}
