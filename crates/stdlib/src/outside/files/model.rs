//! Random operations on the tree against a map of paths, with snapshots, and what is counted against what is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::data::Gauge;
use super::error::{Code, FsError};
use super::path::VirtualPath;
use super::tree::{FilesQuota, Flags, Kind, Node, Room, Tree};

#[derive(Clone, Debug, PartialEq)]
enum Model {
    File(Vec<u8>),
    Dir,
}

#[derive(Clone, Debug)]
enum Step {
    Write(usize, Vec<u8>, bool),
    Patch(usize, u64, Vec<u8>),
    Mkdir(usize, bool),
    Remove(usize, bool),
    Rename(usize, usize),
    Copy(usize, usize),
    Truncate(usize, u64),
    Snapshot,
    Restore,
}

const PATHS: [&str; 10] = ["/a", "/b", "/a/a", "/a/b", "/b/a", "/a/a/a", "/a/b/c", "/c", "/b/a/x", "/a/a/a/a"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let path = 0..PATHS.len();
    let bytes =
        prop_oneof![prop::collection::vec(any::<u8>(), 0..40), (0..200_000_usize).prop_map(|length| vec![7; length])];
    let step = prop_oneof![
        4 => (path.clone(), bytes.clone(), any::<bool>()).prop_map(|(path, bytes, append)| Step::Write(path, bytes, append)),
        2 => (path.clone(), 0..150_000_u64, bytes).prop_map(|(path, offset, bytes)| Step::Patch(path, offset, bytes)),
        4 => (path.clone(), any::<bool>()).prop_map(|(path, recursive)| Step::Mkdir(path, recursive)),
        2 => (path.clone(), any::<bool>()).prop_map(|(path, recursive)| Step::Remove(path, recursive)),
        2 => (path.clone(), path.clone()).prop_map(|(from, to)| Step::Rename(from, to)),
        2 => (path.clone(), path.clone()).prop_map(|(from, to)| Step::Copy(from, to)),
        2 => (path, 0..200_000_u64).prop_map(|(path, length)| Step::Truncate(path, length)),
        1 => Just(Step::Snapshot),
        1 => Just(Step::Restore),
    ];
    prop::collection::vec(step, 1..40)
}

type Files = BTreeMap<String, Model>;

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn has_dir(files: &Files, path: &str) -> bool {
    path.is_empty() || files.get(path) == Some(&Model::Dir)
}

fn inside<'a>(files: &'a Files, path: &'a str) -> impl Iterator<Item = &'a String> {
    files.keys().filter(move |key| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
}

/// What the step does to the map; `None` if it fails and does nothing.
fn apply(files: &mut Files, step: &Step) -> Option<()> {
    match step {
        Step::Write(path, bytes, append) => {
            let path = PATHS[*path];
            let has_parent = has_dir(files, parent(path));
            match files.get_mut(path) {
                Some(Model::File(content)) if *append => content.extend_from_slice(bytes),
                Some(Model::File(content)) => content.clone_from(bytes),
                Some(Model::Dir) => return None,
                None if has_parent => _ = files.insert(path.to_owned(), Model::File(bytes.clone())),
                None => return None,
            }
        }
        Step::Patch(path, offset, bytes) => {
            let Some(Model::File(content)) = files.get_mut(PATHS[*path]) else { return None };
            let end = *offset as usize + bytes.len();
            if content.len() < end && !bytes.is_empty() {
                content.resize(end, 0);
            }
            if !bytes.is_empty() {
                content[*offset as usize..end].copy_from_slice(bytes);
            }
        }
        Step::Mkdir(path, recursive) => {
            let path = PATHS[*path];
            if *recursive {
                let mut above: Vec<&str> = vec![path];
                while let Some(&last) = above.last() {
                    let up = parent(last);
                    if up.is_empty() {
                        break;
                    }
                    above.push(up);
                }
                if above.iter().any(|path| matches!(files.get(*path), Some(Model::File(_)))) {
                    return None;
                }
                above.iter().for_each(|path| _ = files.insert((*path).to_owned(), Model::Dir));
            } else if files.contains_key(path) || !has_dir(files, parent(path)) {
                return None;
            } else {
                files.insert(path.to_owned(), Model::Dir);
            }
        }
        Step::Remove(path, recursive) => {
            let path = PATHS[*path];
            files.get(path)?;
            if !recursive && inside(files, path).next().is_some() {
                return None;
            }
            files.retain(|key, _| key != path && !key.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')));
        }
        Step::Rename(from, to) => {
            let (from, to) = (PATHS[*from], PATHS[*to]);
            let source = files.get(from)?.clone();
            if from == to {
                return Some(());
            }
            if !has_dir(files, parent(to)) || to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
                return None;
            }
            match (source, files.get(to)) {
                (_, None) | (Model::File(_), Some(Model::File(_))) => {}
                (Model::Dir, Some(Model::Dir)) if inside(files, to).next().is_none() => {}
                _ => return None,
            }
            files.remove(to);
            let moved: Vec<String> = inside(files, from).cloned().chain([from.to_owned()]).collect();
            for key in moved {
                let value = files.remove(&key)?;
                files.insert(format!("{to}{}", &key[from.len()..]), value);
            }
        }
        Step::Copy(from, to) => {
            let (from, to) = (PATHS[*from], PATHS[*to]);
            let Some(Model::File(content)) = files.get(from).cloned() else { return None };
            if files.get(to) == Some(&Model::Dir) || !has_dir(files, parent(to)) {
                return None;
            }
            files.insert(to.to_owned(), Model::File(content));
        }
        Step::Truncate(path, length) => {
            let Some(Model::File(content)) = files.get_mut(PATHS[*path]) else { return None };
            content.resize(*length as usize, 0);
        }
        Step::Snapshot | Step::Restore => {}
    }
    Some(())
}

fn perform(tree: &mut Tree, room: &mut Room<'_>, step: &Step) -> Result<(), FsError> {
    let at = |index: &usize| VirtualPath::parse(&VirtualPath::default(), PATHS[*index]).expect("a path");
    match step {
        Step::Write(path, bytes, append) => {
            let flags = Flags { write: true, create: true, truncate: !append, append: *append, ..Flags::default() };
            tree.write_file(room, &at(path), flags, bytes)
        }
        Step::Patch(path, offset, bytes) => {
            let (found, file) = tree.file(&at(path), "open")?;
            tree.write(room, &found, file.id, Some(*offset), bytes)
        }
        Step::Mkdir(path, recursive) => tree.mkdir(room, &at(path), *recursive).map(drop),
        Step::Remove(path, recursive) => tree.remove(&at(path), *recursive, 0.0, "rm").map(drop),
        Step::Rename(from, to) => tree.rename(room, &at(from), &at(to)).map(drop),
        Step::Copy(from, to) => tree.copy(room, &at(from), &at(to), false),
        Step::Truncate(path, length) => {
            let (found, file) = tree.file(&at(path), "open")?;
            tree.truncate(room, &found, file.id, *length)
        }
        Step::Snapshot | Step::Restore => Ok(()),
    }
}

/// Everything there is, and what it counts.
fn listed(tree: &Tree) -> (Files, u64, u64) {
    fn visit(node: &Node, path: &str, all: &mut (Files, u64, u64)) {
        let Node::Dir(dir) = node else { return };
        for (name, node) in &dir.entries {
            let path = format!("{path}/{name}");
            all.1 += name.len() as u64 + 100 + node.size();
            all.2 += 1;
            let model = match node {
                Node::File(file) => Model::File(file.data.read(0, usize::MAX)),
                _ => Model::Dir,
            };
            all.0.insert(path.clone(), model);
            visit(node, &path, all);
        }
    }
    let mut all = (Files::new(), 0, 0);
    visit(&tree.root(), "", &mut all);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_tree_does_what_a_map_of_paths_does(steps in steps()) {
        let quota = FilesQuota { bytes: 1 << 30, entries: 1000, file_bytes: 1 << 30, depth: 10 };
        let gauge = Arc::new(Gauge::default());
        let (mut tree, mut model, mut next_id) = (Tree::default(), Files::new(), 0);
        let mut kept = (tree.clone(), model.clone());
        for step in &steps {
            let mut room = Room { quota: &quota, gauge: &gauge, now: 0.0, next_id: &mut next_id };
            let done = perform(&mut tree, &mut room, step);
            prop_assert_eq!(done.is_ok(), apply(&mut model, step).is_some(), "{:?}: {:?}", step, done);
            match step {
                Step::Snapshot => kept = (tree.clone(), model.clone()),
                Step::Restore => (tree, model) = kept.clone(),
                _ => {}
            }
            let (files, bytes, entries) = listed(&tree);
            prop_assert_eq!(&files, &model, "after {:?}", step);
            prop_assert_eq!(tree.usage(), (bytes, entries), "after {:?}", step);
        }
        drop((tree, kept));
        prop_assert_eq!(gauge.bytes(), 0);
    }

    #[test]
    fn whatever_is_refused_by_a_quota_changes_nothing(steps in steps(), bytes in 0..300_000_u64, entries in 1..5_u64, depth in 1..4_usize) {
        let quota = FilesQuota { bytes, entries, file_bytes: 100_000, depth };
        let gauge = Arc::new(Gauge::default());
        let (mut tree, mut next_id) = (Tree::default(), 0);
        for step in &steps {
            let before = listed(&tree);
            let mut room = Room { quota: &quota, gauge: &gauge, now: 0.0, next_id: &mut next_id };
            if let Err(error) = perform(&mut tree, &mut room, step) {
                prop_assert_eq!(listed(&tree), before, "{:?} failed with {}", step, error);
                if let Some((limit, used)) = error.quota {
                    prop_assert!(used > limit && error.code == Code::NoSpace);
                }
            }
            let (now, now_entries) = tree.usage();
            prop_assert!(now <= bytes && now_entries <= entries && gauge.bytes() <= 2 * bytes + (1 << 18));
        }
    }
}

#[test]
fn a_link_is_followed_but_not_for_ever() {
    let quota = FilesQuota::default();
    let gauge = Arc::new(Gauge::default());
    let (mut tree, mut next_id) = (Tree::default(), 0);
    let mut room = Room { quota: &quota, gauge: &gauge, now: 0.0, next_id: &mut next_id };
    let at = |text: &str| VirtualPath::parse(&VirtualPath::default(), text).expect("a path");
    tree.mkdir(&room, &at("/a/b"), true).expect("a folder");
    tree.symlink(&room, "../c", &at("/a/b/up")).expect("a link");
    tree.symlink(&room, "/a/round", &at("/a/round")).expect("a link to itself");
    let flags = Flags { write: true, create: true, truncate: true, ..Flags::default() };
    tree.write_file(&mut room, &at("/a/b/up"), flags, b"x").expect("what the link says");
    assert_eq!(tree.find(&at("/a/c"), false, "stat").map(|(_, node)| node.kind()), Ok(Kind::File));
    assert_eq!(tree.find(&at("/a/round/x"), true, "stat").map(drop).map_err(|error| error.code), Err(Code::Loop));
}
