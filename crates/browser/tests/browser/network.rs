//! Where pages get to.

use std::sync::Arc;
use std::time::Duration;

use perennial_browser::Chromium;
use perennial_sessions::net::{NetLimits, NetPolicy};
use perennial_sessions::{ErrorKind, RebuildReason, Run, RunRequest, SessionTable, TableConfig};
use serde_json::{Value, json};

use super::common::{browsers, chromium, chromium_with, ended, waits};
use super::site::Site;

fn table(rules: &[&str]) -> SessionTable {
    table_of(chromium(), rules)
}

fn table_of(chromium: Chromium, rules: &[&str]) -> SessionTable {
    SessionTable::with_config(TableConfig::default().configure(|config| {
        config.browsers = Some(Arc::new(chromium));
        config.net = Some(NetPolicy::parse(rules, NetLimits::default()).unwrap());
    }))
}

async fn value(table: &SessionTable, session: &str, script: &str) -> Value {
    let result = table.run(session, RunRequest::new(script)).await;
    assert!(result.is_ok(), "{:#?}", result.error);
    result.into_value().unwrap().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_reach_what_the_policy_permits_and_nothing_beside() {
    let (site, other) = (
        Site::serve(&[("/", "<title>Home</title><a href=/next>Next</a>"), ("/next", "<title>Next</title>")]),
        Site::serve(&[]),
    );
    let table = table(&[&site.address("")]);
    let script = format!(
        "const answer = await page.goto({:?}); await page.getByRole('link').click(); await expect(page).toHaveTitle('Next'); [answer.status(), page.url()]",
        site.address("/")
    );
    assert_eq!(value(&table, "s", &script).await, json!([200, site.address("/next")]));
    assert_eq!(value(&table, "s", &format!("(await page.goto({:?})).status()", site.address("/missing"))).await, 404);
    // What scripts in the page ask for, and where servers send it.
    let escapes = format!(
        "await page.evaluate(async (other) => {{
            const tried = async (what) => {{ try {{ return await what() }} catch (error) {{ return 'no' }} }};
            return [
                await tried(() => fetch(other, {{ mode: 'no-cors' }}).then(() => 'yes')),
                await tried(() => fetch('/redirect?' + other, {{ mode: 'no-cors' }}).then(() => 'yes')),
                await new Promise((done) => {{ const image = new Image(); image.onload = () => done('yes'); image.onerror = () => done('no'); image.src = other + '/image' }}),
                await new Promise((done) => {{ const socket = new WebSocket(other.replace('http', 'ws')); socket.onopen = () => done('yes'); socket.onerror = () => done('no') }}),
                await tried(() => fetch('/echo?fine').then((answer) => answer.text())),
            ];
        }}, {:?})",
        other.address("")
    );
    assert_eq!(value(&table, "s", &escapes).await, json!(["no", "no", "no", "no", "GET fine  "]));
    let refused = table
        .run("s", RunRequest::new(format!("await page.goto({:?})", other.address("/secret"))))
        .await
        .error
        .unwrap();
    assert_eq!(refused.kind, ErrorKind::Permission);
    let expected = format!(
        "page.goto: GET http://127.0.0.1:{0} is not permitted; a rule for the network like \"GET http://127.0.0.1:{0}\" would grant it",
        other.port
    );
    assert!(
        refused.message.starts_with(&expected[11..]) || refused.message.starts_with(&expected),
        "{}",
        refused.message
    );
    assert_eq!(other.seen(), [""; 0], "nothing was reached there");
    assert!(!site.seen().iter().any(|seen| seen.contains("password")), "{:?}", site.seen());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_posted_arrives_whole_and_cookies_are_of_one_session() {
    let site = Site::serve(&[("/form", "<form method=post action=/echo><input name=a><button>Go</button></form>")]);
    let table = table(&[&site.address("")]);
    let script = format!(
        "await page.goto({:?}); await page.locator('input').fill('x'.repeat(100_000)); await page.locator('button').click(); await page.waitForURL('**/echo'); (await page.locator('body').innerText()).length",
        site.address("/form")
    );
    assert_eq!(value(&table, "a", &script).await, "POST a=".len() + 100_000);
    let echo = format!("await page.goto({:?}); await page.locator('body').textContent()", site.address("/echo"));
    value(&table, "a", &format!("await page.goto({:?})", site.address("/cookie"))).await;
    assert_eq!(value(&table, "a", &echo).await, "GET  visited=yes ");
    assert_eq!(value(&table, "b", &echo).await, "GET   ");
    assert_eq!(
        value(&table, "a", "(await context.cookies()).map(({ name, value }) => name + '=' + value)").await,
        json!(["visited=yes"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_later_run_may_not_reach_is_cut() {
    let site = Site::serve(&[("/", "<title>Home</title>")]);
    let table = table(&[&site.address("")]);
    value(&table, "s", &format!("await page.goto({:?})", site.address("/"))).await;
    let none = NetPolicy::parse::<&str>(&[], NetLimits::default()).unwrap();
    let again = "await page.evaluate(() => fetch('/echo').then(() => 'yes', () => 'no'))";
    let refused = table.session("s").run(Run::script(again).grant(none)).await;
    assert_eq!(refused.into_value().unwrap(), Some("no".into()));
    assert_eq!(value(&table, "s", again).await, "yes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_never_answers_costs_no_more_than_its_timeout() {
    let site = Site::serve(&[("/", "<title>Home</title>")]);
    let table = table(&[&site.address("")]);
    let error = table
        .run("s", RunRequest::new(format!("await page.goto({:?}, {{ timeout: 300 }})", site.address("/slow"))))
        .await
        .error
        .unwrap();
    assert_eq!(error.name, "TimeoutError", "{error:?}");
    let stopped = table
        .run("s", RunRequest::new(format!("await page.goto({:?})", site.address("/slow"))).with_timeout_ms(300))
        .await;
    assert_eq!(stopped.error.unwrap().kind, ErrorKind::Timeout);
    let script = format!("await page.goto({:?}); await page.title()", site.address("/"));
    assert_eq!(value(&table, "s", &script).await, "Home");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_crashes_costs_itself_and_a_browser_that_does_the_vm() {
    let site = Site::serve(&[("/", "<title>Home</title>")]);
    let table = table(&[&site.address("")]);
    let home = format!("await page.goto({:?}); await page.title()", site.address("/"));
    value(
        &table,
        "s",
        &format!("globalThis.kept = page; vars.set('n', 1); await page.goto({:?}); {home}", site.address("/cookie")),
    )
    .await;
    // The renderer.
    let crashed = table
        .run("s", RunRequest::new("await page.goto('chrome://crash').catch(() => {}); await page.evaluate(() => 1)"))
        .await;
    assert!(crashed.is_ok(), "that address is not permitted, so that nothing crashed: {:?}", crashed.error);
    // The browser.
    let waiting = tokio::spawn({
        let (table, waits) = (table.clone(), waits(&site));
        async move { table.run("s", RunRequest::new(waits)).await }
    });
    site.asked("/waits").await;
    ended(&waiting, "").await;
    let error = waiting.await.unwrap().error.unwrap();
    assert_eq!(error.name, "StaleHandleError", "{error:?}");
    assert!(error.message.contains("the browser is gone"), "{error:?}");
    let after = table.run("s", RunRequest::new(format!("{home} + vars.get('n') + typeof kept"))).await;
    assert_eq!(after.rebuilt_because, Some(RebuildReason::Epoch));
    assert_eq!(after.lost_globals, ["kept"]);
    assert_eq!(after.into_value().unwrap(), Some("Home1undefined".into()));
    assert_eq!(value(&table, "s", "(await context.cookies()).map(({ name }) => name)").await, json!(["visited"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_of_a_page_that_has_crashed_fails_at_once_and_costs_nobody_else() {
    let site = Site::serve(&[("/", "<title>Home</title>")]);
    let table = table(&[&site.address("")]);
    value(&table, "victim", "globalThis.cart = ['tea']; await page.title()").await;
    // So deep that its renderer's stack does not reach.
    let deep = "let e = document.body; for (let i = 0; i < 8000; i++) { const d = document.createElement('section'); e.append(d); e = d } document.body.innerText.length";
    let crash = format!(
        "await page.goto({:?}); await page.evaluate({deep:?}).catch((error) => error.message)",
        site.address("/")
    );
    let told = value(&table, "s", &crash).await;
    assert!(told.as_str().is_some_and(|told| told.contains("the page has crashed")), "{told}");
    // Chromium ends itself for some of these.
    let script = "const all = [];
        for (const what of [() => page.pdf(), () => page.emulateMedia({ media: 'print' }), () => page.keyboard.press('a'), () => page.keyboard.type('abc'), () => page.mouse.click(1, 2),
            () => page.setViewportSize({ width: 10, height: 10 }), () => page.screenshot(), () => page.title(), () => page.setContent('x'), () => page.bringToFront()]) {
            try { await what(); all.push('done') } catch (error) { all.push(error.message.includes('the page has crashed: `goto` opens it again')) }
        }
        all.every((each) => each === true) || all";
    assert_eq!(value(&table, "s", script).await, true);
    // Sent to where nothing comes from it is still what it was.
    let nowhere = format!("await page.goto({:?}).catch(() => {{}}); {script}", site.address("/bytes?10"));
    assert_eq!(value(&table, "s", &nowhere).await, true);
    for _ in 0..3 {
        let home = format!("await page.goto({:?}); await page.title()", site.address("/"));
        assert_eq!(value(&table, "s", &home).await, "Home", "the first one opens it");
    }
    assert_eq!(value(&table, "victim", "cart[0]").await, "tea");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contexts_are_as_many_as_may_be_and_the_oldest_makes_way_with_its_cookies() {
    let site = Site::serve(&[]);
    let chromium = chromium_with(|options| options.max_contexts = 2);
    let table = table_of(chromium, &[&site.address("")]);
    for session in ["a", "b"] {
        value(&table, session, &format!("globalThis.kept = 1; await page.goto({:?})", site.address("/cookie"))).await;
    }
    assert_eq!(value(&table, "c", "context.pages().length").await, 1);
    // Computing needs none, and looks at none.
    assert_eq!(value(&table, "a", "1").await, 1);
    value(&table, "c", "await page.title()").await;
    let back = table.run("a", RunRequest::new("(await context.cookies()).length + typeof kept")).await;
    assert_eq!(
        (back.rebuilt_because, back.into_value().unwrap()),
        (Some(RebuildReason::Epoch), Some("1undefined".into()))
    );
    // While all of them are in use nobody makes way.
    let script = "await page.title(); vars.set('in', 1); while (!vars.get('go')) await new Promise((done) => setTimeout(done, 10))";
    let busy = ["b", "c"].map(|session| {
        let table = table.clone();
        tokio::spawn(async move { table.run(session, RunRequest::new(script)).await })
    });
    let has_begun = async |session: &str| {
        while table.vars(session).get("in").is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let both = async {
        has_begun("b").await;
        has_begun("c").await;
    };
    tokio::time::timeout(Duration::from_secs(20), both).await.expect("both have a page");
    let refused = table.run("d", RunRequest::new("await page.title()")).await.error.unwrap();
    assert!(refused.message.contains("2 sessions use the browser, and 2 may at a time"), "{refused:?}");
    for (session, run) in ["b", "c"].into_iter().zip(busy) {
        table.vars(session).set("go", json!(1)).unwrap();
        assert!(run.await.unwrap().is_ok());
    }
    assert_eq!(value(&table, "d", "await page.title()").await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_side_by_side_do_not_mix_and_leave_nothing() {
    let site = Site::serve(&[(
        "/",
        "<input aria-label=Name><p id=out></p><script>document.querySelector('input').oninput = (e) => out.textContent = e.target.value</script>",
    )]);
    let table = table(&[&site.address("")]);
    let runs = (0..20).map(|n| {
        let (table, address) = (table.clone(), site.address("/"));
        tokio::spawn(async move {
            let script = format!("page.setDefaultTimeout(60_000); await page.goto({address:?}, {{ timeout: 120_000 }}); for (let i = 0; i < 3; i++) await page.getByLabel('Name').fill('session {n} ' + i); await page.locator('#out').textContent()");
            (n, value(&table, &format!("s{n}"), &script).await)
        })
    });
    for run in runs.collect::<Vec<_>>() {
        let (n, text) = run.await.unwrap();
        assert_eq!(text, format!("session {n} 2"));
    }
    for n in 0..20 {
        table.remove(&format!("s{n}"));
    }
    table.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_sessions_leave_processes_folders_and_memory_as_they_were() {
    let table = table(&[]);
    let open = "await page.setContent('<p>x'); await page.locator('p').textContent()";
    value(&table, "kept", open).await;
    let scratch = perennial_keeper::scratch().await.unwrap();
    let folders = || std::fs::read_dir(&scratch).unwrap().count();
    let name = scratch.to_string_lossy().into_owned();
    // What a first round makes is made once.
    for n in 0..10 {
        value(&table, &format!("first {n}"), open).await;
        table.remove(&format!("first {n}"));
    }
    let settled = async |most: usize| {
        while processes(&name) > most {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // The spare renderer that a browser keeps comes and goes.
    let steady = async {
        let (mut seen, mut count) = (processes(&name), 0);
        while count < 25 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = processes(&name);
            count = if now == seen { count + 1 } else { 0 };
            seen = now;
        }
        seen
    };
    let seen = tokio::time::timeout(Duration::from_secs(20), steady).await.expect("they come to rest");
    let before = (seen, folders(), resident());
    for round in 0..25 {
        let runs = (0..8).map(|n| {
            let table = table.clone();
            tokio::spawn(async move {
                let session = format!("{round} {n}");
                value(&table, &session, open).await;
                table.remove(&session);
            })
        });
        for run in runs.collect::<Vec<_>>() {
            run.await.unwrap();
        }
    }
    tokio::time::timeout(Duration::from_secs(20), settled(before.0 + 1)).await.expect("their renderers end");
    assert_eq!(folders(), before.1);
    let grown = resident().saturating_sub(before.2);
    assert!(grown < 24 << 10, "{grown} KiB more than before");
    assert_eq!(value(&table, "kept", "await page.locator('p').textContent()").await, "x");
    table.shutdown().await.unwrap();
}

/// Processes of browsers with their profile below this folder.
fn processes(scratch: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(scratch)).count()
}

/// Of this process, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_leads_elsewhere_is_done_when_the_page_is_there() {
    let start = "<title>Start</title><a href=/late>on</a> <form action=/late><input aria-label=Name name=n></form>
        <button onclick=\"location.href = '/late'\">by a script</button>";
    let site = Site::serve(&[("/start", start)]);
    let table = table(&[&site.address("")]);
    for act in [
        "page.getByRole('link').click()",
        "page.getByRole('link').press('Enter')",
        "page.getByLabel('Name').press('Enter')",
        "page.getByRole('button').click()",
        "page.evaluate(() => document.querySelector('form').submit()).then(() => page.waitForURL('**/late*'))",
    ] {
        let script = format!(
            "await page.goto('{}'); await {act}; const there = await page.title(); await page.goBack(); [there, await page.title()]",
            site.address("/start"),
        );
        assert_eq!(value(&table, "s", &script).await, json!(["Late", "Start"]), "{act}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_takes_too_much_loses_pages_and_says_why() {
    let table = table_of(chromium_with(|options| options.max_memory = 1), &[]);
    // A page in use crashes.
    let used = "await page.setContent('<p>x'); await page.locator('#never').click({ timeout: 60_000 })";
    let error = table.run("s", RunRequest::new(used)).await.error.unwrap();
    assert!(error.message.contains("the page was ended, since the browser took"), "{error:?}");
    // One that is not is closed.
    let closed = async {
        loop {
            let result = table.run("s", RunRequest::new("globalThis.kept = page; 1")).await;
            if let Some(told) = result.usage.more.get("browser") {
                break told["relaunched"].as_str().unwrap_or_default().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let why = tokio::time::timeout(Duration::from_secs(30), closed).await.expect("it is closed");
    assert!(why.contains("its pages were closed: the browser took") && why.contains("and 1 are the most"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_have_browsers_of_their_own() {
    let table = table(&[]);
    let open = async |owner: &str| {
        let run =
            table.of(owner).session("s").run(Run::script("await page.setContent('<p>x'); browser.version()")).await;
        assert!(run.is_ok(), "{:?}", run.error);
        table.of(owner).sessions().into_iter().find(|session| session.name == "s").map(|session| session.more)
    };
    let before = browsers().await;
    let info = open("ada").await.unwrap_or_default();
    assert!(info["browser"]["version"].as_str().is_some_and(|version| version.contains('.')), "{info:?}");
    assert_eq!(info["browser"]["pages"], json!(["about:blank"]));
    open("bob").await;
    open("ada").await;
    assert_eq!(browsers().await, before + 2);
}
