//! Browsers that are lent to runs: the same for every driver, shown on one that pretends.
#![cfg(feature = "browser")]

use std::sync::{Arc, Weak};
use std::time::Duration;

use perennial_sessions::browser::{
    Action, Answer, Browser, BrowserError, Failure, FakeBrowser, Happened, PageLook, What,
};
use perennial_sessions::{ErrorKind, RebuildReason, Run, ScriptResult, SessionTable};
use serde_json::{Value, json};

/// Its title is a word, and what it fails with is asked for by the address that it is sent to.
fn fake() -> Arc<FakeBrowser> {
    Arc::new(FakeBrowser::new(|action| match action {
        Action::Title { .. } => Ok(Answer::Value("Shop".into())),
        Action::Query { what: What::InnerText, .. } => Ok(Answer::Value("x".repeat(17 << 20).into())),
        Action::Goto { url, .. } => {
            let kind = match &**url {
                "late:" => Failure::Timeout,
                "denied:" => Failure::Denied,
                "closed:" => Failure::Closed,
                _ => Failure::Invalid,
            };
            Err(BrowserError::new(kind, format!("no way to {url}")).with_log(vec!["tried".to_owned()]))
        }
        _ => Ok(Answer::Value(Value::Null)),
    }))
}

async fn lent(table: &SessionTable, fake: &Arc<FakeBrowser>, script: &str) -> ScriptResult {
    table.session("s").run(Run::script(script).lend(Browser::shared(fake.clone()))).await
}

#[tokio::test]
async fn a_browser_is_there_in_the_runs_that_are_lent_it_and_what_is_kept_of_it_says_so() {
    let (table, fake) = (SessionTable::builder().build().unwrap(), fake());
    let first = lent(&table, &fake, "globalThis.kept = page; vars.set('n', 1); await page.title()").await;
    assert_eq!(first.into_value().unwrap(), Some("Shop".into()));
    let without = table.session("s").run(Run::script("[typeof page, typeof kept]")).await;
    assert_eq!(without.rebuilt_because, None);
    assert_eq!(without.into_value().unwrap(), Some(json!(["undefined", "object"])));
    let error = table.session("s").run(Run::script("await kept.title()")).await.error.unwrap();
    assert_eq!(error.name, "PermissionError", "{error:?}");
    assert_eq!(lent(&table, &fake, "await kept.title()").await.into_value().unwrap(), Some("Shop".into()));
    // Another browser: what the first has left is not taken for the second's.
    let other = self::fake();
    let second = lent(&table, &other, "[typeof kept, vars.get('n')]").await;
    assert_eq!(second.rebuilt_because, Some(RebuildReason::Epoch));
    assert_eq!(second.lost_globals, ["kept"]);
    assert_eq!(second.into_value().unwrap(), Some(json!(["undefined", 1])));
    assert_eq!((fake.actions().len(), fake.runs(), other.runs()), (2, (2, 0), (1, 0)));
}

#[tokio::test]
async fn a_relaunch_in_a_run_is_an_error_at_once_and_the_next_run_has_a_new_vm() {
    let table = SessionTable::builder().build().unwrap();
    // It crashes when it is to reload a page.
    let fake = Arc::new_cyclic(|own: &Weak<FakeBrowser>| {
        let own = own.clone();
        FakeBrowser::new(move |action| match action {
            Action::Reload { .. } => {
                own.upgrade().unwrap().relaunch("it crashed");
                Err(BrowserError::new(Failure::Stale, "the browser is gone"))
            }
            _ => Ok(Answer::Value("Shop".into())),
        })
    });
    let session = table.session("s");
    let script = "globalThis.kept = 1; vars.set('n', 1); const names = [], own = page; for (const act of ['title', 'reload', 'title']) await own[act]().catch((error) => names.push(error.name)); names";
    assert_eq!(
        lent(&table, &fake, script).await.into_value().unwrap(),
        Some(json!(["StaleHandleError", "StaleHandleError"]))
    );
    // A run that is lent none changes nothing.
    assert_eq!(session.run(Run::script("kept")).await.into_value().unwrap(), Some(1.into()));
    let next = lent(&table, &fake, "[typeof kept, vars.get('n'), await page.title()]").await;
    assert_eq!(next.rebuilt_because, Some(RebuildReason::Epoch));
    assert_eq!(next.into_value().unwrap(), Some(json!(["undefined", 1, "Shop"])));
}

#[tokio::test]
async fn what_fails_has_the_class_of_its_kind_and_its_log() {
    let (table, fake) = (SessionTable::builder().build().unwrap(), fake());
    for (url, name) in [("late:", "TimeoutError"), ("closed:", "Error"), ("other:", "TypeError")] {
        let error = lent(&table, &fake, &format!("await page.goto({url:?})")).await.error.unwrap();
        assert_eq!(error.name, name, "{error:?}");
        assert!(error.message.contains(&format!("no way to {url}\ncall log:\n  - tried")), "{error:?}");
    }
    let denied = lent(&table, &fake, "await page.goto('denied:')").await.error.unwrap();
    assert_eq!((denied.name.as_str(), denied.kind), ("PermissionError", ErrorKind::Permission));
    let large = lent(&table, &fake, "await page.locator('p').innerText()").await.error.unwrap();
    assert_eq!((large.name.as_str(), large.limit), ("QuotaExceededError", Some(16 << 20)), "{large:?}");
}

#[tokio::test]
async fn events_reach_who_listens_for_as_long_as_the_run_is_under_way() {
    let (table, fake) = (SessionTable::builder().build().unwrap(), fake());
    assert!(!fake.tell(1, Happened::Loaded), "nobody listens");
    let telling = fake.clone();
    let script = "let heard = ''; page.on('load', () => heard += 'load '); page.on('dialog', () => {}); await page.title(); await page.waitForEvent('load'); heard";
    let running = lent(&table, &fake, script);
    let telling = async move {
        // The script wants dialogs as soon as it listens.
        while !telling.interest().dialogs {
            tokio::task::yield_now().await;
        }
        while telling.runs().1 > 0 {
            telling.tell(1, Happened::Loaded);
            tokio::task::yield_now().await;
        }
    };
    let (result, ()) = tokio::join!(running, telling);
    assert!(result.into_value().unwrap().unwrap().as_str().unwrap().starts_with("load "));
    assert!(!fake.tell(1, Happened::Loaded) && !fake.interest().dialogs, "the run is over");
    // A run that is stopped is over, too.
    let stopped = table
        .session("s")
        .run(
            Run::script("await page.title(); for (;;) {}")
                .lend(Browser::shared(fake.clone()))
                .timeout(Duration::from_millis(100)),
        )
        .await;
    assert_eq!(stopped.error.unwrap().kind, ErrorKind::Timeout);
    assert_eq!(fake.runs(), (2, 0));
}

#[tokio::test]
async fn scripts_see_the_pages_that_the_driver_has() {
    let (table, fake) = (SessionTable::builder().build().unwrap(), fake());
    let page =
        |id, url: &str| PageLook { id, url: url.to_owned(), moves: 0, viewport: Some((800, 600)), frames: Vec::new() };
    fake.set_pages(vec![page(1, "https://a.example/"), page(7, "https://b.example/")]);
    let script = "[context.pages().map((each) => each.url()), page.viewportSize().width]";
    let told = lent(&table, &fake, script).await.into_value().unwrap();
    assert_eq!(told, Some(json!([["https://a.example/", "https://b.example/"], 800])));
    fake.set_pages(vec![page(7, "https://b.example/")]);
    assert_eq!(lent(&table, &fake, "page.url()").await.into_value().unwrap(), Some("https://b.example/".into()));
}
