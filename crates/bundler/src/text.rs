//! Sources as text.

pub(crate) fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// The first offset from `at` on that is neither white space nor comment.
pub(crate) fn skip_trivia(source: &str, mut at: usize) -> usize {
    loop {
        let rest = &source[at.min(source.len())..];
        let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        at += rest.len() - trimmed.len();
        if trimmed.starts_with("//") {
            at += trimmed.find(is_line_break).unwrap_or(trimmed.len());
        } else if trimmed.starts_with("/*") {
            at += trimmed.find("*/").map_or(trimmed.len(), |end| end + 2);
        } else {
            return at;
        }
    }
}

/// A name that the source does not contain.
pub(crate) fn fresh_name(source: &str) -> String {
    let name = "$cell";
    let longest = source
        .match_indices(name)
        .map(|(at, _)| source[at + name.len()..].bytes().take_while(|byte| *byte == b'$').count() + 1);
    name.to_owned() + &"$".repeat(longest.max().unwrap_or(0))
}

pub(crate) fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
