use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use perennial_engine::{Area, Bound, EngineConfig, MAX_DEPTH, OpContext, OpError, OpResult, OpTable, OpValue};
use serde_json::{Value, json};

use crate::plugins::{self, PluginModules, PluginSet};

/// The durable values of one session. Implementations are called on executor threads and must not block.
pub trait VarsStore: Send + Sync + 'static {
    /// The value of this name.
    fn get(&self, name: &str) -> Option<Value>;
    /// Whether there is a value of this name.
    fn has(&self, name: &str) -> bool;
    /// A number that changes with every write to this name, removal included.
    fn version(&self, name: &str) -> u64;
    /// Writes a value.
    ///
    /// # Errors
    /// If it does not fit the quota; then nothing has changed.
    fn set(&self, name: &str, value: Value) -> Result<(), VarsError>;
    /// Writes a value if the name still has this version; `false` if it has not.
    ///
    /// # Errors
    /// As [`Self::set`].
    fn replace(&self, name: &str, version: u64, value: Value) -> Result<bool, VarsError>;
    /// Removes a value. `false` if there was none.
    fn delete(&self, name: &str) -> bool;
    /// All names, sorted.
    fn keys(&self) -> Vec<String>;
    /// Removes everything.
    fn clear(&self);
    /// What is held.
    fn usage(&self) -> VarsUsage;
}

/// How much a store may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VarsQuota {
    /// Names.
    pub entries: usize,
    /// Names and values together, as JSON text.
    pub bytes: usize,
}

impl Default for VarsQuota {
    fn default() -> Self {
        Self { entries: 1000, bytes: 16 << 20 }
    }
}

/// How much a store holds, in the units of [`VarsQuota`].
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
        };
        Self::quota(format!("{error}{advice}"), limit as u64, used as u64)
    }
}

/// The default store: lives and dies with its session.
#[derive(Debug, Default)]
pub struct InMemoryVars {
    quota: VarsQuota,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<String, Entry>,
    bytes: usize,
    writes: u64,
    /// When names were last removed; a removed name must not get an old version back.
    removed: u64,
}

#[derive(Debug)]
struct Entry {
    /// As JSON text, which is what the quota counts: a parsed value takes up to seventy times as much.
    json: Box<str>,
    version: u64,
}

impl InMemoryVars {
    /// An empty store.
    pub fn new(quota: VarsQuota) -> Self {
        Self { quota, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, state: &mut State, name: &str, value: &Value) -> Result<(), VarsError> {
        let depth = depth(value);
        if depth > MAX_DEPTH {
            return Err(VarsError::Depth { limit: MAX_DEPTH, used: depth });
        }
        let json = value.to_string().into_boxed_str();
        let bytes = name.len() + json.len();
        let old = state.entries.get(name).map(|entry| name.len() + entry.json.len());
        let entries = state.entries.len() + usize::from(old.is_none());
        let total = state.bytes - old.unwrap_or(0) + bytes;
        if entries > self.quota.entries {
            return Err(VarsError::Entries { limit: self.quota.entries, used: entries });
        }
        if total > self.quota.bytes {
            return Err(VarsError::Bytes { limit: self.quota.bytes, used: total });
        }
        state.writes += 1;
        let entry = Entry { json, version: state.writes };
        state.entries.insert(name.to_owned(), entry);
        state.bytes = total;
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

impl State {
    fn version(&self, name: &str) -> u64 {
        self.entries.get(name).map_or(self.removed, |entry| entry.version)
    }
}

impl VarsStore for InMemoryVars {
    fn get(&self, name: &str) -> Option<Value> {
        let state = self.lock();
        let entry = state.entries.get(name)?;
        // It was written from a value, so it parses.
        serde_json::from_str(&entry.json).ok()
    }

    fn has(&self, name: &str) -> bool {
        self.lock().entries.contains_key(name)
    }

    fn version(&self, name: &str) -> u64 {
        self.lock().version(name)
    }

    fn set(&self, name: &str, value: Value) -> Result<(), VarsError> {
        self.write(&mut self.lock(), name, &value)
    }

    fn replace(&self, name: &str, version: u64, value: Value) -> Result<bool, VarsError> {
        let mut state = self.lock();
        if state.version(name) != version {
            return Ok(false);
        }
        self.write(&mut state, name, &value).map(|()| true)
    }

    fn delete(&self, name: &str) -> bool {
        let mut state = self.lock();
        let Some(entry) = state.entries.remove(name) else { return false };
        state.bytes -= name.len() + entry.json.len();
        state.writes += 1;
        state.removed = state.writes;
        true
    }

    fn keys(&self) -> Vec<String> {
        self.lock().entries.keys().cloned().collect()
    }

    fn clear(&self) {
        let mut state = self.lock();
        state.entries.clear();
        state.bytes = 0;
        state.writes += 1;
        state.removed = state.writes;
    }

    fn usage(&self) -> VarsUsage {
        let state = self.lock();
        VarsUsage { entries: state.entries.len(), bytes: state.bytes }
    }
}

// ---- what scripts see -------------------------------------------------------------------------------------------------

/// The session's store, as ops find it.
pub(crate) struct SessionVars(pub(crate) Arc<dyn VarsStore>);

fn store(context: &OpContext) -> Result<Arc<dyn VarsStore>, OpError> {
    match context.extensions.get::<SessionVars>() {
        Some(vars) => Ok(vars.0.clone()),
        None => Err(OpError::permission("vars", "a session")),
    }
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

fn ops() -> OpTable {
    OpTable::new()
        .sync("vars_get", Bound::SMALL, |context, args| {
            Ok(store(context)?.get(name(&args)?).map_or(OpValue::Undefined, OpValue::Json))
        })
        .sync("vars_has", Bound::SMALL, |context, args| Ok(json!(store(context)?.has(name(&args)?)).into()))
        .sync("vars_version", Bound::SMALL, |context, args| Ok(json!(store(context)?.version(name(&args)?)).into()))
        .sync("vars_set", Bound::DATA.with_values_from(1), |context, mut args| {
            let value = value(&mut args, 1)?;
            store(context)?.set(name(&args)?, value)?;
            Ok(OpValue::Undefined)
        })
        .sync("vars_replace", Bound::DATA.with_values_from(2), |context, mut args| {
            let next = value(&mut args, 2)?;
            let version = args.get(1).and_then(OpValue::as_f64).unwrap_or(-1.0) as u64;
            Ok(json!(store(context)?.replace(name(&args)?, version, next)?).into())
        })
        .sync("vars_delete", Bound::SMALL, |context, args| Ok(json!(store(context)?.delete(name(&args)?)).into()))
        .sync("vars_keys", Bound::SMALL, |context, _| Ok(json!(store(context)?.keys()).into()))
        .sync("vars_clear", Bound::SMALL, |context, _| -> OpResult {
            store(context)?.clear();
            Ok(OpValue::Undefined)
        })
}

/// An engine configuration for sessions: `vars`, and what else the embedder adds. Make it once and clone it; a session that is
/// called with another one rebuilds its VM.
///
/// ```
/// use perennial_sessions::{Area, Bound, OpTable, session_config};
/// let ops = OpTable::new().sync("roll", Bound::SMALL, |_, _| Ok(serde_json::json!(4).into()));
/// let config = session_config(ops, vec![Area::new("dice", &["roll"], "((ops) => ({ roll: () => ops.roll() }))")]);
/// # let _ = config;
/// ```
pub fn session_config(more: OpTable, areas: Vec<Area>) -> EngineConfig {
    with_plugins(&PluginSet::empty(), more, areas)
}

/// The configuration of sessions with these plugins.
pub(crate) fn config_with(plugins: &PluginSet) -> EngineConfig {
    with_plugins(plugins, OpTable::new(), Vec::new())
}

fn with_plugins(plugins: &PluginSet, more: OpTable, mut areas: Vec<Area>) -> EngineConfig {
    areas.insert(0, Area::new("vars", &["vars"], include_str!("../js/vars.js")));
    areas.extend(perennial_stdlib::areas());
    areas.insert(1, Area::new("tools", &["tools"], include_str!("../js/tools.js")));
    let ops = ops()
        .merge(plugins::ops(plugins))
        .merge(perennial_stdlib::ops(&plugins.net(), &plugins.commands()))
        .merge(more);
    EngineConfig::new(ops, areas).with_modules(Arc::new(PluginModules(plugins.clone())))
}
