//! Finding and starting a Chromium.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use perennial_keeper::{Process, Request, Stage, Tenant, make_folder_in_scratch, scratch};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

/// Which browser.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Program {
    /// The headless shell if there is one, else Chromium.
    #[default]
    Auto,
    /// Chromium's headless shell: faster, and smaller.
    HeadlessShell,
    /// Chromium.
    Chromium,
    /// The program at this path.
    Path(PathBuf),
    /// One that runs, by the address of its DevTools (`http://127.0.0.1:9222`, or the whole of `ws://…`). Sessions have contexts of their own in it, owners do not have browsers of their
    /// own, and **pages reach whatever that browser reaches**: nothing here holds them. Its downloads, its memory and how it is shown are its own.
    Remote(String),
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::HeadlessShell => f.write_str("headless-shell"),
            Self::Chromium => f.write_str("chromium"),
            Self::Path(path) => path.display().fmt(f),
            Self::Remote(url) => f.write_str(url),
        }
    }
}

impl std::str::FromStr for Program {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auto" => Self::Auto,
            "headless-shell" => Self::HeadlessShell,
            "chromium" => Self::Chromium,
            path if path.starts_with('/') => Self::Path(path.into()),
            other => return Err(format!("{other:?} is none of auto, chromium, headless-shell and an absolute path")),
        })
    }
}

/// How a browser is started.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChromiumOptions {
    /// Which one.
    pub program: Program,
    /// With windows, for somebody to look at. Not the headless shell.
    pub headed: bool,
    /// Whether Chromium's own sandbox is around its pages. Without it a page that breaks the engine has what this user has. As root there is none.
    pub sandbox: bool,
    /// How large pages are shown.
    pub viewport: (u32, u32),
    /// Sessions that have pages open at a time. Beyond them those of the session that has not used its own for the longest time are closed; its cookies are kept.
    pub max_contexts: usize,
    /// Pages of a session at a time.
    pub max_pages: usize,
    /// Downloads of a session at a time.
    pub max_downloads: usize,
    /// How long a session's pages stay open that nobody uses.
    pub idle: Duration,
    /// Bytes that a browser may take with all its processes; 0 is as many as there are. It is looked at every two seconds. Beyond that pages are closed that no run uses, those first that
    /// were not used for the longest time; when there are none, the process is killed that takes most for pages, which have crashed then.
    pub max_memory: u64,
}

impl Default for ChromiumOptions {
    fn default() -> Self {
        Self {
            program: Program::Auto,
            headed: false,
            sandbox: true,
            viewport: (1280, 720),
            max_contexts: 32,
            max_pages: 16,
            max_downloads: 8,
            idle: Duration::from_secs(600),
            max_memory: 2 << 30,
        }
    }
}

impl ChromiumOptions {
    /// Whether there is such a browser, and it can be started as this user.
    ///
    /// # Errors
    /// What to do about it.
    pub fn check(&self) -> Result<(), String> {
        if let Program::Remote(url) = &self.program {
            return crate::remote::check(url);
        }
        find(self)?;
        if self.sandbox && is_root() {
            return Err(
                "Chromium does not start as root with its sandbox: run as another user, or do without it (--browser-no-sandbox, `sandbox = false`), where a page that \
                 breaks the engine has all that this user has"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// The same with something set.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

const SHELLS: &[&str] = &[
    "/usr/lib/chromium/chromium-headless-shell",
    "/usr/lib64/chromium-browser/headless_shell",
    "/usr/bin/chromium-headless-shell",
];
const CHROMIUMS: &[&str] = &[
    "/usr/lib/chromium/chromium",
    "/usr/lib64/chromium-browser/chromium-browser",
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/opt/google/chrome/chrome",
    "/usr/bin/google-chrome",
];

/// Where the program is, and whether it is a headless shell.
fn find(options: &ChromiumOptions) -> Result<(PathBuf, bool), String> {
    let first = |candidates: &[&str]| candidates.iter().map(PathBuf::from).find(|path| path.is_file());
    let missing = |what: &str, package: &str| {
        Err(format!("there is no {what} here: install one (Debian: `apt-get install {package}`), or say where it is"))
    };
    match &options.program {
        Program::Path(path) if path.is_file() => {
            let is_shell = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().replace('_', "-").contains("headless-shell"));
            Ok((path.clone(), is_shell))
        }
        Program::Path(path) => Err(format!("there is no browser at {}", path.display())),
        Program::Remote(url) => Err(format!("the browser at {url} runs already")),
        Program::Chromium => first(CHROMIUMS).map_or_else(|| missing("Chromium", "chromium"), |path| Ok((path, false))),
        Program::HeadlessShell if options.headed => Err("the headless shell has no windows: use chromium".to_owned()),
        Program::HeadlessShell => first(SHELLS)
            .map_or_else(|| missing("headless shell of Chromium", "chromium-headless-shell"), |path| Ok((path, true))),
        Program::Auto => match first(SHELLS).filter(|_| !options.headed) {
            Some(shell) => Ok((shell, true)),
            None => {
                first(CHROMIUMS).map_or_else(|| missing("browser", "chromium-headless-shell"), |path| Ok((path, false)))
            }
        },
    }
}

/// What keeps a browser to itself, and to what its sessions may reach. A context has a proxy of ours or none; none leads to where nobody listens.
const ARGUMENTS: &[&str] = &[
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--no-pings",
    "--password-store=basic",
    "--use-mock-keychain",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-hang-monitor",
    "--disable-ipc-flooding-protection",
    "--disable-popup-blocking",
    "--disable-prompt-on-repost",
    "--disable-search-engine-choice-screen",
    "--disable-sync",
    "--metrics-recording-only",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-back-forward-cache",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--mute-audio",
    "--force-color-profile=srgb",
    "--export-tagged-pdf",
    "--disable-quic",
    "--dns-prefetch-disable",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    // One process for a page with its frames, so that their coordinates and their worlds are of one session.
    "--disable-site-isolation-trials",
    "--disable-features=IsolateOrigins,site-per-process,Translate,OptimizationHints,MediaRouter,InterestFeedContentSuggestions,AutofillServerCommunication,CertificateTransparencyComponentUpdater,\
     DialMediaRouteProvider,GlobalMediaControls,ImprovedCookieControls,LazyFrameLoading,PaintHolding,HttpsUpgrades,WebTransport",
    "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
];

/// How long a browser has to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// A browser that runs. Dropped, it is killed with all that it has started, and its profile is removed.
pub(crate) struct Running {
    process: Process,
    profile: PathBuf,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Running {
    /// Starts one. Gives what to write to and what to read from.
    pub(crate) async fn start(
        tenant: &Arc<Tenant>,
        options: &ChromiumOptions,
    ) -> Result<(Self, pipe::Sender, pipe::Receiver), String> {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        options.check()?;
        let (program, is_shell) = find(options)?;
        let failed = |error: &dyn std::fmt::Display| format!("the browser was not started: {error}");
        let folder = scratch().await.map_err(|error| failed(&error))?;
        let profile = folder.join(format!("browser-{}", STARTED.fetch_add(1, Ordering::Relaxed)));
        make_folder_in_scratch(&profile).map_err(|error| failed(&error))?;
        let home = profile.to_string_lossy().into_owned();
        // The pipes are its third and fourth descriptor, and it has no other that is ours.
        let mut argv: Vec<String> =
            ["/bin/sh", "-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null", "sh"].map(str::to_owned).to_vec();
        argv.push(program.to_string_lossy().into_owned());
        argv.extend(ARGUMENTS.iter().map(|&argument| argument.to_owned()));
        argv.push(format!("--user-data-dir={home}/profile"));
        argv.push(format!("--window-size={},{}", options.viewport.0, options.viewport.1));
        if !is_shell && !options.headed {
            argv.push("--headless=new".to_owned());
        }
        if !options.sandbox {
            argv.push("--no-sandbox".to_owned());
        }
        let mut env = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned()), ("LANG".to_owned(), "C.UTF-8".to_owned())];
        let folders = ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"];
        env.extend(folders.map(|name| (name.to_owned(), home.clone())));
        // The same folder by a short name: Chromium makes a socket there, whose path has 107 bytes at the most (unix(7)).
        env.push(("TMPDIR".to_owned(), "/proc/self/cwd".to_owned()));
        if options.headed {
            let display = ["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"].into_iter();
            env.extend(display.filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))));
        }
        let request = Request { argv, env, cwd: home, limits: perennial_keeper::Limits::default() };
        let started = Process::start(tenant, request, true, ()).await;
        let running = match started {
            Ok((process, streams)) => {
                let stdin = streams.stdin.ok_or_else(|| failed(&"it has no input"))?;
                let said = Arc::default();
                tokio::spawn(complaints(streams.stderr, Arc::clone(&said)));
                (Self { process, profile, said }, stdin, streams.stdout)
            }
            Err(error) => {
                let _ = perennial_keeper::remove(&profile);
                return Err(failed(&error));
            }
        };
        Ok(running)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid
    }

    /// What is its own while it runs.
    pub(crate) fn folder(&self) -> &Path {
        &self.profile
    }

    /// What it has complained of, the last of it.
    pub(crate) fn said(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&said);
        // Of what is logged the fatal line is why.
        let fatal = text.lines().find(|line| line.contains("FATAL"));
        fatal.or_else(|| text.lines().next_back()).unwrap_or_default().trim().to_owned()
    }

    /// Completes when nothing of it is left.
    pub(crate) async fn ended(&self) {
        let mut stage = self.process.stage.clone();
        let _ = stage.wait_for(|stage| matches!(stage, Stage::Gone(_))).await;
    }

    /// Waits until it has ended by itself, or kills it.
    pub(crate) async fn ended_or_killed(&self) {
        if tokio::time::timeout(GRACE, self.ended()).await.is_err() {
            self.process.kill();
            self.ended().await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill();
        let (mut stage, profile) = (self.process.stage.clone(), std::mem::take(&mut self.profile));
        let remove = async move {
            let _ = stage.wait_for(|stage| matches!(stage, Stage::Gone(_))).await;
            let _ = tokio::task::spawn_blocking(move || perennial_keeper::remove(&profile)).await;
        };
        // Without a runtime this process is about to end, and the supervisor removes it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(remove);
        }
    }
}

fn is_root() -> bool {
    // The owner of one's own folder in /proc is the effective user.
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|of| of.uid() == 0)
}

/// What it complains of is for the log of whoever debugs, and the last of it for the error if it does not start.
async fn complaints(mut stderr: pipe::Receiver, said: Arc<Mutex<Vec<u8>>>) {
    const MOST: usize = 8 << 10;
    let mut buffer = vec![0; 4096];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        tracing::debug!(target: "perennial_browser::stderr", "{}", String::from_utf8_lossy(&buffer[..read]).trim_end());
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(&buffer[..read]);
        let beyond = said.len().saturating_sub(MOST);
        said.drain(..beyond);
    }
}
