//! A folder of the host with the session's own changes over it. The changes are in the session's tree, at the same paths, and count like all of
//! it; the host's folder is only ever read.

use std::sync::Arc;

use perennial_engine::Budget;

use super::error::{Code, FsError};
use super::host::{self, Host};
use super::mount::{Mounts, Place};
use super::path::VirtualPath;
use super::tree::{Flags, Kind, Layer, Node, Tree};
use super::volume::{Opened, Removal, Stat, Volume};
use super::{FilesView, Room};

type Result<T> = std::result::Result<T, FsError>;

pub(super) struct Overlay<'a> {
    view: &'a FilesView,
    mounts: &'a Mounts,
    host: Host,
}

/// What the session has of something itself.
struct Upper {
    /// Where it is when links are followed.
    path: VirtualPath,
    node: Node,
    /// Nothing of the host's is seen in it.
    alone: bool,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(view: &'a FilesView, mounts: &'a Mounts, host: Host) -> Self {
        Self { view, mounts, host }
    }

    fn layer(&self, path: &Place) -> Result<Layer> {
        self.view.look(|tree| Ok(tree.layer(&self.host.at, path.shown())))
    }

    /// The session's own node, its links followed as long as they stay among the session's own. None where it is the host's.
    fn upper(&self, place: &Place, follow: bool, what: &'static str) -> Result<Option<Upper>> {
        let path = place.shown();
        match self.layer(place)? {
            Layer::Upper { node: Node::Link(_), .. } if follow => {
                let (found, node) = self.view.look(|tree| tree.find(path, true, what))?;
                if self.mounts.of(&found).is_some_and(|(mount, _)| !Arc::ptr_eq(&mount.dir, &self.host.dir)) {
                    return Err(
                        FsError::new(Code::Loop, what, path).because("links into other mounts are not followed")
                    );
                }
                let alone = match self.view.look(|tree| Ok(tree.layer(&self.host.at, &found)))? {
                    Layer::Upper { node: Node::Dir(dir), covers } => dir.opaque || !covers,
                    _ => true,
                };
                Ok(Some(Upper { path: found, node, alone }))
            }
            Layer::Upper { node, covers } => {
                let alone = !covers || !matches!(&node, Node::Dir(dir) if !dir.opaque);
                Ok(Some(Upper { path: path.clone(), node, alone }))
            }
            Layer::Lower => Ok(None),
            Layer::Gone => Err(FsError::new(Code::NotFound, what, path)),
            Layer::Blocked => Err(FsError::new(Code::NotDirectory, what, path)),
        }
    }

    /// What is there, if anything is.
    fn exists(&self, path: &Place) -> Result<Option<Kind>> {
        match self.stat(path, false) {
            Ok(stat) => Ok(Some(stat.kind)),
            Err(error) if matches!(error.code, Code::NotFound | Code::NotDirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn host_has(&self, path: &Place) -> Result<bool> {
        match self.host.stat(path, false) {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.code, Code::NotFound | Code::NotDirectory) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The folder that something is put in has to be there, in one layer or the other.
    fn check_parent(&self, path: &Place, what: &'static str) -> Result<()> {
        let parent = path.parent();
        match self.stat(&parent, true)?.kind {
            Kind::Directory => Ok(()),
            _ => Err(FsError::new(Code::NotDirectory, what, path.shown())),
        }
    }

    /// Changes the session's tree, where the folders above are made first, or leaves it as it is.
    fn change<T>(
        &self,
        path: &Place,
        what: &'static str,
        change: impl FnOnce(&mut Tree, &mut Room<'_>) -> Result<T>,
    ) -> Result<T> {
        let (done, before) = self.view.change(what, |tree, room| {
            let mut changed = tree.clone();
            changed.mkdir(room, &path.shown().parent(), true)?;
            let done = change(&mut changed, room)?;
            Ok((done, std::mem::replace(tree, changed)))
        })?;
        // When nobody waits for the tree any more.
        drop(before);
        Ok(done)
    }

    /// Whether the host has something of this name that is seen, or would be if the session had nothing.
    fn covers(&self, path: &Place) -> Result<bool> {
        match self.layer(path)? {
            Layer::Upper { covers: true, .. } | Layer::Lower => self.host_has(path),
            _ => Ok(false),
        }
    }

    fn host_file(&self, path: &Place, flags: Flags) -> Result<Option<std::fs::File>> {
        match self.host.open_file(path, Flags { read: true, ..Flags::default() }) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.code == Code::NotFound && flags.create => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn content(&self, file: &std::fs::File, path: &Place) -> Result<Vec<u8>> {
        let most = self.host.file_bytes;
        let content = host::read(file, path, 0, usize::try_from(most).unwrap_or(usize::MAX - 1) + 1)?;
        let length = content.len() as u64;
        if length > most {
            Err(FsError::quota("open", path.shown(), "bytes of one file", most, length))
        } else {
            Ok(content)
        }
    }
}

impl Volume for Overlay<'_> {
    fn stat(&self, path: &Place, follow: bool) -> Result<Stat> {
        match self.upper(path, follow, if follow { "stat" } else { "lstat" })? {
            Some(Upper { node, .. }) => Ok(Stat::of(&node)),
            None => self.host.stat(path, follow),
        }
    }

    fn list(&self, path: &Place) -> Result<Vec<(String, Kind)>> {
        const WHAT: &str = "scandir";
        let Some(Upper { path: found, node, alone }) = self.upper(path, true, WHAT)? else {
            return self.host.list(path);
        };
        let Node::Dir(dir) = node else { return Err(FsError::new(Code::NotDirectory, WHAT, path.shown())) };
        let lower = if alone { None } else { self.mounts.of(&found) };
        let lower = match lower.map(|(_, place)| self.host.list(&place)) {
            None => Vec::new(),
            Some(Ok(lower)) => lower,
            Some(Err(error)) if matches!(error.code, Code::NotFound | Code::NotDirectory) => Vec::new(),
            Some(Err(error)) => return Err(error),
        };
        let own = dir.entries.iter().filter(|(_, node)| !matches!(node, Node::Gone));
        let mut names: Vec<_> = own.map(|(name, node)| (name.to_string(), node.kind())).collect();
        names.extend(lower.into_iter().filter(|(name, _)| !dir.entries.contains_key(name.as_str())));
        names.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        Ok(names)
    }

    fn mkdir(&self, path: &Place, recursive: bool) -> Result<Option<VirtualPath>> {
        const WHAT: &str = "mkdir";
        let wrong = |code| Err(FsError::new(code, WHAT, path.shown()));
        let first = if recursive {
            // From the top: what is missing is missing below, too.
            let Some(first) = self.first_missing(path)? else { return Ok(None) };
            first
        } else if self.exists(path)?.is_some() {
            return wrong(Code::Exists);
        } else {
            self.check_parent(path, WHAT)?;
            path.clone()
        };
        self.change(&first, WHAT, |tree, room| {
            let hidden = matches!(tree.layer(&self.host.at, first.shown()), Layer::Gone);
            tree.mkdir(room, path.shown(), recursive)?;
            if hidden {
                tree.make_opaque(first.shown());
            }
            Ok(Some(first.shown().clone()))
        })
    }

    fn remove(&self, path: &Place, removal: Removal, _: &Budget) -> Result<()> {
        let what = removal.what();
        let kind = self.stat(path, false).map_err(|error| FsError { what, ..error })?.kind;
        removal.check(kind, path.shown())?;
        if kind == Kind::Directory && !removal.is_recursive() && !self.list(path)?.is_empty() {
            return Err(FsError::new(Code::NotEmpty, what, path.shown()));
        }
        let covers = self.covers(path)?;
        self.change(path, what, |tree, room| {
            if let Layer::Upper { .. } = tree.layer(&self.host.at, path.shown()) {
                tree.remove(path.shown(), true, room.now, what)?;
            }
            if covers {
                tree.hide(room, path.shown())?;
            }
            Ok(())
        })
    }

    fn rename(&self, from: &Place, to: &Place) -> Result<()> {
        const WHAT: &str = "rename";
        let wrong = |code| Err(FsError::new(code, WHAT, from.shown()).to(to.shown()));
        if from.shown() == to.shown() {
            return self.stat(from, false).map(drop);
        }
        let kind = self.stat(from, false)?.kind;
        self.check_parent(to, WHAT)?;
        let replaced = self.exists(to)?;
        let covers = self.covers(from)?;
        let own = self.upper(from, false, WHAT)?;
        match (kind, replaced) {
            (Kind::Directory, _) if covers && own.as_ref().is_none_or(|own| !own.alone) => {
                let error = FsError::new(Code::CrossDevice, WHAT, from.shown()).to(to.shown());
                return Err(error.because("folders of an overlaid one are not renamed: copy what is in them"));
            }
            (Kind::Directory, Some(Kind::Directory)) if !self.list(to)?.is_empty() => return wrong(Code::NotEmpty),
            (Kind::Directory, Some(Kind::File | Kind::Link)) => return wrong(Code::NotDirectory),
            (Kind::File | Kind::Link, Some(Kind::Directory)) => return wrong(Code::IsDirectory),
            (Kind::Link, _) if own.is_none() => return wrong(Code::CrossDevice),
            _ => {}
        }
        if kind == Kind::File {
            // It has to be the session's own first.
            self.open(from, Flags { write: true, ..Flags::default() })?;
        }
        self.change(to, WHAT, |tree, room| {
            let was_hidden = matches!(tree.layer(&self.host.at, to.shown()), Layer::Gone);
            tree.rename(room, from.shown(), to.shown())?;
            if kind == Kind::Directory && (was_hidden || replaced.is_some()) {
                tree.make_opaque(to.shown());
            }
            if covers {
                tree.hide(room, from.shown())?;
            }
            Ok(())
        })
    }

    fn symlink(&self, target: &str, path: &Place) -> Result<()> {
        const WHAT: &str = "symlink";
        if self.exists(path)?.is_some() {
            return Err(FsError::new(Code::Exists, WHAT, target).to(path.shown()));
        }
        self.check_parent(path, WHAT)?;
        self.change(path, WHAT, |tree, room| tree.symlink(room, target, path.shown()))
    }

    fn read_link(&self, path: &Place) -> Result<String> {
        match self.upper(path, false, "readlink")? {
            Some(Upper { node: Node::Link(link), .. }) => Ok(link.target.to_string()),
            Some(_) => Err(FsError::new(Code::Invalid, "readlink", path.shown())),
            None => self.host.read_link(path),
        }
    }

    fn real(&self, path: &Place) -> Result<VirtualPath> {
        match self.upper(path, true, "realpath")? {
            Some(Upper { path, .. }) => Ok(path),
            None => self.host.real(path),
        }
    }

    fn touch(&self, path: &Place, modified: f64) -> Result<()> {
        const WHAT: &str = "utime";
        if self.upper(path, true, WHAT)?.is_some() {
            return self.view.change(WHAT, |tree, room| tree.touch(room, path.shown(), modified));
        }
        // It has to be the session's own first.
        if self.host.stat(path, true)?.kind != Kind::Directory {
            self.open(path, Flags { write: true, ..Flags::default() })?;
        }
        self.change(path, WHAT, |tree, room| {
            if let Layer::Lower = tree.layer(&self.host.at, path.shown()) {
                tree.mkdir(room, path.shown(), false)?;
            }
            tree.touch(room, path.shown(), modified)
        })
    }

    /// Opens the host's file if it is only to be read, and else the session's, which it becomes by this.
    fn open(&self, path: &Place, flags: Flags) -> Result<Opened> {
        const WHAT: &str = "open";
        let writes = flags.write || flags.create || flags.truncate;
        let is_gone = match self.upper(path, !flags.exclusive, WHAT) {
            Ok(Some(Upper { node: Node::Dir(_), .. })) if !flags.exclusive => {
                return Err(FsError::new(Code::IsDirectory, WHAT, path.shown()));
            }
            Ok(Some(_)) if writes => return self.open_own(path, flags),
            Ok(Some(_)) => {
                let (found, file) = self.view.look(|tree| tree.file(path.shown(), WHAT))?;
                return Ok(Opened::Memory(found, file.id));
            }
            Ok(None) => false,
            Err(error) if error.code == Code::NotFound && flags.create => true,
            Err(error) => return Err(error),
        };
        if !writes {
            return self.host.open(path, Flags { read: true, ..Flags::default() });
        }
        // A link of the session's own that leads nowhere yet: the file is made where it leads.
        if let Layer::Upper { .. } = self.layer(path)? {
            return self.open_own(path, flags);
        }
        // One at a time: each holds a whole file, and two of one file would not know of each other.
        let _one = self.view.copy_up();
        let lower = if is_gone { None } else { self.host_file(path, flags)? };
        self.check_parent(path, WHAT)?;
        let content = match lower {
            Some(_) if flags.exclusive => return Err(FsError::new(Code::Exists, WHAT, path.shown())),
            Some(_) if flags.truncate => None,
            Some(file) => Some(self.content(&file, path)?),
            None if flags.create => None,
            None => return Err(FsError::new(Code::NotFound, WHAT, path.shown())),
        };
        self.change(path, WHAT, |tree, room| {
            // Somebody may have been faster.
            let is_own = matches!(tree.layer(&self.host.at, path.shown()), Layer::Upper { .. });
            let flags = if is_own { flags } else { Flags { create: true, write: true, ..flags } };
            let (found, id) = tree.open(room, path.shown(), flags)?;
            if let Some(content) = content.filter(|_| !is_own) {
                tree.write(room, &found, id, Some(0), &content)?;
            }
            Ok(Opened::Memory(found, id))
        })
    }
}

impl Overlay<'_> {
    /// Opens for writing what the session has itself.
    fn open_own(&self, path: &Place, flags: Flags) -> Result<Opened> {
        let (found, id) = self.view.change("open", |tree, room| {
            let (found, _) = tree.resolve(path.shown(), !flags.exclusive, "open")?;
            if self.mounts.of(&found).is_some_and(|(mount, _)| !Arc::ptr_eq(&mount.dir, &self.host.dir)) {
                let error = FsError::new(Code::Loop, "open", path.shown());
                return Err(error.because("links into other mounts are not followed"));
            }
            tree.open(room, path.shown(), flags)
        })?;
        Ok(Opened::Memory(found, id))
    }

    /// The first folder on the way to a path that is not there; none if all are.
    fn first_missing(&self, path: &Place) -> Result<Option<Place>> {
        let names = path.shown().names().len();
        let base = self.host.at.names().len();
        for count in base + 1..=names {
            let Some((_, place)) = self.mounts.of(&path.shown().first(count)) else { continue };
            match self.stat(&place, true) {
                Ok(stat) if stat.kind == Kind::Directory => {}
                Ok(_) => {
                    let code = if count == names { Code::Exists } else { Code::NotDirectory };
                    return Err(FsError::new(code, "mkdir", path.shown()));
                }
                Err(error) if error.code == Code::NotFound => return Ok(Some(place)),
                Err(error) => return Err(FsError { what: "mkdir", ..error }),
            }
        }
        Ok(None)
    }
}
