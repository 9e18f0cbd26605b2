//! What ends with the table. Alone in its process, since it counts the process's VMs.

use std::time::Duration;

use perennial_sessions::protocol::ErrorKind;
use perennial_sessions::{EngineConfig, RunContext, RunOptions, RunRequest, SessionTable};
use perennial_testkit::eventually;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn with_the_last_handle_everything_ends() {
    let before = perennial_sessions::live_runtimes();
    let table = SessionTable::new(10, Duration::from_secs(1_000_000));
    let slot = table.acquire("kept");
    table.run("warm", RunRequest::new("return 1")).await;
    let run = tokio::spawn({
        let table = table.clone();
        async move {
            let slot = table.acquire("spinning");
            let mut session = slot.lock().await.expect("there is room for it");
            drop(table);
            let (config, options) = (EngineConfig::default(), RunOptions::default());
            session.run(&config, "for (;;) {}", &json!([]), &options, RunContext::new(), None).await
        }
    });
    eventually("the script runs", || perennial_sessions::live_runtimes() == before + 2).await;
    drop(table);
    let ended = run.await.expect("it ends").error.expect("it failed");
    assert_eq!(ended.kind, ErrorKind::Cancelled);
    let mut session = slot.lock().await.expect("there is room for it");
    let (config, options) = (EngineConfig::default(), RunOptions::default());
    let result = session.run(&config, "return 1", &json!([]), &options, RunContext::new(), None).await;
    assert_eq!(result.error.expect("it failed").kind, ErrorKind::SessionEnded);
    eventually("all VMs are gone", || perennial_sessions::live_runtimes() == before).await;
}
