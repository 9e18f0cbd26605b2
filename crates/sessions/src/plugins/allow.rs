//! What a plugin asks for, and what of it an operator grants.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value};

use super::similar::did_you_mean;

/// Hosts, files and commands: what a plugin asks for in its `allow`, or the most that an operator grants to plugins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Allow {
    /// Hosts that may be reached, by https unless `http://` stands before them: `api.example.com`, `*.example.com`, either with `:port`.
    pub net: Vec<String>,
    /// Files and directories that may be read.
    pub read: Vec<String>,
    /// Commands that may be run, by name, with what is said about each.
    pub commands: BTreeMap<String, Value>,
}

impl Allow {
    /// Reads the form in which plugins and configuration files write it. What does not parse is an error, never less than was asked for.
    ///
    /// # Errors
    /// Everything that is wrong, each with the path to it.
    pub fn parse(value: &Value) -> Result<Self, Vec<String>> {
        let map = match value {
            Value::Null => return Ok(Self::default()),
            Value::Object(map) => map,
            _ => return Err(vec![": not an object".to_owned()]),
        };
        let mut problems = Vec::new();
        for key in map.keys() {
            if !["net", "read", "commands"].contains(&&**key) {
                problems.push(format!(": there is no '{key}'{}", did_you_mean(key, &["net", "read", "commands"])));
            }
        }
        let net = texts(map, "net", &mut problems, |host| {
            is_host(host).then_some(()).ok_or(
                "no host: `api.example.com`, `*.example.com` or either with `:port` is wanted, perhaps behind http://",
            )
        });
        let read = texts(map, "read", &mut problems, |path| {
            let ok = !path.is_empty()
                && !path.contains('\0')
                && !Path::new(path).components().any(|part| part == Component::ParentDir);
            ok.then_some(()).ok_or("no path, or one with `..`")
        });
        let mut commands = BTreeMap::new();
        match map.get("commands") {
            None => {}
            Some(Value::Object(known)) => {
                for (name, value) in known {
                    if name.is_empty() || name.contains(['/', '\0', ' ']) {
                        problems.push(format!(".commands: '{name}' is no name of a command"));
                    } else if !value.is_object() {
                        problems.push(format!(".commands.{name}: not an object"));
                    }
                    commands.insert(name.clone(), value.clone());
                }
            }
            Some(_) => problems.push(".commands: not an object".to_owned()),
        }
        if problems.is_empty() { Ok(Self { net, read, commands }) } else { Err(problems) }
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.net.is_empty() && self.read.is_empty() && self.commands.is_empty()
    }

    /// What of this is within a ceiling, and what is not.
    pub fn bounded_by(&self, ceiling: &Self) -> (Self, Self) {
        let (net, no_net) =
            self.net.iter().cloned().partition(|host| ceiling.net.iter().any(|most| covers_host(most, host)));
        let (read, no_read) =
            self.read.iter().cloned().partition(|path| ceiling.read.iter().any(|most| covers_path(most, path)));
        let (commands, no_commands) =
            self.commands.clone().into_iter().partition(|(name, _)| ceiling.commands.contains_key(name));
        (Self { net, read, commands }, Self { net: no_net, read: no_read, commands: no_commands })
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        let commands: Vec<String> = self.commands.keys().cloned().collect();
        let parts = [("net", &self.net), ("read", &self.read), ("commands", &commands)];
        let parts = parts
            .iter()
            .filter(|(_, items)| !items.is_empty())
            .map(|(what, items)| format!("{what} {}", items.join(", ")));
        let text = parts.collect::<Vec<_>>().join("; ");
        if text.is_empty() { "nothing".to_owned() } else { text }
    }
}

fn texts(
    map: &Map<String, Value>,
    key: &str,
    problems: &mut Vec<String>,
    check: impl Fn(&str) -> Result<(), &'static str>,
) -> Vec<String> {
    let items = match map.get(key) {
        None => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            problems.push(format!(".{key}: not a list"));
            return Vec::new();
        }
    };
    let mut texts = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_str().map(|text| check(text).map(|()| text)) {
            Some(Ok(text)) => texts.push(text.to_owned()),
            Some(Err(why)) => problems.push(format!(".{key}[{index}]: {item} is {why}")),
            None => problems.push(format!(".{key}[{index}]: not a text")),
        }
    }
    texts
}

/// Whether a path is another or below it, whichever `.` either has in it.
fn covers_path(most: &str, path: &str) -> bool {
    let plain =
        |path: &str| Path::new(path).components().filter(|part| *part != Component::CurDir).collect::<PathBuf>();
    let (most, path) = (plain(most), plain(path));
    most.is_absolute() == path.is_absolute() && path.starts_with(&most)
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    host.rsplit_once(':').map_or((host, None), |(host, port)| (host, Some(port)))
}

fn is_host(text: &str) -> bool {
    let (host, port) = split_port(text.strip_prefix("http://").unwrap_or(text));
    let host = host.strip_prefix("*.").unwrap_or(host);
    let label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    host.len() <= 253
        && host.split('.').all(label)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Whether a pattern takes in all that another does.
fn covers_host(most: &str, host: &str) -> bool {
    let (most, host) = match (most.strip_prefix("http://"), host.strip_prefix("http://")) {
        (Some(most), Some(host)) => (most, host),
        (None, None) => (most, host),
        _ => return false,
    };
    let ((most, most_port), (host, port)) = (split_port(most), split_port(host));
    if most_port.is_some() && most_port != port {
        return false;
    }
    let (most, host) = (most.to_ascii_lowercase(), host.to_ascii_lowercase());
    match most.strip_prefix('*') {
        Some(end) => host.ends_with(end),
        None => host == most,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_parse_is_an_error_and_never_less() {
        for bad in [
            json!([]),
            json!({"nett": []}),
            json!({"net": "a.com"}),
            json!({"net": ["https://a.com"]}),
            json!({"net": ["a.com/path"]}),
            json!({"net": ["*"]}),
            json!({"net": ["a.com:0"]}),
            json!({"net": [1]}),
            json!({"read": ["../up"]}),
            json!({"read": [""]}),
            json!({"commands": ["git"]}),
            json!({"commands": {"/bin/sh": {}}}),
            json!({"commands": {"git": true}}),
        ] {
            assert!(Allow::parse(&bad).is_err(), "{bad}");
        }
        assert!(Allow::parse(&json!({})).is_ok_and(|allow| allow.is_empty()));
        let allow = Allow::parse(&json!({"net": ["a.com", "*.b.com:443"], "read": ["data"], "commands": {"git": {}}}));
        assert_eq!(
            allow.map(|allow| allow.summary()),
            Ok("net a.com, *.b.com:443; read data; commands git".to_owned())
        );
    }

    #[test]
    fn a_ceiling_takes_away_what_it_does_not_cover() {
        let allow = |value| Allow::parse(&value).expect("it parses");
        let asked = allow(
            json!({"net": ["a.com", "x.b.com", "*.b.com", "b.com", "evilb.com", "c.com:443"], "read": ["data/x", "database"], "commands": {"git": {}, "rm": {}}}),
        );
        let most = allow(json!({"net": ["*.b.com", "c.com"], "read": ["data"], "commands": {"git": {}}}));
        let (granted, withheld) = asked.bounded_by(&most);
        assert_eq!(
            granted,
            allow(json!({"net": ["x.b.com", "*.b.com", "c.com:443"], "read": ["data/x"], "commands": {"git": {}}}))
        );
        assert_eq!(
            withheld,
            allow(json!({"net": ["a.com", "b.com", "evilb.com"], "read": ["database"], "commands": {"rm": {}}}))
        );
        assert!(asked.bounded_by(&Allow::default()).0.is_empty());
        assert!(!allow(json!({"net": ["c.com"]})).bounded_by(&allow(json!({"net": ["c.com:443"]}))).1.is_empty());
        let plain = allow(json!({"net": ["http://c.com:80"]}));
        assert!(plain.bounded_by(&allow(json!({"net": ["c.com"]}))).0.is_empty(), "https is not http");
        assert!(plain.bounded_by(&allow(json!({"net": ["http://c.com"]}))).1.is_empty());
    }
}
