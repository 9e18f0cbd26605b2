//! What pages do by themselves, and what is left of it when a run is over.

use std::sync::Arc;

use perennial_sessions::net::{NetLimits, NetPolicy};
use perennial_sessions::{ErrorKind, RunRequest, ScriptResult, SessionTable, TableConfig};
use serde_json::{Value, json};

use super::common::{chromium, ended, waits};
use super::site::Site;

fn table(site: &Site) -> SessionTable {
    SessionTable::with_config(TableConfig::default().configure(|config| {
        config.browsers = Some(Arc::new(chromium()));
        config.net = Some(NetPolicy::parse(&[&site.address("")], NetLimits::default()).unwrap());
    }))
}

async fn run(table: &SessionTable, script: &str) -> ScriptResult {
    table.run("s", RunRequest::new(script).with_timeout_ms(30_000)).await
}

async fn value(table: &SessionTable, script: &str) -> Value {
    let result = run(table, script).await;
    assert!(result.is_ok(), "{:#?}", result.error);
    result.into_value().unwrap().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_messages_costs_no_more_than_its_bound_and_no_other_event() {
    let table = table(&Site::serve(&[]));
    let script = "let heard = 0, errors = 0; page.on('console', () => heard++); page.on('pageerror', () => errors++);
        await page.evaluate(() => { for (let i = 0; i < 20_000; i++) console.log('x'.repeat(10_000)) });
        await page.evaluate('setTimeout(() => { throw new Error(\"one\") }); 1');
        await page.waitForFunction(() => true);
        const kept = await page.consoleMessages();
        [heard > 0, heard <= 20_000, kept.length, kept[0].text().length < 5_000, (await page.pageErrors()).length, await page.title()]";
    assert_eq!(value(&table, script).await, json!([true, true, 200, true, 1, ""]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialog_that_nobody_answers_goes_with_its_run() {
    let table = table(&Site::serve(&[]));
    let asks = "page.on('dialog', () => {}); const asked = page.waitForEvent('dialog'); await page.evaluate('setTimeout(() => { document.title = String(confirm(\"?\")) }, 100); 1'); (await asked).message()";
    assert_eq!(value(&table, asks).await, "?");
    assert_eq!(
        value(&table, "page.removeAllListeners(); await expect(page).toHaveTitle('false'); 'answered'").await,
        "answered"
    );
    // One that holds up the run goes with it, too.
    let holds = "page.on('dialog', () => {}); await page.setContent('<button onclick=\"confirm()\">b</button>'); await page.locator('button').click()";
    let stopped = table.run("s", RunRequest::new(holds).with_timeout_ms(1_000)).await;
    assert_eq!(stopped.error.unwrap().kind, ErrorKind::Timeout);
    assert_eq!(value(&table, "await page.locator('button').textContent()").await, "b");
    // Answered twice it says so.
    let twice = "page.on('dialog', async (d) => { await d.accept(); try { await d.accept() } catch (e) { globalThis.why = e.message } }); await page.locator('button').click(); await page.waitForFunction(() => true); why";
    assert!(value(&table, twice).await.as_str().is_some_and(|why| why.contains("has been answered")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_listens_is_told_what_happened_between_two_runs() {
    let table = table(&Site::serve(&[]));
    let begin = "globalThis.said = []; page.on('console', (message) => said.push(message.text()));
        await page.evaluate(() => { globalThis.n = 0; setInterval(() => console.log(++n), 5) }); const last = Number(said.at(-1) ?? 0); said.length = 0";
    value(&table, begin).await;
    value(&table, "1").await;
    let next = "await page.waitForFunction((last) => n > last + 20, last); const gaps = said.filter((each, at) => at > 0 && each - said[at - 1] !== 1);
        [Number(said[0]) - last, said.length >= 20, gaps.length]";
    assert_eq!(value(&table, next).await, json!([1, true, 0]));
    // Those of a VM that is gone are not told another one.
    let stopped = table.run("s", RunRequest::new("for (;;) {}").with_timeout_ms(200)).await;
    assert_eq!(stopped.error.unwrap().kind, ErrorKind::Timeout);
    let fresh = "const before = await page.evaluate(() => n), heard = []; page.once('console', (message) => heard.push(Number(message.text())));
        await page.waitForEvent('console'); [typeof said, heard[0] > before || [heard, before]]";
    assert_eq!(value(&table, fresh).await, json!(["undefined", true]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_hold_while_runs_are_under_way_and_requests_never_hang() {
    let site = Site::serve(&[("/", "<title>Home</title>"), ("/data", "real")]);
    let table = table(&site);
    let begin = format!(
        "await page.route('**/data', (route) => route.fulfill({{ body: 'mocked' }})); await page.goto({:?});
         globalThis.ask = () => page.evaluate(() => fetch('/data').then((answer) => answer.text())); await ask()",
        site.address("/")
    );
    assert_eq!(value(&table, &begin).await, "mocked");
    // Asked when the run that has brought it about is over.
    value(&table, "await page.evaluate('fetch(\"/gate\").then(() => fetch(\"/data\")).then((a) => a.text()).then((t) => { document.title = t }); 1')").await;
    site.open();
    let between = async {
        while !site.seen().contains(&"GET /data".to_owned()) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), between).await.expect("it goes on as it is");
    assert_eq!(value(&table, "[await ask(), await page.title()]").await, json!(["mocked", "real"]));
    // One whose handler does nothing goes on when the run ends.
    let held = "await page.unrouteAll(); await page.route('**/data', () => {}); await page.evaluate('fetch(\"/data\").then((a) => a.text()).then((t) => { document.title = \"held \" + t }); 1'); await page.waitForRequest('**/data', { timeout: 100 }).catch(() => {})";
    value(&table, held).await;
    assert_eq!(value(&table, "await page.unrouteAll(); await expect(page).toHaveTitle('held real'); 1").await, 1);
    // One whose handler throws fails, and the console says why.
    let throws = "await page.route('**/data', () => { throw new Error('of the handler') }); await ask()";
    let failed = run(&table, throws).await;
    assert!(failed.error.unwrap().message.contains("Failed to fetch"));
    let thrown = "await page.unrouteAll(); await page.route(() => { throw new Error('of the pattern') }, (route) => route.continue()); await page.evaluate(() => fetch('/data').then(() => 'there', () => 'refused'))";
    assert_eq!(value(&table, thrown).await, "refused");
    value(&table, "await page.unrouteAll()").await;
    assert!(failed.console[0].message.contains("Error: of the handler"), "{:?}", failed.console);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn downloads_are_bounded_and_go_through_the_session_s_files() {
    let site = Site::serve(&[("/", "<a href=/bytes?1000>small</a><a href=/bytes?17000000>large</a>")]);
    let table = table(&site);
    let get = format!(
        "await page.goto({:?}); globalThis.get = async (name) => (await Promise.all([page.waitForEvent('download'), page.getByText(name).click()]))[0];
         const small = await get('small'); await small.saveAs('/got.bin'); [small.suggestedFilename(), (await fs.stat('/got.bin')).size, await small.failure(), (await small.bytes()).length]",
        site.address("/")
    );
    assert_eq!(value(&table, &get).await, json!(["bytes.bin", 1000, null, 1000]));
    let large = "const large = await get('large'); const why = await large.failure(); let thrown; try { await large.saveAs('/large') } catch (e) { thrown = e.message } [why, thrown]";
    let told = value(&table, large).await.to_string();
    assert!(told.contains("larger than the 16777216 bytes") && told.contains("the download has failed"), "{told}");
    // Five of thirteen megabytes are more than a session's may take.
    let many = "await page.setContent('<a href=\"' + site + '/bytes?13000000\">many</a>'); const all = []; for (let i = 0; i < 6; i++) { const one = await get('many'); all.push(await one.failure()) } all.map((why) => why === null ? 'there' : why.slice(0, 30))";
    let many = many.replace("site", &format!("{:?}", site.address("")));
    let told = value(&table, &many).await;
    assert_eq!(told.as_array().map(|all| all.iter().filter(|why| **why == "there").count()), Some(5), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_sites_have_stored_outlives_a_browser_that_is_killed() {
    let site = Site::serve(&[("/", "<title>Home</title>")]);
    let table = table(&site);
    let store = format!(
        "await page.goto({:?}); await page.evaluate(() => localStorage.setItem('kept', 'yes'))",
        site.address("/")
    );
    value(&table, &store).await;
    // It is noted when a run ends, and long before this one is over.
    value(&table, "for (let i = 0; i < 50; i++) await page.title()").await;
    let waiting = tokio::spawn({
        let (table, waits) = (table.clone(), waits(&site));
        async move { table.run("s", RunRequest::new(waits)).await }
    });
    site.asked("/waits").await;
    ended(&waiting, "").await;
    let read = format!(
        "const before = context.pages().length; await page.goto({:?}); [before, context.pages().length, await page.evaluate(() => localStorage.getItem('kept'))]",
        site.address("/")
    );
    assert_eq!(value(&table, &read).await, json!([1, 1, "yes"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_reaches_what_fetch_does_and_no_more() {
    let (site, other) = (Site::serve(&[("/", "here")]), Site::serve(&[("/", "there")]));
    let table = table(&site);
    let script = format!(
        "const named = async (f) => {{ try {{ await f(); return 'reached' }} catch (e) {{ return e.name }} }};
         [await named(() => request.get({0:?})), await named(() => request.get({1:?})), await named(() => page.request.get({2:?})), await named(() => request.get('file:///etc/passwd'))]",
        site.address("/"),
        other.address("/"),
        site.address(&format!("/redirect?{}", other.address("/")))
    );
    let told = value(&table, &script).await;
    assert_eq!(told, json!(["reached", "PermissionError", "PermissionError", "TypeError"]), "{told}");
    assert_eq!(other.seen(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handles_are_let_go_of_with_their_run() {
    let table = table(&Site::serve(&[]));
    let keep = "globalThis.kept = await page.evaluateHandle(() => ({ n: 1 })); await page.setContent('<p>text'); globalThis.element = await page.$('p'); kept = await page.evaluateHandle(() => ({ n: 2 })); (await kept.jsonValue()).n";
    assert_eq!(value(&table, keep).await, 2);
    let later =
        "let why; try { await kept.jsonValue() } catch (error) { why = error.name } [why, await element.textContent()]";
    assert_eq!(value(&table, later).await, json!(["Error", "text"]));
    let gone = "await page.setContent('<p>another'); let why; try { await element.textContent() } catch (error) { why = error.message } why";
    assert!(value(&table, gone).await.as_str().is_some_and(|why| why.contains("is not in the document")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn misspelt_events_and_what_is_no_listener_are_errors() {
    let table = table(&Site::serve(&[]));
    let script = "const named = (f) => { try { f(); return 'passed' } catch (e) { return e.name + ': ' + e.message } };
        [named(() => page.on('consle', () => {})), named(() => page.on('console', 1)), named(() => context.on('load', () => {}))]";
    let told = value(&table, script).await;
    assert!(
        told[0].as_str().is_some_and(|said| said.contains("a page has no event 'consle': there are close, console")),
        "{told}"
    );
    assert_eq!(told[1], "TypeError: a listener is a function");
    assert!(told[2].as_str().is_some_and(|said| said.contains("a context has no event 'load'")), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_read_as_markdown() {
    let table = table(&Site::serve(&[]));
    let page = "<nav><a href=/x>menu</a></nav><main><h1>The <em>title</em></h1><p>One <b>bold </b>word, <a href='https://a.example/b'>a  link</a> and <code>code</code>.<br>next</p>
        <ul><li>one<li>two<ol><li>inner</ol></ul><blockquote><p>quoted<p>twice</blockquote><pre><code class=language-js>let a = 1;\n  b()</code></pre>
        <table><tr><th>a<th>b|c<tr><td>1<td>2</table><p hidden>hidden</p><button>press</button></main><footer>foot</footer>";
    let script = format!(
        "await page.setContent({page:?}); [await page.markdown(), await page.locator('ul').markdown(), await page.locator('nav').markdown(), await page.markdown({{ maxLength: 100 }})]"
    );
    let told = value(&table, &script).await;
    let expected = "# The *title*\n\nOne **bold** word, [a link](https://a.example/b) and `code`.  \nnext\n\n- one\n- two\n  1. inner\n\n> quoted\n>\n> twice\n\n```js\nlet a = 1;\n  b()\n```\n\n| a | b\\|c |\n| --- | --- |\n| 1 | 2 |";
    assert_eq!(told[0], expected);
    assert_eq!(told[1], "- one\n- two\n  1. inner");
    assert_eq!(told[2], "[menu](/x)");
    assert!(told[3].as_str().is_some_and(|text| text.len() < 250 && text.contains("more: take a part")), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_end_with_the_browser() {
    let site = Site::serve(&[("/waits", "")]);
    let table = table(&site);
    let waiting = tokio::spawn({
        let (table, waits) = (table.clone(), site.address("/waits"));
        let script = format!(
            "await page.title();
            const waits = ['popup', 'download'].map((name) => page.waitForEvent(name, {{ timeout: 20_000 }}).catch((error) => error.name));
            await page.goto({waits:?}).catch(() => {{}});
            await Promise.all(waits)"
        );
        async move { run(&table, &script).await }
    });
    site.asked("/waits").await;
    ended(&waiting, "").await;
    let told = waiting.await.unwrap();
    assert_eq!(told.value, Some(json!(["StaleHandleError", "StaleHandleError"])), "{:?}", told.error);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verdict_that_fails_leaves_the_route_open_and_the_page_without_waiting() {
    let site = Site::serve(&[("/", "<title>Home</title>"), ("/data", "real")]);
    let table = table(&site);
    let script = format!(
        "await page.goto({:?}); const ask = () => page.evaluate(() => fetch('/data').then((answer) => answer.status, (error) => error.name));
         await page.route('**/data', async (route) => {{ try {{ await route.fulfill({{ status: -1 }}) }} catch (error) {{ await route.fulfill({{ status: 599 }}) }} }}, {{ times: 1 }});
         const first = await ask();
         await page.route('**/data', (route) => route.continue({{ headers: {{ host: 'elsewhere' }} }}), {{ times: 1 }});
         [first, await ask(), await ask()]",
        site.address("/")
    );
    assert_eq!(value(&table, &script).await, json!([599, "TypeError", 200]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_in_a_page_holds_up_nothing_else_in_it() {
    let table = table(&Site::serve(&[]));
    let script = "const all = Array.from({ length: 100 }, () => page.evaluate(() => new Promise((done) => (globalThis.waiting ??= []).push(done))));
        await page.waitForFunction(() => globalThis.waiting?.length === 100); await page.evaluate(() => waiting.forEach((done) => done(1))); (await Promise.all(all)).length";
    assert_eq!(value(&table, script).await, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_or_cannot_be_says_so() {
    let table = table(&Site::serve(&[]));
    let script = "const why = async (f) => { try { return String(await f()) } catch (error) { return error.name + ': ' + error.message } };
        const closed = await context.newPage(), waits = why(() => closed.evaluate(() => new Promise(() => {})));
        await closed.evaluate(() => 1); await closed.close();
        [await waits, await why(() => page.goto('nonsense')), await why(() => page.exposeBinding('f', () => {})), await why(() => page.waitForRequest()), await why(() => page.route(5, () => {})),
         await why(() => context.setOffline('yes')), await why(() => context.setGeolocation({ latitude: 100, longitude: 0 })), await why(() => page.setExtraHTTPHeaders({ host: 'x' })),
         await why(() => page.setExtraHTTPHeaders({ 'a b': 'x' })), await why(() => context.setStorageState(null))]";
    let told = value(&table, script).await;
    let says = [
        "the page is closed",
        "is no address",
        "page.exposeBinding is not there",
        "an address is a text",
        "an address is a text",
        "true or false is wanted",
        "latitude is a number from -90 to 90",
        "the header host is the browser's own",
        "TypeError",
        "what storageState has given is wanted",
    ];
    for (told, says) in told.as_array().into_iter().flatten().zip(says) {
        assert!(told.as_str().is_some_and(|told| told.contains(says)), "{told} and not {says}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_answers_it_is_no_matter_of_permission() {
    // A port that was just let go of.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).unwrap().port();
    let address = format!("http://127.0.0.1:{port}");
    let table = SessionTable::with_config(TableConfig::default().configure(|config| {
        config.browsers = Some(Arc::new(chromium()));
        config.net = Some(NetPolicy::parse(&[&address], NetLimits::default()).unwrap());
    }));
    let error = run(&table, &format!("await page.goto('{address}/')")).await.error.unwrap();
    assert_eq!(error.name, "Error", "{error:?}");
    assert!(error.message.contains("refused"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_listens_in_a_busy_page_is_told_of_its_next_document_whole() {
    let site = Site::serve(&[("/next", "<title>Next</title>")]);
    let table = table(&site);
    // The renderer of the page that is left has no time to say that it has begun to listen, and in the end never would.
    for spins in [300, 60_000] {
        let script = format!(
            "await page.goto('about:blank');
            await page.evaluate((spins) => {{ setTimeout(() => {{ const until = Date.now() + spins; while (Date.now() < until); }}) }}, {spins});
            page.on('response', () => {{}});
            const answer = await page.goto({:?});
            await answer.text()",
            site.address("/next")
        );
        assert_eq!(value(&table, &script).await, "<title>Next</title>", "{spins} ms");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exposed_functions_answer_in_the_runs_of_their_vm_and_no_call_of_a_page_hangs() {
    let table = table(&Site::serve(&[]));
    let expose = "let calls = 0; await page.exposeFunction('count', () => ++calls); [await page.evaluate(() => count()), await page.evaluate(() => count())]";
    assert_eq!(value(&table, expose).await, json!([1, 2]));
    // While a run computes that has not asked for anything.
    let later = "await page.evaluate(() => { globalThis.asked = new Promise((done) => setTimeout(() => count().then(done, (error) => done(error.message)), 50)) })";
    value(&table, later).await;
    value(&table, "const until = Date.now() + 200; while (Date.now() < until); 1").await;
    let told = value(&table, "[await page.evaluate(() => asked), await page.evaluate(() => count())]").await;
    assert!(told[0].as_str().is_some_and(|why| why.starts_with("nobody answers")), "{told}");
    assert_eq!(told[1], 3);
    // Those of a VM that is gone, until another one takes the name.
    let stopped = table.run("s", RunRequest::new("for (;;) {}").with_timeout_ms(200)).await;
    assert_eq!(stopped.error.unwrap().kind, ErrorKind::Timeout);
    let calls = "await page.evaluate(() => count().catch((error) => error.message))";
    assert!(value(&table, calls).await.as_str().is_some_and(|why| why.starts_with("nobody answers")));
    assert_eq!(value(&table, &format!("await page.exposeFunction('count', () => 'new'); {calls}")).await, "new");
    // What a page makes up, and a flood of calls: none is left without an answer.
    let forged = r#"await page.evaluate(() => {
        for (const call of ['', '{', '[]', 'null', '{"name":1}', '{"name":"count","id":{"a":1},"given":{"length":1e9}}', '{"name":"__proto__","id":1}', 'x'.repeat(5_000_000)]) __perennialCall(call);
        return count();
    })"#;
    assert_eq!(value(&table, forged).await, "new");
    let flood = "await page.evaluate(async () => { const all = await Promise.allSettled(Array.from({ length: 2000 }, () => count())); const came = all.filter(({ status }) => status === 'fulfilled').length; return [all.length, came > 0 && came < 2000] })";
    assert_eq!(value(&table, flood).await, json!([2000, true]));
}
