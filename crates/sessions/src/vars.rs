use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use imbl::OrdMap;
use perennial_engine::{Area, Bound, MAX_DEPTH, OpContext, OpError, OpResult, OpTable, OpValue};
use serde_json::{Value, json};

/// How much `vars` may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VarsQuota {
    /// Names.
    pub entries: usize,
    /// Names and values together, as JSON text.
    pub bytes: usize,
}

impl VarsQuota {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

impl Default for VarsQuota {
    fn default() -> Self {
        Self { entries: 1000, bytes: 16 << 20 }
    }
}

/// How much `vars` hold, in the units of [`VarsQuota`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VarsUsage {
    /// Names.
    pub entries: usize,
    /// Names and values together, as JSON text.
    pub bytes: usize,
}

/// A write that the quota refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VarsError {
    /// Too many names.
    Entries {
        /// The quota.
        limit: usize,
        /// What there would have been.
        used: usize,
    },
    /// Too many bytes.
    Bytes {
        /// The quota.
        limit: usize,
        /// What there would have been.
        used: usize,
    },
    /// The run that it belongs to is over.
    Over,
    /// The session has ended.
    Ended,
    /// A value nested too deep to be read again.
    Depth {
        /// The deepest allowed.
        limit: usize,
        /// What there would have been.
        used: usize,
    },
}

impl std::fmt::Display for VarsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Entries { limit, used } => write!(f, "vars may hold {limit} names and would hold {used}"),
            Self::Bytes { limit, used } => write!(f, "vars may hold {limit} bytes and would hold {used}"),
            Self::Ended => f.write_str("the session has ended, and with it its vars"),
            Self::Over => f.write_str(
                "the run that this belongs to is over, and its changes were undone or another run has begun",
            ),
            Self::Depth { limit, used } => write!(f, "a var may be nested {limit} levels deep and would be {used}"),
        }
    }
}

impl std::error::Error for VarsError {}

impl From<VarsError> for OpError {
    fn from(error: VarsError) -> Self {
        let (advice, limit, used) = match error {
            VarsError::Entries { limit, used } | VarsError::Bytes { limit, used } => {
                (": delete some first", limit, used)
            }
            VarsError::Depth { limit, used } => ("", limit, used),
            VarsError::Over | VarsError::Ended => return Self::new("PermissionError", error.to_string()),
        };
        Self::quota(format!("{error}{advice}"), limit as u64, used as u64)
    }
}

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

#[derive(Debug, Default)]
struct Values {
    entries: Entries,
    /// What there would be without the run that is under way, where somebody wants to know: as it was, with what the host has written since.
    base: Option<Entries>,
    /// Counts runs, and what was undone.
    generation: u64,
    /// What belongs to a run before this one may change nothing any more.
    since: u64,
    has_ended: bool,
    writes: u64,
    /// When names were last removed; a removed name must not get an old version back.
    removed: u64,
}

/// Persistent: a clone is a snapshot, and writing to one of two costs what it changes.
#[derive(Clone, Debug, Default)]
struct Entries {
    map: OrdMap<Arc<str>, Entry>,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    /// As JSON text, which is what the quota counts: a parsed value takes up to seventy times as much.
    json: Arc<str>,
    version: u64,
}

/// Who writes: the host, or what belongs to a run.
#[derive(Clone, Copy)]
enum Writer {
    Host,
    Run(u64),
}

impl Vars {
    /// No values yet.
    pub fn new(quota: VarsQuota) -> Self {
        Self { quota, state: Mutex::default() }
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<Value> {
        let json = self.lock().entries.map.get(name)?.json.clone();
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
        let json: Arc<str> = value.to_string().into();
        let mut state = self.lock();
        state.check(writer)?;
        if version.is_some_and(|version| version != state.version(name)) {
            return Ok(false);
        }
        let entry = Entry { json, version: state.writes + 1 };
        for entries in state.written_by(writer) {
            entries.check(&self.quota, name, &entry)?;
        }
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

impl Values {
    fn version(&self, name: &str) -> u64 {
        self.entries.map.get(name).map_or(self.removed, |entry| entry.version)
    }

    /// Whether the writer may still write.
    fn check(&self, writer: Writer) -> Result<(), VarsError> {
        match writer {
            Writer::Run(run) if run < self.since => Err(VarsError::Over),
            Writer::Host if self.has_ended => Err(VarsError::Ended),
            Writer::Run(_) | Writer::Host => Ok(()),
        }
    }

    /// What a write goes to: the values, and if it is the host's those that stay when the run is undone.
    fn written_by(&mut self, writer: Writer) -> impl Iterator<Item = &mut Entries> {
        let base = self.base.as_mut().filter(|_| matches!(writer, Writer::Host));
        std::iter::once(&mut self.entries).chain(base)
    }

    fn next_generation(&mut self) {
        self.generation += 1;
        self.since = self.generation;
    }

    fn forget_versions(&mut self) {
        self.writes += 1;
        self.removed = self.writes;
    }
}

impl Entries {
    fn size(name: &str, entry: &Entry) -> usize {
        name.len() + entry.json.len()
    }

    fn check(&self, quota: &VarsQuota, name: &str, entry: &Entry) -> Result<(), VarsError> {
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

    fn insert(&mut self, name: Arc<str>, entry: Entry) {
        self.remove(&name);
        self.bytes += Self::size(&name, &entry);
        self.map.insert(name, entry);
    }

    fn remove(&mut self, name: &str) {
        if let Some(entry) = self.map.remove(name) {
            self.bytes -= Self::size(name, &entry);
        }
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

// ---- what scripts see -------------------------------------------------------------------------------------------------

/// The global that scripts find them by.
pub(crate) fn area() -> Area {
    static AREA: LazyLock<Area> = LazyLock::new(|| Area::new("vars", &["vars"], include_str!("../js/vars.js")));
    AREA.clone()
}

fn view(context: &OpContext) -> Result<Arc<VarsView>, OpError> {
    context.extensions.get::<VarsView>().ok_or_else(|| OpError::permission("vars", "a session"))
}

fn name(args: &[OpValue]) -> Result<&str, OpError> {
    args.first().and_then(OpValue::as_str).ok_or_else(|| OpError::type_error("the name of a var is a string"))
}

fn value(args: &mut Vec<OpValue>, index: usize) -> Result<Value, OpError> {
    match (args.len() > index).then(|| args.swap_remove(index)) {
        Some(OpValue::Json(value)) => Ok(value),
        Some(OpValue::Bytes(bytes)) => Ok(perennial_engine::bytes_to_json(&bytes)),
        Some(OpValue::Undefined) | None => {
            Err(OpError::type_error("undefined is no value for a var: use vars.delete(name) to remove it"))
        }
    }
}

pub(crate) fn ops() -> OpTable {
    OpTable::new()
        .sync("vars_get", Bound::SMALL, |context, args| {
            Ok(view(context)?.vars.get(name(&args)?).map_or(OpValue::Undefined, OpValue::Json))
        })
        .sync("vars_has", Bound::SMALL, |context, args| Ok(json!(view(context)?.vars.has(name(&args)?)).into()))
        .sync("vars_version", Bound::SMALL, |context, args| Ok(json!(view(context)?.vars.version(name(&args)?)).into()))
        .sync("vars_set", Bound::DATA.with_values_from(1), |context, mut args| {
            let value = value(&mut args, 1)?;
            let view = view(context)?;
            view.vars.write(view.writer(), name(&args)?, None, &value)?;
            Ok(OpValue::Undefined)
        })
        .sync("vars_replace", Bound::DATA.with_values_from(2), |context, mut args| {
            let next = value(&mut args, 2)?;
            let version = args.get(1).and_then(OpValue::as_f64).unwrap_or(-1.0) as u64;
            let view = view(context)?;
            Ok(json!(view.vars.write(view.writer(), name(&args)?, Some(version), &next)?).into())
        })
        .sync("vars_delete", Bound::SMALL, |context, args| {
            let view = view(context)?;
            Ok(json!(view.vars.remove(view.writer(), name(&args)?)?).into())
        })
        .sync("vars_keys", Bound::SMALL, |context, _| Ok(json!(view(context)?.vars.keys()).into()))
        .sync("vars_clear", Bound::SMALL, |context, _| -> OpResult {
            let view = view(context)?;
            view.vars.remove_all(view.writer())?;
            Ok(OpValue::Undefined)
        })
}
