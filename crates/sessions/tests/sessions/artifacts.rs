//! What scripts produce for whoever calls them.

use std::time::Duration;

use perennial_sessions::files::Artifacts;
use perennial_sessions::protocol::{ErrorKind, ProducedFile};
use perennial_sessions::{RunContext, RunRequest, ScriptResult, SessionTable};
use serde_json::json;

fn table() -> SessionTable {
    SessionTable::new(10, Duration::from_secs(60))
}

async fn run(table: &SessionTable, script: &str, artifacts: &Artifacts) -> ScriptResult {
    table.run_with("s", RunRequest::new(script).with_timeout_ms(5000), RunContext::new().lend(artifacts.clone())).await
}

fn produced(name: &str, bytes: u64) -> ProducedFile {
    ProducedFile { name: name.to_owned(), bytes }
}

#[tokio::test]
async fn what_a_run_produces_is_in_its_result_and_nothing_of_the_run_before() {
    let folder = tempfile::tempdir().unwrap();
    for artifacts in [Artifacts::in_memory(10_000), Artifacts::in_folder(folder.path(), 10_000).unwrap()] {
        let table = table();
        let script = "await artifacts.write('a/report.md', '# h\u{e9}'); await artifacts.writeBytes('b.bin', new Uint8Array([1, 2]).buffer); await artifacts.write('gone', 'x'); await artifacts.remove('gone');
            [await artifacts.read('a/report.md', 'utf8'), (await artifacts.read('b.bin')).length, artifacts.list()]";
        let result = run(&table, script, &artifacts).await;
        let listed = json!([{"name": "a/report.md", "bytes": 5}, {"name": "b.bin", "bytes": 2}]);
        assert_eq!(result.value, Some(json!(["# h\u{e9}", 2, listed])), "{:?}", result.error);
        assert_eq!(result.artifacts, [produced("a/report.md", 5), produced("b.bin", 2)]);
        let result = run(&table, "await artifacts.write('b.bin', 'new'); throw 'no'", &artifacts).await;
        assert_eq!(result.artifacts, [produced("b.bin", 3)], "what a run that fails has produced is said too");
        assert_eq!(artifacts.read("b.bin").unwrap(), b"new");
    }
    assert_eq!(std::fs::read(folder.path().join("a/report.md")).unwrap(), "# h\u{e9}".as_bytes());
}

#[tokio::test]
async fn the_folder_is_lent_to_one_run_and_gone_with_it() {
    let (table, artifacts) = (table(), Artifacts::in_memory(10_000));
    let script = "globalThis.kept = artifacts; await artifacts.write('a', '1'); setTimeout(() => kept.write('late', '2').catch((e) => vars.set('late', e.name)), 0); 0";
    assert!(run(&table, script, &artifacts).await.is_ok());
    let result = table
        .run("s", RunRequest::new("await new Promise((done) => setTimeout(done, 5)); await kept.write('b', '3')"))
        .await;
    let error = result.error.unwrap();
    assert_eq!(error.kind, ErrorKind::Permission);
    assert!(error.message.contains("an output folder that the call lends"), "{}", error.message);
    assert_eq!(table.run("s", RunRequest::new("vars.get('late')")).await.value, Some(json!("PermissionError")));
    assert_eq!(artifacts.list().len(), 1);
}

#[tokio::test]
async fn a_budget_holds_for_many_at_once_and_a_stopped_run_says_what_it_produced() {
    let folder = tempfile::tempdir().unwrap();
    let (table, artifacts) = (table(), Artifacts::in_folder(folder.path(), 50_000).unwrap());
    let script = "const done = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => artifacts.write('f' + i, 'x'.repeat(1000))));
        const failed = done.filter((d) => d.status === 'rejected'); [failed.length, failed[0].reason.name, failed[0].reason.limit]";
    let result = run(&table, script, &artifacts).await;
    assert_eq!(result.value, Some(json!([55, "QuotaExceededError", 50_000])), "a name counts 100 bytes");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 45, "nothing that was aside is left");
    let artifacts = Artifacts::in_folder(folder.path(), 50_000).unwrap();
    let request = RunRequest::new("await artifacts.write('before', 'x'); for (;;) await artifacts.write('again', 'y')")
        .with_timeout_ms(100);
    let result = table.run_with("s", request, RunContext::new().lend(artifacts.clone())).await;
    assert_eq!(result.error.map(|error| error.kind), Some(ErrorKind::Timeout));
    assert_eq!(result.artifacts.first().map(|file| &*file.name), Some("again"), "{:?}", result.artifacts);
    assert_eq!(
        result.artifacts,
        artifacts.list().into_iter().map(|file| produced(&file.name, file.bytes)).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_text_or_bytes_are_written_as_they_are_and_nothing_else_is() {
    let (table, artifacts) = (table(), Artifacts::in_memory(10_000));
    let script = "await artifacts.write('bytes', new Uint8Array([1, 255])); const refused = [];
        for (const what of [{ a: 1 }, 5, null, undefined]) await artifacts.write('no', what).catch((error) => refused.push(error.name));
        refused";
    let result = run(&table, script, &artifacts).await;
    assert_eq!(result.value, Some(json!(["TypeError", "TypeError", "TypeError", "TypeError"])), "{:?}", result.error);
    assert_eq!(result.artifacts, [produced("bytes", 2)]);
    assert_eq!(artifacts.read("bytes").unwrap(), [1, 255]);
}
