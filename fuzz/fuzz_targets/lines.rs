//! Whatever lines a client sends, the next request is answered; and an id is found only where there is one.
#![no_main]

use std::sync::LazyLock;

use perennial_protocol::IdScan;
use perennial_sessions::{SessionTable, TableConfig};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bytes.split(|byte| *byte == b'\n').for_each(finds_the_id);
    RUNTIME.block_on(answers_the_next(bytes));
});

fn finds_the_id(line: &[u8]) {
    let mut scan = IdScan::default();
    line.chunks(7).for_each(|piece| scan.feed(piece));
    let found = scan.id();
    let Ok(Value::Object(message)) = serde_json::from_slice(line) else { return };
    let text = String::from_utf8_lossy(line);
    // A name may be written by its characters' numbers, and be there more than once.
    if text.contains("\\u") || text.matches("\"id\"").count() > 1 {
        return;
    }
    let is_id = |id: &&Value| (id.is_string() || id.is_number()) && id.to_string().len() < 250;
    if let Some(id) = message.get("id").filter(is_id) {
        assert_eq!(found.as_ref(), Some(id), "{text}");
    } else {
        assert!(!message.contains_key("id") || found.is_none() || text.len() > 250, "{found:?} in {text}");
    }
}

async fn answers_the_next(bytes: &[u8]) {
    let (client, server) = tokio::io::duplex(1 << 20);
    let (input, output, Default::default()) = tokio::io::split(server);
    let (answers, mut lines) = tokio::io::split(client);
    let serving =
        tokio::spawn(perennial_server::serve_mcp(SessionTable::with_config(TableConfig::default()), input, output, Default::default()));
    let begin = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "fuzz", "version": "0"}}});
    let last = json!({"jsonrpc": "2.0", "id": "the last", "method": "ping"});
    let begun = "{\"jsonrpc\": \"2.0\", \"method\": \"notifications/initialized\"}";
    let sent = [format!("{begin}\n{begun}\n").as_bytes(), bytes, format!("\n{last}\n").as_bytes()].concat();
    let sending = tokio::spawn(async move { lines.write_all(&sent).await.map(|()| lines) });
    let mut answers = BufReader::new(answers).lines();
    loop {
        let line = answers.next_line().await.expect("a line").expect("the service has ended before the last request");
        let answer: Value = serde_json::from_str(&line).expect("an answer is JSON");
        if answer["id"] == "the last" {
            break;
        }
    }
    drop(sending.await.expect("sent").expect("taken"));
    drop(answers);
    let _ = serving.await.expect("the service does not panic");
}
