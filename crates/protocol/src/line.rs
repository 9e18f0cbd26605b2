//! The id of a JSON message that cannot be read whole.

use serde_json::Value;

/// Bytes of an id, as it is written.
const MAX_ID: usize = 512;

/// Finds the `id` at the top level of a JSON object, whatever else is wrong with the text: lone surrogates, numbers beyond all numbers, a nesting that no
/// reader follows. The text may come in pieces and be of any length; nothing of it is kept but the id.
///
/// ```
/// let mut scan = perennial_protocol::IdScan::default();
/// scan.feed(br#"{"a": [{"id": 1}, "\ud800"], "id""#);
/// scan.feed(br#": "seven", "b": 1e400}"#);
/// assert_eq!(scan.id(), Some("seven".into()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct IdScan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The key at the top level was read, and its value comes.
    in_value: bool,
    /// What is read is the key or the value that is wanted.
    kept: Vec<u8>,
    /// The last key was `id`.
    is_id: bool,
    found: Option<Vec<u8>>,
}

impl IdScan {
    /// The next piece.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.found.is_some() {
            return;
        }
        for &byte in bytes {
            self.byte(byte);
            if self.found.is_some() {
                return;
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.in_string {
            self.keep(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.in_string = false;
                    if self.depth == 1 && !self.in_value {
                        self.is_id = self.kept == b"\"id\"";
                    }
                }
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                if self.depth == 1 && !self.in_value {
                    self.kept.clear();
                }
                self.keep(byte);
            }
            b':' if self.depth == 1 => {
                self.in_value = true;
                self.kept.clear();
            }
            b',' if self.depth == 1 => self.value_ends(),
            b'{' | b'[' => {
                self.keep(byte);
                self.depth += 1;
            }
            b'}' | b']' => {
                if self.depth == 1 {
                    self.value_ends();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            _ => self.keep(byte),
        }
    }

    fn keep(&mut self, byte: u8) {
        let is_wanted = self.depth == 1 && (!self.in_value || self.is_id);
        if is_wanted && self.kept.len() <= MAX_ID {
            self.kept.push(byte);
        }
    }

    fn value_ends(&mut self) {
        if self.is_id && self.in_value {
            self.found = Some(std::mem::take(&mut self.kept));
        }
        (self.in_value, self.is_id) = (false, false);
        self.kept.clear();
    }

    /// The id, if it was found and is a text or a number.
    pub fn id(&self) -> Option<Value> {
        let found = self.found.as_deref().filter(|found| found.len() <= MAX_ID)?;
        serde_json::from_slice(found).ok().filter(|id: &Value| id.is_string() || id.is_number())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(text: &str) -> Option<Value> {
        let mut scan = IdScan::default();
        text.as_bytes().chunks(3).for_each(|piece| scan.feed(piece));
        scan.id()
    }

    #[test]
    fn the_id_is_found_whatever_is_wrong_with_the_rest() {
        for (text, found) in [
            (r#"{"id":1}"#.to_owned(), Some(json!(1))),
            (r#"{"a":"\ud800","id":"x"}"#.to_owned(), Some(json!("x"))),
            (r#"{ "id" : "a\"b" , "n": 1e400}"#.to_owned(), Some(json!("a\"b"))),
            (format!(r#"{{"a":{}{},"id":7}}"#, "[".repeat(1000), "]".repeat(1000)), Some(json!(7))),
            (format!(r#"{{"id":9,"a":{}"#, "[".repeat(1000)), Some(json!(9))),
            (r#"{"a":{"id":1},"b":["id",2]}"#.to_owned(), None),
            (r#"{"a":"\"id\":3"}"#.to_owned(), None),
            (r#"{"id":[1]}"#.to_owned(), None),
            (r#"{"id":null}"#.to_owned(), None),
            (format!(r#"{{"id":"{}"}}"#, "x".repeat(10_000)), None),
            ("]]]}".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(id(&text), found, "{text:.60}");
        }
    }
}
