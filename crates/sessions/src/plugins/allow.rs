//! What a plugin asks for, and what of it an operator grants.

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use crate::capability::Declared;
use crate::library::Library;
use crate::provisions::Provisions;

/// What a plugin asks for in its `allow`, or the most that an operator grants to plugins, by the key of each capability: `net`, `read`, `commands`, or one of
/// an embedder's own. What is said without anything in it is as if it were not said.
#[derive(Clone, Default)]
pub struct Allow(Vec<Asked>);

#[derive(Clone)]
pub(super) struct Asked {
    pub(super) of: Declared,
    pub(super) value: Value,
}

impl Allow {
    /// Reads the form in which plugins and configuration files write it. What does not parse is an error, never less than was asked for.
    ///
    /// # Errors
    /// Everything that is wrong, each with the path to it.
    pub fn parse(value: &Value) -> Result<Self, Vec<String>> {
        Self::parse_of(value, &known(&Provisions::new()))
    }

    /// The same where an embedder's own provisions have capabilities too.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_with(value: &Value, provisions: &Provisions) -> Result<Self, Vec<String>> {
        Self::parse_of(value, &known(provisions))
    }

    pub(super) fn parse_of(value: &Value, known: &[Declared]) -> Result<Self, Vec<String>> {
        let map = match value {
            Value::Null => return Ok(Self::default()),
            Value::Object(map) => map,
            _ => return Err(vec![": not an object".to_owned()]),
        };
        let mut problems = Vec::new();
        let keys: Vec<&str> = known.iter().map(Declared::key).collect();
        for key in map.keys().filter(|key| !keys.contains(&&***key)) {
            problems.push(format!(": there is no '{key}'{}", perennial_engine::did_you_mean(key, &keys)));
        }
        let mut asked = Vec::new();
        for of in known {
            let Some(value) = map.get(of.key()) else { continue };
            match of.capability.check(value) {
                Err(why) => problems.extend(why.into_iter().map(|why| format!(".{}{why}", of.key()))),
                Ok(()) => asked.push(Asked { of: of.clone(), value: value.clone() }),
            }
        }
        if problems.is_empty() { Ok(Self(asked).without_empty()) } else { Err(problems) }
    }

    fn without_empty(mut self) -> Self {
        self.0.retain(|asked| !asked.of.capability.items(&asked.value).is_empty());
        self
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is asked for of one capability, as it was written.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|asked| asked.of.key() == key).map(|asked| &asked.value)
    }

    /// The capabilities that something is asked for of.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|asked| asked.of.key())
    }

    /// What is asked for of one capability, one by one.
    pub fn items(&self, key: &str) -> Vec<String> {
        let asked = self.0.iter().find(|asked| asked.of.key() == key);
        asked.map(|asked| asked.of.capability.items(&asked.value)).unwrap_or_default()
    }

    pub(super) fn asked(&self) -> &[Asked] {
        &self.0
    }

    /// What of this is within a ceiling, and what is not.
    pub fn bounded_by(&self, ceiling: &Self) -> (Self, Self) {
        let (mut granted, mut withheld) = (Vec::new(), Vec::new());
        for asked in &self.0 {
            let most = ceiling.0.iter().find(|most| most.of.is(&asked.of));
            let Some(most) = most else {
                withheld.push(asked.clone());
                continue;
            };
            let (within, beyond) = asked.of.capability.within(&asked.value, &most.value);
            granted.push(Asked { of: asked.of.clone(), value: within });
            withheld.push(Asked { of: asked.of.clone(), value: beyond });
        }
        (Self(granted).without_empty(), Self(withheld).without_empty())
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        let parts = self.0.iter().map(|asked| {
            let items = asked.of.capability.items(&asked.value);
            format!("{} {}", asked.of.key(), items.join(", "))
        });
        let text = parts.collect::<Vec<_>>().join("; ");
        if text.is_empty() { "nothing".to_owned() } else { text }
    }
}

impl PartialEq for Allow {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|(one, other)| one.of.is(&other.of) && one.value == other.value)
    }
}

impl std::fmt::Debug for Allow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.0.iter().map(|asked| (asked.of.key(), &asked.value))).finish()
    }
}

/// The capabilities that there are with these provisions of an embedder's.
pub(super) fn known(own: &Provisions) -> Arc<[Declared]> {
    static OF_EVERY_TABLE: LazyLock<Arc<[Declared]>> = LazyLock::new(|| declared(&Provisions::new()));
    if own.is_empty() { OF_EVERY_TABLE.clone() } else { declared(own) }
}

fn declared(own: &Provisions) -> Arc<[Declared]> {
    let mut library = Library::default();
    Provisions::to_ask().and(own).declare(&mut library);
    library.capabilities().into()
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
        assert!(Allow::parse(&json!({"net": [], "commands": {}})).is_ok_and(|allow| allow.is_empty()));
        let why = Allow::parse(&json!({"nett": [], "read": [1, ""], "commands": {"a b": {}}}))
            .expect_err("it does not parse");
        let expected = [
            ": there is no 'nett' (did you mean 'net'?)",
            ".read[0]: not a text",
            ".read[1]: \"\" is no path, or one with `..`",
            ".commands: 'a b' is no name of a command",
        ];
        assert_eq!(why, expected);
        let allow = Allow::parse(&json!({"commands": {"git": {}}, "net": ["a.com", "*.b.com:443"], "read": ["data"]}));
        assert_eq!(
            allow.map(|allow| allow.summary()),
            Ok("read data; net a.com, *.b.com:443; commands git".to_owned())
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
