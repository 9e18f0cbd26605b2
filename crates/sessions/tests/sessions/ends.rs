//! An end that is waited for: when it has come, nothing of the session is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use perennial_sessions::protocol::ErrorKind;
use perennial_sessions::{
    Area, Bound, BoxFuture, EngineConfig, Library, OpTable, Provided, Provision, Provisions, RunContext, RunOptions,
    RunRequest, SessionKey, SessionTable, Snapshot, TableConfig,
};
use perennial_testkit::eventually;
use serde_json::json;
use tokio::sync::Notify;

fn table() -> SessionTable {
    SessionTable::new(10, Duration::from_secs(600))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_waits_for_the_run_that_it_stops() {
    let table = table();
    let running = tokio::spawn({
        let table = table.clone();
        async move { table.run("s", RunRequest::new("vars.set('begun', 1); for (;;) {}")).await }
    });
    let vars = table.vars("s");
    eventually("it runs", || vars.has("begun")).await;
    let session = table.session("s");
    assert_eq!(session.end().await, Ok(true));
    assert_eq!(table.live_vm_count(), 0);
    assert_eq!(running.await.unwrap().error.unwrap().kind, ErrorKind::Cancelled);
    assert_eq!(session.end().await, Ok(false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_waits_for_nothing_of_the_session_that_comes_after() {
    let table = table();
    let endless = || {
        let table = table.clone();
        tokio::spawn(async move { table.run("s", RunRequest::new("vars.set('begun', 1); for (;;) {}")).await })
    };
    let first = endless();
    let vars = table.vars("s");
    eventually("it runs", || vars.has("begun")).await;
    let session = table.session("s");
    let ending = tokio::spawn(async move { session.end().await });
    assert_eq!(first.await.unwrap().error.unwrap().kind, ErrorKind::Cancelled);
    let second = endless();
    eventually("its successor runs", || table.vars("s").has("begun")).await;
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), ending).await.unwrap().unwrap(), Ok(true));
    assert!(table.remove("s"));
    second.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_shut_down_has_no_session_and_makes_none() {
    let table = table();
    let ada = table.of("ada");
    table.run("s", RunRequest::new("setInterval(() => {}, 1); 0")).await;
    ada.run("s", RunRequest::new("1")).await;
    let makers: Vec<_> = (0..8)
        .map(|i| {
            let table = table.clone();
            tokio::spawn(async move {
                for j in 0..200 {
                    table.run(&format!("{i} {j}"), RunRequest::new("1")).await;
                }
            })
        })
        .collect();
    eventually("some are made", || table.len() > 20).await;
    table.shutdown().await.unwrap();
    for maker in makers {
        maker.await.unwrap();
    }
    assert_eq!((table.len(), ada.len(), table.live_vm_count()), (0, 0, 0));
    let error = table.run("s", RunRequest::new("1")).await.error.unwrap();
    assert_eq!(error.kind, ErrorKind::SessionEnded);
}

/// A service whose end takes its time.
struct Slow {
    released: Arc<Notify>,
    has_ended: Arc<AtomicBool>,
}

struct Served {
    released: Arc<Notify>,
    has_ended: Arc<AtomicBool>,
}

impl Provision for Slow {
    type Session = Served;

    fn name(&self) -> &'static str {
        "slow"
    }

    fn declare(&self, library: &mut Library) {
        library.ops(OpTable::new());
        library.area(Area::new("slow", &["slow"], "((ops) => ({ slow: true }))"));
    }

    fn open(&self, _: &SessionKey, _: Option<&Snapshot>) -> Served {
        Served { released: self.released.clone(), has_ended: self.has_ended.clone() }
    }
}

impl Provided for Served {
    fn end(&self, _: perennial_sessions::EndReason) {
        self.has_ended.store(true, Ordering::SeqCst);
    }

    fn gone(&self) -> BoxFuture<'static, ()> {
        let released = self.released.clone();
        Box::pin(async move { released.notified().await })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_waits_for_what_provisions_have_outside() {
    let (released, has_ended) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let slow = Slow { released: released.clone(), has_ended: has_ended.clone() };
    let provisions = Provisions::new().with(slow);
    let table = SessionTable::with_config(TableConfig::default().configure(|config| config.provisions = provisions));
    assert_eq!(table.run("s", RunRequest::new("slow")).await.value, Some(json!(true)));
    assert!(table.provided::<Served>("s").is_some());
    let ending = tokio::spawn({
        let session = table.session("s");
        async move { session.end().await }
    });
    eventually("it is told", || has_ended.load(Ordering::SeqCst)).await;
    assert!(!ending.is_finished());
    released.notify_one();
    assert_eq!(ending.await.unwrap(), Ok(true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_says_so_if_what_the_last_run_called_does_not_come_back() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let ops = OpTable::new().sync("stick", Bound::SMALL, move |_, _| {
        let _ = released.lock().unwrap().recv();
        Ok(json!(null).into())
    });
    let config =
        EngineConfig::new(ops, vec![Area::new("stick", &["stick"], "((ops) => ({ stick: () => ops.stick() }))")]);
    let table = table();
    let options = RunOptions::default().configure(|options| options.wall = Duration::from_millis(50));
    let mut session = table.acquire("s").lock().await.unwrap();
    let result = session.run(&config, "stick()", &json!([]), &options, RunContext::new(), None).await;
    assert_eq!(result.error.unwrap().kind, ErrorKind::Timeout);
    drop(session);
    let error = table.session("s").end().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Busy);
    assert!(error.message.contains("has ended") && table.is_empty(), "{}", error.message);
    drop(release);
    eventually("the thread is back", || table.abandoned_threads() == 0).await;
}

#[cfg(feature = "commands")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_an_end_has_come_commands_and_their_folder_are_gone() {
    use perennial_sessions::commands::CommandSet;

    perennial_sessions::use_supervisor(env!("CARGO_BIN_EXE_perennial-supervisor"));
    let path = std::env::var("PATH").unwrap();
    let declared = json!({"run": ["sh", "-c", "echo $$; echo $HOME; exec sleep 1000"], "persistent": true});
    let set = CommandSet::new().with_environment([("PATH".to_owned(), path)]).with_json("service", &declared).unwrap();
    let table = SessionTable::with_config(TableConfig::default().configure(|config| config.commands = set));
    let script = "const { id } = await commands.start('service');
        for (;;) { const { lines } = commands.logs(id); if (lines.length > 1) return lines.map((l) => l.text); await new Promise((d) => setTimeout(d, 5)) }";
    let lines = table.run("s", RunRequest::new(script)).await.value.unwrap();
    let pid = nix::unistd::Pid::from_raw(lines[0].as_str().unwrap().parse().unwrap());
    let home = std::path::PathBuf::from(lines[1].as_str().unwrap());
    assert!(home.exists() && nix::sys::signal::kill(pid, None).is_ok());
    table.session("s").fork("fork").await.unwrap();
    let of_fork = table.run("fork", RunRequest::new("commands.list()")).await.value;
    assert_eq!(of_fork, Some(json!([])), "a fork has no commands");
    assert_eq!(table.session("s").end().await, Ok(true));
    assert!(nix::sys::signal::kill(pid, None).is_err(), "the process is gone");
    assert!(!home.exists(), "its folder is gone");
}
