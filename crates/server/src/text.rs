use std::fmt::Write as _;

use perennial_protocol::{ChangeKind, ConsoleLevel, ScriptError, ScriptResult, VmOrigin};
use serde_json::Value;

/// How much of a value the text shows. All of it is in the structured result.
const MAX_VALUE: usize = 32 << 10;
/// How much console output the text shows.
const MAX_CONSOLE: usize = 16 << 10;

/// How much there is in all.
const MAX_TEXT: usize = 96 << 10;

/// What a model reads of a result: the value or the error, the console, what state was lost. Never the script again.
pub fn text_for_model(result: &ScriptResult) -> String {
    let mut text = String::new();
    match (&result.error, &result.value) {
        (Some(error), _) => {
            what_went_wrong(error, &mut text);
            let mut cause = error.cause.as_deref();
            while let Some(known) = cause {
                let _ = write!(text, "\ncaused by {}: {}", known.name, known.message);
                cause = known.cause.as_deref();
            }
        }
        // As it is: a model reads no escapes where there need be none.
        (None, Some(Value::String(value))) => text.push_str(&cut(value, MAX_VALUE)),
        (None, Some(value)) => text.push_str(&cut(&value.to_string(), MAX_VALUE)),
        (None, None) => text.push_str("undefined"),
    }
    console(result, &mut text);
    for note in state_notes(result) {
        let _ = write!(text, "\nnote: {note}");
    }
    if text.len() > MAX_TEXT { cut(&text, MAX_TEXT) } else { text }
}

fn what_went_wrong(error: &ScriptError, text: &mut String) {
    if let Some(report) = error.report() {
        let _ = write!(text, "{}: {}", error.name, report.strip_prefix("error: ").unwrap_or(report));
        return;
    }
    let _ = write!(text, "{}: {}", error.name, error.message);
    if let (Some(line), Some(column)) = (error.line, error.column) {
        let file = error.file.as_deref().unwrap_or("script");
        let _ = write!(text, "\n  at {file}:{line}:{column}");
    }
    if let Some(excerpt) = &error.excerpt {
        let _ = write!(text, "\n{excerpt}");
    }
}

fn console(result: &ScriptResult, text: &mut String) {
    if result.console.is_empty() && result.console_dropped == 0 {
        return;
    }
    text.push_str("\n\nconsole:");
    let mut shown = 0;
    for (index, entry) in result.console.iter().enumerate() {
        if shown + entry.message.len() > MAX_CONSOLE {
            let _ = write!(text, "\n… {} more entries", result.console.len() - index);
            break;
        }
        shown += entry.message.len();
        let background = if entry.background { "between runs, " } else { "" };
        match entry.level {
            ConsoleLevel::Log if !entry.background => {
                let _ = write!(text, "\n{}", entry.message);
            }
            level => {
                let _ = write!(text, "\n[{background}{}] {}", level.as_str(), entry.message);
            }
        }
    }
    if result.console_dropped > 0 {
        let _ = write!(text, "\n({} entries did not fit and were dropped)", result.console_dropped);
    }
}

/// How many changed files are named.
const MAX_FILES: usize = 20;

fn changed_files(result: &ScriptResult) -> String {
    let named = result.files.iter().take(MAX_FILES).map(|file| {
        let what = match file.change {
            ChangeKind::Created => "created",
            ChangeKind::Modified => "changed",
            ChangeKind::Removed => "removed",
        };
        let size = file.bytes.map_or(String::new(), |bytes| format!(" ({bytes} bytes)"));
        format!("{what} {}{size}", plain(&file.path))
    });
    let mut text = named.collect::<Vec<_>>().join(", ");
    let more = result.files.len().saturating_sub(MAX_FILES) as u64 + result.files_more;
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    text
}

/// A name that a script has chosen, on one line: what controls a terminal or ends a line is shown by its number.
fn plain(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_control() { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

fn named(names: &[String]) -> String {
    names.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ")
}

/// What became of the session's state, in sentences.
pub fn state_notes(result: &ScriptResult) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(reason) = result.replaces {
        notes.push(format!(
            "this is a new session; the last one of this name ended ({}) with all its state",
            reason.as_str()
        ));
    }
    if !result.files.is_empty() {
        notes.push(format!("files: {}", changed_files(result)));
    }
    if !result.artifacts.is_empty() {
        let named =
            result.artifacts.iter().take(MAX_FILES).map(|file| format!("{} ({} bytes)", plain(&file.name), file.bytes));
        let more = result.artifacts.len().saturating_sub(MAX_FILES) as u64 + result.artifacts_more;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        notes.push(format!("artifacts: {}{more}", named.collect::<Vec<_>>().join(", ")));
    }
    if !result.images.is_empty() {
        let kinds: Vec<&str> = result.images.iter().map(|image| &*image.mime_type).collect();
        notes.push(format!("shown: {}", kinds.join(", ")));
    }
    if !result.cut.is_empty() {
        notes.push(format!("too long for an answer, and cut: {}", result.cut.join(", ")));
    }
    if result.vm == Some(VmOrigin::Rebuilt) {
        let because = result.rebuilt_because.map_or("unknown", |reason| reason.as_str());
        let listed = result.lost_globals.len() as u64;
        let more = result.lost_globals_count.map_or(0, |count| count.saturating_sub(listed));
        let lost = match (listed, more) {
            (0, 0) => "no globals were lost".to_owned(),
            (0, more) => format!("{more} globals were lost, whose names are too long to be listed"),
            (_, 0) => format!("lost globals: {}", named(&result.lost_globals)),
            (_, more) => format!("lost globals: {} and {more} more", named(&result.lost_globals)),
        };
        notes.push(format!("the VM was rebuilt before this run ({because}); {lost}; vars and files are kept"));
    }
    if !result.shadowed.is_empty() {
        notes.push(format!(
            "your own declarations hide what this call brings as {}: delete them from globalThis to have it",
            named(&result.shadowed)
        ));
    }
    notes
}

fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}… ({} bytes in all)", &text[..end], text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use perennial_protocol::{ErrorKind, RebuildReason, ScriptError};

    #[test]
    fn an_error_is_told_with_its_place_and_what_was_lost() {
        let mut error = ScriptError::new(ErrorKind::Runtime, "x is not defined");
        error.name = "ReferenceError".to_owned();
        (error.file, error.line, error.column) = (Some("cell 3".to_owned()), Some(1), Some(8));
        error.excerpt = Some("return x\n       ^".to_owned());
        let mut result = ScriptResult::refused(error);
        result.vm = Some(VmOrigin::Rebuilt);
        result.rebuilt_because = Some(RebuildReason::Timeout);
        result.lost_globals = vec!["x".to_owned()];
        assert_eq!(
            text_for_model(&result),
            "ReferenceError: x is not defined\n  at cell 3:1:8\nreturn x\n       ^\n\
             note: the VM was rebuilt before this run (timeout); lost globals: x; vars and files are kept"
        );
    }

    #[test]
    fn what_was_lost_is_told_also_where_no_name_can_be_and_names_end_no_line() {
        let mut result = ScriptResult::refused(ScriptError::new(ErrorKind::Runtime, "x"));
        (result.vm, result.rebuilt_because) = (Some(VmOrigin::Rebuilt), Some(RebuildReason::Timeout));
        let lost = |result: &ScriptResult| state_notes(result).join("\n");
        assert!(lost(&result).contains("; no globals were lost;"), "{}", lost(&result));
        result.lost_globals_count = Some(5);
        assert!(
            lost(&result).contains("; 5 globals were lost, whose names are too long to be listed;"),
            "{}",
            lost(&result)
        );
        result.lost_globals = vec!["a\nnote: b".to_owned()];
        assert!(lost(&result).contains(r"; lost globals: a\u{a}note: b and 4 more;"), "{}", lost(&result));
    }

    #[test]
    fn a_long_value_is_cut_between_characters_and_its_size_told() {
        let shown = cut(&"😀".repeat(10), 6);
        assert_eq!(shown, "😀… (40 bytes in all)");
    }
}
