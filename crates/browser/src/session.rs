//! What one session has of a browser: a context, with its own cookies and pages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use perennial_stdlib::browser::{
    Action, BrowserError, Driver, Failure, Generation, Interest, Listening, Look, OriginStorage, PageId, PageLook,
    Performing,
};
use perennial_stdlib::net::{Pass, Proxy, Reach};
use serde_json::{Value, json};

use crate::chromium::{Browser, Home, Shared, lock};
use crate::downloads::Downloads;
use crate::hub::Hub;
use crate::page::{Deadline, Page, expose, gone, text};
use crate::perform::{perform, storage};
use crate::pipe::{CallError, Connection};
use crate::process::Program;
use crate::settings::Settings;

/// The page that is there from the beginning.
const FIRST: PageId = 1;
/// Scripts that are added to all of them, and bytes of these.
const MAX_SCRIPT_COUNT: usize = 100;
const MAX_SCRIPTS: usize = 1 << 20;
/// How long an action waits for what the run before has left to be noted.
const NOTED: Duration = Duration::from_secs(1);
/// Origins whose local storage is kept.
const MAX_ORIGINS: usize = 20;

/// Drives the pages of one session. Nothing is started before its first action.
pub struct ChromiumSession {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    shared: Arc<Shared>,
    /// Its owner's.
    home: Arc<Home>,
    /// Opened by whoever needs it first.
    opening: tokio::sync::Mutex<()>,
    /// Held while the cookies that a run has left are noted: the next one waits for that.
    noting: Arc<tokio::sync::Mutex<()>>,
    hub: Arc<Hub>,
    state: Mutex<State>,
}

struct State {
    generation: Generation,
    /// Why the generation before has ended.
    ended_because: Option<String>,
    context: Option<Arc<Context>>,
    reach: Option<Reach>,
    interest: Interest,
    is_closed: bool,
    /// It has a context or is about to.
    has_place: bool,
    runs: usize,
    last_use: Instant,
    /// A run that is under way has done something with it.
    is_used: bool,
    /// What its last context had for sites, for the next.
    kept: Kept,
}

#[derive(Clone, Default)]
struct Kept {
    cookies: Vec<Value>,
    local: Vec<OriginStorage>,
}

/// A context of a browser, as long as that lives.
pub(crate) struct Context {
    pub(crate) id: String,
    pub(crate) browser: Arc<Browser>,
    session: Weak<Inner>,
    viewport: (u32, u32),
    max_pages: usize,
    /// What the context's pages go out with. None where they go out by themselves.
    pub(crate) pass: Option<Arc<Pass>>,
    pub(crate) downloads: Downloads,
    hub: Arc<Hub>,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    last: PageId,
    open: BTreeMap<PageId, Arc<Page>>,
    scripts: Vec<String>,
    /// Names of functions that all of them have.
    exposed: BTreeSet<String>,
    /// Pages that are being opened and that no script hears of.
    quiet: usize,
    /// What new ones are told.
    settings: Settings,
}

impl ChromiumSession {
    pub(crate) fn new(shared: Arc<Shared>, home: Arc<Home>) -> Self {
        let state = State {
            generation: Generation::next(),
            ended_because: None,
            context: None,
            reach: None,
            interest: Interest::default(),
            is_closed: false,
            has_place: false,
            runs: 0,
            last_use: Instant::now(),
            is_used: false,
            kept: Kept::default(),
        };
        let (opening, noting, hub) = (tokio::sync::Mutex::default(), Arc::default(), Arc::default());
        Self { inner: Arc::new(Inner { shared, home, opening, noting, hub, state: Mutex::new(state) }) }
    }
}

impl Driver for ChromiumSession {
    fn generation(&self) -> Generation {
        lock(&self.inner.state).generation
    }

    fn look(&self) -> Look {
        let context = lock(&self.inner.state).context.clone();
        let mut look = Look::default();
        match context {
            Some(context) => {
                context.browser.version().clone_into(&mut look.version);
                look.bytes = context.browser.bytes();
                look.pages = context
                    .pages()
                    .into_iter()
                    .filter(|page| !page.is_quiet())
                    .map(|page| {
                        let (url, moves, viewport) = page.look();
                        PageLook { id: page.id, url, moves, viewport, frames: page.frames() }
                    })
                    .collect();
            }
            // It is there as soon as somebody uses it.
            None => {
                let viewport = Some(self.inner.shared.options.viewport);
                let url = "about:blank".to_owned();
                look.pages.push(PageLook { id: FIRST, url, moves: 0, viewport, frames: Vec::new() });
            }
        }
        look
    }

    fn ended_because(&self) -> Option<String> {
        lock(&self.inner.state).ended_because.clone()
    }

    fn perform(&self, action: Action) -> Performing {
        let inner = self.inner.clone();
        Box::pin(async move {
            let context = inner.context().await?;
            let _ = tokio::time::timeout(NOTED, inner.noting.lock()).await;
            lock(&inner.state).is_used = true;
            let done = perform(&context, action).await;
            lock(&inner.state).last_use = Instant::now();
            done
        })
    }

    fn set_reach(&self, reach: &Reach) {
        let mut state = lock(&self.inner.state);
        state.reach = Some(reach.clone());
        if let Some(pass) = state.context.as_ref().and_then(|context| context.pass.as_ref()) {
            pass.set(Some(reach.clone()));
        }
    }

    fn listen(&self, listening: Option<Listening>) {
        // First: a page that waits for an answer is not told of as if somebody gave one later.
        if listening.is_none() {
            self.set_interest(Interest::default());
        }
        self.inner.hub.listen(listening);
    }

    fn set_interest(&self, interest: Interest) {
        let mut state = lock(&self.inner.state);
        state.interest = interest;
        if let Some(context) = state.context.clone() {
            drop(state);
            context.configure(|settings| settings.interest = interest);
        }
    }

    fn run_begins(&self) {
        lock(&self.inner.state).runs += 1;
    }

    fn run_ends(&self) {
        let mut state = lock(&self.inner.state);
        state.runs = state.runs.saturating_sub(1);
        self.inner.shared.freed.notify_waiters();
        let is_used = std::mem::take(&mut state.is_used);
        if let Some(context) = state.context.clone() {
            drop(state);
            context.pages().iter().for_each(|page| page.run_ends());
            // One that has only computed leaves nothing.
            if is_used {
                self.inner.keep(&context);
            }
        }
    }

    fn close(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        let context = {
            let mut state = lock(&self.inner.state);
            state.is_closed = true;
            state.has_place = false;
            self.inner.shared.freed.notify_waiters();
            state.context.take()
        };
        // Sent before anybody waits.
        let closing = context.map(|context| {
            context.browser.remove_context(&context.id);
            context.browser.connection.call(
                None,
                "Target.disposeBrowserContext",
                json!({ "browserContextId": context.id }),
            )
        });
        Box::pin(async move {
            if let Some(closing) = closing {
                let _ = closing.await;
            }
        })
    }
}

impl Drop for ChromiumSession {
    fn drop(&mut self) {
        drop(self.close());
    }
}

impl Inner {
    pub(crate) fn has_place(&self) -> bool {
        lock(&self.state).has_place
    }

    pub(crate) fn take_place(&self) {
        lock(&self.state).has_place = true;
    }

    pub(crate) fn last_use(&self) -> Instant {
        lock(&self.state).last_use
    }

    /// Whether no run may use it now.
    pub(crate) fn is_idle(&self) -> bool {
        lock(&self.state).runs == 0
    }

    pub(crate) fn is_at(&self, home: &Home) -> bool {
        std::ptr::eq(&*self.home, home)
    }

    /// Closes its pages. Its next run has new ones, with what sites have stored in these.
    pub(crate) fn give_up(&self, why: &str) {
        let mut state = lock(&self.state);
        state.has_place = false;
        if let Some(context) = state.context.take() {
            state.generation = Generation::next();
            state.ended_because = Some(format!("its pages were closed: {why}"));
            context.dispose();
        }
    }

    /// Notes what sites have stored, for the day that the context is gone.
    fn keep(self: &Arc<Self>, context: &Arc<Context>) {
        /// Beyond that a site keeps more than it may, and no site needs it.
        const MOST: usize = 1 << 20;
        let asked = context.connection().call(None, "Storage.getCookies", json!({ "browserContextId": context.id }));
        let (inner, context) = (Arc::downgrade(self), Arc::downgrade(context));
        let Some(of) = context.upgrade() else { return };
        let noting = self.noting.clone().try_lock_owned();
        of.connection().runtime().spawn(async move {
            let Ok(mut answer) = asked.await else { return };
            // At once: a browser may be gone before it says more.
            let (Some(kept), Value::Array(cookies)) = (inner.upgrade(), answer["cookies"].take()) else { return };
            if cookies.iter().map(|cookie| cookie.to_string().len()).sum::<usize>() <= MOST {
                lock(&kept.state).kept.cookies = cookies;
            }
            drop((kept, noting));
            let Some(of) = context.upgrade() else { return };
            let local = storage::local_storage(&of).await;
            let Some(inner) = inner.upgrade() else { return };
            let mut state = lock(&inner.state);
            // What is not open now was kept when it was.
            let not_open = |kept: &OriginStorage| local.iter().all(|open| open.origin != kept.origin);
            state.kept.local.retain(not_open);
            state.kept.local.extend(local);
            let bytes =
                |kept: &OriginStorage| kept.items.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
            while state.kept.local.len() > MAX_ORIGINS || state.kept.local.iter().map(bytes).sum::<usize>() > MOST {
                state.kept.local.remove(0);
            }
        });
    }

    /// The session's context, opened if it has none.
    async fn context(self: &Arc<Self>) -> Result<Arc<Context>, BrowserError> {
        let _opening = self.opening.lock().await;
        let there = {
            let state = lock(&self.state);
            if state.is_closed {
                return Err(BrowserError::new(Failure::Closed, "the session has ended"));
            }
            state.context.clone()
        };
        if let Some(context) = there {
            lock(&self.state).last_use = Instant::now();
            return Ok(context);
        }
        let failed = |why: &dyn std::fmt::Display| BrowserError::new(Failure::Failed, why.to_string());
        self.shared.place(self).await.map_err(|why| failed(&why))?;
        let browser = self.shared.browser(&self.home).await.map_err(|why| failed(&why))?;
        let (mut params, mut pass) = (json!({ "disposeOnDetach": true }), None);
        if !matches!(self.shared.options.program, Program::Remote(_)) {
            let proxy = self.shared.proxy().await.map_err(|why| failed(&why))?;
            pass = Some(proxy.pass().map_err(|why| failed(&why))?);
            params["proxyServer"] = format!("http://{}", proxy.address()).into();
            params["proxyBypassList"] = "<-loopback>".into();
        }
        let made =
            browser.connection.call(None, "Target.createBrowserContext", params).await.map_err(|why| failed(&why))?;
        let id = text(&made["browserContextId"]).to_owned();
        let context = Arc::new(Context {
            id: id.clone(),
            browser: browser.clone(),
            session: Arc::downgrade(self),
            viewport: self.shared.options.viewport,
            max_pages: self.shared.options.max_pages.max(1),
            pass,
            downloads: Downloads::new(
                &id,
                browser.connection.clone(),
                browser.folder().map(|folder| folder.join(format!("downloads-{id}"))),
                self.shared.options.max_downloads,
            ),
            hub: self.hub.clone(),
            pages: Mutex::default(),
        });
        browser.add_context(&context.id, &context);
        let opened = async {
            let behavior = context.downloads.behavior();
            browser.connection.call(None, "Browser.setDownloadBehavior", behavior).await.map_err(|why| failed(&why))?;
            let Kept { cookies, local } = lock(&self.state).kept.clone();
            if !cookies.is_empty() {
                let kept = json!({ "browserContextId": context.id, "cookies": cookies });
                browser.connection.call(None, "Storage.setCookies", kept).await.map_err(|why| failed(&why))?;
            }
            let page = context.open_page().await?;
            if let Some(pass) = &context.pass {
                page.show_pass(&Proxy::nowhere(), pass).await?;
            }
            storage::seed(&context, &local).await
        };
        if let Err(error) = opened.await {
            context.dispose();
            return Err(error);
        }
        let mut state = lock(&self.state);
        if state.is_closed || browser.is_gone() {
            drop(state);
            context.dispose();
            return Err(if browser.is_gone() {
                gone()
            } else {
                BrowserError::new(Failure::Closed, "the session has ended")
            });
        }
        if let Some(pass) = &context.pass {
            pass.set(state.reach.clone());
        }
        state.context = Some(context.clone());
        let interest = state.interest;
        drop(state);
        context.configure(|settings| settings.interest = interest);
        Ok(context)
    }
}

impl Context {
    fn dispose(&self) {
        self.browser.remove_context(&self.id);
        self.browser.connection.tell(None, "Target.disposeBrowserContext", &json!({ "browserContextId": self.id }));
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.browser.connection
    }

    pub(crate) fn pages(&self) -> Vec<Arc<Page>> {
        lock(&self.pages).open.values().cloned().collect()
    }

    pub(crate) fn page(&self, id: PageId) -> Result<Arc<Page>, BrowserError> {
        lock(&self.pages).open.get(&id).cloned().ok_or_else(crate::page::closed)
    }

    /// Has all pages do something, those too that are opened later.
    pub(crate) fn configure(&self, change: impl Fn(&mut Settings)) {
        let mut pages = lock(&self.pages);
        change(&mut pages.settings);
        pages.open.values().for_each(|page| page.configure(&change));
    }

    /// A download begins, if it is of one of the context's frames.
    pub(crate) fn download_begins(&self, params: &Value) {
        let frame = text(&params["frameId"]);
        let page = self.pages().into_iter().find(|page| page.has_frame(frame));
        if let Some(page) = page {
            self.downloads.begins(page.id, params, &self.hub);
        }
    }

    /// A target of the context's has come: by us, or by a page that opens one. `None` if there are too many.
    pub(crate) fn add_page(
        &self,
        target: &str,
        opener: Option<&str>,
        session: &str,
        connection: &Arc<Connection>,
    ) -> Option<Arc<Page>> {
        let mut pages = lock(&self.pages);
        if pages.open.len() >= self.max_pages {
            // As long as it waits for us, so does whoever has opened it.
            connection.tell(Some(&session.into()), "Runtime.runIfWaitingForDebugger", &json!({}));
            connection.tell(None, "Target.closeTarget", &json!({ "targetId": target }));
            return None;
        }
        pages.last += 1;
        let hub = if pages.quiet > 0 && opener.is_none() { None } else { Some(self.hub.clone()) };
        let opener = pages.open.values().find(|page| opener == Some(&page.target)).map(|page| page.id);
        let page = Page::new(pages.last, target, session, connection.clone(), opener, hub);
        pages.open.insert(page.id, page.clone());
        page.set_up(&pages.scripts, &pages.exposed, self.viewport, &pages.settings);
        Some(page)
    }

    pub(crate) fn remove_page(&self, id: PageId, page: &Arc<Page>) {
        let mut pages = lock(&self.pages);
        if pages.open.get(&id).is_some_and(|known| Arc::ptr_eq(known, page)) {
            pages.open.remove(&id);
        }
    }

    pub(crate) fn add_script(&self, source: &str) -> Result<(), BrowserError> {
        let mut pages = lock(&self.pages);
        let bytes = pages.scripts.iter().map(String::len).sum::<usize>() + source.len();
        if bytes > MAX_SCRIPTS || pages.scripts.len() >= MAX_SCRIPT_COUNT {
            let message = format!(
                "a session adds at most {MAX_SCRIPT_COUNT} scripts, of {MAX_SCRIPTS} bytes together, to its pages"
            );
            return Err(BrowserError::new(Failure::Failed, message));
        }
        pages.scripts.push(source.to_owned());
        pages.open.values().for_each(|page| page.add_script(source));
        Ok(())
    }

    /// Puts a function into all pages, those too that are opened later.
    pub(crate) fn expose(&self, name: &str) -> Result<(), BrowserError> {
        let mut pages = lock(&self.pages);
        if pages.exposed.contains(name) {
            return Ok(());
        }
        expose::check(pages.exposed.len(), name)?;
        // Where one of them has no room nobody answers what those before it have.
        pages.open.values().try_for_each(|page| page.expose(name))?;
        pages.exposed.insert(name.to_owned());
        Ok(())
    }

    /// Opens a page that no script hears of.
    pub(crate) async fn open_quiet_page(&self) -> Result<Arc<Page>, BrowserError> {
        lock(&self.pages).quiet += 1;
        let opened = self.open_page().await;
        lock(&self.pages).quiet -= 1;
        opened
    }

    /// Opens a page.
    pub(crate) async fn open_page(&self) -> Result<Arc<Page>, BrowserError> {
        let open = lock(&self.pages).open.len();
        if open >= self.max_pages {
            return Err(BrowserError::new(
                Failure::Failed,
                format!("{open} pages are open, as many as may be: close one"),
            ));
        }
        let params = json!({ "url": "about:blank", "browserContextId": self.id });
        let made = self.connection().call(None, "Target.createTarget", params).await.map_err(|error| match error {
            CallError::Gone => gone(),
            error => BrowserError::new(Failure::Failed, format!("no page was opened: {error}")),
        })?;
        let target = text(&made["targetId"]);
        // Whoever answers has said before that it is there.
        let page = self.pages().into_iter().find(|page| page.target == target);
        let page = page.ok_or_else(|| BrowserError::new(Failure::Failed, "the page that was opened has gone"))?;
        page.ready().await?;
        let commit = perennial_stdlib::browser::LoadState::Commit;
        page.loaded(&page.frame(None), None, commit, Deadline::after(10_000)).await?;
        Ok(page)
    }

    /// The browser is gone.
    pub(crate) fn lost(self: &Arc<Self>) {
        self.downloads.lost();
        let Some(session) = self.session.upgrade() else { return };
        let mut state = lock(&session.state);
        if state.context.as_ref().is_some_and(|context| Arc::ptr_eq(context, self)) {
            state.context = None;
            state.has_place = false;
            state.generation = Generation::next();
            state.ended_because = Some("the browser crashed or was killed".to_owned());
        }
    }
}

impl std::fmt::Debug for ChromiumSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChromiumSession").field("generation", &self.generation()).finish_non_exhaustive()
    }
}
