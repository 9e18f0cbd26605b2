//! Sources that the parser takes too long, too deep or too much for: they cost their own run, and nobody else anything.

use std::sync::Arc;
use std::time::Duration;

use perennial_sessions::bundler::{Loader, LoaderOptions, MemoryFiles};
use perennial_sessions::{
    ModuleAccess, RunContext, RunRequest, ScriptResult, SessionTable, TableConfig, use_supervisor,
};
use serde_json::json;

fn table() -> SessionTable {
    use_supervisor(env!("CARGO_BIN_EXE_perennial-supervisor"));
    SessionTable::with_config(TableConfig::default())
}

fn kind(result: &ScriptResult) -> &str {
    result.error.as_ref().map_or("ok", |error| error.kind.as_str())
}

/// Sources that are wrong or endless, each with what its run may end as.
fn hostile() -> Vec<(&'static str, String)> {
    vec![
        ("invalid_request", format!("let x: {}", "A<B,".repeat(260_000))),
        ("timeout", format!("{}{}", "x?(a):({[".repeat(30), "]})".repeat(30))),
        ("timeout", format!("{}x", "a?(b):c=>".repeat(60))),
        ("timeout", format!("{}x", "<a>x?".repeat(60))),
        ("invalid_request", "a:".repeat(100_000) + ";"),
        ("invalid_request", "(class{}),".repeat(400_000) + "1"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_the_parser_cannot_cope_with_is_its_own_run_s_error() {
    let table = table();
    table.run("s", RunRequest::new("let kept = 41")).await;
    for (expected, source) in hostile() {
        let most = if expected == "timeout" { 1500 } else { 60_000 };
        let mut request = RunRequest::new(source.clone()).with_timeout_ms(most);
        request.memory_bytes = Some(64 << 20);
        let result = table.run("hostile", request).await;
        assert_eq!(kind(&result), expected, "{source:.40}: {:?}", result.error.as_ref().map(|error| &error.message));
        assert_eq!(table.run("s", RunRequest::new("kept + 1")).await.value, Some(json!(42)), "{source:.40}");
    }
    assert_eq!(table.abandoned_threads(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_valid_is_refused_for_its_shape() {
    let table = table();
    let members: String = (0..5000).map(|n| format!("A{n},")).collect();
    for (source, value) in [
        (format!("let a: {}number{} = 7 as any; a", "[".repeat(5000), "]".repeat(5000)), json!(7)),
        (format!("1{}", "+1".repeat(25_000)), json!(25_001)),
        (format!("enum E {{ {members} }} E.A4999"), json!(4999)),
        (format!("(class {{}}), {} 9", "0, ".repeat(200_000)), json!(9)),
        (format!("const f = (x: number): number => x / 2; /* ' */ {} f(4)", "f(1) / 2; ".repeat(20_000)), json!(2)),
    ] {
        let result = table.run("s", RunRequest::new(source.clone())).await;
        assert_eq!(result.value, Some(value), "{source:.40}: {:?}", result.error);
    }
    // What the language itself has no room for is its own error.
    let deep = table.run("s", RunRequest::new(format!("{}1{}", "(".repeat(5000), ")".repeat(5000)))).await;
    assert_eq!(deep.error.unwrap().name, "RangeError");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stopped_for_one_run_is_prepared_for_the_next() {
    let table = table();
    let files = MemoryFiles::new();
    // Some seconds of work, and some that never ends.
    files.write("/app/large.ts", format!("export const a: number = {}1", "1 + ".repeat(400_000)));
    files.write("/app/endless.ts", format!("export default {}x", "<a>x?".repeat(60)));
    let options = LoaderOptions::default().configure(|options| options.roots = vec!["/app".into()]);
    let access = ModuleAccess::new(Loader::new(Arc::new(files), options), "/app");
    let run = async |session: &str, source: &str, timeout| {
        let context = RunContext::new().grant(access.clone());
        table.run_with(session, RunRequest::new(source).with_timeout_ms(timeout), context).await
    };
    let endless = run("a", "import x from './endless.ts'; x", 300).await;
    assert_eq!(kind(&endless), "timeout", "{:?}", endless.error);
    let short = run("b", "import { a } from './large.ts'; a", 1).await;
    assert_eq!(kind(&short), "timeout", "{:?}", short.error);
    let long = run("b", "import { a } from './large.ts'; typeof a", 60_000).await;
    assert_ne!(kind(&long), "timeout", "{:?}", long.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_that_preparing_takes_counts_as_the_run_s() {
    let table = table();
    let source = format!("{}x", "<a>x?".repeat(60));
    let mut request = RunRequest::new(source).with_timeout_ms(60_000);
    request.cpu_ms = Some(200);
    let result = table.run("s", request).await;
    assert_eq!(kind(&result), "cpu_limit", "{:?}", result.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_many_prepare_what_never_ends_others_run() {
    let table = table();
    let attack = format!("{}x", "<a>x?".repeat(60));
    let attacks: Vec<_> = (0..40)
        .map(|n| {
            let (table, attack) = (table.clone(), attack.clone());
            tokio::spawn(
                async move { table.run(&format!("a{n}"), RunRequest::new(attack).with_timeout_ms(3000)).await },
            )
        })
        .collect();
    for n in 0..50 {
        let result = table.run("honest", RunRequest::new(format!("{n} + 1"))).await;
        assert_eq!(result.value, Some(json!(n + 1)), "{:?}", result.error);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for attack in attacks {
        assert_eq!(kind(&attack.await.unwrap()), "timeout");
    }
    assert_eq!(table.abandoned_threads(), 0);
}
