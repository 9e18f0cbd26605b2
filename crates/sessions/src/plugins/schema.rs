//! Values against JSON Schemas, by the `jsonschema` crate, within a run's budget.
//!
//! The crate takes exponential time where alternatives refer to themselves, and looks at nothing while it does. So each schema within a schema
//! gets one keyword more, which counts and looks, and which leaves the crate by unwinding when the time is over. It is never wrong by itself.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use jsonschema::{Keyword, ValidationError, Validator};
use perennial_engine::{Budget, OpError};
use serde_json::{Map, Value};

/// The keyword; no schema has it of itself.
const FUEL: &str = "perennial:fuel";
/// Steps between two looks at the budget.
const LOOK: u64 = 256;
/// Steps that may be taken to list everything that is wrong, instead of the first thing.
const LISTED: u64 = 10_000;
/// How many violations one message tells of, and bytes of one.
const MAX_VIOLATIONS: usize = 3;
const MAX_TEXT: usize = 300;

/// Bytes that a step may take to say what is wrong: where there are alternatives, all that is wrong with each is kept.
const STEP: usize = 1 << 10;

/// A schema that is ready.
#[derive(Debug)]
pub(super) struct Schema {
    validator: Validator,
    has_alternatives: bool,
}

/// What the check under way on this thread may take.
struct Fuel {
    steps: u64,
    most: u64,
    budget: Budget,
}

/// What is thrown when that is over.
struct Over;

thread_local! {
    static UNDER_WAY: RefCell<Option<Fuel>> = const { RefCell::new(None) };
}

struct Counter;

impl Counter {
    fn step() {
        let is_over = UNDER_WAY.with_borrow_mut(|fuel| {
            fuel.as_mut().is_some_and(|fuel| {
                fuel.steps += 1;
                fuel.steps > fuel.most || (fuel.steps.is_multiple_of(LOOK) && fuel.budget.is_stopped())
            })
        });
        if is_over {
            resume_unwind(Box::new(Over));
        }
    }
}

impl<'i> Keyword<'i> for Counter {
    fn validate(&self, _: &'i Value) -> Result<(), ValidationError<'i>> {
        Self::step();
        Ok(())
    }

    fn is_valid(&self, _: &'i Value) -> bool {
        Self::step();
        true
    }
}

/// Does something with so many steps; `None` if they were too few or the budget was over.
fn within<T>(most: u64, budget: &Budget, check: impl FnOnce() -> T) -> Option<T> {
    UNDER_WAY.set(Some(Fuel { steps: 0, most, budget: budget.clone() }));
    let done = catch_unwind(AssertUnwindSafe(check));
    UNDER_WAY.set(None);
    match done {
        Ok(value) => Some(value),
        Err(panic) if panic.is::<Over>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

impl Schema {
    /// # Errors
    /// Where the schema is wrong, dotted, and why.
    pub(super) fn new(schema: &Value) -> Result<Self, (String, String)> {
        if !schema.is_object() {
            return Err((String::new(), "an object is wanted".to_owned()));
        }
        // What is wrong is told of the schema as it was written.
        jsonschema::validator_for(schema)
            .map_err(|error| (dotted(&error.instance_path().to_string()), error.to_string()))?;
        let mut counted = schema.clone();
        count(&mut counted);
        let options = jsonschema::options().with_keyword(FUEL, |_, _, _| Ok(Box::new(Counter)));
        let has_alternatives = has_alternatives(&counted);
        let built = options.build(&counted);
        built
            .map(|validator| Self { validator, has_alternatives })
            .map_err(|error| (dotted(&error.instance_path().to_string()), error.to_string()))
    }

    /// What is wrong with a value: path and what was expected, `what` before it.
    ///
    /// # Errors
    /// If something is, or the budget was over before that was known.
    pub(super) fn check(&self, value: &Value, what: impl FnOnce() -> String, budget: &Budget) -> Result<(), OpError> {
        let zero = contains_minus_zero(value).then(|| with_minus_zero(value.clone()));
        let value = zero.as_ref().unwrap_or(value);
        let stopped = || OpError::new("Error", "the script was stopped");
        if within(u64::MAX, budget, || self.validator.is_valid(value)).ok_or_else(stopped)? {
            return Ok(());
        }
        let what = &*what();
        let all = within(LISTED, budget, || {
            let mut all = self.validator.iter_errors(value);
            let told: Vec<String> = all.by_ref().take(MAX_VIOLATIONS).map(|error| told(&error, what)).collect();
            (told, all.count())
        });
        let (told, more) = match all {
            Some(all) => all,
            None => {
                let most = if self.has_alternatives { (budget.memory_bytes() / STEP) as u64 } else { u64::MAX };
                let first =
                    within(most, budget, || self.validator.validate(value).err().map(|error| told(&error, what)));
                match first {
                    Some(first) => (first.into_iter().collect(), 0),
                    None if budget.is_stopped() => return Err(stopped()),
                    None => (
                        vec![format!(
                            "{what}: none of the schema's alternatives fits, and there are too many to say why"
                        )],
                        0,
                    ),
                }
            }
        };
        let mut text = told.join("; ");
        if more > 0 {
            text.push_str(&format!("; and {more} more"));
        }
        Err(OpError::type_error(text))
    }
}

fn told(error: &ValidationError<'_>, what: &str) -> String {
    let path = dotted(&cut(&error.instance_path()));
    format!("{what}{path}: {}", cut(error))
}

/// As much of a text as is told; the rest is never made.
fn cut(text: &impl std::fmt::Display) -> String {
    struct Short(String);
    impl std::fmt::Write for Short {
        fn write_str(&mut self, more: &str) -> std::fmt::Result {
            let room = MAX_TEXT.saturating_sub(self.0.len());
            if more.len() <= room {
                self.0.push_str(more);
                return Ok(());
            }
            self.0.push_str(&more[..more.floor_char_boundary(room)]);
            self.0.push('…');
            Err(std::fmt::Error)
        }
    }
    let mut short = Short(String::new());
    // What does not fit ends it.
    let _: std::fmt::Result = std::fmt::write(&mut short, format_args!("{text}"));
    short.0
}

/// Puts the keyword into a schema and all schemas in it.
fn count(schema: &mut Value) {
    let Value::Object(keywords) = schema else { return };
    for (keyword, value) in keywords.iter_mut() {
        match (keyword.as_str(), value) {
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies",
                Value::Object(schemas),
            ) => schemas.values_mut().for_each(count),
            ("allOf" | "anyOf" | "oneOf" | "prefixItems" | "items", Value::Array(schemas)) => {
                schemas.iter_mut().for_each(count);
            }
            (
                "items"
                | "additionalItems"
                | "unevaluatedItems"
                | "contains"
                | "additionalProperties"
                | "unevaluatedProperties"
                | "propertyNames"
                | "not"
                | "if"
                | "then"
                | "else",
                schema @ Value::Object(_),
            ) => count(schema),
            _ => {}
        }
    }
    // Beside a reference, older drafts look at nothing else.
    if !keywords.contains_key("$ref") {
        keywords.insert(FUEL.to_owned(), Value::Bool(true));
    }
}

/// Whether a schema has schemas in it of which one has to fit.
fn has_alternatives(schema: &Value) -> bool {
    match schema {
        Value::Object(keywords) => keywords
            .iter()
            .any(|(keyword, value)| matches!(keyword.as_str(), "anyOf" | "oneOf") || has_alternatives(value)),
        Value::Array(schemas) => schemas.iter().any(has_alternatives),
        _ => false,
    }
}

/// Whether a value that crossed contains the one number that JSON has and values that cross have not.
fn contains_minus_zero(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(contains_minus_zero),
        Value::Object(fields) => is_minus_zero(fields) || fields.values().any(contains_minus_zero),
        _ => false,
    }
}

fn is_minus_zero(fields: &Map<String, Value>) -> bool {
    fields.len() == 1 && fields.get("$number").is_some_and(|number| number == "-0")
}

fn with_minus_zero(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(with_minus_zero).collect(),
        Value::Object(fields) if is_minus_zero(&fields) => Value::from(-0.0),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, with_minus_zero(value))).collect(),
        other => other,
    }
}

/// A JSON pointer as people write it: `/a/0/b` is `.a[0].b`.
fn dotted(pointer: &str) -> String {
    let parts = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~"));
    parts
        .map(|part| match part.parse::<usize>() {
            Ok(index) => format!("[{index}]"),
            Err(_) => format!(".{part}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(schema: &Value, value: &Value) -> Option<String> {
        let schema = Schema::new(schema).expect("a schema");
        schema.check(value, || "args".to_owned(), &Budget::default()).err().map(|error| error.message)
    }

    #[test]
    fn violations_are_told_with_their_places_the_first_few_and_how_many_more() {
        let schema = json!({"type": "object", "properties": {"a": {"items": {"type": "number"}}}});
        assert_eq!(wrong(&schema, &json!({"a": [1, 2]})), None);
        let message = wrong(&schema, &json!({"a": ["x", "x", "x", "x", "x"]})).expect("it is wrong");
        assert!(message.starts_with("args.a[0]: ") && message.ends_with("; and 2 more"), "{message}");
    }

    #[test]
    fn a_value_of_any_size_is_told_in_a_few_words() {
        let long = json!({"a": "x".repeat(10 << 20), "b": vec![0; 100_000]});
        let message = wrong(&json!({"required": ["one", "two", "three", "four"]}), &long).expect("it is wrong");
        assert!(message.len() < 2000, "{}", message.len());
        let items = json!({"items": {"type": "string"}});
        let message = wrong(&items, &json!(vec![0; 100_000])).expect("it is wrong");
        assert!(message.len() < 1000, "{message}");
    }

    #[test]
    fn each_schema_in_a_schema_counts_and_none_is_changed_by_it() {
        let mut schema = json!({
            "$defs": {"t": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/t"}]}},
            "properties": {"properties": {"not": {"const": {"not": {}}}}},
            "default": {"items": {}}, "items": true,
        });
        count(&mut schema);
        let text = schema.to_string();
        assert_eq!(text.matches(FUEL).count(), 5, "{text}");
        assert_eq!(schema["default"], json!({"items": {}}));
    }
}
