//! Whose sessions they are: what others do is neither seen nor felt.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use perennial_sessions::{
    Area, Bound, EndReason, ErrorKind, OpTable, Owner, OwnerLimits, Provision, RunRequest, ScriptResult, SessionTable,
    TableConfig,
};
use perennial_testkit::{ManualClock, eventually};
use serde_json::json;

fn limits(sessions: usize, stuck_threads: usize) -> OwnerLimits {
    OwnerLimits::default().configure(|limits| (limits.sessions, limits.stuck_threads) = (sessions, stuck_threads))
}

fn limited(sessions: usize, stuck_threads: usize) -> SessionTable {
    let owner_limits = limits(sessions, stuck_threads);
    SessionTable::with_config(TableConfig::default().configure(|config| config.owner_limits = owner_limits))
}

async fn run(owner: &Owner, name: &str, script: &str) -> ScriptResult {
    owner.run(name, RunRequest::new(script)).await
}

fn kind(result: &ScriptResult) -> ErrorKind {
    result.error.as_ref().unwrap().kind
}

/// A native function of scripts that waits until it is let go, whatever happens to its run.
struct Stick(Arc<Mutex<()>>);

impl Provision for Stick {
    type Session = ();

    fn name(&self) -> &'static str {
        "stick"
    }

    fn declare(&self, library: &mut perennial_sessions::Library) {
        let held = self.0.clone();
        library.ops(OpTable::new().sync("stick", Bound::SMALL, move |_, _| {
            drop(held.lock());
            Ok(json!(1).into())
        }));
        library.area(Area::new("stick", &["stick"], "((ops) => ({ stick: () => ops.stick() }))"));
    }

    fn open(&self, _: &perennial_sessions::SessionKey, _: Option<&perennial_sessions::Snapshot>) {}
}

#[tokio::test]
async fn owners_share_no_session_of_any_name() {
    let table = SessionTable::builder().build().unwrap();
    let (ada, bob) = (table.of("ada"), table.of("bob"));
    let write = "globalThis.g = 1; vars.set('v', 2); await fs.writeFile('/f', 'x'); 3";
    assert_eq!(run(&ada, "s", write).await.value, Some(json!(3)));
    let look = "[typeof g, vars.get('v') ?? null, await fs.exists('/f')]";
    for other in [&bob, &table.local()] {
        assert_eq!(run(other, "s", look).await.value, Some(json!(["undefined", null, false])));
        assert_eq!(other.vars("s").await.unwrap().get("v"), None);
    }
    assert_eq!(run(&table.of("ada"), "s", look).await.value, Some(json!(["number", 2, true])));
    assert_eq!(ada.session("s").vars().await.unwrap().get("v"), Some(json!(2)));
    let listed: Vec<_> = table.sessions().into_iter().map(|session| (session.owner, session.name)).collect();
    let expected = ["", "ada", "bob"].map(|owner| (owner.to_owned(), "s".to_owned()));
    assert_eq!(listed, expected);
    assert_eq!(ada.sessions().len(), 1);
    assert!(!bob.remove("t") && bob.remove("s") && !bob.remove("s"));
    assert_eq!((table.len(), ada.len(), bob.len()), (2, 1, 0));
    ada.clear();
    assert!(ada.is_empty() && table.len() == 1);
    run(&ada, "s", "1").await;
    table.clear();
    assert!(table.is_empty() && ada.is_empty());
}

#[tokio::test]
async fn an_owner_that_is_dropped_is_found_again_with_its_sessions() {
    let table = SessionTable::builder().build().unwrap();
    run(&table.of("ada"), "s", "globalThis.n = 1").await;
    for other in 0..1000 {
        table.of(&format!("other {other}"));
    }
    assert_eq!(run(&table.of("ada"), "s", "n").await.value, Some(json!(1)));
}

#[tokio::test]
async fn the_last_handle_ends_the_sessions_of_all_owners() {
    let owner = SessionTable::builder().build().unwrap().of("ada");
    let vars = owner.vars("s").await.unwrap();
    vars.set("a", json!(1)).unwrap();
    let slot = owner.acquire("s");
    drop(owner);
    assert!(vars.set("a", json!(2)).is_err());
    assert!(slot.lock().await.is_ok(), "it is locked, and answers that it has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_more_than_an_owner_may_have_is_busy_and_costs_the_others_nothing() {
    let table = limited(2, 8);
    let ada = table.of("ada");
    run(&ada, "one", "globalThis.n = 1").await;
    run(&ada, "two", "globalThis.n = 2").await;
    let refused = run(&ada, "three", "1").await;
    assert_eq!(kind(&refused), ErrorKind::Busy, "{:?}", refused.error);
    assert!(refused.error.unwrap().message.contains("2 sessions"));
    assert_eq!(ada.vars("three").await.unwrap_err().kind, ErrorKind::Busy);
    assert_eq!(ada.files("three").await.unwrap_err().kind, ErrorKind::Busy);
    assert!(ada.acquire("three").lock().await.is_err());
    assert!(!ada.reset("three").await && !ada.remove("three"));
    assert_eq!(ada.len(), 2);
    // What it has goes on, others have their own, and the local owner has no limit.
    assert_eq!(run(&ada, "one", "n").await.value, Some(json!(1)));
    assert!(run(&table.of("bob"), "three", "1").await.is_ok());
    for n in 0..5 {
        assert!(run(&table.local(), &format!("s{n}"), "1").await.is_ok());
    }
    ada.remove("one");
    assert!(run(&ada, "three", "1").await.is_ok());
    let racing: Vec<_> = (0..50)
        .map(|n| {
            let bob = table.of("bob");
            tokio::spawn(async move { run(&bob, &format!("s{n}"), "1").await.is_ok() })
        })
        .collect();
    let mut made = 0;
    for racer in racing {
        made += usize::from(racer.await.unwrap());
    }
    assert_eq!((made, table.of("bob").len()), (1, 2), "one beside the one that was there");
}

#[expect(clippy::await_holding_lock, reason = "what the threads of hostile scripts wait for is this lock")]
#[tokio::test(flavor = "multi_thread")]
async fn stuck_threads_of_an_owner_are_nobody_elses() {
    let gate = Arc::new(Mutex::new(()));
    let owner_limits = limits(2, 2);
    let table = SessionTable::builder()
        .provision(Stick(gate.clone()))
        .timeout(Duration::from_millis(50))
        .configure(|config| config.owner_limits = owner_limits)
        .build()
        .unwrap();
    let (ada, bob) = (table.of("ada"), table.of("bob"));
    {
        let _held = gate.lock().unwrap();
        assert_eq!(kind(&run(&ada, "one", "stick()").await), ErrorKind::Timeout);
        // It is as busy for the next session of its name, whoever was refused that name between the two.
        assert!(ada.remove("one"));
        assert!(run(&ada, "two", "1").await.is_ok() && run(&ada, "three", "1").await.is_ok());
        assert_eq!(kind(&run(&ada, "one", "1").await), ErrorKind::Busy);
        assert!(ada.remove("three"));
        let busy = run(&ada, "one", "1").await.error.unwrap();
        assert!(busy.kind == ErrorKind::Busy && busy.message.contains("this session's last run"), "{busy:?}");
        assert_eq!(kind(&run(&ada, "two", "stick()").await), ErrorKind::Timeout);
        // A second later they count as stuck.
        let busy = tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                ada.remove("one");
                if let Some(error) = run(&ada, "four", "1").await.error {
                    return error;
                }
                ada.remove("four");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let busy = busy.await.unwrap();
        assert!(busy.kind == ErrorKind::Busy && busy.message.contains("2 threads"), "{busy:?}");
        assert!(run(&bob, "one", "1").await.is_ok() && run(&table.local(), "one", "1").await.is_ok());
    }
    eventually("the threads are back", || table.abandoned_threads() == 0).await;
    assert!(run(&ada, "four", "1").await.is_ok());
}

#[tokio::test]
async fn an_end_is_remembered_for_ten_minutes_however_often_it_is_asked_for() {
    let clock = ManualClock::new();
    let config = TableConfig::default().configure(|config| {
        config.clock = Arc::new(clock.clone());
        config.idle_ttl = Duration::from_secs(60);
    });
    let table = SessionTable::with_config(config);
    let ada = table.of("ada");
    let before = SystemTime::now();
    run(&ada, "s", "1").await;
    assert_eq!(ada.ended("s"), None);
    let created = ada.sessions()[0].created;
    assert!(created >= before - Duration::from_secs(1) && created <= SystemTime::now());
    // It ends when its time has come, however late somebody looks.
    clock.advance(Duration::from_secs(100));
    let (why, at) = ada.ended("s").unwrap();
    assert_eq!(why, EndReason::Idle);
    let after = at.duration_since(created).unwrap();
    assert!((60..100).contains(&after.as_secs()), "{after:?}");
    assert_eq!(table.of("bob").ended("s"), None);
    // The next session of its name says what it replaces, and does not make that forgotten.
    assert_eq!(run(&ada, "s", "1").await.replaces, Some(EndReason::Idle));
    assert_eq!(run(&ada, "s", "1").await.replaces, None);
    assert_eq!(ada.ended("s"), Some((why, at)));
    ada.remove("s");
    assert_eq!(ada.ended("s").unwrap().0, EndReason::Removed);
    clock.advance(Duration::from_secs(599));
    assert!(ada.ended("s").is_some());
    clock.advance(Duration::from_secs(1));
    assert_eq!(ada.ended("s"), None);
}

#[tokio::test]
async fn no_two_keys_of_sessions_look_alike() {
    let log = Arc::new(Mutex::new(Vec::new()));
    struct Keys(Arc<Mutex<Vec<String>>>);
    impl Provision for Keys {
        type Session = Key;
        fn name(&self) -> &'static str {
            "keys"
        }
        fn declare(&self, _: &mut perennial_sessions::Library) {}
        fn open(&self, session: &perennial_sessions::SessionKey, _: Option<&perennial_sessions::Snapshot>) -> Key {
            self.0.lock().unwrap().push(session.to_string());
            Key
        }
    }
    struct Key;
    impl perennial_sessions::Provided for Key {}
    let table = SessionTable::builder().provision(Keys(log.clone())).build().unwrap();
    for (owner, name) in [("", "a/b"), ("a", "b"), ("a/b", "c"), ("a", "b/c"), ("a", "\"/\"b")] {
        table.of(owner).provided::<Key>(name).await.unwrap().unwrap();
    }
    let keys: std::collections::HashSet<String> = log.lock().unwrap().iter().cloned().collect();
    assert_eq!(keys.len(), 5, "{keys:?}");
}
