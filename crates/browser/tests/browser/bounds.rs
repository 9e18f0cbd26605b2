//! What is bounded, and what is left of it at the bound.

use std::sync::Arc;
use std::time::Duration;

use perennial_browser::Chromium;
use perennial_sessions::net::{NetLimits, NetPolicy};
use perennial_sessions::{RebuildReason, RunRequest, ScriptResult, SessionTable, TableConfig};
use serde_json::{Value, json};

use super::common::{browsers, chromium, chromium_with, ended, waits};
use super::site::Site;

fn table(chromium: Chromium, sites: &[&Site]) -> SessionTable {
    let rules: Vec<String> = sites.iter().map(|site| site.address("")).collect();
    SessionTable::with_config(TableConfig::default().configure(|config| {
        config.browsers = Some(Arc::new(chromium));
        config.net = Some(NetPolicy::parse(&rules, NetLimits::default()).unwrap());
    }))
}

async fn run(table: &SessionTable, script: &str) -> ScriptResult {
    table.run("s", RunRequest::new(script).with_timeout_ms(60_000)).await
}

async fn value(table: &SessionTable, script: &str) -> Value {
    let result = run(table, script).await;
    assert!(result.is_ok(), "{:#?}", result.error);
    result.into_value().unwrap().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_downloads_are_under_way_at_a_time_and_the_ninth_says_so() {
    // A browser has no more than six connections to a site.
    let other = Site::serve(&[]);
    let link = |number| match number {
        0..5 => format!("<a href=/drip?{number}>d{number}</a>"),
        _ => format!("<a href={}>d{number}</a>", other.address(&format!("/drip?{number}"))),
    };
    let site = Site::serve(&[("/", &(0..9).map(link).collect::<String>())]);
    let table = table(chromium(), &[&site, &other]);
    let script = format!(
        "await page.goto({:?}); const all = [];
         for (let i = 0; i < 9; i++) all.push((await Promise.all([page.waitForEvent('download'), page.getByText('d' + i).click()]))[0]);
         const ninth = await all[8].failure(); await all[0].cancel();
         const tenth = (await Promise.all([page.waitForEvent('download'), page.getByText('d8').click()]))[0];
         const rest = await Promise.race([tenth.failure(), page.waitForTimeout(300).then(() => 'under way')]);
         [ninth, await all[0].failure(), rest]",
        site.address("/")
    );
    assert_eq!(
        value(&table, &script).await,
        json!(["8 downloads are under way, as many as may be", "canceled", "under way"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_as_many_as_the_setting_says_and_windows_beyond_it_are_closed() {
    let table = table(chromium_with(|options| options.max_pages = 2), &[]);
    let script = "await context.newPage(); let why; try { await context.newPage() } catch (error) { why = error.message }
        await page.setContent('<button onclick=\"window.open()\">open</button>'); await page.locator('button').click(); await page.waitForFunction(() => true);
        [why, context.pages().length]";
    assert_eq!(
        value(&table, script).await,
        json!(["context.newPage: 2 pages are open, as many as may be: close one", 2])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dialog_that_nobody_answers_ends_the_action_that_it_holds_up() {
    let table = table(chromium(), &[]);
    let script = "page.on('dialog', () => {}); await page.setContent('<button onclick=\"confirm(1)\">b</button>');
        const begun = performance.now(); let why;
        try { await page.locator('button').click({ timeout: 25_000 }) } catch (error) { why = error.message }
        [why, performance.now() - begun < 20_000]";
    let told = value(&table, script).await;
    assert!(told[0].as_str().is_some_and(|why| why.contains("dialog")) && told[1] == true, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_origins_what_is_stored_outlives_a_browser_and_of_older_ones_it_is_gone() {
    let sites: Vec<Site> = (0..22).map(|_| Site::serve(&[("/", "<title>Home</title>")])).collect();
    let table = table(chromium(), &sites.iter().collect::<Vec<_>>());
    for site in &sites {
        let home = site.address("/");
        value(
            &table,
            &format!("await page.goto({home:?}); await page.evaluate(() => localStorage.setItem('kept', 'yes'))"),
        )
        .await;
        // What the run before has left is noted long before this one is over.
        value(&table, "for (let i = 0; i < 20; i++) await page.title()").await;
    }
    let waiting = tokio::spawn({
        let (table, waits) = (table.clone(), waits(&sites[21]));
        async move { run(&table, &waits).await }
    });
    sites[21].asked("/waits").await;
    ended(&waiting, "").await;
    let all = json!(sites.iter().map(|site| site.address("/")).collect::<Vec<_>>());
    let read = format!(
        "const kept = []; for (const home of {all}) {{ await page.goto(home); kept.push(await page.evaluate(() => localStorage.getItem('kept'))) }} kept"
    );
    let kept = value(&table, &read).await;
    let there: Vec<usize> = (0..22).filter(|number| kept[number] == "yes").collect();
    assert_eq!(there, (2..22).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_waits_for_a_route_goes_with_its_page() {
    let site = Site::serve(&[("/", "<title>Home</title>")]);
    let table = table(chromium(), &[&site]);
    let script = format!(
        "const other = await context.newPage(); let held; const asked = new Promise((resolve) => other.route('**/held', (route) => {{ held = route; resolve() }}));
         await other.goto({:?}); await other.evaluate(() => void fetch('/held').catch(() => {{}})); await asked; await other.close();
         let why = 'continued'; try {{ await held.continue() }} catch (error) {{ why = error.message }}
         [why.includes('closed'), await page.title(), context.pages().length]",
        site.address("/")
    );
    assert_eq!(value(&table, &script).await, json!([true, "", 1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_of_six_words_are_held_to_the_policy_too() {
    let Some((site, other)) = Site::serve_at("::1", &[("/", "<title>Six</title>")]).zip(Site::serve_at("::1", &[]))
    else {
        return println_skipped();
    };
    let table = table(chromium(), &[&site]);
    let script = format!(
        "const answer = await page.goto({:?}); let why; try {{ await page.goto({:?}) }} catch (error) {{ why = error.message }} [answer.status(), why.includes('not permitted') || why.includes('allow')]",
        site.address("/"),
        other.address("/")
    );
    assert_eq!(value(&table, &script).await, json!([200, true]));
    assert!(other.seen().is_empty(), "{:?}", other.seen());
}

#[expect(clippy::print_stdout, reason = "what was left out is said")]
fn println_skipped() {
    println!("this machine has no ::1: nothing was tried");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_nobody_uses_are_closed_with_what_sites_keep_and_then_their_browser_ends() {
    let site = Site::serve(&[("/", "<title>Home</title>")]);
    let table = table(chromium_with(|options| options.idle = Duration::from_millis(300)), &[&site]);
    value(&table, &format!("globalThis.kept = 1; await page.goto({:?})", site.address("/cookie"))).await;
    assert_eq!(browsers().await, 1);
    let ending = async {
        while browsers().await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ending).await.expect("the browser ends");
    let back = run(&table, "[page.url(), (await context.cookies()).length, typeof kept]").await;
    assert_eq!(back.rebuilt_because, Some(RebuildReason::Epoch));
    assert_eq!(back.into_value().unwrap().unwrap(), json!(["about:blank", 1, "undefined"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_a_pdf_and_what_a_session_cannot_have_says_what_to_do() {
    let table = table(chromium(), &[]);
    let script = "await page.setContent('<h1>Paper</h1>'); const bytes = await page.pdf({ path: '/paper.pdf' });
        const no = async (what) => { try { return await what() } catch (error) { return error.message } };
        [bytes.subarray(0, 5).toString(), (await fs.stat('/paper.pdf')).size === bytes.length, await no(() => browser.newContext()), await no(() => context.close())]";
    let told = value(&table, script).await;
    assert_eq!(told[0], "%PDF-");
    assert_eq!(told[1], true);
    assert!(told[2].as_str().is_some_and(|why| why.contains("a session has one context")), "{told}");
    assert!(told[3].as_str().is_some_and(|why| why.contains("closes with it")), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_soft_expectation_that_fails_is_said_and_the_script_goes_on() {
    let table = table(chromium(), &[]);
    let soft = run(&table, "await page.setContent('<p>a</p>'); expect.soft(1).toBe(2); await expect.soft(page.locator('p')).toHaveText('b', { timeout: 100 }); 'on'").await;
    let said: Vec<bool> = soft.console.iter().map(|entry| entry.message.contains("does not hold")).collect();
    assert_eq!(said, [true, true], "{:?}", soft.console);
    assert_eq!(soft.into_value().unwrap().unwrap(), "on");
}
