//! The example's provision and plugin through each door: MCP and batches. Rust is what the example shows itself.
#![cfg(feature = "mcp")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

#[expect(dead_code, reason = "its main is the example's")]
#[path = "../../../examples/own_provision.rs"]
mod own_provision;

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use own_provision::{Counter, table};
use perennial::server::{BatchOptions, McpOptions, serve_batch, serve_mcp};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

const SCRIPT: &str = "counter.add(1); await tools.tally.count({ by: 4 })";

#[tokio::test]
async fn a_model_s_scripts_have_it_through_mcp() {
    let table = table().await.unwrap();
    let owner = table.of("client");
    owner.provided::<Counter>("default").await.unwrap().unwrap();
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (input, output) = tokio::io::split(theirs);
    let served = tokio::spawn(serve_mcp(
        owner,
        input,
        output,
        McpOptions::default().configure(|options| options.structured = true),
    ));
    let (read, mut write) = tokio::io::split(ours);
    let who = json!({"name": "test", "version": "1"});
    let call = |id: u64, script: &str| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "run", "arguments": {"script": script}}});
    for message in [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": who}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        call(2, SCRIPT),
    ] {
        write.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }
    let mut lines = BufReader::new(read).lines();
    let answers = tokio::time::timeout(Duration::from_secs(20), async {
        lines.next_line().await.unwrap();
        lines.next_line().await.unwrap().unwrap()
    });
    let answer: Value = serde_json::from_str(&answers.await.unwrap()).unwrap();
    let result = &answer["result"]["structuredContent"];
    assert_eq!((&result["value"], &result["usage"]["more"]["counter"]), (&json!(45), &json!(45)), "{answer}");
    drop((lines, write));
    tokio::time::timeout(Duration::from_secs(20), served).await.unwrap().unwrap().unwrap();
}

/// What is written, for whoever has a clone.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_a_batch_have_it() {
    let table = table().await.unwrap();
    let request = |script: &str| format!("{}\n", json!({"session": "ada", "script": script}));
    let input =
        Cursor::new(request(SCRIPT) + &request("await tools.tally.count({ by: 6 })") + &request("counter.add(0)"));
    let output = Written::default();
    serve_batch(table.local(), input, output.clone(), BatchOptions::default()).await.unwrap();
    let written = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    let answers: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers[0]["value"], json!(45));
    assert_eq!(answers[1]["error"]["kind"], json!("permission"));
    assert_eq!((&answers[2]["value"], &answers[2]["usage"]["more"]["counter"]), (&json!(45), &json!(45)));
    assert_eq!(table.provided::<Counter>("ada").unwrap().get(), 45);
}
