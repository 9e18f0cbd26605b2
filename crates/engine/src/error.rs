//! From what a script threw to what its author can act on.

mod advice;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use perennial_protocol::{Cause, ErrorKind, ScriptError};

use crate::bridge::{Helpers, to_json};
use crate::control::{Stop, StopReason};
use crate::host::HostState;
use crate::js::{Class, Exception, Value};
use crate::kept;
use crate::modules::Modules;
use crate::program::Origin;

pub use advice::Advice;

/// Names of library sources begin with this; their frames are not the author's.
pub(crate) const LIBRARY: &str = "perennial:";

const MAX_MESSAGE: usize = 8 << 10;
const MAX_FRAMES: usize = 32;
const MAX_CAUSES: usize = 8;
/// A longer line is not shown at all.
const MAX_LINE: usize = 1 << 20;
/// UTF-16 units of a source line that an excerpt shows.
const EXCERPT: usize = 120;

/// The source of a run.
struct Source {
    /// What QuickJS calls it.
    file: String,
    /// What the run calls it that had it last.
    name: String,
    origin: Arc<dyn Origin>,
}

impl Source {
    /// What one takes besides its text, roughly.
    const BYTES: usize = 128;

    fn bytes(&self) -> usize {
        self.origin.source().len() + Self::BYTES
    }
}

/// The sources of recent runs, for positions and excerpts: functions outlive the run that made them.
pub(crate) struct Sources {
    recent: VecDeque<Source>,
    bytes: usize,
    modules: Arc<Mutex<Modules>>,
}

impl Sources {
    /// How much source text a VM keeps beyond the current run's own.
    const KEPT_BYTES: usize = 256 << 10;

    pub(crate) fn new(modules: Arc<Mutex<Modules>>) -> Self {
        Self { recent: VecDeque::new(), bytes: 0, modules }
    }

    /// Adds the source of a run that is compiled.
    pub(crate) fn add(&mut self, name: &str, origin: &Arc<dyn Origin>) {
        self.push(Source { file: name.to_owned(), name: name.to_owned(), origin: origin.clone() });
    }

    /// Notes that a run calls a source otherwise that was compiled for an earlier one under the name `file`.
    pub(crate) fn again(&mut self, file: &str, name: &str, origin: &Arc<dyn Origin>) {
        let is_it = |source: &Source| source.file == file && Arc::ptr_eq(&source.origin, origin);
        // As many programs are kept, so that it is one of the last, or forgotten.
        let from = self.recent.len().saturating_sub(kept::MOST);
        let known = self.recent.range(from..).rposition(is_it).and_then(|at| self.recent.remove(from + at));
        self.bytes -= known.as_ref().map_or(0, Source::bytes);
        let mut source =
            known.unwrap_or_else(|| Source { file: file.to_owned(), name: String::new(), origin: origin.clone() });
        name.clone_into(&mut source.name);
        self.push(source);
    }

    fn push(&mut self, source: Source) {
        self.bytes += source.bytes();
        self.recent.push_back(source);
        while self.recent.len() > 1 && self.bytes > Self::KEPT_BYTES {
            self.bytes -= self.recent.pop_front().as_ref().map_or(0, Source::bytes);
        }
    }

    /// What QuickJS calls a source, as its author calls it, with the source if it is known.
    fn find(&self, file: &str) -> (String, Option<Arc<dyn Origin>>) {
        if let Some(source) = self.recent.iter().rev().find(|source| source.file == file) {
            return (source.name.clone(), Some(source.origin.clone()));
        }
        match self.modules.lock().unwrap_or_else(PoisonError::into_inner).origin(file) {
            Some(module) => (module.name.clone(), Some(module.origin.clone())),
            None => (file.to_owned(), None),
        }
    }

    fn last(&self) -> Option<&Source> {
        self.recent.back()
    }
}

/// A place in a source: line and UTF-16 column, both from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    file: String,
    line: u32,
    column: u32,
    /// The text of the line.
    text: Option<String>,
}

/// A line of a source.
fn line_of(origin: &dyn Origin, line: u32) -> Option<String> {
    let line = origin.source().split('\n').nth(line.checked_sub(1)? as usize)?;
    // The caret would be out of sight in a longer one.
    (line.len() <= MAX_LINE).then(|| line.to_owned())
}

/// Splits `… (file:line:column)` or `… file:line:column`.
fn parse_frame(line: &str) -> Option<(&str, &str, u32, u32)> {
    let line = line.trim_start().strip_prefix("at ")?;
    let (function, place) = match line.strip_suffix(')').and_then(|line| line.rsplit_once(" (")) {
        Some((function, place)) => (function, place),
        None => ("", line),
    };
    let (rest, column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some((function, file, line.parse().ok()?, column.parse().ok()?))
}

/// The author's own frames with their own columns, and the first place among them.
///
/// Frames of `constructors`, which made the error itself, are in the stack but are not the place.
fn own_frames(stack: &str, sources: &Sources, constructors: &[String]) -> (Option<String>, Option<Place>) {
    let mut frames = String::new();
    let (mut first, mut made) = (None, None);
    let mut count = 0;
    for frame in stack.lines() {
        let Some((function, file, line, column)) = parse_frame(frame) else {
            // Native frames have no place; anything else was written by the script itself.
            continue;
        };
        // What a text that is read at run time calls itself is nobody's file.
        if file.starts_with(LIBRARY) || file == "<input>" || line == 0 {
            continue;
        }
        let (file, origin) = sources.find(file);
        let (line, column) = origin.as_ref().map_or((line, column), |origin| origin.place(line, column));
        if count == MAX_FRAMES {
            break;
        }
        count += 1;
        if !frames.is_empty() {
            frames.push('\n');
        }
        match function {
            "" | "<anonymous>" | "<eval>" => frames.push_str(&format!("    at {file}:{line}:{column}")),
            _ => frames.push_str(&format!("    at {function} ({file}:{line}:{column})")),
        }
        let makes_it = first.is_none() && constructors.iter().any(|name| name == function);
        if makes_it {
            made.get_or_insert(Place { file, line, column, text: None });
        } else if first.is_none() {
            let text = origin.and_then(|origin| line_of(&*origin, line));
            first = Some(Place { file, line, column, text });
        }
    }
    ((!frames.is_empty()).then_some(frames), first.or(made))
}

/// The line with a caret below the column; long lines are shown around it.
fn excerpt(line: &str, column: u32) -> String {
    let line = line.trim_end_matches('\r');
    let at = (column - 1) as usize;
    let mut from = at.saturating_sub(EXCERPT / 2);
    let (mut shown, mut before, mut unit) = (String::new(), String::new(), 0);
    for c in line.chars() {
        let end = unit + c.len_utf16();
        if unit >= from && end <= from + EXCERPT {
            // A tab stays a tab above and below, so that the caret keeps its place.
            if unit < at {
                before.push(if c == '\t' { '\t' } else { ' ' });
            }
            shown.push(if c.is_control() && c != '\t' { '\u{fffd}' } else { c });
        } else if unit < from && end > from {
            from = end;
        }
        unit = end;
    }
    before.extend(std::iter::repeat_n(' ', at.saturating_sub(unit.max(from))));
    format!("{shown}\n{before}^")
}

impl Place {
    fn put_into(self, error: &mut ScriptError) {
        error.excerpt = self.text.map(|line| excerpt(&line, self.column));
        error.line = Some(self.line);
        error.column = Some(self.column);
        error.file = Some(self.file);
    }
}

fn bounded(mut text: String) -> String {
    if text.len() > MAX_MESSAGE {
        text.truncate(text.floor_char_boundary(MAX_MESSAGE));
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// A property as text; whatever goes wrong reads as absent. Getters may run.
fn text_of(value: &Value<'_>, key: &str) -> Option<String> {
    match value.get_str(key) {
        Ok(text) if text.is_string() => text.text_prefix(MAX_MESSAGE),
        Ok(_) => None,
        Err(Exception) => {
            drop(value.scope().catch());
            None
        }
    }
}

/// The names of the classes that an error is an instance of, as far as scripts have made them.
fn constructors_of(thrown: &Value<'_>) -> Vec<String> {
    const MAX_CLASSES: usize = 8;
    let mut names = Vec::new();
    let mut prototype = thrown.plain_prototype();
    while let Some(class) = prototype.filter(|class| class.is_object() && names.len() < MAX_CLASSES) {
        let name = match class.get_str("constructor") {
            Ok(constructor) if constructor.is_object() => text_of(&constructor, "name"),
            Ok(_) => None,
            Err(Exception) => {
                drop(thrown.scope().catch());
                None
            }
        };
        names.push(name.unwrap_or_default());
        prototype = class.plain_prototype();
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Name and message of anything that was thrown.
fn name_and_message(helpers: &Helpers, thrown: &Value<'_>) -> (String, String) {
    let class = thrown.class();
    if class == Class::Error {
        let name = text_of(thrown, "name").filter(|name| !name.is_empty()).unwrap_or_else(|| "Error".to_owned());
        return (name, text_of(thrown, "message").unwrap_or_default());
    }
    let name = match class {
        Class::Undefined => "undefined",
        Class::Null => "null",
        Class::Bool(_) => "boolean",
        Class::Int(_) | Class::Float(_) => "number",
        Class::String => "string",
        Class::BigInt => "bigint",
        Class::Symbol => "symbol",
        Class::Function => "function",
        _ => "object",
    };
    let message = match class {
        Class::String => thrown.text_prefix(MAX_MESSAGE).unwrap_or_default(),
        Class::Symbol | Class::Function => format!("a {name} was thrown"),
        _ => match to_json(helpers, thrown, MAX_MESSAGE) {
            Ok(Some(json)) => json.to_string(),
            Ok(None) => "undefined".to_owned(),
            Err(_) => {
                drop(thrown.scope().catch());
                // An object that looks like an error, as other realms and hand-made classes have them.
                text_of(thrown, "message").unwrap_or_else(|| "an object was thrown".to_owned())
            }
        },
    };
    (name.to_owned(), bounded(message))
}

fn cause_of(helpers: &Helpers, thrown: &Value<'_>, left: usize) -> Option<Box<Cause>> {
    if left == 0 || thrown.class() != Class::Error {
        return None;
    }
    let cause = match thrown.get_str("cause") {
        Ok(cause) if !cause.is_undefined() => cause,
        Ok(_) => return None,
        Err(Exception) => {
            drop(thrown.scope().catch());
            return None;
        }
    };
    let (name, message) = name_and_message(helpers, &cause);
    Some(Box::new(Cause { name, message, cause: cause_of(helpers, &cause, left - 1) }))
}

/// Describes what a script threw.
pub(crate) fn describe(host: &HostState, sources: &Sources, thrown: &Value<'_>) -> ScriptError {
    let (helpers, permission) = (host.helpers(), host.permission_prototype(thrown.scope()));
    let is_permission = thrown.plain_prototype().is_some_and(|prototype| prototype.address() == permission.address());
    let kind = if is_permission { ErrorKind::Permission } else { ErrorKind::Runtime };
    let (name, message) = name_and_message(helpers, thrown);
    let mut error = ScriptError::new(kind, message).configure(|error| error.name = name);
    if thrown.class() == Class::Error {
        let whole = text_of(thrown, "stack").unwrap_or_default();
        let (stack, place) = own_frames(&whole, sources, &constructors_of(thrown));
        error.stack = stack;
        // What a built-in or the library complains of is an argument, and not what stands at the place.
        let is_theirs = whole.lines().next().is_some_and(|frame| {
            frame.ends_with("(native)") || parse_frame(frame).is_some_and(|(_, file, ..)| file.starts_with(LIBRARY))
        });
        if let Some(place) = place {
            if !is_theirs {
                advice::improve(host, thrown.scope(), &mut error, &place);
            }
            place.put_into(&mut error);
        }
        let number = |key: &str| thrown.get_str(key).ok().and_then(|value| value.as_number()).map(|value| value as u64);
        if let (Some(limit), Some(used)) = (number("limit"), number("used")) {
            error = error.with_limit(limit, used);
        }
        drop(thrown.scope().catch());
    }
    error.cause = cause_of(helpers, thrown, MAX_CAUSES);
    error
}

/// Describes why the current source does not compile. `label_column` is where the wrapper's last line names its label.
pub(crate) fn describe_syntax(
    helpers: &Helpers,
    sources: &Sources,
    thrown: &Value<'_>,
    label_column: u32,
) -> ScriptError {
    let (name, message) = name_and_message(helpers, thrown);
    let mut error = ScriptError::new(ErrorKind::Syntax, message).configure(|error| error.name = name);
    let (_, place) = own_frames(&text_of(thrown, "stack").unwrap_or_default(), sources, &[]);
    let Some(Source { name, origin, .. }) = sources.last() else { return error };
    let source = origin.source();
    let lines = source.split('\n').count() as u32;
    match place {
        Some(place) if place.line <= lines => place.put_into(&mut error),
        // A limit of the compiler.
        None if !error.message.is_empty() && !error.message.starts_with("unexpected end") => {}
        _ => {
            // The parser got as far as the wrapper's last line. If it stumbled over the label there, the block that bears it was
            // closed already; otherwise something is still open.
            error.message = if place.is_some_and(|place| place.column == label_column) {
                "a '}' or ')' closes more than was opened".to_owned()
            } else {
                "unexpected end of the script: a bracket, string, template, comment or statement is not finished"
                    .to_owned()
            };
            let last = source.trim_end();
            let line = last.split('\n').count() as u32;
            let column = last.rsplit('\n').next().unwrap_or("").encode_utf16().count() as u32 + 1;
            let text = line_of(&**origin, line);
            Place { file: name.clone(), line, column, text }.put_into(&mut error);
        }
    }
    error
}

/// Bytes as people say them, where that is exact.
fn size(bytes: u64) -> String {
    match bytes {
        0 => "0 bytes".to_owned(),
        bytes if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        bytes if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} bytes"),
    }
}

/// Describes a force-halt. All of them discard the VM, and all say so.
pub(crate) fn describe_stop(stop: Stop) -> ScriptError {
    const LEFT_BEHIND: &str = "a callback that an earlier run left behind";
    let lost = "the VM was discarded and its globals are lost; vars and files are kept";
    let (kind, message) = match stop.reason {
        StopReason::Timeout => {
            (ErrorKind::Timeout, format!("the script ran longer than {} ms and was stopped; {lost}", stop.limit))
        }
        StopReason::CpuLimit => (
            ErrorKind::CpuLimit,
            format!("the script used more than {} ms of CPU time and was stopped; {lost}", stop.limit),
        ),
        StopReason::MemoryLimit => (
            ErrorKind::MemoryLimit,
            format!(
                "{} needed more than its {} of memory and was stopped; {lost}",
                if stop.in_callback { LEFT_BEHIND } else { "the script" },
                size(stop.limit)
            ),
        ),
        StopReason::Cancelled => (ErrorKind::Cancelled, format!("the run was cancelled; {lost}")),
        StopReason::Background => {
            (ErrorKind::Timeout, format!("{LEFT_BEHIND} ran longer than {} ms and was stopped; {lost}", stop.limit))
        }
    };
    let error = ScriptError::new(kind, message);
    if stop.reason == StopReason::Cancelled { error } else { error.with_limit(stop.limit, stop.used) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_column_in_short_and_long_lines() {
        assert_eq!(excerpt("let x = y;", 9), "let x = y;\n        ^");
        assert_eq!(excerpt("\tthrow 1", 2), "\tthrow 1\n\t^");
        let long = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let shown = excerpt(&long, 501);
        let (line, caret) = shown.split_once('\n').expect("two lines");
        assert_eq!(line.chars().nth(caret.len() - 1), Some('!'));
        assert!(line.len() <= EXCERPT);
    }

    #[test]
    fn frames_are_told_from_what_a_script_made_up() {
        assert_eq!(parse_frame("    at f (cell 3:2:5)"), Some(("f", "cell 3", 2, 5)));
        assert_eq!(parse_frame("    at cell 3:2:5"), Some(("", "cell 3", 2, 5)));
        assert_eq!(parse_frame("    at map (native)"), None);
        assert_eq!(parse_frame("nonsense"), None);
    }
}
