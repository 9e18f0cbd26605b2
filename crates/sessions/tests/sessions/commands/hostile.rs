//! Programs that do not want to end, and scripts that leave some behind.

use std::path::Path;

use perennial_sessions::protocol::ErrorKind;
use perennial_sessions::{RunRequest, SessionTable};
use perennial_testkit::eventually;
use serde_json::{Value, json};

use super::{is_there, pid_in, run, table, value};

/// Forks twice and leads a session of its own, as daemons do; its environment has nothing of ours.
const DAEMON: &str = "import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1], 'w').write(str(os.getpid()))
        os.execve('/bin/sleep', ['sleep', '1000'], {})
    os._exit(0)
os.wait()
if len(sys.argv) > 2: time.sleep(1000)
";

#[tokio::test]
async fn a_daemon_that_a_command_leaves_behind_ends_with_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let table = table(&json!({
        "once": {"run": ["python3", "-c", DAEMON, &file]},
        "serve": {"run": ["python3", "-c", DAEMON, &file, "stay"], "persistent": true},
        "background": {"run": format!("sleep 1000 & echo $! > {}; exit 0", file.display())},
    }));
    for name in ["once", "background"] {
        assert_eq!(value(&table, &format!("(await commands.run('{name}')).exitCode")).await, json!(0), "{name}");
        assert!(!is_there(&pid_in(&file).await), "what is back is over, with all it started");
        std::fs::remove_file(&file).unwrap();
    }
    value(&table, "globalThis.c = await commands.start('serve'); c.pid").await;
    let daemon = pid_in(&file).await;
    assert!(is_there(&daemon));
    value(&table, "await commands.stop(c.id); 0").await;
    assert!(!is_there(&daemon));
}

#[tokio::test]
async fn a_program_that_ignores_term_is_killed_after_the_grace_and_one_that_obeys_gets_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ended");
    let table = table(&json!({
        "deaf": {"run": "trap '' TERM; echo ready; while :; do sleep 0.05; done", "persistent": true, "ready": {"line": "ready"}},
        // Its child needs longer than itself.
        "tidy": {"run": ["python3", "-c", "import os, signal, sys, time
if os.fork() == 0:
    def end(*_):
        time.sleep(0.3); open(sys.argv[1], 'w').write('tidied'); os._exit(0)
    signal.signal(signal.SIGTERM, end)
    print('ready', flush=True)
while True: signal.pause()", &file], "persistent": true, "ready": {"line": "ready"}},
    }));
    let script = "const c = await commands.start('deaf'); await commands.stop(c.id, { graceMs: 100 })";
    assert_eq!(value(&table, script).await["signal"], json!("SIGKILL"));
    let script = "const c = await commands.start('tidy'); await commands.stop(c.id)";
    assert_eq!(value(&table, script).await["signal"], json!("SIGTERM"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "tidied");
}

#[tokio::test]
async fn a_fork_bomb_is_bounded_and_ends() {
    let bomb = "import os, time
def bomb():
    while True:
        try:
            if os.fork() == 0 and os.getpid() % 2: os.setsid()
        except OSError: time.sleep(0.01)
bomb()";
    let table = table(&json!({
        "bomb": {"run": ["python3", "-c", bomb], "limits": {"processes": 20}, "timeoutMs": 1000},
        "true": {"run": ["true"]},
    }));
    let reason = value(&table, "await commands.run('bomb').catch((e) => e.reason)").await;
    assert!(reason == json!("timeout") || reason == json!("processes"), "{reason}");
    assert_eq!(value(&table, "(await commands.run('true')).exitCode").await, json!(0));
}

/// The script is stopped while a command runs, by `stop`, which gets where the command says that it does.
async fn is_killed_when(stop: impl AsyncFnOnce(&SessionTable, RunRequest, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let slow = format!("echo $$ > {}; sleep 1000", file.display());
    let table = table(&json!({"slow": {"run": slow}, "true": {"run": ["true"]}}));
    // The supervisor is there already.
    value(&table, "await commands.run('true'); 0").await;
    stop(&table, RunRequest::new("await Promise.all([commands.run('slow'), 0])"), &file).await;
    let pid = pid_in(&file).await;
    eventually("the process is gone", || !is_there(&pid)).await;
}

#[tokio::test]
async fn stopping_a_script_in_whatever_way_kills_what_it_runs() {
    is_killed_when(async |table, request, _| {
        let result = table.run("s", request.with_timeout_ms(2000)).await;
        assert_eq!(result.error.map(|error| error.kind), Some(ErrorKind::Timeout));
    })
    .await;
    is_killed_when(async |table, request, file| {
        tokio::select! {
            result = table.run("s", request) => panic!("{:?}", result.error),
            _ = pid_in(file) => {}
        }
    })
    .await;
    is_killed_when(async |table, request, file| {
        let (result, _) = tokio::join!(table.run("s", request), async {
            pid_in(file).await;
            table.remove("s")
        });
        assert_eq!(result.error.map(|error| error.kind), Some(ErrorKind::Cancelled));
    })
    .await;
    is_killed_when(async |table, request, file| {
        let script = request.script.replace("0]", "(async () => { for (;;) await null })()]");
        let (result, _) = tokio::join!(table.run("s", RunRequest::new(script).with_timeout_ms(2000)), pid_in(file));
        assert_eq!(result.error.map(|error| error.kind), Some(ErrorKind::Timeout), "while it computes");
    })
    .await;
}

#[tokio::test]
async fn more_commands_than_a_session_may_have_are_refused() {
    let table = table(&json!({"s": {"run": ["sleep", "1000"]}, "p": {"run": ["sleep", "1000"], "persistent": true}}));
    let script = "await commands.start('p'); globalThis.c = new AbortController();
        globalThis.all = Array.from({ length: 8 }, () => commands.run('s', {}, { signal: c.signal }).catch((e) => e.name)); 0";
    value(&table, script).await;
    eventually("so many run", || table.sessions()[0].commands == 9).await;
    let refused = value(&table, "c.abort(); (await Promise.all(all))[0]").await;
    assert_eq!(refused, json!("AbortError"));
    eventually("so many run", || table.sessions()[0].commands == 1).await;
}

#[tokio::test]
async fn limits_of_the_system_hold() {
    let table = table(&json!({
        "cpu": {"run": ["python3", "-c", "while True: pass"], "limits": {"cpuSeconds": 1}},
        "memory": {"run": ["python3", "-c", "x = bytearray(1 << 30)"], "limits": {"memoryBytes": 200 << 20}},
        "files": {"run": ["python3", "-c", "all = [open('/dev/null') for _ in range(50)]"], "limits": {"openFiles": 20}},
    }));
    let script = "const out = []; for (const name of ['cpu', 'memory', 'files']) out.push(await commands.run(name).catch((e) => [e.signal, e.exitCode, e.stderr.trim().split('\\n').pop().split(':')[0]])); out";
    let expected: Value = json!([["SIGXCPU", null, ""], [null, 1, "MemoryError"], [null, 1, "OSError"]]);
    assert_eq!(value(&table, script).await, expected);
}

#[tokio::test]
async fn a_command_that_kills_its_keeper_is_killed_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let text =
        format!("setsid sh -c 'echo $$ > {}; sleep 1000' & sleep 0.2; kill -9 $PPID; sleep 1000", file.display());
    let table = table(&json!({"killer": {"run": text}, "true": {"run": ["true"]}}));
    let error = run(&table, "await commands.run('killer')").await.error.unwrap();
    assert!(error.message.contains("SIGKILL"), "{}", error.message);
    let pid = pid_in(&file).await;
    eventually("the process is gone", || !is_there(&pid)).await;
    assert_eq!(value(&table, "(await commands.run('true')).exitCode").await, json!(0));
    // Whoever waits until all its children are gone would wait for ever.
    let entry = format!("/proc/{pid}");
    eventually("and nobody keeps its number", || !Path::new(&entry).exists()).await;
}

#[tokio::test]
async fn a_command_that_stops_its_keeper_and_the_supervisor_ends_with_its_session_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let both = format!("echo $$ > {}; kill -STOP $(ps -o ppid= $PPID) $PPID; exec sleep 1000", file.display());
    let again = format!("echo $$ > {}; while :; do kill -STOP $PPID; done", file.display());
    let table = table(
        &json!({"both": {"run": both, "persistent": true}, "again": {"run": again, "persistent": true}, "true": {"run": ["true"]}}),
    );
    for name in ["both", "again"] {
        value(&table, &format!("await commands.start('{name}'); 0")).await;
        let pid = pid_in(&file).await;
        assert!(table.remove("s"));
        eventually("the process is gone", || !is_there(&pid)).await;
        std::fs::remove_file(&file).unwrap();
        assert_eq!(value(&table, "(await commands.run('true')).exitCode").await, json!(0), "others go on");
    }
}

#[tokio::test]
async fn whoever_is_told_too_much_is_killed_all_the_same() {
    let table = table(
        &json!({"many": {"run": "for i in $(seq 40); do sleep 1000 & done; echo ready; wait", "persistent": true, "ready": {"line": "ready"}}}),
    );
    let script = "const { id, pid } = await commands.start('many');
        const asking = Promise.all(Array.from({ length: 300 }, () => commands.status(id).catch(() => 0)));
        for (let i = 0; i < 2000; i++) commands.signal(id, i % 2 ? 'SIGWINCH' : 'SIGURG');
        const ended = await commands.stop(id, { graceMs: 0 }); await asking; [ended.running, pid]";
    let got = value(&table, script).await;
    assert_eq!(got[0], json!(false));
    assert!(!is_there(&got[1]));
}

#[tokio::test]
async fn what_a_command_does_to_its_keeper_is_not_the_next_session_s() {
    let table = table(
        &json!({"tamper": {"run": "prlimit --pid $PPID --fsize=0:0"}, "write": {"run": "echo hello > \"$HOME/x\" && cat \"$HOME/x\""}}),
    );
    value(&table, "(await commands.run('tamper')).exitCode").await;
    let other = table.run("other", RunRequest::new("(await commands.run('write')).stdout")).await;
    assert_eq!(other.value, Some(json!("hello\n")), "{:?}", other.error);
}

#[tokio::test]
async fn a_home_that_is_deeper_than_there_are_descriptors_goes_with_its_session() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 512, hard).unwrap();
    let deep = "my $d = $ENV{HOME}; chdir $d; for (1..3000) { mkdir 'd' or die; chdir 'd' or die } print 'done'";
    let table = table(
        &json!({"deep": {"run": ["perl", "-e", deep]}, "home": {"run": "echo \"$HOME\""}, "gone": {"run": "rm -rf \"$(dirname \"$HOME\")\""}}),
    );
    let home = value(
        &table,
        "const { stdout } = await commands.run('deep'); [stdout, (await commands.run('home')).stdout.trim()]",
    )
    .await;
    assert_eq!(home[0], json!("done"));
    let home = std::path::PathBuf::from(home[1].as_str().unwrap());
    assert!(home.is_dir() && table.remove("s"));
    eventually("the folder is gone", || !home.exists()).await;
    // Nor is it the end when a command removes the folders of all.
    value(&table, "await commands.run('gone'); 0").await;
    let other = table.run("other", RunRequest::new("(await commands.run('home')).exitCode")).await;
    assert_eq!(other.value, Some(json!(0)), "{:?}", other.error);
}

#[tokio::test]
async fn lines_are_made_within_the_heap_and_output_is_counted() {
    let table = table(
        &json!({"lines": {"run": "yes '' | head -c 8000000", "output": "lines"}, "one": {"run": ["true"]}, "bytes": {"run": ["head", "-c", "8000000", "/dev/zero"]}}),
    );
    let request = RunRequest::new("(await commands.run('lines')).stdout.length")
        .configure(|request| request.memory_bytes = Some(32 << 20));
    let result = table.run("s", request).await;
    assert_eq!(result.error.map(|error| error.kind), Some(ErrorKind::MemoryLimit));
    let request = RunRequest::new(
        "(await commands.run('one')).exitCode + ' ' + await commands.run('bytes').catch((e) => e.name)",
    )
    .configure(|request| request.memory_bytes = Some(4 << 20));
    assert_eq!(table.run("s", request).await.value, Some(json!("0 QuotaExceededError")));
}
