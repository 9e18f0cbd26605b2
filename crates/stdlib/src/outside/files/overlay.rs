//! A folder of the host with the session's own changes over it. The changes are in the session's tree, at the same paths, and count like all of
//! it; the host's folder is only ever read.

use perennial_engine::Budget;

use super::error::{Code, FsError};
use super::host::{self, Host};
use super::mount::Place;
use super::path::VirtualPath;
use super::tree::{Flags, Kind, Layer, Node, Tree};
use super::volume::{Opened, Removal, Stat, Volume};
use super::{FilesView, Room};

type Result<T> = std::result::Result<T, FsError>;

pub(super) struct Overlay<'a> {
    view: &'a FilesView,
    host: Host,
}

impl<'a> Overlay<'a> {
    pub(super) fn new(view: &'a FilesView, host: Host) -> Self {
        Self { view, host }
    }

    fn layer(&self, path: &Place, what: &'static str) -> Result<Option<Node>> {
        match self.view.look(|tree| Ok(tree.layer(&self.host.at, path.shown())))? {
            Layer::Upper(node) => Ok(Some(node)),
            Layer::Lower => Ok(None),
            Layer::Gone => Err(FsError::new(Code::NotFound, what, path.shown())),
            Layer::Blocked => Err(FsError::new(Code::NotDirectory, what, path.shown())),
        }
    }

    /// The session's own node, its links followed as long as they stay among the session's own.
    fn upper(&self, path: &Place, follow: bool, what: &'static str) -> Result<Option<Node>> {
        match self.layer(path, what)? {
            Some(Node::Link(_)) if follow => {
                self.view.look(|tree| tree.find(path.shown(), true, what)).map(|(_, node)| Some(node))
            }
            node => Ok(node),
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

    /// Changes the session's tree, where the folders above are made first.
    fn change<T>(
        &self,
        path: &Place,
        what: &'static str,
        change: impl FnOnce(&mut Tree, &mut Room<'_>) -> Result<T>,
    ) -> Result<T> {
        self.view.change(what, |tree, room| {
            tree.mkdir(room, &path.shown().parent(), true)?;
            change(tree, room)
        })
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
            Some(node) => Ok(Stat::of(&node)),
            None => self.host.stat(path, follow),
        }
    }

    fn list(&self, path: &Place) -> Result<Vec<(String, Kind)>> {
        const WHAT: &str = "scandir";
        let Some(node) = self.upper(path, true, WHAT)? else { return self.host.list(path) };
        let Node::Dir(dir) = node else { return Err(FsError::new(Code::NotDirectory, WHAT, path.shown())) };
        let lower = match self.host.list(path) {
            _ if dir.opaque => Vec::new(),
            Ok(lower) => lower,
            Err(error) if matches!(error.code, Code::NotFound | Code::NotDirectory) => Vec::new(),
            Err(error) => return Err(error),
        };
        let own = dir.entries.iter().filter(|(_, node)| !matches!(node, Node::Gone));
        let mut names: Vec<_> = own.map(|(name, node)| (name.to_string(), node.kind())).collect();
        names.extend(lower.into_iter().filter(|(name, _)| !dir.entries.contains_key(name.as_str())));
        names.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        Ok(names)
    }

    fn mkdir(&self, path: &Place, recursive: bool) -> Result<Option<VirtualPath>> {
        const WHAT: &str = "mkdir";
        if let Some(kind) = self.exists(path)? {
            let is_fine = recursive && kind == Kind::Directory;
            return if is_fine { Ok(None) } else { Err(FsError::new(Code::Exists, WHAT, path.shown())) };
        }
        let mut first = None;
        if recursive && !path.is_root() {
            first = self.mkdir(&path.parent(), true)?;
        } else {
            self.check_parent(path, WHAT)?;
        }
        self.change(path, WHAT, |tree, room| {
            let hidden = matches!(tree.layer(&self.host.at, path.shown()), Layer::Gone);
            tree.mkdir(room, path.shown(), false)?;
            if hidden {
                tree.make_opaque(path.shown());
            }
            Ok(first.or_else(|| Some(path.shown().clone())))
        })
    }

    fn remove(&self, path: &Place, removal: Removal, _: &Budget) -> Result<()> {
        let what = removal.what();
        let kind = self.stat(path, false).map_err(|error| FsError { what, ..error })?.kind;
        removal.check(kind, path.shown())?;
        if kind == Kind::Directory && !removal.is_recursive() && !self.list(path)?.is_empty() {
            return Err(FsError::new(Code::NotEmpty, what, path.shown()));
        }
        let hides = self.host_has(path)?;
        let removed = self.change(path, what, |tree, room| {
            let removed = match tree.layer(&self.host.at, path.shown()) {
                Layer::Upper(_) => Some(tree.remove(path.shown(), true, room.now, what)?),
                _ => None,
            };
            if hides && matches!(tree.layer(&self.host.at, path.shown()), Layer::Lower) {
                tree.hide(room, path.shown())?;
            }
            Ok(removed)
        })?;
        drop(removed);
        Ok(())
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
        let hides = self.host_has(from)?;
        match (kind, replaced) {
            (Kind::Directory, _) if hides => {
                let error = FsError::new(Code::CrossDevice, WHAT, from.shown()).to(to.shown());
                return Err(error.because("folders of an overlaid one are not renamed: copy what is in them"));
            }
            (Kind::Directory, Some(Kind::Directory)) if !self.list(to)?.is_empty() => return wrong(Code::NotEmpty),
            (Kind::Directory, Some(Kind::File | Kind::Link)) => return wrong(Code::NotDirectory),
            (Kind::File | Kind::Link, Some(Kind::Directory)) => return wrong(Code::IsDirectory),
            (Kind::Link, _) if hides && self.layer(from, WHAT)?.is_none() => return wrong(Code::CrossDevice),
            _ => {}
        }
        if kind == Kind::File {
            // It has to be the session's own first.
            self.open(from, Flags { write: true, ..Flags::default() })?;
        }
        self.change(to, WHAT, |tree, room| {
            let was_hidden = matches!(tree.layer(&self.host.at, to.shown()), Layer::Gone);
            drop(tree.rename(room, from.shown(), to.shown())?);
            if kind == Kind::Directory && (was_hidden || replaced.is_some()) {
                tree.make_opaque(to.shown());
            }
            if hides {
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
        match self.layer(path, "readlink")? {
            Some(Node::Link(link)) => Ok(link.target.to_string()),
            Some(_) => Err(FsError::new(Code::Invalid, "readlink", path.shown())),
            None => self.host.read_link(path),
        }
    }

    fn real(&self, path: &Place) -> Result<VirtualPath> {
        match self.layer(path, "realpath")? {
            Some(_) => self.view.look(|tree| tree.find(path.shown(), true, "realpath")).map(|(found, _)| found),
            None => self.host.real(path),
        }
    }

    fn touch(&self, path: &Place, modified: f64) -> Result<()> {
        if self.layer(path, "utime")?.is_none() {
            self.open(path, Flags { write: true, ..Flags::default() })?;
        }
        self.view.change("utime", |tree, _| tree.touch(path.shown(), modified))
    }

    /// Opens the host's file if it is only to be read, and else the session's, which it becomes by this.
    fn open(&self, path: &Place, flags: Flags) -> Result<Opened> {
        const WHAT: &str = "open";
        let writes = flags.write || flags.create || flags.truncate;
        let own = match self.upper(path, true, WHAT) {
            Ok(own) => own,
            Err(error) if error.code == Code::NotFound && flags.create => None,
            Err(error) => return Err(error),
        };
        if let Some(node) = own {
            let Node::File(_) = node else { return Err(FsError::new(Code::IsDirectory, WHAT, path.shown())) };
            let (found, id) = if writes {
                self.view.change(WHAT, |tree, room| tree.open(room, path.shown(), flags))?
            } else {
                self.view.look(|tree| tree.file(path.shown(), WHAT)).map(|(found, file)| (found, file.id))?
            };
            return Ok(Opened::Memory(found, id));
        }
        let is_gone = matches!(self.view.look(|tree| Ok(tree.layer(&self.host.at, path.shown())))?, Layer::Gone);
        if !writes {
            let read = Flags { read: true, ..Flags::default() };
            return self.host.open(path, read);
        }
        let lower = if is_gone { None } else { self.host_file(path, flags)? };
        self.check_parent(path, WHAT)?;
        let content = match lower {
            Some(_) if flags.exclusive => return Err(FsError::new(Code::Exists, WHAT, path.shown())),
            Some(_) if flags.truncate => Some(Vec::new()),
            Some(file) => Some(self.content(&file, path)?),
            None if flags.create => None,
            None => return Err(FsError::new(Code::NotFound, WHAT, path.shown())),
        };
        let create = Flags { create: true, write: true, ..Flags::default() };
        self.change(path, WHAT, |tree, room| {
            let (found, id) = tree.open(room, path.shown(), create)?;
            if let Some(content) = content
                && let Err(error) = tree.write(room, &found, id, Some(0), &content)
            {
                // What there is no room for is not there at all.
                tree.remove(&found, false, room.now, WHAT)?;
                return Err(error);
            }
            Ok(Opened::Memory(found, id))
        })
    }
}
