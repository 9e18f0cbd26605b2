//! A browser that somebody else has started.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use perennial_browser::{Chromium, ChromiumOptions, Program};
use perennial_sessions::{RebuildReason, RunRequest, SessionTable, TableConfig};
use serde_json::{Value, json};

use super::site::Site;

/// Somebody else's: killed when it is dropped.
struct Theirs {
    child: Child,
    /// All of the address of its socket.
    socket: String,
    _profile: tempfile::TempDir,
}

impl Theirs {
    fn start() -> Self {
        let shell = "/usr/lib/chromium/chromium-headless-shell";
        let program = if Path::new(shell).is_file() { shell } else { "/usr/lib/chromium/chromium" };
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new(program)
            .args(["--no-sandbox", "--headless", "--remote-debugging-port=0", "about:blank#theirs"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let socket = lines.find_map(|line| Some(line.strip_prefix("DevTools listening on ")?.to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, socket: socket.expect("it says where it listens"), _profile: profile }
    }

    /// Its address without the number.
    fn address(&self) -> String {
        format!("http://{}", self.socket["ws://".len()..].split('/').next().unwrap())
    }

    /// Addresses of its pages.
    fn pages(&self) -> Vec<String> {
        let address = self.address();
        let host = address.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET /json/list HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let told: Vec<Value> = serde_json::from_slice(&body).unwrap();
        let mut pages: Vec<String> = told
            .iter()
            .filter(|each| each["type"] == "page")
            .map(|each| each["url"].as_str().unwrap().to_owned())
            .collect();
        pages.sort();
        pages
    }

    /// Connections to it that are open.
    fn connections(&self) -> usize {
        let port: u16 = self.address().rsplit(':').next().unwrap().parse().unwrap();
        let (to, is_open) = (format!(":{port:04X}"), "01");
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.filter(|words| words[2].ends_with(&to) && words[3] == is_open).count()
    }

    async fn has_only_its_own(&self) {
        let leaving = async {
            while self.connections() > 0 || self.pages() != ["about:blank#theirs"] {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), leaving).await.expect("what sessions had in it is gone");
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn table(url: &str) -> SessionTable {
    let options = ChromiumOptions::default().configure(|options| options.program = Program::Remote(url.to_owned()));
    SessionTable::with_config(
        TableConfig::default().configure(|config| config.browsers = Some(Arc::new(Chromium::new(options)))),
    )
}

async fn value(table: &SessionTable, session: &str, script: &str) -> Value {
    let result = table.run(session, RunRequest::new(script)).await;
    assert!(result.is_ok(), "{:#?}", result.error);
    result.into_value().unwrap().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_have_contexts_of_their_own_in_it_and_leave_it_as_it_was() {
    let (theirs, site) = (Theirs::start(), Site::serve(&[("/", "<a href=/bytes?10>file</a><title>Home</title>")]));
    for url in [theirs.address(), theirs.socket.clone()] {
        let table = table(&url);
        for session in ["a", "b"] {
            let script = format!(
                "await page.goto({:?}); await context.addCookies([{{ name: {session:?}, value: '1', url: page.url() }}]); await page.title()",
                site.address("/")
            );
            assert_eq!(value(&table, session, &script).await, "Home");
        }
        let seen =
            "[context.pages().length, browser.contexts().length, (await context.cookies()).map(({ name }) => name)]";
        assert_eq!(value(&table, "a", seen).await, json!([1, 1, ["a"]]));
        assert_eq!(theirs.pages().len(), 3);
        let download = "const [one] = await Promise.all([page.waitForEvent('download'), page.getByText('file').click()]); await one.failure()";
        assert_eq!(value(&table, "a", download).await, "a browser that runs elsewhere keeps its files to itself");
        assert!(table.remove("a"));
        let leaving = async {
            while theirs.pages().len() != 2 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), leaving).await.expect("a session's context goes with it");
        drop(table);
        theirs.has_only_its_own().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_ends_is_an_error_and_the_next_run_finds_the_one_that_is_there_then() {
    let theirs = Theirs::start();
    let address = theirs.address();
    let table = table(&address);
    value(&table, "s", "globalThis.kept = page; vars.set('n', 1); await page.setContent('<p>1</p>')").await;
    let waiting = tokio::spawn({
        let table = table.clone();
        async move {
            table
                .run(
                    "s",
                    RunRequest::new("vars.set('waits', 1); await page.locator('#never').click({ timeout: 20_000 })"),
                )
                .await
        }
    });
    let begun = async {
        while table.vars("s").get("waits").is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), begun).await.expect("it waits");
    drop(theirs);
    let error = waiting.await.unwrap().error.unwrap();
    assert_eq!(error.name, "StaleHandleError", "{error:?}");
    let after = table.run("s", RunRequest::new("await page.title()")).await;
    assert_eq!(after.rebuilt_because, Some(RebuildReason::Epoch));
    let why = after.error.unwrap();
    assert!(why.message.contains(&format!("no browser answers at {address}")), "{why:?}");
    assert_eq!(value(&table, "s", "vars.get('n') + typeof kept").await, "1undefined");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_browser_says_so() {
    let site = Site::serve(&[("/json/version", "{\"webSocketDebuggerUrl\": \"file:///etc/passwd\"}")]);
    let large = "x".repeat(100_000);
    let (silent, endless) = (Site::serve(&[]), Site::serve(&[("/json/version", &large)]));
    for (url, expected) in [
        (site.address(""), "has no webSocketDebuggerUrl"),
        (silent.address(""), "/json/version answers 404"),
        (endless.address(""), "length limit exceeded"),
        (format!("ws://127.0.0.1:{}/", site.port), "HTTP error: 404"),
        ("http://127.0.0.1:1".to_owned(), "onnection refused"),
    ] {
        let failed = table(&url).run("s", RunRequest::new("await page.title()")).await.error.unwrap();
        assert!(failed.message.contains(expected) && failed.message.contains(&url), "{url}: {failed:?}");
    }
    for url in ["9222", "file:///x", "http://", "ftp://127.0.0.1"] {
        let options = ChromiumOptions::default().configure(|options| options.program = Program::Remote(url.to_owned()));
        assert!(options.check().unwrap_err().contains("is no address of a browser"));
    }
}
