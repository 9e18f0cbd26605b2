//! URLs, by the letter of <https://url.spec.whatwg.org/>: `parse` is its parser, `record` what it gives. Hosts are the `url` crate's.

mod parse;
mod pattern;
mod record;

use perennial_engine::{Bound, OpError, OpTable, OpValue};
use serde_json::{Value, json};

use self::parse::{State, parse, parse_part, userinfo};
use self::record::{Path, Record};
use crate::text;

/// Nobody writes a longer URL; taking one apart takes many times its length.
const MAX_URL: usize = 1 << 20;

/// What a pair of a query takes, roughly.
const PAIR: usize = 300;

fn bounded(text: &str) -> Result<&str, OpError> {
    if text.len() <= MAX_URL {
        return Ok(text);
    }
    let (limit, used) = (MAX_URL as u64, text.len() as u64);
    Err(OpError::quota(format!("a URL has at most {limit} bytes, and this would have {used}"), limit, used))
}

pub(crate) fn ops() -> OpTable {
    OpTable::new()
        .sync("url_parse", Bound::bytes(3 << 20), |_, args| {
            let base = args.get(1).and_then(OpValue::as_str).map(bounded).transpose()?;
            let base = match base.map(|base| parse(base, None)) {
                None => None,
                Some(Some(base)) => Some(base),
                Some(None) => return Ok(Value::Null.into()),
            };
            let parsed = parse(bounded(text(&args, 0)?)?, base.as_ref());
            Ok(parsed.map_or(Value::Null, |url| url.parts()).into())
        })
        .sync("url_set", Bound::bytes(3 << 20), |_, args| {
            let mut url =
                parse(bounded(text(&args, 0)?)?, None).ok_or_else(|| OpError::type_error("this was no URL before"))?;
            set(&mut url, text(&args, 1)?, bounded(text(&args, 2)?)?);
            Ok(url.parts().into())
        })
        .sync("url_domain", Bound::SMALL, |_, args| {
            let (domain, is_shown) = (bounded(text(&args, 0)?)?, crate::flag(&args, 1));
            let host = record::host(domain, true).unwrap_or_default();
            Ok(json!(if is_shown { idna::domain_to_unicode(&host).0 } else { host }).into())
        })
        .sync("url_query_parse", Bound::DATA, |context, args| {
            let query = text(&args, 0)?;
            // What they take here and, once more, where they go.
            let wanted = memchr::memchr_iter(b'&', query.as_bytes()).count().saturating_mul(PAIR) + 2 * query.len();
            let limit = context.budget.memory_bytes();
            if wanted > limit {
                let message = format!("a query of {} bytes takes more memory than the script may have", query.len());
                return Err(OpError::quota(message, limit as u64, wanted as u64));
            }
            let pairs = form_urlencoded::parse(query.as_bytes());
            Ok(pairs.map(|(name, value)| json!([name, value])).collect::<Value>().into())
        })
        .sync("url_query_text", Bound::DATA, |_, args| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            if let Some(OpValue::Json(Value::Array(pairs))) = args.first() {
                for pair in pairs {
                    if let (Some(name), Some(value)) = (pair[0].as_str(), pair[1].as_str()) {
                        query.append_pair(name, value);
                    }
                }
            }
            Ok(json!(query.finish()).into())
        })
        .merge(pattern::ops())
}

/// A URL as it is written.
#[cfg(feature = "net")]
pub(crate) fn href_of(text: &str, base: Option<&str>) -> Option<String> {
    let base = match base {
        Some(base) => Some(parse(base, None)?),
        None => None,
    };
    parse(text, base.as_ref()).map(|url| url.href())
}

/// The setters of <https://url.spec.whatwg.org/#api>. What is no valid value changes nothing.
fn set(url: &mut Record, name: &str, value: &str) {
    let is_opaque = matches!(url.path, Path::Opaque(_));
    match name {
        "protocol" => parse_part(url, &format!("{value}:"), State::SchemeStart),
        "username" if !url.is_bare() => url.username = userinfo(value),
        "password" if !url.is_bare() => url.password = userinfo(value),
        "host" if !is_opaque => parse_part(url, value, State::Host),
        "hostname" if !is_opaque => parse_part(url, value, State::Hostname),
        "port" if !url.is_bare() => {
            if value.is_empty() {
                url.port = None;
            } else {
                parse_part(url, value, State::Port);
            }
        }
        "pathname" if !is_opaque => {
            url.path = Path::default();
            parse_part(url, value, State::PathStart);
        }
        "search" => {
            url.query = None;
            if value.is_empty() {
                strip_spaces(url);
            } else {
                url.query = Some(String::new());
                parse_part(url, value.strip_prefix('?').unwrap_or(value), State::Query);
            }
        }
        "hash" => {
            url.fragment = None;
            if value.is_empty() {
                strip_spaces(url);
            } else {
                url.fragment = Some(String::new());
                parse_part(url, value.strip_prefix('#').unwrap_or(value), State::Fragment);
            }
        }
        _ => {}
    }
}

/// Spaces at the end of an opaque path are not written twice the same, unless something follows.
fn strip_spaces(url: &mut Record) {
    if url.query.is_none()
        && url.fragment.is_none()
        && let Path::Opaque(path) = &mut url.path
    {
        path.truncate(path.trim_end_matches(' ').len());
    }
}
