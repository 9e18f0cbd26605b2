//! Connections from outside, over streams in memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::time::Duration;

use perennial_server::{McpOptions, serve_mcp};
use perennial_sessions::{Owner, RunRequest, SessionTable};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;

struct Client {
    read: BufReader<ReadHalf<DuplexStream>>,
    write: WriteHalf<DuplexStream>,
    served: JoinHandle<()>,
    id: u64,
}

impl Client {
    async fn connect(owner: Owner) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (input, output) = tokio::io::split(theirs);
        let served = tokio::spawn(async move {
            serve_mcp(owner, input, output, McpOptions::default().configure(|options| options.structured = true))
                .await
                .unwrap();
        });
        let (read, write) = tokio::io::split(ours);
        let mut client = Self { read: BufReader::new(read), write, served, id: 0 };
        let who = json!({"name": "test", "version": "1"});
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": who});
        client.ask("initialize", hello).await;
        client.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        client
    }

    async fn send(&mut self, message: Value) {
        self.write.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        self.send(json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params})).await;
        let mut line = String::new();
        let read = tokio::time::timeout(Duration::from_secs(20), self.read.read_line(&mut line)).await;
        assert!(read.unwrap().unwrap() > 0, "the connection is closed");
        serde_json::from_str::<Value>(&line).unwrap()["result"].clone()
    }

    async fn run(&mut self, script: &str) -> Value {
        let answer = self.ask("tools/call", json!({"name": "run", "arguments": {"script": script}})).await;
        answer["structuredContent"]["value"].clone()
    }

    async fn leave(self) {
        drop((self.read, self.write));
        tokio::time::timeout(Duration::from_secs(20), self.served).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_own_sessions_and_nobody_elses() {
    let table = SessionTable::builder().build().unwrap();
    let mut ada = Client::connect(table.of("ada")).await;
    let mut bob = Client::connect(table.of("bob")).await;
    table.run("host", RunRequest::new("globalThis.n = 3")).await;
    assert_eq!(ada.run("globalThis.n = 1").await, json!(1));
    assert_eq!(bob.run("typeof n").await, json!("undefined"));
    bob.run("globalThis.n = 2").await;
    assert_eq!(table.len(), 3);
    ada.leave().await;
    assert!(table.of("ada").is_empty());
    assert_eq!(bob.run("n").await, json!(2));
    assert_eq!(table.run("host", RunRequest::new("n")).await.value, Some(json!(3)));
    bob.leave().await;
    assert_eq!(table.len(), 1);
}

#[tokio::test]
async fn what_an_embedder_has_put_into_a_session_is_there_for_its_client() {
    let table = SessionTable::builder().build().unwrap();
    let owner = table.of("ada");
    owner.vars("main").await.unwrap().set("greeting", json!("hello")).unwrap();
    let mut ada = Client::connect(owner).await;
    let arguments = json!({"script": "vars.get('greeting')", "session": "main"});
    let answer = ada.ask("tools/call", json!({"name": "run", "arguments": arguments})).await;
    assert_eq!(answer["structuredContent"]["value"], json!("hello"));
}

#[tokio::test]
async fn a_connection_that_is_given_up_leaves_the_sessions_and_keeps_nothing() {
    let table = SessionTable::builder().build().unwrap();
    let mut ada = Client::connect(table.of("ada")).await;
    assert_eq!(ada.run("globalThis.n = 1").await, json!(1));
    let vars = table.of("ada").vars("default").await.unwrap();
    ada.served.abort();
    assert!(ada.served.await.unwrap_err().is_cancelled());
    assert_eq!(table.of("ada").len(), 1);
    // It held the table, which would never end.
    drop(table);
    assert!(vars.set("x", json!(1)).is_err());
}
