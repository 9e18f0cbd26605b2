//! Who has which sessions: owners, names, records, and the ends that are remembered. Knows no VM and no provision.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Instant, SystemTime};

use compact_str::CompactString;
use dashmap::DashMap;
use dashmap::mapref::entry::{Entry, VacantEntry};
use perennial_protocol::{EndReason, ErrorKind, ScriptError};

use crate::custody::{Custody, ThreadsOut};
use crate::key::SessionKey;
use crate::lock::lock;
use crate::provision::Slots;
use crate::record::Record;
use crate::tombstones::Tombstones;

/// Owners other than the local one are many and have few sessions each.
const SHARDS: usize = 2;

/// What one owner may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnerLimits {
    /// Sessions at a time. One more is refused as `busy`.
    pub sessions: usize,
    /// Threads of its runs that have not come back from built-ins that cannot be stopped, a second after their runs were answered. With as many as this its
    /// runs are `busy` until one is back, and nobody else's. A brake: those that began before are not counted.
    pub stuck_threads: usize,
}

impl OwnerLimits {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

impl Default for OwnerLimits {
    fn default() -> Self {
        Self { sessions: 1000, stuck_threads: 8 }
    }
}

/// What there is of one owner.
pub(crate) struct OwnerState {
    name: Arc<str>,
    /// None for the local one.
    limits: Option<OwnerLimits>,
    /// By name; short names lie in the map itself, where looking one up costs no further cache miss.
    sessions: DashMap<CompactString, Arc<Record>>,
    /// How many there are, where there is a limit: the map cannot be asked while a part of it is locked.
    count: AtomicUsize,
    tombstones: Mutex<Tombstones>,
    /// Of sessions that ended with their VM in flight: a successor waits for it.
    custodies: Mutex<HashMap<String, Weak<Custody>>>,
    threads_out: Arc<ThreadsOut>,
    /// Counts checkpoints: a session must not take an id for its own that one of the same name had before it.
    numbers: Arc<AtomicU64>,
}

impl OwnerState {
    fn new(name: Arc<str>, limits: Option<OwnerLimits>) -> Arc<Self> {
        Arc::new(Self {
            name,
            sessions: if limits.is_some() { DashMap::with_shard_amount(SHARDS) } else { DashMap::new() },
            limits,
            count: AtomicUsize::new(0),
            tombstones: Mutex::new(Tombstones::new(limits.map_or(usize::MAX, |limits| limits.sessions))),
            custodies: Mutex::default(),
            threads_out: Arc::new(ThreadsOut::new(limits.map(|limits| limits.stuck_threads))),
            numbers: Arc::default(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A session of this name and owner.
    pub(crate) fn key(&self, name: &str) -> SessionKey {
        SessionKey::new(self.name.clone(), name)
    }

    pub(crate) fn len(&self) -> usize {
        self.sessions.len()
    }

    pub(crate) fn records(&self) -> Vec<Arc<Record>> {
        self.sessions.iter().map(|entry| entry.value().clone()).collect()
    }

    /// The record of this name, pinned, if there is one.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Record>> {
        let entry = self.sessions.get(name)?;
        entry.pin();
        Some(entry.value().clone())
    }

    /// The record of this name, pinned, and whether it was made just now. One that the owner may not have is in no map, and refuses what it is asked.
    pub(crate) fn acquire(&self, name: &str, now: &dyn Fn() -> Instant) -> (Arc<Record>, bool) {
        if let Some(record) = self.find(name) {
            return (record, false);
        }
        match self.sessions.entry(name.into()) {
            Entry::Occupied(entry) => {
                entry.get().pin();
                (entry.get().clone(), false)
            }
            Entry::Vacant(entry) => {
                let now = now();
                match self.add(entry, now, Slots::new()) {
                    Ok(record) => (record, true),
                    Err(_) => (self.outside(name, now, Some(self.full())), false),
                }
            }
        }
    }

    /// Makes a session that has something from the start, pinned. With an error there is one of this name, or the owner may have no more; then what it would
    /// have had comes back.
    pub(crate) fn make(&self, name: &str, now: Instant, provided: Slots) -> Result<Arc<Record>, (ScriptError, Slots)> {
        let Entry::Vacant(entry) = self.sessions.entry(name.into()) else {
            return Err((ScriptError::invalid_request(format!("there is a session {name:?} already")), provided));
        };
        self.add(entry, now, provided).map_err(|provided| (self.full(), provided))
    }

    fn add(
        &self,
        entry: VacantEntry<'_, CompactString, Arc<Record>>,
        now: Instant,
        provided: Slots,
    ) -> Result<Arc<Record>, Slots> {
        if !self.take_place() {
            return Err(provided);
        }
        let name = entry.key().as_str();
        let replaces = lock(&self.tombstones).get(name, now).map(|(reason, _)| reason);
        let custody = lock(&self.custodies).remove(name).and_then(|custody| custody.upgrade());
        let custody = custody.unwrap_or_else(|| Custody::new(self.threads_out.clone()));
        let record = Record::new(self.key(name), now, replaces, custody, None, provided, self.numbers.clone());
        record.pin();
        entry.insert(record.clone());
        Ok(record)
    }

    /// A record that is in no map, pinned, because the table is gone or the owner may have no more. It has ended before it began, and takes nothing from
    /// those that are.
    pub(crate) fn outside(&self, name: &str, now: Instant, refused: Option<ScriptError>) -> Arc<Record> {
        let custody = Custody::new(self.threads_out.clone());
        let record = Record::new(
            SessionKey::new(self.name.clone(), name),
            now,
            None,
            custody,
            refused,
            Slots::new(),
            self.numbers.clone(),
        );
        record.pin();
        record.mark_ended(EndReason::TableDropped);
        record
    }

    fn take_place(&self) -> bool {
        let Some(limits) = &self.limits else { return true };
        let more = |count: usize| (count < limits.sessions).then_some(count + 1);
        self.count.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    /// Ends the session of this name if there is one and `condition` holds. One step for whoever looks the name up: the session is in the map, or it has
    /// ended and its successor knows of it.
    pub(crate) fn end_if(
        &self,
        name: &str,
        reason: EndReason,
        (at, wall): (Instant, SystemTime),
        condition: impl FnOnce(&Arc<Record>) -> bool,
    ) -> Option<Arc<Record>> {
        let ended = self.sessions.remove_if(name, |_, record| {
            let end = condition(record);
            if end && record.mark_ended(reason) {
                lock(&self.tombstones).add(name.to_owned(), reason, (at, wall));
                if record.is_running() {
                    let mut custodies = lock(&self.custodies);
                    if custodies.len() > 64 {
                        custodies.retain(|_, custody| custody.strong_count() > 0);
                    }
                    custodies.insert(name.to_owned(), Arc::downgrade(&record.custody));
                }
            }
            if end && self.limits.is_some() {
                self.count.fetch_sub(1, Ordering::AcqRel);
            }
            end
        });
        ended.map(|(_, record)| record)
    }

    /// Why and when the last session of this name ended, if that is known.
    pub(crate) fn ended(&self, name: &str, now: Instant) -> Option<(EndReason, SystemTime)> {
        lock(&self.tombstones).get(name, now)
    }

    /// Lets the map give back what a spike made it take.
    pub(crate) fn shrink(&self) {
        let (length, capacity) = (self.sessions.len(), self.sessions.capacity());
        if capacity > 1024 && length < capacity / 4 {
            self.sessions.shrink_to_fit();
        }
    }

    /// Why no session of this owner's may be made.
    fn full(&self) -> ScriptError {
        let most = self.limits.map_or(0, |limits| limits.sessions);
        let message = format!(
            "there are {most} sessions already, as many as may be; nothing ran, end one or use one that is there"
        );
        ScriptError::new(ErrorKind::Busy, message).with_limit(most as u64, most as u64 + 1)
    }

    /// Whether somebody who asks for the owner later finds the same without it being kept.
    fn is_forgotten(&self, now: Instant) -> bool {
        self.sessions.is_empty()
            && lock(&self.tombstones).is_empty(now)
            && self.threads_out.is_empty()
            && lock(&self.custodies).values().all(|custody| custody.strong_count() == 0)
    }
}

/// All owners.
pub(crate) struct Owners {
    local: Arc<OwnerState>,
    limits: OwnerLimits,
    others: Mutex<Others>,
}

#[derive(Default)]
struct Others {
    by_name: HashMap<Arc<str>, Arc<OwnerState>>,
    /// How many there may be before those are looked for that nothing is left of.
    look_at: usize,
}

impl Owners {
    pub(crate) fn new(limits: OwnerLimits) -> Self {
        Self { local: OwnerState::new("".into(), None), limits, others: Mutex::default() }
    }

    pub(crate) fn local(&self) -> &Arc<OwnerState> {
        &self.local
    }

    /// The owner of this name; nobody's is the local one.
    pub(crate) fn get(&self, name: &str, now: Instant) -> Arc<OwnerState> {
        if name.is_empty() {
            return self.local.clone();
        }
        let mut others = lock(&self.others);
        if let Some(owner) = others.by_name.get(name) {
            return owner.clone();
        }
        if others.by_name.len() >= others.look_at.max(64) {
            // Under the lock nobody else gets hold of one.
            others.by_name.retain(|_, owner| Arc::strong_count(owner) > 1 || !owner.is_forgotten(now));
            others.by_name.shrink_to_fit();
            others.look_at = others.by_name.len() * 2;
        }
        let name: Arc<str> = name.into();
        let owner = OwnerState::new(name.clone(), Some(self.limits));
        others.by_name.insert(name, owner.clone());
        owner
    }

    /// The owner of this name, which has a session.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<OwnerState>> {
        if name.is_empty() { Some(self.local.clone()) } else { lock(&self.others).by_name.get(name).cloned() }
    }

    pub(crate) fn all(&self) -> Vec<Arc<OwnerState>> {
        std::iter::once(self.local.clone()).chain(lock(&self.others).by_name.values().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn owners_of_whom_nothing_is_left_are_forgotten() {
        let owners = Owners::new(OwnerLimits::default());
        let (start, wall) = (Instant::now(), SystemTime::now());
        let kept = owners.get("kept", start);
        let (record, is_new) = owners.get("busy", start).acquire("s", &|| start);
        assert!(is_new);
        let ended = owners.get("ended", start);
        drop(ended.acquire("s", &|| start));
        assert!(ended.end_if("s", EndReason::Removed, (start, wall), |_| true).is_some());
        drop(ended);
        for i in 0..10_000 {
            owners.get(&format!("owner {i}"), start);
        }
        let names = || lock(&owners.others).by_name.len();
        assert!(names() < 200, "{}", names());
        assert!(Arc::ptr_eq(&kept, &owners.get("kept", start)));
        assert!(Arc::ptr_eq(&record, &owners.get("busy", start).acquire("s", &|| start).0));
        assert!(owners.get("ended", start).ended("s", start).is_some());
        let later = start + Duration::from_secs(3600);
        for i in 0..200 {
            owners.get(&format!("later {i}"), later);
        }
        assert!(!lock(&owners.others).by_name.contains_key("ended"));
    }
}
