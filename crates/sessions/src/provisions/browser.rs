//! `page`: a browser, which a call lends or the table has one of for each session.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use perennial_protocol::EndReason;
use perennial_stdlib::browser::{self, Browser, BrowserRun, Browsers};
#[cfg(feature = "net")]
use perennial_stdlib::net::{NetPolicy, Reach};
use serde_json::json;

use crate::durable::Snapshot;
use crate::key::SessionKey;
use crate::library::Library;
use crate::provision::{BoxFuture, Description, Ended, InRun, Own, Provided, Provision, RunScope};

pub(super) struct BrowserProvision {
    browsers: Option<Arc<dyn Browsers>>,
}

impl BrowserProvision {
    pub(super) fn new(browsers: Option<Arc<dyn Browsers>>) -> Self {
        Self { browsers }
    }
}

impl Provision for BrowserProvision {
    type Session = SessionBrowser;

    fn name(&self) -> &'static str {
        "browser"
    }

    fn declare(&self, library: &mut Library) {
        library.ops(browser::ops());
        browser::areas().into_iter().for_each(|area| library.area(area));
        let Some(browsers) = &self.browsers else { return };
        let text = "A real browser, with Playwright's names: `await page.goto(url)`, `page.getByRole(\"button\", { name })`, `.click()`, `.fill(text)`, \
                    `await expect(locator).toBeVisible()`. `await page.snapshot()` gives the page as text with references that `page.locator(\"e12\")` takes; begin with it. \
                    `await page.markdown()` is what there is to read. `await show(await page.screenshot())` shows a picture. What a step brings about is waited for from before it: \
                    `const [popup] = await Promise.all([page.waitForEvent(\"popup\"), link.click()])`; so `download` (`.saveAs(path)`), `filechooser`, `page.waitForResponse(url)`. Dialogs \
                    are dismissed unless `page.on(\"dialog\", (dialog) => dialog.accept())`. `page.route(url, handler)`, `page.consoleMessages()`, `context.cookies()`, `request.get(url)` \
                    with the pages' cookies. The page stays as it is until the next run. ";
        let reach = if browsers.holds_pages() {
            "What pages reach is what `fetch` does."
        } else {
            "Pages reach whatever the browser reaches."
        };
        library.tell(format!("{text}{reach}"), [""; 0]);
    }

    fn open(&self, session: &SessionKey, _: Option<&Snapshot>) -> SessionBrowser {
        let open = |browsers: &Arc<dyn Browsers>| Browser::shared(browsers.open(session.owner(), session.name()));
        SessionBrowser(self.browsers.as_ref().map(open), AtomicU64::new(0))
    }

    fn begin(&self, session: Own<'_, SessionBrowser>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        let lent = run.loan::<Browser>().map(|browser| (*browser).clone());
        let browser = match (lent, &self.browsers) {
            (Some(lent), _) => lent,
            (None, Some(_)) => session.get().0.clone()?,
            (None, None) => return None,
        };
        #[cfg(feature = "net")]
        if let Some((network, state)) = run.grant().zip(run.grant()) {
            let policy = run.grant::<NetPolicy>().map_or_else(|| NetPolicy::none().clone(), |policy| (*policy).clone());
            #[cfg(feature = "commands")]
            let commands = run.grant();
            let reach = Reach {
                network,
                policy,
                state,
                #[cfg(feature = "commands")]
                commands,
            };
            browser.driver().set_reach(&reach);
        }
        run.epoch(browser.driver().generation().number());
        // Whoever has something of the one before is told why it is gone, once.
        let generation = browser.driver().generation();
        let told = session.get().1.swap(generation.number(), Ordering::Relaxed);
        let gone = browser.driver().ended_because().filter(|_| told != 0 && told != generation.number());
        let of_run = Arc::new(BrowserRun::begin(browser));
        run.lend(of_run.clone());
        Some(Box::new(Lent(of_run, gone)))
    }
}

/// The browser of a run, which is over with it, whoever gave up on it.
struct Lent(Arc<BrowserRun>, Option<String>);

impl InRun for Lent {
    fn settle(self: Box<Self>, ended: &mut Ended<'_>) {
        if let Some(why) = &self.1 {
            ended.usage(json!({ "relaunched": why }));
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// What a session has of the table's browsers, and which generation its last run has had.
pub(crate) struct SessionBrowser(Option<Browser>, AtomicU64);

impl Provided for SessionBrowser {
    fn describe(&self, description: &mut Description) {
        let Some(browser) = &self.0 else { return };
        let look = browser.driver().look();
        if !look.version.is_empty() {
            let pages: Vec<&str> = look.pages.iter().map(|page| &*page.url).collect();
            description.more(json!({ "version": look.version, "pages": pages, "bytes": look.bytes }));
        }
    }

    fn end(&self, _: EndReason) {
        if let Some(browser) = &self.0 {
            drop(browser.driver().close());
        }
    }

    fn gone(&self) -> BoxFuture<'static, ()> {
        match &self.0 {
            Some(browser) => browser.driver().close(),
            None => Box::pin(std::future::ready(())),
        }
    }
}
