//! Undoing: what an atomic run has written to `vars` and files goes, what the host has written meanwhile stays.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use perennial_sessions::protocol::ErrorKind;
use perennial_sessions::{
    Area, Bound, EngineConfig, OpTable, OpValue, RunContext, RunOptions, RunRequest, SessionTable, TableConfig,
    VarsError, VarsQuota,
};
use perennial_testkit::eventually;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const NAMES: [&str; 3] = ["a", "b", "c"];

/// Does as it is told, until it is told how to end.
const SCRIPT: &str = "for (;;) {
    const [what, name, value] = await next();
    if (what === 'set') { vars.set(name, value); await fs.writeFile('/' + name, value) }
    else if (what === 'delete') { vars.delete(name); await fs.rm('/' + name, { force: true }) }
    else if (what === 'throw') throw 1;
    else if (what === 'spin') for (;;);
    else if (what === 'stick') stick();
    else if (what === 'return') return;
}";

#[derive(Clone, Copy, Debug)]
enum Step {
    Run(Write),
    Host(Write),
}

#[derive(Clone, Copy, Debug)]
enum Write {
    Set(usize),
    Delete(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Return,
    Throw,
    Spin,
    /// In an operation of the host that does not come back.
    Stick,
    Drop,
}

/// What a script is told, and when it asks for more.
struct Told {
    orders: UnboundedSender<Value>,
    asked: UnboundedReceiver<()>,
}

impl Told {
    async fn tell(&mut self, order: Value) {
        let asked = tokio::time::timeout(Duration::from_secs(20), self.asked.recv()).await;
        asked.expect("the script asks what to do").unwrap();
        self.orders.send(order).unwrap();
    }

    /// Waits until it has done what it was told, and asks for more.
    async fn done(&mut self) {
        self.tell(json!(["nothing"])).await;
    }
}

fn obedient(gate: Arc<Mutex<()>>) -> (EngineConfig, Told) {
    let (orders, receiver) = unbounded_channel::<Value>();
    let (asks, asked) = unbounded_channel();
    let receiver = Arc::new(tokio::sync::Mutex::new(receiver));
    let ops = OpTable::new()
        .asynchronous("next", Bound::SMALL, move |_, _| {
            let (receiver, asks) = (receiver.clone(), asks.clone());
            Box::pin(async move {
                let _ = asks.send(());
                let order = receiver.lock().await.recv().await;
                Ok(order.unwrap_or(Value::Null).into())
            })
        })
        .sync("stick", Bound::SMALL, move |_, _| {
            drop(gate.lock());
            Ok(OpValue::Undefined)
        });
    let area =
        Area::new("told", &["next", "stick"], "((ops) => ({ next: () => ops.next(), stick: () => ops.stick() }))");
    (EngineConfig::new(ops, vec![area]), Told { orders, asked })
}

type Model = BTreeMap<String, String>;

fn found(table: &SessionTable) -> (Model, Model) {
    let (vars, files) = (table.vars("s"), table.files("s"));
    let text = |value: Option<Value>| value.unwrap().as_str().unwrap().to_owned();
    let in_vars = vars.keys().into_iter().map(|name| (name.clone(), text(vars.get(&name)))).collect();
    let content = |name: &String| String::from_utf8(files.read(&format!("/{name}")).unwrap()).unwrap();
    let in_files = files.list("/").unwrap().into_iter().map(|name| (name.clone(), content(&name))).collect();
    (in_vars, in_files)
}

#[expect(clippy::await_holding_lock, reason = "what the thread of a stuck script waits for is this lock")]
async fn history(steps: &[Step], end: End) {
    let table = SessionTable::new(10, Duration::from_secs(600));
    let gate = Arc::new(Mutex::new(()));
    let (config, mut told) = obedient(gate.clone());
    // Files cannot be removed by the host, so that these models differ.
    let (mut vars, mut vars_base, mut files, mut files_base) = (Model::new(), Model::new(), Model::new(), Model::new());
    for (i, name) in NAMES.iter().take(2).enumerate() {
        table.vars("s").set(name, json!(format!("before {i}"))).unwrap();
        table.files("s").write(&format!("/{name}"), format!("before {i}").as_bytes()).unwrap();
        for model in [&mut vars, &mut vars_base, &mut files, &mut files_base] {
            model.insert((*name).to_owned(), format!("before {i}"));
        }
    }
    let slot = table.acquire("s");
    let mut run = tokio::spawn(async move {
        let mut session = slot.lock().await.unwrap();
        let wall = if matches!(end, End::Spin | End::Stick) { 700 } else { 60_000 };
        let options = RunOptions::default().configure(|options| {
            options.wall = Duration::from_millis(wall);
            options.atomic = true;
            options.changes = true;
        });
        session.run(&config, SCRIPT, &json!([]), &options, RunContext::new(), None).await
    });
    for (index, step) in steps.iter().enumerate() {
        match step {
            Step::Run(Write::Set(i)) => {
                let value = format!("run {index}");
                told.tell(json!(["set", NAMES[*i], value])).await;
                told.done().await;
                vars.insert(NAMES[*i].to_owned(), value.clone());
                files.insert(NAMES[*i].to_owned(), value);
            }
            Step::Run(Write::Delete(i)) => {
                told.tell(json!(["delete", NAMES[*i]])).await;
                told.done().await;
                vars.remove(NAMES[*i]);
                files.remove(NAMES[*i]);
            }
            Step::Host(Write::Set(i)) => {
                let (name, value) = (NAMES[*i].to_owned(), format!("host {index}"));
                table.vars("s").set(&name, json!(value)).unwrap();
                table.files("s").write(&format!("/{name}"), value.as_bytes()).unwrap();
                for model in [&mut vars, &mut vars_base, &mut files, &mut files_base] {
                    model.insert(name.clone(), value.clone());
                }
            }
            Step::Host(Write::Delete(i)) => {
                table.vars("s").delete(NAMES[*i]);
                vars.remove(NAMES[*i]);
                vars_base.remove(NAMES[*i]);
            }
        }
        assert_eq!(found(&table), (vars.clone(), files.clone()), "{steps:?} after {index}");
    }
    let held = gate.lock().unwrap();
    told.tell(json!([format!("{end:?}").to_lowercase()])).await;
    if end == End::Drop {
        run.abort();
        assert!((&mut run).await.is_err());
        eventually("the VM is gone", || table.sessions().iter().all(|session| !session.running)).await;
    } else {
        let result = run.await.unwrap();
        let listed: Vec<&str> = result.files.iter().map(|file| file.path.strip_prefix('/').unwrap()).collect();
        let differs = |name: &&str| files.get(*name) != files_base.get(*name);
        let own: Vec<&str> = NAMES.into_iter().filter(differs).collect();
        match end {
            End::Return => assert_eq!(listed, own, "{steps:?}: {result:?}"),
            _ => assert!(listed.is_empty() && result.error.is_some(), "{steps:?}: {result:?}"),
        }
    }
    let expected = if end == End::Return { (vars, files) } else { (vars_base, files_base) };
    assert_eq!(found(&table), expected, "{steps:?} {end:?}");
    drop(held);
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let write = || {
        let name = 0..NAMES.len();
        prop_oneof![2 => name.clone().prop_map(Write::Set), 1 => name.prop_map(Write::Delete)]
    };
    prop::collection::vec(prop_oneof![write().prop_map(Step::Run), write().prop_map(Step::Host)], 0..8)
}

fn ends() -> impl Strategy<Value = End> {
    prop_oneof![
        3 => Just(End::Return), 3 => Just(End::Throw), 1 => Just(End::Spin), 1 => Just(End::Stick), 2 => Just(End::Drop),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn an_atomic_run_undoes_its_own_writes_and_none_of_the_host_s(steps in steps(), end in ends()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(history(&steps, end));
    }
}

#[tokio::test]
async fn the_host_reads_and_writes_while_a_script_runs() {
    let table = SessionTable::new(10, Duration::from_secs(600));
    let (vars, files) = (table.vars("s"), table.files("s"));
    let script = "vars.set('up', 1); while (!vars.has('go')) await new Promise((done) => setTimeout(done, 1)); [vars.get('go'), await fs.readFile('/in', 'utf8')]";
    let run = table.run("s", RunRequest::new(script));
    let host = async {
        eventually("the script runs", || vars.has("up")).await;
        files.write("/in", b"data").unwrap();
        vars.set("go", json!({"n": 1})).unwrap();
    };
    let (result, ()) = tokio::join!(run, host);
    assert_eq!(result.value, Some(json!([{"n": 1}, "data"])));
}

#[tokio::test]
async fn callbacks_of_a_run_that_was_undone_write_no_vars() {
    let table = SessionTable::new(10, Duration::from_secs(600));
    let script = "vars.set('a', 1); setTimeout(() => { try { vars.set('late', 1) } catch (e) { console.log(e.name) } }, 20); throw 1";
    let failed = table.run("s", RunRequest::new(script).configure(|request| request.atomic = true)).await;
    assert_eq!(failed.error.map(|error| error.kind), Some(ErrorKind::Runtime));
    let waits = "await new Promise((done) => setTimeout(done, 100))";
    assert!(table.run("other", RunRequest::new(waits)).await.is_ok());
    let after = table.run("s", RunRequest::new("vars.keys()")).await;
    assert_eq!(after.value, Some(json!([])));
    assert_eq!(after.console.first().map(|entry| entry.message.as_str()), Some("PermissionError"));
}

#[tokio::test]
async fn a_host_s_write_that_does_not_fit_beside_what_can_be_undone_is_refused_and_changes_nothing() {
    let quota = VarsQuota::default().configure(|quota| (quota.entries, quota.bytes) = (2, 1000));
    let table = SessionTable::builder().configure(|config| config.vars_quota = quota).build().unwrap();
    let vars = table.vars("s");
    vars.set("a", json!(1)).unwrap();
    vars.set("b", json!(2)).unwrap();
    let (config, mut told) = obedient(Arc::default());
    let slot = table.acquire("s");
    let run = tokio::spawn(async move {
        let options = RunOptions::default().configure(|options| options.atomic = true);
        slot.lock().await.unwrap().run(&config, SCRIPT, &json!([]), &options, RunContext::new(), None).await
    });
    told.tell(json!(["delete", "a"])).await;
    told.done().await;
    assert_eq!(vars.set("c", json!(3)), Err(VarsError::Entries { limit: 2, used: 3 }));
    assert_eq!(vars.keys(), ["b"]);
    told.tell(json!(["throw"])).await;
    assert!(run.await.unwrap().error.is_some());
    assert_eq!(vars.keys(), ["a", "b"]);
    // A version that somebody saw meanwhile is none of a later one.
    let before = vars.version("a");
    assert!(vars.replace("a", before, json!(4)).unwrap());
    assert!(!vars.replace("a", before, json!(5)).unwrap());
}

#[tokio::test]
async fn what_the_host_writes_to_a_session_that_has_ended_is_an_error_and_asking_for_it_is_use() {
    let clock = perennial_testkit::ManualClock::new();
    let config = TableConfig::default().configure(|config| {
        config.clock = Arc::new(clock.clone());
        config.idle_ttl = Duration::from_secs(60);
    });
    let table = SessionTable::with_config(config);
    let (vars, files) = (table.vars("s"), table.files("s"));
    for _ in 0..3 {
        clock.advance(Duration::from_secs(50));
        table.vars("s").set("n", json!(1)).unwrap();
    }
    assert_eq!(table.len(), 1);
    clock.advance(Duration::from_secs(100));
    assert_eq!(table.len(), 0);
    assert_eq!(vars.set("n", json!(2)), Err(VarsError::Ended));
    assert!(!vars.delete("n"));
    assert!(files.write("/x", b"").unwrap_err().to_string().contains("the session has ended"));
    table.vars("s").set("n", json!(3)).unwrap();
    assert_eq!(table.run("s", RunRequest::new("vars.get('n')")).await.value, Some(json!(3)));
}

#[tokio::test]
async fn what_the_host_writes_over_a_renamed_file_is_no_second_one_of_the_first_after_undoing() {
    let table = SessionTable::new(10, Duration::from_secs(600));
    let files = table.files("s");
    files.write("/a", b"first").unwrap();
    let script =
        "await fs.rename('/a', '/b'); vars.set('renamed', 1); await new Promise((done) => setTimeout(done, 60_000))";
    let run = table.run("s", RunRequest::new(script).with_timeout_ms(500).configure(|request| request.atomic = true));
    let vars = table.vars("s");
    let host = async {
        eventually("it is renamed", || vars.has("renamed")).await;
        files.write("/b", b"host").unwrap();
    };
    let (result, ()) = tokio::join!(run, host);
    assert!(result.error.is_some());
    let script = "const h = await fs.open('/a', 'r+'); await fs.rename('/b', '/a');
        [await h.write('X').catch((e) => e.code), await fs.readFile('/a', 'utf8')]";
    assert_eq!(table.run("s", RunRequest::new(script)).await.value, Some(json!(["EBADF", "host"])));
}
