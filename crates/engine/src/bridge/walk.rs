//! Out of the VM.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Number, Value as Json};

use super::{Helper, Helpers, MAX_DEPTH, is_tag};
use crate::js::{Atom, Class, Exception, Scope, TextError, Value};
use crate::op_value::OpValue;

/// What stands for a cause that leads back to the error.
const CIRCULAR: &str = "[circular]";
/// Bytes of a path and of a message that tell what cannot cross, and of one key in it.
const MAX_PATH: usize = 500;
const MAX_WHY: usize = 1 << 10;
const MAX_KEY: usize = 100;

/// The walk is no script, which would be interrupted: it asks by itself, after so many values or bytes of a text.
const TEXT_PER_CHECK: usize = 1 << 20;
const STEPS_PER_CHECK: usize = 1000;

/// Why a value did not leave the VM.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WalkError {
    /// A part of it cannot cross.
    Unserializable { path: String, why: String },
    /// It is larger than `limit` bytes of JSON; the walk ended at `used`.
    TooLarge { limit: usize, used: usize },
}

enum Step {
    Key(String),
    Index(usize),
}

/// One walk over a value on its way out.
struct Walk<'a, 'js> {
    scope: Scope<'js>,
    helpers: &'a Helpers,
    /// Made for the first object.
    to_json: Option<Atom<'js>>,
    limit: usize,
    used: usize,
    /// What every value costs at least: nothing beyond its text where the text is what is bounded, its size in this process where that
    /// is.
    node_cost: usize,
    steps: usize,
    path: Vec<Step>,
    /// The objects the walk is inside of, for cycles.
    above: Vec<usize>,
    /// JSON levels, which tags make more than there are objects.
    depth: usize,
    /// Whether values are asked for their `toJSON`: those of scripts are, what library code hands over is not.
    asks: bool,
}

/// Copies a value out, as JSON of at most `limit` bytes; `None` is `undefined`. Getters, `toJSON` and proxy traps run.
pub(crate) fn to_json<'js>(helpers: &Helpers, value: &Value<'js>, limit: usize) -> Result<Option<Json>, WalkError> {
    Walk::new(helpers, value, limit, 0, true).value(value)
}

/// As [`to_json`], with bytes as bytes, and with `limit` for the memory that the copy takes; what it takes comes with it. Only a value of a script's
/// `is_value` is asked for its `toJSON`.
pub(crate) fn to_op_value<'js>(
    helpers: &Helpers,
    value: &Value<'js>,
    limit: usize,
    is_value: bool,
) -> Result<(OpValue, usize), WalkError> {
    if value.class() == Class::Buffer {
        let bytes = bytes_of(helpers, value, limit).map_err(|used| WalkError::TooLarge { limit, used })?;
        if let Some(bytes) = bytes {
            let length = bytes.len();
            return Ok((OpValue::Bytes(bytes), length));
        }
    }
    let mut walk = Walk::new(helpers, value, limit, size_of::<Json>(), is_value);
    let json = walk.value(value)?;
    Ok((json.map_or(OpValue::Undefined, OpValue::Json), walk.used))
}

impl<'a, 'js> Walk<'a, 'js> {
    fn new(helpers: &'a Helpers, value: &Value<'js>, limit: usize, node_cost: usize, asks: bool) -> Self {
        Self {
            scope: value.scope(),
            helpers,
            to_json: None,
            limit,
            used: 0,
            node_cost,
            steps: 0,
            path: Vec::new(),
            above: Vec::new(),
            depth: 0,
            asks,
        }
    }
}

impl<'js> Walk<'_, 'js> {
    fn fail<T>(&self, why: impl Into<String>) -> Result<T, WalkError> {
        let mut path = "$".to_owned();
        for step in &self.path {
            match step {
                Step::Index(index) => path.push_str(&format!("[{index}]")),
                Step::Key(key) if key.len() <= MAX_KEY && is_identifier(key) => {
                    path.push('.');
                    path.push_str(key);
                }
                Step::Key(key) => {
                    let end = key.floor_char_boundary(MAX_KEY);
                    let rest = if end < key.len() { "…" } else { "" };
                    path.push_str(&format!("[{}]", Json::from(format!("{}{rest}", &key[..end]))));
                }
            }
            if path.len() > MAX_PATH {
                path.push('…');
                break;
            }
        }
        Err(WalkError::Unserializable { path, why: why.into() })
    }

    /// Code of the script threw in the middle of the walk.
    fn threw<T>(&self, what: &str) -> Result<T, WalkError> {
        let thrown = self.scope.catch();
        let message = match thrown.class() {
            Class::Error => thrown.get_str("message").ok().and_then(|message| message.text_prefix(MAX_WHY)),
            Class::Symbol | Class::Object | Class::Function => None,
            _ => thrown.text_prefix(MAX_WHY),
        };
        drop(self.scope.catch());
        self.fail(format!("{what} threw: {}", message.unwrap_or_else(|| "a value".to_owned())))
    }

    fn charge(&mut self, bytes: usize) -> Result<(), WalkError> {
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_PER_CHECK) {
            self.scope.leave_if_stopped();
        }
        self.used += bytes.max(self.node_cost);
        if self.used > self.limit {
            return Err(WalkError::TooLarge { limit: self.limit, used: self.used });
        }
        Ok(())
    }

    fn string(&mut self, text: &str) -> Result<String, WalkError> {
        let mut length = 2;
        for piece in text.as_bytes().chunks(TEXT_PER_CHECK) {
            length += piece.len() + escapes(piece);
            // What is too long already need not be looked at to its end.
            if length > self.limit {
                length = length.max(text.len() + 2);
                break;
            }
            self.scope.leave_if_stopped();
        }
        self.charge(length)?;
        Ok(text.to_owned())
    }

    fn text(&mut self, value: &Value<'js>) -> Result<String, WalkError> {
        match value.text() {
            Ok(text) => self.string(&text),
            Err(TextError::LoneSurrogate) => self.fail("the string has an unpaired surrogate"),
            Err(TextError::Exception) => self.threw("turning it into text"),
        }
    }

    fn tagged(&mut self, tag: &str, value: Json) -> Result<Json, WalkError> {
        self.charge(tag.len() + 5)?;
        let mut object = Map::with_capacity(1);
        object.insert(tag.to_owned(), value);
        Ok(Json::Object(object))
    }

    fn float(&mut self, number: f64) -> Result<Json, WalkError> {
        // A safe integer is written as one, as JSON.stringify does.
        if number.fract() == 0.0
            && number.abs() < 9_007_199_254_740_992.0
            && !(number == 0.0 && number.is_sign_negative())
        {
            return self.integer(number as i64);
        }
        if number == 0.0 || !number.is_finite() {
            let name = match number {
                n if n.is_nan() => "NaN",
                n if n == f64::INFINITY => "Infinity",
                n if n == f64::NEG_INFINITY => "-Infinity",
                _ => "-0",
            };
            let name = self.string(name)?;
            return self.tagged("$number", Json::String(name));
        }
        let json = Number::from_f64(number);
        self.charge(json.as_ref().map_or(4, |number| number.to_string().len()))?;
        Ok(json.map_or(Json::Null, Json::Number))
    }

    fn integer(&mut self, number: i64) -> Result<Json, WalkError> {
        self.charge(number.checked_ilog10().map_or(1, |digits| digits as usize + 1))?;
        Ok(Json::Number(number.into()))
    }

    /// `None` is `undefined`.
    fn value(&mut self, value: &Value<'js>) -> Result<Option<Json>, WalkError> {
        let class = value.class();
        Ok(Some(match class {
            Class::Undefined => return Ok(None),
            Class::Null => {
                self.charge(4)?;
                Json::Null
            }
            Class::Bool(value) => {
                self.charge(5)?;
                Json::Bool(value)
            }
            Class::Int(value) => self.integer(value.into())?,
            Class::Float(value) => self.float(value)?,
            Class::String => Json::String(self.text(value)?),
            Class::BigInt => {
                let digits = self.text(value)?;
                self.tagged("$bigint", Json::String(digits))?
            }
            Class::Symbol => return self.fail("a symbol cannot cross"),
            Class::Function => return self.fail("a function cannot cross"),
            Class::Promise => return self.fail("a promise cannot cross: await it first"),
            Class::Weak => return self.fail("a weak collection cannot be listed"),
            Class::Iterator => return self.fail("an iterator cannot cross: spread it into an array"),
            Class::SharedBuffer => return self.fail("a SharedArrayBuffer cannot cross: copy it"),
            Class::Date | Class::Buffer | Class::Boxed if self.has_own_idea(value, class)? => {
                return self.object(value, class);
            }
            Class::Date => {
                let text = match self.helpers.call(self.scope, Helper::DateText, &[value]) {
                    Ok(text) => text,
                    Err(Exception) => {
                        drop(self.scope.catch());
                        return self.fail("the date is invalid");
                    }
                };
                Json::String(self.text(&text)?)
            }
            Class::Buffer => self.buffer(value)?,
            Class::Boxed => {
                let inner = match self.helpers.call(self.scope, Helper::Unbox, &[value]) {
                    Ok(inner) => inner,
                    Err(Exception) => return self.threw("unboxing it"),
                };
                return self.value(&inner);
            }
            // The C API does not look through proxies.
            Class::Object if value.is_proxy() => {
                let is_array = match self.helpers.call(self.scope, Helper::IsArray, &[value]) {
                    Ok(answer) => answer.class() == Class::Bool(true),
                    Err(Exception) => return self.threw("looking at it"),
                };
                return self.object(value, if is_array { Class::Array } else { Class::Object });
            }
            Class::Array | Class::Object | Class::Map | Class::Set | Class::Error | Class::RegExp => {
                return self.object(value, class);
            }
        }))
    }

    fn own_json_key(&mut self) -> Result<&Atom<'js>, Exception> {
        if self.to_json.is_none() {
            self.to_json = Some(self.scope.atom("toJSON")?);
        }
        Ok(self.to_json.as_ref().expect("it was made above"))
    }

    /// Whether the value has a `toJSON` other than the one that the language gives its kind.
    fn has_own_idea(&mut self, value: &Value<'js>, class: Class) -> Result<bool, WalkError> {
        if !self.asks {
            return Ok(false);
        }
        // A Buffer inherits one that makes a list of numbers of it.
        if class == Class::Buffer && !self.own_json_key().and_then(|key| value.has_own(key)).unwrap_or(false) {
            return Ok(false);
        }
        let Ok(method) = self.own_json_key().and_then(|key| value.get(key)) else {
            return self.threw("reading toJSON");
        };
        let usual = self.helpers.load(self.scope, Helper::DateToJson);
        Ok(method.is_function() && method.address() != usual.address())
    }

    fn object(&mut self, value: &Value<'js>, class: Class) -> Result<Option<Json>, WalkError> {
        if !self.asks {
            return self.nested(value, |walk| walk.contents(value, class).map(Some));
        }
        let method = match self.own_json_key().and_then(|key| value.get(key)) {
            Ok(method) => method,
            Err(Exception) => return self.threw("reading toJSON"),
        };
        if method.is_function() {
            let key = match self.path.last() {
                Some(Step::Key(key)) => key.clone(),
                Some(Step::Index(index)) => index.to_string(),
                None => String::new(),
            };
            let Ok(key) = self.scope.string(&key) else { return self.threw("calling toJSON") };
            let replaced = match self.scope.call(&method, value, &[&key]) {
                Ok(replaced) => replaced,
                Err(Exception) => return self.threw("toJSON"),
            };
            if replaced.address() != value.address() {
                // As in JSON.stringify, what toJSON returns is not asked for its own toJSON; but it may return `this` for ever.
                return self.nested(value, |walk| match replaced.class() {
                    class @ (Class::Array | Class::Object | Class::Map | Class::Set | Class::Error | Class::RegExp) => {
                        walk.contents(&replaced, class).map(Some)
                    }
                    _ => walk.value(&replaced),
                });
            }
        }
        self.nested(value, |walk| walk.contents(value, class).map(Some))
    }

    /// Runs `f` one level further down, unless the object is above itself or the level is too deep.
    fn nested<T>(
        &mut self,
        value: &Value<'js>,
        f: impl FnOnce(&mut Self) -> Result<T, WalkError>,
    ) -> Result<T, WalkError> {
        let address = value.address();
        if self.above.contains(&address) {
            return self.fail("the value contains itself; return parts of it");
        }
        self.above.push(address);
        let outcome = self.deeper(1, f);
        self.above.pop();
        outcome
    }

    fn deeper<T>(&mut self, levels: usize, f: impl FnOnce(&mut Self) -> Result<T, WalkError>) -> Result<T, WalkError> {
        if self.depth + levels > MAX_DEPTH {
            return self.fail(format!("the value is nested more than {MAX_DEPTH} levels deep"));
        }
        self.depth += levels;
        let outcome = f(self);
        self.depth -= levels;
        outcome
    }

    fn contents(&mut self, value: &Value<'js>, class: Class) -> Result<Json, WalkError> {
        match class {
            Class::Array => self.array(value),
            Class::Map => self.map(value),
            Class::Set => {
                let items = self.flat(value, Helper::SetValues)?;
                let items = self.deeper(1, |walk| walk.array(&items))?;
                self.tagged("$set", items)
            }
            Class::Error => self.error(value),
            Class::RegExp => {
                let source = self.helper_text(value, Helper::RegExpSource)?;
                let flags = self.helper_text(value, Helper::RegExpFlags)?;
                self.charge(23)?;
                let mut parts = Map::with_capacity(2);
                parts.insert("source".to_owned(), Json::String(source));
                parts.insert("flags".to_owned(), Json::String(flags));
                self.tagged("$regexp", Json::Object(parts))
            }
            _ => self.plain(value),
        }
    }

    fn flat(&mut self, value: &Value<'js>, helper: Helper) -> Result<Value<'js>, WalkError> {
        match self.helpers.call(self.scope, helper, &[value]) {
            Ok(flat) => Ok(flat),
            Err(Exception) => self.threw("listing it"),
        }
    }

    fn helper_text(&mut self, value: &Value<'js>, helper: Helper) -> Result<String, WalkError> {
        let text = self.flat(value, helper)?;
        self.text(&text)
    }

    fn array(&mut self, array: &Value<'js>) -> Result<Json, WalkError> {
        let Ok(length) = array.length() else { return self.threw("reading the length") };
        // Every element costs at least two bytes: an array that is too long is known before it is copied.
        let least = usize::try_from(length).unwrap_or(usize::MAX).saturating_mul(2.max(self.node_cost));
        if self.used.saturating_add(least) > self.limit {
            return Err(WalkError::TooLarge { limit: self.limit, used: self.used.saturating_add(least) });
        }
        self.charge(2)?;
        let mut items = Vec::with_capacity(length as usize);
        for index in 0..length as u32 {
            let Ok(item) = array.get_index(index) else {
                self.path.push(Step::Index(index as usize));
                return self.threw("reading it");
            };
            // Primitives have no path below them; the step is only pushed where one may be needed.
            self.path.push(Step::Index(index as usize));
            let json = self.value(&item)?;
            self.path.pop();
            if json.is_none() {
                self.charge(4)?;
            }
            self.charge(1)?;
            items.push(json.unwrap_or(Json::Null));
        }
        Ok(Json::Array(items))
    }

    fn map(&mut self, map: &Value<'js>) -> Result<Json, WalkError> {
        let flat = self.flat(map, Helper::MapEntries)?;
        let Ok(length) = flat.length() else { return self.threw("listing it") };
        self.charge(2)?;
        let mut pairs = Vec::new();
        for index in (0..length as u32).step_by(2) {
            self.path.push(Step::Index(index as usize / 2));
            let mut pair = Vec::with_capacity(2);
            for offset in 0..2 {
                let Ok(part) = flat.get_index(index + offset) else { return self.threw("listing it") };
                pair.push(self.deeper(2, |walk| walk.value(&part))?.unwrap_or(Json::Null));
            }
            self.path.pop();
            self.charge(4)?;
            pairs.push(Json::Array(pair));
        }
        self.tagged("$map", Json::Array(pairs))
    }

    fn plain(&mut self, object: &Value<'js>) -> Result<Json, WalkError> {
        let map = self.properties(object)?;
        if map.len() == 1 && map.keys().next().is_some_and(|key| is_tag(key)) {
            return self.tagged("$object", Json::Object(map));
        }
        Ok(Json::Object(map))
    }

    fn properties(&mut self, object: &Value<'js>) -> Result<Map<String, Json>, WalkError> {
        let Ok(keys) = object.keys() else { return self.threw("listing its keys") };
        self.charge(2)?;
        let mut map = Map::with_capacity(keys.len());
        for key in keys.iter() {
            let name = match key.text() {
                Ok(text) => {
                    // It is copied before its value is known to cross.
                    if self.used.saturating_add(text.len()) > self.limit {
                        return Err(WalkError::TooLarge { limit: self.limit, used: self.used + text.len() });
                    }
                    text.to_owned()
                }
                Err(_) => {
                    drop(self.scope.catch());
                    return self.fail("a key has an unpaired surrogate");
                }
            };
            self.path.push(Step::Key(name));
            let Ok(value) = object.get(&key) else { return self.threw("reading it") };
            // What looks like a tag stands a level deeper, in one that says so.
            let looks_like_tag = keys.len() == 1 && matches!(self.path.last(), Some(Step::Key(name)) if is_tag(name));
            let json = self.deeper(usize::from(looks_like_tag), |walk| walk.value(&value))?;
            let Some(Step::Key(name)) = self.path.pop() else { unreachable!("the step pushed above") };
            if let Some(json) = json {
                self.charge(json_length(&name) + 2)?;
                map.insert(name, json);
            }
        }
        Ok(map)
    }

    fn error(&mut self, error: &Value<'js>) -> Result<Json, WalkError> {
        let mut parts = Map::new();
        for key in ["name", "message", "stack", "cause", "errors", "limit", "used"] {
            self.path.push(Step::Key(key.to_owned()));
            let Ok(value) = error.get_str(key) else { return self.threw("reading it") };
            let json = if key == "cause" && self.above.contains(&value.address()) {
                // Errors that wrap each other are told all the same.
                self.charge(CIRCULAR.len() + 2)?;
                Some(Json::from(CIRCULAR))
            } else {
                self.deeper(1, |walk| walk.value(&value))?
            };
            self.path.pop();
            if let Some(json) = json {
                self.charge(key.len() + 4)?;
                parts.insert(key.to_owned(), json);
            }
        }
        for (key, json) in self.deeper(1, |walk| walk.properties(error))? {
            parts.entry(key).or_insert(json);
        }
        self.tagged("$error", Json::Object(parts))
    }

    fn buffer(&mut self, value: &Value<'js>) -> Result<Json, WalkError> {
        let encoded = |length: usize| length.div_ceil(3) * 4 + 2;
        let most = (self.limit - self.used) / 4 * 3;
        let bytes = bytes_of(self.helpers, value, most)
            .map_err(|length| WalkError::TooLarge { limit: self.limit, used: self.used + encoded(length) })?;
        let Some(bytes) = bytes else { return self.fail("the buffer is detached") };
        self.charge(encoded(bytes.len()))?;
        let text = BASE64.encode(bytes);
        self.tagged("$bytes", Json::String(text))
    }
}

/// The bytes of a buffer or a view of one; `None` if it is detached, the length if they are more than `most`.
fn bytes_of<'js>(helpers: &Helpers, value: &Value<'js>, most: usize) -> Result<Option<Vec<u8>>, usize> {
    if !value.is_data_view() && !value.is_typed_array() {
        return value.buffer_bytes(most);
    }
    // A view may track the length of its buffer; one made for the moment does not.
    match helpers.call(value.scope(), Helper::ViewBytes, &[value]) {
        Ok(view) => view.buffer_bytes(most),
        Err(Exception) => {
            drop(value.scope().catch());
            Ok(None)
        }
    }
}

/// The length of a short text as a JSON string.
fn json_length(text: &str) -> usize {
    text.len() + 2 + escapes(text.as_bytes())
}

/// What its JSON is longer than a text.
fn escapes(text: &[u8]) -> usize {
    let escapes = text.iter().map(|&byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    });
    escapes.sum()
}

fn is_identifier(key: &str) -> bool {
    !key.is_empty()
        && !key.starts_with(|c: char| c.is_ascii_digit())
        && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$')
}
