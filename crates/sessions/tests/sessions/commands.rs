//! Commands: real programs, run and started by scripts.

mod hostile;
mod injection;
mod persistent;

use std::path::Path;

use perennial_sessions::commands::CommandSet;
use perennial_sessions::protocol::ErrorKind;
use perennial_sessions::{RunRequest, ScriptResult, SessionTable, TableConfig, use_supervisor};
use perennial_testkit::eventually;
use serde_json::{Value, json};

fn set(commands: &Value) -> CommandSet {
    use_supervisor(env!("CARGO_BIN_EXE_perennial-supervisor"));
    let path = std::env::var("PATH").unwrap();
    let empty =
        CommandSet::new().with_environment([("PATH".to_owned(), path), ("OWN".to_owned(), "own value".to_owned())]);
    commands.as_object().unwrap().iter().fold(empty, |set, (name, value)| set.with_json(name, value).unwrap())
}

fn table(commands: &Value) -> SessionTable {
    SessionTable::with_config(TableConfig::default().configure(|config| config.commands = set(commands)))
}

async fn run(table: &SessionTable, script: &str) -> ScriptResult {
    table.run("s", RunRequest::new(script).with_timeout_ms(60_000)).await
}

async fn value(table: &SessionTable, script: &str) -> Value {
    let result = run(table, script).await;
    result.value.unwrap_or_else(|| panic!("{script}: {:?}", result.error))
}

fn is_there(pid: &Value) -> bool {
    // A zombie is nobody.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_u64().unwrap())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z"))
}

async fn pid_in(file: &Path) -> Value {
    let number = || std::fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    eventually("there is a number", || number().is_some()).await;
    json!(number())
}

#[tokio::test]
async fn scripts_see_what_is_declared_and_with_which_values() {
    let declared = json!({"grep": {"run": ["grep", "${pattern}", "${...files?}"]}, "web": {"run": ["sleep", "1000"], "persistent": true}});
    let seen = run(&table(&declared), "[commands.declared(), commands.list()]").await.value.unwrap();
    let expected = json!([
        {"name": "grep", "values": ["pattern", "files?: […]"], "persistent": false},
        {"name": "web", "values": [], "persistent": true},
    ]);
    assert_eq!(seen, json!([expected, []]));
    assert_eq!(run(&table(&json!({})), "commands.declared()").await.value, Some(json!([])));
}

#[tokio::test]
async fn a_misspelt_or_misplaced_option_runs_nothing() {
    let table = table(&json!({"cat": {"run": ["cat"]}}));
    for (call, part) in [
        ("commands.run('cat', {}, { stding: 'x' })", "there is no option 'stding': there are stdin, timeoutMs, signal"),
        ("commands.run('cat', {}, { timeout: 5 })", "there is no option 'timeout'"),
        (
            "commands.run('cat', { stdin: 'x' })",
            "options are the third argument, as in commands.run(name, {}, { stdin })",
        ),
        ("commands.run('cat', ['x'])", "each by its name, as in commands.run(name, { value: 1 })"),
    ] {
        let error = run(&table, &format!("await {call}")).await.error.unwrap();
        assert!(error.message.contains(part), "{call}: {}", error.message);
    }
    assert_eq!(value(&table, "(await commands.run('cat', {}, { stdin: 'x' })).stdout").await, "x");
}

#[tokio::test]
async fn nothing_may_be_run_that_was_not_declared() {
    let result = run(&table(&json!({"list": {"run": ["ls"]}})), "await commands.run('rm', {})").await;
    let error = result.error.unwrap();
    assert_eq!(error.kind, ErrorKind::Permission);
    assert!(
        error.message.contains("\"rm\"") && error.message.contains("among the commands would grant it (granted: list)"),
        "{}",
        error.message
    );
    let error = run(&table(&json!({})), "await commands.start('x')").await.error.unwrap();
    assert_eq!(error.kind, ErrorKind::Permission);
    // A script that catches it finds what it may run.
    let known =
        "try { await commands.run('rm') } catch (error) { globalThis.caught = error } [caught.name, caught.granted]";
    let listed = value(&table(&json!({"list": {"run": ["ls"]}})), known).await;
    assert_eq!(listed, json!(["PermissionError", ["list"]]));
}

#[tokio::test]
async fn output_has_the_shape_that_was_declared() {
    let table = table(&json!({
        "text": {"run": ["printf", "a\\nb\\n"]},
        "lines": {"run": ["printf", "a\\nb\\n"], "output": "lines"},
        "bytes": {"run": ["printf", "\\377\\001"], "output": "bytes"},
        "json": {"run": ["echo", "{\"$bytes\": \"?\", \"a\": [1, null]}"], "output": "json"},
        "half": {"run": ["printf", "a\\303"]},
        "no-json": {"run": ["echo", "{"], "output": "json"},
    }));
    let script = "const out = {}; for (const name of ['text', 'lines', 'bytes', 'json', 'half']) out[name] = (await commands.run(name)).stdout; out";
    let expected = json!({
        "text": "a\nb\n", "lines": ["a", "b"], "bytes": {"$bytes": "/wE="}, "json": {"$object": {"$bytes": "?"}}, "half": "a\u{fffd}",
    });
    let mut got = value(&table, script).await;
    assert_eq!(got["json"]["a"], json!([1, null]));
    got["json"] = expected["json"].clone();
    assert_eq!(got, expected);
    let script = "try { await commands.run('no-json') } catch (e) { return [e.name, e.reason, e.stdout, e instanceof CommandError] }";
    assert_eq!(value(&table, script).await, json!(["CommandError", "output", "{\n", true]));
    let script = "const { stdout, stderr, exitCode, signal, durationMs } = await commands.run('text'); [stderr, exitCode, signal, durationMs > 0]";
    assert_eq!(value(&table, script).await, json!(["", 0, null, true]));
}

#[tokio::test]
async fn a_command_that_fails_throws_all_that_is_known_of_it() {
    let table = table(&json!({
        "fail": {"run": "echo out; echo no such thing >&2; exit 3"},
        "killed": {"run": "kill -9 $$"},
        "missing": {"run": ["no-such-program"]},
        "nowhere": {"run": ["true"], "cwd": "/no/such/folder"},
    }));
    let script = "try { await commands.run('fail') } catch (e) { return [e.name, e.message, e.stdout, e.stderr, e.exitCode, e.signal, e.reason, e.command] }";
    let expected = json!([
        "CommandError",
        "fail exited with 3:\nno such thing",
        "out\n",
        "no such thing\n",
        3,
        null,
        "exit",
        "fail"
    ]);
    assert_eq!(value(&table, script).await, expected);
    let script = "try { await commands.run('killed') } catch (e) { return [e.exitCode, e.signal, e.message] }";
    assert_eq!(value(&table, script).await, json!([null, "SIGKILL", "killed was ended by SIGKILL"]));
    for (name, why) in [("missing", "there is no program no-such-program"), ("nowhere", "its folder /no/such/folder")] {
        let error = run(&table, &format!("await commands.run('{name}')")).await.error.unwrap();
        assert!(error.message.contains(why), "{}", error.message);
    }
    assert_eq!(
        value(
            &table,
            "try { await commands.run('missing') } catch {} (await commands.run('fail').catch((e) => e.exitCode))"
        )
        .await,
        json!(3)
    );
}

#[tokio::test]
async fn a_command_is_a_session_and_group_of_its_own_with_nothing_of_the_host() {
    let table = table(&json!({
        "who": {"run": ["python3", "-c", "import os, json, resource, signal\nfds = []\nfor fd in os.listdir('/proc/self/fd'):\n  try: fds.append([int(fd), os.readlink('/proc/self/fd/' + fd)])\n  except OSError: pass\nprint(json.dumps({'leads': os.getsid(0) == os.getpid() == os.getpgid(0), 'fds': sorted(fds), 'core': resource.getrlimit(resource.RLIMIT_CORE), 'cwd': os.getcwd(), 'ignored': [line.split()[1] for line in open('/proc/self/status') if line.startswith('SigIgn') or line.startswith('SigBlk') or line.startswith('NoNewPrivs')]}))"],
            "output": "json"},
        "env": {"run": ["env"], "env": ["OWN", "NOT_THERE"], "output": "lines"},
        "pipe": {"run": "cat; pwd"},
    }));
    let got = value(&table, "(await commands.run('who')).stdout").await;
    assert_eq!(got["leads"], json!(true));
    assert_eq!(got["core"], json!([0, 0]));
    // 0 is /dev/null; 1 and 2 are pipes. Python ignores SIGPIPE (13) and SIGXFSZ (25) itself, glibc what it uses for threads (32 and 33).
    assert_eq!(got["fds"][0][1], json!("/dev/null"), "{got}");
    assert_eq!(got["fds"].as_array().unwrap().len(), 3, "{got}");
    assert_eq!(got["ignored"], json!(["0000000000000000", "0000000181001000", "1"]));
    let env = value(&table, "(await commands.run('env')).stdout.sort()").await;
    let names: Vec<_> =
        env.as_array().unwrap().iter().map(|line| line.as_str().unwrap().split('=').next().unwrap()).collect();
    assert_eq!(names, ["HOME", "LANG", "OWN", "PATH", "PERENNIAL_MARK"]);
    assert_eq!(env[2], json!("OWN=own value"));
    assert_eq!(json!(format!("HOME={}", got["cwd"].as_str().unwrap())), env[0], "the folder is the session's own");
    let script = "const a = await commands.run('pipe', {}, { stdin: 'text\\n' }), b = await commands.run('pipe', {}, { stdin: new Uint8Array([65, 10]) }); [a.stdout.split('\\n')[0], b.stdout.split('\\n')[0]]";
    assert_eq!(value(&table, script).await, json!(["text", "A"]));
}

#[tokio::test]
async fn a_command_is_killed_when_its_time_is_over_or_it_writes_too_much_and_what_it_wrote_is_told() {
    let table = table(&json!({
        "slow": {"run": "echo begun; sleep 1000"},
        "quick": {"run": ["sleep", "1000"], "timeoutMs": 50},
        "flood": {"run": ["head", "-c", "1000000000", "/dev/zero"]},
        "small": {"run": "yes >&2", "outputBytes": 1000},
    }));
    let script = "try { await commands.run('slow', {}, { timeoutMs: 300 }) } catch (e) { return [e.reason, e.stdout, e.message] }";
    assert_eq!(value(&table, script).await, json!(["timeout", "begun\n", "slow took longer than 300 ms"]));
    assert_eq!(
        value(&table, "await commands.run('quick').catch((e) => [e.reason, e.signal])").await,
        json!(["timeout", "SIGKILL"])
    );
    assert_eq!(
        value(&table, "await commands.run('flood').catch((e) => [e.reason, e.stdout.length])").await,
        json!(["overflow", 8 << 20])
    );
    let script = "await commands.run('small').catch((e) => [e.reason, e.message.split('\\n')[0], e.stderr.length])";
    assert_eq!(value(&table, script).await, json!(["overflow", "small wrote more than 1000 bytes to stderr:", 1000]));
}

#[tokio::test]
async fn an_aborted_command_is_killed_and_throws_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let table = table(
        &json!({"slow": {"run": format!("echo $$ > {}; sleep 1000", file.display())}, "true": {"run": ["true"]}}),
    );
    let script = "const c = new AbortController();
        void (async () => { while (!vars.has('runs')) await new Promise((done) => setTimeout(done, 1)); c.abort(new RangeError('enough')) })();
        const thrown = await commands.run('slow', {}, { signal: c.signal }).catch((e) => String(e));
        const at_once = await commands.run('slow', {}, { signal: AbortSignal.abort('no') }).catch((e) => e);
        [thrown, at_once, (await commands.run('true', {}, { signal: new AbortController().signal })).exitCode]";
    let runs = async {
        let pid = pid_in(&file).await;
        table.vars("s").set("runs", json!(1)).unwrap();
        pid
    };
    let (result, pid) = tokio::join!(value(&table, script), runs);
    assert_eq!(result, json!(["RangeError: enough", "no", 0]));
    eventually("the process is gone", || !is_there(&pid)).await;
}

#[tokio::test]
async fn wrong_arguments_are_told_and_start_nothing() {
    let table = table(&json!({"echo": {"run": ["echo", "${v}"]}, "web": {"run": ["sleep", "5"], "persistent": true}}));
    for (script, why) in [
        ("await commands.run('echo')", "there is no value for v"),
        ("await commands.run('echo', { v: undefined })", "there is no value for v"),
        ("await commands.run('echo', { v: null })", "no text, number or boolean"),
        ("await commands.run('echo', { v: NaN })", "no text, number or boolean"),
        ("await commands.run('echo', { v: 1n })", "no text, number or boolean"),
        ("await commands.run('echo', { v: 'a', w: 'b' })", "no place for w"),
        ("await commands.run('echo', 5)", "what a command gets is no object"),
        ("await commands.run('echo', { v: '' }, { stdin: 5 })", "stdin is a text or bytes"),
        ("await commands.run('echo', { v: '' }, { timeoutMs: -1 })", "timeoutMs is a number of milliseconds"),
        ("await commands.run('echo', { v: '' }, { signal: {} })", "no AbortSignal"),
        ("await commands.run('web')", "commands.start starts it"),
        ("await commands.start('echo', { v: '' })", "commands.run runs it"),
        ("commands.logs(99)", "there is no command 99"),
        ("commands.signal('x', 'SIGINT')", "named by its id"),
    ] {
        let error = run(&table, script).await.error.unwrap_or_else(|| panic!("{script}"));
        assert!(error.message.contains(why), "{script}: {}", error.message);
    }
    assert_eq!(run(&table, "1").await.usage.commands_begun, 0);
}
