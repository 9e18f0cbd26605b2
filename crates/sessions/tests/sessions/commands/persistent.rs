//! Commands that go on: they outlive VMs and end with their session.

use perennial_sessions::commands::ProcessLimits;
use perennial_sessions::protocol::{ErrorKind, VmOrigin};
use perennial_sessions::{RunRequest, SessionTable, TableConfig};
use perennial_testkit::{ManualClock, eventually};
use serde_json::{Value, json};

use super::{is_there, pid_in, run, set, table, value};

fn server() -> Value {
    json!({"web": {"run": ["python3", "-u", "-m", "http.server", "--bind", "127.0.0.1", "${web}"], "persistent": true, "ports": ["web"], "ready": {"http": "web"}}})
}

#[tokio::test]
async fn a_server_that_one_run_starts_serves_a_later_one_though_the_vm_between_was_lost() {
    let table = table(&server());
    let started = value(&table, "await commands.start('web')").await;
    let stopped = table.run("s", RunRequest::new("for (;;) {}").with_timeout_ms(100)).await;
    assert_eq!(stopped.error.map(|error| error.kind), Some(ErrorKind::Timeout));
    let script = "const [web] = commands.list(); const url = 'http://127.0.0.1:' + web.ports.web + '/';
        const same = await commands.start('web'); [(await fetch(url)).status, (await fetch(url.replace('127.0.0.1', 'localhost')).catch((e) => e)).name, web.pid, same.pid]";
    let result = run(&table, script).await;
    assert_eq!(result.vm, Some(VmOrigin::Rebuilt));
    assert_eq!(
        result.value,
        Some(json!([200, "PermissionError", started["pid"], started["pid"]])),
        "{:?}",
        result.error
    );
    assert_eq!((result.usage.commands_begun, result.usage.commands_running), (0, 1));
    assert!(result.usage.command_log_bytes > 0);
    // Others do not reach it, nor does this session when it has ended.
    let port = &started["ports"]["web"];
    let other = table.run("other", RunRequest::new(format!("await fetch('http://127.0.0.1:{port}/')"))).await;
    assert_eq!(other.error.map(|error| error.kind), Some(ErrorKind::Permission));
    let script = format!("await commands.stop(commands.list()[0].id); await fetch('http://127.0.0.1:{port}/')");
    assert_eq!(run(&table, &script).await.error.map(|error| error.kind), Some(ErrorKind::Permission));
}

#[tokio::test]
async fn what_a_session_has_running_ends_with_it_however_it_ends() {
    let commands = json!({"s": {"run": ["sleep", "1000"], "persistent": true}});
    let clock = ManualClock::new();
    let config = |busy| {
        TableConfig::default().configure(|config| {
            config.commands = set(&commands);
            config.clock = std::sync::Arc::new(clock.clone());
            config.busy_with_commands = busy;
        })
    };
    let (table, busy) = (SessionTable::with_config(config(false)), SessionTable::with_config(config(true)));
    let start = "(await commands.start('s')).pid";
    let pid = value(&table, start).await;
    assert!(table.remove("s"));
    eventually("the process is gone", || !is_there(&pid)).await;
    let pid = value(&table, start).await;
    table.clear();
    eventually("the process is gone", || !is_there(&pid)).await;
    // Idle, unless a session with a command counts as used.
    let (pid, busy_pid) = (value(&table, start).await, value(&busy, start).await);
    clock.advance(std::time::Duration::from_secs(2 * 3600));
    assert!(table.is_empty());
    eventually("the process is gone", || !is_there(&pid)).await;
    assert!(busy.len() == 1 && is_there(&busy_pid));
    drop(busy);
    eventually("the process is gone", || !is_there(&busy_pid)).await;
}

#[tokio::test]
async fn a_session_that_has_ended_leaves_no_folder() {
    let commands =
        json!({"home": {"run": "mkdir -p \"$HOME/a/b\"; echo x > \"$HOME/a/b/c\"; chmod 0 \"$HOME/a\"; pwd"}});
    let table = table(&commands);
    let home = value(&table, "(await commands.run('home')).stdout.trim()").await;
    let home = std::path::PathBuf::from(home.as_str().unwrap());
    assert!(home.is_dir());
    table.remove("s");
    eventually("the folder is gone", || !home.exists()).await;
}

#[tokio::test]
async fn logs_are_read_from_a_cursor_on_and_input_is_written() {
    let table = table(
        &json!({"cat": {"run": "echo begun; cat; echo ended >&2", "persistent": true, "ready": {"line": "begun"}}}),
    );
    let script = "const { id } = await commands.start('cat'); const first = commands.logs(id);
        await commands.write(id, 'h\u{e9}llo\\n'); await commands.write(id, new Uint8Array([65])); await commands.write(id, null);
        const ended = await commands.wait(id); const { lines, next, missed } = commands.logs(id, { since: first.next });
        [first.lines.map((l) => l.text), lines.map((l) => [l.stream, l.text]), next, missed, ended.exitCode, ended.running, lines[0].time > 1e12]";
    let got = value(&table, script).await;
    // Two pipes have no order between them.
    let mut lines = got[1].as_array().unwrap().clone();
    lines.sort_by_key(|line| line[0] == json!("stderr"));
    assert_eq!(lines, [json!(["stdout", "h\u{e9}llo"]), json!(["stdout", "A"]), json!(["stderr", "ended"])]);
    assert_eq!(
        (&got[0], &got[3], &got[4], &got[5], &got[6]),
        (&json!(["begun"]), &json!(0), &json!(0), &json!(false), &json!(true))
    );
    let error = run(&table, "await commands.write(commands.list()[0].id, 'x')").await.error.unwrap();
    assert!(error.message.contains("reads nothing any more"), "{}", error.message);
}

#[tokio::test]
async fn the_log_is_bounded_and_says_what_it_has_lost() {
    let table = table(
        &json!({"loud": {"run": "head -c 10000000 /dev/zero | tr '\\0' x | fold -w 1000; echo; echo end", "persistent": true}}),
    );
    let script = "const { id } = await commands.start('loud'); await commands.wait(id); const { lines, missed, next } = commands.logs(id);
        [lines.at(-1).text, lines.length + missed === next, missed > 9000]";
    let result = run(&table, script).await;
    assert_eq!(result.value, Some(json!(["end", true, true])), "{:?}", result.error);
    assert!(result.usage.command_log_bytes <= 1 << 20);
}

#[tokio::test]
async fn status_tells_what_it_takes_and_signals_arrive() {
    let table = table(
        &json!({"busy": {"run": ["python3", "-uc", "import signal, sys\ndef told(*_): print('told', flush=True)\nsignal.signal(signal.SIGUSR1, told)\nprint('ready')\nwhile True: pass"], "persistent": true, "ready": {"line": "ready"}}}),
    );
    let script = "const { id } = await commands.start('busy'); let s; do { s = await commands.status(id) } while (s.cpuMs < 50);
        commands.signal(id, 'SIGUSR1'); while (!commands.logs(id).lines.some((l) => l.text === 'told')) await new Promise((r) => setTimeout(r, 10));
        [s.running, s.exitCode, s.restarts, s.processes, s.rssBytes > 1e6, s.uptimeMs > 0]";
    assert_eq!(value(&table, script).await, json!([true, null, 0, 1, true, true]));
    let error = run(&table, "commands.signal(commands.list()[0].id, 'SIGNOTHING')").await.error.unwrap();
    assert!(error.message.contains("is no signal"), "{}", error.message);
    let script = "const { id } = commands.list()[0]; commands.signal(id, 'SIGKILL'); const e = await commands.wait(id); [e.signal, (await commands.status(id)).running]";
    assert_eq!(value(&table, script).await, json!(["SIGKILL", false]));
    let error = run(&table, "const c = await commands.start('busy'); await commands.wait(c.id, { timeoutMs: 20 })")
        .await
        .error
        .unwrap();
    assert_eq!(error.name, "TimeoutError");
}

#[tokio::test]
async fn a_command_that_fails_is_started_again_if_that_was_declared_and_restart_keeps_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let table = table(&json!({
        "again": {"run": format!("echo $$ > {}; echo up; exec sleep 1000", file.display()), "persistent": true, "restart": "on-failure", "ready": {"line": "up"}},
        "once": {"run": "exit 0", "persistent": true, "restart": "on-failure"},
    }));
    let pid =
        value(&table, "globalThis.c = await commands.start('again'); commands.signal(c.id, 'SIGKILL'); c.pid").await;
    eventually("the process is gone", || !is_there(&pid)).await;
    let script = "let s; do { await new Promise((r) => setTimeout(r, 20)); s = commands.list()[0] } while (!s.running || s.restarts === 0); [s.id === c.id, s.pid !== c.pid, s.restarts]";
    assert_eq!(value(&table, script).await, json!([true, true, 1]));
    let script = "const s = await commands.restart(c.id); [s.id === c.id, s.running, s.restarts]";
    assert_eq!(value(&table, script).await, json!([true, true, 2]));
    let script =
        "const o = await commands.start('once'); const e = await commands.wait(o.id); [e.exitCode, e.restarts]";
    assert_eq!(value(&table, script).await, json!([0, 0]));
    let pid = pid_in(&file).await;
    value(&table, "await commands.stop(c.id); 0").await;
    assert!(!is_there(&pid), "what was stopped is not started again");
    assert_eq!(value(&table, "commands.list().map((c) => c.name)").await, json!(["once"]));
}

#[tokio::test]
async fn a_command_that_does_not_get_ready_is_killed_and_its_last_lines_are_told() {
    let table = table(&json!({
        "late": {"run": "echo still waiting; sleep 1000", "persistent": true, "ready": {"line": "never", "timeoutMs": 300}},
        "dies": {"run": "echo cannot bind >&2; exit 7", "persistent": true, "ready": {"line": "never"}},
        "port": {"run": ["sleep", "1000"], "persistent": true, "ports": ["p"], "ready": {"port": "p", "timeoutMs": 100}},
    }));
    for (name, parts) in [
        ("late", ["late was not ready before 300 ms are over", "still waiting"]),
        ("dies", ["dies was not ready before it exited with 7", "cannot bind"]),
        ("port", ["port was not ready before 100 ms are over", "it wrote nothing"]),
    ] {
        let error = run(&table, &format!("await commands.start('{name}')")).await.error.unwrap();
        assert!(parts.iter().all(|part| error.message.contains(part)), "{}", error.message);
    }
    assert_eq!(value(&table, "commands.list()").await, json!([]));
    eventually("so many run", || table.sessions()[0].commands == 0).await;
}

#[tokio::test]
async fn a_restart_is_ready_when_it_is_back_and_what_is_being_stopped_is_started_anew() {
    let table = table(&server());
    let script = "const w = await commands.start('web'); await commands.restart(w.id); const url = 'http://127.0.0.1:' + w.ports.web;
        const served = (await fetch(url)).status, stopping = commands.stop(w.id), next = await commands.start('web'); await stopping;
        [served, next.id !== w.id, (await fetch('http://127.0.0.1:' + next.ports.web)).status, commands.list().length]";
    assert_eq!(value(&table, script).await, json!([200, true, 200, 1]));
}

#[tokio::test]
async fn runs_wait_for_each_other_and_what_goes_on_is_not_waited_for() {
    let commands = json!({"run": {"run": ["sleep", "0.05"]}, "stay": {"run": ["sleep", "1000"], "persistent": true}, "too": {"run": ["sleep", "1000"], "persistent": true}});
    let process_limits = ProcessLimits::default().configure(|limits| limits.session = 2);
    let table = SessionTable::with_config(TableConfig::default().configure(|config| {
        config.commands = set(&commands);
        config.process_limits = process_limits;
    }));
    let script = "(await Promise.all(Array.from({ length: 10 }, () => commands.run('run')))).length";
    assert_eq!(value(&table, script).await, json!(10));
    let script = "await commands.start('stay'); const all = (await Promise.all([1, 2, 3].map(() => commands.run('run')))).length;
        await commands.start('too'); [all, await commands.run('run').catch((e) => e.name)]";
    assert_eq!(value(&table, script).await, json!([3, "QuotaExceededError"]));
}

#[tokio::test]
async fn a_line_that_comes_in_pieces_makes_ready() {
    let table = table(
        &json!({"slow": {"run": "printf list; sleep 0.4; printf en; sleep 0.4; echo ing; exec sleep 1000", "persistent": true, "ready": {"line": "listening", "timeoutMs": 20000}}}),
    );
    assert_eq!(value(&table, "(await commands.start('slow')).running").await, json!(true));
}

#[tokio::test]
async fn two_starts_of_one_name_at_once_are_one() {
    let table = table(&server());
    let script = "const all = await Promise.all([1, 2, 3].map(() => commands.start('web'))); [new Set(all.map((c) => c.pid)).size, commands.list().length]";
    assert_eq!(value(&table, script).await, json!([1, 1]));
}
