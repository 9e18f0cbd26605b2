//! An embedder's own browser: a driver of thirty lines, lent to one run and not to the next. And one that only pretends, for tests of scripts.
//!
//! `cargo run -p perennial --example own_browser`
#![expect(clippy::print_stdout, reason = "an example shows something")]

use std::sync::{Arc, Mutex};

use perennial::browser::{
    Action, Answer, Browser, BrowserError, ConsoleMessage, Driver, Event, Failure, FakeBrowser, Generation, Happened,
    Listening, Look, PageLook, Performing, What,
};
use perennial::{Run, SessionTable};
use serde_json::json;

/// A counter that is shown on a page, as far as scripts can tell.
struct Counter {
    generation: Mutex<Generation>,
    clicks: Arc<Mutex<u32>>,
    /// Whoever listens to what the page does by itself.
    listening: Arc<Mutex<Option<Listening>>>,
}

impl Counter {
    /// What a crash would do: what scripts have kept is of a browser that is gone.
    fn relaunch(&self) {
        *self.generation.lock().expect("nobody panics with it") = Generation::next();
        *self.clicks.lock().expect("nobody panics with it") = 0;
    }
}

impl Driver for Counter {
    fn generation(&self) -> Generation {
        *self.generation.lock().expect("nobody panics with it")
    }

    fn look(&self) -> Look {
        let url = "https://counter.example/".to_owned();
        let page = PageLook { id: 1, url, moves: 0, viewport: None, frames: Vec::new() };
        Look::of(vec![page])
    }

    fn listen(&self, listening: Option<Listening>) {
        *self.listening.lock().expect("nobody panics with it") = listening;
    }

    fn perform(&self, action: Action) -> Performing {
        let (clicks, listening) = (self.clicks.clone(), self.listening.clone());
        Box::pin(async move {
            let mut clicks = clicks.lock().expect("nobody panics with it");
            match action {
                Action::Click { .. } => {
                    *clicks += 1;
                    if let Some(listening) = &*listening.lock().expect("nobody panics with it") {
                        let mut said = ConsoleMessage::default();
                        (said.kind, said.text) = ("log".to_owned(), format!("click {}", *clicks));
                        (listening.sink)(&Event { page: 1, what: Happened::Console(said) });
                    }
                    Ok(Answer::Value(json!(null)))
                }
                Action::Query { what: What::TextContent, .. } => {
                    Ok(Answer::Value(json!(format!("clicked {} times", *clicks))))
                }
                action => Err(BrowserError::new(Failure::Invalid, format!("a counter cannot do {action:?}"))),
            }
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let counter = Arc::new(Counter {
        generation: Mutex::new(Generation::next()),
        clicks: Arc::default(),
        listening: Arc::default(),
    });
    let table = SessionTable::builder().build()?;
    let session = table.session("ada");
    let lend = |script: &str| Run::script(script).lend(Browser::shared(counter.clone()));

    let script = "globalThis.button = page.getByRole('button'); page.on('console', (message) => console.log('the page says ' + message.text()));
        await button.click(); await button.click(); await page.locator('p').textContent()";
    let first = session.run(lend(script)).await;
    first.console.iter().for_each(|entry| println!("{}", entry.message));
    println!("{}", first.value::<String>()?);

    // The next run is lent none.
    let kind: String = session.run(Run::script("typeof page + ', ' + typeof button")).await.value()?;
    println!("without: {kind}");
    let error = session.run(Run::script("await button.click()")).await.error.ok_or("nothing lends it")?;
    println!("{}: {}", error.name, error.message);

    // What was kept of a browser that has gone is not taken for one of the next.
    counter.relaunch();
    let result = session.run(lend("[typeof button, await page.locator('p').textContent()]")).await;
    let why = result.rebuilt_because;
    println!("after a relaunch ({why:?}): {}", result.into_value()?.unwrap_or_default());

    // In a test nobody writes a driver: a function says what actions come to, and what was asked for is looked at afterwards.
    let fake = Arc::new(FakeBrowser::new(|action| match action {
        Action::Click { .. } => Err(BrowserError::new(Failure::Timeout, "nothing to click")),
        _ => Ok(Answer::Value(json!(null))),
    }));
    let tries = Run::script("await page.goto('https://shop.example/'); await page.locator('#buy').click()");
    let error =
        session.run(tries.lend(Browser::shared(fake.clone()))).await.error.ok_or("there is nothing to click")?;
    println!("{}, after {} actions", error.name, fake.actions().len());
    Ok(())
}
