//! What a script looked for and did not find: its name, as the script has it, and what is there instead. QuickJS says "not a function" and no more.

use perennial_protocol::ScriptError;

use super::Place;
use crate::host::HostState;
use crate::js::{Atom, Class, Exception, Scope, Value};
use crate::ops::Extensions;
use crate::similar::closest;

/// Says what works here instead of something that is not there: its name with dots, and what the run was granted.
pub type Advice = dyn Fn(&str, &Extensions) -> Option<String> + Send + Sync;

/// Names of a path that are looked at, names of an object, and bytes of one of them.
const MAX_PATH: usize = 8;
const MAX_KNOWN: usize = 500;
const MAX_NAME: usize = 64;

/// Says in an error what it is about.
pub(super) fn improve(host: &HostState, scope: Scope<'_>, error: &mut ScriptError, place: &Place) {
    let Some(line) = &place.text else { return };
    let at = byte_of(line, place.column);
    match (&*error.name, &*error.message) {
        ("TypeError", "not a function") => {
            let Some((path, of_a_name)) = path_to(line, at) else { return };
            let instead = if of_a_name { instead(host, scope, &path) } else { String::new() };
            error.message = format!("{} is not a function{instead}", path.join("."));
        }
        ("TypeError", message) => {
            let read = message.strip_prefix("cannot read property '").and_then(|rest| rest.split_once("' of "));
            let Some((property, what)) = read else { return };
            let path = path_from(line, at);
            let mut ends = path.iter().enumerate().filter(|(_, name)| **name == property).map(|(end, _)| end);
            // Where the name is there twice, nobody knows which was read.
            let (Some(end), None) = (ends.next(), ends.next()) else { return };
            if end == 0 {
                return;
            }
            let of = &path[..end];
            error.message.push_str(&format!(": {} is {what}{}", of.join("."), instead(host, scope, of)));
        }
        ("ReferenceError", message) => {
            let Some(name) = message.strip_suffix(" is not defined") else { return };
            let instead = instead(host, scope, &[name]);
            error.message.push_str(&instead);
        }
        _ => {}
    }
}

/// What there is in its place: what is known of the name, or a name like it.
fn instead(host: &HostState, scope: Scope<'_>, path: &[&str]) -> String {
    if let Some(advice) = host.advice(&path.join(".")) {
        return format!(": {advice}");
    }
    let Some((last, above)) = path.split_last() else { return String::new() };
    let mut object = scope.global();
    for name in above {
        // A getter of the script's own is not called again for the sake of an answer; those of the library's globals are ours.
        let next = match object.plain_property(name) {
            Ok(None) if above.first() == Some(name) && host.has_global(name) => object.get_str(name).map(Some),
            next => next,
        };
        match next {
            Ok(Some(next)) if next.is_object() => object = next,
            Ok(_) => return String::new(),
            Err(Exception) => {
                drop(scope.catch());
                return String::new();
            }
        }
    }
    let known = names_of(&object);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    // The habit from Node, where functions have a twin that does not wait.
    let awaited = last.strip_suffix("Sync").filter(|name| known.contains(name));
    // What is no value of anybody's is meant by nobody.
    let like = awaited.or_else(|| closest(last, &known).filter(|like| like != last && *like != "undefined"));
    let whole = |name: &str| above.iter().copied().chain([name]).collect::<Vec<_>>().join(".");
    match (like, awaited) {
        (Some(name), Some(_)) => format!("; did you mean {}, which gives a promise?", whole(name)),
        (Some(name), None) => format!("; did you mean {}?", whole(name)),
        (None, _) => String::new(),
    }
}

/// What an object has, itself or by its prototypes up to that of every object.
fn names_of(object: &Value<'_>) -> Vec<String> {
    let mut names = Vec::new();
    let is_indexed = |object: &Value<'_>| {
        matches!(object.class(), Class::Array | Class::Buffer | Class::SharedBuffer | Class::Boxed)
    };
    // Listing a million of indices would take more than the answer is worth.
    let mut next = if is_indexed(object) { object.plain_prototype() } else { Some(object.clone()) };
    while let Some(object) = next.filter(Value::is_object) {
        let above = object.plain_prototype();
        // What every object has is nobody's mistake.
        if above.as_ref().is_none_or(|above| !above.is_object()) && !names.is_empty() {
            break;
        }
        let Ok(keys) = object.all_keys() else {
            drop(object.scope().catch());
            break;
        };
        let room = MAX_KNOWN - names.len();
        let short =
            |key: Atom<'_>| Some(key.text().ok()?).filter(|name| name.len() <= MAX_NAME).map(|name| name.to_owned());
        names.extend(keys.iter().take(room).filter_map(short));
        next = above;
    }
    names
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// Where a UTF-16 column begins.
fn byte_of(line: &str, column: u32) -> usize {
    let mut unit = 1;
    for (at, c) in line.char_indices() {
        if unit >= column {
            return at;
        }
        unit += c.len_utf16() as u32;
    }
    line.len()
}

/// The name that begins at a byte.
fn name_at(line: &str, at: usize) -> Option<&str> {
    let rest = line.get(at..)?;
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    Some(&rest[..end]).filter(|name| !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()))
}

/// The names with dots between them of which the last begins at a byte, or behind `new` the first. `false` if it is of something that has no name.
fn path_to(line: &str, at: usize) -> Option<(Vec<&str>, bool)> {
    let mut path = vec![name_at(line, at)?];
    let mut before = &line[..at];
    if before.trim_end().strip_suffix("new").is_some_and(|before| !before.ends_with(is_part)) {
        return Some((path_from(line, at), true));
    }
    while let Some(rest) = before.trim_end().strip_suffix('.') {
        let rest = rest.strip_suffix('?').unwrap_or(rest);
        let start =
            rest.rfind(|c| !is_part(c)).map_or(0, |at| at + rest[at..].chars().next().map_or(1, char::len_utf8));
        let Some(name) = name_at(rest, start).filter(|_| path.len() < MAX_PATH) else {
            path.truncate(1);
            return Some((path, false));
        };
        path.insert(0, name);
        before = &rest[..start];
    }
    Some((path, true))
}

/// The names with dots between them of which the first begins at a byte.
fn path_from(line: &str, at: usize) -> Vec<&str> {
    let mut path = Vec::new();
    let mut at = at;
    while path.len() < MAX_PATH {
        let Some(name) = name_at(line, at) else { break };
        path.push(name);
        at += name.len();
        let rest = &line[at..];
        at += if rest.starts_with("?.") {
            2
        } else if rest.starts_with('.') {
            1
        } else {
            break;
        };
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_what_stands_before_and_behind_a_place() {
        assert_eq!(path_to("const x = await fs.readFileSync('a')", 19), Some((vec!["fs", "readFileSync"], true)));
        assert_eq!(path_to("a?.b.c()", 5), Some((vec!["a", "b", "c"], true)));
        assert_eq!(path_to("[1, 2].mapp(f)", 7), Some((vec!["mapp"], false)));
        assert_eq!(path_to("f().g()", 4), Some((vec!["g"], false)));
        assert_eq!(path_to("  .g()", 3), Some((vec!["g"], false)));
        assert_eq!(path_to("new a.B()", 4), Some((vec!["a", "B"], true)));
        assert_eq!(path_to("(1)()", 0), None);
        assert_eq!(path_from("tools.foo.bar(1).baz", 0), ["tools", "foo", "bar"]);
        assert_eq!(path_from("ü?.ß", 0), ["ü", "ß"]);
        assert_eq!((byte_of("ü😀x", 4), byte_of("ab", 9)), (6, 2));
    }
}
