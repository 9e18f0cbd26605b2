use perennial_protocol::json_bytes;
use serde_json::Value;

/// What crosses between JavaScript and an op.
#[derive(Clone, Debug, PartialEq)]
pub enum OpValue {
    /// `undefined`.
    Undefined,
    /// Any value in the bridge's JSON form (see `docs/values.md`).
    Json(Value),
    /// An ArrayBuffer or a view of one; becomes a `Uint8Array` on the way in. Copied once.
    Bytes(Vec<u8>),
}

impl OpValue {
    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Json(value) => value.as_str(),
            _ => None,
        }
    }

    /// The value, if it is one: not `undefined`, and no bytes.
    pub fn as_json(&self) -> Option<&Value> {
        match self {
            Self::Json(value) => Some(value),
            Self::Undefined | Self::Bytes(_) => None,
        }
    }

    /// The bytes, if it is some.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Undefined | Self::Json(_) => None,
        }
    }

    /// Bytes that it takes in this process, roughly.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Undefined => 0,
            Self::Json(value) => json_bytes(value),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// The number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Json(value) => value.as_f64(),
            _ => None,
        }
    }
}

/// Bytes in the bridge's JSON form.
pub fn bytes_to_json(bytes: &[u8]) -> Value {
    use base64::Engine as _;
    serde_json::json!({ "$bytes": base64::engine::general_purpose::STANDARD.encode(bytes) })
}

impl From<Value> for OpValue {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

/// Why an op failed: becomes an error of the named class in the script.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{class}: {message}")]
pub struct OpError {
    /// `Error`, `TypeError`, `RangeError`, `SyntaxError`, `PermissionError` or `QuotaExceededError`; any other name becomes an
    /// `Error` with that `name`.
    pub class: String,
    /// One sentence.
    pub message: String,
    /// `limit` and `used` properties of the error.
    pub numbers: Option<(u64, u64)>,
    /// Other properties of the error.
    pub properties: Vec<(&'static str, Value)>,
    /// What was refused, if that is what it is.
    pub denied: Option<Box<Denied>>,
}

impl OpError {
    /// An error of a class.
    pub fn new(class: &str, message: impl Into<String>) -> Self {
        Self { class: class.to_owned(), message: message.into(), numbers: None, properties: Vec::new(), denied: None }
    }

    /// The same with one more property.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.properties.push((name, value));
        self
    }

    /// Wrong arguments.
    pub fn type_error(message: impl Into<String>) -> Self {
        Self::new("TypeError", message)
    }

    /// Something nobody granted. Where the script does not catch it, the run's error kind is `permission`. See [`Denied`].
    pub fn permission(asked: &str, grant: &str) -> Self {
        Denied::new(asked, grant).into()
    }

    /// A limit of a durable resource.
    pub fn quota(message: impl Into<String>, limit: u64, used: u64) -> Self {
        Self { numbers: Some((limit, used)), ..Self::new("QuotaExceededError", message) }
    }
}

/// What an op returns.
pub type OpResult = Result<OpValue, OpError>;

/// Something that was asked for and that nobody granted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denied {
    /// What was asked for.
    pub what: String,
    /// What would grant it.
    pub remedy: String,
    /// What is granted of the kind, as far as that is said; the message has the first ten, and scripts find it as `granted` of the error.
    pub granted: Vec<String>,
    /// The plugin whose grants do not have it; `None` for those of the run. Scripts find it as `plugin` of the error.
    pub plugin: Option<String>,
}

impl Denied {
    /// Something that something else would grant; both are parts of a sentence.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into(), granted: Vec::new(), plugin: None }
    }

    /// Something that a plugin was not granted, of what stands behind `key` in its `allow`.
    pub fn in_allow(what: impl Into<String>, key: &str, plugin: &str) -> Self {
        Self::new(what, format!("`{key}` in its allow, within what the operator grants in [allow],")).to_plugin(plugin)
    }

    /// The same with what is granted of the kind.
    #[must_use]
    pub fn with_granted(mut self, granted: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.granted = granted.into_iter().map(Into::into).collect();
        self
    }

    /// The same, of what a plugin was granted.
    #[must_use]
    pub fn to_plugin(mut self, plugin: impl Into<String>) -> Self {
        self.plugin = Some(plugin.into());
        self
    }
}

impl std::fmt::Display for Denied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const MOST: usize = 10;
        write!(f, "{} is not permitted; {} would grant it", self.what, self.remedy)?;
        let Some((first, rest)) = self.granted.split_first() else { return Ok(()) };
        write!(f, " (granted: {first}")?;
        rest.iter().take(MOST - 1).try_for_each(|granted| write!(f, ", {granted}"))?;
        match rest.len().saturating_sub(MOST - 1) {
            0 => f.write_str(")"),
            more => write!(f, ", … and {more} more)"),
        }
    }
}

impl From<Denied> for OpError {
    fn from(denied: Denied) -> Self {
        let mut error = Self::new("PermissionError", denied.to_string());
        if !denied.granted.is_empty() {
            error = error.with("granted", denied.granted.clone().into());
        }
        if let Some(plugin) = &denied.plugin {
            error = error.with("plugin", plugin.clone().into());
        }
        error.denied = Some(Box::new(denied));
        error
    }
}
