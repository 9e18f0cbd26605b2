//! What sessions have is one seam: an embedder's own provision has the same life as the table's.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use perennial_sessions::protocol::{EndReason, ErrorKind, RebuildReason, VmOrigin};
use perennial_sessions::{
    Area, Bound, Description, Ended, Grant, Holds, InRun, Library, LibraryError, Loan, OpError, OpTable, OpValue, Own,
    PluginOptions, PluginSet, Provided, Provision, Provisions, RunContext, RunRequest, RunScope, ScriptError,
    SessionKey, SessionTable, Snapshot, TableConfig,
};
use perennial_testkit::{ManualClock, eventually};
use serde_json::json;

/// Writes down what it is asked.
#[derive(Clone, Default)]
struct Recorder {
    log: Arc<Mutex<Vec<String>>>,
    keeps: bool,
    breaks: bool,
    global: Option<&'static str>,
}

struct Recorded {
    log: Arc<Mutex<Vec<String>>>,
    keeps: bool,
    breaks: bool,
    notes: AtomicUsize,
}

struct Refuse;
struct Generation(u64);

impl Grant for Refuse {}
impl Grant for PanicAtBegin {}
impl Loan for PanicAtEnd {}
impl Loan for Generation {}
struct PanicAtBegin;
struct PanicAtEnd;

impl Recorder {
    fn note(&self, what: impl Into<String>) {
        self.log.lock().unwrap().push(what.into());
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

impl Provision for Recorder {
    type Session = Recorded;

    fn name(&self) -> &'static str {
        "recorder"
    }

    fn declare(&self, library: &mut Library) {
        library.ops(OpTable::new().sync("recorder_note", Bound::SMALL, |context, _| {
            let own = context.extensions.get::<Recorded>();
            let own = own.ok_or_else(|| OpError::permission("notes", "a session"))?;
            Ok(json!(own.notes.fetch_add(1, Ordering::Relaxed) + 1).into())
        }));
        let global = self.global.unwrap_or("note");
        library.area(Area::new(
            "recorder",
            &[global],
            format!("((ops) => ({{ {global}: () => ops.recorder_note() }}))"),
        ));
    }

    fn open(&self, session: &SessionKey, _: Option<&Snapshot>) -> Recorded {
        self.note(format!("open {}", session.name()));
        Recorded { log: self.log.clone(), keeps: self.keeps, breaks: self.breaks, notes: AtomicUsize::new(0) }
    }

    fn admit(&self, _: Own<'_, Recorded>, run: &RunScope<'_>) -> Result<(), ScriptError> {
        match run.grant::<Refuse>() {
            Some(_) => Err(ScriptError::invalid_request(format!("not for {}", run.session().name()))),
            None => Ok(()),
        }
    }

    fn begin(&self, session: Own<'_, Recorded>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        assert!(run.grant::<PanicAtBegin>().is_none(), "as it was told");
        self.note("begin");
        run.provide(session.get());
        if let Some(Generation(epoch)) = run.loan::<Generation>().as_deref() {
            run.epoch(*epoch);
        }
        Some(Box::new(InRecorder { log: self.log.clone(), panics: run.loan::<PanicAtEnd>().is_some(), settled: false }))
    }
}

impl Provided for Recorded {
    fn holds(&self) -> Holds {
        assert!(!self.breaks, "as it was told");
        if self.keeps { Holds::expiry() } else { Holds::default() }
    }

    fn report(&self, ended: &mut Ended<'_>) {
        assert!(!self.breaks, "as it was told");
        ended.usage(self.notes.load(Ordering::Relaxed));
    }

    fn describe(&self, description: &mut Description) {
        assert!(!self.breaks, "as it was told");
        description.more(json!({"notes": self.notes.load(Ordering::Relaxed)}));
    }

    fn end(&self, why: EndReason) {
        assert!(!self.breaks, "as it was told");
        self.log.lock().unwrap().push(format!("end {}", why.as_str()));
    }
}

struct InRecorder {
    log: Arc<Mutex<Vec<String>>>,
    panics: bool,
    settled: bool,
}

impl InRun for InRecorder {
    fn settle(mut self: Box<Self>, ended: &mut Ended<'_>) {
        self.settled = true;
        let what = format!("settle begun={} ok={} undone={}", ended.has_begun(), ended.is_ok(), ended.is_undone());
        self.log.lock().unwrap().push(what);
        assert!(!self.panics, "as it was told");
    }
}

impl Drop for InRecorder {
    fn drop(&mut self) {
        if !self.settled {
            self.log.lock().unwrap().push("dropped".to_owned());
        }
    }
}

fn with(recorder: &Recorder) -> TableConfig {
    TableConfig::default().configure(|config| config.provisions = Provisions::new().with(recorder.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provision_is_opened_once_a_session_begun_with_each_run_and_told_of_the_end() {
    let recorder = Recorder::default();
    let table = SessionTable::with_config(with(&recorder));
    let first = table.run("s", RunRequest::new("note(); note()")).await;
    assert_eq!((first.value, &first.usage.more["recorder"]), (Some(json!(2)), &json!(2)));
    let settled = "settle begun=true ok=true undone=false";
    assert_eq!(recorder.taken(), ["begin", "open s", settled]);
    assert_eq!(table.sessions()[0].more["recorder"], json!({"notes": 2}));
    assert_eq!(table.run("s", RunRequest::new("note()")).await.value, Some(json!(3)));
    assert_eq!(table.provided::<Recorded>("s").unwrap().notes.load(Ordering::Relaxed), 3);
    assert_eq!(recorder.taken(), ["begin", settled]);
    let failed = table.run("s", RunRequest::new("throw 1").configure(|request| request.atomic = true)).await;
    assert!(failed.error.is_some());
    assert_eq!(recorder.taken(), ["begin", "settle begun=true ok=false undone=true"]);
    assert!(table.remove("s"));
    assert_eq!(recorder.taken(), ["end removed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_opened_after_the_end_is_told_at_once() {
    let recorder = Recorder::default();
    let table = SessionTable::with_config(with(&recorder));
    let slot = table.acquire("s");
    let session = slot.lock().await.unwrap();
    table.clear();
    assert!(recorder.taken().is_empty(), "nobody has asked for it");
    assert!(session.provided::<Recorded>().is_some());
    assert_eq!(recorder.taken(), ["open s", "end cleared"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_given_up_drops_what_it_holds_before_the_next_begins() {
    let recorder = Recorder::default();
    let table = SessionTable::with_config(with(&recorder));
    for script in ["await new Promise(() => {})", "for (;;);"] {
        let run = table.run("s", RunRequest::new(script));
        assert!(tokio::time::timeout(Duration::from_millis(150), run).await.is_err());
        assert!(table.run("s", RunRequest::new("1")).await.is_ok());
        let log = recorder.taken();
        let log: Vec<_> = log.iter().map(String::as_str).filter(|what| *what != "open s").collect();
        assert_eq!(log, ["begin", "dropped", "begin", "settle begun=true ok=true undone=false"], "{script}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provision_that_refuses_a_run_costs_the_session_nothing() {
    let recorder = Recorder::default();
    let table = SessionTable::with_config(with(&recorder));
    let leaves = "globalThis.kept = 1; const late = () => { try { vars.set('late', (vars.get('late') ?? 0) + 1) } catch (e) { vars.set('x', 1) } };
        setTimeout(late, 40); 0";
    assert!(table.run("s", RunRequest::new(leaves)).await.is_ok());
    recorder.taken();
    let refused = table.run_with("s", RunRequest::new("1"), RunContext::new().grant(Refuse)).await;
    let error = refused.error.unwrap();
    assert_eq!((error.kind, &*error.message), (ErrorKind::InvalidRequest, "not for s"));
    assert!(recorder.taken().is_empty(), "it did not begin");
    // Callbacks of the run before go on, since none has begun after it.
    let vars = table.vars("s");
    eventually("the callback has run", || vars.has("late") || vars.has("x")).await;
    let next = table.run("s", RunRequest::new("[kept, vars.get('late'), vars.has('x')]")).await;
    assert_eq!((next.vm, next.value), (Some(VmOrigin::Warm), Some(json!([1, 1, false]))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_never_began_ends_no_right_to_write_and_swallows_no_line() {
    let table = SessionTable::new(10, Duration::from_secs(600));
    let leaves = "globalThis.late = []; globalThis.fill = 'x'.repeat(4 << 20);
        const write = async () => { try { vars.set('n', (vars.get('n') ?? 0) + 1); await fs.writeFile('/n', '1'); console.log('wrote') } catch (e) { late.push(e.message) } };
        setInterval(write, 5); 0";
    assert!(table.run("s", RunRequest::new(leaves)).await.is_ok());
    let vars = table.vars("s");
    let small = RunRequest::new("1").configure(|request| request.memory_bytes = Some(1 << 20));
    let wrong = RunRequest::new("1").with_args(json!({"$bigint": "x"}));
    let cancelled = perennial_sessions::CancellationToken::new();
    cancelled.cancel();
    for (request, context) in [
        (small, RunContext::new()),
        (wrong, RunContext::new()),
        (RunRequest::new("1"), RunContext::new().cancel_with(cancelled)),
    ] {
        let before = vars.get("n");
        eventually("callbacks write", || vars.get("n") != before).await;
        let refused = table.run_with("s", request, context).await;
        assert!(refused.error.is_some() && refused.seq.is_none(), "{refused:?}");
        if refused.error.unwrap().kind == ErrorKind::InvalidRequest {
            assert!(refused.console.iter().any(|entry| entry.message == "wrote"), "{:?}", refused.console);
        }
        let after = vars.get("n");
        eventually("callbacks write on", || vars.get("n") != after).await;
    }
    let result = table.run("s", RunRequest::new("late")).await;
    assert_eq!((result.vm, result.value), (Some(VmOrigin::Warm), Some(json!([]))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provision_that_panics_costs_its_run_and_nobody_else() {
    let recorder = Recorder::default();
    let table = SessionTable::with_config(with(&recorder));
    assert!(table.run("s", RunRequest::new("globalThis.kept = 1")).await.is_ok());
    let failed = table.run_with("s", RunRequest::new("1"), RunContext::new().grant(PanicAtBegin)).await;
    assert_eq!(failed.error.unwrap().kind, ErrorKind::Internal);
    let settled = table.run_with("s", RunRequest::new("2"), RunContext::new().lend(PanicAtEnd)).await;
    assert_eq!(settled.value, Some(json!(2)));
    let next =
        table.run("s", RunRequest::new("setInterval(() => vars.set('n', (vars.get('n') ?? 0) + 1), 5); kept")).await;
    assert_eq!((next.vm, next.value), (Some(VmOrigin::Warm), Some(json!(1))));
    let failed = table.run_with("s", RunRequest::new("1"), RunContext::new().grant(PanicAtBegin)).await;
    assert!(failed.error.is_some());
    let (vars, before) = (table.vars("s"), table.vars("s").get("n"));
    eventually("callbacks go on", || vars.get("n") != before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provision_that_panics_whatever_it_is_asked_breaks_no_listing_no_sweep_and_no_end() {
    let clock = ManualClock::new();
    let recorder = Recorder { breaks: true, ..Recorder::default() };
    let config = with(&recorder).configure(|config| {
        config.clock = Arc::new(clock.clone());
        config.idle_ttl = Duration::from_secs(60);
    });
    let table = SessionTable::with_config(config);
    for name in ["a", "b"] {
        assert!(table.run(name, RunRequest::new("note()")).await.is_ok());
    }
    assert_eq!(table.sessions().len(), 2);
    assert!(table.remove("a"));
    assert_eq!(table.live_vm_count(), 1);
    clock.advance(Duration::from_secs(100));
    assert_eq!((table.len(), table.live_vm_count()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vm_is_rebuilt_for_another_epoch_of_a_kind_that_it_has_seen_and_for_no_other() {
    let table = SessionTable::with_config(with(&Recorder::default()));
    let run = async |lent: Option<u64>, called: Option<u64>| {
        let context = lent.map_or_else(RunContext::new, |epoch| RunContext::new().lend(Generation(epoch)));
        table
            .run_with("s", RunRequest::new("1").configure(|request| request.epoch = called), context)
            .await
            .rebuilt_because
    };
    let epoch = Some(RebuildReason::Epoch);
    for (lent, called, rebuilt) in [
        (None, None, None),
        (Some(1), None, None),
        (None, None, None),
        (Some(1), Some(1), None),
        (None, Some(1), None),
        (Some(2), None, epoch),
        // The new VM has seen no epoch of a call.
        (Some(2), Some(7), None),
        (None, Some(8), epoch),
        (Some(3), Some(8), None),
        (Some(3), Some(8), None),
    ] {
        assert_eq!(run(lent, called).await, rebuilt, "{lent:?} {called:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_has_may_keep_it_from_ending_idle() {
    for keeps in [true, false] {
        let clock = ManualClock::new();
        let recorder = Recorder { keeps, ..Recorder::default() };
        let config = with(&recorder).configure(|config| {
            config.clock = Arc::new(clock.clone());
            config.idle_ttl = Duration::from_secs(60);
        });
        let table = SessionTable::with_config(config);
        assert!(table.run("s", RunRequest::new("1")).await.is_ok());
        clock.advance(Duration::from_secs(100));
        assert_eq!(table.len(), usize::from(keeps));
        assert_eq!(recorder.taken().contains(&"end idle".to_owned()), !keeps);
    }
}

#[tokio::test]
async fn a_name_that_two_bring_is_an_error_and_no_quiet_winner() {
    let error = |provisions| {
        let config = TableConfig::default().configure(|config| config.provisions = provisions);
        SessionTable::try_with_config(config).err()
    };
    let recorder = |global| Recorder { global: Some(global), ..Recorder::default() };
    let own = Provisions::new().with(recorder("note"));
    assert_eq!(error(own.clone()), None);
    assert_eq!(error(own.with(recorder("other"))), Some(LibraryError::Provision("recorder".to_owned())));
    for taken in ["vars", "fetch", "console", "setTimeout"] {
        let error = error(Provisions::new().with(recorder(taken)));
        assert!(matches!(&error, Some(LibraryError::Name { name, .. }) if name == taken), "{error:?}");
    }
    struct Thief;
    impl Provision for Thief {
        type Session = ();
        fn name(&self) -> &'static str {
            "thief"
        }
        fn declare(&self, library: &mut Library) {
            library.ops(OpTable::new().sync("vars_get", Bound::SMALL, |_, _| Ok(OpValue::Undefined)));
        }
        fn open(&self, _: &SessionKey, _: Option<&Snapshot>) {}
    }
    let twice = error(Provisions::new().with(Thief)).unwrap();
    assert!(matches!(&twice, LibraryError::Name { name, .. } if name == "vars_get"), "{twice:?}");
    assert!(twice.to_string().contains("by vars and thief"), "{twice}");
    let alone = error(Provisions::new().with(Stammerer)).unwrap();
    assert!(alone.to_string().contains("both times by stammerer"), "{alone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_and_an_embedder_s_provisions_are_there_together_and_vms_are_rebuilt_only_for_new_plugins() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = "import { definePlugin, defineTool } from 'perennial:plugin';
        export default definePlugin({ name: 'p', version: '1.0.0', description: 'd', tools: { twice: defineTool({
            description: 'd', input: { type: 'number' }, run: (n) => 2 * n }) } });";
    std::fs::write(folder.path().join("plugin.ts"), plugin).unwrap();
    let plugins = PluginSet::load(&[folder.path().to_owned()], &PluginOptions::default()).await;
    assert!(plugins.failures().is_empty(), "{:?}", plugins.failures());
    let recorder = Recorder::default();
    let table = SessionTable::with_config(with(&recorder).configure(|config| config.plugins = Some(plugins.clone())));
    let both = || RunRequest::new("[note(), await tools.p.twice(21)]");
    assert_eq!(table.run("s", both()).await.value, Some(json!([1, 42])));
    assert_eq!(table.run("s", both()).await.vm, Some(VmOrigin::Warm));
    let reloaded = table.reload_plugins().await.unwrap();
    assert!(reloaded.failures().is_empty());
    let rebuilt = table.run("s", both()).await;
    assert_eq!((rebuilt.rebuilt_because, rebuilt.value), (Some(RebuildReason::Config), Some(json!([3, 42]))));
}

#[tokio::test]
async fn provisions_of_a_builder_add_up() {
    struct Named(&'static str);
    impl Provision for Named {
        type Session = ();
        fn name(&self) -> &'static str {
            self.0
        }
        fn declare(&self, library: &mut Library) {
            library.area(Area::new(self.0, &[self.0], format!("(() => ({{ {}: 1 }}))", self.0)));
        }
        fn open(&self, _: &SessionKey, _: Option<&Snapshot>) {}
    }
    let more = Provisions::new().with(Named("two")).with(Named("three"));
    let table =
        SessionTable::builder().provision(Named("one")).provisions(&more).provision(Named("four")).build().unwrap();
    assert_eq!(table.run("s", RunRequest::new("one + two + three + four")).await.value, Some(json!(4)));
}

#[tokio::test]
async fn a_library_of_every_table_brings_no_name_twice() {
    let table = SessionTable::builder().build().unwrap();
    assert_eq!(table.engine_config().brought_twice(), None);
}

/// Library JavaScript with a fault in it.
struct Faulty(&'static str);

impl Provision for Faulty {
    type Session = ();

    fn name(&self) -> &'static str {
        "faulty"
    }

    fn declare(&self, library: &mut Library) {
        library.area(Area::new("faulty", &["faulty"], self.0));
    }

    fn open(&self, _: &SessionKey, _: Option<&Snapshot>) {}
}

#[tokio::test]
async fn a_fault_in_library_javascript_is_said_to_be_the_library_s() {
    for (source, why) in [("((ops) => ({ faulty: ops.nothing.at }))", "TypeError: "), ("((ops) => ({", "SyntaxError: ")]
    {
        let table = SessionTable::builder().provision(Faulty(source)).build().unwrap();
        let error = table.run("s", RunRequest::new("faulty")).await.error.unwrap();
        let expected = format!("the library area perennial:faulty does not load: {why}");
        assert!(error.message.starts_with(&expected), "{}", error.message);
    }
}

/// Brings the same op twice.
struct Stammerer;

impl Provision for Stammerer {
    type Session = ();

    fn name(&self) -> &'static str {
        "stammerer"
    }

    fn declare(&self, library: &mut Library) {
        let nothing = |_: &_, _| Ok(OpValue::Undefined);
        library.ops(OpTable::new().sync("again", Bound::SMALL, nothing).sync("again", Bound::SMALL, nothing));
    }

    fn open(&self, _: &SessionKey, _: Option<&Snapshot>) {}
}
