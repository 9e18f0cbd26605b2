//! Checkpoints, rollback and fork: what is durable comes back whole, and nobody else notices.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use perennial_sessions::files::{FilesQuota, Mount, MountMode, Mounts};
use perennial_sessions::protocol::{ErrorKind, VmOrigin};
use perennial_sessions::{
    ChangeKind, CheckpointRef, Library, OwnerLimits, Provided, Provision, Provisions, Restorer, Run, ScriptResult,
    Session, SessionKey, SessionTable, Snapshot, TableConfig, VarsQuota,
};
use perennial_testkit::eventually;
use serde_json::{Value, json};

fn table() -> SessionTable {
    SessionTable::new(10, Duration::from_secs(600))
}

async fn run(session: &Session, script: &str) -> ScriptResult {
    session.run(Run::script(script)).await
}

async fn value(session: &Session, script: &str) -> Value {
    let result = run(session, script).await;
    assert!(result.is_ok(), "{script}: {:?}", result.error);
    result.value.unwrap_or(Value::Null)
}

/// What the script threw, by name and message.
async fn thrown(session: &Session, script: &str) -> (String, String) {
    let error = run(session, script).await.error.expect("it throws");
    (error.name, error.message)
}

const STATE: &str =
    "return [vars.get('n') ?? null, await fs.readFile('/f', 'utf8').catch((e) => e.code), process.cwd()]";

#[tokio::test]
async fn a_rollback_brings_back_vars_files_and_the_working_directory_and_keeps_the_vm() {
    let ada = table().session("ada");
    let empty = ada.checkpoint(None).await.unwrap();
    value(&ada, "vars.set('n', 1); await fs.writeFile('/f', 'one'); await fs.mkdir('/d'); await fs.chdir('/d')").await;
    let one = ada.checkpoint(Some("one")).await.unwrap();
    value(&ada, "globalThis.kept = true; vars.set('n', 2); await fs.rm('/f'); await fs.chdir('/')").await;

    assert_eq!(ada.rollback("one").await.unwrap(), one);
    assert_eq!(value(&ada, STATE).await, json!([1, "one", "/d"]));
    let result = run(&ada, "return kept").await;
    assert_eq!((result.value, result.vm), (Some(json!(true)), Some(VmOrigin::Warm)));
    assert_eq!(ada.rollback(&empty).await.unwrap().id, empty.id);
    assert_eq!(value(&ada, STATE).await, json!([null, "ENOENT", "/"]));
    // What came later is still there.
    ada.rollback(one.id).await.unwrap();
    assert_eq!(value(&ada, STATE).await, json!([1, "one", "/d"]));
}

#[tokio::test]
async fn a_script_remembers_goes_back_compares_and_forgets() {
    let ada = table().session("ada");
    let made = value(
        &ada,
        "vars.set('n', 1); await fs.writeFile('/f', '1');
         globalThis.first = session.checkpoint('first');
         vars.set('n', 2); vars.set('m', 1); await fs.rm('/f'); await fs.writeFile('/g', '');
         globalThis.second = session.checkpoint();
         return [first.id, first.name, first.by, Math.abs(Date.now() - first.atMs) < 60000, 'name' in second]",
    )
    .await;
    assert_eq!(made, json!([1, "first", "script", true, false]));
    let changes = json!({"changes": [
        {"of": "vars", "name": "m", "change": "created"}, {"of": "vars", "name": "n", "change": "modified"},
        {"of": "files", "name": "/f", "change": "removed"}, {"of": "files", "name": "/g", "change": "created"},
    ], "more": 0});
    assert_eq!(value(&ada, "return session.changes(first)").await, changes);
    assert_eq!(value(&ada, "return session.changes('first', second.id)").await, changes);
    assert_eq!(value(&ada, "return session.changes(second).changes").await, json!([]));
    let back = "session.rollback(first); return [vars.get('n'), vars.has('m'), await fs.readFile('/f', 'utf8')]";
    assert_eq!(value(&ada, back).await, json!([1, false, "1"]));
    assert_eq!(value(&ada, "return session.checkpoints().map((c) => c.id)").await, json!([1, 2]));
    assert_eq!(value(&ada, "session.forget('first'); return session.checkpoints().length").await, json!(1));
    let (name, message) = thrown(&ada, "session.rollback('first')").await;
    assert_eq!((&*name, &*message), ("Error", "there is no checkpoint \"first\": there are 2"));
    for wrong in ["session.rollback()", "session.rollback({})", "session.rollback(-1)", "session.forget(null)"] {
        assert_eq!(thrown(&ada, wrong).await.0, "TypeError", "{wrong}");
    }
    for wrong in ["session.checkpoint('')", "session.checkpoint('x'.repeat(257))", "session.checkpoint(7)"] {
        assert_eq!(thrown(&ada, wrong).await.0, "TypeError", "{wrong}");
    }
    assert_eq!(value(&ada, "const session = 5; return session").await, json!(5));
}

#[tokio::test]
async fn a_compare_and_set_notices_a_rollback() {
    let ada = table().session("ada");
    let script = "vars.set('n', 1); const mark = session.checkpoint(); let tries = 0;
        vars.set('n', 5); vars.update('n', (n) => { if (!tries++) session.rollback(mark); return n + 1 });
        return [tries, vars.get('n')]";
    assert_eq!(value(&ada, script).await, json!([2, 2]));
}

#[tokio::test]
async fn what_was_opened_before_a_rollback_is_bad_and_says_so() {
    let ada = table().session("ada");
    let script =
        "await fs.writeFile('/f', 'a'); const mark = session.checkpoint(); const file = await fs.open('/f', 'r+');
        session.rollback(mark); return file.write('b').then(() => 'written', (e) => e.code)";
    assert_eq!(value(&ada, script).await, json!("EBADF"));
    assert_eq!(value(&ada, "return fs.readFile('/f', 'utf8')").await, json!("a"));
}

#[tokio::test]
async fn an_atomic_run_that_fails_undoes_its_rollback_and_its_checkpoints() {
    let ada = table().session("ada");
    value(&ada, "vars.set('n', 1); await fs.writeFile('/f', '1'); session.checkpoint('old'); vars.set('n', 2); await fs.writeFile('/f', '2')").await;
    let atomic = |script: &str| ada.run(Run::script(script).atomic());
    let script = "vars.set('x', 1); session.rollback('old'); session.forget('old'); session.checkpoint('new'); setTimeout(() => session.checkpoint('late'), 1); throw 1";
    assert!(!atomic(script).await.is_ok());
    assert_eq!(value(&ada, STATE).await, json!([2, "2", "/"]));
    assert_eq!(
        value(&ada, "return [session.checkpoints().map((c) => c.name), vars.has('x')]").await,
        json!([["old"], false])
    );

    let result = atomic("session.rollback('old'); return session.checkpoint('new').id").await;
    assert_eq!(result.value, Some(json!(3)), "an id means one checkpoint for ever");
    assert_eq!(value(&ada, STATE).await, json!([1, "1", "/"]));
    assert_eq!(value(&ada, "return session.checkpoints().map((c) => c.name)").await, json!(["old", "new"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_atomic_run_changes_nothing_however_late_its_vm_notices() {
    let table = table();
    let ada = table.session("ada");
    value(&ada, "vars.set('n', 1); await fs.writeFile('/f', '1'); session.checkpoint('old'); vars.set('n', 2); await fs.writeFile('/f', '2')").await;
    let vars = ada.vars().await.unwrap();
    for round in 0..60 {
        let spin = "vars.set('begun', 1); for (;;) { session.rollback('old'); vars.set('begun', 1); session.checkpoint('new') }";
        let running = tokio::spawn({
            let ada = ada.clone();
            async move { ada.run(Run::script(spin).atomic()).await }
        });
        eventually("it runs", || vars.has("begun")).await;
        running.abort();
        let _ = running.await;
        assert_eq!(value(&ada, STATE).await, json!([2, "2", "/"]), "round {round}");
        assert_eq!(value(&ada, "return [session.checkpoints().length, vars.has('begun')]").await, json!([1, false]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_callbacks_would_change_after_a_rollback_by_the_host_is_refused_until_the_next_run() {
    let ada = table().session("ada");
    value(&ada, "vars.set('n', 0)").await;
    ada.checkpoint(Some("zero")).await.unwrap();
    let leaves = "globalThis.said = []; setInterval(() => { try { vars.set('n', vars.get('n') + 1) } catch (e) { said.push(e.message) } }, 1); 0";
    value(&ada, leaves).await;
    let vars = ada.vars().await.unwrap();
    eventually("callbacks write", || vars.get("n").is_some_and(|n| n != json!(0))).await;
    ada.rollback("zero").await.unwrap();
    // They go on, and change nothing.
    let said = || async { ada.files().await.unwrap().read("/said").is_ok() };
    let _ = said;
    assert_eq!(run(&ada, "return vars.get('n')").await.value, Some(json!(0)));
    eventually("callbacks of what is now the last run write again", || vars.get("n").is_some_and(|n| n != json!(0)))
        .await;
}

#[tokio::test]
async fn of_a_hundred_the_oldest_without_a_name_makes_way_and_scripts_touch_none_of_the_host_s() {
    let ada = table().session("ada");
    let mine = ada.checkpoint(None).await.unwrap();
    let named = ada.checkpoint(Some("before")).await.unwrap();
    let made =
        "const all = []; for (let i = 0; i < 102; i++) all.push(session.checkpoint(i === 0 ? 'kept' : undefined));
        return [all[99].replaces ?? null, all[100].replaces, all[101].replaces, all[1].id, all[2].id]";
    let made = value(&ada, made).await;
    assert_eq!((&made[0], &made[1], &made[2]), (&Value::Null, &made[3], &made[4]));
    let ids: Vec<u64> = ada.checkpoints().await.iter().map(|checkpoint| checkpoint.id).collect();
    assert_eq!(ids.len(), 102);
    assert_eq!(ids[..3], [mine.id, named.id, 3], "the host's, and the one with a name");

    let full = "for (let i = 0; i < 101; i++) session.checkpoint('name ' + i)";
    let (name, message) = thrown(&ada, full).await;
    assert_eq!(name, "QuotaExceededError", "{message}");
    assert!(message.contains("forget some first"), "{message}");
    let (name, _) = thrown(&ada, &format!("session.forget({})", mine.id)).await;
    assert_eq!(name, "PermissionError");
    // Of one name, everybody means his own.
    value(
        &ada,
        "session.forget('name 0'); vars.set('n', 'of the script'); session.checkpoint('before'); vars.set('n', 'now')",
    )
    .await;
    value(&ada, "session.rollback('before')").await;
    assert_eq!(value(&ada, "return vars.get('n')").await, json!("of the script"));
    assert_eq!(ada.rollback("before").await.unwrap().id, named.id);
    ada.forget("before").await.unwrap();
    assert!(ada.rollback("before").await.unwrap().by_script);
    let again = [ada.checkpoint(Some("x")).await.unwrap(), ada.checkpoint(Some("x")).await.unwrap()];
    assert_eq!(ada.rollback("x").await.unwrap().id, again[1].id, "the last of a name");
    assert_eq!(ada.rollback(&again[0]).await.unwrap().name, None);
}

#[tokio::test]
async fn what_checkpoints_keep_of_vars_is_bounded_and_forgetting_frees_it() {
    let quota = VarsQuota::default().configure(|quota| quota.bytes = 100_000);
    let table = SessionTable::with_config(TableConfig::default().configure(|config| config.vars_quota = quota));
    let ada = table.session("ada");
    let fill = "let rounds = 0; try { for (;; rounds++) { vars.clear(); for (let i = 0; i < 10; i++) vars.set((rounds + ' ' + i).padEnd(4000), 'x'.repeat(4000)); session.checkpoint() } }
        catch (e) { return [rounds, e.name, e.message, e.limit] }";
    let filled = value(&ada, fill).await;
    assert_eq!((&filled[0], &filled[1], &filled[3]), (&json!(3), &json!("QuotaExceededError"), &json!(300_000)));
    assert!(filled[2].as_str().unwrap().contains("session.forget"), "{filled}");
    let after = "for (const c of session.checkpoints()) session.forget(c); vars.clear(); vars.set('n', 'y'.repeat(80000)); return vars.keys().length";
    assert_eq!(value(&ada, after).await, json!(1));
    // An atomic run may still write all there may be anew.
    assert!(ada.run(Run::script("vars.set('n', 'z'.repeat(99000))").atomic()).await.is_ok());
}

#[tokio::test]
async fn what_checkpoints_keep_of_files_is_bounded_names_and_links_included() {
    let quota = FilesQuota::default().configure(|quota| quota.bytes = 2 << 20);
    let each = [
        "for (let i = 0; i < 20; i++) await fs.writeFile('/' + i, new Uint8Array(65536).fill(r))",
        // Cut by a byte, a piece is another one.
        "for (let i = 0; i < 20; i++) { if (!r) await fs.writeFile('/' + i, new Uint8Array(65536)); await fs.truncate('/' + i, 65535 - r) }",
        "for (let i = 0; i < 300; i++) { await fs.rm('/' + i, { force: true }); await fs.symlink('x'.repeat(4000) + r, '/' + i) }",
        "for (let i = 0; i < 1000; i++) { if (!r) await fs.writeFile('/' + i + 'n', ''); await fs.rename('/' + i + (r ? '-' + (r - 1) : 'n'), '/' + i + '-' + r) }",
        "for (let i = 0; i < 1000; i++) { if (!r) await fs.writeFile('/' + i, ''); await fs.utimes('/' + i, r, r) }",
    ];
    for step in each {
        let config = TableConfig::default().configure(|config| config.files_quota = quota);
        let ada = SessionTable::with_config(config).session("ada");
        let fill = format!(
            "let r = 0; try {{ for (; r < 100; r++) {{ {step}; session.checkpoint() }} }} catch (e) {{ return [r, e.name, e.message] }} return r"
        );
        let filled = value(&ada, &fill).await;
        assert_eq!(filled[1], json!("QuotaExceededError"), "{step}: {filled}");
        assert!(filled[2].as_str().unwrap().contains("checkpoints"), "{filled}");
        let memory = ada.files().await.unwrap().usage().memory;
        assert!(memory <= 2 * quota.bytes + (256 << 10), "{step}: {memory}");
        let after = "for (const c of session.checkpoints()) session.forget(c); for (const name of await fs.readdir('/')) await fs.rm('/' + name)";
        value(&ada, after).await;
        assert!(ada.files().await.unwrap().usage().memory < 4096);
    }
}

#[tokio::test]
async fn a_fork_begins_with_what_is_durable_and_neither_notices_the_other() {
    let table = table();
    let ada = table.session("ada");
    value(&ada, "globalThis.g = 1; vars.set('n', 1); await fs.writeFile('/f', 'x'.repeat(200000)); await fs.mkdir('/d'); await fs.chdir('/d'); session.checkpoint('mine')").await;
    let eve = ada.fork("eve").await.unwrap();
    assert_eq!(eve.name(), "eve");
    let there = "return [vars.get('n'), (await fs.readFile('/f', 'utf8')).length, process.cwd(), typeof g, session.checkpoints().length]";
    let result = run(&eve, there).await;
    assert_eq!((result.value, result.vm), (Some(json!([1, 200_000, "/d", "undefined", 0])), Some(VmOrigin::Built)));
    assert_eq!(ada.files().await.unwrap().usage().memory, eve.files().await.unwrap().usage().memory);
    value(&eve, "vars.update('n', (n) => n + 10); await fs.writeFile('/f', 'eve'); await fs.writeFile('/new', '')")
        .await;
    value(&ada, "vars.update('n', (n) => n + 1)").await;
    assert_eq!(
        value(
            &ada,
            "return [vars.get('n'), (await fs.readFile('/f')).length, (await fs.readdir('/')).includes('new')]"
        )
        .await,
        json!([2, 200_000, false])
    );
    assert_eq!(value(&eve, "return [vars.get('n'), await fs.readFile('/f', 'utf8')]").await, json!([11, "eve"]));
    // What the origin had is the fork's own.
    assert!(ada.remove());
    assert_eq!(value(&eve, "return vars.get('n')").await, json!(11));

    let taken = eve.fork("eve").await.unwrap_err();
    assert_eq!((taken.kind, &*taken.message), (ErrorKind::InvalidRequest, "there is a session \"eve\" already"));
    let missing = table.session("nobody").fork("x").await.unwrap_err();
    assert_eq!(
        (missing.kind, &*missing.message),
        (ErrorKind::InvalidRequest, "there is no session \"nobody\" to make a fork of")
    );
    assert_eq!(table.len(), 1, "neither was made by asking");
}

#[tokio::test]
async fn forks_of_forks_leave_a_session_all_the_room_it_has() {
    let quota = FilesQuota::default().configure(|quota| quota.bytes = 1 << 20);
    let config = TableConfig::default().configure(|config| config.files_quota = quota);
    let table = SessionTable::with_config(config);
    let ada = table.session("ada");
    for i in 0..8 {
        value(&ada, &format!("await fs.writeFile('/f', new Uint8Array(900000).fill({i})); vars.set('n', {i})")).await;
        ada.fork(format!("fork {i}")).await.unwrap();
    }
    for i in 0..8 {
        let fork = table.session(format!("fork {i}"));
        assert_eq!(value(&fork, "return [vars.get('n'), (await fs.readFile('/f'))[0]]").await, json!([i, i]));
    }
}

#[tokio::test]
async fn a_fork_counts_for_its_owner_and_one_that_is_refused_leaves_nothing() {
    let limits = OwnerLimits::default().configure(|limits| limits.sessions = 2);
    let opened = Arc::new(AtomicUsize::new(0));
    let provisions = Provisions::new().with(Service { open: opened.clone(), ..Service::default() });
    let config = TableConfig::default().configure(|config| {
        config.owner_limits = limits;
        config.provisions = provisions;
    });
    let table = SessionTable::with_config(config);
    let owner = table.of("ada");
    let first = owner.session("first");
    value(&first, "0").await;
    first.checkpoint(None).await.unwrap();
    first.fork("second").await.unwrap();
    assert_eq!(opened.load(Ordering::SeqCst), 2);
    for _ in 0..3 {
        assert_eq!(first.fork("third").await.unwrap_err().kind, ErrorKind::Busy);
        assert_eq!(first.fork("second").await.unwrap_err().kind, ErrorKind::InvalidRequest);
        assert_eq!(opened.load(Ordering::SeqCst), 2, "what was opened for it has ended");
    }
    assert!(owner.remove("second"));
    first.fork("third").await.unwrap();
    assert_eq!(owner.len(), 2);
}

/// A service of an embedder's, which does as it is told.
#[derive(Default)]
struct Service {
    /// How many are open.
    open: Arc<AtomicUsize>,
    state: Arc<Mutex<u64>>,
    /// What becomes of the next restoring: 1 it is refused, 2 it panics when it has changed something.
    trouble: Arc<AtomicUsize>,
}

struct Served {
    open: Arc<AtomicUsize>,
    state: Arc<Mutex<u64>>,
    trouble: Arc<AtomicUsize>,
}

impl Provision for Service {
    type Session = Served;

    fn name(&self) -> &'static str {
        "service"
    }

    fn declare(&self, _: &mut Library) {}

    const IS_DURABLE: bool = true;

    fn open(&self, _: &SessionKey, _: Option<&Snapshot>) -> Served {
        self.open.fetch_add(1, Ordering::SeqCst);
        Served { open: self.open.clone(), state: self.state.clone(), trouble: self.trouble.clone() }
    }
}

impl Provided for Served {
    fn snapshot(&self) -> Option<Snapshot> {
        Some(Snapshot::new(*self.state.lock().unwrap()))
    }

    fn restore(&self, snapshot: &Snapshot, _: Restorer) -> Result<(), String> {
        let trouble = self.trouble.swap(0, Ordering::SeqCst);
        if trouble == 1 {
            return Err("it is being mended".to_owned());
        }
        *self.state.lock().unwrap() = *snapshot.get::<u64>().unwrap();
        assert!(trouble != 2, "as it was told");
        Ok(())
    }

    fn fork(&self) -> Option<Snapshot> {
        self.snapshot()
    }

    fn end(&self, _: perennial_sessions::EndReason) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_rollback_is_whole_or_not_at_all() {
    let service = Service::default();
    let (state, trouble) = (service.state.clone(), service.trouble.clone());
    let provisions = Provisions::new().with(service);
    let table = SessionTable::with_config(TableConfig::default().configure(|config| config.provisions = provisions));
    let ada = table.session("ada");
    value(&ada, "vars.set('n', 1); await fs.writeFile('/f', '1')").await;
    ada.checkpoint(Some("one")).await.unwrap();
    value(&ada, "vars.set('n', 2); await fs.writeFile('/f', '2')").await;
    *state.lock().unwrap() = 2;
    for (what, kind, says) in
        [(1, ErrorKind::InvalidRequest, "it is being mended"), (2, ErrorKind::Internal, "service failed")]
    {
        trouble.store(what, Ordering::SeqCst);
        let error = ada.rollback("one").await.unwrap_err();
        assert_eq!(error.kind, kind);
        assert!(error.message.contains(says) && error.message.contains("nothing has changed"), "{}", error.message);
        assert_eq!(value(&ada, STATE).await, json!([2, "2", "/"]));
        assert_eq!(*state.lock().unwrap(), 2);
        trouble.store(what, Ordering::SeqCst);
        assert!(thrown(&ada, "session.rollback('one')").await.1.contains(says));
        assert_eq!(value(&ada, STATE).await, json!([2, "2", "/"]));
    }
    ada.rollback("one").await.unwrap();
    assert_eq!((value(&ada, STATE).await, *state.lock().unwrap()), (json!([1, "1", "/"]), 0));
}

#[tokio::test]
async fn differences_are_bounded_in_number_and_bytes() {
    let ada = table().session("ada");
    let start = ada.checkpoint(None).await.unwrap();
    value(&ada, "for (let i = 0; i < 900; i++) vars.set('n' + i, i); for (let i = 0; i < 300; i++) await fs.writeFile('/' + i, '')").await;
    let changes = ada.changes(&start, None).await.unwrap();
    assert_eq!((changes.changes.len(), changes.more), (1000, 200));
    let long = table().session("long");
    let start = long.checkpoint(None).await.unwrap();
    value(&long, "for (let i = 0; i < 300; i++) vars.set(String(i).padEnd(4000), i); await fs.writeFile('/short', '')")
        .await;
    let changes = long.changes(&start, None).await.unwrap();
    assert_eq!((changes.changes.len(), changes.more), (263, 38));
    assert_eq!(changes.changes[262].name, "/short", "a long name hides no short one behind it");
}

#[tokio::test]
async fn an_id_means_one_checkpoint_for_ever_though_the_session_of_that_name_is_another() {
    let table = table();
    let ada = table.session("ada");
    value(&ada, "vars.set('plan', 'mine')").await;
    let first = ada.checkpoint(None).await.unwrap();
    assert!(ada.remove());
    let second = ada.checkpoint(Some("later")).await.unwrap();
    assert_ne!(first.id, second.id);
    let error = ada.rollback(&first).await.unwrap_err();
    assert_eq!(error.message, format!("there is no checkpoint {}: there are {} (\"later\")", first.id, second.id));
    let (_, message) = thrown(&ada, "session.rollback('z'.repeat(60000))").await;
    assert!(message.len() < 400, "{message}");
}

#[tokio::test]
async fn a_var_whose_name_could_not_be_asked_for_is_refused() {
    let ada = table().session("ada");
    let (name, message) = thrown(&ada, "vars.set('x'.repeat(4097), 1)").await;
    assert_eq!((&*name, &*message), ("QuotaExceededError", "the name of a var may have 4096 bytes and has 4097"));
    let longest = "const name = 'x'.repeat(4096); vars.set(name, 1); vars.update(name, (n) => n + 1); return [vars.get(name), vars.delete(name)]";
    assert_eq!(value(&ada, longest).await, json!([2, true]));
}

#[tokio::test]
async fn a_rollback_that_a_mounted_folder_could_not_survive_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ada = table().session("ada");
    value(&ada, "await fs.writeFile('/data', 'a file'); session.checkpoint('file'); await fs.rm('/data')").await;
    let mount = || Mounts::new(vec![Mount::open(folder.path(), "/data", MountMode::ReadOnly).unwrap()]).unwrap();
    let within = |script: &str| ada.run(Run::script(script).grant(mount()));
    let refused = within("session.rollback('file')").await.error.unwrap();
    assert!(refused.message.contains("files cannot be brought back"), "{}", refused.message);
    // A folder that was not there yet is made again.
    value(&ada, "session.checkpoint('none')").await;
    let names = within("session.rollback('none'); return fs.readdir('/')").await;
    assert_eq!(names.value, Some(json!(["data"])));
}

#[tokio::test]
async fn asking_for_what_is_not_there_makes_no_session() {
    let table = table();
    let nobody = table.session("nobody");
    let wrong = |error: perennial_sessions::ScriptError| {
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
        assert!(error.message.contains("there is no session of this name"), "{}", error.message);
    };
    wrong(nobody.rollback(1).await.unwrap_err());
    wrong(nobody.changes("x", None).await.unwrap_err());
    wrong(nobody.forget(1).await.unwrap_err());
    assert!(nobody.checkpoints().await.is_empty() && table.is_empty());
    nobody.checkpoint(None).await.unwrap();
    let error = nobody.changes(1, Some(CheckpointRef::Id(9))).await.unwrap_err();
    assert_eq!(error.message, "there is no checkpoint 9: there are 1");
    assert_eq!(nobody.changes(1, None).await.unwrap().changes, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_waits_for_a_run_to_end_before_it_remembers_or_goes_back() {
    let ada = table().session("ada");
    let vars = ada.vars().await.unwrap();
    let running = tokio::spawn({
        let ada = ada.clone();
        async move {
            run(&ada, "vars.set('n', 1); await new Promise((done) => { const look = () => vars.get('go') ? done() : setTimeout(look, 1); look() }); vars.set('n', 2)").await
        }
    });
    eventually("it has written once", || vars.has("n")).await;
    let (checkpoint, ()) = tokio::join!(ada.checkpoint(None), async { vars.set("go", json!(true)).unwrap() });
    assert!(running.await.unwrap().is_ok());
    let checkpoint = checkpoint.unwrap();
    assert_eq!(vars.get("n"), Some(json!(2)));
    value(&ada, "vars.set('n', 3)").await;
    let changes = ada.changes(&checkpoint, None).await.unwrap().changes;
    assert_eq!((changes.len(), &*changes[0].name, changes[0].change), (1, "n", ChangeKind::Modified));
    ada.rollback(&checkpoint).await.unwrap();
    assert_eq!(vars.get("n"), Some(json!(2)), "of a whole run");
}
