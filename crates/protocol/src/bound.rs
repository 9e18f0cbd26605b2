//! Everything of a result that a script can say is bounded as a whole, in bytes of JSON: value and console by their own limits, the rest here.

use serde_json::Value;

use crate::{Cause, ScriptError, ScriptResult};

/// Bytes that a value of JSON takes in this process, roughly.
pub fn json_bytes(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(json_bytes).sum(),
            Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + json_bytes(value)).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

/// Bytes of JSON that each part may take, of an answer that has at most 256 KiB besides its value and its console.
const NAME: usize = 256;
const MESSAGE: usize = 8 << 10;
const PLACE: usize = 1 << 10;
const EXCERPT: usize = 8 << 10;
const STACK: usize = 16 << 10;
const CAUSES: usize = 16 << 10;
const GLOBALS: usize = 8 << 10;
/// Names that hide something are the embedder's, and few.
const SHADOWED: usize = 8 << 10;
const FILES: usize = 64 << 10;
const ARTIFACTS: usize = 64 << 10;
const MORE: usize = 16 << 10;
/// What an entry of a list takes besides its text.
const ENTRY: usize = 64;

/// The one writer that cuts, and notes what it has cut.
struct Cutter(Vec<String>);

impl Cutter {
    /// Cuts a text between characters; what has gone is said by `…`.
    fn text(&mut self, field: &str, text: &mut String, most: usize) {
        if json_length(text) <= most {
            return;
        }
        let mark = '…'.len_utf8();
        let (mut length, mut end) = (2 + mark, 0);
        for c in text.chars() {
            length += char_length(c);
            if length > most {
                break;
            }
            end += c.len_utf8();
        }
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
        self.note(field);
    }

    fn optional(&mut self, field: &str, text: &mut Option<String>, most: usize) {
        if let Some(text) = text {
            self.text(field, text, most);
        }
    }

    /// Cuts a list; returns how many of it have gone.
    fn list<T>(&mut self, field: &str, list: &mut Vec<T>, most: usize, length: impl Fn(&T) -> usize) -> u64 {
        let mut left = most;
        let kept = list.iter().take_while(|item| {
            let length = ENTRY + length(item);
            let fits = length <= left;
            left = left.saturating_sub(length);
            fits
        });
        let kept = kept.count();
        let gone = list.len() - kept;
        if gone > 0 {
            list.truncate(kept);
            list.shrink_to_fit();
            self.note(field);
        }
        gone as u64
    }

    fn note(&mut self, field: &str) {
        if !self.0.iter().any(|known| known == field) {
            self.0.push(field.to_owned());
        }
    }

    fn error(&mut self, error: &mut ScriptError) {
        self.text("error.name", &mut error.name, NAME);
        self.text("error.message", &mut error.message, MESSAGE);
        self.optional("error.file", &mut error.file, PLACE);
        self.optional("error.path", &mut error.path, PLACE);
        self.optional("error.excerpt", &mut error.excerpt, EXCERPT);
        self.optional("error.stack", &mut error.stack, STACK);
        let mut left = CAUSES;
        let mut next = &mut error.cause;
        while next.is_some() {
            if left < NAME {
                *next = None;
                self.note("error.cause");
                return;
            }
            let Some(cause) = next else { return };
            let Cause { name, message, cause } = &mut **cause;
            self.text("error.cause", name, NAME);
            self.text("error.cause", message, (left - NAME).max(NAME));
            left = left.saturating_sub(json_length(name) + json_length(message) + ENTRY);
            next = cause;
        }
    }
}

impl ScriptResult {
    /// Cuts everything that a script can make as long as it likes, and says in [`ScriptResult::cut`] what was. As JSON the result is then at most as long
    /// as its value and its console may be, 256 KiB, and the images that it shows.
    pub fn bound(&mut self, console_bytes: usize) {
        let mut cutter = Cutter(std::mem::take(&mut self.cut));
        if let Some(error) = &mut self.error {
            cutter.error(error);
        }
        let lost = self.lost_globals_count.unwrap_or(self.lost_globals.len() as u64);
        if cutter.list("lost_globals", &mut self.lost_globals, GLOBALS, |name| json_length(name)) > 0 {
            self.lost_globals_count = Some(lost);
        }
        cutter.list("shadowed", &mut self.shadowed, SHADOWED, |name| json_length(name));
        self.files_more += cutter.list("files", &mut self.files, FILES, |file| json_length(&file.path));
        self.artifacts_more += cutter.list("artifacts", &mut self.artifacts, ARTIFACTS, |file| json_length(&file.name));
        let more = &mut self.usage.more;
        let (mut left, before) = (MORE, more.len());
        more.retain(|name, value| {
            let length = ENTRY + json_length(name) + value.to_string().len();
            let fits = length <= left;
            left -= if fits { length } else { 0 };
            fits
        });
        if more.len() < before {
            cutter.note("usage.more");
        }
        // Escaped, an entry can be six times as long as it was counted.
        let most = console_bytes.saturating_add(self.console.len() * ENTRY);
        self.console_dropped +=
            cutter.list("console", &mut self.console, most, |entry| json_length(&entry.message) - 2);
        self.cut = cutter.0;
    }
}

fn char_length(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        c => c.len_utf8(),
    }
}

/// The length of a text as a JSON string.
fn json_length(text: &str) -> usize {
    2 + text.chars().map(char_length).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChangeKind, ConsoleEntry, ConsoleLevel, ErrorKind, FileChange, ProducedFile};

    fn worst(text: &str) -> ScriptResult {
        let mut error = ScriptError::new(ErrorKind::Runtime, text);
        error.name = text.to_owned();
        error.stack = Some(text.to_owned());
        error.file = Some(text.to_owned());
        error.excerpt = Some(text.to_owned());
        error.path = Some(text.to_owned());
        for _ in 0..8 {
            let cause = error.cause.take();
            error.cause = Some(Box::new(Cause { name: text.to_owned(), message: text.to_owned(), cause }));
        }
        let mut result = ScriptResult::refused(error);
        result.lost_globals = vec![text.to_owned(); 100];
        result.shadowed = vec![text.to_owned(); 100];
        result.files = vec![FileChange { path: text.to_owned(), change: ChangeKind::Created, bytes: Some(1) }; 1000];
        result.artifacts = vec![ProducedFile { name: text.to_owned(), bytes: 1 }; 1000];
        result.usage.more.insert("own".to_owned(), Value::from(text));
        let entry = ConsoleEntry { level: ConsoleLevel::Log, message: text.to_owned(), ts_ms: 0.0, background: false };
        result.console = vec![entry; 100];
        result
    }

    #[test]
    fn whatever_a_script_says_the_whole_is_bounded_and_what_was_cut_is_told() {
        for text in ["x".repeat(100_000), "\u{1}".repeat(4000), "😀".repeat(30_000), "\"".repeat(300)] {
            let mut result = worst(&text);
            result.bound(64 << 10);
            let json = serde_json::to_string(&result).expect("it is made of JSON");
            assert!(json.len() <= (64 << 10) + (256 << 10), "{}", json.len());
            assert_eq!(result.files.len() as u64 + result.files_more, 1000);
            assert_eq!(result.artifacts.len() as u64 + result.artifacts_more, 1000);
            assert_eq!(result.console.len() as u64 + result.console_dropped, 100);
            assert_eq!(result.lost_globals_count.unwrap_or(100), 100);
            assert!(result.cut.contains(&"error.cause".to_owned()), "{:?}", result.cut);
        }
    }

    #[test]
    fn what_is_short_stays_as_it_is() {
        let mut result = worst("short");
        result.files.truncate(10);
        result.artifacts.truncate(10);
        let before = result.clone();
        result.bound(64 << 10);
        assert_eq!(result, before);
    }
}
