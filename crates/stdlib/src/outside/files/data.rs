//! What files hold: chunks that are shared until one of the sharers writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a full chunk. What is written in the middle of a shared file copies one.
pub(super) const CHUNK: usize = 64 << 10;

/// Memory of all contents and nodes of one session, whoever holds them: its files and snapshots of them.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicU64);

impl Gauge {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a file, folder or link takes beside its content, as it is counted: with its name, and what holds it.
pub(super) const NODE: u64 = 512;

/// Counts so much as long as it is there. A clone counts as much again.
#[derive(Debug, Default)]
pub(super) struct Counted {
    bytes: u64,
    /// None for the folder of which all sessions have one.
    gauge: Option<Arc<Gauge>>,
}

impl Counted {
    pub(super) fn new(bytes: u64, gauge: &Arc<Gauge>) -> Self {
        gauge.0.fetch_add(bytes, Ordering::Relaxed);
        Self { bytes, gauge: Some(gauge.clone()) }
    }

    /// The same for another session.
    pub(super) fn of_another(&self, gauge: &Arc<Gauge>) -> Self {
        Self::new(self.bytes, gauge)
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        match &self.gauge {
            Some(gauge) => Self::new(self.bytes, gauge),
            None => Self::default(),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(gauge) = &self.gauge {
            gauge.0.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

/// What one session has of a piece of a file. Another, forked from it, may share the bytes; each counts them as its own.
#[derive(Debug)]
struct Chunk {
    bytes: Arc<Vec<u8>>,
    counted: u64,
    gauge: Arc<Gauge>,
}

impl Chunk {
    fn new(bytes: Arc<Vec<u8>>, gauge: &Arc<Gauge>) -> Self {
        let mut chunk = Self { bytes, counted: 0, gauge: gauge.clone() };
        chunk.count();
        chunk
    }

    fn bytes_mut(&mut self) -> &mut Vec<u8> {
        Arc::make_mut(&mut self.bytes)
    }

    fn count(&mut self) {
        let now = self.bytes.capacity() as u64;
        self.gauge.0.fetch_add(now.wrapping_sub(self.counted), Ordering::Relaxed);
        self.counted = now;
    }
}

impl Clone for Chunk {
    fn clone(&self) -> Self {
        // To be written to at once.
        Self::new(Arc::new(self.bytes.to_vec()), &self.gauge)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.gauge.0.fetch_sub(self.counted, Ordering::Relaxed);
    }
}

/// The content of a file. Cloning shares it; a chunk that was never written is zeros, and so is what a short one lacks.
#[derive(Clone, Debug, Default)]
pub(super) struct Data {
    chunks: Vec<Option<Arc<Chunk>>>,
    length: u64,
}

impl Data {
    /// The same for another session, which counts it as its own.
    pub(super) fn of_another(&self, gauge: &Arc<Gauge>) -> Self {
        let of = |chunk: &Option<Arc<Chunk>>| Some(Arc::new(Chunk::new(chunk.as_ref()?.bytes.clone(), gauge)));
        Self { chunks: self.chunks.iter().map(of).collect(), length: self.length }
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// At most `length` bytes from `offset`; fewer at the end.
    pub(super) fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let end = offset.saturating_add(length as u64).min(self.length);
        let mut out = Vec::with_capacity(usize::try_from(end.saturating_sub(offset)).unwrap_or(0));
        let mut at = offset;
        while at < end {
            let (index, from) = place(at);
            let count = (CHUNK - from).min((end - at) as usize);
            let chunk = self.chunks.get(index).and_then(Option::as_ref);
            let there = chunk.map_or(&[][..], |chunk| chunk.bytes.get(from..).unwrap_or(&[]));
            let there = &there[..there.len().min(count)];
            out.extend_from_slice(there);
            out.resize(out.len() + count - there.len(), 0);
            at += count as u64;
        }
        out
    }

    /// Writes over what is there, and past the end. The caller has looked at the quota.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8], gauge: &Arc<Gauge>) {
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let (index, from) = place(at);
            let (now, later) = rest.split_at(rest.len().min(CHUNK - from));
            if self.chunks.len() <= index {
                self.chunks.resize(index + 1, None);
            }
            let chunk = self.chunks[index].get_or_insert_with(|| Arc::new(Chunk::new(Arc::default(), gauge)));
            let chunk = Arc::make_mut(chunk);
            let bytes = chunk.bytes_mut();
            if bytes.len() < from + now.len() {
                bytes.resize(from + now.len(), 0);
            }
            bytes[from..from + now.len()].copy_from_slice(now);
            chunk.count();
            at += now.len() as u64;
            rest = later;
        }
        self.length = self.length.max(offset + bytes.len() as u64);
    }

    pub(super) fn truncate(&mut self, length: u64) {
        if length < self.length {
            let (index, from) = place(length);
            self.chunks.truncate(index + usize::from(from > 0));
            // What comes back when the file grows again is zeros.
            if from > 0
                && let Some(Some(chunk)) = self.chunks.get_mut(index)
                && chunk.bytes.len() > from
            {
                let chunk = Arc::make_mut(chunk);
                let bytes = chunk.bytes_mut();
                bytes.truncate(from);
                bytes.shrink_to_fit();
                chunk.count();
            }
        }
        self.length = length;
    }
}

fn place(at: u64) -> (usize, usize) {
    ((at / CHUNK as u64) as usize, (at % CHUNK as u64) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_once_however_many_share_it_and_given_back() {
        let gauge = Arc::new(Gauge::default());
        let mut first = Data::default();
        first.write(0, &vec![1; 3 * CHUNK], &gauge);
        let one = gauge.bytes();
        assert!(one >= 3 * CHUNK as u64);
        let mut second = first.clone();
        assert_eq!(gauge.bytes(), one);
        second.write(CHUNK as u64 + 5, b"x", &gauge);
        assert!(gauge.bytes() <= one + CHUNK as u64 + 1, "one chunk was copied");
        assert_eq!(first.read(CHUNK as u64 + 5, 1), [1]);
        assert_eq!(second.read(CHUNK as u64 + 4, 3), [1, b'x', 1]);
        drop((first, second));
        assert_eq!(gauge.bytes(), 0);
    }

    #[test]
    fn two_sessions_count_what_they_share_each_as_its_own() {
        let (mine, theirs) = (Arc::new(Gauge::default()), Arc::new(Gauge::default()));
        let mut first = Data::default();
        first.write(0, &vec![1; CHUNK], &mine);
        let mut second = first.of_another(&theirs);
        assert_eq!(mine.bytes(), theirs.bytes());
        second.write(0, b"x", &theirs);
        assert_eq!((first.read(0, 2), second.read(0, 2)), (vec![1, 1], vec![b'x', 1]));
        drop(first);
        assert_eq!(mine.bytes(), 0);
        assert!(theirs.bytes() >= CHUNK as u64);
    }

    #[test]
    fn what_was_never_written_is_zeros_and_takes_nothing() {
        let gauge = Arc::new(Gauge::default());
        let mut data = Data::default();
        data.write(10 * CHUNK as u64 + 3, b"end", &gauge);
        assert!(gauge.bytes() <= CHUNK as u64);
        assert_eq!(data.read(10 * CHUNK as u64 - 2, 9), [0, 0, 0, 0, 0, b'e', b'n', b'd']);
        data.truncate(10 * CHUNK as u64 + 4);
        data.truncate(10 * CHUNK as u64 + 6);
        assert_eq!(data.read(10 * CHUNK as u64 + 3, 9), [b'e', 0, 0]);
    }
}
