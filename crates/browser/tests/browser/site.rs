//! A site on loopback, written for the tests.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// Serves pages, and notes what was asked of it.
pub struct Site {
    host: String,
    pub port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    gate: Gate,
}

type Gate = Arc<(Mutex<bool>, Condvar)>;

impl Site {
    /// Pages by their paths. `/echo` answers with what it was sent, `/bytes?N` is a download of so many, `/drip` one that never ends. `/gate` answers when it was opened, `/late` after a while, `/slow` never.
    pub fn serve(pages: &[(&str, &str)]) -> Self {
        Self::serve_at("127.0.0.1", pages).unwrap()
    }

    /// The same at another address of this machine, if it has that.
    pub fn serve_at(host: &str, pages: &[(&str, &str)]) -> Option<Self> {
        let listener = TcpListener::bind((host, 0)).ok()?;
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<String>>>::default());
        let pages: Arc<BTreeMap<String, String>> =
            Arc::new(pages.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect());
        let (noted, gate) = (seen.clone(), Gate::default());
        let at_gate = gate.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (pages, noted, gate) = (pages.clone(), noted.clone(), at_gate.clone());
                thread::spawn(move || answer(client, &pages, &noted, &gate));
            }
        });
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        Some(Self { host, port, seen, gate })
    }

    pub fn address(&self, path: &str) -> String {
        format!("http://{}:{}{path}", self.host, self.port)
    }

    /// Who waits at the gate goes on.
    pub fn open(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }

    /// Waits until this has been asked for.
    pub async fn asked(&self, path: &str) {
        let asking = async {
            while !self.seen().iter().any(|seen| seen.ends_with(path)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), asking).await.expect("it is asked for");
    }

    /// Methods and paths so far.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn answer(
    client: TcpStream,
    pages: &BTreeMap<String, String>,
    seen: &Mutex<Vec<String>>,
    gate: &(Mutex<bool>, Condvar),
) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut cookie) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim_end();
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(": ")?;
        match &*name.to_ascii_lowercase() {
            "content-length" => length = value.parse().ok()?,
            "cookie" => cookie = value.to_owned(),
            "proxy-authorization" => seen.lock().unwrap().push("the proxy's password".to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    if path != "/favicon.ico" {
        seen.lock().unwrap().push(format!("{method} {path}"));
    }
    let mut out = client;
    let (plain, query) = path.split_once('?').unwrap_or((&path, ""));
    let mut respond = |status: &str, more: &str, text: &str| {
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n",
            text.len()
        );
        out.write_all(head.as_bytes()).and_then(|()| out.write_all(text.as_bytes())).ok()
    };
    match plain {
        "/echo" => respond("200 OK", "", &format!("{method} {query} {cookie} {}", String::from_utf8_lossy(&body))),
        "/redirect" => respond("302 Found", &format!("Location: {query}\r\n"), ""),
        "/cookie" => respond("200 OK", "Set-Cookie: visited=yes; Path=/\r\n", "set"),
        "/bytes" => {
            let bytes = "x".repeat(query.parse().ok()?);
            respond("200 OK", "Content-Disposition: attachment; filename=bytes.bin\r\n", &bytes)
        }
        "/drip" => {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Disposition: attachment; filename=drip\r\nContent-Length: 1000000\r\n\r\ndrop";
            out.write_all(head.as_bytes()).ok()?;
            thread::park();
            None
        }
        "/gate" => {
            drop(gate.1.wait_while(gate.0.lock().unwrap(), |is_open| !*is_open));
            respond("200 OK", "", "open")
        }
        "/late" => {
            thread::sleep(Duration::from_millis(200));
            respond("200 OK", "", "<title>Late</title>late")
        }
        "/slow" => {
            thread::park();
            None
        }
        path => match pages.get(path) {
            Some(page) => respond("200 OK", "", page),
            None => respond("404 Not Found", "", "<h1>Not here</h1>"),
        },
    }
}
