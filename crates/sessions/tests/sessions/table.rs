//! What the table promises about VMs and runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use perennial_engine::{ModuleGraph, ModuleLoader};
use perennial_sessions::protocol::{ErrorKind, RebuildReason, VmOrigin};
use perennial_sessions::{
    Area, Bound, EngineConfig, OpContext, OpError, OpTable, OpValue, PluginOptions, PluginSet, RunContext, RunOptions,
    RunRequest, ScriptResult, SessionTable, TableConfig,
};
use perennial_testkit::{ManualClock, eventually};
use serde_json::json;
use tokio_util::sync::CancellationToken;

fn table(max_vms: usize) -> SessionTable {
    SessionTable::new(max_vms, Duration::from_secs(600))
}

fn kind(result: &ScriptResult) -> Option<ErrorKind> {
    result.error.as_ref().map(|error| error.kind)
}

/// Starts an endless script and waits until it runs.
async fn spin(table: &SessionTable, name: &'static str) -> tokio::task::JoinHandle<ScriptResult> {
    begin(table, name, "for (;;) {}").await
}

/// Starts a script and waits until it runs.
async fn begin(table: &SessionTable, name: &'static str, script: &str) -> tokio::task::JoinHandle<ScriptResult> {
    let (sender, mut up) = tokio::sync::mpsc::unbounded_channel();
    let context = RunContext::new().on_console(Arc::new(move |_| {
        let _ = sender.send(());
    }));
    let request = RunRequest::new(format!("console.log('up'); {script}"));
    let table = table.clone();
    let run = tokio::spawn(async move { table.run_with(name, request, context).await });
    up.recv().await.unwrap();
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn the_long_way_is_the_same_as_the_short_one() {
    let table = table(10);
    let config = EngineConfig::default();
    let slot = table.acquire("s");
    let mut session = slot.lock().await.unwrap();
    session.vars().set("from", json!("rust")).unwrap();
    let options = RunOptions::default();
    let result = session
        .run(
            &config,
            "globalThis.n = args[0]; return vars.get('from')",
            &json!([41]),
            &options,
            RunContext::new(),
            None,
        )
        .await;
    assert_eq!((result.value, result.vm), (Some(json!("rust")), Some(VmOrigin::Built)));
    let result = session.run(&config, "return n + 1", &json!([]), &options, RunContext::new(), None).await;
    assert_eq!((result.value, result.vm, result.seq), (Some(json!(42)), Some(VmOrigin::Warm), Some(2)));
    assert_eq!((table.len(), table.live_vm_count(), table.is_empty()), (1, 1, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_configuration_rebuilds_the_vm() {
    let table = table(10);
    let roll = || OpTable::new().sync("roll", Bound::DATA.with_values_from(0), |_, _| Ok(json!(4).into()));
    let area = || vec![Area::new("dice", &["roll"], "((ops) => ({ roll: () => ops.roll() }))")];
    let (first, second) = (EngineConfig::default(), EngineConfig::new(roll(), area()));
    let mut session = table.acquire("s").lock().await.unwrap();
    let options = RunOptions::default();
    session.run(&first, "globalThis.n = 1", &json!([]), &options, RunContext::new(), None).await;
    let result = session.run(&second, "return [typeof n, roll()]", &json!([]), &options, RunContext::new(), None).await;
    assert_eq!((result.value, result.rebuilt_because), (Some(json!(["undefined", 4])), Some(RebuildReason::Config)));
    let result = session.run(&second.clone(), "return roll()", &json!([]), &options, RunContext::new(), None).await;
    assert_eq!(result.vm, Some(VmOrigin::Warm));
}

struct NoModules;

impl ModuleLoader for NoModules {
    fn load(&self, _: &OpContext, _: Option<&str>, _: &str, _: Option<&str>) -> Result<Arc<ModuleGraph>, OpError> {
        Err(OpError::type_error("there are none"))
    }
}

/// Two areas of one name, each with something of its own.
fn dice(global: &str, internal: &str) -> EngineConfig {
    let op = format!("{global}_op");
    let ops = OpTable::new().sync(&op, Bound::SMALL, |_, _| Ok(json!(4).into()));
    let source = format!("((ops) => ({{ {global}: () => ops.{op}(), {internal}: 1 }}))");
    EngineConfig::new(ops, vec![Area::new("fetch", &[global], source).with_internals(&[internal])])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_brings_is_there_besides_what_the_table_has() {
    let table = table(10);
    let options = RunOptions::default();
    let mut session = table.acquire("s").lock().await.unwrap();
    let mut run = async |config: &EngineConfig, script: &str| {
        session.run(config, script, &json!([]), &options, RunContext::new(), None).await
    };
    let config = dice("roll", "rollFor");
    // Its area has the name of another, of which nothing is lost by it.
    let all = "vars.set('n', roll()); [vars.get('n'), typeof fetch, typeof tools.search, typeof rollFor]";
    let expected = json!([4, "function", "function", "undefined"]);
    assert_eq!(run(&config, all).await.value, Some(expected.clone()));
    let again = run(&config, all).await;
    assert_eq!((again.value, again.vm), (Some(expected), Some(VmOrigin::Warm)));
    // What the table has and nothing are the same.
    let own = run(&table.engine_config(), "typeof roll").await;
    assert_eq!((own.value, own.rebuilt_because), (Some(json!("undefined")), Some(RebuildReason::Config)));
    assert_eq!(run(&EngineConfig::default(), "1").await.vm, Some(VmOrigin::Warm));
    // Whatever the number of configurations, each is the same the next time.
    let many: Vec<EngineConfig> = (0..100).map(|n| dice(&format!("roll{n}"), &format!("roll{n}For"))).collect();
    for _ in 0..2 {
        for (n, config) in many.iter().enumerate() {
            assert_eq!(run(config, &format!("roll{n}()")).await.value, Some(json!(4)));
            assert_eq!(run(config, &format!("roll{n}()")).await.vm, Some(VmOrigin::Warm));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_brings_what_its_table_has_is_refused_and_costs_nothing() {
    let table = table(10);
    let options = RunOptions::default();
    let mut session = table.acquire("s").lock().await.unwrap();
    let mut run = async |config: &EngineConfig, script: &str| {
        session.run(config, script, &json!([]), &options, RunContext::new(), None).await
    };
    run(&EngineConfig::default(), "globalThis.n = 1").await;
    let other = SessionTable::new(1, Duration::from_secs(60));
    for (config, part) in [
        (dice("vars", "varsOfCall"), "\"vars\""),
        (dice("roll", "fetchFor"), "\"fetchFor\""),
        (dice("console", "mine"), "\"console\""),
        (other.engine_config(), "no other table's"),
        // Nor is the table's own with another loader what the table has.
        (table.engine_config().with_modules(Arc::new(NoModules)), "no loader of modules"),
    ] {
        let refused = run(&config, "n = 2").await;
        let error = refused.error.unwrap();
        assert!(error.kind == ErrorKind::InvalidRequest && error.message.contains(part), "{error:?}");
    }
    assert_eq!(run(&EngineConfig::default(), "n").await.value, Some(json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_s_configuration_of_before_a_reload_means_the_one_of_now() {
    let table = table(10);
    let before = table.engine_config();
    let options = RunOptions::default();
    let plugins = PluginSet::load(&[], &PluginOptions::default()).await;
    table.set_plugins(&plugins).unwrap();
    assert!(before != table.engine_config());
    let mut session = table.acquire("s").lock().await.unwrap();
    let result = session.run(&before, "globalThis.n = 1", &json!([]), &options, RunContext::new(), None).await;
    assert!(result.is_ok());
    // To be given the same again is nothing new.
    table.set_plugins(&plugins).unwrap();
    let now = table.engine_config();
    let result = session.run(&now, "n", &json!([]), &options, RunContext::new(), None).await;
    assert_eq!((result.value, result.vm), (Some(json!(1)), Some(VmOrigin::Warm)));
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_one_session_take_turns_in_order() {
    let table = table(10);
    table.run("s", RunRequest::new("globalThis.order = []")).await;
    let mut session = table.acquire("s").lock().await.unwrap();
    let mut waiting = Vec::new();
    for i in 0..20 {
        let run = table.clone();
        let mut run = Box::pin(async move { run.run("s", RunRequest::new(format!("order.push({i})"))).await });
        // Polled once, it stands in line.
        assert!(futures_poll(&mut run).await.is_none());
        waiting.push(tokio::spawn(run));
    }
    session.vars().set("unrelated", json!(1)).unwrap();
    drop(session);
    for run in waiting {
        assert!(run.await.unwrap().is_ok());
    }
    let order = table.run("s", RunRequest::new("return order")).await.value.unwrap();
    assert_eq!(order, json!((0..20).collect::<Vec<_>>()));
    session = table.acquire("s").lock().await.unwrap();
    assert_eq!(session.name(), "s");
}

/// Polls a future once.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_first_runs_at_once_on_a_cap_of_four_leave_four_and_none_above_it_that_is_not_in_flight() {
    let table = table(4);
    let in_flight = Arc::new(AtomicUsize::new(0));
    let runs: Vec<_> = (0..100)
        .map(|i| {
            let (table, in_flight) = (table.clone(), in_flight.clone());
            tokio::spawn(async move {
                in_flight.fetch_add(1, Ordering::SeqCst);
                let result = table
                    .run(
                        &format!("s{i}"),
                        RunRequest::new("let x = 0; for (let i = 0; i < 3000; i++) x += i; return x"),
                    )
                    .await;
                in_flight.fetch_sub(1, Ordering::SeqCst);
                result
            })
        })
        .collect();
    let watch = tokio::spawn({
        let (table, in_flight) = (table.clone(), in_flight.clone());
        async move {
            while in_flight.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
            while in_flight.load(Ordering::SeqCst) > 0 {
                // Read in this order: what is in flight can only fall behind.
                let most = in_flight.load(Ordering::SeqCst).max(4);
                let live = table.live_vm_count();
                let now = in_flight.load(Ordering::SeqCst);
                assert!(live <= most.max(now) || now == 0, "{live} VMs with {now} runs in flight");
                tokio::task::yield_now().await;
            }
        }
    });
    for run in runs {
        assert!(run.await.unwrap().is_ok());
    }
    watch.await.unwrap();
    eventually("the cap holds", || table.live_vm_count() == 4).await;
    assert_eq!(table.len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vm_in_flight_is_never_evicted_and_the_first_release_brings_the_cap_back() {
    let table = table(1);
    let first = spin(&table, "first").await;
    let result = table.run("second", RunRequest::new("globalThis.n = 1; return 1")).await;
    assert!(result.is_ok());
    assert_eq!(table.live_vm_count(), 1, "the second made way: the first is in flight");
    let result = table.run("second", RunRequest::new("return typeof n")).await;
    assert_eq!((result.value, result.rebuilt_because), (Some(json!("undefined")), Some(RebuildReason::Evicted)));
    assert_eq!(result.lost_globals, ["n"]);
    table.remove("first");
    assert_eq!(kind(&first.await.unwrap()), Some(ErrorKind::Cancelled));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_budget_evicts_the_least_recently_used() {
    let config = TableConfig::default().configure(|config| config.memory_budget = Some(8 << 20));
    let table = SessionTable::with_config(config);
    for name in ["a", "b", "c"] {
        table.run(name, RunRequest::new("globalThis.big = new Uint8Array(3 << 20)")).await;
    }
    eventually("one went", || table.live_vm_count() == 2).await;
    assert_eq!(table.run("c", RunRequest::new("return big.length")).await.vm, Some(VmOrigin::Warm));
    let result = table.run("a", RunRequest::new("return typeof big")).await;
    assert_eq!((result.rebuilt_because, result.lost_globals), (Some(RebuildReason::Evicted), vec!["big".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_a_session_cancels_its_run_and_a_successor_waits_until_the_vm_is_gone() {
    // The second one cannot even be interrupted by a poll.
    for script in ["for (;;) {}", "Array.prototype.sort.call({ length: 2 ** 53 - 1 })"] {
        let table = table(10);
        let run = begin(&table, "s", script).await;
        assert!(table.remove("s"));
        let next = table.run("s", RunRequest::new("return vars.keys()")).await;
        assert_eq!(table.live_vm_count(), 1, "the other had gone before this one was built");
        assert_eq!((next.value, next.vm), (Some(json!([])), Some(VmOrigin::Built)));
        assert_eq!(next.replaces.map(|reason| reason.as_str()), Some("removed"));
        let ended = run.await.unwrap();
        assert_eq!(kind(&ended), Some(ErrorKind::Cancelled));
        assert!(ended.error.unwrap().message.contains("session ended"));
        assert_eq!(table.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_kept_beyond_the_end_answers_session_ended() {
    let table = table(10);
    let slot = table.acquire("s");
    let mut session = slot.lock().await.unwrap();
    table.remove("s");
    let config = EngineConfig::default();
    let options = RunOptions::default();
    let result = session.run(&config, "return 1", &json!([]), &options, RunContext::new(), None).await;
    assert_eq!(kind(&result), Some(ErrorKind::SessionEnded));
    drop(session);
    assert_eq!(table.len(), 0, "it is not brought back");
    assert!(table.run("s", RunRequest::new("return 1")).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_session_that_ends_is_told_so() {
    let table = table(10);
    let first = spin(&table, "s").await;
    let mut second = Box::pin(table.run("s", RunRequest::new("return 1")));
    assert!(futures_poll(&mut second).await.is_none());
    table.clear();
    assert_eq!(kind(&first.await.unwrap()), Some(ErrorKind::Cancelled));
    assert_eq!(kind(&second.await), Some(ErrorKind::SessionEnded));
    assert!(table.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_future_costs_the_vm_and_the_next_run_says_so() {
    let table = table(10);
    table.run("s", RunRequest::new("globalThis.cart = 1")).await;
    let run = spin(&table, "s").await;
    run.abort();
    let result = table.run("s", RunRequest::new("return typeof cart")).await;
    assert_eq!(result.value, Some(json!("undefined")));
    assert_eq!(
        (result.rebuilt_because, result.lost_globals),
        (Some(RebuildReason::Cancelled), vec!["cart".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_cancels_a_run_that_waits_for_its_turn_and_costs_nothing() {
    let table = table(10);
    table.run("s", RunRequest::new("globalThis.n = 1")).await;
    let session = table.acquire("s").lock().await.unwrap();
    let token = CancellationToken::new();
    let mut waiting =
        Box::pin(table.run_with("s", RunRequest::new("n = 2"), RunContext::new().cancel_with(token.clone())));
    assert!(futures_poll(&mut waiting).await.is_none());
    token.cancel();
    let result = waiting.await;
    assert_eq!((kind(&result), result.vm), (Some(ErrorKind::Cancelled), None));
    drop(session);
    let result = table.run("s", RunRequest::new("return n")).await;
    assert_eq!((result.value, result.vm), (Some(json!(1)), Some(VmOrigin::Warm)));
}

#[tokio::test(flavor = "multi_thread")]
async fn console_lines_arrive_while_the_script_runs() {
    let table = table(10);
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let context = RunContext::new().on_console(Arc::new(move |entry| {
        let _ = sender.send(entry.message.clone());
    }));
    let script =
        "console.log('first'); await new Promise((r) => setTimeout(r, 50)); console.log('second'); for (;;) {}";
    let run = tokio::spawn({
        let table = table.clone();
        async move { table.run_with("s", RunRequest::new(script), context).await }
    });
    assert_eq!(lines.recv().await.as_deref(), Some("first"));
    assert_eq!(lines.recv().await.as_deref(), Some("second"));
    table.remove("s");
    assert_eq!(run.await.unwrap().console.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_spins_does_not_keep_the_next_run_from_starting() {
    let table = table(10);
    for _ in 0..3 {
        table.run("s", RunRequest::new("setTimeout(() => { for (;;); }, 0); return 1")).await;
        let begun = || table.sessions().iter().any(|session| session.running || !session.background);
        eventually("the callback has begun", begun).await;
        let started = Instant::now();
        let result = table.run("s", RunRequest::new("return 2")).await;
        assert_eq!(result.value, Some(json!(2)));
        // 150 ms are promised; the rest is for a machine that does other things, too.
        assert!(started.elapsed() < Duration::from_millis(400), "{:?}", started.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_background_budget_nothing_runs_between_the_runs() {
    let config = TableConfig::default().configure(|config| config.background_budget = Duration::ZERO);
    let table = SessionTable::with_config(config);
    table.run("s", RunRequest::new("globalThis.n = 0; setInterval(() => { n++ }, 1)")).await;
    assert!(!table.sessions()[0].background);
    assert_eq!(table.run("s", RunRequest::new("return n")).await.value, Some(json!(0)));
    // In a run that waits they do.
    let waits = "await new Promise((r) => setTimeout(r, 20)); return n > 0";
    assert_eq!(table.run("s", RunRequest::new(waits)).await.value, Some(json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_stop_when_their_budget_is_spent_and_go_on_with_the_next_minute() {
    let clock = ManualClock::new();
    let budget = Duration::from_millis(60);
    let config = TableConfig::default().configure(|config| {
        config.background_budget = budget;
        config.clock = Arc::new(clock.clone());
    });
    let table = SessionTable::with_config(config);
    let busy = "globalThis.n = 0; setInterval(() => { const end = Date.now() + 10; while (Date.now() < end); n++ }, 1)";
    table.run("s", RunRequest::new(busy)).await;
    eventually("the budget is spent", || !table.sessions()[0].background).await;
    let result = table.run("s", RunRequest::new("return n")).await;
    let rounds = result.value.unwrap().as_u64().unwrap();
    // The budget is one of CPU time, of which a round takes ten milliseconds or, on a busy machine, less. The last one may go beyond it.
    assert!(rounds >= 3, "{rounds} rounds of at most 10 ms in 60 ms");
    let spent = result.usage.background_cpu_ms;
    assert!((50.0..120.0).contains(&spent), "{spent} ms");

    eventually("there is nothing left to spend", || !table.sessions()[0].background).await;
    assert_eq!(table.run("s", RunRequest::new("return n")).await.value, Some(json!(rounds)));
    clock.advance(Duration::from_secs(60));
    table.run("s", RunRequest::new("")).await;
    eventually("the next budget is spent", || !table.sessions()[0].background).await;
    let later = table.run("s", RunRequest::new("return n")).await.value.unwrap().as_u64().unwrap();
    assert!(later > rounds, "{later} rounds after {rounds}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_an_op_costs_nobody_anything_else() {
    let table = table(10);
    let ops = OpTable::new()
        .sync("boom", Bound::DATA.with_values_from(0), |_, _| -> Result<OpValue, _> { panic!("a defect") });
    let config = EngineConfig::new(ops, vec![Area::new("boom", &["boom"], "((ops) => ({ boom: () => ops.boom() }))")]);
    let mut session = table.acquire("s").lock().await.unwrap();
    let options = RunOptions::default();
    let result = session.run(&config, "boom()", &json!([]), &options, RunContext::new(), None).await;
    assert_eq!(kind(&result), Some(ErrorKind::Runtime));
    let result = session.run(&config, "return 1", &json!([]), &options, RunContext::new(), None).await;
    assert_eq!((result.value, result.vm), (Some(json!(1)), Some(VmOrigin::Warm)));
    assert_eq!(table.run("other", RunRequest::new("return 2")).await.value, Some(json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_globals_are_counted_and_a_hundred_named() {
    let table = table(10);
    table.run("s", RunRequest::new("for (let i = 0; i < 250; i++) globalThis['g' + i] = i")).await;
    table.reset("s").await;
    let result = table.run("s", RunRequest::new("")).await;
    assert_eq!((result.lost_globals.len(), result.lost_globals_count), (100, Some(250)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_too_large_is_refused() {
    let table = table(10);
    let result = table.run("s", RunRequest::new("x".repeat((4 << 20) + 1))).await;
    let error = result.error.unwrap();
    assert_eq!((error.kind, error.limit, error.used), (ErrorKind::InvalidRequest, Some(4 << 20), Some((4 << 20) + 1)));
    // The largest that is allowed is compiled, or fails as itself.
    let script = format!("return '{}'.length", "x".repeat((4 << 20) - 20));
    assert_eq!(table.run("s", RunRequest::new(script)).await.value, Some(json!((4 << 20) - 20)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_matches_the_published_schema_and_comes_back_the_same() {
    let table = table(10);
    let requests = [
        RunRequest::new("console.log(1); return null"),
        RunRequest::new("return undefined"),
        RunRequest::new("throw new Error('x', { cause: 'y' })"),
        RunRequest::new("for (;;) {}").with_timeout_ms(20),
        RunRequest::new("return 1"),
        RunRequest::new("").with_timeout_ms(0),
    ];
    for request in requests {
        let result = table.run("s", request).await;
        let json = serde_json::to_value(&result).unwrap();
        assert_eq!(serde_json::from_value::<ScriptResult>(json).unwrap(), result);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/script-result.schema.json");
    let schema = serde_json::to_string_pretty(&perennial_sessions::protocol::result_schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        schema,
        "run with UPDATE_SCHEMA=1 after a change of the protocol"
    );
}

/// A built-in that no interrupt, allocation or call ends.
const NEVER_POLLS: &str = "[].sort.call({ length: 2 ** 53 - 1 })";

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_never_polls_is_stopped_as_soon_as_one_that_does() {
    let table = table(10);
    let scripts = [
        format!("Promise.resolve().then(() => {{ {NEVER_POLLS} }}); return 1"),
        format!("setTimeout(() => {{ {NEVER_POLLS} }}, 5); return 1"),
    ];
    for script in scripts {
        let started = Instant::now();
        assert!(table.run("s", RunRequest::new(&*script)).await.is_ok());
        let waits = table.run("s", RunRequest::new("await new Promise((r) => setTimeout(r, 500)); return 2")).await;
        assert!(started.elapsed() < Duration::from_secs(5), "{script}: {:?} {waits:?}", started.elapsed());
        table.remove("s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_trace_hook_that_never_polls_is_stopped_too() {
    let table = table(10);
    let hook = format!("Error.prepareStackTrace = () => {{ {NEVER_POLLS} }};");
    for rest in
        ["const b = new ArrayBuffer(8); b.transfer(); return b", "vars.get(1)", "throw new Error('x')", "null.x"]
    {
        for _ in 0..5 {
            let result = table.run("s", RunRequest::new(format!("{hook} {rest}")).with_timeout_ms(30)).await;
            assert!(result.error.is_some(), "{rest}: {result:?}");
        }
    }
    eventually("no thread is lost", || table.abandoned_threads() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_finds_a_script_between_two_objects_code_harms_nobody() {
    // Nearly all the time is spent in the C library and on the way to it.
    let table = table(10);
    let script = "const a = Array(1e5).fill('xa'); for (;;) a.includes('xb')";
    for _ in 0..40 {
        let result = table.run("s", RunRequest::new(script).with_timeout_ms(10)).await;
        assert_eq!(kind(&result), Some(ErrorKind::Timeout));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn host_code_between_two_scripts_code_is_never_interrupted() {
    // A stop that comes while an op drops a large value; the detached buffer makes QuickJS call the script from a C function.
    let table = table(10);
    let script = "
        Error.prepareStackTrace = () => { console.log('trace'); return '' };
        const detached = new ArrayBuffer(8); detached.transfer();
        for (;;) { try { vars.set('k', Array(2e4).fill(0)); vars.set('k', detached) } catch {} }";
    for timeout in 20..40 {
        let result = table.run("s", RunRequest::new(script).with_timeout_ms(timeout)).await;
        assert_eq!(kind(&result), Some(ErrorKind::Timeout));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_a_name_free_knows_of_the_session_before() {
    let table = table(10);
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let remover = std::thread::spawn({
        let (table, stop) = (table.clone(), stop.clone());
        move || {
            let mut removed = 0;
            while !stop.load(Ordering::Relaxed) {
                removed += usize::from(table.remove("s"));
            }
            removed
        }
    });
    let mut fresh = 0;
    let mut told = 0;
    for _ in 0..3000 {
        let result = table.run("s", RunRequest::new("return 1")).await;
        if result.vm == Some(VmOrigin::Built) {
            fresh += 1;
            told += usize::from(result.replaces.is_some());
        }
    }
    stop.store(true, Ordering::Relaxed);
    assert!(remover.join().unwrap() > 0);
    // The first has no predecessor. One whose run was cancelled before it began took the word of its own with it.
    assert!(told + 1 >= fresh, "{told} of {fresh}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_cancelled_already_costs_nothing() {
    let table = table(10);
    table.run("s", RunRequest::new("globalThis.x = 1")).await;
    let token = CancellationToken::new();
    token.cancel();
    let result = table.run_with("s", RunRequest::new("x = 2"), RunContext::new().cancel_with(token)).await;
    assert_eq!((kind(&result), result.seq), (Some(ErrorKind::Cancelled), None));
    let result = table.run("s", RunRequest::new("return x")).await;
    assert_eq!((result.value, result.vm), (Some(json!(1)), Some(VmOrigin::Warm)));
}

#[tokio::test(flavor = "multi_thread")]
async fn globals_are_named_even_if_the_vm_is_lost_right_after_the_result() {
    let table = table(10);
    table.run("s", RunRequest::new("globalThis.x = 1")).await;
    let result = table
        .run("s", RunRequest::new("globalThis.y = 2; Promise.resolve().then(() => { for (;;); }); return 1"))
        .await;
    assert_eq!(result.value, Some(json!(1)));
    let result = table.run("s", RunRequest::new("return 1")).await;
    assert_eq!(
        (result.rebuilt_because, result.lost_globals),
        (Some(RebuildReason::Background), vec!["x".into(), "y".into()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_microtask_that_throws_after_the_result_is_told_of() {
    let table = table(10);
    let result = table.run("s", RunRequest::new("queueMicrotask(() => { throw new Error('lost') }); return 1")).await;
    assert!(result.console[0].message.starts_with("Uncaught: Error: lost"), "{:?}", result.console);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dropped_run_wrote_is_not_the_next_run_s() {
    let table = table(10);
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let context = RunContext::new().on_console(Arc::new(move |_| {
        let _ = sender.send(());
    }));
    let run = tokio::spawn({
        let table = table.clone();
        async move { table.run_with("s", RunRequest::new("console.log('mine'); for (;;) {}"), context).await }
    });
    lines.recv().await;
    run.abort();
    let result = table.run("s", RunRequest::new("return 1")).await;
    assert!(result.console.is_empty(), "{:?}", result.console);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_outside_of_the_vm_are_bounded_by_what_they_take() {
    let table = table(10);
    let script = "try { vars.set('k', Array(33).fill(Array(1e6).fill(0))) } catch (e) { return [e.name, e.limit] }";
    assert_eq!(table.run("s", RunRequest::new(script)).await.value, Some(json!(["QuotaExceededError", 64 << 20])));
    let sparse = "const a = []; a.length = 2 ** 32 - 1; try { vars.set('k', a) } catch (e) { return e.name }";
    assert_eq!(table.run("s", RunRequest::new(sparse)).await.value, Some(json!("QuotaExceededError")));
    let escapes = table.run("s", RunRequest::new("return { ['\\u0001'.repeat(3e5)]: 1 }")).await;
    assert_eq!(kind(&escapes), Some(ErrorKind::ResultTooLarge));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heap_limit_below_what_the_session_holds_is_refused_and_loses_nothing() {
    let table = table(10);
    table.run("s", RunRequest::new("globalThis.big = new Uint8Array(5 << 20)")).await;
    let mut request = RunRequest::new("return 1");
    request.memory_bytes = Some(3 << 20);
    let result = table.run("s", request).await;
    assert_eq!((result.vm, result.seq), (None, None), "nothing ran");
    let error = result.error.unwrap();
    assert_eq!((error.kind, error.limit), (ErrorKind::InvalidRequest, Some(3 << 20)));
    assert!(error.used.unwrap() > 5 << 20);
    let result = table.run("s", RunRequest::new("return big.length")).await;
    assert_eq!((result.value, result.vm), (Some(json!(5 << 20)), Some(VmOrigin::Warm)));
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_that_come_thick_and_fast_find_every_script_in_a_state_it_can_be_left_in() {
    // Many stops at once; most of the time goes into the C library and the stubs on the way to it.
    let table = table(100);
    let scripts = [
        "for (;;) 'ab'.repeat(5e5)",
        "for (;;) 'x'.padStart(1e5, 'ab')",
        "const o = {}; for (let i = 0; ; i++) o['k' + i % 500] = i",
        "for (let i = 0; ; i++) String(i)",
        "for (;;) JSON.parse('[' + '1,'.repeat(5e4) + '1]')",
        "const a = new Uint8Array(1e6); for (;;) a.slice()",
    ];
    let runs: Vec<_> = (0..600)
        .map(|i| {
            let table = table.clone();
            let request = RunRequest::new(scripts[i % scripts.len()]).with_timeout_ms(3 + i as u64 % 9);
            tokio::spawn(async move { kind(&table.run(&format!("s{}", i % 40), request).await) })
        })
        .collect();
    for run in runs {
        assert_eq!(run.await.unwrap(), Some(ErrorKind::Timeout));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_cross_without_the_last_bit_changing() {
    let table = table(10);
    let number = 2.771_507_794_182_597_5e-163;
    let request = RunRequest::new("return args === 2.7715077941825975e-163").with_args(json!(number));
    assert_eq!(table.run("s", request).await.value, Some(json!(true)));
    let script = "let changed = 0;
        for (let i = 0; i < 5000; i++) { const a = Math.random() * 100; vars.set('f', a); if (vars.get('f') !== a) changed++ }
        return changed";
    assert_eq!(table.run("s", RunRequest::new(script)).await.value, Some(json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_writes_its_own_var_is_told_so() {
    let table = table(10);
    let script = "vars.set('a', 1); vars.update('a', (x) => { vars.set('a', 50); return x + 1 })";
    let error = table.run("s", RunRequest::new(script)).await.error.unwrap();
    assert!(error.message.contains("does fn write it itself?"), "{}", error.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_waits_for_the_timers_and_operations_of_sessions_that_have_ended() {
    let table = table(2);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    table.run("first", RunRequest::new("1")).await;
    let before = tasks();
    for n in 0..20 {
        // Some are removed, most make way for others first.
        let name = format!("s{n}");
        assert!(table.run(&name, RunRequest::new("setTimeout(() => {}, 2 ** 31 - 1); 0")).await.is_ok());
        if n % 3 == 0 {
            assert!(table.remove(&name));
        }
    }
    eventually("only the VMs that are left are waited for", || tasks() <= before + 2).await;
    table.clear();
    eventually("nothing is waited for", || tasks() <= before).await;
}

#[tokio::test]
async fn a_stopped_script_s_own_names_are_lost_too_and_no_name_of_the_library() {
    let table = SessionTable::new(10, Duration::from_secs(60));
    table.run("s", RunRequest::new("const before = 1; new URL('https://a.com'); fs.cwd(); structuredClone(1)")).await;
    let script =
        "let during = 2; function made() {} class Made {} import { join } from 'node:path'; before; for (;;) {}";
    let stopped = table.run("s", RunRequest::new(script).with_timeout_ms(100)).await;
    assert_eq!(stopped.error.unwrap().kind, ErrorKind::Timeout);
    let next = table.run("s", RunRequest::new("1")).await;
    assert_eq!(next.lost_globals, ["before", "Made", "during", "join", "made"]);
    assert_eq!(next.lost_globals_count, None);
    // It is said once.
    table.run("s", RunRequest::new("for (;;) {}").with_timeout_ms(50)).await;
    assert!(table.run("s", RunRequest::new("1")).await.lost_globals.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_declared_that_was_dropped_is_said_to_be_lost() {
    let table = SessionTable::new(4, Duration::from_secs(60));
    table.run("s", RunRequest::new("let before = 1")).await;
    for script in ["let fresh = 1; for (;;) {}", "let fresh = 1; await new Promise(() => {})"] {
        let run = table.run("s", RunRequest::new(script));
        assert!(tokio::time::timeout(Duration::from_millis(60), run).await.is_err());
        let next = table.run("s", RunRequest::new("let before = 2")).await;
        assert_eq!(
            (next.rebuilt_because, next.lost_globals),
            (Some(RebuildReason::Cancelled), vec!["before".to_owned(), "fresh".to_owned()])
        );
    }
    assert_eq!(table.run("s", RunRequest::new("before")).await.lost_globals, Vec::<String>::new());
}

#[tokio::test]
async fn a_table_that_keeps_no_vm_warm_runs_each_script_in_a_new_one_and_an_owner_has_a_session_at_least() {
    let table = table(0);
    table.run("s", RunRequest::new("globalThis.gone = 1; vars.set('kept', 1)")).await;
    let next = table.run("s", RunRequest::new("[typeof gone, vars.get('kept')]")).await;
    assert_eq!((next.value, next.vm), (Some(json!(["undefined", 1])), Some(VmOrigin::Rebuilt)));
    assert_eq!(next.lost_globals, ["gone"]);
    let none = TableConfig::default().configure(|config| config.owner_limits.sessions = 0);
    let refused = SessionTable::try_with_config(none).err().unwrap();
    assert!(refused.to_string().contains("an owner with no sessions could run nothing"), "{refused}");
}
