//! Batches: JSON lines in, JSON lines out.
//!
//! A thread reads, a task per request runs, one task writes. Each request of a session waits for the one before it; how many run at
//! once, and how many lines are held, is bounded. Orders are carried out when they are read, which is not while 64 MiB of requests wait.

mod order;
mod request;

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use perennial_protocol::IdScan;
use perennial_sessions::Owner;
use perennial_sessions::files::Artifacts;
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc, oneshot};

use self::order::UnderWay;
pub use self::request::request_schema;
use self::request::{Parsed, Refusal, parse};

/// A longer line is answered with an error and passed over: a script of the largest size, escaped, with arguments.
const MAX_LINE: usize = 64 << 20;
/// Bytes of lines read ahead of their answers, and what a line counts for at least. However many wait for their session, others are read.
const READ_AHEAD: usize = 64 << 20;
const LINE: usize = 1 << 10;
/// Answers that wait to be written, for each request that may run.
const UNWRITTEN: usize = 4;
/// Orders that are carried out at a time.
const ORDERS: usize = 16;
/// Requests that run at a time, whatever is asked for.
const MOST: usize = 1 << 16;

/// A line that is written.
enum Out {
    Answer(String),
    /// Of what a script writes while it runs.
    Console(String),
}

enum Line {
    Text(Vec<u8>),
    /// With its id, if that was found.
    TooLong(Option<Value>),
    Unreadable(io::Error),
}

/// Who is told how far a batch is.
pub type OnAnswer = dyn Fn(&Progress) + Send + Sync;

/// How requests are served.
#[derive(Clone)]
#[non_exhaustive]
pub struct BatchOptions {
    /// Requests that run at a time: at least one, at most 65,536.
    pub concurrency: usize,
    /// Told of each answer when it is written, on the thread that writes.
    pub on_answer: Option<Arc<OnAnswer>>,
    /// What scripts write to as `artifacts`.
    pub artifacts: Option<Artifacts>,
    /// Whether `{"op": "reload"}` loads the plugins of the table again, which other owners have too.
    pub may_reload: bool,
}

impl BatchOptions {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self { concurrency: 64, on_answer: None, artifacts: None, may_reload: false }
    }
}

/// How far a batch is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Lines answered.
    pub answered: u64,
    /// Of them, and of those about to be, the ones that failed.
    pub failed: u64,
    /// Requests under way.
    pub under_way: u64,
}

/// Why a batch was not served to its end.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The lines before it were answered.
    #[error("reading failed: {0}")]
    Read(io::Error),
    /// Nobody reads the answers any more, or there is no room for them. What was under way goes on.
    #[error("writing failed: {0}")]
    Write(io::Error),
    /// A defect in Perennial.
    #[error("the task that writes failed: {0}")]
    Failed(#[from] tokio::task::JoinError),
}

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    failed: AtomicU64,
    under_way: AtomicU64,
}

impl Counts {
    fn progress(&self) -> Progress {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Progress { answered: get(&self.answered), failed: get(&self.failed), under_way: get(&self.under_way) }
    }
}

/// Serves requests on the sessions of an owner, one JSON object a line, until `input` ends, each as [`request_schema`] says: a script, or an `op`. Each line is answered by one, that
/// has its `id`: those of a session in order, others as they are done. Before the answer of a script with `stream` come lines with what it writes to its console.
///
/// Reads in a thread of its own, which ends with the input only.
///
/// # Cancellation
/// Dropping the future reads no more lines; what is under way goes on, and is answered, until [`Owner::clear`] ends it.
///
/// # Errors
/// If reading or writing fails. What a request comes to is its answer and no error of the batch.
pub async fn serve_batch<R, W>(owner: Owner, input: R, output: W, options: BatchOptions) -> Result<(), BatchError>
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    let concurrency = options.concurrency.clamp(1, MOST);
    // One line ahead of those that are counted.
    let (lines_in, mut lines) = mpsc::channel(1);
    std::thread::spawn(move || read_lines(BufReader::new(input), &lines_in));
    let (answers, answers_out) = mpsc::channel::<Out>(concurrency * UNWRITTEN);
    let counts = Arc::new(Counts::default());
    let writer = tokio::task::spawn_blocking({
        let counts = counts.clone();
        {
            let on_answer = options.on_answer.clone();
            move || write_answers(output, answers_out, &counts, on_answer.as_deref())
        }
    });

    let running = Arc::new(Semaphore::new(concurrency));
    let held = Arc::new(Semaphore::new(READ_AHEAD / LINE));
    // The end of each session's latest request.
    let mut latest: HashMap<String, oneshot::Receiver<()>> = HashMap::new();
    let (mut number, mut unread) = (0_u64, None);
    let under_way = Arc::new(UnderWay::default());
    let orders = Arc::new(Semaphore::new(ORDERS));
    loop {
        let line = tokio::select! {
            biased;
            // Nobody reads the answers any more.
            () = answers.closed() => break,
            line = lines.recv() => line,
        };
        let Some(line) = line else { break };
        number += 1;
        let length = match &line {
            Line::Text(bytes) => bytes.len(),
            Line::TooLong(_) | Line::Unreadable(_) => 0,
        };
        let request = match line {
            Line::Text(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => continue,
            Line::Text(bytes) => parse(&bytes),
            Line::TooLong(id) => Err(Refusal::of(id, format!("the line is longer than {MAX_LINE} bytes"))),
            Line::Unreadable(error) => {
                unread = Some(error);
                break;
            }
        };
        let request = match request {
            Ok(Parsed::Request(request)) => request,
            Ok(Parsed::Order(id, order)) => {
                let (owner, answers, under_way, counts) =
                    (owner.clone(), answers.clone(), under_way.clone(), counts.clone());
                // Requests that wait take none of their places.
                let Ok(place) = orders.clone().acquire_owned().await else { break };
                let may_reload = options.may_reload;
                tokio::spawn(async move {
                    let answer = order.carry_out(id, &owner, &under_way, may_reload).await;
                    if !answer.is_ok {
                        counts.failed.fetch_add(1, Ordering::Relaxed);
                    }
                    let _ = answers.send(Out::Answer(answer.line)).await;
                    drop(place);
                });
                continue;
            }
            Err(refusal) => {
                counts.failed.fetch_add(1, Ordering::Relaxed);
                if answers.send(Out::Answer(refusal.answer(number))).await.is_err() {
                    break;
                }
                continue;
            }
        };
        // Neither semaphore is ever closed.
        let weight = u32::try_from((length / LINE + 1).min(READ_AHEAD / LINE)).unwrap_or(1);
        let Ok(place) = held.clone().acquire_many_owned(weight).await else { break };
        let (mut finished, mut before) = (Vec::new(), Vec::new());
        for session in request.sessions() {
            let (finish, end) = oneshot::channel();
            finished.push(finish);
            before.extend(latest.insert(session.to_owned(), end));
        }
        if latest.len() > 1024 {
            latest.retain(|_, end| matches!(end.try_recv(), Err(oneshot::error::TryRecvError::Empty)));
        }
        let (owner, running, answers, counts) = (owner.clone(), running.clone(), answers.clone(), counts.clone());
        let (artifacts, cancel) = (options.artifacts.clone(), under_way.enter(number, &request));
        counts.under_way.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            for before in before {
                // An error means that the request before has ended, too.
                let _ = before.await;
            }
            let permit = running.acquire().await;
            let answer = request.carry_out(&owner, artifacts, cancel, &answers).await;
            if !answer.is_ok {
                counts.failed.fetch_add(1, Ordering::Relaxed);
            }
            counts.under_way.fetch_sub(1, Ordering::Relaxed);
            // Until there is room for it: answers that nobody reads hold up new requests.
            let _ = answers.send(Out::Answer(answer.line)).await;
            // Behind the answer, which the session's next one must not overtake.
            finished.into_iter().for_each(|finished| _ = finished.send(()));
            drop((permit, place));
        });
    }
    drop(answers);
    writer.await?.map_err(BatchError::Write)?;
    unread.map_or(Ok(()), |error| Err(BatchError::Read(error)))
}

fn read_lines(mut input: impl BufRead, lines: &mpsc::Sender<Line>) {
    loop {
        let mut bytes = Vec::new();
        let line = match (&mut input).take(MAX_LINE as u64 + 1).read_until(b'\n', &mut bytes) {
            Ok(0) => return,
            Ok(_) if bytes.len() > MAX_LINE && bytes.last() != Some(&b'\n') => {
                let mut scan = IdScan::default();
                scan.feed(&bytes);
                match skip_line(&mut input, &mut scan) {
                    Ok(()) => Line::TooLong(scan.id()),
                    Err(error) => Line::Unreadable(error),
                }
            }
            Ok(_) => Line::Text(bytes),
            Err(error) => Line::Unreadable(error),
        };
        let last = matches!(line, Line::Unreadable(_));
        if lines.blocking_send(line).is_err() || last {
            return;
        }
    }
}

fn skip_line(input: &mut impl BufRead, scan: &mut IdScan) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let newline = buffer.iter().position(|&byte| byte == b'\n');
        scan.feed(&buffer[..newline.unwrap_or(buffer.len())]);
        match newline {
            Some(at) => {
                input.consume(at + 1);
                return Ok(());
            }
            None => {
                let length = buffer.len();
                input.consume(length);
            }
        }
    }
}

fn write_answers(
    output: impl Write,
    mut answers: mpsc::Receiver<Out>,
    counts: &Counts,
    on_answer: Option<&OnAnswer>,
) -> io::Result<()> {
    let mut out = io::BufWriter::new(output);
    loop {
        let answer = match answers.try_recv() {
            Ok(answer) => answer,
            Err(_) => {
                // Nothing more at the moment: whoever reads the other end gets what there is.
                out.flush()?;
                match answers.blocking_recv() {
                    Some(answer) => answer,
                    None => break,
                }
            }
        };
        let (Out::Answer(line) | Out::Console(line)) = &answer;
        out.write_all(line.as_bytes())?;
        out.write_all(b"\n")?;
        if let Out::Console(_) = answer {
            continue;
        }
        counts.answered.fetch_add(1, Ordering::Relaxed);
        if let Some(on_answer) = on_answer {
            on_answer(&counts.progress());
        }
    }
    out.flush()
}
