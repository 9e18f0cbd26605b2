//! What sources cost: cells, module graphs, plugins. `cargo xtask bench` reads what criterion leaves.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use perennial_sessions::bundler::{Disk, Here, Importer, Loader, LoaderOptions, MemoryFiles, measure, prepare_cell};
use perennial_sessions::{PluginOptions, PluginSet, RunRequest, SessionTable, TableConfig};
use tokio::runtime::Runtime;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// A cell of about two kilobytes, as people and models write them.
fn sample_cell() -> String {
    let mut cell =
        String::from("interface Item { name: string; price: number; tags?: string[] }\nconst items: Item[] = [];\n");
    for n in 0..12 {
        let _ = write!(
            cell,
            "function total{n}(list: Item[], factor: number = {n}): number {{\n  // Adds up what is dear.\n  \
             return list.filter((item) => item.price > factor).reduce((sum, {{ price }}) => sum + price, 0);\n}}\n"
        );
    }
    cell.push_str("const { length } = items;\nlet result = await Promise.resolve(total3(items as Item[]));\n`${length}: ${result!}`");
    cell
}

fn cell(criterion: &mut Criterion) {
    let runtime = runtime();
    let source = sample_cell();
    let mut group = criterion.benchmark_group("cell");
    group.bench_function("parse_once", |bencher| bencher.iter(|| assert!(measure::parse_once(black_box(&source)))));
    group.bench_function("prepare", |bencher| bencher.iter(|| prepare_cell(black_box(&source)).expect("it parses")));
    for (name, fresh) in [("run_new", true), ("run_again", false)] {
        let source = source.clone();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                let source = source.clone();
                runtime.block_on(async move {
                    let table = SessionTable::new(10, Duration::from_secs(600));
                    table.run("s", RunRequest::new(source.clone())).await;
                    let mut spent = Duration::ZERO;
                    for n in 0..times {
                        let script = if fresh { format!("{source}\n// {n}") } else { source.clone() };
                        let start = Instant::now();
                        black_box(table.run("s", RunRequest::new(script)).await);
                        spent += start.elapsed();
                    }
                    spent
                })
            });
        });
    }
    group.finish();
}

fn write_graph(folder: &Path) -> PathBuf {
    for n in 0..50 {
        let imports: String = (1..=3)
            .map(|step| n * 3 + step)
            .filter(|m| *m < 50)
            .map(|m| format!("import {{ f{m} }} from './m{m}.js';\n"))
            .collect();
        let calls: String =
            (1..=3).map(|step| n * 3 + step).filter(|m| *m < 50).map(|m| format!(" + f{m}(a)")).collect();
        let text = format!("{imports}export function f{n}(a: number): number {{\n  return a{calls};\n}}\n");
        std::fs::write(folder.join(format!("m{n}.ts")), text).expect("the folder can be written");
    }
    folder.canonicalize().expect("the folder is there")
}

/// What it costs that top-level names are properties of the global object.
fn names(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("names");
    let turns = "for (let i = 0; i < 20000; i++) x = (x * 31 + i) | 0;";
    for (name, script) in
        [("top_level", format!("let x = 0; {turns} x")), ("block", format!("{{ let x = 0; {turns} return x }}"))]
    {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                let script = script.clone();
                runtime.block_on(async move {
                    let table = SessionTable::new(10, Duration::from_secs(600));
                    table.run("s", RunRequest::new(script.clone())).await;
                    let start = Instant::now();
                    for _ in 0..times {
                        black_box(table.run("s", RunRequest::new(script.clone())).await);
                    }
                    start.elapsed()
                })
            });
        });
    }
    group.finish();
}

fn graph(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let root = write_graph(folder.path());
    let loader = || {
        Loader::new(Arc::new(Disk), LoaderOptions::default().configure(|options| options.roots = vec![root.clone()]))
    };
    let load = |loader: &Loader| loader.load(Importer::Directory(&root), "./m0.ts", None, &Here).expect("it loads");
    let mut group = criterion.benchmark_group("graph");
    group.bench_function("cold", |bencher| bencher.iter(|| assert_eq!(load(&loader()).modules.len(), 50)));
    let known = loader();
    group.bench_function("cached", |bencher| bencher.iter(|| assert_eq!(load(&known).modules.len(), 50)));
    group.finish();
}

async fn plugins(count: usize) -> PluginSet {
    let files = MemoryFiles::new();
    let mut paths = Vec::new();
    for n in 0..count {
        let path = format!("/p{n}.ts");
        let source = format!(
            "import {{ definePlugin, defineTool }} from 'perennial:plugin';\nexport default definePlugin({{ name: 'p{n}', version: '1', description: 'd', \
             tools: {{ add: defineTool({{ description: 'adds', input: {{ type: 'object', properties: {{ n: {{ type: 'number' }} }}, required: ['n'] }}, \
             run: ({{ n }}: {{ n: number }}) => n + 1 }}) }} }});"
        );
        files.write(&path, source);
        paths.push(PathBuf::from(path));
    }
    let set =
        PluginSet::load(&paths, &PluginOptions::default().configure(|options| options.files = Arc::new(files))).await;
    assert!(set.failures().is_empty(), "{:?}", set.failures());
    set
}

fn with_plugins(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("plugins");
    for count in [0, 10] {
        group.bench_function(format!("build_{count}"), |bencher| {
            bencher.iter_custom(|times| {
                runtime.block_on(async move {
                    let set = plugins(count).await;
                    let config = TableConfig::default().configure(|config| {
                        config.max_vms = 1;
                        config.plugins = Some(set);
                    });
                    let table = SessionTable::with_config(config);
                    let mut spent = Duration::ZERO;
                    for n in 0..times {
                        let name = n.to_string();
                        let start = Instant::now();
                        let result = table.run(&name, RunRequest::new("return 1")).await;
                        spent += start.elapsed();
                        assert!(result.error.is_none());
                        table.remove(&name);
                    }
                    spent
                })
            });
        });
    }
    const CALLS: u64 = 1000;
    for (name, call) in [("call_tool", "tools.p0.add({ n: i })"), ("call_function", "plain({ n: i })")] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                runtime.block_on(async move {
                    let set = plugins(1).await;
                    let config = TableConfig::default().configure(|config| config.plugins = Some(set));
                    let table = SessionTable::with_config(config);
                    table
                        .run("s", RunRequest::new("const plain = async ({ n }) => n + 1; await tools.p0.add({ n: 1 })"))
                        .await;
                    let script = format!("let sum = 0; for (let i = 0; i < {CALLS}; i++) sum += await {call}; sum");
                    let rounds = times.div_ceil(CALLS);
                    let start = Instant::now();
                    for _ in 0..rounds {
                        let result = table.run("s", RunRequest::new(script.as_str())).await;
                        assert!(result.error.is_none(), "{:?}", result.error);
                    }
                    // One call.
                    start.elapsed().mul_f64(times as f64 / (rounds * CALLS) as f64)
                })
            });
        });
    }
    group.finish();
}

fn settings() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .without_plots()
}

criterion_group! { name = all; config = settings(); targets = cell, names, graph, with_plugins }
criterion_main!(all);
