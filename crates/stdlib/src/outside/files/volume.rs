//! Where files are. The operations of scripts are the same in a session's own tree ([`Own`]), in a folder of the host (`host`), and in one with the
//! session's changes over it (`overlay`).

use perennial_engine::Budget;

use super::FilesView;
use super::error::{Code, FsError};
use super::mount::{Mounts, Place};
use super::path::VirtualPath;
use super::tree::{Flags, Kind, Node, Tree};

type Result<T> = std::result::Result<T, FsError>;

/// What there is to know of something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stat {
    pub(super) kind: Kind,
    pub(super) size: u64,
    /// Milliseconds since 1970.
    pub(super) modified: f64,
}

impl Stat {
    pub(super) fn of(node: &Node) -> Self {
        Self { kind: node.kind(), size: node.size(), modified: node.modified() }
    }
}

/// How something is removed, by what scripts call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    /// `rm`; recursively or not.
    Any(bool),
    /// `rmdir`: an empty folder.
    Folder,
    /// `unlink`: no folder.
    File,
}

impl Removal {
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Any(_) => "rm",
            Self::Folder => "rmdir",
            Self::File => "unlink",
        }
    }

    pub(super) fn is_recursive(self) -> bool {
        self == Self::Any(true)
    }

    /// Whether it is meant for something of this kind.
    pub(super) fn check(self, kind: Kind, path: &VirtualPath) -> Result<()> {
        let wrong = |code| Err(FsError::new(code, self.what(), path));
        match (self, kind) {
            (Self::File | Self::Any(false), Kind::Directory) => wrong(Code::IsDirectory),
            (Self::Folder, Kind::File | Kind::Link) => wrong(Code::NotDirectory),
            _ => Ok(()),
        }
    }
}

/// A file of the session's or of the host's.
pub(super) enum Opened {
    /// Where it is when links are followed, and its number.
    Memory(VirtualPath, u64),
    Host(std::fs::File),
}

/// What scripts do to files by their paths. Each of these changes all that it is asked for or nothing, except that removing a folder of the host may end
/// in the middle.
pub(super) trait Volume {
    fn stat(&self, place: &Place, follow: bool) -> Result<Stat>;
    /// Names, in order, with their kinds.
    fn list(&self, place: &Place) -> Result<Vec<(String, Kind)>>;
    /// With `recursive` the folders above are made too, and it may be there already. Returns the first that was made.
    fn mkdir(&self, place: &Place, recursive: bool) -> Result<Option<VirtualPath>>;
    /// Looks at the budget between two files of the host.
    fn remove(&self, place: &Place, removal: Removal, budget: &Budget) -> Result<()>;
    fn rename(&self, from: &Place, to: &Place) -> Result<()>;
    fn symlink(&self, target: &str, place: &Place) -> Result<()>;
    fn read_link(&self, place: &Place) -> Result<String>;
    /// The path without links.
    fn real(&self, place: &Place) -> Result<VirtualPath>;
    fn touch(&self, place: &Place, modified: f64) -> Result<()>;
    fn open(&self, place: &Place, flags: Flags) -> Result<Opened>;
}

/// The session's own tree, as far as no mount lies over it.
pub(super) struct Own<'a> {
    pub(super) view: &'a FilesView,
    pub(super) mounts: Option<&'a Mounts>,
}

impl Own<'_> {
    fn pins(&self, path: &VirtualPath) -> bool {
        self.mounts.is_some_and(|mounts| mounts.pins(path))
    }

    /// A link may lead into a mount; there it is not followed, wherever on the way it is.
    fn check_outside(&self, tree: &Tree, path: &VirtualPath, follow: bool, what: &'static str) -> Result<()> {
        let Some(mounts) = self.mounts else { return Ok(()) };
        let check = |found: &VirtualPath| match mounts.of(found) {
            Some(_) => Err(FsError::new(Code::Loop, what, path).because("links into mounts are not followed")),
            None => Ok(()),
        };
        if let Ok((found, _)) = tree.resolve(path, follow, what) {
            return check(&found);
        }
        // What stands in the way may be that the session has nothing below a mount.
        for count in 1..path.names().len() {
            match tree.resolve(&path.first(count), true, what) {
                Ok((found, Some(_))) => check(&found)?,
                Ok((found, None)) => return check(&found),
                // The operation itself says what is wrong.
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Looks at what a path leads to by links.
    fn look<T>(
        &self,
        place: &Place,
        follow: bool,
        what: &'static str,
        look: impl FnOnce(&Tree, &VirtualPath) -> Result<T>,
    ) -> Result<T> {
        let path = place.shown();
        self.view.look(|tree| {
            self.check_outside(tree, path, follow, what)?;
            look(tree, path)
        })
    }

    /// The content of a file that has at most `most` bytes; none of one that has more.
    pub(super) fn read_file(&self, place: &Place, most: usize) -> Result<Option<Vec<u8>>> {
        let file = self.look(place, true, "open", |tree, path| tree.file(path, "open").map(|(_, file)| file))?;
        let length = usize::try_from(file.data.length()).unwrap_or(usize::MAX);
        Ok((length <= most).then(|| file.data.read(0, length)))
    }

    /// Opens and writes a file, or changes nothing.
    pub(super) fn write_file(&self, place: &Place, flags: Flags, bytes: &[u8]) -> Result<()> {
        self.view.change("open", |tree, room| {
            self.check_outside(tree, place.shown(), true, "open")?;
            tree.write_file(room, place.shown(), flags, bytes)
        })
    }

    /// The copy shares its content.
    pub(super) fn copy(&self, from: &Place, to: &Place, exclusive: bool) -> Result<()> {
        const WHAT: &str = "copyfile";
        self.view.change(WHAT, |tree, room| {
            self.check_outside(tree, from.shown(), true, WHAT)?;
            self.check_outside(tree, to.shown(), true, WHAT)?;
            tree.copy(room, from.shown(), to.shown(), exclusive)
        })
    }
}

impl Volume for Own<'_> {
    fn stat(&self, place: &Place, follow: bool) -> Result<Stat> {
        let what = if follow { "stat" } else { "lstat" };
        self.look(place, follow, what, |tree, path| Ok(Stat::of(&tree.find(path, follow, what)?.1)))
    }

    fn list(&self, place: &Place) -> Result<Vec<(String, Kind)>> {
        const WHAT: &str = "scandir";
        let dir = self.look(place, true, WHAT, |tree, path| tree.dir(path, WHAT))?;
        let there = dir.entries.iter().filter(|(_, node)| !matches!(node, Node::Gone));
        Ok(there.map(|(name, node)| (name.to_string(), node.kind())).collect())
    }

    fn mkdir(&self, place: &Place, recursive: bool) -> Result<Option<VirtualPath>> {
        self.view.change("mkdir", |tree, room| {
            self.check_outside(tree, place.shown(), false, "mkdir")?;
            tree.mkdir(room, place.shown(), recursive)
        })
    }

    fn remove(&self, place: &Place, removal: Removal, _: &Budget) -> Result<()> {
        let (path, what) = (place.shown(), removal.what());
        let removed = self.view.change(what, |tree, room| {
            self.check_outside(tree, path, false, what)?;
            let (found, node) = tree.find(path, false, what)?;
            if self.pins(&found) {
                return Err(FsError::new(Code::Busy, what, path).because("a mount is there"));
            }
            removal.check(node.kind(), path)?;
            tree.remove(path, removal.is_recursive(), room.now, what)
        })?;
        // When nobody waits for the tree any more.
        drop(removed);
        Ok(())
    }

    fn rename(&self, from: &Place, to: &Place) -> Result<()> {
        const WHAT: &str = "rename";
        let (from, to) = (from.shown(), to.shown());
        let replaced = self.view.change(WHAT, |tree, room| {
            for path in [from, to] {
                let found = tree.resolve(path, false, WHAT).map_or_else(|_| path.clone(), |(found, _)| found);
                if self.pins(&found) {
                    return Err(FsError::new(Code::Busy, WHAT, from).to(to).because("a mount is there"));
                }
                self.check_outside(tree, path, false, WHAT)?;
            }
            tree.rename(room, from, to)
        })?;
        drop(replaced);
        Ok(())
    }

    fn symlink(&self, target: &str, place: &Place) -> Result<()> {
        self.view.change("symlink", |tree, room| {
            self.check_outside(tree, place.shown(), false, "symlink")?;
            tree.symlink(room, target, place.shown())
        })
    }

    fn read_link(&self, place: &Place) -> Result<String> {
        const WHAT: &str = "readlink";
        match self.look(place, false, WHAT, |tree, path| tree.find(path, false, WHAT))?.1 {
            Node::Link(link) => Ok(link.target.to_string()),
            _ => Err(FsError::new(Code::Invalid, WHAT, place.shown())),
        }
    }

    fn real(&self, place: &Place) -> Result<VirtualPath> {
        const WHAT: &str = "realpath";
        self.look(place, true, WHAT, |tree, path| Ok(tree.find(path, true, WHAT)?.0))
    }

    fn touch(&self, place: &Place, modified: f64) -> Result<()> {
        self.view.change("utime", |tree, room| {
            self.check_outside(tree, place.shown(), true, "utime")?;
            tree.touch(room, place.shown(), modified)
        })
    }

    fn open(&self, place: &Place, flags: Flags) -> Result<Opened> {
        const WHAT: &str = "open";
        let path = place.shown();
        let (found, id) = if flags.write || flags.create {
            self.view.change(WHAT, |tree, room| {
                self.check_outside(tree, path, !flags.exclusive, WHAT)?;
                tree.open(room, path, flags)
            })?
        } else {
            self.look(place, true, WHAT, |tree, path| tree.file(path, WHAT).map(|(found, file)| (found, file.id)))?
        };
        Ok(Opened::Memory(found, id))
    }
}
