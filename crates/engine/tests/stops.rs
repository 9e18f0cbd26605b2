//! Stopping, from every side. These tests count the process's VMs, so they have it to themselves, one after the other.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

#[path = "engine/harness.rs"]
mod harness;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use perennial_engine::{Executor, ExecutorConfig, StopReason};
use perennial_protocol::ErrorKind;
use serde_json::json;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use harness::Harness;

static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A script that no interrupt, allocation or call ends: only the signal does.
const NEVER_POLLS: &str = "Array.prototype.sort.call({ length: 2 ** 53 - 1 })";

/// Says when a held was dropped.
struct Noted(Arc<AtomicBool>);

impl perennial_engine::Held for Noted {}

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let reached = tokio::time::timeout(Duration::from_secs(10), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(reached.await.is_ok(), "{what} did not happen");
}

#[tokio::test]
async fn dropping_the_future_stops_the_script_and_gives_the_lease_back_when_the_vm_is_gone() {
    let _alone = ALONE.lock().await;
    for script in ["for (;;) {}", NEVER_POLLS, "await new Promise(() => {})"] {
        let mut vm = Harness::new();
        let released = Arc::new(AtomicBool::new(false));
        let before = perennial_engine::live_runtimes();
        let (source, script) = (vm.source(), vm.script(script));
        let (executor, held) = (vm.executor.clone(), Box::new(Noted(released.clone())));
        let run = tokio::spawn(async move {
            perennial_engine::run(&executor, &Handle::current(), source, script, held).await;
        });
        until("the VM is built", || perennial_engine::live_runtimes() > before).await;
        run.abort();
        until("the held is back", || released.load(Ordering::SeqCst)).await;
        until("the VM is gone", || perennial_engine::live_runtimes() == before).await;
        assert_eq!(vm.executor.abandoned_threads(), 0);
    }
}

#[tokio::test]
async fn a_token_stops_a_script_that_computes_and_one_that_waits() {
    let _alone = ALONE.lock().await;
    for script in ["for (;;) {}", "await new Promise(() => {})", NEVER_POLLS] {
        let mut vm = Harness::new();
        let token = CancellationToken::new();
        let (source, mut script) = (vm.source(), vm.script(script));
        script.cancel = Some(token.clone());
        let before = perennial_engine::live_runtimes();
        let cancel = async {
            until("the VM is built", || perennial_engine::live_runtimes() > before).await;
            token.cancel();
        };
        let runtime = Handle::current();
        let run = perennial_engine::run(&vm.executor, &runtime, source, script, Box::new(()));
        let (end, ()) = tokio::join!(run, cancel);
        assert_eq!(end.outcome.unwrap_err().kind, ErrorKind::Cancelled);
        // One that was stopped while it was being built is gone.
        assert!(end.vm.is_none_or(|vm| vm.poisoned_by() == Some(StopReason::Cancelled)));
    }
}

#[tokio::test]
async fn a_stop_handle_wins_over_whatever_the_script_returns() {
    let _alone = ALONE.lock().await;
    let mut vm = Harness::new();
    vm.run("globalThis.n = 1").await.unwrap();
    let source = vm.source();
    source.stop_handle().cancel();
    let script = vm.script("return n");
    let end = perennial_engine::run(&vm.executor, &Handle::current(), source, script, Box::new(())).await;
    assert_eq!(end.outcome.unwrap_err().kind, ErrorKind::Cancelled);
    assert!(!end.started);
}

#[tokio::test]
async fn cpu_time_is_the_script_s_own_and_sleeping_costs_none() {
    let _alone = ALONE.lock().await;
    let mut vm = Harness::new();
    vm.options.cpu = Some(Duration::from_millis(200));
    let end = vm.end("await new Promise((resolve) => setTimeout(resolve, 300)); return 1").await;
    assert_eq!(end.outcome.unwrap(), Some(json!(1)));
    assert!(end.usage.cpu_ms < 200.0 && end.usage.wall_ms >= 300.0, "{:?}", end.usage);
    let error = vm.error("for (;;) {}").await;
    assert_eq!((error.kind, error.limit), (ErrorKind::CpuLimit, Some(200)));
}

#[tokio::test]
async fn memory_that_an_earlier_run_s_callback_takes_is_told_as_the_callback_s() {
    let _alone = ALONE.lock().await;
    let mut vm = Harness::new();
    let grows = "const all = []; for (;;) all.push(new ArrayBuffer(1 << 20))";
    vm.run(&format!("setTimeout(() => {{ {grows} }}, 0)")).await.unwrap();
    let error = vm.error("await new Promise((done) => setTimeout(done, 10_000))").await;
    assert_eq!(error.kind, ErrorKind::MemoryLimit, "{error:?}");
    assert!(error.message.starts_with("a callback that an earlier run left behind needed more"), "{error:?}");
    let error = vm.error(grows).await;
    assert!(error.message.starts_with("the script needed more"), "{error:?}");
}

#[tokio::test]
async fn the_deadline_covers_the_compiler() {
    let _alone = ALONE.lock().await;
    let mut vm = Harness::new();
    vm.options.wall = Duration::from_millis(100);
    let source: String = (0..60_000).map(|i| format!("let a{i};")).collect();
    let started = Instant::now();
    assert_eq!(vm.kind(&source).await, ErrorKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[tokio::test]
async fn waiting_for_a_thread_is_not_the_script_s_time_but_too_long_a_wait_is_busy_and_costs_nothing() {
    let _alone = ALONE.lock().await;
    let config = ExecutorConfig::default().configure(|config| {
        config.max_threads = 1;
        config.max_wait = Duration::from_millis(200);
    });
    let mut patient = Harness::new();
    patient.executor = Arc::new(Executor::new(config));
    let mut spinner = Harness::new();
    spinner.executor = patient.executor.clone();
    patient.run("globalThis.kept = 1").await.unwrap();

    // A run that waits 100 ms for the only thread and may take 50 ms itself.
    spinner.options.wall = Duration::from_millis(100);
    patient.options.wall = Duration::from_millis(50);
    let (stopped, end) = tokio::join!(spinner.error("for (;;) {}"), patient.end("return kept"));
    assert_eq!(stopped.kind, ErrorKind::Timeout);
    assert_eq!(end.outcome.unwrap(), Some(json!(1)));
    assert!(end.usage.queue_ms > 50.0, "{:?}", end.usage);

    // One that would wait longer than it may.
    spinner.options.wall = Duration::from_millis(600);
    let (stopped, busy) = tokio::join!(spinner.error("for (;;) {}"), patient.error("return kept"));
    assert_eq!((stopped.kind, busy.kind), (ErrorKind::Timeout, ErrorKind::Busy));
    assert_eq!(patient.value("return kept").await, json!(1), "the VM is as it was");
}

#[tokio::test]
async fn a_full_queue_is_busy() {
    let _alone = ALONE.lock().await;
    let config = ExecutorConfig::default().configure(|config| {
        config.max_threads = 1;
        config.queue = 1;
    });
    let executor = Arc::new(Executor::new(config));
    let mut all: Vec<Harness> = (0..4).map(|_| Harness::new()).collect();
    for vm in &mut all {
        vm.executor = executor.clone();
        vm.options.wall = Duration::from_millis(100);
    }
    let kinds = futures_util::future::join_all(all.iter_mut().map(|vm| vm.kind("for (;;) {}"))).await;
    assert!(kinds.contains(&ErrorKind::Busy) && kinds.contains(&ErrorKind::Timeout), "{kinds:?}");
}

#[tokio::test]
async fn a_vm_that_was_stopped_in_the_middle_of_anything_is_given_back_whole() {
    let _alone = ALONE.lock().await;
    let before = perennial_engine::live_runtimes();
    let mut vm = Harness::new();
    vm.options.wall = Duration::from_millis(20);
    vm.options.memory_bytes = 16 << 20;
    for script in [
        NEVER_POLLS,
        "const a = []; for (;;) a.push({ a: [1, 'x' + a.length] })",
        "for (;;) JSON.parse('[1, {\"a\": [1, 2, 3]}]')",
        "class A { constructor() { this.x = new Map([[1, this]]); } } for (;;) new A()",
        "const f = async () => { for (;;) await f2(); }; const f2 = async () => 1; await f()",
        "for (;;) { try { eval('let x = ' + '['.repeat(500) + ']'.repeat(500)) } catch {} }",
        "for (;;) 'abc'.replace(/(b)/g, (m) => m.toUpperCase())",
        "return new Proxy({}, { ownKeys() { for (;;) {} } })",
    ] {
        for _ in 0..5 {
            assert!(vm.kind(script).await.is_stop(), "{script}");
        }
    }
    until("all VMs are gone", || perennial_engine::live_runtimes() == before).await;
}
