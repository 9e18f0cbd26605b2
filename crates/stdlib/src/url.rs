//! URLs, by the `url` crate: its `quirks` are the getters and setters of <https://url.spec.whatwg.org/#api>.

use perennial_engine::{OpError, OpTable, OpValue};
use serde_json::{Value, json};
use url::{Url, quirks};

use crate::text;

pub(crate) fn ops() -> OpTable {
    OpTable::new()
        .sync("url_parse", |_, args| {
            let base = match args.get(1).and_then(OpValue::as_str).map(Url::parse) {
                None => None,
                Some(Ok(base)) => Some(base),
                Some(Err(_)) => return Ok(Value::Null.into()),
            };
            let parsed = Url::options().base_url(base.as_ref()).parse(text(&args, 0)?);
            Ok(parsed.map_or(Value::Null, |url| parts(&url)).into())
        })
        .sync("url_set", |_, args| {
            let mut url = Url::parse(text(&args, 0)?).map_err(|_| OpError::type_error("this was no URL before"))?;
            set(&mut url, text(&args, 1)?, text(&args, 2)?);
            Ok(parts(&url).into())
        })
        .sync("url_query_parse", |_, args| {
            let pairs = form_urlencoded::parse(text(&args, 0)?.as_bytes());
            Ok(pairs.map(|(name, value)| json!([name, value])).collect::<Value>().into())
        })
        .sync("url_query_text", |_, args| {
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
}

fn parts(url: &Url) -> Value {
    json!({
        "href": quirks::href(url), "origin": quirks::origin(url), "protocol": quirks::protocol(url), "username": quirks::username(url),
        "password": quirks::password(url), "host": quirks::host(url), "hostname": quirks::hostname(url), "port": quirks::port(url),
        "pathname": quirks::pathname(url), "search": quirks::search(url), "hash": quirks::hash(url),
    })
}

/// What is no valid value changes nothing, as the standard has it.
fn set(url: &mut Url, name: &str, value: &str) {
    let _: Result<(), ()> = match name {
        "protocol" => quirks::set_protocol(url, value),
        "username" => quirks::set_username(url, value),
        "password" => quirks::set_password(url, value),
        "host" => quirks::set_host(url, value),
        "hostname" => quirks::set_hostname(url, value),
        "port" => quirks::set_port(url, value),
        "pathname" => {
            quirks::set_pathname(url, value);
            Ok(())
        }
        "search" => {
            quirks::set_search(url, value);
            Ok(())
        }
        "hash" => {
            quirks::set_hash(url, value);
            Ok(())
        }
        _ => Err(()),
    };
}
