//! Patterns of URLs, by the `urlpattern` crate: <https://urlpattern.spec.whatwg.org/>. It makes regular expressions, which the VM runs.

use perennial_engine::{Bound, OpError, OpTable, OpValue};
use serde_json::{Value, json};
use urlpattern::quirks::{self, EcmaRegexp, StringOrInit};
use urlpattern::{RegexSyntax, UrlPatternOptions};

use crate::flag;

/// A longer pattern is none.
const MAX_PATTERN: usize = 64 << 10;
/// Characters that may begin a part of a pattern, in all its components: the crate compares each part with all before it.
const MAX_PARTS: usize = 1000;
/// Nor is a longer URL matched by one.
const MAX_INPUT: usize = 1 << 20;

pub(crate) fn ops() -> OpTable {
    OpTable::new()
        .sync("pattern_parse", Bound::bytes(512 << 10), |_, args| {
            let base = base(&args)?;
            let parts = parts_of(&args);
            if parts > MAX_PARTS {
                let message = format!("a pattern has at most {MAX_PARTS} parts, and this one may have {parts}");
                return Err(OpError::quota(message, MAX_PARTS as u64, parts as u64));
            }
            let wrong = |error: urlpattern::Error| OpError::type_error(format!("this is no pattern of URLs: {error}"));
            let init = quirks::process_construct_pattern_input(input(&args, MAX_PATTERN)?, base).map_err(wrong)?;
            let options = UrlPatternOptions { ignore_case: flag(&args, 2), regex_syntax: RegexSyntax::EcmaScript };
            let pattern = quirks::parse_pattern::<EcmaRegexp>(init, options).map_err(wrong)?;
            let component = |component: quirks::UrlPatternComponent| {
                json!([component.pattern_string, component.regexp_string, component.group_name_list])
            };
            Ok(json!({
                "hasRegExpGroups": pattern.has_regexp_groups,
                "components": [
                    component(pattern.protocol), component(pattern.username), component(pattern.password), component(pattern.hostname),
                    component(pattern.port), component(pattern.pathname), component(pattern.search), component(pattern.hash),
                ],
            })
            .into())
        })
        .sync("pattern_input", Bound::bytes(16 << 20), |_, args| {
            let base = base(&args)?;
            let wrong = |error: urlpattern::Error| OpError::type_error(format!("this cannot be matched: {error}"));
            let matched = match quirks::process_match_input(input(&args, MAX_INPUT)?, base).map_err(wrong)? {
                Some((matched, _)) => quirks::parse_match_input(matched),
                None => None,
            };
            Ok(matched
                .map_or(Value::Null, |m| {
                    json!([m.protocol, m.username, m.password, m.hostname, m.port, m.pathname, m.search, m.hash])
                })
                .into())
        })
}

/// How many parts a pattern has at most.
fn parts_of(args: &[OpValue]) -> usize {
    let of = |text: &str| text.bytes().filter(|byte| matches!(byte, b'(' | b':' | b'*' | b'{')).count();
    match args.first() {
        Some(OpValue::Json(Value::String(text))) => of(text),
        Some(OpValue::Json(Value::Object(fields))) => fields.values().filter_map(Value::as_str).map(of).sum(),
        _ => 0,
    }
}

fn base(args: &[OpValue]) -> Result<Option<&str>, OpError> {
    match args.get(1).and_then(OpValue::as_str) {
        Some(base) if base.len() > MAX_PATTERN => {
            Err(OpError::type_error(format!("a base has at most {MAX_PATTERN} bytes")))
        }
        base => Ok(base),
    }
}

fn input(args: &[OpValue], most: usize) -> Result<StringOrInit<'_>, OpError> {
    match args.first() {
        Some(OpValue::Json(Value::String(text))) if text.len() <= most => Ok(StringOrInit::String(text.into())),
        Some(OpValue::Json(init @ Value::Object(fields)))
            if fields.values().all(|text| text.as_str().is_some_and(|text| text.len() <= most)) =>
        {
            serde_json::from_value(init.clone())
                .map(StringOrInit::Init)
                .map_err(|error| OpError::type_error(error.to_string()))
        }
        _ => Err(OpError::type_error(format!("a text or an object of texts of at most {most} bytes is wanted"))),
    }
}
