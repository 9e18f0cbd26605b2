//! Everyday tasks as a model does them, in a document that is played: `docs/model.md`. What a model is told stands in front. `UPDATE_TRANSCRIPTS=1` writes what is said
//! anew, to be read before it is kept.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use super::{perennial, root};

const DOCUMENT: &str = "docs/model.md";

/// Three pages of an API that wants a token, and answers each second request with 429.
fn api() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let (mut text, mut piece) = (Vec::new(), [0; 4096]);
            while !text.ends_with(b"\r\n\r\n") {
                match stream.read(&mut piece) {
                    Ok(length) if length > 0 => text.extend_from_slice(&piece[..length]),
                    _ => break,
                }
            }
            let text = String::from_utf8_lossy(&text).into_owned();
            let page: usize = text.split_once("page=").and_then(|(_, rest)| rest[..1].parse().ok()).unwrap_or(1);
            let (status, body) = if !text.to_lowercase().contains("authorization: bearer s3cr3t-t0ken") {
                ("401 Unauthorized", json!({"error": "no token"}))
            } else if count % 2 == 0 {
                ("429 Too Many Requests", json!({"error": "slow down"}))
            } else {
                let items: Vec<usize> = (0..3).map(|n| page * 10 + n).collect();
                ("200 OK", json!({"items": items, "next": (page < 3).then_some(page + 1)}))
            };
            let body = body.to_string();
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nretry-after: 0\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    port
}

fn fixtures(folder: &Path) {
    let sales: String = (1..=200).fold("day,region,amount\n".to_owned(), |mut text, n| {
        let _ = writeln!(text, "{},{},{}", 1 + n % 28, ["north", "south", "east"][n % 3], n * 7 % 113);
        text
    });
    std::fs::write(folder.join("sales.csv"), sales).unwrap();
    let log: String = (0..500).fold(String::new(), |mut text, n| {
        let hour = [9, 9, 10, 14, 14, 14, 14, 17][n % 8];
        let _ = writeln!(text, "2026-03-0{}T{hour:02}:{:02}:00Z GET /{}", 1 + n % 9, n % 60, n % 5);
        text
    });
    std::fs::write(folder.join("access.log"), log).unwrap();
    let html = "<h1>Fruit</h1><table><tr><th>name</th><th>price</th></tr><tr><td>Apple</td><td>1.20</td></tr><tr><td>Pear &amp; co</td><td>2.00</td></tr></table>";
    std::fs::write(folder.join("page.html"), html).unwrap();
}

struct Model {
    child: Child,
    write: ChildStdin,
    read: BufReader<ChildStdout>,
    id: u64,
}

impl Model {
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        let call = json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params});
        writeln!(self.write, "{call}").unwrap();
        loop {
            let mut line = String::new();
            assert!(self.read.read_line(&mut line).unwrap() > 0, "the server has gone");
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer["id"] == json!(self.id) {
                return answer["result"].clone();
            }
        }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The blocks of a document with what stands between them: kind and text.
fn blocks(document: &str) -> Vec<(&str, &str)> {
    let mut blocks = Vec::new();
    for (index, part) in document.split("```").enumerate() {
        match part.split_once('\n') {
            Some((kind, text)) if index % 2 == 1 => blocks.push((kind, text)),
            _ => blocks.push(("", part)),
        }
    }
    blocks
}

#[test]
fn a_model_s_everyday_tasks_go_as_the_document_shows() {
    let folder = tempfile::tempdir().unwrap();
    fixtures(folder.path());
    let port = api();
    let origin = format!("http://127.0.0.1:{port}");
    let plugin = root().join("plugins/html").canonicalize().unwrap();
    let config = format!(
        "plugins = [{plugin:?}]\nmounts = [\".:/data\"]\nnet = [{origin:?}]\nsecrets = {{ API_TOKEN = [{origin:?}] }}\n[commands]\ncount_lines = {{ run = [\"wc\", \"-l\"] }}\n"
    );
    std::fs::write(folder.path().join("perennial.toml"), config).unwrap();
    let mut child = perennial()
        .args(["mcp", "-c", "perennial.toml"])
        .current_dir(folder.path())
        .env("API_TOKEN", "s3cr3t-t0ken")
        .stdin(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let (write, read) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    let mut model = Model { child, write, read, id: 0 };
    let hello =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    model.ask("initialize", hello);
    let tools = model.ask("tools/list", json!({}));
    let path = root().join(DOCUMENT);
    let document = std::fs::read_to_string(&path).unwrap();
    let (mut played, mut said) = (String::new(), None);
    let stable = |text: &str| text.replace(&port.to_string(), "8080");
    let mut tasks = 0;
    for (kind, text) in blocks(&document) {
        match kind {
            "" => played.push_str(text),
            "js" => {
                let script = text.replace("8080", &port.to_string());
                let mut arguments = json!({"script": script});
                if script.contains("for (;;) {}") {
                    arguments["timeout_ms"] = json!(200);
                }
                let answer = model.ask("tools/call", json!({"name": "run", "arguments": arguments}));
                said = Some(stable(answer["content"][0]["text"].as_str().unwrap()));
                tasks += 1;
                let _ = write!(played, "```js\n{text}```");
            }
            "text" => {
                let said = said.take().unwrap_or_else(|| stable(tools["tools"][0]["description"].as_str().unwrap()));
                let _ = write!(played, "```text\n{said}\n```");
            }
            other => panic!("a block of {other:?}"),
        }
    }
    if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
        std::fs::write(&path, &played).unwrap();
    }
    assert!(tasks >= 20, "{tasks} scripts");
    assert_eq!(played, document, "UPDATE_TRANSCRIPTS=1 writes what is said anew");
}
