//! Into the VM.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Number, Value as Json};

use super::{Helper, Helpers, MAX_DEPTH, is_tag};
use crate::js::{Atom, Exception, Scope, Value};
use crate::op_value::OpValue;

/// Bytes of a message that are told.
const MAX_MESSAGE: usize = 1 << 10;

/// Why a value could not enter.
#[derive(Debug)]
pub(crate) enum EnterError {
    /// The caller's value is wrong.
    Invalid(String),
    /// An exception is pending: memory ran out or the VM was stopped.
    Exception,
}

impl From<Exception> for EnterError {
    fn from(_: Exception) -> Self {
        Self::Exception
    }
}

/// Makes the value that `json` stands for. No code of the script runs, and no key can reach a prototype.
pub(crate) fn from_json<'js>(helpers: &Helpers, scope: Scope<'js>, json: &Json) -> Result<Value<'js>, EnterError> {
    Enter { helpers, scope, keys: Keys::default() }.value(json, 0)
}

pub(crate) fn from_op_value<'js>(
    helpers: &Helpers,
    scope: Scope<'js>,
    value: &OpValue,
) -> Result<Value<'js>, EnterError> {
    match value {
        OpValue::Undefined => Ok(scope.undefined()),
        OpValue::Json(json) => from_json(helpers, scope, json),
        OpValue::Bytes(bytes) => Ok(scope.bytes(bytes)?),
    }
}

struct Enter<'a, 'js> {
    helpers: &'a Helpers,
    scope: Scope<'js>,
    keys: Keys<'a, 'js>,
}

/// Keys that were met last: values are often lists of objects that have the same ones in the same order.
#[derive(Default)]
struct Keys<'a, 'js> {
    known: Vec<(&'a str, Atom<'js>)>,
    /// The one that is expected next.
    next: usize,
}

impl<'a, 'js> Keys<'a, 'js> {
    const MOST: usize = 64;

    fn atom(&mut self, scope: Scope<'js>, key: &'a str) -> Result<&Atom<'js>, Exception> {
        let is_next = self.known.get(self.next).is_some_and(|(known, _)| *known == key);
        let found = if is_next { Some(self.next) } else { self.known.iter().position(|(known, _)| *known == key) };
        let at = match found {
            Some(at) => at,
            None => {
                if self.known.len() >= Self::MOST {
                    self.known.clear();
                }
                self.known.push((key, scope.atom(key)?));
                self.known.len() - 1
            }
        };
        self.next = at + 1;
        Ok(&self.known[at].1)
    }
}

impl<'a, 'js> Enter<'a, 'js> {
    fn value(&mut self, json: &'a Json, depth: usize) -> Result<Value<'js>, EnterError> {
        if depth > MAX_DEPTH {
            return invalid(format!("the value is nested more than {MAX_DEPTH} levels deep"));
        }
        Ok(match json {
            Json::Null => self.scope.null(),
            Json::Bool(value) => self.scope.bool(*value),
            Json::Number(number) => self.number(number)?,
            Json::String(text) => self.scope.string(text)?,
            Json::Array(items) => self.array(items, depth)?,
            Json::Object(map) => {
                if map.len() == 1
                    && let Some((tag, payload)) = map.iter().next()
                    && is_tag(tag)
                {
                    return self.tagged(tag, payload, depth);
                }
                self.object(map, depth)?
            }
        })
    }

    fn number(&self, number: &Number) -> Result<Value<'js>, EnterError> {
        const EXACT: u64 = 1 << 53;
        let integer = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
        if integer.is_some_and(|integer| integer > EXACT) {
            return invalid(format!("{number} has no exact JavaScript number: send {{\"$bigint\": \"{number}\"}}"));
        }
        Ok(self.scope.number(number.as_f64().unwrap_or(f64::NAN)))
    }

    fn array(&mut self, items: &'a [Json], depth: usize) -> Result<Value<'js>, EnterError> {
        let items = items.iter().map(|item| self.value(item, depth + 1)).collect::<Result<Vec<_>, _>>()?;
        Ok(self.scope.array_of(items)?)
    }

    fn object(&mut self, map: &'a Map<String, Json>, depth: usize) -> Result<Value<'js>, EnterError> {
        let object = self.scope.object()?;
        for (key, item) in map {
            let item = self.value(item, depth + 1)?;
            object.define_key(self.keys.atom(self.scope, key)?, item)?;
        }
        Ok(object)
    }

    fn tagged(&mut self, tag: &str, payload: &'a Json, depth: usize) -> Result<Value<'js>, EnterError> {
        let scope = self.scope;
        match (tag, payload) {
            ("$number", Json::String(name)) => match name.as_str() {
                "NaN" => Ok(scope.number(f64::NAN)),
                "Infinity" => Ok(scope.number(f64::INFINITY)),
                "-Infinity" => Ok(scope.number(f64::NEG_INFINITY)),
                "-0" => Ok(scope.number(-0.0)),
                _ => invalid(format!("$number is NaN, Infinity, -Infinity or -0, not {name:?}")),
            },
            ("$bigint", Json::String(digits)) => {
                let number = digits.strip_prefix('-').unwrap_or(digits);
                if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
                    return invalid(format!("$bigint is decimal digits, not {digits:?}"));
                }
                self.helper(Helper::BigInt, &[&scope.string(digits)?], "$bigint")
            }
            ("$bytes", Json::String(text)) => match BASE64.decode(text) {
                Ok(bytes) => Ok(scope.bytes(&bytes)?),
                Err(error) => invalid(format!("$bytes is not base64: {error}")),
            },
            ("$set", Json::Array(items)) => {
                let items = self.array(items, depth + 1)?;
                self.helper(Helper::NewSet, &[&items], "$set")
            }
            ("$map", Json::Array(pairs)) => {
                let mut flat = Vec::with_capacity(2 * pairs.len());
                for pair in pairs {
                    let Some([key, value]) =
                        pair.as_array().and_then(|pair| <&[Json; 2]>::try_from(pair.as_slice()).ok())
                    else {
                        return invalid("$map is a list of [key, value] pairs");
                    };
                    flat.push(self.value(key, depth + 3)?);
                    flat.push(self.value(value, depth + 3)?);
                }
                self.helper(Helper::NewMap, &[&scope.array_of(flat)?], "$map")
            }
            ("$regexp", Json::Object(parts)) => {
                let part = |key: &str| parts.get(key).and_then(Json::as_str);
                let known = usize::from(parts.contains_key("flags")) + 1;
                let (Some(source), Some(flags), true) =
                    (part("source"), parts.get("flags").map_or(Some(""), Json::as_str), parts.len() == known)
                else {
                    return invalid("$regexp has a source and flags, both texts, and nothing else");
                };
                self.helper(Helper::NewRegExp, &[&scope.string(source)?, &scope.string(flags)?], "$regexp")
            }
            ("$error", Json::Object(parts)) => {
                let text = |key: &str| parts.get(key).and_then(Json::as_str);
                let (name, message) = (text("name").unwrap_or("Error"), text("message").unwrap_or(""));
                let class = self.helpers.call(scope, Helper::ErrorPrototype, &[&scope.string(name)?])?;
                let error = class.new_error_below(message)?;
                let is_of_class = class.get_str("name")?.text().is_ok_and(|known| *known == *name);
                for (key, value) in parts {
                    // What it has from its class or its message it need not have once more.
                    if (key == "message" && value.is_string()) || (key == "name" && is_of_class) {
                        continue;
                    }
                    let value = self.value(value, depth + 2)?;
                    match key.as_str() {
                        "name" | "message" | "stack" | "cause" | "errors" | "limit" | "used" => {
                            error.define_hidden(&scope.atom(key)?, value)?;
                        }
                        _ => error.define(key, value)?,
                    }
                }
                Ok(error)
            }
            ("$object", Json::Object(map)) => Ok(self.object(map, depth + 1)?),
            _ => invalid(format!("{tag} does not take {}", kind_of(payload))),
        }
    }

    fn helper(&self, helper: Helper, args: &[&Value<'js>], what: &str) -> Result<Value<'js>, EnterError> {
        match self.helpers.call(self.scope, helper, args) {
            Ok(value) => Ok(value),
            Err(Exception) => {
                let thrown = self.scope.catch();
                match thrown.is_error().then(|| thrown.get_str("message").ok()?.text_prefix(MAX_MESSAGE)).flatten() {
                    Some(message) => invalid(format!("{what}: {message}")),
                    None => {
                        self.scope.throw(thrown);
                        Err(EnterError::Exception)
                    }
                }
            }
        }
    }
}

fn invalid<T>(message: impl Into<String>) -> Result<T, EnterError> {
    Err(EnterError::Invalid(message.into()))
}

fn kind_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}
