//! JSON as a JavaScript expression, written as it is read: as a tree it would take many times the memory of its text.

use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

/// A module whose default export is the value of a JSON text. `__proto__` is a key like any other, and of keys that are there twice the last counts.
///
/// # Errors
/// If it is no JSON, or nested deeper than `serde_json` reads.
pub(super) fn module(text: &str) -> serde_json::Result<String> {
    let mut out = String::with_capacity(text.len() + 32);
    out.push_str("export default ");
    let mut from = serde_json::Deserializer::from_str(text);
    Written(&mut out).deserialize(&mut from)?;
    from.end()?;
    out.push(';');
    out.shrink_to_fit();
    Ok(out)
}

/// Appends what is read.
struct Written<'o>(&'o mut String);

impl Written<'_> {
    fn plain<E>(self, value: impl fmt::Display) -> Result<(), E> {
        // Writing to a String does not fail.
        let _ = write!(self.0, "{value}");
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Written<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Written<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.plain("null")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.plain(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.plain(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.plain(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        match Number::from_f64(value) {
            Some(number) => self.plain(number),
            None => self.plain("null"),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.plain(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.push('[');
        while items.next_element_seed(Written(self.0))?.is_some() {
            // One behind the last is no element in JavaScript.
            self.0.push(',');
        }
        self.0.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        self.0.push('{');
        while let Some(key) = fields.next_key::<String>()? {
            let _ = write!(self.0, "[{}]:", Value::from(key));
            fields.next_value_seed(Written(self.0))?;
            self.0.push(',');
        }
        self.0.push('}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_written_as_the_expression_that_has_its_value() {
        for (json, expression) in [
            (
                r#" {"a": [1, -2, 2.5e3, true, null, []], "__proto__": {"b": "\u2028\"x"}} "#,
                "{[\"a\"]:[1,-2,2500.0,true,null,[],],[\"__proto__\"]:{[\"b\"]:\"\u{2028}\\\"x\",},}",
            ),
            (r#""text""#, r#""text""#),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(module(json).expect("JSON"), format!("export default {expression};"));
        }
        for wrong in ["", "[1,]", "{\"a\":1,}", "1 2", "1e400", &"[".repeat(200)] {
            assert!(module(wrong).is_err(), "{wrong}");
        }
    }
}
