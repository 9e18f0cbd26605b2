//! What scripts do with `page`.

use std::sync::Arc;

use perennial_sessions::{RunRequest, ScriptResult, SessionTable, TableConfig};
use serde_json::{Value, json};

use super::common::chromium;

fn table() -> SessionTable {
    SessionTable::with_config(TableConfig::default().configure(|config| config.browsers = Some(Arc::new(chromium()))))
}

async fn run(table: &SessionTable, script: &str) -> ScriptResult {
    table.run("s", RunRequest::new(script)).await
}

async fn value(table: &SessionTable, script: &str) -> Value {
    let result = run(table, script).await;
    assert!(result.is_ok(), "{:#?}", result.error);
    result.into_value().unwrap().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_filled_over_three_runs() {
    let table = table();
    value(&table, "await page.setContent(`<label>Name <input></label><label><input type=checkbox> News</label>
        <select aria-label=Colour><option>Red<option>Blue</select><button onclick=\"document.title = 'sent'\">Send</button>`)").await;
    value(&table, "await page.getByLabel('Name').fill('Ada'); await page.getByRole('checkbox', { name: 'News' }).check(); await page.getByLabel('Colour').selectOption('Blue')").await;
    let read = "await page.getByRole('button', { name: /send/i }).click(); await expect(page).toHaveTitle('sent');
        ({ name: await page.getByLabel('Name').inputValue(), news: await page.locator('input[type=checkbox]').isChecked(), colour: await page.locator('select').inputValue() })";
    assert_eq!(value(&table, read).await, json!({ "name": "Ada", "news": true, "colour": "Blue" }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_seen_as_text_and_clicked_by_reference() {
    let table = table();
    value(&table, "await page.setContent('<h1>Shop</h1><ul><li>Apples <button onclick=\"this.textContent = 1\">Buy</button></ul>')").await;
    let text = value(&table, "await page.snapshot()").await;
    assert_eq!(
        text,
        "- heading \"Shop\" [level=1]\n- list:\n  - listitem:\n    - text: Apples\n    - button \"Buy\" [e1]"
    );
    let diff = value(&table, "await page.locator('e1').click(); await page.snapshot({ diff: true })").await;
    assert_eq!(diff, "-     - button \"Buy\" [e1]\n+     - button \"1\" [focused] [e1]");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_evaluated_in_the_page_crosses_both_ways() {
    let table = table();
    let script = "await page.evaluate(({ when, map, big, none }) => [when.getTime() + 1, map.get('a'), big + 1n, none, new Date(5), undefined, NaN, -0, [1, { b: [2] }]],
        { when: new Date(41), map: new Map([['a', 7]]), big: 10n, none: undefined }).then((list) => list.map((each) => each instanceof Date ? 'date ' + each.getTime() : Object.is(each, -0) ? '-0' : String(each === undefined ? 'nothing' : typeof each === 'object' ? JSON.stringify(each) : each)))";
    assert_eq!(
        value(&table, script).await,
        json!(["42", "7", "11", "nothing", "date 5", "nothing", "NaN", "-0", "[1,{\"b\":[2]}]"])
    );
    let error = run(&table, "await page.evaluate(() => { throw new RangeError('too far') })").await.error.unwrap();
    assert!(error.message.contains("too far"), "{error:?}");
    assert_eq!(value(&table, "await page.setContent('<p>a<p>b'); [await page.$$eval('p', (all, sign) => all.map((p) => p.textContent + sign), '!'), await page.locator('p').first().evaluate((p) => p.tagName)]").await, json!([["a!", "b!"], "P"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_say_what_was_tried_and_what_there_is() {
    let table = table();
    value(&table, "await page.setContent('<button>Save</button><button>Save as</button><div style=\"position: fixed; inset: 0\">cover</div>')").await;
    let error = async |script: &str| run(&table, script).await.error.unwrap().message;
    let strict = error("await page.getByRole('button', { name: 'Save' }).click()").await;
    assert_eq!(
        strict,
        "getByRole('button', { name: \"Save\" }).click: 2 elements match, and one is wanted:\n    1) <button>Save</button>\n    2) <button>Save as</button>"
    );
    let covered = error("await page.getByText('Save as').click({ timeout: 300 })").await;
    assert!(covered.starts_with("getByText(\"Save as\").click: timeout of 300 ms\ncall log:"), "{covered}");
    assert!(covered.contains("cover</div> covers the element"), "{covered}");
    let missing = error("await page.getByRole('button', { name: 'Safe' }).click({ timeout: 200 })").await;
    assert!(missing.contains("names of this role here: \"Save\", \"Save as\""), "{missing}");
    let expected = error("await expect(page.getByRole('button')).toHaveCount(3, { timeout: 200 })").await;
    assert!(expected.contains("expected: 3\nreceived: 2"), "{expected}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_browser_there_is_nothing_of_one() {
    let table = SessionTable::with_config(TableConfig::default());
    let names = "[typeof page, typeof context, typeof browser, typeof expect]";
    assert_eq!(value(&table, names).await, json!(["undefined", "undefined", "undefined", "undefined"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_but_pages_is_gone_to() {
    let table = table();
    for address in
        ["file:///etc/passwd", "view-source:file:///etc/passwd", "chrome://version", "javascript:1", "about:version"]
    {
        let error = run(&table, &format!("await page.goto({address:?})")).await.error.unwrap();
        assert_eq!(error.kind, perennial_sessions::ErrorKind::Permission, "{address}: {error:?}");
    }
    // Nobody has granted a network.
    let error = run(&table, "await page.goto('http://127.0.0.1:1/')").await.error.unwrap();
    assert!(error.message.contains("net::ERR_"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_spins_costs_its_run_and_not_the_browser() {
    let table = table();
    value(&table, "await page.setContent('<p>here')").await;
    let request = RunRequest::new("await page.evaluate(() => { for (;;) {} })").with_timeout_ms(300);
    let stopped = table.run("s", request).await;
    assert_eq!(stopped.error.unwrap().kind, perennial_sessions::ErrorKind::Timeout);
    assert_eq!(value(&table, "await page.locator('p').textContent()").await, "here");
    // One that nobody waits for ends with its run.
    value(&table, "page.evaluate(() => { for (;;) {} }); 1").await;
    assert_eq!(value(&table, "await page.locator('p').textContent()").await, "here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_pages_write_harms_no_other_session() {
    let table = table();
    value(&table, "globalThis.kept = 1; await page.setContent('<p>mine')").await;
    let stranger = async |script: &str| table.run("stranger", RunRequest::new(script)).await;
    // Halves of characters, wherever they come from.
    for script in [
        "await page.setContent('<script>console.log(\"\\\\ud83d\"); document.title = \"\\\\udc00\"</script>'); await page.title()",
        "await page.evaluate(() => '\\ud800')",
        "await page.setContent('<p>'); await page.evaluate(() => { document.querySelector('p').textContent = '\\ud83d' }); (await page.snapshot()) + await page.locator('p').textContent()",
    ] {
        let result = stranger(script).await;
        assert!(result.is_ok(), "{script}: {:?}", result.error);
    }
    // What is very large.
    let large = stranger("await page.evaluate(() => 'x'.repeat(100_000_000))").await.error.unwrap();
    assert!(large.message.contains("larger than"), "{large:?}");
    let result = stranger("await page.evaluate(() => { console.log('x'.repeat(100_000_000)) }); 1").await;
    assert!(result.is_ok(), "{:?}", result.error);
    // More pages than may be.
    let popups = "await page.setContent('<p>'); await page.evaluate(() => { for (let i = 0; i < 40; i++) open('about:blank'); return 1 }); context.pages().length";
    assert_eq!(stranger(popups).await.into_value().unwrap(), Some(16.into()));
    assert_eq!(value(&table, "kept + await page.locator('p').textContent()").await, "1mine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_spins_in_a_page_ends_with_the_run_that_set_it_going() {
    let table = table();
    for script in [
        "await page.setContent('<button onclick=\"for (;;);\">Spin</button>'); await page.getByRole('button').click()",
        "await page.setContent('<script>for (;;);</script>')",
        "await page.setContent('<input oninput=\"for (;;);\">'); await page.locator('input').fill('x')",
        "await page.setContent('<p>'); await page.keyboard.press('a'); await page.evaluate(() => setTimeout(() => { for (;;); })); await page.waitForTimeout(50); await page.title()",
    ] {
        let stopped = table.run("s", RunRequest::new(script).with_timeout_ms(1000)).await;
        assert_eq!(stopped.error.unwrap().kind, perennial_sessions::ErrorKind::Timeout, "{script}");
        let again = "await page.setContent('<p>after'); await page.locator('p').textContent()";
        assert_eq!(value(&table, again).await, "after", "{script}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_a_frame_without_scripts_is_clicked_too() {
    let table = table();
    let script = "await page.setContent('<iframe sandbox srcdoc=\"<input type=checkbox>\"></iframe>');
        const box = page.frameLocator('iframe').getByRole('checkbox'); await box.click({ timeout: 5000 }); await box.isChecked()";
    assert_eq!(value(&table, script).await, true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_are_added_to_pages_are_bounded() {
    let table = table();
    let large = run(&table, "await page.addInitScript('//' + 'x'.repeat(2 << 20))").await.error.unwrap();
    assert!(large.message.contains("of 1048576 bytes together"), "{large:?}");
    let many = run(&table, "for (let i = 0; i < 101; i++) await page.addInitScript('1')").await.error.unwrap();
    assert!(many.message.contains("at most 100 scripts"), "{many:?}");
}
