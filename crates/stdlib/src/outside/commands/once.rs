//! Commands that are run to their end.

use std::time::{Duration, Instant};

use perennial_engine::{OpContext, OpError, OpResult};
use perennial_keeper::{Ended, Process, Streams};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe;

use super::declaration::{Declaration, Output};

/// How long what is left in a pipe is waited for when nobody is left to write to it.
const DRAIN: Duration = Duration::from_millis(100);
/// What is held outside the heap is counted in these.
const STEP: usize = 1 << 20;

/// Why a command was killed.
#[derive(Clone, Debug)]
enum Cut {
    /// What it wrote is more than the run may have outside its heap.
    Memory(OpError),
    Timeout(Duration),
    Overflow(&'static str, usize),
    Processes(u64),
}

impl Cut {
    /// One word, and the rest of a sentence.
    fn told(&self) -> (&'static str, String) {
        match self {
            Self::Memory(error) => ("memory", error.message.clone()),
            Self::Timeout(timeout) => ("timeout", format!("took longer than {} ms", timeout.as_millis())),
            Self::Overflow(stream, most) => ("overflow", format!("wrote more than {most} bytes to {stream}")),
            Self::Processes(most) => ("processes", format!("had more than {most} processes")),
        }
    }
}

/// What is held outside the heap, counted against the run's memory limit as it grows.
struct Charge<'c> {
    context: &'c OpContext,
    held: Vec<u32>,
}

impl Charge<'_> {
    fn hold(&mut self, bytes: usize) -> Result<(), Cut> {
        if bytes > self.held.len() * STEP {
            self.held.push(self.context.resources.add((), STEP, &self.context.budget).map_err(Cut::Memory)?);
        }
        Ok(())
    }
}

impl Drop for Charge<'_> {
    fn drop(&mut self) {
        for id in self.held.drain(..) {
            self.context.resources.remove(id);
        }
    }
}

/// What one stream has written.
struct Collected<'c> {
    charge: Charge<'c>,
    stream: pipe::Receiver,
    name: &'static str,
    bytes: Vec<u8>,
    most: usize,
}

impl<'c> Collected<'c> {
    fn new(stream: pipe::Receiver, name: &'static str, most: usize, context: &'c OpContext) -> Self {
        Self { charge: Charge { context, held: Vec::new() }, stream, name, bytes: Vec::new(), most }
    }

    /// Reads to the end; what is more than there may be ends it.
    async fn all(&mut self) -> Result<(), Cut> {
        let mut chunk = vec![0; 16 << 10];
        loop {
            match self.stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(count) => {
                    let room = self.most - self.bytes.len();
                    self.bytes.extend_from_slice(&chunk[..count.min(room)]);
                    self.charge.hold(self.bytes.len())?;
                    if count > room {
                        return Err(Cut::Overflow(self.name, self.most));
                    }
                }
            }
        }
    }
}

/// Sees a command to its end, feeding it and reading what it writes. It is killed if this is dropped.
pub(super) async fn run(
    process: Process,
    Streams { stdin, stdout, stderr }: Streams,
    input: Option<Vec<u8>>,
    declaration: &Declaration,
    timeout: Duration,
    since: Instant,
    context: &OpContext,
) -> OpResult {
    let most = declaration.output_bytes();
    let mut stdout = Collected::new(stdout, "stdout", most, context);
    let mut stderr = Collected::new(stderr, "stderr", most, context);
    let feed = async {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // Whoever does not read it all has no need of it.
            let _: std::io::Result<()> = stdin.write_all(&input).await;
        }
        std::future::pending::<()>().await;
    };
    let cut = {
        let read = async { tokio::try_join!(stdout.all(), stderr.all()).map(|((), ())| ()) };
        let work = async {
            let mut read = std::pin::pin!(read);
            tokio::select! {
                read = &mut read => {
                    read?;
                    process.gone().await;
                    Ok(())
                }
                // Somebody else may hold the other end of a pipe.
                _ = process.gone() => tokio::time::timeout(DRAIN, read).await.unwrap_or(Ok(())),
            }
        };
        tokio::select! {
            done = work => done.err(),
            () = feed => None,
            () = tokio::time::sleep(timeout) => Some(Cut::Timeout(timeout)),
        }
    };
    let cut = cut.or_else(|| (*process.too_many.borrow()).map(Cut::Processes));
    let ended = match cut {
        Some(_) => {
            process.kill();
            // Whoever does not die is no reason to wait.
            tokio::time::timeout(Duration::from_secs(1), process.gone()).await.ok()
        }
        None => Some(process.gone().await),
    };
    if let Some(Cut::Memory(error)) = cut {
        return Err(error);
    }
    let Ended { code, signal, .. } = ended.unwrap_or(Ended { code: None, signal: Some(9), cpu_ms: 0 });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // JSON and lines are made where they are wanted, within the heap's limit; and what looks like a tag of ours is none.
    let stdout = match declaration.output {
        Output::Text | Output::Json | Output::Lines => json!(text(&stdout.bytes)),
        Output::Bytes => perennial_engine::bytes_to_json(&stdout.bytes),
    };
    let shape = match declaration.output {
        Output::Json => "json",
        Output::Lines => "lines",
        Output::Text | Output::Bytes => "as it is",
    };
    let failure = cut.as_ref().map(Cut::told).or_else(|| match (code, signal) {
        (Some(0), _) => None,
        (Some(code), _) => Some(("exit", format!("exited with {code}"))),
        (None, signal) => {
            Some(("signal", format!("was ended by {}", signal.map_or("a signal".to_owned(), signal_name))))
        }
    });
    let mut result = json!({
        "stdout": stdout, "stderr": text(&stderr.bytes), "exitCode": code, "signal": signal.map(signal_name),
        "durationMs": since.elapsed().as_secs_f64() * 1000.0, "shape": shape,
    });
    if let Some((reason, message)) = failure {
        result["reason"] = json!(reason);
        result["message"] = json!(message);
    }
    Ok(result.into())
}

pub(super) fn signal_name(signal: i32) -> String {
    let known = nix::sys::signal::Signal::try_from(signal);
    known.map_or_else(|_| format!("SIG{signal}"), |signal| signal.as_str().to_owned())
}
