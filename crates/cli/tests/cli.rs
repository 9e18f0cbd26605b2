//! The program from outside: what people and scripts that drive it see.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/mcp.rs"]
mod mcp;
#[path = "cli/model.rs"]
mod model;
#[path = "cli/terminal.rs"]
mod terminal;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

fn perennial() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perennial"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn run(arguments: &[&str]) -> Output {
    perennial().args(arguments).current_dir(root()).output().unwrap()
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// Feeds lines to `perennial batch` and returns the answers.
fn batch(arguments: &[&str], lines: &str) -> (Vec<Value>, Output) {
    let mut child = perennial().arg("batch").args(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines = lines.to_owned();
    let feeder = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    let answers = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (answers, output)
}

fn answer(answers: &[Value], id: impl Into<Value>) -> &Value {
    let id = id.into();
    answers.iter().find(|answer| answer["id"] == id).unwrap_or_else(|| panic!("no answer to {id}: {answers:?}"))
}

#[test]
fn files_run_in_order_on_one_session_and_say_what_is_lost() {
    let files =
        ["1-remember", "2-recall", "3-too-much", "4-what-is-left"].map(|name| format!("examples/quickstart/{name}.ts"));
    let mut arguments = vec!["run"];
    arguments.extend(files.iter().map(String::as_str));
    let output = run(&arguments);
    assert_eq!(
        out(&output),
        "[\"apples\"]\n\
         {\"cart\":[\"apples\",\"pears\"],\"visits\":2,\"prices\":{\"$map\":[[\"apples\",{\"$bigint\":\"3\"}]]}}\n\
         {\"cart\":\"undefined\",\"visits\":2}\n"
    );
    assert!(err(&output).contains("put apples into the cart"), "{}", err(&output));
    assert!(err(&output).contains(
        "note: the VM was rebuilt before this run (memory_limit); lost globals: cart, hoard; vars and files are kept"
    ));
    assert_eq!(code(&output), 3, "a limit stopped one of them");
}

#[test]
fn the_exit_status_tells_a_failed_script_from_a_wrong_command_and_from_a_limit() {
    assert_eq!(code(&run(&["eval", "return 1"])), 0);
    assert_eq!(code(&run(&["eval", "throw 1"])), 1);
    assert_eq!(code(&run(&["eval", "let x = ;"])), 1);
    assert_eq!(code(&run(&["eval"])), 2);
    assert_eq!(code(&run(&["eval", "return 1", "--timeout", "never"])), 2);
    assert_eq!(code(&run(&["eval", "return 1", "--timeout", "0s"])), 2);
    assert_eq!(code(&run(&["eval", "return args", "--args", "{"])), 2);
    assert_eq!(code(&run(&["run", "no-such-file.js"])), 1);
    assert_eq!(code(&run(&["eval", "return 1", "--memory", "1k"])), 2);
    assert_eq!(code(&run(&["eval", "for (;;) {}", "--timeout", "50ms"])), 3);
    assert_eq!(code(&run(&["eval", "const a = []; for (;;) a.push(new Array(1e5).fill(0))", "--memory", "16MiB"])), 3);
    assert_eq!(code(&run(&["eval", "for (;;) {}", "--cpu", "50ms"])), 3);
    assert_eq!(code(&run(&["eval", "return 'x'.repeat(2e6)"])), 3);
}

#[test]
fn values_go_to_stdout_and_everything_else_to_stderr() {
    let output = run(&["eval", "console.log('note'); return { a: args.b }", "--args", r#"{"b": [1, "x"]}"#]);
    assert_eq!((out(&output), err(&output)), ("{\"a\":[1,\"x\"]}\n", "note\n"));
    let output = run(&["eval", "return undefined"]);
    assert_eq!((out(&output), code(&output)), ("", 0));
    let output = run(&["eval", "const x = 1;\nreturn x.y.z"]);
    assert_eq!(out(&output), "");
    assert_eq!(
        err(&output),
        "TypeError: cannot read property 'z' of undefined: x.y is undefined\n  at eval:2:8\n  return x.y.z\n         ^\n"
    );
}

#[test]
fn json_is_one_result_a_line_and_has_no_colours() {
    let output = run(&["eval", "console.log(1); return 2", "--json"]);
    let result: Value = serde_json::from_str(out(&output)).unwrap();
    assert_eq!(
        (&result["status"], &result["value"], &result["console"][0]["message"]),
        (&json!("ok"), &json!(2), &json!("1"))
    );
    assert_eq!(err(&output), "");
}

#[test]
fn scripts_see_utc_wherever_they_run() {
    let output =
        perennial().env("TZ", "America/New_York").args(["eval", "return new Date(0).getHours()"]).output().unwrap();
    assert_eq!(out(&output), "0\n");
}

#[test]
fn a_script_comes_from_stdin_too() {
    let mut child = perennial().args(["run", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"return 1 + 1").unwrap();
    assert_eq!(out(&child.wait_with_output().unwrap()), "2\n");
}

#[test]
fn every_command_explains_itself() {
    for arguments in
        [&["--help"][..], &["run", "--help"], &["eval", "--help"], &["batch", "--help"], &["mcp", "--help"]]
    {
        let output = run(arguments);
        assert_eq!(code(&output), 0);
        assert!(out(&output).contains("Usage: perennial"), "{}", out(&output));
    }
    assert!(out(&run(&["run", "--help"])).contains("Exit status"));
}

#[test]
fn a_batch_keeps_the_order_of_each_session_and_answers_every_line() {
    let lines = r#"{"id":1,"session":"a","script":"globalThis.n = 41; return n","args":[],"timeout_ms":1000,"memory_bytes":67108864,"epoch":1}
{"id":"two","session":"a","script":"return ++n","epoch":1}
{"id":3,"session":"a","op":"reset"}
{"id":4,"session":"a","script":"return typeof n","epoch":1}
{"id":5,"session":"a","op":"close"}
{"id":6,"session":"a","script":"return typeof n","epoch":1}
not json

{"id":7,"script":"return 1"}
{"id":8,"session":"b","script":"return 1","bogus":true}
{"id":9,"session":"b","op":"explode"}
{"id":10,"session":"b","script":"return 1","timeout_ms":0}
[1,2]
{"id":11,"session":"c","op":"reset"}
"#;
    let (answers, output) = batch(&[], lines);
    assert_eq!((answers.len(), code(&output)), (13, 0));
    assert_eq!(answer(&answers, 1)["value"], 41);
    assert_eq!(answer(&answers, "two")["value"], 42);
    assert_eq!(answer(&answers, 3), &json!({"id": 3, "session": "a", "op": "reset", "status": "ok", "existed": true}));
    assert_eq!(
        (&answer(&answers, 4)["value"], &answer(&answers, 4)["rebuilt_because"]),
        (&json!("undefined"), &json!("reset"))
    );
    assert_eq!(answer(&answers, 5)["existed"], true);
    assert_eq!((&answer(&answers, 6)["vm"], &answer(&answers, 6)["replaces"]), (&json!("built"), &json!("removed")));
    assert_eq!(answer(&answers, 11)["existed"], false);
    for (id, line) in [(7, 9), (8, 10), (9, 11)] {
        assert_eq!(answer(&answers, id)["line"], line);
        assert_eq!(answer(&answers, id)["error"]["kind"], "invalid_request");
    }
    assert_eq!(answer(&answers, 10)["error"]["kind"], "invalid_request");
    let lines: Vec<_> =
        answers.iter().filter(|answer| answer.get("id").is_none()).map(|answer| answer["line"].clone()).collect();
    assert_eq!(lines, [7, 13]);
}

#[test]
fn sessions_of_a_batch_run_side_by_side() {
    let lines: String = (0..200)
        .map(|i| format!("{{\"id\":{i},\"session\":\"s{i}\",\"script\":\"await new Promise((r) => setTimeout(r, 300)); return 1\"}}\n"))
        .collect();
    let started = Instant::now();
    let (answers, _) = batch(&["--concurrency", "200"], &lines);
    assert_eq!(answers.iter().filter(|answer| answer["value"] == 1).count(), 200);
    assert!(started.elapsed() < Duration::from_secs(20), "one after the other it would take a minute");
}

#[test]
fn a_batch_whose_reader_has_gone_ends() {
    let mut child = perennial().arg("batch").stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    for i in 0..1000 {
        if stdin.write_all(format!("{{\"id\":{i},\"session\":\"s\",\"script\":\"return 1\"}}\n").as_bytes()).is_err() {
            break;
        }
    }
    drop(stdin);
    assert_eq!(wait(&mut child).code(), Some(1));
}

fn wait(child: &mut Child) -> std::process::ExitStatus {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < until, "the program does not end");
        std::thread::yield_now();
    }
}

#[test]
fn signals_stop_the_script_and_end_the_program_at_once() {
    for (signal, expected) in [("INT", 130), ("TERM", 143)] {
        // The second is stuck in a built-in that never polls.
        for script in ["console.log('up'); for (;;) {}", "Array.prototype.sort.call({ length: 2 ** 53 - 1 })"] {
            let mut child = perennial().args(["batch"]).stdin(Stdio::piped()).spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            let line = json!({"id": 1, "session": "a", "script": "return 1"});
            writeln!(stdin, "{line}\n{}", json!({"id": 2, "session": "b", "script": script})).unwrap();
            // Once the first is answered the program is up.
            let mut answer = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut answer).unwrap();
            assert!(answer.contains("\"id\":1"), "{answer}");
            let status = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
            assert!(status.success());
            assert_eq!(wait(&mut child).code(), Some(expected));
        }
    }
}

/// Runs the blocks of a document that show a shell, in a folder, and compares what they print. Returns how many commands there were.
fn play(document: &str, folder: &Path) -> usize {
    let text = std::fs::read_to_string(root().join(document)).unwrap();
    let mut commands = 0;
    let state = tempfile::tempdir().unwrap();
    for block in text.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        let mut lines = block.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(command) = line.strip_prefix("$ ") else { continue };
            let mut expected = String::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                expected.push_str(line);
                expected.push('\n');
            }
            let command = command.split(" # ").next().unwrap().trim().replace("cargo run --release --", "perennial");
            // Built already: the program itself in place of cargo's way to it.
            let shell =
                format!("perennial() {{ '{}' \"$@\"; }}; exec 2>&1; {command}", env!("CARGO_BIN_EXE_perennial"));
            let output = Command::new("bash")
                .args(["-c", &shell])
                .current_dir(folder)
                .env("XDG_STATE_HOME", state.path())
                .output()
                .unwrap();
            if !expected.is_empty() {
                assert_eq!(out(&output), expected, "{document}: {command}");
            }
            commands += 1;
        }
    }
    commands
}

#[test]
fn the_readme_s_commands_do_what_it_says() {
    let commands = play("README.md", &root());
    assert!(commands >= 3, "the README shows {commands} commands");
}

#[test]
fn what_the_document_on_node_shows_is_so() {
    assert_eq!(play("docs/node.md", &root()), 2);
}

#[test]
fn what_the_document_on_commands_shows_is_so() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(play("docs/commands.md", folder.path()), 6);
}

#[test]
fn the_document_of_the_browser_is_played() {
    // Where there is none, nothing of it can be.
    if !["/usr/lib/chromium/chromium-headless-shell", "/usr/lib/chromium/chromium"]
        .iter()
        .any(|path| Path::new(path).exists())
    {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(play("docs/browser.md", folder.path()), 4);
}

#[test]
fn who_follows_the_guide_has_a_tested_plugin() {
    let folder = tempfile::tempdir().unwrap();
    let commands = play("docs/plugins.md", folder.path());
    assert!(commands >= 5, "the guide shows {commands} commands");
}

#[test]
fn the_first_party_plugins_do_what_their_readmes_show_and_pass_their_tests() {
    for plugin in ["html", "table", "text"] {
        let folder = format!("plugins/{plugin}");
        assert!(play(&format!("{folder}/README.md"), &root()) >= 3, "{plugin}");
        let tested = Command::new(env!("CARGO_BIN_EXE_perennial"))
            .args(["plugin", "test", &folder])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(tested.status.success(), "{}", out(&tested));
    }
}

#[test]
fn sources_that_are_large_to_parse_wait_for_each_other_and_keep_the_memory_limit() {
    let script = |n: usize| format!("0 && [{}]; {n}", "{a:1,b:[1]},".repeat(300_000));
    let mut child = perennial().args(["batch", "--memory", "512MiB"]).stdin(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
    for n in 0..4 {
        writeln!(stdin, "{}", json!({"id": n, "session": format!("s{n}"), "script": script(n)})).unwrap();
    }
    for _ in 0..4 {
        let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer["value"], answer["id"], "{answer}");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    // One of them takes a third of a gigabyte.
    assert!(peak < 900 << 10, "four at once took {peak} kB");
    drop(stdin);
    assert!(child.wait().unwrap().success());
    // Who waits is stopped like anybody else, and holds up nobody afterwards. None of them ends by itself.
    let endless = |n: usize| json!({"id": n, "session": format!("s{n}"), "script": script(n) + "; for (;;) {}"});
    let waiting: String = (0..6).map(|n| format!("{}\n", endless(n))).collect();
    let after = json!({"id": 9, "session": "s0", "script": "1 + 1", "timeout_ms": 60_000});
    let (answers, _) = batch(&["--memory", "512MiB", "--timeout", "200ms"], &format!("{waiting}{after}\n"));
    for n in 0..6 {
        assert_eq!(answer(&answers, n)["error"]["kind"], "timeout", "{n}");
    }
    assert_eq!(answer(&answers, 9)["value"], 2, "{answers:?}");
    let (answers, _) =
        batch(&["--memory", "64MiB"], &format!("{}\n", json!({"id": 1, "session": "s", "script": script(1)})));
    let error = &answers[0]["error"];
    assert_eq!((&error["kind"], &error["limit"]), (&json!("invalid_request"), &json!(64 << 20)), "{error}");
    assert!(error["message"].as_str().unwrap().contains("preparing the source"), "{error}");
}

#[test]
fn what_the_parser_cannot_cope_with_is_told_by_check_and_run_and_costs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    write("package.json", "{}".to_owned());
    write("overflow.ts", format!("let x: {}", "A<B,".repeat(260_000)));
    write("endless.ts", format!("export default {}x", "<a>x?".repeat(60)));
    write("imports.ts", "import x from './overflow.ts'; x".to_owned());
    write("deep.ts", format!("export const a: {}number{} = 1 as any", "[".repeat(5000), "]".repeat(5000)));
    let perennial = |arguments: &[&str]| perennial().args(arguments).current_dir(folder.path()).output().unwrap();
    for (file, code) in [("overflow.ts", 2), ("imports.ts", 1)] {
        let checked = perennial(&["check", file]);
        assert_eq!(checked.status.code(), Some(1), "{file}: {}", err(&checked));
        let ran = perennial(&["run", file]);
        assert_eq!(ran.status.code(), Some(code), "{file}: {}", err(&ran));
        assert!(!err(&ran).is_empty() && err(&ran).len() < 5000, "{}", err(&ran));
    }
    assert_eq!(perennial(&["check", "deep.ts"]).status.code(), Some(0));
    let stopped = perennial(&["run", "endless.ts", "--timeout", "300ms"]);
    assert_eq!(stopped.status.code(), Some(3), "{}", err(&stopped));
    assert!(err(&stopped).contains("preparing the script took longer than 300 ms"), "{}", err(&stopped));
    let checked = perennial(&["check", "endless.ts", "--timeout", "300ms"]);
    assert!(err(&checked).contains("preparing the script took longer than 300 ms"), "{}", err(&checked));
}

#[test]
fn requests_that_wait_for_their_session_hold_up_no_other() {
    let mut child = perennial().args(["batch", "--timeout", "20s"]).stdin(Stdio::piped()).spawn().unwrap();
    let (mut stdin, mut answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()).lines());
    writeln!(stdin, "{}", json!({"id": "first", "session": "a", "script": "globalThis.go = false; await new Promise((done) => setTimeout(done, 15000))"})).unwrap();
    for n in 0..2000 {
        writeln!(stdin, "{}", json!({"id": n, "session": "a", "script": "1"})).unwrap();
    }
    writeln!(stdin, "{}", json!({"id": "other", "session": "b", "script": "2"})).unwrap();
    stdin.flush().unwrap();
    let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
    assert_eq!((&answer["id"], &answer["value"]), (&json!("other"), &json!(2)));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn lines_that_cannot_be_read_are_answered_with_the_id_they_have() {
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    let lines = [
        r#"{"id": 1, "session": "s", "script": "\ud800"}"#.to_owned(),
        r#"{"id": 2, "session": "s", "script": "1", "args": 1e400}"#.to_owned(),
        format!(r#"{{"args": {deep}, "id": 3, "session": "s", "script": "1"}}"#),
        format!(r#"{{"id": 4, "session": {:?}, "script": "1"}}"#, "s".repeat(300)),
        r#"{"id": 5, "session": "", "script": "1"}"#.to_owned(),
    ];
    let (answers, _) = batch(&[], &format!("{}\n", lines.join("\n")));
    for id in 1..=5 {
        assert_eq!(answer(&answers, id)["error"]["kind"], "invalid_request", "{id}");
    }
}

#[test]
fn a_line_that_is_too_long_has_no_id_of_the_next() {
    let (answers, _) =
        batch(&[], &format!("{}\n{}\n", "a".repeat(65 << 20), r#"{"id": 2, "session": "s", "script": "1 + 1"}"#));
    assert_eq!(answers.len(), 2);
    assert_eq!(answer(&answers, 2)["value"], 2);
    let long = answers.iter().find(|answer| answer["line"] == 1).unwrap();
    assert!(long["id"].is_null() && long["error"]["message"].as_str().unwrap().contains("longer than"), "{long}");
}

#[test]
fn a_broken_plugin_is_told_of_and_the_rest_goes_on_unless_plugins_are_required() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.ts"), "export default 1").unwrap();
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_perennial"));
        command.args(["eval", "--plugin", "bad.ts"]).args(more).arg("1 + 1").current_dir(folder.path());
        command.output().unwrap()
    };
    let output = run(&[]);
    assert_eq!((output.status.code(), out(&output)), (Some(0), "2\n"));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("plugin bad.ts: TypeError: the module has no default export")
    );
    let output = run(&["--require-plugins"]);
    assert_eq!((output.status.code(), out(&output)), (Some(1), ""));
}

#[test]
fn a_script_that_exits_gives_the_program_its_code() {
    assert_eq!(code(&run(&["eval", "process.exit(7)"])), 7);
    assert_eq!(code(&run(&["eval", "process.exit(0); throw 1"])), 0);
    assert_eq!(code(&run(&["eval", "async function main() { await 0; process.exit(3) } void main();"])), 3);
    let output = run(&["eval", "process.exit(9)", "--json"]);
    let result: Value = serde_json::from_str(out(&output)).unwrap();
    assert_eq!((result["error"]["exit_code"].as_u64(), code(&output)), (Some(9), 9));
}

#[test]
fn variables_and_secrets_are_named_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("perennial.toml"), "env = { MODE = \"file\", OTHER = \"x\" }\n").unwrap();
    let eval = |arguments: &[&str]| {
        perennial()
            .args(["eval", "-c", "perennial.toml"])
            .args(arguments)
            .current_dir(folder.path())
            .env("TOKEN", "0123456789")
            .env("HOME", "/h")
            .output()
            .unwrap()
    };
    let shown = "[process.env.MODE, process.env.OTHER, process.env.TOKEN, process.env.HOME]";
    assert_eq!(out(&eval(&[shown])).trim(), r#"["file","x",null,null]"#);
    assert_eq!(
        out(&eval(&[shown, "--env", "MODE=line", "--env", "TOKEN"])).trim(),
        r#"["line","x","0123456789",null]"#
    );
    let secret = eval(&["perennial.secret('TOKEN')", "--secret", "TOKEN=https://api.example.com"]);
    assert!(
        out(&secret).starts_with("\"perennial_secret_TOKEN_") && !out(&secret).contains("0123456789"),
        "{}",
        out(&secret)
    );
    for (arguments, part) in [
        (["1", "--secret", "TOKEN"], "write NAME=ORIGIN"),
        (["1", "--secret", "TOKEN=a.com"], "is no origin"),
        (["1", "--env", "NONE"], "the environment has no variable NONE"),
        (["1", "--env", "=x"], "a name stands before the ="),
    ] {
        let output = eval(&arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(err(&output).contains(part), "{}", err(&output));
    }
    // A secret without a value fails who uses it.
    let used = ["1 + 1", "perennial.secret('NONE')"].map(|script| eval(&[script, "--secret", "NONE=https://a.com"]));
    assert_eq!((out(&used[0]).trim(), code(&used[1])), ("2", 1));
    let why = "Error: the secret NONE is granted and has no value: the environment has no variable NONE";
    assert!(err(&used[1]).contains(why), "{}", err(&used[1]));
    // Whoever has started it hears of it at once.
    let said = "the secret NONE has no value, so what uses it fails: the environment has no variable NONE";
    assert!(used.iter().all(|output| err(output).starts_with(said)), "{}", err(&used[0]));
}

#[test]
fn what_scripts_produce_is_in_the_folder_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let script = "await artifacts.write('a/report.txt', 'text'); artifacts.list().length";
    let output = perennial().args(["eval", script, "--artifacts", "out"]).current_dir(folder.path()).output().unwrap();
    assert_eq!(out(&output).trim(), "1", "{}", err(&output));
    assert_eq!(err(&output).trim(), "note: artifacts: a/report.txt (4 bytes)");
    assert_eq!(std::fs::read_to_string(folder.path().join("out/a/report.txt")).unwrap(), "text");
    let refused = perennial().args(["eval", script]).current_dir(folder.path()).output().unwrap();
    assert!(
        err(&refused).starts_with("PermissionError: producing artifacts is not permitted; an output folder that the call lends would grant it\n"),
        "{}",
        err(&refused)
    );
}

/// A file system of 256 KiB, seen by the program alone.
#[test]
fn a_full_disk_is_an_error_that_names_it_and_loses_nothing_that_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let script = "const t = (p) => p.then(() => 'done', (e) => e.code + ' ' + e.name);
        await fs.writeFile('/d/kept', 'kept');
        const filled = await t(fs.writeFile('/d/big', new Uint8Array(1 << 20)));
        const appended = await t(fs.appendFile('/d/kept', 'x'.repeat(1 << 20)));
        const copied = await (async () => { await fs.writeFile('/mine', new Uint8Array(1 << 20)); return t(fs.copyFile('/mine', '/d/copy')) })();
        const produced = await t(artifacts.write('out.txt', 'y'.repeat(1 << 20)));
        for (const name of ['big', 'copy']) await fs.rm('/d/' + name, { force: true });
        [filled, appended, copied, produced, (await fs.readFile('/d/kept', 'utf8')).slice(0, 4), await t(fs.truncate('/d/kept', 4)), await t(fs.writeFile('/d/again', 'a')), artifacts.list()]";
    let program = env!("CARGO_BIN_EXE_perennial");
    let inside = format!(
        "mount -t tmpfs -o size=256k none {at} && exec {program} eval \"$1\" --mount {at}:/d:rw --artifacts {at}"
    );
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &inside, "sh", script])
        .output();
    let skipped = |why: &str| writeln!(std::io::stderr(), "skipped the full disk: {why}").unwrap();
    let Ok(output) = output else { return skipped("there is no unshare") };
    if err(&output).contains("unshare") || err(&output).contains("mount:") {
        return skipped(err(&output));
    }
    let full = "ENOSPC Error";
    let expected = json!([full, full, full, full, "kept", "done", "done", []]);
    assert_eq!(serde_json::from_str::<Value>(out(&output)).ok(), Some(expected), "{}{}", out(&output), err(&output));
}

#[test]
fn a_configuration_that_was_found_grants_nothing_before_it_was_agreed_to_as_it_is() {
    let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (inner, config) = (folder.path().join("a/b"), folder.path().join("perennial.toml"));
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(folder.path().join("secret.txt"), "s").unwrap();
    let text =
        "mounts = [\".:/host\"]\nenv = { MODE = \"x\" }\n[limits]\nmemory = \"64MiB\"\n[modules]\nroot = \"/\"\n";
    std::fs::write(&config, text).unwrap();
    let perennial_here = |arguments: &[&str]| {
        perennial().args(arguments).current_dir(&inner).env("XDG_STATE_HOME", state.path()).output().unwrap()
    };
    let script = "[await fs.exists('/host/secret.txt'), process.env.MODE ?? null]";
    let seen = |arguments: &[&str]| out(&perennial_here(&[&["eval", script], arguments].concat())).trim().to_owned();
    let untrusted = perennial_here(&["eval", script]);
    assert_eq!(out(&untrusted).trim(), "[false,null]");
    let said = err(&untrusted);
    assert!(
        said.contains("grants nothing yet: `perennial trust` agrees to env (MODE), mounts (.:/host), modules (/)"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);
    // Limits count, and a file that is named.
    let limited = perennial_here(&["eval", "new Uint8Array(128 << 20).length"]);
    assert!(err(&limited).contains("memory"), "{}", err(&limited));
    assert_eq!(seen(&["-c", "../../perennial.toml"]), "[true,\"x\"]");
    assert_eq!(
        (seen(&["--no-config"]), err(&perennial_here(&["eval", "1", "--no-config"]))),
        ("[false,null]".to_owned(), "")
    );
    assert_eq!(code(&perennial_here(&["eval", "1", "--no-config", "-c", "x"])), 2);
    assert_eq!(code(&perennial_here(&["eval", "1", "-c", "none.toml"])), 2);
    let agreed = perennial_here(&["trust"]);
    assert_eq!(code(&agreed), 0);
    assert!(err(&agreed).contains("may grant env (MODE), mounts (.:/host), modules (/)"), "{}", err(&agreed));
    assert_eq!((seen(&[]), err(&perennial_here(&["eval", "1"]))), ("[true,\"x\"]".to_owned(), ""));
    // Any change, and any other place, is agreed to anew.
    std::fs::write(&config, format!("{text}\n")).unwrap();
    assert_eq!(seen(&[]), "[false,null]");
    std::fs::write(&config, text).unwrap();
    std::fs::copy(&config, inner.join("perennial.toml")).unwrap();
    assert_eq!(seen(&[]), "[false,null]");
    std::fs::remove_file(inner.join("perennial.toml")).unwrap();
    assert_eq!(seen(&[]), "[true,\"x\"]");
    assert_eq!(code(&perennial_here(&["trust", "--revoke"])), 0);
    assert_eq!(seen(&[]), "[false,null]");
    // A link to a file that is trusted where it lies is another file.
    assert_eq!(code(&perennial_here(&["trust"])), 0);
    std::os::unix::fs::symlink(&config, inner.join("perennial.toml")).unwrap();
    assert_eq!(seen(&[]), "[false,null]");
    std::fs::remove_file(inner.join("perennial.toml")).unwrap();
    assert_eq!(seen(&[]), "[true,\"x\"]");
    // What grants nothing is not asked about.
    std::fs::write(&config, "[limits]\ntimeout = \"5s\"\n[modules]\nroot = \"a\"\n").unwrap();
    assert_eq!(err(&perennial_here(&["eval", "1"])), "");
}

#[test]
fn completions_and_a_manual_page_are_made_of_the_command_line() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert!(code(&output) == 0 && out(&output).contains("allow-net"), "{shell}: {}", err(&output));
    }
    assert_eq!(code(&run(&["completions", "nosuch"])), 2);
    assert!(out(&run(&["man"])).contains(".TH perennial"));
}

#[test]
fn what_the_program_does_is_logged_where_that_is_asked_for() {
    let script = "await fetch('https://example.invalid/secret?key=1').catch(() => 0)";
    let net = ["--no-config", "--allow-net", "other.example"];
    let eval = |more: &[&str]| run(&[&["eval", script], &net[..], more].concat());
    assert_eq!(err(&eval(&[])), "");
    let logged = eval(&["--log", "perennial::net=info"]);
    assert_eq!(code(&logged), 0);
    assert!(!err(&logged).contains("key=1"), "{}", err(&logged));
    let by_variable = perennial()
        .args(["eval", "await fetch('http://127.0.0.1:8099/').catch(() => 0)", "--allow-net", "http://127.0.0.1:8099"])
        .env("PERENNIAL_LOG", "info")
        .output()
        .unwrap();
    assert!(err(&by_variable).contains("perennial::net: "), "{}", err(&by_variable));
    assert_eq!(code(&run(&["eval", "1", "--log", "loud=very"])), 2);
}

#[test]
fn tests_of_a_plugin_are_chosen_by_name_and_a_plugin_is_found_as_a_package() {
    let folder = tempfile::tempdir().unwrap();
    let here = |arguments: &[&str]| perennial().args(arguments).current_dir(folder.path()).output().unwrap();
    assert_eq!(code(&here(&["plugin", "new", "hello"])), 0);
    let types = std::fs::read_to_string(folder.path().join("hello/perennial.d.ts")).unwrap();
    assert!(types.contains("greet(args: { \"name\": string }): Promise<string>;"), "{types}");
    let chosen = here(&["plugin", "test", "hello", "--filter", "by name"]);
    assert_eq!(out(&chosen).lines().last(), Some("1 passed, 0 failed"), "{}", out(&chosen));
    let none = here(&["plugin", "test", "hello", "--filter", "no such"]);
    assert!(code(&none) == 1 && err(&none).contains("no test has \"no such\" in its name"), "{}", err(&none));
    std::fs::create_dir_all(folder.path().join("node_modules/@scope")).unwrap();
    std::fs::rename(folder.path().join("hello"), folder.path().join("node_modules/@scope/hello")).unwrap();
    let called = here(&["eval", "await tools.hello.greet({ name: 'Ada' })", "--plugin", "@scope/hello"]);
    assert_eq!(out(&called).trim(), "\"Hello, Ada!\"", "{}", err(&called));
    let missing = here(&["eval", "1", "--plugin", "@scope/none", "--require-plugins"]);
    assert_eq!(code(&missing), 1);
}

#[test]
fn tests_of_a_plugin_that_is_watched_run_again_when_a_file_beside_them_changes() {
    let folder = tempfile::tempdir().unwrap();
    let here = |arguments: &[&str]| {
        let mut command = perennial();
        command.args(arguments).current_dir(folder.path());
        command
    };
    assert!(here(&["plugin", "new", "hello"]).status().unwrap().success());
    let mut child = here(&["plugin", "test", "hello", "--watch"]).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut sums = || {
        let sum = lines.find(|line| line.as_ref().unwrap().contains(" passed, ")).unwrap().unwrap();
        assert!(said.next().unwrap().unwrap().contains("waiting for a change"));
        sum
    };
    assert_eq!(sums(), "2 passed, 0 failed");
    let plugin = folder.path().join("hello/plugin.ts");
    let changed = std::fs::read_to_string(&plugin).unwrap().replace("Hello, ", "Goodbye, ");
    std::fs::write(&plugin, changed).unwrap();
    assert_eq!(sums(), "1 passed, 1 failed");
    // A file that is new counts as well.
    std::fs::write(
        folder.path().join("hello/more.test.ts"),
        "import { test } from \"perennial:test\";\ntest('more', () => {});\n",
    )
    .unwrap();
    assert_eq!(sums(), "2 passed, 1 failed");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_command_line_says_which_of_its_options_grants_what_was_refused() {
    for (script, hint) in [
        ("await fetch('https://api.example.com/x')", "hint: --allow-net 'GET api.example.com'"),
        ("await commands.run('git')", "hint: --allow-run PROGRAM"),
        ("await artifacts.write('a', 'b')", "hint: --artifacts FOLDER"),
        ("perennial.secret('TOKEN')", "hint: --secret NAME=ORIGIN"),
    ] {
        let refused = run(&["eval", script]);
        assert!(err(&refused).contains(hint), "{script}: {}", err(&refused));
    }
}

#[test]
fn rules_that_are_none_are_not_trusted_and_declarations_without_a_plugin_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let here = |arguments: &[&str]| {
        let mut command = perennial();
        command.args(arguments).current_dir(folder.path()).env("XDG_STATE_HOME", folder.path());
        command.output().unwrap()
    };
    std::fs::write(folder.path().join("perennial.toml"), "net = [\"http://localhost:1\"]\n").unwrap();
    let refused = here(&["trust"]);
    assert!(code(&refused) == 1 && !err(&refused).contains("trusted, as it is"), "{}", err(&refused));
    std::fs::write(folder.path().join("broken.ts"), "export default 1").unwrap();
    assert_eq!(code(&here(&["types", "--no-config", "--plugin", "broken.ts"])), 1);
    assert_eq!(code(&here(&["types", "--no-config"])), 0);
}
