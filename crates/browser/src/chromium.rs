//! Browsers that sessions share: one for each owner.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use perennial_keeper::Tenant;
use perennial_stdlib::browser::{Browsers, Driver};
use perennial_stdlib::net::Proxy;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::page::{Page, text};
use crate::pipe::{Connection, Event, Listener, Wire};
use crate::process::{ChromiumOptions, Program, Running};
use crate::remote;
use crate::session::{ChromiumSession, Context, Inner};

/// How long a browser has to say its first word.
const FIRST_WORD: Duration = Duration::from_secs(20);
/// How long a session waits for others to be done with theirs.
const PLACE: Duration = Duration::from_secs(10);
/// How often the browsers are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// A browser for all sessions of an owner, and another one for those of the next. It is started when one of them needs it, and again after it has crashed. Cheap to clone; it ends with
/// the last clone and the last session.
#[derive(Clone)]
pub struct Chromium {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) options: ChromiumOptions,
    tenant: Arc<Tenant>,
    /// Pages go through it, and nowhere else.
    proxy: tokio::sync::OnceCell<Proxy>,
    /// Sessions that have a context, or are about to.
    open: Mutex<Open>,
    /// One of them may have a place to give.
    pub(crate) freed: Notify,
    homes: Mutex<HashMap<String, Arc<Home>>>,
}

/// Where the sessions of one owner have their browser.
#[derive(Default)]
pub(crate) struct Home {
    /// Whoever needs it first starts it; others wait.
    browser: tokio::sync::Mutex<Option<Arc<Browser>>>,
    /// Nobody had anything in it when that was looked at last.
    is_unused: AtomicBool,
}

#[derive(Default)]
struct Open {
    sessions: Vec<Weak<Inner>>,
    /// A task closes what nobody uses.
    is_looked_after: bool,
}

/// One process, as long as it lives.
pub(crate) struct Browser {
    pub(crate) connection: Arc<Connection>,
    contexts: Mutex<HashMap<String, Weak<Context>>>,
    pages: Mutex<HashMap<String, Arc<Page>>>,
    is_gone: AtomicBool,
    /// Its scratch folder, if it is ours.
    folder: Option<PathBuf>,
    version: OnceLock<String>,
    /// Bytes that its processes took when that was looked at last.
    bytes: AtomicU64,
    /// None of one that somebody else has started.
    running: Mutex<Option<Running>>,
}

impl Chromium {
    /// One that is started like this when it is needed.
    pub fn new(options: ChromiumOptions) -> Self {
        let shared = Shared {
            options,
            tenant: Arc::default(),
            proxy: tokio::sync::OnceCell::new(),
            open: Mutex::default(),
            freed: Notify::new(),
            homes: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// What one session of an owner has of it. Owners have browsers of their own.
    pub fn session(&self, owner: &str) -> ChromiumSession {
        let mut homes = lock(&self.shared.homes);
        // Those whose sessions and browsers are gone.
        homes.retain(|_, home| Arc::strong_count(home) > 1 || home.has_browser());
        let home = homes.entry(owner.to_owned()).or_default().clone();
        ChromiumSession::new(self.shared.clone(), home)
    }
}

impl Browsers for Chromium {
    fn open(&self, owner: &str, _: &str) -> Arc<dyn Driver> {
        Arc::new(self.session(owner))
    }

    fn holds_pages(&self) -> bool {
        !matches!(self.shared.options.program, Program::Remote(_))
    }
}

impl std::fmt::Debug for Chromium {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chromium").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

impl Shared {
    /// The same, waiting for a place for a while.
    pub(crate) async fn place(self: &Arc<Self>, session: &Arc<Inner>) -> Result<(), String> {
        let over = tokio::time::Instant::now() + PLACE;
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // What is freed from here on is not missed.
            freed.as_mut().enable();
            let Err(why) = self.reserve(session) else { return Ok(()) };
            tokio::select! {
                () = freed => {}
                () = tokio::time::sleep_until(over) => return Err(why),
            }
        }
    }

    /// Has a session be among those that may have a context. Another one gives its own up for it if need be.
    ///
    /// # Errors
    /// If all of the others are in use.
    fn reserve(self: &Arc<Self>, session: &Arc<Inner>) -> Result<(), String> {
        let mut open = lock(&self.open);
        open.sessions.retain(|known| known.upgrade().is_some_and(|known| known.has_place()));
        if open.sessions.len() >= self.options.max_contexts.max(1) {
            let idle = open.sessions.iter().filter_map(Weak::upgrade).filter(|known| known.is_idle());
            let Some(oldest) = idle.min_by_key(|known| known.last_use()) else {
                let (most, used) = (self.options.max_contexts, open.sessions.len());
                return Err(format!("{used} sessions use the browser, and {most} may at a time: try again later"));
            };
            oldest.give_up("another session needed its place");
            open.sessions.retain(|known| !std::ptr::eq(known.as_ptr(), Arc::as_ptr(&oldest)));
        }
        session.take_place();
        open.sessions.push(Arc::downgrade(session));
        if !std::mem::replace(&mut open.is_looked_after, true) {
            tokio::spawn(look_after(Arc::downgrade(self)));
        }
        Ok(())
    }

    /// Closes the pages that nobody has used for so long. Gives those that are open.
    fn close_idle(&self, idle: Duration) -> Vec<Arc<Inner>> {
        let mut open = lock(&self.open);
        open.sessions.retain(|known| {
            let Some(known) = known.upgrade().filter(|known| known.has_place()) else { return false };
            let is_over = known.is_idle() && known.last_use().elapsed() >= idle;
            if is_over {
                known.give_up("nobody has used them for a while");
            }
            !is_over
        });
        open.sessions.iter().filter_map(Weak::upgrade).collect()
    }

    pub(crate) async fn proxy(&self) -> Result<&Proxy, String> {
        self.proxy
            .get_or_try_init(Proxy::listen)
            .await
            .map_err(|error| format!("there is no proxy for the browser: {error}"))
    }

    /// The browser, started if there is none that lives.
    pub(crate) async fn browser(&self, home: &Home) -> Result<Arc<Browser>, String> {
        let mut browser = home.browser.lock().await;
        if let Some(there) = browser.as_ref().filter(|there| !there.is_gone()) {
            return Ok(there.clone());
        }
        *browser = None;
        let (running, wire) = match &self.options.program {
            Program::Remote(url) => (None, Wire::Socket(Box::new(remote::connect(url).await?))),
            _ => {
                let (running, to, from) = Running::start(&self.tenant, &self.options).await?;
                (Some(running), Wire::Pipes(to, from))
            }
        };
        let made = Connection::open(wire, |connection| {
            Arc::new(Browser {
                connection: connection.clone(),
                contexts: Mutex::default(),
                pages: Mutex::default(),
                is_gone: AtomicBool::new(false),
                folder: running.as_ref().map(|running| running.folder().to_owned()),
                version: OnceLock::new(),
                bytes: AtomicU64::new(0),
                running: Mutex::new(None),
            })
        });
        let first = made.connection.call(None, "Browser.getVersion", json!({}));
        let failed = match tokio::time::timeout(FIRST_WORD, first).await {
            Ok(Ok(said)) => {
                let product = text(&said["product"]);
                let _ = made.version.set(product.split_once('/').map_or(product, |(_, version)| version).to_owned());
                None
            }
            Ok(Err(error)) => Some(format!("the browser did not start: {error}")),
            Err(_) => Some(format!("the browser has not said anything within {FIRST_WORD:?}")),
        };
        if let Some(why) = failed {
            let Some(running) = running else { return Err(why) };
            running.ended_or_killed().await;
            return Err(match running.said() {
                said if said.is_empty() => why,
                said => format!("{why}. It said: {said}"),
            });
        }
        // Pages wait until they are set up. Those of others, in a browser that is not ours, do not wait for us: a window that a page of ours opens there begins before that.
        let is_ours = running.is_some();
        *lock(&made.running) = running;
        let attach = json!({ "autoAttach": true, "waitForDebuggerOnStart": is_ours, "flatten": true });
        made.connection.call(None, "Target.setAutoAttach", attach).await.map_err(|error| error.to_string())?;
        *browser = Some(made.clone());
        Ok(made)
    }
}

impl Home {
    fn has_browser(&self) -> bool {
        // Who holds it is about to start one.
        self.browser.try_lock().map_or(true, |browser| browser.is_some())
    }
}

/// Closes pages that nobody uses or that take too much, and browsers that have none.
async fn look_after(shared: Weak<Shared>) {
    let mut next_close = Instant::now();
    loop {
        let Some(idle) = shared.upgrade().map(|shared| shared.options.idle) else { return };
        tokio::time::sleep(LOOK.min(idle)).await;
        let Some(shared) = shared.upgrade() else { return };
        let used = shared.close_idle(idle);
        let homes: Vec<Arc<Home>> = lock(&shared.homes).values().cloned().collect();
        for home in &homes {
            let browser = home.browser.lock().await.clone();
            if let Some(browser) = browser.filter(|browser| !browser.is_gone()) {
                shared.hold(home, &browser, &used).await;
            }
        }
        // A browser that nobody has anything in stays for a minute.
        if next_close > Instant::now() {
            continue;
        }
        next_close = Instant::now() + idle.min(Duration::from_secs(60));
        for home in &homes {
            let is_used = used.iter().any(|session| session.is_at(home));
            if home.is_unused.swap(!is_used, Ordering::Relaxed) && !is_used {
                // Whoever opens something now waits for this, and finds none.
                let mut browser = home.browser.lock().await;
                if !lock(&shared.open).sessions.iter().filter_map(Weak::upgrade).any(|session| session.is_at(home)) {
                    *browser = None;
                }
            }
        }
        drop(used);
        let mut open = lock(&shared.open);
        open.sessions.retain(|known| known.upgrade().is_some_and(|known| known.has_place()));
        if open.sessions.is_empty() && !homes.iter().any(|home| home.has_browser()) {
            open.is_looked_after = false;
            return;
        }
    }
}

impl Shared {
    /// Holds a browser to the memory that it may take: pages that no run uses are closed, the least used first, and then the process ends that takes most for pages.
    async fn hold(&self, home: &Home, browser: &Arc<Browser>, sessions: &[Arc<Inner>]) {
        let Some(pid) = lock(&browser.running).as_ref().map(Running::pid) else { return };
        let Ok((bytes, largest)) = tokio::task::spawn_blocking(move || crate::memory::of(pid)).await else { return };
        browser.bytes.store(bytes, Ordering::Relaxed);
        let most = self.options.max_memory;
        if most == 0 || bytes <= most {
            return;
        }
        let idle = sessions.iter().filter(|session| session.is_at(home) && session.has_place() && session.is_idle());
        if let Some(oldest) = idle.min_by_key(|session| session.last_use()) {
            oldest.give_up(&format!("the browser took {bytes} bytes, and {most} are the most"));
        } else if let Some((pid, _)) = largest {
            tracing::warn!(bytes, most, "a process of a browser's is killed for its memory");
            browser.connection.note(&format!("the browser took {bytes} bytes, and {most} are the most"));
            crate::memory::kill(pid);
        }
    }
}

impl Browser {
    pub(crate) fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Acquire)
    }

    pub(crate) fn version(&self) -> &str {
        self.version.get().map_or("", String::as_str)
    }

    /// Bytes that it took when that was looked at last.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// A context is made: its pages are its own from now on.
    pub(crate) fn add_context(&self, id: &str, context: &Arc<Context>) {
        lock(&self.contexts).insert(id.to_owned(), Arc::downgrade(context));
    }

    pub(crate) fn remove_context(&self, id: &str) {
        lock(&self.contexts).remove(id);
    }

    fn contexts(&self) -> Vec<Arc<Context>> {
        lock(&self.contexts).values().filter_map(Weak::upgrade).collect()
    }

    fn attached(&self, params: &Value) {
        let (session, info) = (text(&params["sessionId"]), &params["targetInfo"]);
        let context = lock(&self.contexts).get(text(&info["browserContextId"])).and_then(Weak::upgrade);
        let is_ours = context.is_some();
        match context.filter(|_| info["type"] == "page") {
            Some(context) => {
                let opener = info["openerId"].as_str();
                if let Some(page) = context.add_page(text(&info["targetId"]), opener, session, &self.connection) {
                    lock(&self.pages).insert(session.to_owned(), page);
                }
            }
            None => {
                // Something of a page's that goes on by itself; or a page of somebody else's.
                let of: Arc<str> = session.into();
                self.connection.tell(Some(&of), "Runtime.runIfWaitingForDebugger", &json!({}));
                if !is_ours {
                    self.connection.tell(None, "Target.detachFromTarget", &json!({ "sessionId": session }));
                }
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // What still waits for a page of its would keep a connection to a browser that goes on.
        self.connection.end();
    }
}

impl Listener for Browser {
    fn event(&self, event: Event) {
        match (event.session, &*event.method) {
            (None, "Target.attachedToTarget") => self.attached(&event.params),
            (None, "Target.detachedFromTarget") => {
                let page = lock(&self.pages).remove(text(&event.params["sessionId"]));
                if let Some(page) = page {
                    page.set_closed();
                    self.contexts().iter().for_each(|context| context.remove_page(page.id, &page));
                }
            }
            (None, "Browser.downloadWillBegin") => {
                self.contexts().iter().for_each(|context| context.download_begins(&event.params));
            }
            (None, "Browser.downloadProgress") => {
                self.contexts().iter().for_each(|context| context.downloads.progresses(&event.params));
            }
            (Some(session), method) => {
                let page = lock(&self.pages).get(&session).cloned();
                if let Some(page) = page {
                    page.event(method, &event.params);
                }
            }
            _ => {}
        }
    }

    fn gone(&self) {
        self.is_gone.store(true, Ordering::Release);
        let contexts: Vec<_> = lock(&self.contexts).drain().filter_map(|(_, context)| context.upgrade()).collect();
        contexts.iter().for_each(|context| context.lost());
        let pages: Vec<_> = lock(&self.pages).drain().map(|(_, page)| page).collect();
        pages.iter().for_each(|page| page.set_closed());
        // What is left of it is killed.
        drop(lock(&self.running).take());
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
