//! Values cross once, by copy, in the JSON form of `docs/values.md`. Confusable: *tagged* values are what JSON has no word for
//! (`{"$bigint": "10"}`); an *escaped* object is a script's own object that happens to look like one (`{"$object": {…}}`).

mod enter;
mod walk;

pub(crate) use enter::{EnterError, from_json, from_op_value};
pub(crate) use walk::{WalkError, to_json, to_op_value};

use crate::js::{Exception, Saved, Scope, Value};

/// Levels of JSON nesting that cross. `serde_json` refuses to parse more than 128, and a result stands a few levels inside its
/// envelope.
pub const MAX_DEPTH: usize = 112;

/// An object with one key, and this one, is a tagged value.
const TAGS: [&str; 8] = ["$number", "$bigint", "$map", "$set", "$bytes", "$error", "$regexp", "$object"];

fn is_tag(key: &str) -> bool {
    key.starts_with('$') && TAGS.contains(&key)
}

/// JavaScript functions of the bootstrap that do what the C API cannot.
pub(crate) struct Helpers {
    saved: Vec<Saved>,
}

#[derive(Clone, Copy)]
pub(crate) enum Helper {
    MapEntries,
    SetValues,
    DateText,
    RegExpSource,
    RegExpFlags,
    Unbox,
    ViewBytes,
    BigInt,
    NewMap,
    NewSet,
    NewRegExp,
    IsArray,
    /// `Date.prototype.toJSON` as it came.
    DateToJson,
    /// Gives the prototype of the errors of a name.
    ErrorPrototype,
}

impl Helpers {
    const NAMES: [&'static str; 14] = [
        "mapEntries",
        "setValues",
        "dateText",
        "regExpSource",
        "regExpFlags",
        "unbox",
        "viewBytes",
        "bigint",
        "newMap",
        "newSet",
        "newRegExp",
        "isArray",
        "dateToJson",
        "errorPrototype",
    ];

    pub(crate) fn new<'js>(scope: Scope<'js>, helpers: &Value<'js>) -> Result<Self, Exception> {
        let mut saved = Vec::with_capacity(Self::NAMES.len());
        for name in Self::NAMES {
            saved.push(scope.save(helpers.get_str(name)?));
        }
        Ok(Self { saved })
    }

    fn load<'js>(&self, scope: Scope<'js>, helper: Helper) -> Value<'js> {
        scope.load(&self.saved[helper as usize])
    }

    fn call<'js>(&self, scope: Scope<'js>, helper: Helper, args: &[&Value<'js>]) -> Result<Value<'js>, Exception> {
        scope.call(&self.load(scope, helper), &scope.undefined(), args)
    }
}
