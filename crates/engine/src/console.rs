use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use perennial_protocol::{ConsoleEntry, ConsoleLevel};

use crate::RunOptions;

/// Called with each console entry as it is kept. Runs on the VM's thread: it must not block.
pub type ConsoleSink = Arc<dyn Fn(&ConsoleEntry) + Send + Sync>;

/// The console of one session: outlives its VMs, so that nothing written is lost with one.
#[derive(Clone, Default)]
pub struct Console(Arc<Mutex<Buffer>>);

#[derive(Default)]
struct Buffer {
    entries: Vec<ConsoleEntry>,
    bytes: usize,
    /// Bytes offered since the last take, kept or not.
    offered: u64,
    dropped: u64,
    limits: Limits,
    since: Option<Instant>,
    background: bool,
    sink: Option<ConsoleSink>,
}

#[derive(Clone, Copy)]
struct Limits {
    entries: usize,
    bytes: usize,
    entry_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        (&RunOptions::default()).into()
    }
}

impl From<&RunOptions> for Limits {
    fn from(options: &RunOptions) -> Self {
        Self {
            entries: options.console_entries,
            bytes: options.console_bytes,
            entry_bytes: options.console_entry_bytes,
        }
    }
}

/// What a run takes from the console when it ends.
#[derive(Debug, Default)]
pub struct ConsoleOutput {
    /// In the order written.
    pub entries: Vec<ConsoleEntry>,
    /// How many did not fit.
    pub dropped: u64,
    /// Bytes written, those that did not fit included.
    pub bytes: u64,
}

impl Console {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run begins. What callbacks wrote before stays, marked, and counts against the run's limits.
    pub(crate) fn begin_run(&self, options: &RunOptions, sink: Option<ConsoleSink>) {
        let mut buffer = self.lock();
        buffer.limits = options.into();
        buffer.since = Some(Instant::now());
        buffer.background = false;
        buffer.sink = sink;
    }

    /// The caller has given up on the run: nobody asks for what it wrote. What callbacks wrote before stays.
    pub(crate) fn forget_run(&self) {
        let mut buffer = self.lock();
        buffer.entries.retain(|entry| entry.background);
        buffer.bytes = buffer.entries.iter().map(|entry| entry.message.len()).sum();
        buffer.background = true;
        buffer.sink = None;
    }

    /// The run has ended; what is written from now on is background. Returns everything written so far.
    pub(crate) fn end_run(&self) -> ConsoleOutput {
        let mut buffer = self.lock();
        buffer.background = true;
        buffer.since = Some(Instant::now());
        buffer.sink = None;
        buffer.bytes = 0;
        ConsoleOutput {
            entries: std::mem::take(&mut buffer.entries),
            dropped: std::mem::take(&mut buffer.dropped),
            bytes: std::mem::take(&mut buffer.offered),
        }
    }

    /// Keeps an entry, cut at a character boundary, or counts it as dropped.
    pub(crate) fn write(&self, level: ConsoleLevel, message: &str) {
        let kept = {
            let mut buffer = self.lock();
            buffer.offered += message.len() as u64;
            let room = buffer.limits.bytes - buffer.bytes.min(buffer.limits.bytes);
            if buffer.entries.len() >= buffer.limits.entries || (room == 0 && !message.is_empty()) {
                buffer.dropped += 1;
                return;
            }
            let message = cut(message, buffer.limits.entry_bytes.min(room));
            buffer.bytes += message.len();
            let ts_ms = buffer.since.map_or(0.0, |since| since.elapsed().as_secs_f64() * 1000.0);
            let entry = ConsoleEntry { level, message, ts_ms, background: buffer.background };
            buffer.entries.push(entry.clone());
            buffer.sink.clone().map(|sink| (sink, entry))
        };
        if let Some((sink, entry)) = kept {
            sink(&entry);
        }
    }
}

/// `text` in at most `limit` bytes; where it is longer, its last characters make way for a mark, if there is room for one.
fn cut(text: &str, limit: usize) -> String {
    const MARK: &str = "…";
    if text.len() <= limit {
        return text.to_owned();
    }
    let (mut end, mark) = if limit >= MARK.len() { (limit - MARK.len(), MARK) } else { (limit, "") };
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{mark}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_cut_never_splits_a_character_and_never_exceeds_the_limit() {
        let text = "a😀b😀😀";
        for limit in 0..=text.len() + 1 {
            let kept = cut(text, limit);
            assert!(kept.len() <= limit, "{limit}: {kept:?}");
            assert!(text.starts_with(kept.trim_end_matches('…')), "{limit}: {kept:?}");
        }
        assert_eq!(cut(text, text.len()), text);
    }
}
