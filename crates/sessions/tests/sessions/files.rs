//! Files: what a session keeps, what a run may undo, and what no script gets at.

use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use perennial_sessions::files::{FilesQuota, Mount, MountError, MountMode, Mounts};
use perennial_sessions::protocol::{ChangeKind, ErrorKind, VmOrigin};
use perennial_sessions::{RunContext, RunRequest, ScriptResult, SessionTable, TableConfig};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) fn table() -> SessionTable {
    SessionTable::new(10, Duration::from_secs(60))
}

async fn run_with(table: &SessionTable, script: &str, context: RunContext) -> ScriptResult {
    table.run_with("s", RunRequest::new(script), context).await
}

pub(crate) async fn value(table: &SessionTable, script: &str, context: RunContext) -> Value {
    let ScriptResult { value, error, .. } = run_with(table, script, context).await;
    assert!(error.is_none(), "{script}: {error:?}");
    value.unwrap_or(Value::Null)
}

pub(crate) fn mount(host: &Path, at: &str, mode: MountMode) -> RunContext {
    RunContext::new().grant(Mounts::new(vec![Mount::open(host, at, mode).expect("a folder")]).expect("one mount"))
}

/// What a promise comes to: its value, or the error's class and code.
pub(crate) const TRY: &str =
    "const t = (p) => p.then((v) => v ?? 'done', (e) => e.name + ' ' + (e.code ?? e.message));\n";

#[tokio::test]
async fn files_survive_the_vm_and_end_with_the_session() {
    let table = table();
    assert_eq!(
        value(&table, "await fs.writeFile('/a', 'x'); await fs.mkdir('/d'); await fs.chdir('/d')", RunContext::new())
            .await,
        Value::Null
    );
    let stopped = table.run("s", RunRequest::new("for (;;);").with_timeout_ms(20)).await;
    assert_eq!(stopped.error.map(|error| error.kind), Some(ErrorKind::Timeout));
    let after = table.run("s", RunRequest::new("[await fs.readFile('../a', 'utf8'), fs.cwd()]")).await;
    assert_eq!((after.vm, after.value), (Some(VmOrigin::Rebuilt), Some(json!(["x", "/d"]))));
    table.remove("s");
    assert_eq!(value(&table, "await fs.readdir('/')", RunContext::new()).await, json!([]));
    let other = table.run("other", RunRequest::new("await fs.exists('/a')")).await;
    assert_eq!(other.value, Some(json!(false)));
}

#[tokio::test]
async fn what_an_atomic_run_that_fails_did_is_undone_however_it_ends() {
    let table = table();
    value(&table, "await fs.writeFile('/keep', 'old'); await fs.mkdir('/d')", RunContext::new()).await;
    let change = "await fs.writeFile('/keep', 'new'); await fs.rm('/d', { recursive: true }); await fs.writeFile('/more', ''); await fs.chdir('/');";
    let atomic = |script: String| {
        RunRequest::new(script).configure(|request| {
            request.atomic = true;
            request.changes = true;
        })
    };
    for (end, kind) in [
        ("throw 1", ErrorKind::Runtime),
        ("for (;;);", ErrorKind::Timeout),
        ("const all = []; for (;;) all.push(new Array(1e6).fill(1))", ErrorKind::MemoryLimit),
        ("return () => {}", ErrorKind::Unserializable),
    ] {
        let mut request = atomic(format!("{change} {end}")).configure(|request| request.memory_bytes = Some(64 << 20));
        if kind == ErrorKind::Timeout {
            request = request.with_timeout_ms(400);
        }
        let result = table.run("s", request).await;
        assert_eq!(result.error.map(|error| error.kind), Some(kind), "{end}");
        assert!(result.files.is_empty());
        let after =
            value(&table, "[await fs.readFile('/keep', 'utf8'), await fs.readdir('/')]", RunContext::new()).await;
        assert_eq!(after, json!(["old", ["d", "keep"]]), "{end}");
    }
    // The caller gives up in the middle.
    let run = table.run("s", atomic(format!("{change} await new Promise(() => {{}})")));
    assert!(tokio::time::timeout(Duration::from_millis(200), run).await.is_err());
    let after = value(&table, "[await fs.readFile('/keep', 'utf8'), await fs.readdir('/')]", RunContext::new()).await;
    assert_eq!(after, json!(["old", ["d", "keep"]]), "dropped");
    // What returns, stays, and the result says what it was.
    let done = table.run("s", atomic(change.to_owned())).await;
    let listed: Vec<_> = done.files.iter().map(|file| (file.path.as_str(), file.change, file.bytes)).collect();
    assert_eq!(
        listed,
        [
            ("/d", ChangeKind::Removed, None),
            ("/keep", ChangeKind::Modified, Some(3)),
            ("/more", ChangeKind::Created, Some(0))
        ]
    );
}

#[tokio::test]
async fn callbacks_of_an_atomic_run_that_failed_write_nothing_later() {
    let table = table();
    let script = "setTimeout(async () => { try { await fs.writeFile('/late', '') } catch (e) { console.log(e.code) } }, 30); throw 1";
    let result = table.run("s", RunRequest::new(script).configure(|request| request.atomic = true)).await;
    assert_eq!(result.error.map(|error| error.kind), Some(ErrorKind::Runtime));
    let waited = table.run("other", RunRequest::new("await new Promise((r) => setTimeout(r, 120))")).await;
    assert!(waited.is_ok());
    let after = table.run("s", RunRequest::new("await fs.exists('/late')")).await;
    assert_eq!(after.value, Some(json!(false)));
    assert_eq!(after.console.first().map(|entry| entry.message.as_str()), Some("EACCES"));
}

#[tokio::test]
async fn a_quota_is_held_whatever_is_written_and_says_both_numbers() {
    let files_quota = FilesQuota::default().configure(|quota| {
        (quota.bytes, quota.entries, quota.file_bytes, quota.depth) = (1 << 20, 20, 600 << 10, 4);
    });
    let table = SessionTable::with_config(TableConfig::default().configure(|config| config.files_quota = files_quota));
    let script = format!(
        "{TRY} const q = (p) => p.then(() => 'done', (e) => [e.name, e.code, e.used > e.limit]); const k = new Uint8Array(1024);
        const big = await q(fs.writeFile('/a', new Uint8Array(700 << 10)));
        await fs.writeFile('/b', new Uint8Array(600 << 10));
        const all = await q(fs.writeFile('/c', new Uint8Array(500 << 10)));
        const h = await fs.open('/d', 'w'); let n = 0, why; try {{ for (;; n++) await h.write(k) }} catch (e) {{ why = e.name }}
        await h.close(); await fs.rm('/d');
        const deep = await q(fs.mkdir('/1/2/3/4/5', {{ recursive: true }})), above = await fs.exists('/1');
        let many = 0; try {{ for (;; many++) await fs.writeFile('/f' + many, '') }} catch (e) {{ why += ' ' + e.name }}
        [big, all, n, why, deep, above, many, await q(fs.rm('/b')), (await fs.readdir('/')).length]"
    );
    let found = value(&table, &script, RunContext::new()).await;
    let quota = json!(["QuotaExceededError", "ENOSPC", true]);
    assert_eq!(found[0], quota);
    assert_eq!(found[1], quota);
    assert!(found[2].as_u64().is_some_and(|count| (400..424).contains(&count)), "{found}");
    assert_eq!(found[3], "QuotaExceededError QuotaExceededError");
    assert_eq!((&found[4], &found[5]), (&quota, &json!(false)));
    assert_eq!((found[6].as_u64(), &found[7], found[8].as_u64()), (Some(19), &json!("done"), Some(19)));
}

/// A folder to be mounted beside a secret that is not.
fn host() -> (TempDir, std::path::PathBuf) {
    let top = TempDir::new().expect("a folder");
    let inside = top.path().join("inside");
    std::fs::create_dir_all(inside.join("sub")).expect("folders");
    std::fs::write(inside.join("file.txt"), "host").expect("a file");
    std::fs::write(inside.join("sub/inner.txt"), "inner").expect("a file");
    std::fs::write(top.path().join("secret.txt"), "SECRET").expect("a secret");
    (top, inside)
}

#[tokio::test]
async fn a_read_only_mount_is_read_and_nothing_else() {
    let (_top, inside) = host();
    let table = table();
    let script = format!(
        "{TRY} [await fs.readFile('/data/file.txt', 'utf8'), await fs.readdir('/data', {{ recursive: true }}), await fs.readdir('/'), (await fs.stat('/data/sub')).isDirectory(),
        await t(fs.writeFile('/data/file.txt', 'x')), await t(fs.writeFile('/data/new', 'x')), await t(fs.rm('/data/file.txt')), await t(fs.mkdir('/data/m')),
        await t(fs.rename('/data/file.txt', '/data/x')), await t(fs.truncate('/data/file.txt')), await t(fs.utimes('/data/file.txt', 0, 0)), await t(fs.symlink('a', '/data/l')),
        await t(fs.readFile('/data/nope')), await t(fs.rm('/data', {{ recursive: true }})), await t(fs.rename('/data', '/d')), await t(fs.rename('/data/file.txt', '/file.txt')),
        await t(fs.copyFile('/data/file.txt', '/copy')), await fs.readFile('/copy', 'utf8'), await t(fs.chdir('/data/sub')), await fs.readFile('inner.txt', 'utf8')]"
    );
    let found = value(&table, &script, mount(&inside, "/data", MountMode::ReadOnly)).await;
    let denied = "PermissionError EACCES";
    let expected = json!([
        "host",
        ["file.txt", "sub", "sub/inner.txt"],
        ["data"],
        true,
        denied,
        denied,
        denied,
        denied,
        denied,
        denied,
        denied,
        denied,
        "Error ENOENT",
        "Error EBUSY",
        "Error EBUSY",
        "Error EXDEV",
        "done",
        "host",
        "done",
        "inner"
    ]);
    assert_eq!(found, expected);
    // Without the mount there is nothing of it, and the error says what is missing.
    let after = run_with(
        &table,
        "await fs.chdir('/'); [await fs.readdir('/data'), await fs.readFile('/copy', 'utf8')]",
        RunContext::new(),
    )
    .await;
    assert_eq!(after.value, Some(json!([[], "host"])));
    assert_eq!(std::fs::read_to_string(inside.join("file.txt")).expect("it is there"), "host");
}

#[tokio::test]
async fn an_uncaught_refusal_is_of_the_kind_permission_and_names_the_mount() {
    let (_top, inside) = host();
    let result =
        run_with(&table(), "await fs.writeFile('/data/x', '')", mount(&inside, "/data", MountMode::ReadOnly)).await;
    let error = result.error.expect("an error");
    assert_eq!(error.kind, ErrorKind::Permission);
    assert!(error.message.contains("/data is mounted read-only"), "{}", error.message);
}

#[tokio::test]
async fn a_writable_mount_is_the_hosts_and_keeps_the_limit_of_one_file() {
    let (_top, inside) = host();
    let table = table();
    let script = format!(
        "{TRY} await fs.mkdir('/data/a/b', {{ recursive: true }}); await fs.writeFile('/data/a/b/new.txt', 'new'); await fs.appendFile('/data/a/b/new.txt', '!');
        await fs.rename('/data/a/b/new.txt', '/data/moved.txt'); await fs.rm('/data/sub', {{ recursive: true }}); await fs.writeFile('/mine', 'mine'); await fs.copyFile('/mine', '/data/mine');
        const h = await fs.open('/data/moved.txt', 'r+'); await h.write('N', 0); await h.truncate(2); await h.close();
        const w = fs.writeStream('/data/stream').getWriter(); await w.write('one'); await w.write(new Uint8Array(300000)); await w.close();
        let size = 0; for await (const part of fs.readStream('/data/stream')) size += part.length;
        [await fs.readFile('/data/moved.txt', 'utf8'), size, await t(fs.truncate('/data/moved.txt', 2 ** 50)), await t(fs.rmdir('/data/a')), (await fs.readdir('/data'))]"
    );
    let found = value(&table, &script, mount(&inside, "/data", MountMode::ReadWrite)).await;
    assert_eq!(
        found,
        json!([
            "Ne",
            300_003,
            "QuotaExceededError ENOSPC",
            "Error ENOTEMPTY",
            ["a", "file.txt", "mine", "moved.txt", "stream"]
        ])
    );
    assert_eq!(std::fs::read_to_string(inside.join("mine")).expect("it is there"), "mine");
    assert!(!inside.join("sub").exists());
}

#[tokio::test]
async fn an_overlay_looks_like_the_host_and_leaves_it_alone() {
    let (_top, inside) = host();
    std::fs::create_dir(inside.join("old")).expect("a folder");
    std::fs::write(inside.join("old/x"), "x").expect("a file");
    let table = table();
    let script = format!(
        "{TRY} const before = await fs.readdir('/data', {{ recursive: true }});
        await fs.writeFile('/data/file.txt', 'mine'); await fs.appendFile('/data/sub/inner.txt', '+'); await fs.writeFile('/data/new', 'n'); await fs.mkdir('/data/dir/deep', {{ recursive: true }});
        await fs.rm('/data/old', {{ recursive: true }}); await fs.mkdir('/data/old'); await fs.rename('/data/new', '/data/dir/new'); await fs.rename('/data/file.txt', '/data/file2.txt');
        [before, await fs.readdir('/data', {{ recursive: true }}), await fs.readFile('/data/file2.txt', 'utf8'), await fs.readFile('/data/sub/inner.txt', 'utf8'), await t(fs.readFile('/data/file.txt')),
        await t(fs.rename('/data/sub', '/data/sub2')), await t(fs.rmdir('/data/sub')), await t(fs.mkdir('/data/sub')), await t(fs.stat('/data/file2.txt/x'))]"
    );
    let request = RunRequest::new(script).configure(|request| request.changes = true);
    let result = table.run_with("s", request, mount(&inside, "/data", MountMode::Overlay)).await;
    let expected = json!([
        ["file.txt", "old", "old/x", "sub", "sub/inner.txt"],
        ["dir", "dir/deep", "dir/new", "file2.txt", "old", "sub", "sub/inner.txt"],
        "mine",
        "inner+",
        "Error ENOENT",
        "Error EXDEV",
        "Error ENOTEMPTY",
        "Error EEXIST",
        "Error ENOTDIR"
    ]);
    assert_eq!((result.error, result.value), (None, Some(expected)));
    assert!(
        result.files.iter().any(|file| file.path == "/data/file.txt" && file.change == ChangeKind::Removed),
        "{:?}",
        result.files
    );
    assert!(result.files.iter().any(|file| file.path == "/data/file2.txt" && file.change == ChangeKind::Created));
    assert!(result.files.iter().all(|file| file.path != "/data"), "the mount is no change");
    // The host's folder is as it was, and another run sees both layers.
    assert_eq!(std::fs::read_to_string(inside.join("file.txt")).expect("it is there"), "host");
    assert_eq!(std::fs::read_to_string(inside.join("sub/inner.txt")).expect("it is there"), "inner");
    assert!(inside.join("old/x").exists() && !inside.join("dir").exists());
    let again =
        value(&table, "await fs.readFile('/data/sub/inner.txt', 'utf8')", mount(&inside, "/data", MountMode::Overlay))
            .await;
    assert_eq!(again, "inner+");
}

#[tokio::test]
async fn nothing_outside_of_a_mount_is_read_made_or_changed() {
    let (top, inside) = host();
    for (name, target) in [
        ("up", ".."),
        ("secret", "../secret.txt"),
        ("abs", "/etc/passwd"),
        ("proc", "/proc/self/root"),
        ("fine", "sub/inner.txt"),
        ("round", "round"),
    ] {
        symlink(target, inside.join(name)).expect("a link");
    }
    symlink(top.path(), inside.join("abstop")).expect("a link");
    nix::unistd::mkfifo(&inside.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let _socket = std::os::unix::net::UnixListener::bind(inside.join("socket")).expect("a socket");
    assert!(inside.join("pipe").metadata().expect("it is there").file_type().is_fifo());
    let table = table();
    let script = format!(
        "{TRY} const out = [];
        for (const p of ['up/secret.txt', 'secret', 'abs', 'proc/etc/passwd', 'abstop/secret.txt', 'pipe', 'socket', 'round']) {{
          out.push([p, await t(fs.readFile('/data/' + p)), await t(fs.writeFile('/data/' + p, 'CHANGED')), await t(fs.appendFile('/data/' + p, 'CHANGED')), await t(fs.truncate('/data/' + p))]);
        }}
        out.push(await t(fs.writeFile('/data/up/made', 'x')), await t(fs.mkdir('/data/abstop/made')), await t(fs.rename('/data/file.txt', '/data/up/made')), await t(fs.readdir('/data/up')), await t(fs.rm('/data/up/secret.txt')),
          await t(fs.rename('/data/up/secret.txt', '/data/stolen')), await t(fs.readFile('/data/../../secret.txt')), await t(fs.readFile('/data/sub/../../../secret.txt')), await t(fs.symlink('../..', '/data/sub/out')),
          await t(fs.readdir('/data/abstop', {{ recursive: true }})), await t(fs.realpath('/data/up')), await fs.readFile('/data/fine', 'utf8'), (await fs.readdir('/data')).join());
        out"
    );
    let found = value(&table, &script, mount(&inside, "/data", MountMode::ReadWrite)).await;
    let all = found.as_array().expect("a list");
    let denied = "PermissionError EACCES";
    for row in &all[..8] {
        assert!(row.as_array().expect("a row").iter().skip(1).all(|result| *result == denied), "{row}");
    }
    for (index, result) in all[8..14].iter().enumerate() {
        assert_eq!(result, denied, "{index}: {found}");
    }
    assert_eq!(all[14], "Error ENOENT", "{found}");
    assert_eq!(all[15], "Error ENOENT");
    assert_eq!((&all[16], &all[17], &all[18]), (&json!(denied), &json!(denied), &json!(denied)), "{found}");
    assert_eq!(all[19], "inner");
    assert!(all[20].as_str().is_some_and(|names| !names.contains("pipe") && !names.contains("socket")), "{found}");
    assert_eq!(std::fs::read_to_string(top.path().join("secret.txt")).expect("it is there"), "SECRET");
    let names: Vec<_> =
        std::fs::read_dir(top.path()).expect("it is there").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(!std::fs::read_to_string("/etc/passwd").expect("it is there").contains("CHANGED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_swaps_folders_for_links_lets_nobody_out() {
    let (top, inside) = host();
    let outside = top.path().join("outside");
    std::fs::create_dir(&outside).expect("a folder");
    std::fs::write(outside.join("target.txt"), "SECRET").expect("a secret");
    std::fs::create_dir(inside.join("swap")).expect("a folder");
    std::fs::write(inside.join("swap/target.txt"), "fine").expect("a file");
    symlink(&outside, inside.join("link")).expect("a link");
    let over = Arc::new(AtomicBool::new(false));
    let racer = {
        let (over, a, b) = (over.clone(), inside.join("swap"), inside.join("link"));
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let flags = nix::fcntl::RenameFlags::RENAME_EXCHANGE;
                nix::fcntl::renameat2(nix::fcntl::AT_FDCWD, &a, nix::fcntl::AT_FDCWD, &b, flags)
                    .expect("both are there");
            }
        })
    };
    let script = "let seen = { fine: 0, refused: 0, other: 0 };
        for (let i = 0; i < 1500; i++) {
          try {
            const text = await fs.readFile('/data/swap/target.txt', 'utf8');
            if (text.includes('SECRET')) return 'read what is outside';
            seen.fine++;
            await fs.writeFile('/data/swap/target.txt', 'fine'); await fs.writeFile('/data/swap/new' + (i % 5), 'x'); await fs.rm('/data/swap/new' + (i % 5)); await fs.readdir('/data/swap');
          } catch (e) { if (e.code === 'EACCES') seen.refused++; else seen.other++; }
        }
        seen";
    let found = value(&table(), script, mount(&inside, "/data", MountMode::ReadWrite)).await;
    over.store(true, Ordering::Relaxed);
    racer.join().expect("it ends");
    assert!(found["refused"].as_u64() > Some(0) && found["fine"].as_u64() > Some(0), "both were seen: {found}");
    assert_eq!(std::fs::read_to_string(outside.join("target.txt")).expect("it is there"), "SECRET");
    assert_eq!(std::fs::read_dir(&outside).expect("it is there").count(), 1);
}

#[tokio::test]
async fn a_handle_is_of_no_use_without_the_mount_it_was_opened_in() {
    let (_top, inside) = host();
    let table = table();
    let both = mount(&inside, "/data", MountMode::ReadWrite);
    value(
        &table,
        "globalThis.h = await fs.open('/data/file.txt', 'r+'); globalThis.r = await fs.open('/data/file.txt'); null",
        both.clone(),
    )
    .await;
    let script = format!(
        "{TRY} [await t(h.write('h', 0).then((w) => w.bytesWritten)), await t(r.read().then((v) => v.bytesRead)), await t(h.stat().then((s) => s.size))]"
    );
    assert_eq!(
        value(&table, &script, RunContext::new()).await,
        json!(["PermissionError EACCES", "PermissionError EACCES", "PermissionError EACCES"])
    );
    assert_eq!(value(&table, &script, both).await, json!([1, 4, 4]));
}

#[tokio::test]
async fn names_of_every_kind_and_very_many_of_them() {
    let (_top, inside) = host();
    let names = ["é", "e\u{301}", "日本", "a b", "-x", "~", "\u{202e}rtl", "\u{1f600}", "a\nb", "\\", "'\""];
    for name in names {
        std::fs::write(inside.join("sub").join(name), name).expect("a file");
    }
    let many = inside.join("many");
    std::fs::create_dir(&many).expect("a folder");
    for index in 0..100_000 {
        std::fs::File::create(many.join(format!("f{index}"))).expect("a file");
    }
    let list = serde_json::to_string(&names).expect("names");
    let script = format!(
        "const names = {list}; const wrong = [];
        for (const name of names) {{ if (await fs.readFile('/data/sub/' + name, 'utf8') !== name) wrong.push(name); await fs.writeFile('/mine-' + name, name); if (await fs.readFile('/mine-' + name, 'utf8') !== name) wrong.push(name) }}
        const t = (p) => p.then(() => 'done', (e) => e.code ?? e.name);
        [wrong, (await fs.readdir('/data/sub')).length, (await fs.readdir('/data/many')).length, await t(fs.writeFile('/\\ud800', '')), await t(fs.writeFile('/a\\0b', '')), await t(fs.writeFile('/' + 'x'.repeat(256), ''))]"
    );
    let found = value(&table(), &script, mount(&inside, "/data", MountMode::ReadOnly)).await;
    assert_eq!(found, json!([[], 12, 100_000, "TypeError", "EINVAL", "ENAMETOOLONG"]));
}

#[tokio::test]
async fn a_file_that_grows_is_read_as_far_as_the_heap_goes_and_no_further() {
    let (_top, inside) = host();
    let big = std::fs::File::create(inside.join("endless")).expect("a file");
    big.set_len(1 << 40).expect("a hole takes no room");
    let table = table();
    let request = RunRequest::new("await fs.readFile('/data/endless')")
        .configure(|request| request.memory_bytes = Some(64 << 20));
    let result = table.run_with("s", request, mount(&inside, "/data", MountMode::ReadOnly)).await;
    assert_eq!(result.error.map(|error| error.kind), Some(ErrorKind::MemoryLimit));
    // In parts it can be read.
    let script = "const h = await fs.open('/data/endless'); const { bytesRead } = await h.read(new Uint8Array(10), 0, 10, 2 ** 39); bytesRead";
    assert_eq!(value(&table, script, mount(&inside, "/data", MountMode::ReadOnly)).await, 10);
}

#[tokio::test]
async fn a_file_in_the_way_of_a_mount_refuses_the_run_and_loses_nothing() {
    let (_top, inside) = host();
    let table = table();
    value(&table, "globalThis.kept = 1; await fs.writeFile('/data', 'mine')", RunContext::new()).await;
    let refused = run_with(&table, "1", mount(&inside, "/data", MountMode::ReadOnly)).await;
    assert_eq!(refused.error.map(|error| error.kind), Some(ErrorKind::InvalidRequest));
    let after = table.run("s", RunRequest::new("[kept, await fs.readFile('/data', 'utf8')]")).await;
    assert_eq!((after.vm, after.value), (Some(VmOrigin::Warm), Some(json!([1, "mine"]))));
}

#[test]
fn folders_that_would_be_two_things_at_once_are_not_mounted() {
    let (top, inside) = host();
    let open = |path: &Path, at: &str, mode| Mount::open(path, at, mode);
    assert!(matches!(open(&inside, "data", MountMode::ReadOnly), Err(MountError::Path { .. })));
    assert!(matches!(open(&inside, "/", MountMode::ReadOnly), Err(MountError::Path { .. })));
    assert!(matches!(open(&inside.join("nope"), "/data", MountMode::ReadOnly), Err(MountError::Host { .. })));
    assert!(matches!(open(&inside.join("file.txt"), "/data", MountMode::ReadOnly), Err(MountError::Host { .. })));
    assert!(matches!(open(Path::new("/proc"), "/data", MountMode::ReadOnly), Err(MountError::System { .. })));
    let pair = |first: (&Path, &str, MountMode), second: (&Path, &str, MountMode)| {
        Mounts::new(vec![
            open(first.0, first.1, first.2).expect("a folder"),
            open(second.0, second.1, second.2).expect("a folder"),
        ])
    };
    assert!(
        pair((&inside, "/a", MountMode::ReadOnly), (top.path(), "/a/b", MountMode::ReadOnly)).is_err(),
        "one in the other"
    );
    assert!(
        pair((&inside, "/a", MountMode::ReadWrite), (top.path(), "/b", MountMode::ReadOnly)).is_err(),
        "the same files, twice"
    );
    assert!(pair((&inside, "/a", MountMode::ReadOnly), (top.path(), "/b", MountMode::ReadOnly)).is_ok());
}

#[tokio::test]
async fn a_file_that_is_copied_onto_itself_keeps_what_it_has() {
    let (_top, inside) = host();
    std::fs::hard_link(inside.join("file.txt"), inside.join("hard")).expect("a second name");
    symlink("file.txt", inside.join("link")).expect("a link");
    let script = format!(
        "{TRY} const d = '/data/'; const out = []; for (const [a, b] of [['file.txt', 'file.txt'], ['file.txt', 'hard'], ['link', 'file.txt']]) {{ out.push(await t(fs.copyFile(d + a, d + b)), await t(fs.cp(d + a, d + b))) }}
        out.push(await t(fs.cp('/data/sub', '/data/sub/in', {{ recursive: true }})), await t(fs.cp('/data', '/data/sub/x/y', {{ recursive: true }}))); await fs.mkdir('/s'); out.push(await t(fs.cp('/s', '/s/t', {{ recursive: true }})), await t(fs.cp('/data/sub', '/copy', {{ recursive: true }})));
        [out, await fs.readdir('/data/sub'), await fs.readFile('/copy/inner.txt', 'utf8')]"
    );
    let found = value(&table(), &script, mount(&inside, "/data", MountMode::ReadWrite)).await;
    let refused = "Error EINVAL";
    assert_eq!(
        found,
        json!([
            ["done", "done", "done", "done", "done", "done", refused, refused, refused, "done"],
            ["inner.txt"],
            "inner"
        ])
    );
    assert_eq!(std::fs::read_to_string(inside.join("file.txt")).expect("it is there"), "host");
}

#[tokio::test]
async fn open_files_are_bounded_and_those_that_nobody_has_any_more_are_closed() {
    let (_top, inside) = host();
    let table = table();
    let both = mount(&inside, "/data", MountMode::ReadOnly);
    let script = "const all = []; let why; try { for (;;) all.push(await fs.open('/data/file.txt')) } catch (e) { why = e.code } [all.length, why, await fs.open('/data/file.txt').catch((e) => e.code)]";
    assert_eq!(
        value(
            &table,
            &format!("return await (async () => {{ {} }})()", script.replace("[all.length", "return [all.length")),
            both.clone()
        )
        .await,
        json!([128, "EMFILE", "EMFILE"])
    );
    let script = "const f = async () => { await fs.open('/data/file.txt') }; for (let i = 0; i < 2000; i++) await f(); await fs.readFile('/data/file.txt', 'utf8')";
    assert_eq!(value(&table, script, both).await, "host");
}

#[tokio::test]
async fn a_handle_from_before_something_was_undone_is_bad() {
    let table = table();
    value(&table, "await fs.writeFile('/k', 'v0')", RunContext::new()).await;
    let script = "globalThis.h = await fs.open('/k', 'r+'); await h.write('AAAA'); throw 1";
    assert!(!table.run("s", RunRequest::new(script).configure(|request| request.atomic = true)).await.is_ok());
    let script = format!("{TRY} [await t(h.write('BBBB')), await fs.readFile('/k', 'utf8')]");
    assert_eq!(value(&table, &script, RunContext::new()).await, json!(["Error EBADF", "v0"]));
}

#[tokio::test]
async fn a_text_is_the_same_whether_it_is_read_whole_or_by_a_handle_in_memory_or_on_the_host() {
    let folder = tempfile::tempdir().unwrap();
    // A mark of order, what is no UTF-8, half a pair of UTF-16, and a piece of a character at the end.
    let odd = [&b"\xef\xbb\xbfa\xff\xe2\x82"[..], b"\xed\xa0\x80 \xf0\x9f\x98\x80 \xf0\x9f\x98"].concat();
    std::fs::write(folder.path().join("odd"), &odd).unwrap();
    let large = [&odd[..], &vec![b'x'; 3 << 20]].concat();
    std::fs::write(folder.path().join("large"), &large).unwrap();
    let table = SessionTable::new(1, Duration::from_secs(60));
    table.files("s").write("/odd", &odd).unwrap();
    table.files("s").write("/large", &large).unwrap();
    let script = "const seen = [];
        for (const path of ['/odd', '/large', '/host/odd', '/host/large']) {
            const whole = await fs.readFile(path, 'utf8'), bytes = await fs.readFile(path), file = await fs.open(path);
            const decoded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
            seen.push(whole === decoded && whole === await file.readFile('utf8') && whole.startsWith('\\ufeffa\\ufffd'));
            await file.close();
        }
        await fs.writeFile('/back', 'a\\ud800b'); seen.push(await fs.readFile('/back', 'utf8') === 'a\\ufffdb');
        seen";
    let context = mount(folder.path(), "/host", MountMode::ReadOnly);
    let result = table.run_with("s", RunRequest::new(script), context).await;
    assert_eq!(result.value, Some(json!([true, true, true, true, true])), "{:?}", result.error);
}
