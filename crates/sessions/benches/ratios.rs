//! Times that are compared with bare rquickjs in the same run. `cargo xtask bench` reads what criterion leaves.
#[path = "support/bare.rs"]
mod bare;
#[path = "support/hop.rs"]
mod hop;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Bencher, Criterion, criterion_group, criterion_main};
use dashmap::DashMap;
use perennial_sessions::{Placement, RunRequest, SessionTable, TableConfig};
use rquickjs::Value;
use serde_json::json;
use tokio::runtime::Runtime;

use bare::Bare;
use hop::BareThread;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Runs on a worker, since that is where callers are.
fn on_worker(runtime: &Runtime, work: impl Future<Output = Duration> + Send + 'static) -> Duration {
    runtime.block_on(async { tokio::spawn(work).await.expect("the measurement ends") })
}

fn config() -> TableConfig {
    TableConfig::default().configure(|config| config.max_vms = 10)
}

/// Times runs of one session, each after the one before. The first few are for the session to know its scripts.
fn one_by_one(
    bencher: &mut Bencher<'_>,
    runtime: &Runtime,
    config: TableConfig,
    request: impl Fn(u64) -> RunRequest + Clone + Send + Sync + 'static,
) {
    bencher.iter_custom(|times| {
        let (config, request) = (config.clone(), request.clone());
        on_worker(runtime, async move {
            let table = SessionTable::with_config(config);
            for i in 0..10 {
                table.run("s", request(i)).await;
            }
            let start = Instant::now();
            for i in 0..times {
                black_box(table.run("s", request(i)).await);
            }
            start.elapsed()
        })
    });
}

fn warm(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("warm");
    group.bench_function("bare", |bencher| {
        bencher.iter_custom(|times| {
            on_worker(&runtime, async move {
                let thread = BareThread::start();
                thread.run("return 1").await;
                let start = Instant::now();
                for _ in 0..times {
                    black_box(thread.run("return 1").await);
                }
                start.elapsed()
            })
        });
    });
    group.bench_function("bare_kept", |bencher| {
        bencher.iter_custom(|times| {
            on_worker(&runtime, async move {
                let thread = BareThread::start();
                thread.run_kept("return 1").await;
                let start = Instant::now();
                for _ in 0..times {
                    black_box(thread.run_kept("return 1").await);
                }
                start.elapsed()
            })
        });
    });
    group.bench_function("table", |bencher| one_by_one(bencher, &runtime, config(), |_| RunRequest::new("return 1")));
    // Where it is called, against bare there.
    group.bench_function("direct", |bencher| {
        let vm = Bare::new();
        bencher.iter(|| black_box(vm.run("return 1")));
    });
    group.bench_function("direct_kept", |bencher| {
        let mut vm = Bare::new();
        bencher.iter(|| black_box(vm.run_kept("return 1", 0)));
    });
    // What any change of tasks on a runtime costs, with nothing done in it.
    group.bench_function("task", |bencher| {
        bencher.iter_custom(|times| {
            on_worker(&runtime, async move {
                let start = Instant::now();
                for i in 0..times {
                    black_box(tokio::spawn(async move { i }).await.expect("it ends"));
                }
                start.elapsed()
            })
        });
    });
    group.bench_function("caller", |bencher| {
        let placed = config().configure(|config| config.placement = Placement::Caller);
        one_by_one(bencher, &runtime, placed, |_| RunRequest::new("return 1"));
    });
    // Each time another one: nothing is compiled before.
    group.bench_function("new_cells", |bencher| {
        one_by_one(bencher, &runtime, config(), |i| RunRequest::new(format!("return {i}")));
    });
    group.finish();
}

/// A cell of 3.5 KB with arguments, of which a call computes little.
fn cell() -> String {
    let functions: String =
        (0..60).map(|i| format!("  const step{i} = (value: number) => value * {i} + args;\n")).collect();
    format!("{{\n{functions}  return step7(3) + step59(1);\n}}")
}

fn again(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("again");
    let text: &str = cell().leak();
    group.bench_function("table", |bencher| {
        one_by_one(bencher, &runtime, config(), move |i| RunRequest::new(text).with_args(json!(i)));
    });
    // Without types, which bare does not know.
    let body = text.replace(": number", "");
    group.bench_function("own", |bencher| {
        let mut vm = Bare::new();
        bencher.iter(|| black_box(vm.run_kept(&body, 7)));
    });
    group.finish();
}

fn build(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("build");
    group.bench_function("bare", |bencher| {
        bencher.iter_custom(|times| {
            on_worker(&runtime, async move {
                let thread = BareThread::start();
                let start = Instant::now();
                for _ in 0..times {
                    let value = thread.hop(|vm| {
                        *vm = None;
                        vm.insert(Bare::new()).run("return 1")
                    });
                    black_box(value.await);
                }
                start.elapsed()
            })
        });
    });
    // A cap of one: the VM of the session before makes way for the next one's.
    group.bench_function("table", |bencher| {
        bencher.iter_custom(|times| {
            on_worker(&runtime, async move {
                let table = SessionTable::new(1, Duration::from_secs(600));
                let start = Instant::now();
                for i in 0..times {
                    let name = if i % 2 == 0 { "a" } else { "b" };
                    black_box(table.run(name, RunRequest::new("return 1")).await);
                }
                start.elapsed()
            })
        });
    });
    // The same after the VM was lost to a limit, against the first build of a session.
    group.bench_function("after_timeout", |bencher| {
        bencher.iter_custom(|times| {
            on_worker(&runtime, async move {
                let table = SessionTable::new(10, Duration::from_secs(600));
                let mut spent = Duration::ZERO;
                for _ in 0..times {
                    table.run("s", RunRequest::new("for (;;) {}").with_timeout_ms(1)).await;
                    let start = Instant::now();
                    black_box(table.run("s", RunRequest::new("return 1")).await);
                    spent += start.elapsed();
                }
                spent
            })
        });
    });
    group.bench_function("first", |bencher| {
        bencher.iter_custom(|times| {
            on_worker(&runtime, async move {
                let table = SessionTable::new(10, Duration::from_secs(600));
                let mut spent = Duration::ZERO;
                for _ in 0..times {
                    // The same pause before it as a timeout makes.
                    table.run("other", RunRequest::new("for (;;) {}").with_timeout_ms(1)).await;
                    table.remove("s");
                    let start = Instant::now();
                    black_box(table.run("s", RunRequest::new("return 1")).await);
                    spent += start.elapsed();
                }
                spent
            })
        });
    });
    group.finish();
}

fn acquire(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("acquire");
    for records in [100, 100_000] {
        let _inside = runtime.enter();
        let table = SessionTable::new(10, Duration::from_secs(600));
        let names: Vec<String> = (0..records).map(|i| format!("session {i}")).collect();
        for name in &names {
            drop(table.acquire(name));
        }
        let mut next = 0;
        // What looking for the name alone costs, and having what is found.
        let bare: DashMap<String, Arc<u64>> = names.iter().map(|name| (name.clone(), Arc::new(1))).collect();
        let mut turn = 0;
        group.bench_function(format!("dashmap_{records}"), |bencher| {
            let arrives = || {
                turn = (turn + 7919) % names.len();
                names[turn].clone()
            };
            bencher.iter_batched(
                arrives,
                |name| black_box(bare.get(&name).map(|found| found.clone())),
                BatchSize::SmallInput,
            );
        });
        group.bench_function(records.to_string(), |bencher| {
            // A name arrives with its request, so it is in the cache; the record is not.
            let arrives = || {
                next = (next + 7919) % names.len();
                names[next].clone()
            };
            bencher.iter_batched(arrives, |name| black_box(table.acquire(&name)), BatchSize::SmallInput);
        });
    }
    group.finish();
}

/// A value of about `bytes` of JSON, of the shape that scripts return.
fn sample(bytes: usize) -> String {
    let rows = bytes / 105;
    format!(
        "Array.from({{ length: {rows} }}, (_, i) => ({{ id: i, name: 'row number ' + i, price: i * 1.5, tags: ['a', 'b', 'c'], \
         nested: {{ ok: true, none: null, text: 'some text' }} }}))"
    )
}

fn walk(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("walk");
    for (name, bytes) in [("1k", 1 << 10), ("90k", 90 << 10)] {
        let vm = Bare::new();
        let source = sample(bytes);
        group.bench_function(format!("stringify_{name}"), |bencher| {
            vm.context.with(|ctx| {
                let value: Value<'_> = ctx.eval(&*source).expect("the expression evaluates");
                bencher.iter(|| {
                    let text =
                        ctx.json_stringify(value.clone()).expect("JSON").expect("a value").to_string().expect("UTF-8");
                    black_box(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"))
                });
            });
        });
        group.bench_function(format!("walk_{name}"), |bencher| {
            perennial_engine::measure::with_walk(&source, |walk| bencher.iter(|| black_box(walk())));
        });
        // The other way: of a value to a text, and of that to a value in there.
        let text = vm.run(&format!("return {source}"));
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        group.bench_function(format!("parse_{name}"), |bencher| {
            vm.context.with(|ctx| bencher.iter(|| black_box(ctx.json_parse(value.to_string()).expect("JSON"))));
        });
        group.bench_function(format!("enter_{name}"), |bencher| {
            perennial_engine::measure::with_enter(&value, |enter| bencher.iter(enter));
        });
    }
    group.finish();
}

fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(30)
}

criterion_group! { name = all; config = settings(); targets = warm, again, build, acquire, walk }
criterion_main!(all);
