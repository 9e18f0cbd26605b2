//! The values of a session as a value: cloning them is a snapshot.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use perennial_protocol::ChangeKind;

use super::limits::{VarsError, VarsQuota};

#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) entries: Entries,
    pub(super) gauge: Arc<Gauge>,
    /// What there would be without the run that is under way, where somebody wants to know: as it was, with what the host has written since.
    pub(super) base: Option<Entries>,
    /// Counts runs, and what was undone.
    pub(super) generation: u64,
    /// What belongs to a run before this one may change nothing any more.
    pub(super) since: u64,
    pub(super) has_ended: bool,
    pub(super) writes: u64,
    /// When names were last removed; a removed name must not get an old version back.
    pub(super) removed: u64,
}

/// Persistent: a clone is a snapshot, and writing to one of two costs what it changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    pub(super) map: OrdMap<Arc<str>, Entry>,
    pub(super) bytes: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) text: Arc<Text>,
    pub(super) version: u64,
}

/// Whether they are one, not whether they look alike: what two states share is found without looking into it.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.text, &other.text)
    }
}

/// Bytes of all names and texts of one session, whoever holds them: its values, and snapshots of them.
#[derive(Debug, Default)]
pub(super) struct Gauge(AtomicUsize);

impl Gauge {
    fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one session has of a value. Another, forked from it, may share the text; each counts it as its own, its name with it.
#[derive(Debug)]
pub(super) struct Text {
    /// As JSON text, which is what the quota counts: a parsed value takes up to seventy times as much.
    pub(super) json: Arc<str>,
    counted: usize,
    gauge: Arc<Gauge>,
}

impl Text {
    pub(super) fn new(name: &str, json: Arc<str>, gauge: &Arc<Gauge>) -> Arc<Self> {
        let counted = name.len() + json.len();
        gauge.0.fetch_add(counted, Ordering::Relaxed);
        Arc::new(Self { json, counted, gauge: gauge.clone() })
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        self.gauge.0.fetch_sub(self.counted, Ordering::Relaxed);
    }
}

/// All values of a session at one moment. Cheap: it shares what does not change later.
#[derive(Clone, Debug)]
pub(crate) struct VarsSnapshot {
    pub(super) entries: Entries,
    pub(super) writes: u64,
}

impl VarsSnapshot {
    /// Names whose values differ in a later one, in order.
    pub(crate) fn changes_to(&self, later: &Self) -> Vec<(String, ChangeKind)> {
        let differs = self.entries.map.diff(&later.entries.map).filter_map(|difference| match difference {
            DiffItem::Add(name, _) => Some((name.to_string(), ChangeKind::Created)),
            DiffItem::Remove(name, _) => Some((name.to_string(), ChangeKind::Removed)),
            DiffItem::Update { old: (_, old), new: (name, new) } => {
                (old.text.json != new.text.json).then(|| (name.to_string(), ChangeKind::Modified))
            }
        });
        differs.collect()
    }
}

/// Who writes: the host, or what belongs to a run.
#[derive(Clone, Copy)]
pub(super) enum Writer {
    Host,
    Run(u64),
}

impl Values {
    pub(super) fn version(&self, name: &str) -> u64 {
        self.entries.map.get(name).map_or(self.removed, |entry| entry.version)
    }

    /// Whether the writer may still write.
    pub(super) fn check(&self, writer: Writer) -> Result<(), VarsError> {
        match writer {
            Writer::Run(run) if run < self.since => Err(VarsError::Over),
            Writer::Host if self.has_ended => Err(VarsError::Ended),
            Writer::Run(_) | Writer::Host => Ok(()),
        }
    }

    /// Whether there is memory for what is about to be written: as much as may be held, as much that can be undone, and as much for checkpoints.
    pub(super) fn check_memory(&self, quota: &VarsQuota) -> Result<(), VarsError> {
        let (limit, used) = (quota.bytes.saturating_mul(3), self.gauge.bytes());
        if used <= limit { Ok(()) } else { Err(VarsError::Memory { limit, used }) }
    }

    /// What a write goes to: the values, and if it is the host's those that stay when the run is undone.
    pub(super) fn written_by(&mut self, writer: Writer) -> impl Iterator<Item = &mut Entries> {
        let base = self.base.as_mut().filter(|_| matches!(writer, Writer::Host));
        std::iter::once(&mut self.entries).chain(base)
    }

    pub(super) fn next_generation(&mut self) {
        self.generation += 1;
        self.since = self.generation;
    }

    pub(super) fn forget_versions(&mut self) {
        self.writes += 1;
        self.removed = self.writes;
    }
}

impl Entries {
    pub(super) fn size(name: &str, entry: &Entry) -> usize {
        name.len() + entry.text.json.len()
    }

    pub(super) fn check(&self, quota: &VarsQuota, name: &str, entry: &Entry) -> Result<(), VarsError> {
        let old = self.map.get(name).map(|old| Self::size(name, old));
        let entries = self.map.len() + usize::from(old.is_none());
        let bytes = self.bytes - old.unwrap_or(0) + Self::size(name, entry);
        if entries > quota.entries {
            return Err(VarsError::Entries { limit: quota.entries, used: entries });
        }
        if bytes > quota.bytes {
            return Err(VarsError::Bytes { limit: quota.bytes, used: bytes });
        }
        Ok(())
    }

    pub(super) fn insert(&mut self, name: Arc<str>, entry: Entry) {
        self.remove(&name);
        self.bytes += Self::size(&name, &entry);
        self.map.insert(name, entry);
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Some(entry) = self.map.remove(name) {
            self.bytes -= Self::size(name, &entry);
        }
    }
}
