//! Commands and the end of the program: nothing survives it, however it ends.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, kill_process, set_child_subreaper, waitid};
use serde_json::{Value, json};

use super::{code, err, out, perennial};

const CONFIG: &str = r#"
[commands]
true = { run = ["true"] }
sleep = { run = ["sleep", "1000"], persistent = true }
killer = { run = "K=$PPID; S=$(ps -o ppid= $K); kill -STOP $S $K; kill -9 $S $K; exec sleep 1000", persistent = true }
stray = { run = "setsid sh -c 'sleep 1000' & sleep 1000", persistent = true }
echo = { run = ["cat"] }
where = { run = "pwd; echo \"$HOME\"", output = "lines" }
[commands.web]
run = ["python3", "-m", "http.server", "--bind", "127.0.0.1", "${web}"]
persistent = true
ports = ["web"]
ready = { port = "web" }
[limits]
commands = 1000
"#;

/// `perennial batch` that lives until it is told otherwise, with folders of its own.
struct Program {
    child: Child,
    /// Its end is the program's.
    stdin: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: tempfile::TempDir,
}

impl Program {
    fn start() -> Self {
        // What it leaves behind comes to this process, and so is seen.
        set_child_subreaper(Some(getpid())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self::start_in(folder)
    }

    fn start_in(folder: tempfile::TempDir) -> Self {
        std::fs::write(folder.path().join("perennial.toml"), CONFIG).unwrap();
        std::fs::create_dir_all(folder.path().join("tmp")).unwrap();
        let mut child = perennial()
            .args(["batch", "--concurrency", "16", "-c", "perennial.toml"])
            .current_dir(folder.path())
            .env("TMPDIR", folder.path().join("tmp"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, stdin: Some(stdin), answers: BufReader::new(stdout), folder }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn line(&mut self, request: &Value) {
        writeln!(self.stdin.as_ref().unwrap(), "{request}").unwrap();
    }

    fn send(&mut self, session: &str, script: &str) {
        self.line(&json!({"session": session, "script": script}));
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"))
    }

    fn run(&mut self, session: &str, script: &str) -> Value {
        self.send(session, script);
        let answer = self.answer();
        assert_eq!(answer["status"], json!("ok"), "{answer}");
        answer["value"].clone()
    }

    fn close(&mut self, session: &str) {
        self.line(&json!({"session": session, "op": "close"}));
        self.answer();
    }

    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    fn scratch_is_empty(&self) -> bool {
        std::fs::read_dir(self.folder.path().join("tmp")).unwrap().count() == 0
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < end, "{what} did not happen within 30 seconds");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn processes() -> impl Iterator<Item = u32> {
    std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Everything that bears the mark of a program, and its supervisor and keepers.
fn of(host: u32) -> BTreeSet<u32> {
    let part = format!(".{host}.");
    let has = |text: Vec<u8>, name: &str| {
        let text = String::from_utf8_lossy(&text).into_owned();
        text.split('\0').any(|piece| piece.contains(name) && piece.contains(&part))
    };
    let read = |pid: u32, file: &str| std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    processes()
        .filter(|pid| has(read(*pid, "environ"), "PERENNIAL_MARK") || has(read(*pid, "cmdline"), "/perennial-"))
        .collect()
}

/// Reaps what has come to this process, but for those that are its own business; how many there were.
fn reap(but: u32) -> usize {
    let listed = std::fs::read_to_string("/proc/thread-self/children").unwrap();
    let mut all: BTreeSet<u32> = listed.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    for thread in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let more = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        all.extend(more.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()));
    }
    all.remove(&but);
    for pid in &all {
        let pid = Pid::from_raw(i32::try_from(*pid).unwrap()).unwrap();
        let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
    }
    all.len()
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn nothing_is_left_of_a_thousand_sessions_half_of_which_end_when_the_program_is_killed() {
    const HALF: usize = 500;
    const AT_A_TIME: usize = 16;
    let mut program = Program::start();
    // What is made once is there.
    program
        .run("first", "await commands.run('true'); const c = await commands.start('sleep'); await commands.stop(c.id)");
    program.close("first");
    let (before, pid) = (program.descriptors(), program.pid());
    let before_processes = of(pid).len();
    let mut ports = Vec::new();
    for half in 0..2 {
        for i in 0..HALF {
            let name = if i % 50 == 0 {
                "web"
            } else if i % 50 == 1 {
                "stray"
            } else {
                "sleep"
            };
            program.send(
                &format!("s{half}-{i}"),
                &format!("await commands.run('true'); const c = await commands.start('{name}'); c.ports.web ?? 0"),
            );
            // Some at a time: neither pipe holds them all.
            let answers = if i + 1 == HALF { AT_A_TIME } else { usize::from(i >= AT_A_TIME - 1) };
            for _ in 0..answers {
                let answer = program.answer();
                assert_eq!(answer["status"], json!("ok"), "{answer}");
                ports.extend(answer["value"].as_u64().filter(|port| *port > 0));
            }
        }
        assert!(of(pid).len() >= before_processes + 2 * HALF, "each has a keeper");
        if half == 0 {
            (0..HALF).for_each(|i| program.close(&format!("s0-{i}")));
            eventually("all but the supervisor and idle keepers are gone", || of(pid).len() <= before_processes + 4);
            eventually("descriptors are as many as before", || program.descriptors() <= before + 4);
        }
    }
    program.kill();
    eventually("nothing with the mark is there", || {
        reap(0);
        of(pid).is_empty()
    });
    eventually("nothing has come to whoever started the program", || reap(0) == 0);
    assert_eq!(ports.len(), 20);
    for port in ports {
        TcpListener::bind(("127.0.0.1", u16::try_from(port).unwrap())).expect("the port is free");
    }
    assert!(program.scratch_is_empty());
}

#[test]
fn a_program_that_ends_takes_its_commands_along() {
    for how in ["end", "TERM"] {
        let mut program = Program::start();
        program.run("s", "await commands.start('stray'); 0");
        let pid = program.pid();
        eventually("the stray is there", || of(pid).len() >= 4);
        match how {
            "TERM" => signal(pid, Signal::TERM),
            _ => drop(program.stdin.take()),
        }
        program.child.wait().unwrap();
        eventually("nothing is left", || {
            reap(0);
            of(pid).is_empty() && program.scratch_is_empty()
        });
    }
}

#[test]
fn a_program_that_was_stopped_goes_on_where_it_was() {
    let mut program = Program::start();
    program.run("s", "globalThis.c = await commands.start('sleep'); 0");
    signal(program.pid(), Signal::STOP);
    eventually("it is stopped", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", program.pid())).unwrap();
        stat.rsplit_once(") ").unwrap().1.starts_with('T')
    });
    program.send("s", "(await commands.status(c.id)).running");
    program.send("t", "(await commands.run('true')).exitCode");
    signal(program.pid(), Signal::CONT);
    let mut values = [program.answer()["value"].clone(), program.answer()["value"].clone()];
    values.sort_by_key(Value::is_boolean);
    assert_eq!(values, [json!(0), json!(true)]);
}

#[test]
fn a_killed_supervisor_ends_its_commands_and_the_next_command_has_another() {
    let mut program = Program::start();
    program.run("s", "globalThis.c = await commands.start('sleep'); 0");
    let command_line = |pid: u32| std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let name = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let all = of(program.pid());
    let supervisor = *all.iter().find(|pid| name(**pid).trim() == "perennial-super").unwrap();
    assert!(!command_line(supervisor).is_empty());
    signal(supervisor, Signal::KILL);
    let ended = program.run("s", "const e = await commands.wait(c.id); [e.running, e.signal]");
    assert_eq!(ended, json!([false, "SIGKILL"]));
    assert_eq!(program.run("s", "(await commands.run('true')).exitCode"), json!(0));
    eventually("nothing of the first is left", || {
        reap(program.pid());
        of(program.pid()).is_disjoint(&all)
    });
}

#[test]
fn a_command_that_kills_supervisor_and_keeper_at_once_is_found_by_its_mark() {
    let mut program = Program::start();
    program.run("s", "await commands.start('killer'); 0");
    let name = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let host = program.pid();
    eventually("it has killed both", || {
        reap(host);
        of(host).iter().map(name).collect::<String>() == "sleep\n"
    });
    let left = of(host);
    assert_eq!(program.run("t", "(await commands.run('true')).exitCode"), json!(0));
    eventually("the next supervisor has found it", || of(host).is_disjoint(&left));
}

#[test]
fn what_a_program_left_that_was_killed_with_its_supervisor_is_swept_by_the_next() {
    // Another program that runs has left nothing.
    let mut other = Program::start();
    other.run("s", "await commands.start('sleep'); 0");
    let theirs = of(other.pid());
    let mut program = Program::start();
    program.run("s", "await commands.start('sleep'); 0");
    let host = program.pid();
    let name = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let (watching, left): (Vec<u32>, Vec<u32>) =
        of(host).into_iter().partition(|pid| name(pid).starts_with("perennial-"));
    assert_eq!(left.len(), 1);
    watching.iter().for_each(|pid| signal(*pid, Signal::STOP));
    program.kill();
    watching.iter().for_each(|pid| signal(*pid, Signal::KILL));
    eventually("those that watched are gone", || {
        reap(0);
        of(host) == BTreeSet::from([left[0]])
    });
    assert!(!program.scratch_is_empty());
    let Program { folder, .. } = program;
    let mut next = Program::start_in(folder);
    // Before it has run anything.
    eventually("it is swept", || {
        reap(0);
        of(host).is_empty()
    });
    assert_eq!(of(other.pid()), theirs);
    next.kill();
    eventually("its folder is gone, and that of the first", || next.scratch_is_empty());
}

#[test]
fn a_program_is_allowed_on_the_command_line_and_runs_where_the_caller_is() {
    let folder = tempfile::tempdir().unwrap();
    let eval = |script: &str, options: &[&str]| {
        perennial().arg("eval").arg(script).args(options).current_dir(folder.path()).output().unwrap()
    };
    let output = eval("(await commands.run('pwd', { args: ['-P'] })).stdout.trim()", &["--allow-run", "pwd"]);
    let here = folder.path().canonicalize().unwrap();
    assert_eq!(out(&output).trim(), json!(here).to_string(), "{}", err(&output));
    let output = eval("await commands.run('rm', { args: ['-rf', '/'] })", &["--allow-run", "pwd"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("--allow-run"), "{}", err(&output));
    assert_eq!(code(&eval("1", &["--allow-run", ""])), 2);
    std::fs::write(folder.path().join("perennial.toml"), CONFIG).unwrap();
    let output = eval(
        "const [cwd, home] = (await commands.run('where')).stdout; [cwd, home !== cwd]",
        &["-c", "perennial.toml"],
    );
    assert_eq!(out(&output).trim(), json!([here, true]).to_string(), "{}", err(&output));
}

/// A folder that is named as this process would name its own.
fn named_as_ours(folder: &Path) -> std::path::PathBuf {
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    let boot = read("/proc/sys/kernel/random/boot_id").trim().replace('-', "");
    let namespace: String = std::fs::read_link("/proc/self/ns/pid")
        .unwrap()
        .to_string_lossy()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let stat = read("/proc/self/stat");
    let start = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned();
    let own = folder.join(format!("perennial-{boot}.{namespace}.{}.{start}.0", std::process::id()));
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join("file"), "x").unwrap();
    own
}

#[test]
fn the_hidden_argument_is_nothing_for_people() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "x").unwrap();
    // By name it may be its own caller's: only the socket tells.
    for name in [folder.path().to_owned(), named_as_ours(folder.path())] {
        let output = perennial().args(["__perennial_supervisor", name.to_str().unwrap()]).output().unwrap();
        assert_eq!(code(&output), 1);
        assert!(name.join("file").exists(), "nothing is removed for whoever is no host");
    }
}

/// Where there is no cgroup: as a user who may make none.
#[test]
fn a_fork_bomb_of_a_user_without_cgroups_is_bounded_too() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65534;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let program = folder.path().join("perennial");
    std::fs::copy(env!("CARGO_BIN_EXE_perennial"), &program).unwrap();
    let bomb = "while (1) { my $p = fork(); if (!defined $p) { select(undef, undef, undef, 0.01) } elsif ($p == 0) { setpgrp(0, 0) if $$ % 2 } }";
    let config = json!({"run": ["perl", "-e", bomb], "limits": {"processes": 20}});
    let text = format!("[commands]\nbomb = {{ run = {}, limits = {{ processes = 20 }} }}\n", config["run"]);
    std::fs::write(folder.path().join("perennial.toml"), text).unwrap();
    let mut command = std::process::Command::new(&program);
    command
        .args(["-c", "perennial.toml", "eval", "await commands.run('bomb').catch((e) => [e.reason, e.message])"])
        .current_dir(folder.path());
    command.env("TMPDIR", folder.path());
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let expected = json!(["processes", "bomb had more than 20 processes"]);
    assert_eq!(out(&output).trim(), expected.to_string(), "{}", err(&output));
}
