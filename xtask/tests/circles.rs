//! Files of one crate use each other in one direction: a reader can begin at the bottom.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

type Files = BTreeMap<String, String>;
type Uses = BTreeMap<String, BTreeSet<String>>;

/// The files below a folder, as modules: `load::inner`.
fn files(folder: &Path, prefix: &str, into: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "bin" {
            files(&path, &format!("{prefix}{name}::"), into);
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "lib" && name != "tests" {
            into.insert(format!("{prefix}{name}"), code(&fs::read_to_string(&path).unwrap()));
        }
    }
}

/// A source without comments and without its tests, which come last.
fn code(source: &str) -> String {
    let source = source.split("#[cfg(test)]").next().unwrap();
    source.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// All paths that a source says which begin with a word, without that word: those of a `use` with braces one by one.
fn paths(source: &str, first: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let start = format!("{first}::");
    for (at, _) in source.match_indices(&start) {
        let before = source[..at].chars().next_back();
        if before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':') {
            tree(&source[at + start.len()..], &mut Vec::new(), &mut found);
        }
    }
    found
}

/// Reads one path, or what stands in braces. Returns how much of the text it was.
fn tree(text: &str, before: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let depth = before.len();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        at += rest.len() - rest.trim_start().len();
        let rest = &text[at..];
        if rest.starts_with('{') {
            at += 1;
            while !text[at..].trim_start().starts_with('}') {
                at += tree(&text[at..], before, found);
                let rest = &text[at..];
                at += rest.len() - rest.trim_start().len();
                at += usize::from(text[at..].starts_with(','));
            }
            at += text[at..].find('}').unwrap() + 1;
            break;
        }
        let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if word.is_empty() {
            // Something else than a path: no more than a word of it is looked at.
            at += rest.chars().next().map_or(0, char::len_utf8);
            break;
        }
        at += word.len();
        before.push(word);
        if !text[at..].starts_with("::") {
            // `as` and a new name are no part of it.
            at += text[at..].find([',', '}', ';', '\n', '(', ' ']).unwrap_or(0);
            found.push(before.clone());
            break;
        }
        at += 2;
    }
    before.truncate(depth);
    at
}

fn uses(files: &Files) -> Uses {
    let known = |path: &[String]| {
        let longest = (1..=path.len()).rev().map(|length| path[..length].join("::"));
        longest.into_iter().find(|module| files.contains_key(module))
    };
    let mut uses = Uses::new();
    for (module, source) in files {
        let own: Vec<String> = module.split("::").map(str::to_owned).collect();
        let mut said = paths(source, "crate");
        for mut path in paths(source, "super") {
            let mut base = own[..own.len() - 1].to_vec();
            while path.first().is_some_and(|word| word == "super") {
                base.pop();
                path.remove(0);
            }
            said.push([base, path].concat());
        }
        for child in files.keys().filter_map(|file| file.strip_prefix(&format!("{module}::"))) {
            for path in paths(source, child) {
                said.push([own.clone(), vec![child.to_owned()], path].concat());
            }
            for path in paths(source, "self") {
                said.push([own.clone(), path].concat());
            }
        }
        let used = said.iter().filter_map(|path| known(path)).filter(|used| used != module).collect();
        uses.insert(module.clone(), used);
    }
    uses
}

/// A way from a file back to itself.
fn circle(uses: &Uses) -> Option<Vec<String>> {
    fn follow(uses: &Uses, file: &str, way: &mut Vec<String>, done: &mut BTreeSet<String>) -> bool {
        if way.iter().any(|known| known == file) {
            way.push(file.to_owned());
            return true;
        }
        if !done.insert(file.to_owned()) {
            return false;
        }
        way.push(file.to_owned());
        if uses.get(file).into_iter().flatten().any(|used| follow(uses, used, way, done)) {
            return true;
        }
        way.pop();
        false
    }
    let mut done = BTreeSet::new();
    uses.keys().find_map(|file| {
        let mut way = Vec::new();
        follow(uses, file, &mut way, &mut done).then_some(way)
    })
}

#[test]
fn no_files_of_a_crate_use_each_other_in_a_circle() {
    for name in ["sessions", "bundler"] {
        let mut all = Files::new();
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(name).join("src"), "", &mut all);
        let uses = uses(&all);
        assert!(uses.values().map(BTreeSet::len).sum::<usize>() > 2 * all.len(), "{name}: most is not seen");
        let circle = circle(&uses);
        assert!(circle.is_none(), "{name}: {}", circle.unwrap().join(" -> "));
    }
}

#[test]
fn circles_are_found_however_the_files_name_each_other() {
    let graph = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, source)| ((*name).to_owned(), code(source))).collect();
        circle(&uses(&files)).map(|way| way.join(" "))
    };
    assert_eq!(graph(&[("a", "use crate::b::{X, c::Y};"), ("b", "use std::fmt;")]), None);
    assert_eq!(graph(&[("a", "use crate::{d, b::X};"), ("b", "fn f() { crate::a::g() }")]).as_deref(), Some("a b a"));
    let nested =
        [("a", "use crate::{e::{F, G as H}, b};"), ("b", "use std::a::X; use crate::c::D;"), ("c", "use super::a;")];
    assert_eq!(graph(&nested).as_deref(), Some("a b c a"));
    let child = [("a", "mod b; fn f() { b::g() }"), ("a::b", "use super::X; use crate::a::Y;")];
    assert_eq!(graph(&child).as_deref(), Some("a a::b a"));
    assert_eq!(
        graph(&[("a", "// use crate::a;\nfn f() {}\n#[cfg(test)] mod t { use crate::b; }"), ("b", "use crate::a;")]),
        None
    );
}
