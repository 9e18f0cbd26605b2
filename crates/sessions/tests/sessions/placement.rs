//! Runs that compute on the runtime of whoever calls.

use std::sync::Arc;
use std::time::Duration;

use perennial_sessions::{
    Area, Bound, CancellationToken, ErrorKind, Library, OpTable, Placement, Provision, Run, RunRequest, SessionKey,
    SessionTable, TableConfig,
};
use perennial_testkit::eventually;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;

/// `thread()` says on which thread a script computes, and `begun()` that it does.
#[derive(Clone, Default)]
struct Thread(Arc<Notify>);

impl Provision for Thread {
    type Session = ();

    fn name(&self) -> &'static str {
        "thread"
    }

    fn declare(&self, library: &mut Library) {
        let name = |_: &_, _| Ok(json!(std::thread::current().name()).into());
        let begun = self.0.clone();
        library.ops(OpTable::new().sync("thread_name", Bound::SMALL, name).sync(
            "thread_begun",
            Bound::SMALL,
            move |_, _| {
                // From a thread of its own: what a worker wakes itself waits until it has let go of a built-in (docs/limitations/engine.md).
                let begun = begun.clone();
                std::thread::spawn(move || begun.notify_one());
                Ok(json!(null).into())
            },
        ));
        let source = "((ops) => ({ thread: () => ops.thread_name(), begun: () => ops.thread_begun() }))";
        library.area(Area::new("thread", &["thread", "begun"], source));
    }

    fn open(&self, _: &SessionKey, _: Option<&perennial_sessions::Snapshot>) {}
}

fn table() -> SessionTable {
    table_with(Thread::default())
}

fn table_with(thread: Thread) -> SessionTable {
    let set = |config: &mut TableConfig| config.placement = Placement::Caller;
    SessionTable::builder().provision(thread).configure(set).build().unwrap()
}

/// Workers of an embedder's that has blocked all signals in them.
fn runtime(workers: usize) -> Runtime {
    let block = || nix::sys::signal::SigSet::all().thread_block().unwrap();
    Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name("worker")
        .on_thread_start(block)
        .enable_all()
        .build()
        .unwrap()
}

/// On a worker, where callers are.
fn on_worker<T: Send + 'static>(workers: usize, work: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = runtime(workers);
    let done = runtime.block_on(async { tokio::spawn(work).await.unwrap() });
    runtime.shutdown_timeout(Duration::from_secs(10));
    done
}

async fn run(table: &SessionTable, script: &str, args: Value) -> Value {
    let result = table.run("s", RunRequest::new(script).with_args(args)).await;
    assert!(result.error.is_none(), "{:?}", result.error);
    result.value.unwrap_or(Value::Null)
}

/// Runs it until it has proven short: on a machine that does other things, too, a run takes longer now and then.
async fn prove(table: &SessionTable, script: &str, args: &Value) {
    for _ in 0..30 {
        run(table, script, args.clone()).await;
    }
}

const TURNS: &str = "for (let i = 0; i < args; i++); thread()";

#[test]
fn a_script_that_has_proven_short_computes_where_it_is_called_until_it_has_once_taken_long() {
    on_worker(4, async {
        let table = table();
        for _ in 0..5 {
            assert_eq!(run(&table, TURNS, json!(0)).await, "perennial-vm", "nobody knows it yet");
        }
        prove(&table, TURNS, &json!(0)).await;
        // It is in no hurry all of a sudden.
        assert_eq!(run(&table, TURNS, json!(20_000_000)).await, "worker");
        assert_eq!(run(&table, TURNS, json!(0)).await, "perennial-vm", "once is enough");
        // Another program of the same session is known by itself.
        while run(&table, "thread()", json!([])).await != "worker" {}
        // What waits is nothing for a worker.
        let waits = "await new Promise((done) => setTimeout(done, 1)); thread()";
        for _ in 0..4 {
            assert_eq!(run(&table, waits, json!([])).await, "perennial-vm");
        }
        // Neither is what could be interrupted by something that an earlier run has left.
        run(&table, "setTimeout(() => {}, 1e6); 0", json!([])).await;
        assert_eq!(run(&table, "thread()", json!([])).await, "perennial-vm");
    });
}

#[test]
fn where_there_are_no_workers_to_spare_scripts_compute_on_threads_of_their_own() {
    on_worker(1, async {
        let table = table();
        prove(&table, "thread()", &json!([])).await;
        assert_eq!(run(&table, "thread()", json!([])).await, "perennial-vm");
    });
    let alone = Builder::new_current_thread().enable_all().build().unwrap();
    alone.block_on(async {
        let table = table();
        prove(&table, "thread()", &json!([])).await;
        assert_eq!(run(&table, "thread()", json!([])).await, "perennial-vm");
    });
}

/// What never ends: where a VM polls, where it allocates, and in a built-in that does neither.
const ENDLESS: [&str; 3] = [
    "if (args === 1) { begun(); for (;;); } 0",
    "if (args === 1) { begun(); for (let all = []; ; all.length = 0) all.push('x'.repeat(100)); } 0",
    "if (args === 1) { begun(); Array.prototype.sort.call({ length: 2 ** 53 - 1 }); } 0",
];

#[test]
fn whatever_ends_a_run_ends_one_that_computes_where_it_was_called() {
    on_worker(4, async {
        let thread = Thread::default();
        let (begun, table) = (thread.0.clone(), table_with(thread));
        for script in ENDLESS {
            let endless = || Run::script(script).args(json!(1));
            let session = table.session("s");

            prove(&table, script, &json!(0)).await;
            let stopped = session.run(endless().timeout(Duration::from_millis(50))).await;
            assert_eq!(stopped.error.unwrap().kind, ErrorKind::Timeout, "{script}");
            begun.notified().await;

            prove(&table, script, &json!(0)).await;
            let token = CancellationToken::new();
            let cancel = async {
                begun.notified().await;
                token.cancel();
            };
            // Both in one task.
            let (stopped, ()) = tokio::join!(session.run(endless().cancel_with(token.clone())), cancel);
            assert_eq!(stopped.error.unwrap().kind, ErrorKind::Cancelled, "{script}");

            prove(&table, script, &json!(0)).await;
            let dropped = session.run(endless());
            assert!(tokio::time::timeout(Duration::from_millis(20), dropped).await.is_err(), "{script}");
            begun.notified().await;

            prove(&table, script, &json!(0)).await;
            tokio::select! {
                biased;
                result = session.run(endless()) => panic!("{script}: {result:?}"),
                () = begun.notified() => {}
            }
            assert_eq!(run(&table, "1 + 1", json!([])).await, 2, "{script}");
        }
        eventually("all threads are back", || table.abandoned_threads() == 0).await;
    });
}

#[test]
fn a_script_that_holds_the_only_worker_that_is_awake_ends_in_time() {
    let (done, ended) = std::sync::mpsc::channel();
    let work = async move {
        let table = table();
        for script in ENDLESS {
            let (endless, session) = (|| Run::script(script).args(json!(1)), table.session("s"));
            for _ in 0..3 {
                prove(&table, script, &json!(0)).await;
                // Whoever was awake for the executor sleeps by then, and a timer wakes this worker alone.
                tokio::time::sleep(Duration::from_millis(20)).await;
                let stopped = session.run(endless().timeout(Duration::from_millis(50))).await;
                assert_eq!(stopped.error.unwrap().kind, ErrorKind::Timeout, "{script}");

                prove(&table, script, &json!(0)).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
                let dropped = session.run(endless());
                assert!(tokio::time::timeout(Duration::from_millis(50), dropped).await.is_err(), "{script}");
            }
        }
    };
    std::thread::spawn(move || {
        on_worker(4, work);
        done.send(())
    });
    ended.recv_timeout(Duration::from_secs(60)).expect("a worker is held for ever");
}

#[test]
fn a_script_that_stays_too_long_hands_over_what_waits_for_its_worker() {
    on_worker(2, async {
        let table = Arc::new(table());
        prove(&table, TURNS, &json!(0)).await;
        let long = Run::script(TURNS).args(json!(1e12)).timeout(Duration::from_secs(60));
        let session = table.session("s");
        let others = async {
            // Each is woken by the one before, which a worker keeps to itself.
            for _ in 0..1000 {
                tokio::spawn(async { tokio::task::yield_now().await }).await.unwrap();
            }
        };
        tokio::select! {
            result = session.run(long) => panic!("{result:?}"),
            () = others => {}
        }
    });
}

#[test]
fn sessions_share_half_of_the_workers_and_all_get_their_turn() {
    on_worker(4, async {
        let table = Arc::new(table());
        let tasks: Vec<_> = (0..50)
            .map(|session| {
                let table = table.clone();
                tokio::spawn(async move {
                    for turn in 1..=200 {
                        let script = "globalThis.n = (globalThis.n ?? 0) + 1; n";
                        let result = table.run(&format!("session {session}"), RunRequest::new(script)).await;
                        assert_eq!(result.value, Some(json!(turn)), "{:?}", result.error);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}
