//! Areas that are there while something is lent, and events that come from outside.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use perennial_sessions::protocol::VmOrigin;
use perennial_sessions::{
    Area, Bound, ErrorKind, EventError, EventSender, Library, Loan, OpContext, OpError, OpTable, OpValue, Provision,
    Run, ScriptResult, SessionKey, SessionTable,
};
use perennial_testkit::eventually;
use serde_json::json;

/// A sheet: what scripts do to it, and who listens.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<EventSender>>>);
impl Loan for Page {}

/// The same for as long as somebody listens.
#[derive(Clone, Default)]
struct Feed(Arc<Mutex<Vec<EventSender>>>, Arc<Mutex<Option<mpsc::Receiver<()>>>>);

impl Feed {
    fn send(&self, event: impl Into<OpValue> + Clone) -> Vec<Result<(), EventError>> {
        self.0.lock().unwrap().iter().map(|sender| sender.send(event.clone())).collect()
    }
}

impl Provision for Feed {
    type Session = ();

    fn name(&self) -> &'static str {
        "feed"
    }

    fn declare(&self, library: &mut Library) {
        let nobody = || OpError::permission("the sheet", "a run that is lent one");
        let number = |args: &[OpValue]| args.first().and_then(OpValue::as_f64).unwrap_or(0.0) as u32;
        let (feed, gate) = (self.clone(), self.1.clone());
        library.ops(
            OpTable::new()
                // Comes back when the gate is opened, whatever becomes of the script.
                .sync("feed_block", Bound::SMALL, move |_, _| {
                    let gate = gate.lock().unwrap().take();
                    let _ = gate.map(|gate| gate.recv());
                    Ok(OpValue::Undefined)
                })
                .sync("page_on", Bound::SMALL, move |context: &OpContext, args| {
                    let sheet = context.lent.get::<Page>().ok_or_else(nobody)?;
                    sheet.0.lock().unwrap().extend(context.listener(number(&args)));
                    Ok(OpValue::Undefined)
                })
                .sync("feed_on", Bound::SMALL, move |context: &OpContext, args| {
                    feed.0.lock().unwrap().extend(context.lasting_listener(number(&args)));
                    Ok(OpValue::Undefined)
                }),
        );
        let sheet = "((ops) => ({ sheet: { on: (f) => { const n = ops.listen(f); ops.page_on(n); return n }, off: (n) => ops.unlisten(n) }, heed: 1 }))";
        library.area(Area::new("sheet", &["sheet", "heed"], sheet).while_lent::<Page>());
        let feed = "((ops) => ({ feed: { on: (f) => { const n = ops.listen(f); ops.feed_on(n); return n }, off: (n) => ops.unlisten(n), idle: (f) => ops.listen(f), block: () => ops.feed_block() } }))";
        library.area(Area::new("feed", &["feed"], feed));
    }

    fn open(&self, _: &SessionKey, _: Option<&perennial_sessions::Snapshot>) {}
}

struct Case {
    table: SessionTable,
    feed: Feed,
}

impl Case {
    fn new() -> Self {
        let feed = Feed::default();
        let table = SessionTable::builder().provision(feed.clone()).build().unwrap();
        Self { table, feed }
    }

    async fn run(&self, script: &str) -> ScriptResult {
        self.table.session("s").run(Run::script(script)).await
    }

    async fn lent(&self, sheet: &Page, script: &str) -> ScriptResult {
        self.table.session("s").run(Run::script(script).lend(sheet.clone())).await
    }

    /// What a script keeps in `vars`, once it is there.
    async fn eventually(&self, name: &str, value: serde_json::Value) {
        let vars = self.table.vars("s");
        eventually(&format!("{name} is {value}"), || vars.get(name).as_ref() == Some(&value)).await;
    }
}

// ---- areas ------------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_lent_area_is_there_with_its_loan_and_rebuilds_nothing_without_it() {
    let case = Case::new();
    let sheet = Page::default();
    let look = "[typeof sheet, typeof heed, 'sheet' in globalThis, sheet === undefined]";
    let without = json!(["undefined", "undefined", true, true]);
    let with = json!(["object", "number", true, false]);
    assert_eq!(case.run(look).await.value, Some(without.clone()));
    for _ in 0..2 {
        let lent = case.lent(&sheet, look).await;
        assert_eq!((lent.value, lent.vm), (Some(with.clone()), Some(VmOrigin::Warm)));
        let bare = case.run(look).await;
        assert_eq!((bare.value, bare.vm), (Some(without.clone()), Some(VmOrigin::Warm)));
    }
    // What a script kept of it reaches nothing without the loan, and the callbacks of a lent run neither.
    case.lent(&sheet, "globalThis.kept = sheet; setTimeout(() => vars.set('later', typeof sheet), 20); 1").await;
    let error = case.run("kept.on(() => {})").await.error.unwrap();
    assert_eq!(error.kind, ErrorKind::Permission);
    case.eventually("later", json!("undefined")).await;
}

#[tokio::test]
async fn a_script_s_own_declaration_wins_in_its_vm_and_is_told_once() {
    for declaration in [
        "const sheet = 1",
        "let sheet = 1",
        "globalThis.sheet = 1",
        "sheet = 1",
        "function sheet() {}",
        "class sheet {}",
        "var sheet = 1",
    ] {
        let case = Case::new();
        let sheet = Page::default();
        let declared = case.run(declaration).await;
        assert!(declared.is_ok() && declared.shadowed.is_empty(), "{declaration}: {declared:?}");
        let lent = case.lent(&sheet, "[typeof sheet, typeof heed]").await;
        assert_eq!(lent.shadowed, ["sheet"], "{declaration}");
        assert!(matches!(lent.value, Some(value) if value[0] != "object" && value[1] == "number"), "{declaration}");
        assert!(case.lent(&sheet, "1").await.shadowed.is_empty(), "{declaration}: it was told");
        // Neither does loading the rest of the area take it back.
        assert!(
            matches!(case.lent(&sheet, "heed; typeof sheet").await.value, Some(kind) if kind != "object"),
            "{declaration}"
        );
        // A new VM has none of it.
        case.table.reset("s").await;
        let fresh = case.lent(&sheet, "typeof sheet").await;
        assert_eq!((fresh.value, fresh.shadowed.len()), (Some(json!("object")), 0), "{declaration}");
    }
}

#[tokio::test]
async fn what_a_script_has_declared_stays_when_the_rest_of_its_area_is_loaded() {
    let case = Case::new();
    let script = "const URL = 41; class Headers { own = 1 }; URL";
    assert_eq!(case.run(script).await.value, Some(json!(41)));
    let script = "[new URLSearchParams('a=1').get('a'), new Request('data:,x').method, URL + 1, new Headers().own]";
    assert_eq!(case.run(script).await.value, Some(json!(["1", "GET", 42, 1])));
}

// ---- events -----------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn events_come_in_order_in_a_run_and_between_runs() {
    let case = Case::new();
    let register = "globalThis.seen = []; feed.on((event, missed) => { seen.push([event, missed]); vars.set('seen', seen.length) }); 1";
    assert!(case.run(register).await.is_ok());
    assert_eq!(case.feed.send(json!("one")), [Ok(())]);
    case.eventually("seen", json!(1)).await;
    // A run that waits gets them as they come.
    let waiting = tokio::spawn({
        let session = case.table.session("s");
        async move {
            session.run(Run::script("while (seen.length < 3) await new Promise((r) => setTimeout(r, 1)); seen")).await
        }
    });
    eventually("it runs", || case.table.sessions()[0].running).await;
    case.feed.send(json!({"n": 2}));
    case.feed.send(OpValue::Bytes(vec![3]));
    let seen = waiting.await.unwrap();
    let expected = json!([["one", 0], [{"n": 2}, 0], [{"$bytes": "Aw=="}, 0]]);
    assert_eq!((seen.value, seen.vm), (Some(expected), Some(VmOrigin::Warm)));
}

#[tokio::test]
async fn what_listens_to_a_loan_ends_with_it() {
    let case = Case::new();
    let (first, second) = (Page::default(), Page::default());
    let register = |what: &str| format!("sheet.on((event) => vars.set('{what}', event)); 1");
    assert!(case.lent(&first, &register("first")).await.is_ok());
    let sender = first.0.lock().unwrap()[0].clone();
    assert!(sender.is_gone());
    assert_eq!(sender.send(json!(1)), Err(EventError::Gone));
    // The next run has another sheet, and what listened to the first hears nothing of it.
    let script = format!("{}; await new Promise((r) => setTimeout(r, 30)); vars.get('second')", register("second"));
    let waiting = tokio::spawn({
        let (session, sheet) = (case.table.session("s"), second.clone());
        async move { session.run(Run::script(script).lend(sheet)).await }
    });
    eventually("it listens", || !second.0.lock().unwrap().is_empty()).await;
    assert_eq!(second.0.lock().unwrap()[0].send(json!("hello")), Ok(()));
    assert_eq!(waiting.await.unwrap().value, Some(json!("hello")));
    assert_eq!(case.table.vars("s").get("first"), None);
}

#[tokio::test]
async fn a_listener_ends_with_its_senders_its_vm_and_its_own_wish() {
    let case = Case::new();
    case.run("globalThis.n = feed.on((event) => vars.set('heard', event)); 1").await;
    case.feed.send(json!(1));
    case.eventually("heard", json!(1)).await;
    case.run("feed.off(n)").await;
    assert_eq!(case.feed.send(json!(2)), [Err(EventError::Gone)]);
    case.feed.0.lock().unwrap().clear();
    // What a listener of the library's never had a sender for holds nothing up.
    case.run("feed.idle(() => {}); globalThis.n = feed.on((event) => vars.set('heard', event)); 1").await;
    assert!(case.table.reset("s").await);
    assert_eq!(case.feed.send(json!(3)), [Err(EventError::Gone)], "the VM is gone");
    case.feed.0.lock().unwrap().clear();
    case.run("feed.on((event) => vars.set('heard', event)); 1").await;
    case.feed.send(json!(4));
    case.feed.0.lock().unwrap().clear();
    case.eventually("heard", json!(4)).await;
    eventually("nothing is left to come", || !case.table.sessions()[0].background).await;
    assert_eq!(case.table.vars("s").get("heard"), Some(json!(4)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_to_a_vm_whose_thread_is_stuck_sends_to_nobody() {
    let case = Case::new();
    let (open, gate) = mpsc::channel();
    *case.feed.1.lock().unwrap() = Some(gate);
    let script =
        Run::script("feed.on((event) => vars.set('heard', event)); feed.block()").timeout(Duration::from_millis(50));
    let stopped = case.table.session("s").run(script).await;
    assert_eq!(stopped.error.unwrap().kind, ErrorKind::Timeout);
    assert_eq!(case.table.abandoned_threads(), 1);
    assert_eq!(case.feed.send(json!(1)), [Err(EventError::Gone)]);
    drop(open);
    eventually("its thread is back", || case.table.abandoned_threads() == 0).await;
    assert_eq!(case.feed.send(json!(2)), [Err(EventError::Gone)]);
    assert_eq!(case.run("vars.get('heard')").await.value, None);
}

#[tokio::test]
async fn process_exit_ends_the_listeners_of_its_run_and_no_others() {
    let case = Case::new();
    case.run("feed.on((event) => vars.set('kept', event)); 1").await;
    case.run("feed.on((event) => vars.set('ended', event)); process.exit(0)").await;
    assert_eq!(case.feed.send(json!(1)), [Ok(()), Err(EventError::Gone)]);
    case.eventually("kept", json!(1)).await;
    assert_eq!(case.table.vars("s").get("ended"), None);
}

#[tokio::test]
async fn what_an_earlier_run_s_listener_does_is_not_the_run_s() {
    let case = Case::new();
    case.run("feed.on((event) => { if (event === 'exit') process.exit(3); throw new Error('mine') }); 1").await;
    for event in ["exit", "throw"] {
        let waiting = tokio::spawn({
            let session = case.table.session("s");
            async move {
                session
                    .run(Run::script("for (let i = 0; i < 20; i++) await new Promise((r) => setTimeout(r, 1)); 'mine'"))
                    .await
            }
        });
        eventually("it runs", || case.table.sessions()[0].running).await;
        case.feed.send(json!(event));
        let result = waiting.await.unwrap();
        assert_eq!(result.value, Some(json!("mine")), "{event}: {:?}", result.error);
    }
    // One that never ends costs the VM, but neither the run's limit nor its kind of error.
    case.run("feed.on(() => { for (;;); }); 1").await;
    case.feed.send(json!("spin"));
    eventually("it was stopped", || !case.table.sessions()[0].background && !case.table.sessions()[0].running).await;
    assert!(case.run("1").await.rebuilt_because.is_some());
}

#[tokio::test]
async fn a_flood_of_events_is_bounded_counted_and_starves_no_timer() {
    let case = Case::new();
    let register =
        "globalThis.count = 0; globalThis.missed = 0; feed.on((event, lost) => { count++; missed += lost }); 1";
    case.run(register).await;
    let sender = case.feed.0.lock().unwrap()[0].clone();
    let slot = case.table.acquire("s");
    let guard = slot.lock().await.unwrap();
    // Nobody takes them at the moment.
    let sent = (0..100_000).filter(|n| sender.send(json!(n)).is_ok()).count();
    assert!((1..=1000).contains(&sent), "{sent}");
    assert!(matches!(sender.send(json!("x".repeat(1 << 20))), Err(EventError::TooLarge(_))));
    drop(guard);
    let script = "while (count + missed < 100001) await new Promise((r) => setTimeout(r, 1)); count + missed";
    assert_eq!(case.run(script).await.value, Some(json!(100_001)), "what was not heard was counted");
    // Somebody who sends for ever.
    let flood = sender.clone();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let flooding = std::thread::spawn(move || {
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            let _ = flood.send(json!(1));
        }
    });
    let script = "for (let i = 0; i < 50; i++) await new Promise((r) => setTimeout(r, 1)); 'done'";
    let result = case.table.session("s").run(Run::script(script).timeout(Duration::from_secs(20))).await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    flooding.join().unwrap();
    assert_eq!(result.value, Some(json!("done")), "{:?}", result.error);
}

#[tokio::test]
async fn listeners_are_as_many_as_may_be_and_functions() {
    let case = Case::new();
    let script =
        "let n = 0; (() => { try { for (;; n++) feed.idle(() => {}) } catch (error) { return [n, error.name] } })()";
    assert_eq!(case.run(script).await.value, Some(json!([1000, "QuotaExceededError"])));
    let script = "(() => { try { feed.idle({}) } catch (error) { return error.message } })()";
    assert_eq!(case.run(script).await.value, Some(json!("a listener is a function")));
}

#[tokio::test]
async fn a_listener_that_nothing_sends_to_is_let_go_of_with_its_run() {
    let case = Case::new();
    let sheet = Page::default();
    case.lent(&sheet, "globalThis.kept = sheet").await;
    // Without the loan its op refuses, after the function was registered.
    let register = "let n = 0; for (; n < 900; n++) try { kept.on(() => {}) } catch {} n";
    for _ in 0..3 {
        assert_eq!(case.run(register).await.value, Some(json!(900)));
    }
    assert!(!case.table.sessions()[0].background, "nothing can come");
    assert!(case.run("feed.on(() => {}); 1").await.is_ok());
}

#[tokio::test]
async fn what_asks_late_gets_no_listener_of_the_next_run() {
    let case = Case::new();
    let sheet = Page::default();
    // The op is asked by a callback, when the run that was lent the sheet is over.
    case.lent(&sheet, "globalThis.kept = sheet; setTimeout(() => { try { kept.on(() => {}) } catch (error) { vars.set('why', error.name) } }, 20); 1").await;
    case.eventually("why", json!("PermissionError")).await;
    assert!(sheet.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_flood_for_an_earlier_run_s_listener_holds_up_no_answer_of_this_one() {
    let case = Case::new();
    case.run("feed.on(() => { const until = performance.now() + 20; while (performance.now() < until); }); 1").await;
    let sender = case.feed.0.lock().unwrap()[0].clone();
    let slot = case.table.acquire("s");
    let guard = slot.lock().await.unwrap();
    let sent = (0..250).filter(|n| sender.send(json!(n)).is_ok()).count();
    assert_eq!(sent, 250, "five seconds of work");
    drop(guard);
    let script = "for (let i = 0; i < 10; i++) await fs.exists('/x'); 'done'";
    let result = case.table.session("s").run(Run::script(script).timeout(Duration::from_secs(3))).await;
    assert_eq!(result.value, Some(json!("done")), "{:?}", result.error);
}

#[tokio::test]
async fn an_accessor_of_a_script_s_own_is_its_own() {
    let case = Case::new();
    let script = "let n = 41; const f = () => ++n; Object.defineProperty(globalThis, 'URL', { get: f, set: f, configurable: true });
        [URL, typeof URLSearchParams, URL]";
    assert_eq!(case.run(script).await.value, Some(json!([42, "function", 43])));
}
