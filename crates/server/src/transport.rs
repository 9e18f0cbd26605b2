//! Lines of JSON between a client and the service.
//!
//! rmcp's own transport drops what it cannot read, so that whoever has asked waits for ever; goes on for up to five seconds after its input has closed;
//! and waits for a client that reads nothing. Here what cannot be read is answered when its id can be found, what was asked before the input ended has a
//! second to be answered, and nobody is waited for who has gone.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use perennial_protocol::IdScan;
use rmcp::RoleServer;
use rmcp::model::{ClientRequest, GetMeta, JsonRpcMessage, NumberOrString, ProtocolVersion, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::order::Order;

/// A longer line is answered with an error and passed over: a script of the largest size allowed, escaped, with room for its arguments.
const MAX_LINE: usize = 32 << 20;
/// Bytes of answers that a client may leave unread. One that leaves more is gone.
const MAX_UNREAD: usize = 128 << 20;
/// How long answers under way are waited for when the input has ended, and written after the client has gone.
pub(crate) const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// Bytes of an id that is a text.
const MAX_ID: usize = 512;
/// As JSON-RPC has it: what is no JSON, and what is no request.
const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;

pub(crate) struct Lines<R, W> {
    input: BufReader<R>,
    line: Vec<u8>,
    /// Of the line that is being read.
    scan: IdScan,
    is_too_long: bool,
    output: Output<W>,
    /// Nothing but a request is passed on before the client has said which era of the protocol it speaks: rmcp gives up otherwise.
    era_known: bool,
    /// When the input was seen to have ended.
    ended: Option<Instant>,
    /// Of the calls that were read.
    order: Order,
}

struct Output<W> {
    writer: Arc<Mutex<Option<W>>>,
    unread: Arc<AtomicUsize>,
    /// Requests without an answer so far.
    asked: Arc<AtomicUsize>,
    /// One of them was answered.
    answered: Arc<Notify>,
    /// Cancelled when the client has gone.
    closed: CancellationToken,
}

impl<W> Clone for Output<W> {
    fn clone(&self) -> Self {
        Self {
            writer: self.writer.clone(),
            unread: self.unread.clone(),
            asked: self.asked.clone(),
            answered: self.answered.clone(),
            closed: self.closed.clone(),
        }
    }
}

/// What one turn of reading came to.
enum Turn {
    Line,
    TooLong,
    More,
    End,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin + Send + 'static> Lines<R, W> {
    pub(crate) fn new(input: R, output: W, closed: CancellationToken, order: Order) -> Self {
        Self {
            input: BufReader::new(input),
            line: Vec::new(),
            scan: IdScan::default(),
            is_too_long: false,
            output: Output {
                writer: Arc::new(Mutex::new(Some(output))),
                unread: Arc::default(),
                asked: Arc::default(),
                answered: Arc::default(),
                closed,
            },
            era_known: false,
            ended: None,
            order,
        }
    }

    /// Takes in what there is, up to the end of a line. Cancel-safe: nothing is taken before the only await is over.
    async fn read(&mut self) -> Turn {
        let Ok(available) = self.input.fill_buf().await else { return Turn::End };
        if available.is_empty() {
            // The last line need not be ended.
            return if self.line.is_empty() && !self.is_too_long { Turn::End } else { self.line_ends() };
        }
        let newline = available.iter().position(|byte| *byte == b'\n');
        let taken = newline.map_or(available.len(), |at| at + 1);
        self.scan.feed(&available[..taken]);
        self.is_too_long |= self.line.len() + taken > MAX_LINE;
        if self.is_too_long {
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(&available[..taken]);
        }
        self.input.consume(taken);
        if newline.is_some() { self.line_ends() } else { Turn::More }
    }

    fn line_ends(&mut self) -> Turn {
        if std::mem::take(&mut self.is_too_long) { Turn::TooLong } else { Turn::Line }
    }

    /// The message of a line, unless it is nothing for this service.
    fn message(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let line = std::mem::take(&mut self.line);
        let id = std::mem::take(&mut self.scan).id();
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line).trim_ascii();
        if text.is_empty() {
            return None;
        }
        let error = match serde_json::from_slice(text) {
            // It is kept until the answer is written, in several places.
            Ok(JsonRpcMessage::Request(request)) if id_bytes(&request.id) > MAX_ID => {
                self.refuse(Value::Null, INVALID_REQUEST, &format!("an id has at most {MAX_ID} bytes"));
                return None;
            }
            Ok(message) => return Some(message),
            Err(error) => error,
        };
        // What nobody waits for an answer to may be anything.
        let id = id?;
        let (code, message) = if serde_json::from_slice::<serde::de::IgnoredAny>(text).is_err() {
            (PARSE_ERROR, format!("the message cannot be read: {error}"))
        } else {
            (INVALID_REQUEST, format!("this is no message of the protocol: {error}"))
        };
        self.refuse(id, code, &message);
        None
    }

    /// Answers what could not be read, without waiting for it to be written.
    fn refuse(&self, id: Value, code: i64, message: &str) {
        let message = &message[..message.floor_char_boundary(500)];
        let answer = json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}});
        let sent = self.output.clone().send(answer.to_string().into_bytes());
        // Whoever has gone needs none.
        tokio::spawn(sent);
    }
}

impl<W: AsyncWrite + Unpin + Send + 'static> Output<W> {
    /// Waits for the answers to what was asked, as whoever pipes a file in expects, or until then.
    async fn answers(&self, until: Instant) {
        let all = async {
            while self.asked.load(Ordering::Acquire) > 0 {
                self.answered.notified().await;
            }
        };
        tokio::select! {
            () = all => {}
            () = self.closed.cancelled() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }

    /// Writes a line, as long as there is anybody to read it.
    fn send(self, mut line: Vec<u8>) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        line.push(b'\n');
        let length = line.len();
        if self.unread.fetch_add(length, Ordering::AcqRel) + length > MAX_UNREAD {
            tracing::warn!("the client reads no answers; it is taken to have gone");
            self.closed.cancel();
        }
        async move {
            let write = async {
                let mut writer = self.writer.lock().await;
                let writer = writer.as_mut().ok_or(ErrorKind::NotConnected)?;
                writer.write_all(&line).await?;
                writer.flush().await
            };
            let gone = async {
                self.closed.cancelled().await;
                tokio::time::sleep(LAST_ANSWERS).await;
            };
            let sent = tokio::select! {
                biased;
                sent = write => sent,
                () = gone => Err(ErrorKind::BrokenPipe.into()),
            };
            self.unread.fetch_sub(length, Ordering::AcqRel);
            if sent.is_err() {
                self.closed.cancel();
            }
            sent
        }
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let (line, output) = (serde_json::to_vec(&message), self.output.clone());
        let answers = match &message {
            JsonRpcMessage::Response(response) => Some(&response.id),
            JsonRpcMessage::Error(error) => error.id.as_ref(),
            _ => None,
        };
        if let Some(id) = answers {
            // One that was refused before it began holds up nobody.
            self.order.goes(id);
        }
        let is_answer = answers.is_some();
        async move {
            let (asked, answered) = (output.asked.clone(), output.answered.clone());
            let sent = output.send(line?).await;
            if is_answer {
                asked.fetch_sub(1, Ordering::AcqRel);
                answered.notify_one();
            }
            sent
        }
    }

    /// Cancel-safe, as the service demands.
    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let closed = self.output.closed.clone();
        loop {
            let turn = tokio::select! {
                biased;
                () = closed.cancelled() => return None,
                turn = self.read() => turn,
            };
            match turn {
                Turn::More => continue,
                Turn::End => {
                    let until = *self.ended.get_or_insert_with(Instant::now) + LAST_ANSWERS;
                    self.output.answers(until).await;
                    closed.cancel();
                    return None;
                }
                Turn::TooLong => {
                    if let Some(id) = std::mem::take(&mut self.scan).id() {
                        self.refuse(id, INVALID_REQUEST, &format!("a message has at most {MAX_LINE} bytes"));
                    }
                    continue;
                }
                Turn::Line => {}
            }
            let Some(message) = self.message() else { continue };
            if let JsonRpcMessage::Request(request) = &message {
                self.output.asked.fetch_add(1, Ordering::AcqRel);
                if matches!(request.request, ClientRequest::CallToolRequest(_)) {
                    self.order.came(request.id.clone());
                }
                self.era_known = self.era_known || chooses_era(&request.request);
                return Some(message);
            }
            if self.era_known {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        let writer = tokio::time::timeout(LAST_ANSWERS, self.output.writer.lock()).await;
        if let Ok(mut writer) = writer {
            writer.take();
        }
        Ok(())
    }
}

fn id_bytes(id: &RequestId) -> usize {
    match id {
        NumberOrString::Number(_) => 0,
        NumberOrString::String(text) => text.len(),
    }
}

/// Whether the service commits to an era with this request.
fn chooses_era(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::DiscoverRequest(_) | ClientRequest::PingRequest(_) => false,
        other => {
            let meta = other.get_meta();
            let known =
                meta.protocol_version().is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version));
            known && meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
        }
    }
}
