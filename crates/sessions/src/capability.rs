//! What plugins may ask for, which provisions declare and plugins are granted.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

/// Something that plugins may ask for in their `allow`, and then find in their `ctx`. A provision declares it with
/// [`Library::capability`](crate::Library::capability).
///
/// A plugin has what it asks for only within what the operator grants, and its calls carry its name, whatever script calls its tools. What stands in `ctx` is
/// made of that name by library JavaScript: the value [`Self::maker`] of an area of the same provision, which scripts cannot reach.
///
/// `examples/own_provision.rs` has one.
pub trait Capability: Send + Sync + 'static {
    /// What one plugin is granted, for the ops that serve it.
    type Grant: Send + Sync + 'static;

    /// Its key in `allow`, of plugins and of the operator.
    fn key(&self) -> &'static str;

    /// Its key in `ctx`.
    fn context_key(&self) -> &'static str {
        self.key()
    }

    /// An internal of an area: a function of the plugin's name that makes what stands in its `ctx`. It is called once in a VM for each plugin that looks.
    fn maker(&self) -> &'static str;

    /// Says what is wrong with what is asked for or granted. Each problem begins with the path to it below the key: `[0]: not a text`.
    ///
    /// # Errors
    /// Everything that is wrong. What does not parse is never taken for less.
    fn check(&self, asked: &Value) -> Result<(), Vec<String>>;

    /// What is asked for, one by one, for people. Nothing: nothing is asked for.
    fn items(&self, asked: &Value) -> Vec<String>;

    /// What of `asked` is within the most that an operator grants, and what is not. Both have passed [`Self::check`].
    fn within(&self, asked: &Value, most: &Value) -> (Value, Value);

    /// Makes the grant of one plugin, of what is within.
    ///
    /// # Errors
    /// A sentence: the plugin cannot be used.
    fn grant(&self, granted: &Value, most: &Value, host: &PluginHost<'_>) -> Result<Self::Grant, String>;

    /// What an embedder's [`Capabilities`](crate::Capabilities) serves of it, in place of the library; nothing, if it cannot. One method that is called as
    /// the key in `ctx` is what stands there; others are methods of what stands there.
    fn methods(&self) -> &'static [&'static str] {
        &[]
    }
}

/// What of the host grants are made with.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PluginHost<'a> {
    /// Where variables of commands come from.
    pub environment: &'a BTreeMap<String, String>,
    /// What relative paths are relative to.
    pub base: &'a Path,
}

/// The grants of one capability, by plugin.
pub type Grants<T> = BTreeMap<String, Arc<T>>;

/// A grant whose type only its capability knows.
pub(crate) type AnyGrant = Arc<dyn Any + Send + Sync>;

/// What plugins were granted, by plugin.
pub(crate) type Granted = Vec<(String, Vec<(Declared, AnyGrant)>)>;

/// A capability whose grant's type is not known.
pub(crate) trait AnyCapability: Send + Sync {
    fn key(&self) -> &'static str;
    fn context_key(&self) -> &'static str;
    fn maker(&self) -> &'static str;
    fn check(&self, asked: &Value) -> Result<(), Vec<String>>;
    fn items(&self, asked: &Value) -> Vec<String>;
    fn within(&self, asked: &Value, most: &Value) -> (Value, Value);
    fn grant(&self, granted: &Value, most: &Value, host: &PluginHost<'_>) -> Result<AnyGrant, String>;
    fn methods(&self) -> &'static [&'static str];
}

impl<C: Capability> AnyCapability for C {
    fn key(&self) -> &'static str {
        Capability::key(self)
    }

    fn context_key(&self) -> &'static str {
        Capability::context_key(self)
    }

    fn maker(&self) -> &'static str {
        Capability::maker(self)
    }

    fn check(&self, asked: &Value) -> Result<(), Vec<String>> {
        Capability::check(self, asked)
    }

    fn items(&self, asked: &Value) -> Vec<String> {
        Capability::items(self, asked)
    }

    fn within(&self, asked: &Value, most: &Value) -> (Value, Value) {
        Capability::within(self, asked, most)
    }

    fn grant(&self, granted: &Value, most: &Value, host: &PluginHost<'_>) -> Result<AnyGrant, String> {
        Ok(Arc::new(Capability::grant(self, granted, most, host)?))
    }

    fn methods(&self) -> &'static [&'static str] {
        Capability::methods(self)
    }
}

/// A capability and who serves it.
#[derive(Clone)]
pub(crate) struct Declared {
    pub(crate) capability: Arc<dyn AnyCapability>,
    /// Which of embedders' provisions serves it. One of every table serves the plugins of every set.
    pub(crate) by: Option<u64>,
}

impl Declared {
    pub(crate) fn key(&self) -> &'static str {
        self.capability.key()
    }

    /// Whether both are served by the same provision, not just by one of the same name: what one has granted, another must not serve.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.key() == other.key() && self.by == other.by
    }
}

/// What is wrong with a list of texts.
pub(crate) fn check_texts(value: &Value, check: impl Fn(&str) -> Result<(), &'static str>) -> Result<(), Vec<String>> {
    let Value::Array(items) = value else { return Err(vec![": not a list".to_owned()]) };
    let wrong = items.iter().enumerate().filter_map(|(index, item)| match item.as_str().map(&check) {
        Some(Ok(())) => None,
        Some(Err(why)) => Some(format!("[{index}]: {item} is {why}")),
        None => Some(format!("[{index}]: not a text")),
    });
    let wrong: Vec<String> = wrong.collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// The texts of a list that has been checked.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// The texts that one of the most covers, and the others.
pub(crate) fn texts_within(asked: &Value, most: &Value, covers: impl Fn(&str, &str) -> bool) -> (Value, Value) {
    let most = texts(most);
    let (within, beyond): (Vec<_>, Vec<_>) =
        texts(asked).into_iter().partition(|text| most.iter().any(|most| covers(most, text)));
    (within.into(), beyond.into())
}
