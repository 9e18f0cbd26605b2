mod entries;
mod limits;
pub(crate) mod ops;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use perennial_engine::MAX_DEPTH;
use serde_json::Value;

pub(crate) use self::entries::VarsSnapshot;
use self::entries::{Entries, Entry, Text, Values, Writer};
pub use self::limits::{VarsError, VarsQuota, VarsUsage};

/// Bytes of a name: all that is done with one can be asked by it.
const MAX_NAME: usize = 4 << 10;

/// The durable values of one session: they outlive every VM and end with the session. The host may read and write them at any time, a script that runs
/// or not.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use perennial_sessions::{RunRequest, SessionTable};
/// use std::time::Duration;
/// let table = SessionTable::new(10, Duration::from_secs(60));
/// table.vars("ada").set("visits", serde_json::json!(41))?;
/// table.run("ada", RunRequest::new("vars.update('visits', (n) => n + 1)")).await;
/// assert_eq!(table.vars("ada").get("visits"), Some(serde_json::json!(42)));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Vars {
    quota: VarsQuota,
    state: Mutex<Values>,
}

impl Vars {
    /// No values yet.
    pub fn new(quota: VarsQuota) -> Self {
        Self { quota, state: Mutex::default() }
    }

    /// Those of another session, the same at first.
    pub(crate) fn of(quota: VarsQuota, snapshot: &VarsSnapshot) -> Self {
        let vars = Self::new(quota);
        let mut state = vars.lock();
        let own = |(name, entry): (&Arc<str>, &Entry)| {
            let text = Text::new(name, entry.text.json.clone(), &state.gauge);
            (name.clone(), Entry { text, version: entry.version })
        };
        let map = snapshot.entries.map.iter().map(own).collect();
        state.entries = Entries { map, bytes: snapshot.entries.bytes };
        (state.writes, state.removed) = (snapshot.writes, snapshot.writes);
        drop(state);
        vars
    }

    pub(crate) fn snapshot(&self) -> VarsSnapshot {
        let state = self.lock();
        VarsSnapshot { entries: state.entries.clone(), writes: state.writes }
    }

    /// Makes everything as it was. With `for_good`, what belongs to an earlier run may change nothing any more; otherwise the run that is under way goes on,
    /// and if it is undone, so is this.
    pub(crate) fn roll_back(&self, snapshot: &VarsSnapshot, for_good: bool) {
        let mut state = self.lock();
        let old = std::mem::replace(&mut state.entries, snapshot.entries.clone());
        state.forget_versions();
        if for_good {
            state.next_generation();
        }
        drop(state);
        drop(old);
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<Value> {
        let json = self.lock().entries.map.get(name)?.text.json.clone();
        // It was written from a value, so it parses.
        serde_json::from_str(&json).ok()
    }

    /// Whether there is a value of this name.
    pub fn has(&self, name: &str) -> bool {
        self.lock().entries.map.contains_key(name)
    }

    /// A number that changes with every write to this name, removal included.
    pub fn version(&self, name: &str) -> u64 {
        self.lock().version(name)
    }

    /// Writes a value. It stays if the run that is under way is undone.
    ///
    /// # Errors
    /// If it does not fit the quota, with or without what that run has done, or if the session has ended; then nothing has changed.
    pub fn set(&self, name: &str, value: Value) -> Result<(), VarsError> {
        self.write(Writer::Host, name, None, &value).map(drop)
    }

    /// Writes a value if the name still has this version; `false` if it has not.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub fn replace(&self, name: &str, version: u64, value: Value) -> Result<bool, VarsError> {
        self.write(Writer::Host, name, Some(version), &value)
    }

    /// Removes a value. `false` if there was none, or the session has ended.
    pub fn delete(&self, name: &str) -> bool {
        self.remove(Writer::Host, name).unwrap_or(false)
    }

    /// Removes everything.
    pub fn clear(&self) {
        // Once the session has ended there is nothing to remove.
        let _ = self.remove_all(Writer::Host);
    }

    /// All names, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.lock().entries.map.keys().map(|name| name.to_string()).collect()
    }

    /// What is held.
    pub fn usage(&self) -> VarsUsage {
        let state = self.lock();
        VarsUsage { entries: state.entries.map.len(), bytes: state.entries.bytes }
    }

    /// For a run that begins: those of earlier runs can change nothing from here on. With `track`, what it changes is told from what the host writes
    /// meanwhile.
    pub(crate) fn begin(self: &Arc<Self>, track: bool) -> VarsView {
        let mut state = self.lock();
        let before = state.since;
        state.next_generation();
        state.base = track.then(|| state.entries.clone());
        VarsView { vars: self.clone(), run: state.generation, before }
    }

    /// The session has ended: the host can write no more, since nobody would ever read it.
    pub(crate) fn end(&self) {
        self.lock().has_ended = true;
    }

    fn lock(&self) -> MutexGuard<'_, Values> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, writer: Writer, name: &str, version: Option<u64>, value: &Value) -> Result<bool, VarsError> {
        let depth = depth(value);
        if depth > MAX_DEPTH {
            return Err(VarsError::Depth { limit: MAX_DEPTH, used: depth });
        }
        if name.len() > MAX_NAME {
            return Err(VarsError::Name { limit: MAX_NAME, used: name.len() });
        }
        let json: Arc<str> = value.to_string().into();
        let mut state = self.lock();
        state.check(writer)?;
        if version.is_some_and(|version| version != state.version(name)) {
            return Ok(false);
        }
        let entry = Entry { text: Text::new(name, json, &state.gauge), version: state.writes + 1 };
        for entries in state.written_by(writer) {
            entries.check(&self.quota, name, &entry)?;
        }
        state.check_memory(&self.quota)?;
        let name: Arc<str> = name.into();
        for entries in state.written_by(writer) {
            entries.insert(name.clone(), entry.clone());
        }
        state.writes += 1;
        Ok(true)
    }

    fn remove(&self, writer: Writer, name: &str) -> Result<bool, VarsError> {
        let mut state = self.lock();
        state.check(writer)?;
        let had = state.entries.map.contains_key(name);
        for entries in state.written_by(writer) {
            entries.remove(name);
        }
        if had {
            state.forget_versions();
        }
        Ok(had)
    }

    fn remove_all(&self, writer: Writer) -> Result<(), VarsError> {
        let mut state = self.lock();
        state.check(writer)?;
        for entries in state.written_by(writer) {
            *entries = Entries::default();
        }
        state.forget_versions();
        Ok(())
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// What one run and its callbacks may do to their session's values: anything, until the next run begins. Ops find it by its type.
#[derive(Clone)]
pub(crate) struct VarsView {
    vars: Arc<Vars>,
    run: u64,
    /// What could still write before this run.
    before: u64,
}

impl VarsView {
    /// The run has not begun after all: what could write before it can again.
    pub(crate) fn withdraw(&self) {
        let mut state = self.vars.lock();
        if state.generation == self.run {
            state.since = self.before;
            state.base = None;
        }
    }

    fn writer(&self) -> Writer {
        Writer::Run(self.run)
    }

    /// Ends what [`Vars::begin`] has begun to track, once. With `undo`, what this run has changed is undone, and nothing of what the host has written
    /// meanwhile.
    pub(crate) fn settle(&self, undo: bool) {
        let mut state = self.vars.lock();
        if state.generation != self.run {
            return;
        }
        let Some(base) = state.base.take().filter(|_| undo) else { return };
        let old = std::mem::replace(&mut state.entries, base);
        state.next_generation();
        // A name that the run has made must not keep the version that it was seen with.
        state.forget_versions();
        drop(state);
        drop(old);
    }
}
