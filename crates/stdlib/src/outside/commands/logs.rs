//! What a command that goes on has written: a ring of lines, each with its time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;

/// Bytes of lines that are kept.
const MOST: usize = 1 << 20;
/// A longer line is cut.
const LINE: usize = 16 << 10;
/// What a line takes besides its bytes.
const OVERHEAD: usize = 64;
/// How long a line may be without its end before what there is of it is shown.
const PROMPT: Duration = Duration::from_millis(250);
/// Bytes that one stream may write in a second.
const RATE: usize = 8 << 20;
const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stream {
    Stdout,
    Stderr,
    /// What is said about the command, not by it.
    Host,
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    stream: Stream,
    text: String,
    /// Milliseconds since 1970.
    time: f64,
    /// The line goes on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

/// Lines of both streams, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Logs {
    ring: Mutex<Ring>,
    /// There is a new line.
    more: tokio::sync::Notify,
}

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<Line>,
    bytes: usize,
    /// How many lines there were before the first that is kept.
    gone: u64,
}

impl Logs {
    pub(super) fn add(&self, stream: Stream, text: String, partial: bool) {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64);
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.bytes += text.len() + OVERHEAD;
        ring.lines.push_back(Line { stream, text, time, partial });
        while ring.bytes > MOST {
            let Some(first) = ring.lines.pop_front() else { break };
            ring.bytes -= first.text.len() + OVERHEAD;
            ring.gone += 1;
        }
        drop(ring);
        self.more.notify_waiters();
    }

    /// Bytes that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// Waits for a line from a cursor on with this in it.
    pub(super) async fn wait_for(&self, text: &str, mut cursor: u64) {
        // What there is of a line that goes on, of each stream.
        let mut begun: [String; 2] = Default::default();
        loop {
            // Registered before the look, so that a line between the two is not missed.
            let mut more = std::pin::pin!(self.more.notified());
            more.as_mut().enable();
            let (lines, next, _) = self.since(cursor);
            for line in lines {
                let begun = &mut begun[usize::from(line.stream == Stream::Stderr)];
                begun.push_str(&line.text);
                if begun.contains(text) {
                    return;
                }
                // As much of it as another piece could complete.
                let kept = if line.partial {
                    begun.floor_char_boundary(begun.len().saturating_sub(text.len()))
                } else {
                    begun.len()
                };
                begun.drain(..kept);
            }
            cursor = next;
            more.await;
        }
    }

    /// The last lines, for an error.
    pub(super) fn tail(&self, count: usize) -> String {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let from = ring.lines.len().saturating_sub(count);
        ring.lines.range(from..).map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// The lines from a cursor on, the next cursor, and how many are not kept any more.
    pub(super) fn since(&self, cursor: u64) -> (Vec<Line>, u64, u64) {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let missed = ring.gone.saturating_sub(cursor);
        let from = usize::try_from(cursor.saturating_sub(ring.gone)).unwrap_or(usize::MAX).min(ring.lines.len());
        (ring.lines.range(from..).cloned().collect(), ring.gone + ring.lines.len() as u64, missed)
    }
}

/// Reads a stream to its end, into lines that are cut between characters. Whoever writes faster than [`RATE`] waits.
pub(super) async fn follow(logs: Arc<Logs>, mut stream: pipe::Receiver, which: Stream) {
    let mut chunk = vec![0; 16 << 10];
    let mut cutter = Cutter { logs, which, line: Vec::new() };
    let (mut window, mut read) = (Instant::now(), 0);
    loop {
        let reading = stream.read(&mut chunk);
        let count = if cutter.line.is_empty() {
            reading.await
        } else {
            // Whoever waits for an answer, as at a prompt, has written no whole line.
            match tokio::time::timeout(PROMPT, reading).await {
                Ok(count) => count,
                Err(_) => {
                    cutter.cut(true);
                    continue;
                }
            }
        };
        match count {
            Ok(0) | Err(_) => break,
            Ok(count) => {
                cutter.add(&chunk[..count]);
                read += count;
            }
        }
        if read >= RATE {
            tokio::time::sleep(SECOND.saturating_sub(window.elapsed())).await;
            (window, read) = (Instant::now(), 0);
        }
    }
    if !cutter.line.is_empty() {
        cutter.cut(false);
    }
}

struct Cutter {
    logs: Arc<Logs>,
    which: Stream,
    line: Vec<u8>,
}

impl Cutter {
    fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let end = memchr::memchr(b'\n', bytes);
            let part = &bytes[..end.unwrap_or(bytes.len())];
            // What makes the line too long comes later, but for the rest of a character, of which none has more than four bytes.
            let room = LINE.saturating_sub(self.line.len());
            let rest = part.iter().skip(room).take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
            let fits = part.len().min(room + rest);
            self.line.extend_from_slice(&part[..fits]);
            bytes = &bytes[fits..];
            if fits < part.len() {
                self.cut(true);
            } else if end.is_some() {
                self.cut(false);
                bytes = &bytes[1..];
            }
        }
    }

    fn cut(&mut self, is_partial: bool) {
        let mut line = std::mem::take(&mut self.line);
        // The beginning of a character waits for its end.
        if is_partial
            && let Err(error) = std::str::from_utf8(&line)
            && error.error_len().is_none()
        {
            self.line = line.split_off(error.valid_up_to());
        }
        if !is_partial && line.ends_with(b"\r") {
            line.pop();
        }
        if !line.is_empty() || !is_partial {
            self.logs.add(self.which, String::from_utf8_lossy(&line).into_owned(), is_partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_on_where_it_was_and_says_what_it_has_missed() {
        let logs = Logs::default();
        for n in 0..3 {
            logs.add(Stream::Stdout, format!("line {n}"), false);
        }
        let (lines, cursor, missed) = logs.since(1);
        assert_eq!((lines.len(), cursor, missed), (2, 3, 0));
        logs.add(Stream::Stderr, "x".repeat(MOST - OVERHEAD), false);
        let (lines, cursor, missed) = logs.since(cursor);
        assert_eq!((lines.len(), cursor, missed), (1, 4, 0));
        assert_eq!(logs.since(0).2, 3, "what is not kept is said");
        assert_eq!(logs.since(99).0.len(), 0);
        assert!(logs.bytes() <= MOST);
    }

    fn lines(bytes: &[u8], is_end: bool) -> Vec<(String, bool)> {
        let mut cutter = Cutter { logs: Arc::default(), which: Stream::Stdout, line: Vec::new() };
        bytes.chunks(1000).for_each(|bytes| cutter.add(bytes));
        cutter.cut(!is_end);
        cutter.logs.since(0).0.into_iter().map(|line| (line.text, line.partial)).collect()
    }

    #[test]
    fn lines_are_cut_between_characters_and_stay_bounded_whatever_is_written() {
        assert_eq!(lines("a\r\nä".as_bytes(), true), [("a".to_owned(), false), ("ä".to_owned(), false)]);
        assert_eq!(lines(&"aä".as_bytes()[..2], false), [("a".to_owned(), true)], "half a character waits");
        assert_eq!(lines(&"aä".as_bytes()[..2], true), [("a\u{fffd}".to_owned(), false)]);
        let long = "€".repeat(LINE);
        let cut = lines(long.as_bytes(), true);
        assert!(cut.iter().all(|(line, _)| line.len() <= LINE + 3 && !line.contains('\u{fffd}')));
        assert_eq!(cut.iter().map(|(line, _)| line.as_str()).collect::<String>(), long);
        assert!(lines(&[0x80; 3 * LINE], true).len() >= 3, "what is no character is cut too");
    }
}
