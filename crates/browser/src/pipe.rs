//! The DevTools protocol. Over two pipes a message is JSON and ends with a zero byte
//! (Chromium's `content/browser/devtools/devtools_pipe_handler.cc`); over a web socket it is a text.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message as Packet};

use crate::remote::Socket;

/// The longest message: a picture of a very long page. What is longer is left out.
pub(crate) const MAX_MESSAGE: usize = 64 << 20;
/// As much of that as says whose answer it was.
const HEAD: usize = 64;

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// The browser says no.
    #[error("{0}")]
    Refused(String),
    /// The page has crashed, or is closed.
    #[error("the page has crashed or was closed")]
    Lost,
    /// The browser is gone.
    #[error("the browser is gone")]
    Gone,
}

/// Something that has happened. Handled before anything that comes after it, and so without waiting.
pub(crate) struct Event {
    pub(crate) session: Option<String>,
    pub(crate) method: String,
    pub(crate) params: Value,
}

/// Who hears of events, and of the end.
pub(crate) trait Listener: Send + Sync + 'static {
    fn event(&self, event: Event);
    fn gone(&self);
}

/// What leads to a browser.
pub(crate) enum Wire {
    Pipes(pipe::Sender, pipe::Receiver),
    Socket(Box<Socket>),
}

pub(crate) struct Connection {
    calls: Mutex<Calls>,
    runtime: Handle,
}

#[derive(Default)]
struct Calls {
    /// To whoever writes. None when nothing is sent any more.
    out: Option<mpsc::UnboundedSender<String>>,
    last: u64,
    waiting: HashMap<u64, Waiting>,
    is_gone: bool,
    /// Why something of the browser's was ended lately.
    note: Option<String>,
}

struct Waiting {
    session: Option<Arc<str>>,
    answer: oneshot::Sender<Result<Value, CallError>>,
}

#[derive(Deserialize)]
struct Message {
    id: Option<u64>,
    result: Option<Value>,
    error: Option<Refusal>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
    #[serde(rename = "sessionId")]
    session: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Connection {
    /// Speaks with a browser until one of the two is gone.
    pub(crate) fn open<L: Listener>(wire: Wire, make: impl FnOnce(&Arc<Self>) -> Arc<L>) -> Arc<L> {
        let (out, sent) = mpsc::unbounded_channel();
        let calls = Mutex::new(Calls { out: Some(out), ..Calls::default() });
        let connection = Arc::new(Self { calls, runtime: Handle::current() });
        let listener = make(&connection);
        let ends = (Arc::downgrade(&connection), Arc::downgrade(&listener));
        match wire {
            Wire::Pipes(to, mut from) => {
                tokio::spawn(write(to, sent));
                tokio::spawn(async move {
                    let ended = messages(&mut from, &ends.0, &ends.1).await;
                    ends_with(ended, &ends.0, &ends.1);
                });
            }
            Wire::Socket(socket) => {
                tokio::spawn(async move {
                    let ended = packets(*socket, sent, &ends.0, &ends.1).await;
                    ends_with(ended, &ends.0, &ends.1);
                });
            }
        }
        listener
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Calls a method of the browser, or of a page of it.
    ///
    /// # Cancellation
    /// The call is sent at once. Dropping the future waits for no answer.
    pub(crate) fn call(self: &Arc<Self>, session: Option<&Arc<str>>, method: &str, params: Value) -> Call {
        let (answer, received) = oneshot::channel();
        let mut calls = self.lock();
        calls.last += 1;
        let id = calls.last;
        if calls.is_gone {
            let _ = answer.send(Err(CallError::Gone));
        } else {
            calls.waiting.insert(id, Waiting { session: session.cloned(), answer });
            calls.send(id, session, method, &params);
        }
        drop(calls);
        Call { connection: self.clone(), id, received }
    }

    /// The same where nobody cares for the answer.
    pub(crate) fn tell(&self, session: Option<&Arc<str>>, method: &str, params: &Value) {
        let mut calls = self.lock();
        calls.last += 1;
        calls.send(calls.last, session, method, params);
    }

    /// What a page was asked that has crashed or is closed is never answered by the browser.
    pub(crate) fn lose(&self, session: &str) {
        let mut calls = self.lock();
        let ids: Vec<u64> = calls
            .waiting
            .iter()
            .filter(|(_, waiting)| waiting.session.as_deref() == Some(session))
            .map(|(id, _)| *id)
            .collect();
        let lost: Vec<Waiting> = ids.iter().filter_map(|id| calls.waiting.remove(id)).collect();
        drop(calls);
        for waiting in lost {
            let _ = waiting.answer.send(Err(CallError::Lost));
        }
    }

    /// Nothing is sent any more, beyond what was, and nothing is answered.
    pub(crate) fn end(&self) {
        let mut calls = self.lock();
        calls.is_gone = true;
        calls.out = None;
        let waiting = std::mem::take(&mut calls.waiting);
        drop(calls);
        for waiting in waiting.into_values() {
            let _ = waiting.answer.send(Err(CallError::Gone));
        }
    }

    /// Notes why something of the browser's is about to be ended, for what comes of it.
    pub(crate) fn note(&self, why: &str) {
        self.lock().note = Some(why.to_owned());
    }

    pub(crate) fn noted(&self) -> Option<String> {
        self.lock().note.clone()
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.lock().is_gone
    }

    /// A message that cannot be had.
    fn refuse(&self, head: &[u8], why: &str) {
        if let Some(id) = number_of(head) {
            self.answer(id, Err(CallError::Refused(why.to_owned())));
        }
    }

    fn message(&self, text: &mut [u8], listener: &Weak<impl Listener>) {
        let message = serde_json::from_slice::<Message>(text).or_else(|_| {
            mend(text);
            serde_json::from_slice(text)
        });
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(%error, "a message of the browser's is not understood");
                return self.refuse(text, "the browser's answer is not understood");
            }
        };
        match (message.id, message.method) {
            (Some(id), _) => self.answer(
                id,
                match message.error {
                    Some(refusal) => Err(CallError::Refused(refusal.message)),
                    None => Ok(message.result.unwrap_or_default()),
                },
            ),
            (None, Some(method)) => {
                if let Some(listener) = listener.upgrade() {
                    listener.event(Event { session: message.session, method, params: message.params });
                }
            }
            (None, None) => {}
        }
    }

    fn answer(&self, id: u64, answer: Result<Value, CallError>) {
        let waiting = self.lock().waiting.remove(&id);
        if let Some(waiting) = waiting {
            let _ = waiting.answer.send(answer);
        }
    }
}

impl Calls {
    fn send(&self, id: u64, session: Option<&Arc<str>>, method: &str, params: &Value) {
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = Value::from(&**session);
        }
        // Where nobody writes any more the browser is gone, and that is said.
        if let Some(out) = &self.out {
            let _ = out.send(message.to_string());
        }
    }
}

/// A call that was sent.
pub(crate) struct Call {
    connection: Arc<Connection>,
    id: u64,
    received: oneshot::Receiver<Result<Value, CallError>>,
}

impl Future for Call {
    type Output = Result<Value, CallError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.received).poll(context).map(|received| received.unwrap_or(Err(CallError::Gone)))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.connection.lock().waiting.remove(&self.id);
    }
}

async fn write(mut to: pipe::Sender, mut sent: mpsc::UnboundedReceiver<String>) {
    while let Some(message) = sent.recv().await {
        let mut bytes = message.into_bytes();
        bytes.push(0);
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// Nothing comes any more.
fn ends_with<L: Listener>(
    ended: Result<(), impl std::fmt::Display>,
    connection: &Weak<Connection>,
    listener: &Weak<L>,
) {
    if let Err(error) = ended {
        tracing::warn!(%error, "a browser is not listened to any more");
    }
    if let Some(connection) = connection.upgrade() {
        connection.end();
    }
    if let Some(listener) = listener.upgrade() {
        listener.gone();
    }
}

/// Speaks over a web socket until one of the two is done.
async fn packets<L: Listener>(
    mut socket: Socket,
    mut sent: mpsc::UnboundedReceiver<String>,
    connection: &Weak<Connection>,
    listener: &Weak<L>,
) -> Result<(), SocketError> {
    loop {
        tokio::select! {
            message = sent.recv() => match message {
                Some(message) => socket.send(Packet::text(message)).await?,
                // Nobody is there any more who could ask for something.
                None => return socket.close(None).await,
            },
            packet = socket.next() => match packet {
                Some(Ok(Packet::Text(text))) => {
                    let Some(connection) = connection.upgrade() else { return Ok(()) };
                    connection.message(&mut text.as_bytes().to_vec(), listener);
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            },
        }
    }
}

async fn messages<L: Listener>(
    from: &mut pipe::Receiver,
    connection: &Weak<Connection>,
    listener: &Weak<L>,
) -> io::Result<()> {
    let mut buffer: Vec<u8> = Vec::with_capacity(64 << 10);
    // Where the next look for an end begins, and the head of a message that is too long to be kept.
    let (mut looked, mut left_out) = (0, None::<Vec<u8>>);
    loop {
        if from.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
        let mut begun = 0;
        while let Some(at) = buffer[looked..].iter().position(|byte| *byte == 0).map(|at| looked + at) {
            let Some(connection) = connection.upgrade() else { return Ok(()) };
            match left_out.take() {
                Some(head) => connection.refuse(&head, "what the page answers is too large: ask for less"),
                None => connection.message(&mut buffer[begun..at], listener),
            }
            (begun, looked) = (at + 1, at + 1);
        }
        buffer.drain(..begun);
        looked = buffer.len();
        if looked > MAX_MESSAGE || left_out.is_some() {
            // Whoever waits for it is told; what a page writes to its console nobody does.
            left_out.get_or_insert_with(|| buffer[..HEAD.min(looked)].to_vec());
            buffer.clear();
            looked = 0;
        }
        // What a picture has made it.
        if buffer.is_empty() && buffer.capacity() > 1 << 20 {
            buffer = Vec::with_capacity(64 << 10);
        }
    }
}

/// The number that an answer begins with.
fn number_of(head: &[u8]) -> Option<u64> {
    let digits = head.strip_prefix(b"{\"id\":")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

/// Replaces halves of characters, which pages may write and JSON of Rust's does not have (`\ud83d` without its other half), by the sign for what is no character.
fn mend(text: &mut [u8]) {
    let unit = |text: &[u8], at: usize| {
        let digits = text.get(at..at + 6).filter(|escape| escape.starts_with(b"\\u"))?;
        u32::from_str_radix(std::str::from_utf8(&digits[2..]).ok()?, 16).ok()
    };
    let mut at = 0;
    while at < text.len() {
        if text[at] != b'\\' {
            at += 1;
            continue;
        }
        match unit(text, at) {
            Some(0xd800..=0xdbff) if matches!(unit(text, at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => {
                text[at + 2..at + 6].copy_from_slice(b"fffd");
                at += 6;
            }
            Some(_) => at += 6,
            None => at += 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_characters_are_mended_and_whole_ones_left() {
        for (given, expected) in [
            (r#""a\ud83d\ude00b""#, "a\u{1f600}b"),
            (r#""a\ud83db""#, "a\u{fffd}b"),
            (r#""\ude00\ud83d""#, "\u{fffd}\u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (r#""\\ud83d""#, "\\ud83d"),
        ] {
            let mut text = given.as_bytes().to_vec();
            mend(&mut text);
            assert_eq!(serde_json::from_slice::<String>(&text).ok().as_deref(), Some(expected), "{given}");
        }
        assert_eq!(number_of(b"{\"id\":41,\"result\":"), Some(41));
        assert_eq!(number_of(b"{\"method\":\"Runtime.consoleAPICalled\""), None);
    }
}
