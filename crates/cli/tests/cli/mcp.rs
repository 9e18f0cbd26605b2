//! `perennial mcp` as its client sees it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{answer, out, perennial, root, wait};

#[test]
fn nothing_but_protocol_reaches_the_stdout_of_the_mcp_server() {
    let mut child = perennial().arg("mcp").stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
        "name": "run", "arguments": {"script": "console.log('{}'); console.error('x'); return 1"}}});
    writeln!(stdin, "{initialize}").unwrap();
    writeln!(stdin, "{}", json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
    writeln!(stdin, "this is no message").unwrap();
    writeln!(stdin, "{call}").unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    while !seen.iter().any(|message: &Value| message["id"] == 2) {
        seen.push(serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap());
    }
    assert!(seen.iter().all(|message| message["jsonrpc"] == "2.0"), "{seen:?}");
    drop(stdin);
    assert_eq!(wait(&mut child).code(), Some(0));
    for line in lines {
        assert_eq!(serde_json::from_str::<Value>(&line.unwrap()).unwrap()["jsonrpc"], "2.0");
    }
}

#[test]
fn the_mcp_server_ends_with_its_client_even_while_a_script_runs() {
    let mut child = perennial().arg("mcp").stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    writeln!(stdin, "{initialize}").unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
        "name": "run", "arguments": {"script": "for (;;) {}"}}});
    writeln!(stdin, "{}\n{call}", json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
    let started = Instant::now();
    drop(stdin);
    assert_eq!(wait(&mut child).code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[test]
fn mcp_answers_what_it_cannot_read_and_ends_when_its_client_has_gone() {
    let mut child = perennial().arg("mcp").stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap() };
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    writeln!(stdin, "{hello}\n{}", json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
    assert_eq!(next()["id"], 0);
    let call = |id: &str, script: &str, more: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"run","arguments":{{"script":"{script}"{more}}}}}}}"#
        )
    };
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    for (id, line) in [
        ("1", call("1", r"\ud800", "")),
        ("2", call("2", "1", r#","args":1e400"#)),
        ("3", call("3", "1", &format!(r#","args":{deep}"#))),
        ("\"four\"", call("\"four\"", &"x".repeat(40 << 20), "")),
        ("5", r#"{"id":5,"method":[]}"#.to_owned()),
        ("6", r#"{"jsonrpc":"2.0","id":6,"method":"tools/call""#.to_owned()),
    ] {
        writeln!(stdin, "{line}").unwrap();
        let answer = next();
        assert_eq!(answer["id"].to_string(), id, "{answer}");
        assert!(answer["error"]["message"].is_string(), "{answer}");
    }
    writeln!(stdin, "{}", call("7", "1 + 1", "")).unwrap();
    assert_eq!(next()["id"], 7);
    // What the service allows is not for the model to raise.
    writeln!(stdin, "{}", call("7", "1 + 1", r#","timeout_ms":86400000"#)).unwrap();
    let refused = next();
    assert_eq!(refused["result"]["content"][0]["text"], "timeout_ms is at most 300000 here", "{refused}");
    // Four of these are held, and no fifth.
    let large = "x".repeat(15 << 20);
    for id in 50..55 {
        let more = format!(r#","session":"{id}","args":"{large}""#);
        writeln!(stdin, "{}", call(&id.to_string(), "await new Promise((done) => setTimeout(done, 60000))", &more))
            .unwrap();
    }
    let refused = next();
    assert_eq!(refused["id"], 54, "{refused}");
    assert!(refused["error"]["message"].as_str().unwrap().contains("calls under way"), "{refused}");
    // Whatever part of a call is large.
    let key = "k".repeat(5 << 20);
    let reset = json!({"jsonrpc": "2.0", "id": 55, "method": "tools/call", "params": {"name": "reset_session", "arguments": {"session": "50", key: 1}}});
    writeln!(stdin, "{reset}\n{}", json!({"jsonrpc": "2.0", "id": "i".repeat(600), "method": "ping"})).unwrap();
    let refused = [next(), next()];
    assert!(refused.iter().any(|answer| answer["id"] == 55 && answer["error"]["code"] == -32000), "{refused:?}");
    assert!(refused.iter().any(|answer| answer["id"].is_null()), "{refused:?}");
    // More than a pipe holds, and nobody reads it.
    for id in 8..40 {
        writeln!(stdin, "{}", call(&id.to_string(), "'x'.repeat(60000)", "")).unwrap();
    }
    drop(stdin);
    wait(&mut child);
    drop(answers);
}

#[test]
fn the_mcp_tool_names_the_plugins() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_perennial"))
        .args(["mcp", "--plugin", "plugins/html", "--plugin", "plugins/text"])
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    writeln!(stdin, "{hello}\n{}", json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
    writeln!(stdin, "{}", json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let listed = lines.next().unwrap().unwrap();
    assert!(
        listed.contains("html { links, metadata, tables, text } (Reads HTML: text, links, tables, metadata), text { chunk, diff, search } ("),
        "{listed}"
    );
    drop(stdin);
    assert_eq!(wait(&mut child).code(), Some(0));
}

#[test]
fn what_was_asked_of_the_mcp_server_before_its_input_ended_is_answered() {
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let call = |id: u64, script: &str| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "run", "arguments": {"script": script}}});
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let lines = format!("{initialize}\n{initialized}\n{}\n{}\n", call(2, "20 + 22"), call(3, "_ + 1"));
    let mut child = perennial().arg("mcp").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let answers: Vec<Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let text = |id: u64| answer(&answers, id)["result"]["content"][0]["text"].clone();
    assert_eq!((text(2), text(3)), (json!("42"), json!("43")));
}
