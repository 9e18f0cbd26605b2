//! What is wrong with a source, said to the person who wrote it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::{Deserialize, Serialize};

/// Problems shown of one source; of more only the number is said.
const MAX_SHOWN: usize = 5;
/// Problems that are kept of one source.
pub(crate) const MAX_KEPT: usize = 100;
/// Bytes of a line that are shown around a problem.
const MAX_LINE: usize = 160;

/// Bytes of a message: it may repeat names and texts of the source.
const MAX_MESSAGE: usize = 500;

fn shortened(mut text: String) -> String {
    if text.len() > MAX_MESSAGE {
        text.truncate(text.floor_char_boundary(MAX_MESSAGE));
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// UTF-8 bytes of the source.
    pub range: Range<usize>,
    /// One sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    pub(crate) fn at(range: Range<usize>, message: impl Into<String>) -> Self {
        Self { range, message: shortened(message.into()), help: None }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(shortened(help.into()));
        self
    }
}

/// A source that cannot be used: at least one problem, in the order of the text.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct SourceError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl From<Problem> for SourceError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl std::fmt::Display for SourceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(first) = self.problems.first() else { return f.write_str("the source cannot be used") };
        f.write_str(&first.message)?;
        if let Some(help) = &first.help {
            write!(f, " ({help})")?;
        }
        match self.problems.len() {
            1 => Ok(()),
            2 => f.write_str("; and 1 more problem"),
            n => write!(f, "; and {} more problems", n - 1),
        }
    }
}

impl std::error::Error for SourceError {}

/// Line and column of an offset, both from 1; columns in UTF-16 units, as JavaScript counts.
pub fn line_and_column(source: &str, offset: usize) -> (u32, u32) {
    let before = &source[..floor_char_boundary(source, offset)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() as u32 + 1;
    // A byte order mark is no character of the first line.
    (line, before[line_start..].trim_start_matches('\u{feff}').encode_utf16().count() as u32 + 1)
}

fn floor_char_boundary(source: &str, offset: usize) -> usize {
    let mut offset = offset.min(source.len());
    while !source.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

impl SourceError {
    /// The first of its problems: a source can have one at each of its bytes.
    pub(crate) fn cut(mut self) -> Self {
        self.problems.truncate(MAX_KEPT);
        self
    }

    /// Line and column of the first problem.
    pub fn position(&self, source: &str) -> Option<(u32, u32)> {
        self.problems.first().map(|problem| line_and_column(source, problem.range.start))
    }

    /// All problems with the lines they are in, as a person reads them. `name` is what positions call the source.
    pub fn render(&self, name: &str, source: &str) -> String {
        let mut text = String::new();
        for problem in self.problems.iter().take(MAX_SHOWN) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&render(problem, name, source));
        }
        if self.problems.len() > MAX_SHOWN {
            text.push_str(&format!("\n… and {} more", self.problems.len() - MAX_SHOWN));
        }
        text
    }
}

fn render(problem: &Problem, name: &str, source: &str) -> String {
    let start = floor_char_boundary(source, problem.range.start);
    let (line, column) = line_and_column(source, start);
    let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
    let line_end = if source[start..line_end].ends_with('\r') { line_end - 1 } else { line_end };
    // Long lines are shown around the problem.
    let from = floor_char_boundary(source, line_start.max(start.saturating_sub(MAX_LINE / 2)));
    let to = floor_char_boundary(source, line_end.min(start + MAX_LINE / 2)).max(start);
    let shown = |range: Range<usize>| -> String {
        source[range].chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
    };
    let end = floor_char_boundary(source, problem.range.end.min(to)).max(start);
    let mark = shown(from..start).len();
    let span = mark..mark + shown(start..end).len();
    let shown = shown(from..to);
    let title = Level::ERROR.primary_title(&problem.message).element(
        Snippet::source(&shown).line_start(line as usize).annotation(AnnotationKind::Primary.span(span).label("")),
    );
    let group = match &problem.help {
        Some(help) => title.element(Level::HELP.message(help)),
        None => title,
    };
    let rendered = Renderer::plain().render(&[group]);
    // The position goes in by hand: the library would count columns within what is shown, and in characters.
    let mut lines: Vec<String> = rendered.lines().map(|line| line.trim_end().to_owned()).collect();
    let gutter = " ".repeat(line.to_string().len());
    lines.insert(1, format!("{gutter}--> {name}:{line}:{column}"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_shown_with_its_line_and_position() {
        let source = "let a = 1;\nlet é = @;\n";
        let error = SourceError::from(Problem::at(20..21, "this is no expression").with_help("write one"));
        assert_eq!(error.position(source), Some((2, 9)));
        let shown = error.render("cell 3", source);
        assert_eq!(
            shown,
            "error: this is no expression\n --> cell 3:2:9\n  |\n2 | let é = @;\n  |         ^\n  |\n  = help: write one"
        );
    }

    #[test]
    fn odd_places_and_long_lines_do_no_harm() {
        let long = format!("{}é{}", "x".repeat(5000), "\u{1}".repeat(5000));
        for source in ["", "\n", "é", "\r\n", &long] {
            for at in [0, 1, source.len() / 2, source.len(), source.len() + 7] {
                let shown = SourceError::from(Problem::at(at..at + 3, "m")).render("n", source);
                assert!(shown.len() < 2000 && shown.contains(" --> n:"), "{shown}");
            }
        }
    }
}
