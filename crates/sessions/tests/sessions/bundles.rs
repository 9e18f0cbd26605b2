use std::sync::Arc;
use std::time::Duration;

use perennial_sessions::bundler::{Loader, LoaderOptions, MemoryFiles};
use perennial_sessions::protocol::{ErrorKind, RebuildReason, VmOrigin};
use perennial_sessions::{
    CompiledBundle, EngineConfig, ModuleAccess, RunContext, RunOptions, RunRequest, ScriptResult, SessionTable,
    live_runtimes,
};
use serde_json::{Value, json};

fn files(files: &[(&str, &str)]) -> (MemoryFiles, ModuleAccess) {
    let memory = MemoryFiles::new();
    for (path, content) in files {
        memory.write(path, *content);
    }
    let options = LoaderOptions::default().configure(|options| options.roots = vec!["/app".into()]);
    (memory.clone(), ModuleAccess::new(Loader::new(Arc::new(memory), options), "/app"))
}

fn table() -> SessionTable {
    SessionTable::new(10, Duration::from_secs(60))
}

async fn run(table: &SessionTable, bundle: &CompiledBundle, args: Value) -> ScriptResult {
    let config = EngineConfig::default();
    let mut session = table.acquire("bundle").lock().await.unwrap();
    session.run_module(&config, bundle, &args, &RunOptions::default(), RunContext::new(), None).await
}

fn value(result: ScriptResult) -> Value {
    assert!(result.error.is_none(), "{:?}", result.error);
    result.value.unwrap_or(Value::Null)
}

#[tokio::test]
async fn a_bundle_s_result_is_its_default_export_called_with_the_arguments() {
    let (_, access) = files(&[
        (
            "/app/lib.ts",
            "export let calls = 0; export function count(this: unknown): number { if (this !== undefined) throw this; return ++calls }\nexport default 'lib'",
        ),
        (
            "/app/main.ts",
            "import lib, { count, calls as n } from './lib.js'; import * as all from './lib.ts';\nimport type { Nothing } from './nowhere';\nenum Kind { A = 'a' }\nlet ran = 0; ran++;\nexport const other = 1;\nexport default async function (args: { x: number }) { const before = n; count(); return { lib, x: args.x, ran, live: n - before, short: { n }.n === n, all: all.calls === n, kind: Kind.A } }",
        ),
        ("/app/value.mjs", "const late = await Promise.resolve(4); export { late as default }"),
        (
            "/app/named.js",
            "export default function twice(args) { return helper(args) } function helper(a) { return a.length * 2 }",
        ),
        ("/app/class.ts", "class A { static x: number = 3 }\nexport { A }; export default A.x"),
        ("/app/passed.ts", "export { default } from './lib'"),
        ("/app/none.ts", "export const nothing = 1"),
    ]);
    let table = table();
    let bundle = CompiledBundle::compile(&access, "main.ts").unwrap();
    assert_eq!(bundle.modules(), 1);
    for _ in 0..2 {
        let result = value(run(&table, &bundle, json!({"x": 5})).await);
        let expected = json!({"lib": "lib", "x": 5, "ran": 1, "live": 1, "short": true, "all": true, "kind": "a"});
        assert_eq!(result, expected);
    }
    for (entry, expected) in [
        ("value.mjs", json!(4)),
        ("named.js", json!(6)),
        ("class.ts", json!(3)),
        ("passed.ts", json!("lib")),
        ("none.ts", Value::Null),
    ] {
        let bundle = CompiledBundle::compile(&access, entry).unwrap();
        assert_eq!(value(run(&table, &bundle, json!([1, 2, 3])).await), expected, "{entry}");
    }
}

#[tokio::test]
async fn a_bundle_stays_as_it_was_compiled() {
    let (files, access) =
        files(&[("/app/a.ts", "import b from './b.ts'\nexport default b"), ("/app/b.ts", "export default 1")]);
    let table = table();
    let bundle = CompiledBundle::compile(&access, "/app/a.ts").unwrap();
    files.write("/app/b.ts", "export default 2");
    assert_eq!(value(run(&table, &bundle, json!([])).await), json!(1));
    let again = CompiledBundle::compile(&access, "/app/a.ts").unwrap();
    assert_eq!(value(run(&table, &again, json!([])).await), json!(2));
}

#[tokio::test]
async fn a_bundle_s_errors_are_where_they_are_and_a_force_halt_costs_the_vm() {
    let (_, access) = files(&[
        ("/app/throws.ts", "interface A { b: string }\nimport { go } from './go.ts'\nexport default (a: A) => go()"),
        ("/app/go.ts", "export function go(): never {\n  throw new RangeError('here')\n}"),
        ("/app/spins.ts", "export default () => { for (;;) {} }"),
        ("/app/top.ts", "import './loops.ts'"),
        ("/app/loops.ts", "for (;;) {}"),
        ("/app/bad.ts", "export default (;"),
        ("/app/missing.ts", "export default 1\nimport './nothing'"),
    ]);
    let table = table();
    let bundle = CompiledBundle::compile(&access, "throws.ts").unwrap();
    let error = run(&table, &bundle, json!([])).await.error.unwrap();
    assert_eq!((error.file.as_deref(), error.line, error.column), (Some("go.ts"), Some(2), Some(13)));
    assert_eq!(error.stack.unwrap().lines().nth(1), Some("    at default (throws.ts:3:26)"));
    for entry in ["spins.ts", "top.ts"] {
        let bundle = CompiledBundle::compile(&access, entry).unwrap();
        let options = RunOptions::default().configure(|options| options.wall = Duration::from_millis(50));
        let mut session = table.acquire("bundle").lock().await.unwrap();
        let result =
            session.run_module(&EngineConfig::default(), &bundle, &json!([]), &options, RunContext::new(), None).await;
        assert_eq!(result.error.unwrap().kind, ErrorKind::Timeout, "{entry}");
        drop(session);
        let bundle = CompiledBundle::compile(&access, "throws.ts").unwrap();
        let next = run(&table, &bundle, json!([])).await;
        assert_eq!((next.vm, next.rebuilt_because), (Some(VmOrigin::Rebuilt), Some(RebuildReason::Timeout)));
    }
    let error = CompiledBundle::compile(&access, "bad.ts").unwrap_err();
    assert_eq!((error.kind, error.line, error.column), (ErrorKind::Syntax, Some(1), Some(17)));
    let error = CompiledBundle::compile(&access, "missing.ts").unwrap_err();
    assert_eq!((error.kind, error.file.as_deref()), (ErrorKind::Runtime, Some("missing.ts")));
}

fn resident() -> usize {
    perennial_testkit::Footprint::now().resident_kib << 10
}

#[tokio::test]
async fn ten_thousand_runs_of_a_bundle_leave_memory_level() {
    let (_, access) = files(&[
        ("/app/a.ts", "import { b } from './b.ts'\nexport default (n: number) => b(n)"),
        ("/app/b.ts", "export const b = (n: number) => n + 1"),
    ]);
    let table = table();
    let bundle = CompiledBundle::compile(&access, "a.ts").unwrap();
    let mut heaps = Vec::new();
    for n in 0..10_000 {
        let result = run(&table, &bundle, json!(n)).await;
        if n % 2_000 == 1_999 {
            heaps.push(result.usage.heap_bytes);
        }
        assert_eq!(result.value, Some(json!(n + 1)));
        assert!(n == 0 || result.vm == Some(VmOrigin::Warm));
    }
    assert!(heaps.iter().max() <= heaps.first().map(|first| first + 64 * 1024).as_ref(), "{heaps:?}");
}

#[tokio::test]
async fn a_thousand_edits_leave_memory_level_because_the_vm_is_rebuilt_now_and_then() {
    let (files, access) = files(&[("/app/b.ts", "")]);
    let table = table();
    let (mut most, mut rebuilt) = (0, 0);
    let padding = format!("// {}\n", "x".repeat(4000));
    let before = resident();
    for n in 0..1_000 {
        files.write("/app/b.ts", format!("{padding}export const b = {n}"));
        let context = RunContext::new().grant(access.clone());
        let request = RunRequest::new("import { b } from './b.ts'\nb");
        let result = table.run_with("edits", request, context).await;
        most = most.max(result.usage.heap_bytes);
        rebuilt += usize::from(result.rebuilt_because == Some(RebuildReason::Modules));
        if result.rebuilt_because == Some(RebuildReason::Modules) {
            assert_eq!(result.lost_globals, ["b"]);
        }
        assert_eq!(value(result), json!(n));
    }
    assert!((1..100).contains(&rebuilt), "rebuilt {rebuilt} times");
    assert!(most < 8 << 20, "the heap came to {most}");
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "the process grew by {grown}");
    assert!(live_runtimes() < 50);
}

#[tokio::test]
async fn unchanged_graphs_are_neither_read_nor_parsed_nor_compiled_again() {
    let (files, access) =
        files(&[("/app/a.ts", "import { b } from './b.ts'\nexport const a = b"), ("/app/b.ts", "export const b = 1")]);
    let table = table();
    let compiled = perennial_sessions::modules_compiled();
    let import = |name: &'static str| {
        let (table, context) = (table.clone(), RunContext::new().grant(access.clone()));
        async move { value(table.run_with(name, RunRequest::new("import { a } from './a.ts'; a"), context).await) }
    };
    assert_eq!(import("one").await, json!(1));
    let first = access.counts();
    assert_eq!((first.read, first.parsed, first.graph_misses, first.graph_hits), (2, 2, 1, 0));
    for name in ["one", "two", "three"] {
        assert_eq!(import(name).await, json!(1));
    }
    let second = access.counts();
    assert_eq!((second.read, second.parsed, second.graph_misses, second.graph_hits), (2, 2, 1, 3));
    // Written again with the same content: read, but not parsed.
    files.write("/app/b.ts", "export const b = 1");
    assert_eq!(import("one").await, json!(1));
    let third = access.counts();
    assert_eq!((third.read, third.parsed, third.graph_misses), (3, 2, 2));
    files.write("/app/b.ts", "export const b = 2");
    assert_eq!(import("one").await, json!(2));
    let fourth = access.counts();
    assert_eq!((fourth.read, fourth.parsed, fourth.graph_misses), (4, 3, 3));
    // Other tests compile modules meanwhile; these four are the least, and nobody else's are counted below.
    assert!(perennial_sessions::modules_compiled() >= compiled + 4);
}

#[test]
fn an_entry_that_takes_what_is_not_exported_does_not_compile() {
    let (_, access) = files(&[
        ("/app/lib.ts", "export const a = 1; export interface Shape { a: number }"),
        (
            "/app/types.ts",
            "import { a, Shape } from './lib'; import { Gone } from './gone'\nexport default (shape: Shape | Gone) => a",
        ),
        ("/app/wrong.ts", "enum E { A }\nimport { a, b as c } from './lib'\nexport default [a, c, E]"),
        ("/app/passes.ts", "export { b as default } from './lib'"),
        ("/app/gone.js", "\nimport gone from './nowhere.js'\nexport default 1"),
    ]);
    CompiledBundle::compile(&access, "types.ts").expect("what is used as a type alone is not imported");
    for (entry, position, said) in [
        ("wrong.ts", (2, 13), "'./lib' has no export 'b'; it exports a"),
        ("passes.ts", (1, 10), "'./lib' has no export 'b'"),
    ] {
        let error = CompiledBundle::compile(&access, entry).unwrap_err();
        assert_eq!(
            (error.kind, error.line, error.column),
            (ErrorKind::Syntax, Some(position.0), Some(position.1)),
            "{error:?}"
        );
        assert!(error.message.contains(said), "{error:?}");
    }
    let error = CompiledBundle::compile(&access, "gone.js").unwrap_err();
    assert_eq!(
        (error.kind, error.name.as_str(), error.line, error.column),
        (ErrorKind::Runtime, "Error", Some(2), Some(18))
    );
}

#[tokio::test]
async fn what_an_entry_cannot_be_is_said() {
    let (_, access) = files(&[
        ("/app/main.js", "import { same } from './h.js'; export const cfg = {}; export default () => same(cfg)"),
        ("/app/h.js", "\nimport { cfg } from './main.js'; export const same = (x) => x === cfg"),
        ("/app/class.ts", "export default class A {}"),
    ]);
    let error = CompiledBundle::compile(&access, "main.js").unwrap_err();
    assert!(error.message.contains("cannot be part of a cycle"), "{error:?}");
    assert_eq!((error.line, error.column), (Some(1), Some(22)));
    let bundle = CompiledBundle::compile(&access, "class.ts").unwrap();
    let error = run(&table(), &bundle, Value::Null).await.error.unwrap();
    assert!(error.message.starts_with("the default export is a class"), "{error:?}");
}
