//! What the library costs: files, mounts, the network, commands, URLs, digests, Buffers. `cargo xtask bench` reads what criterion leaves.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use perennial_sessions::commands::CommandSet;
use perennial_sessions::files::{Mount, MountMode, Mounts};
use perennial_sessions::net::{NetLimits, NetPolicy};
use perennial_sessions::{
    Area, Bound, EngineConfig, OpTable, OpValue, RunContext, RunOptions, RunRequest, SessionTable, TableConfig,
};
use serde_json::json;
use tokio::runtime::Runtime;

const BODY: usize = 1 << 10;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// A server that answers every request with a kilobyte, over connections that are kept.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut out = stream.try_clone().expect("a descriptor");
                let mut lines = BufReader::new(stream).lines();
                while lines.by_ref().map_while(Result::ok).any(|line| line.is_empty()) {
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {BODY}\r\n\r\n");
                    if out.write_all(&[head.as_bytes(), &[b'x'; BODY]].concat()).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

/// Times `body`, which a script runs as often as it is told.
fn in_script(bencher: &mut criterion::Bencher<'_>, runtime: &Runtime, config: &TableConfig, before: &str, body: &str) {
    bencher.iter_custom(|times| {
        let (config, before) = (config.clone(), before.to_owned());
        let script = format!("for (let i = 0; i < args; i++) {{ {body} }}\n0");
        runtime.block_on(async move {
            let table = SessionTable::with_config(config);
            let prepared = table.run("s", RunRequest::new(before)).await;
            assert!(prepared.is_ok(), "{:?}", prepared.error);
            let request = RunRequest::new(script).configure(|request| request.args = json!(times));
            let start = Instant::now();
            let result = table.run("s", request).await;
            let spent = start.elapsed();
            assert!(result.is_ok(), "{:?}", result.error);
            spent
        })
    });
}

fn files(criterion: &mut Criterion) {
    let runtime = runtime();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("large"), vec![b'x'; 1 << 20]).expect("it is written");
    let mount = Mount::open(folder.path(), "/host", MountMode::ReadOnly).expect("it is there");
    let config =
        TableConfig::default().configure(|config| config.mounts = Some(Mounts::new(vec![mount]).expect("one mount")));
    let before = "await fs.writeFile('/small', 'x'.repeat(1024)); const plain = async () => 'x';";
    let mut group = criterion.benchmark_group("files");
    group.bench_function("await_function", |bencher| in_script(bencher, &runtime, &config, before, "await plain()"));
    group.bench_function("read_1k", |bencher| {
        in_script(bencher, &runtime, &config, before, "await fs.readFile('/small', 'utf8')");
    });
    group.bench_function("write_1k", |bencher| {
        in_script(bencher, &runtime, &config, before, "await fs.writeFile('/small', 'y')");
    });
    group.bench_function("mount_1m", |bencher| {
        in_script(bencher, &runtime, &config, before, "await fs.readFile('/host/large')");
    });
    group.bench_function("std_read_1m", |bencher| {
        bencher.iter(|| black_box(std::fs::read(folder.path().join("large"))));
    });
    for (name, atomic, changes) in
        [("plain_run", false, false), ("atomic_run", true, false), ("changes_run", true, true)]
    {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                runtime.block_on(async move {
                    let table = SessionTable::new(10, Duration::from_secs(600));
                    table.run("s", RunRequest::new("await fs.mkdir('/d'); for (let i = 0; i < 1000; i++) await fs.writeFile('/d/' + i, 'x')")).await;
                    let start = Instant::now();
                    for _ in 0..times {
                        let request = RunRequest::new("await fs.writeFile('/d/5', 'y')").configure(|request| { request.atomic = atomic; request.changes = changes; });
                        black_box(table.run("s", request).await);
                    }
                    start.elapsed()
                })
            });
        });
    }
    group.finish();
}

fn network(criterion: &mut Criterion) {
    let (runtime, address) = (runtime(), server());
    let rule = format!("http://{address}");
    let policy = NetPolicy::parse(
        &[&rule],
        NetLimits::default().configure(|limits| {
            limits.requests = u64::MAX;
            limits.received = u64::MAX;
        }),
    );
    let policy = policy.expect("a rule");
    let mut group = criterion.benchmark_group("network");
    group.bench_function("fetch", |bencher| {
        bencher.iter_custom(|times| {
            let context = RunContext::new().grant(policy.clone());
            let script = format!("for (let i = 0; i < args; i++) await (await fetch('{rule}/')).text(); 0");
            runtime.block_on(async move {
                let table = SessionTable::new(10, Duration::from_secs(600));
                let request = RunRequest::new(script).configure(|request| request.args = json!(times));
                let start = Instant::now();
                let result = table.run_with("s", request, context).await;
                assert!(result.is_ok(), "{:?}", result.error);
                start.elapsed()
            })
        });
    });
    // The least that a request can take here: a blocking socket, no client.
    group.bench_function("socket", |bencher| {
        let mut stream = TcpStream::connect(address).expect("it listens");
        let mut reader = BufReader::new(stream.try_clone().expect("a descriptor"));
        bencher.iter(|| {
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").expect("it is sent");
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                reader.read_line(&mut line).expect("a head");
            }
            let mut body = [0; BODY];
            std::io::Read::read_exact(&mut reader, &mut body).expect("a body");
            black_box(body)
        });
    });
    group.finish();
}

fn computing(criterion: &mut Criterion) {
    let runtime = runtime();
    let config = TableConfig::default();
    let before = "const bytes = new Uint8Array(1 << 20).fill(7), text = 'x'.repeat(1 << 16), url = 'https://user@example.com:8080/a/../b?c=d#e';";
    let mut group = criterion.benchmark_group("library");
    group.bench_function("new_url", |bencher| in_script(bencher, &runtime, &config, before, "new URL(url)"));
    group.bench_function("url_crate", |bencher| {
        bencher.iter(|| {
            black_box(url::Url::parse(black_box("https://user@example.com:8080/a/../b?c=d#e")).expect("a URL"))
        });
    });
    group.bench_function("digest_1m", |bencher| {
        in_script(bencher, &runtime, &config, before, "await crypto.subtle.digest('SHA-256', bytes)");
    });
    group.bench_function("sha2_1m", |bencher| {
        use sha2::Digest as _;
        let bytes = vec![7_u8; 1 << 20];
        bencher.iter(|| black_box(sha2::Sha256::digest(black_box(&bytes))));
    });
    group.bench_function("buffer_base64_64k", |bencher| {
        in_script(bencher, &runtime, &config, before, "Buffer.from(text).toString('base64')");
    });
    group.bench_function("btoa_64k", |bencher| in_script(bencher, &runtime, &config, before, "btoa(text)"));
    group.finish();
}

/// From when a script is stopped until nothing is left of what it runs.
/// Times `body` as often as it is told, in runs of a thousand: what a run writes to the console is bounded.
fn in_runs(bencher: &mut criterion::Bencher<'_>, runtime: &Runtime, config: &EngineConfig, body: &str) {
    let script = format!("for (let i = 0; i < args; i++) {{ {body} }}\n0");
    bencher.iter_custom(|times| {
        runtime.block_on(async {
            let table = SessionTable::new(10, Duration::from_secs(600));
            let mut session = table.acquire("s").lock().await.expect("a session");
            let (mut left, mut spent) = (times, Duration::ZERO);
            while left > 0 {
                let part = left.min(1000);
                let (options, context) = (RunOptions::default(), RunContext::new());
                let start = Instant::now();
                let result = session.run(config, &script, &json!(part), &options, context, None).await;
                spent += start.elapsed();
                assert!(result.is_ok(), "{:?}", result.error);
                left -= part;
            }
            spent
        })
    });
}

/// What the engine does natively for scripts, against native functions that do nothing.
fn natives(criterion: &mut Criterion) {
    let runtime = runtime();
    let nothing = |_: &_, _| Ok(OpValue::Undefined);
    let ops = OpTable::new().sync("nothing", Bound::DATA.with_values_from(0), nothing);
    let area = Area::new("nothing", &["nothing"], "((ops) => ({ nothing: (...given) => ops.nothing(...given) }))");
    let config = EngineConfig::new(ops, vec![area]);
    let mut group = criterion.benchmark_group("natives");
    for (name, body) in [
        ("console", "console.log('hello', i, { a: 1, b: [1, 2] })"),
        ("three_arguments", "nothing('hello', i, { a: 1, b: [1, 2] })"),
        ("vars_pair", "vars.set('n', i); vars.get('n')"),
        ("two_ops", "nothing('n', i); nothing('n')"),
    ] {
        group.bench_function(name, |bencher| in_runs(bencher, &runtime, &config, body));
    }
    group.finish();
}

async fn stopped(config: TableConfig, times: u64) -> Duration {
    let table = SessionTable::with_config(config);
    let mut spent = Duration::ZERO;
    for i in 0..times {
        let name = format!("s{i}");
        let slot = table.acquire(&name);
        let procs = slot.lock().await.expect("there is room for it").procs();
        let running = tokio::spawn({
            let (table, name) = (table.clone(), name.clone());
            async move { table.run(&name, RunRequest::new("await commands.run('sleep')")).await }
        });
        while procs.usage().begun == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // It has got to its program by then.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let start = Instant::now();
        running.abort();
        procs.gone().await;
        spent += start.elapsed();
        table.remove(&name);
    }
    spent
}

fn commands(criterion: &mut Criterion) {
    let runtime = runtime();
    let commands = CommandSet::new().with_environment(std::env::vars());
    let commands = commands.with_json("true", &json!({"run": ["true"]})).expect("a command");
    let commands = commands.with_json("sleep", &json!({"run": ["sleep", "1000"]})).expect("a command");
    let config = TableConfig::default().configure(|config| config.commands = commands);
    let mut group = criterion.benchmark_group("commands");
    group.bench_function("run", |bencher| in_script(bencher, &runtime, &config, "0", "await commands.run('true')"));
    group.bench_function("stop", |bencher| {
        bencher.iter_custom(|times| runtime.block_on(stopped(config.clone(), times)));
    });
    group.bench_function("std", |bencher| {
        bencher.iter(|| black_box(std::process::Command::new("true").output().expect("it is there")));
    });
    group.finish();
}

fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
}

criterion_group! { name = all; config = settings(); targets = natives, files, network, commands, computing }

fn main() {
    perennial_sessions::supervisor_main();
    all();
    Criterion::default().configure_from_args().final_summary();
}
