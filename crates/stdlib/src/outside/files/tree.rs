//! The files of a session in memory, as a value: cloning it is a snapshot, and writing to one of two clones copies what it changes and the
//! folders above.

use imbl::OrdMap;
use std::sync::Arc;

use super::data::{Counted, Data, Gauge, NODE};
use super::error::{Code, FsError};
use super::path::VirtualPath;

/// How many links are followed on the way to one file.
const MAX_LINKS: usize = 40;
/// What a name counts besides its own bytes.
const ENTRY: u64 = 100;

/// How much the files of a session may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilesQuota {
    /// All files and names together. Real memory, snapshots included, may be twice as much.
    pub bytes: u64,
    /// Files, folders and links.
    pub entries: u64,
    /// One file, on the host as well.
    pub file_bytes: u64,
    /// Folders in folders.
    pub depth: usize,
}

impl FilesQuota {
    /// The same with something set: fields may come to be more, so that they are not all said.
    #[must_use]
    pub fn configure(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

impl Default for FilesQuota {
    fn default() -> Self {
        Self { bytes: 64 << 20, entries: 10_000, file_bytes: 32 << 20, depth: 32 }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    File(Arc<File>),
    Dir(Arc<Dir>),
    Link(Arc<Link>),
    /// Over a folder of the host: what it has of this name is not seen.
    Gone,
}

#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) id: u64,
    pub(super) data: Data,
    pub(super) modified: f64,
    pub(super) counted: Counted,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Dir {
    /// Persistent, so that a change after a snapshot costs what it changes and not the folder.
    pub(super) entries: OrdMap<Arc<str>, Node>,
    /// Over a folder of the host: nothing of the one of this name is seen, in folders of it neither.
    pub(super) opaque: bool,
    pub(super) modified: f64,
    pub(super) counted: Counted,
}

#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) target: Box<str>,
    pub(super) modified: f64,
    pub(super) counted: Counted,
}

/// The kind of something, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
    Link,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "link",
        }
    }
}

/// Whether they are one, not whether they look alike: what two states share is found without looking into it.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(left), Self::File(right)) => Arc::ptr_eq(left, right),
            (Self::Dir(left), Self::Dir(right)) => Arc::ptr_eq(left, right),
            (Self::Link(left), Self::Link(right)) => Arc::ptr_eq(left, right),
            (Self::Gone, Self::Gone) => true,
            _ => false,
        }
    }
}

impl Node {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::File(_) | Self::Gone => Kind::File,
            Self::Dir(_) => Kind::Directory,
            Self::Link(_) => Kind::Link,
        }
    }

    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File(file) => file.data.length(),
            Self::Dir(_) | Self::Gone => 0,
            Self::Link(link) => link.target.len() as u64,
        }
    }

    pub(super) fn modified(&self) -> f64 {
        match self {
            Self::File(file) => file.modified,
            Self::Dir(dir) => dir.modified,
            Self::Link(link) => link.modified,
            Self::Gone => 0.0,
        }
    }

    /// The same under another name, which is counted as well as the one that a snapshot may have of it.
    fn renamed(self) -> Self {
        match self {
            Self::File(file) => Self::File(Arc::new(File::clone(&file))),
            Self::Dir(dir) => Self::Dir(Arc::new(Dir::clone(&dir))),
            Self::Link(link) => Self::Link(Arc::new(Link::clone(&link))),
            Self::Gone => Self::Gone,
        }
    }

    /// What it takes with everything below: entries, bytes, and levels of folders.
    fn weight(&self) -> Weight {
        match self {
            Self::Dir(dir) => {
                dir.entries.iter().fold(Weight { entries: 1, bytes: 0, levels: 1 }, |sum, (name, node)| {
                    let inner = node.weight();
                    Weight {
                        entries: sum.entries + inner.entries,
                        bytes: sum.bytes + inner.bytes + name.len() as u64 + ENTRY,
                        levels: sum.levels.max(inner.levels + 1),
                    }
                })
            }
            node => Weight { entries: 1, bytes: node.size(), levels: 1 },
        }
    }
}

#[derive(Clone, Copy)]
struct Weight {
    entries: u64,
    bytes: u64,
    levels: usize,
}

/// What stands at a path over a folder of the host.
pub(super) enum Layer {
    Upper {
        node: Node,
        /// What the host has of this name would be seen if the session had nothing.
        covers: bool,
    },
    /// It was removed.
    Gone,
    Lower,
    /// One of the names above is a file.
    Blocked,
}

/// How something is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub(super) struct Flags {
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) append: bool,
    pub(super) create: bool,
    pub(super) exclusive: bool,
    pub(super) truncate: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    root: Arc<Dir>,
    pub(super) cwd: VirtualPath,
    bytes: u64,
    entries: u64,
}

/// Where an operation is done, and what it may take.
pub(super) struct Room<'a> {
    pub(super) quota: &'a FilesQuota,
    pub(super) gauge: &'a Arc<Gauge>,
    /// Milliseconds since 1970.
    pub(super) now: f64,
    /// For files that are made; no two have the same.
    pub(super) next_id: &'a mut u64,
}

type Result<T> = std::result::Result<T, FsError>;

impl Tree {
    pub(super) fn root(&self) -> Node {
        Node::Dir(self.root.clone())
    }

    pub(super) fn usage(&self) -> (u64, u64) {
        (self.bytes, self.entries)
    }

    /// The same for another session, which counts what it holds as its own. Contents are shared.
    pub(super) fn of_another(&self, gauge: &Arc<Gauge>) -> Self {
        fn dir(of: &Dir, gauge: &Arc<Gauge>) -> Dir {
            let entries = of.entries.iter().map(|(name, of)| {
                let node = match of {
                    Node::File(file) => Node::File(Arc::new(File {
                        data: file.data.of_another(gauge),
                        counted: file.counted.of_another(gauge),
                        ..**file
                    })),
                    Node::Dir(of) => Node::Dir(Arc::new(dir(of, gauge))),
                    Node::Link(link) => Node::Link(Arc::new(Link {
                        target: link.target.clone(),
                        counted: link.counted.of_another(gauge),
                        ..**link
                    })),
                    Node::Gone => Node::Gone,
                };
                (name.clone(), node)
            });
            Dir { entries: entries.collect(), counted: of.counted.of_another(gauge), ..*of }
        }
        Self { root: Arc::new(dir(&self.root, gauge)), ..self.clone() }
    }

    // ---- looking ----

    /// Follows links. What comes out has none in it, except as its last name if `follow` is false; that name need not be there.
    pub(super) fn resolve(
        &self,
        path: &VirtualPath,
        follow: bool,
        what: &'static str,
    ) -> Result<(VirtualPath, Option<Node>)> {
        let mut path = path.clone();
        let mut links = 0;
        'again: loop {
            let mut node = self.root();
            let count = path.names().len();
            for index in 0..count {
                let Node::Dir(dir) = &node else { return Err(FsError::new(Code::NotDirectory, what, &path)) };
                let next = dir.entries.get(&*path.names()[index]).filter(|node| !matches!(node, Node::Gone));
                let Some(next) = next.cloned() else {
                    let is_last = index + 1 == count;
                    return if is_last { Ok((path, None)) } else { Err(FsError::new(Code::NotFound, what, &path)) };
                };
                if let Node::Link(link) = &next
                    && (follow || index + 1 < count)
                {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(FsError::new(Code::Loop, what, &path));
                    }
                    let target = VirtualPath::parse(&path.first(index), &link.target)?;
                    path = target.with_names(&path.names()[index + 1..])?;
                    continue 'again;
                }
                node = next;
            }
            return Ok((path, Some(node)));
        }
    }

    pub(super) fn find(&self, path: &VirtualPath, follow: bool, what: &'static str) -> Result<(VirtualPath, Node)> {
        let (found, node) = self.resolve(path, follow, what)?;
        node.map(|node| (found, node)).ok_or_else(|| FsError::new(Code::NotFound, what, path))
    }

    pub(super) fn file(&self, path: &VirtualPath, what: &'static str) -> Result<(VirtualPath, Arc<File>)> {
        match self.find(path, true, what)? {
            (found, Node::File(file)) => Ok((found, file)),
            (_, _) => Err(FsError::new(Code::IsDirectory, what, path)),
        }
    }

    pub(super) fn dir(&self, path: &VirtualPath, what: &'static str) -> Result<Arc<Dir>> {
        match self.find(path, true, what)? {
            (_, Node::Dir(dir)) => Ok(dir),
            (_, _) => Err(FsError::new(Code::NotDirectory, what, path)),
        }
    }

    // ---- changing ----
    // Each of these looks at everything that may be wrong first and then changes something.

    /// The folder at a path without links, and nobody else's.
    fn dir_mut(&mut self, path: &VirtualPath) -> Option<&mut Dir> {
        let mut dir = Arc::make_mut(&mut self.root);
        for name in path.names() {
            match dir.entries.get_mut(&**name) {
                Some(Node::Dir(next)) => dir = Arc::make_mut(next),
                _ => return None,
            }
        }
        Some(dir)
    }

    fn file_mut(&mut self, path: &VirtualPath) -> Option<&mut File> {
        match self.dir_mut(&path.parent())?.entries.get_mut(path.name()?) {
            Some(Node::File(file)) => Some(Arc::make_mut(file)),
            _ => None,
        }
    }

    fn check(
        &self,
        room: &Room<'_>,
        path: &VirtualPath,
        what: &'static str,
        bytes: u64,
        entries: u64,
        memory: u64,
    ) -> Result<()> {
        let FilesQuota { bytes: most, entries: most_entries, .. } = *room.quota;
        let over = |thing, limit, used| Err(FsError::quota(what, path, thing, limit, used));
        if bytes > 0 && self.bytes + bytes > most {
            return over("bytes of all files of the session", most, self.bytes + bytes);
        }
        if entries > 0 && self.entries + entries > most_entries {
            return over("files of the session", most_entries, self.entries + entries);
        }
        let real = room.gauge.bytes() + memory;
        if memory > 0 && real > 2 * most {
            let limit = 2 * most;
            let why = format!(
                "memory of the session's files, what can be undone and what checkpoints keep included: {limit} allowed, {real} wanted; session.forget(checkpoint) frees what that one keeps"
            );
            return Err(FsError::no_space(what, path, limit, real).because(why));
        }
        Ok(())
    }

    fn check_size(room: &Room<'_>, path: &VirtualPath, what: &'static str, length: u64) -> Result<()> {
        let most = room.quota.file_bytes;
        if length > most { Err(FsError::quota(what, path, "bytes of one file", most, length)) } else { Ok(()) }
    }

    fn check_depth(room: &Room<'_>, path: &VirtualPath, what: &'static str, levels: usize) -> Result<()> {
        let most = room.quota.depth;
        let over = || FsError::quota(what, path, "levels of folders", most as u64, levels as u64);
        if levels > most { Err(over()) } else { Ok(()) }
    }

    /// Puts a node where there is none.
    fn insert(&mut self, room: &Room<'_>, path: &VirtualPath, what: &'static str, node: Node) -> Result<()> {
        let (Some(name), weight) = (path.name(), node.weight()) else {
            return Err(FsError::new(Code::Exists, what, path));
        };
        Self::check_depth(room, path, what, path.names().len() + weight.levels - 1)?;
        self.check(room, path, what, weight.bytes + name.len() as u64 + ENTRY, weight.entries, 0)?;
        self.put(room.now, path, node);
        Ok(())
    }

    /// The same where everything was looked at; the folder is there.
    fn put(&mut self, now: f64, path: &VirtualPath, node: Node) {
        let weight = node.weight();
        let Some(name) = path.name() else { return };
        let Some(parent) = self.dir_mut(&path.parent()) else { return };
        let was = parent.entries.insert(name.into(), node);
        parent.modified = now;
        self.bytes += weight.bytes;
        self.entries += weight.entries;
        match was {
            Some(was) => {
                let was = was.weight();
                self.bytes -= was.bytes;
                self.entries -= was.entries;
            }
            None => self.bytes += name.len() as u64 + ENTRY,
        }
    }

    /// Makes the file at a path, of which another tree has the same, one with that, so that both are found to be one.
    pub(super) fn share(&mut self, other: &mut Self, path: &VirtualPath, next_id: &mut u64) {
        const WHAT: &str = "open";
        let (Ok((mine, file)), Ok((found, theirs))) = (self.file(path, WHAT), other.file(path, WHAT)) else { return };
        if mine != found {
            return;
        }
        if file.id != theirs.id
            && let Some(theirs) = other.file_mut(&found)
        {
            // Elsewhere in this tree there may be one with theirs.
            theirs.id = *next_id;
            *next_id += 1;
        }
        if let Ok((_, theirs)) = other.file(path, WHAT) {
            self.put(theirs.modified, &mine, Node::File(theirs));
        }
    }

    // ---- over a folder of the host ----

    /// What stands at a path over a folder of the host: a node of the session's, nothing by its will, or what the host has.
    pub(super) fn layer(&self, base: &VirtualPath, path: &VirtualPath) -> Layer {
        let Ok((_, Node::Dir(mut dir))) = self.find(base, false, "stat") else { return Layer::Lower };
        let names = path.below(base).unwrap_or(&[]);
        let Some((last, above)) = names.split_last() else {
            return Layer::Upper { node: Node::Dir(dir), covers: true };
        };
        let mut covers = !dir.opaque;
        for name in above {
            match dir.entries.get(&**name).cloned() {
                Some(Node::Dir(next)) => dir = next,
                Some(Node::Gone) => return Layer::Gone,
                Some(Node::File(_) | Node::Link(_)) => return Layer::Blocked,
                None => return if covers { Layer::Lower } else { Layer::Gone },
            }
            // What is in a folder that stands alone does, too.
            covers &= !dir.opaque;
        }
        match dir.entries.get(&**last) {
            Some(Node::Gone) => Layer::Gone,
            Some(node) => Layer::Upper { node: node.clone(), covers },
            None if covers => Layer::Lower,
            None => Layer::Gone,
        }
    }

    /// Hides what the host has at a path, where the session has nothing.
    pub(super) fn hide(&mut self, room: &Room<'_>, path: &VirtualPath) -> Result<()> {
        self.mkdir(room, &path.parent(), true)?;
        self.check(room, path, "unlink", 0, 0, NODE)?;
        self.insert(room, path, "unlink", Node::Gone)
    }

    /// Of a folder that was made where the host's was hidden.
    pub(super) fn make_opaque(&mut self, path: &VirtualPath) {
        if let Some(dir) = self.dir_mut(path) {
            dir.opaque = true;
        }
    }

    /// Takes a node out of a path without links.
    fn take(&mut self, path: &VirtualPath, now: f64) -> Option<Node> {
        let name = path.name()?;
        let parent = self.dir_mut(&path.parent())?;
        let node = parent.entries.remove(name)?;
        parent.modified = now;
        let weight = node.weight();
        self.bytes -= weight.bytes + name.len() as u64 + ENTRY;
        self.entries -= weight.entries;
        Some(node)
    }

    /// Makes a folder; with `recursive` those above it too, and it may be there already. Returns the first that was made.
    pub(super) fn mkdir(
        &mut self,
        room: &Room<'_>,
        path: &VirtualPath,
        recursive: bool,
    ) -> Result<Option<VirtualPath>> {
        const WHAT: &str = "mkdir";
        let empty = || {
            let counted = Counted::new(NODE, room.gauge);
            Node::Dir(Arc::new(Dir { modified: room.now, counted, ..Dir::default() }))
        };
        if !recursive {
            let (found, node) = self.resolve(path, false, WHAT)?;
            if node.is_some() {
                return Err(FsError::new(Code::Exists, WHAT, path));
            }
            self.check(room, path, WHAT, 0, 0, NODE)?;
            self.insert(room, &found, WHAT, empty())?;
            return Ok(Some(found));
        }
        let mut first = None;
        let all = path.names();
        for count in 1..=all.len() {
            let (found, node) = self.resolve(&path.first(count), true, WHAT)?;
            match node {
                Some(Node::Dir(_)) => {}
                Some(_) if count == path.names().len() => return Err(FsError::new(Code::Exists, WHAT, path)),
                Some(_) => return Err(FsError::new(Code::NotDirectory, WHAT, path)),
                None => {
                    if first.is_none() {
                        let missing = &all[count - 1..];
                        let bytes = missing.iter().map(|name| name.len() as u64 + ENTRY).sum();
                        let count = missing.len() as u64;
                        self.check(room, path, WHAT, bytes, count, count * NODE)?;
                        Self::check_depth(room, path, WHAT, found.names().len() + missing.len() - 1)?;
                    }
                    self.insert(room, &found, WHAT, empty())?;
                    first.get_or_insert(found);
                }
            }
        }
        Ok(first)
    }

    /// Finds or makes a file.
    pub(super) fn open(&mut self, room: &mut Room<'_>, path: &VirtualPath, flags: Flags) -> Result<(VirtualPath, u64)> {
        const WHAT: &str = "open";
        let (found, node) = self.resolve(path, !flags.exclusive, WHAT)?;
        match node {
            Some(_) if flags.exclusive && flags.create => Err(FsError::new(Code::Exists, WHAT, path)),
            Some(Node::File(file)) => {
                if flags.truncate && flags.write {
                    self.truncate(room, &found, file.id, 0)?;
                }
                Ok((found, file.id))
            }
            Some(Node::Dir(_)) => Err(FsError::new(Code::IsDirectory, WHAT, path)),
            Some(Node::Link(_) | Node::Gone) => Err(FsError::new(Code::Loop, WHAT, path)),
            None if flags.create => {
                let id = *room.next_id;
                self.check(room, path, WHAT, 0, 0, NODE)?;
                let counted = Counted::new(NODE, room.gauge);
                let file = File { id, data: Data::default(), modified: room.now, counted };
                self.insert(room, &found, WHAT, Node::File(Arc::new(file)))?;
                *room.next_id += 1;
                Ok((found, id))
            }
            None => Err(FsError::new(Code::NotFound, WHAT, path)),
        }
    }

    /// The file of a handle: at the path where it was opened, unless it is another one by now.
    pub(super) fn opened(&self, path: &VirtualPath, id: u64, what: &'static str) -> Result<Arc<File>> {
        match self.resolve(path, false, what) {
            Ok((_, Some(Node::File(file)))) if file.id == id => Ok(file),
            _ => Err(FsError::new(Code::BadHandle, what, path)
                .because("it was removed, renamed or undone since it was opened")),
        }
    }

    pub(super) fn write(
        &mut self,
        room: &Room<'_>,
        path: &VirtualPath,
        id: u64,
        offset: Option<u64>,
        bytes: &[u8],
    ) -> Result<()> {
        const WHAT: &str = "write";
        let length = self.opened(path, id, WHAT)?.data.length();
        let offset = offset.unwrap_or(length);
        let end = offset.saturating_add(bytes.len() as u64);
        Self::check_size(room, path, WHAT, end)?;
        let slack = 2 * super::data::CHUNK as u64;
        self.check(room, path, WHAT, end.saturating_sub(length), 0, bytes.len() as u64 + slack)?;
        if bytes.is_empty() {
            return Ok(());
        }
        let Some(file) = self.file_mut(path) else { return Err(FsError::new(Code::BadHandle, WHAT, path)) };
        file.data.write(offset, bytes, room.gauge);
        file.modified = room.now;
        self.bytes += end.saturating_sub(length);
        Ok(())
    }

    /// Opens and writes all of a file, or changes nothing.
    pub(super) fn write_file(
        &mut self,
        room: &mut Room<'_>,
        path: &VirtualPath,
        flags: Flags,
        bytes: &[u8],
    ) -> Result<()> {
        const WHAT: &str = "open";
        let (found, before) = match self.resolve(path, !flags.exclusive, WHAT)? {
            (found, Some(Node::File(file))) => (found, Some(file.data.length())),
            (found, _) => (found, None),
        };
        let kept = before.filter(|_| !flags.truncate).unwrap_or(0);
        let length = if flags.append { kept + bytes.len() as u64 } else { kept.max(bytes.len() as u64) };
        Self::check_size(room, path, WHAT, length)?;
        let name = if before.is_none() { found.name().map_or(0, str::len) as u64 + ENTRY } else { 0 };
        let memory = bytes.len() as u64 + 2 * super::data::CHUNK as u64 + NODE;
        self.check(
            room,
            path,
            WHAT,
            (length + name).saturating_sub(before.unwrap_or(0)),
            u64::from(before.is_none()),
            memory,
        )?;
        let (found, id) = self.open(room, path, flags)?;
        let offset = if flags.append { None } else { Some(0) };
        self.write(room, &found, id, offset, bytes)
    }

    pub(super) fn truncate(&mut self, room: &Room<'_>, path: &VirtualPath, id: u64, length: u64) -> Result<()> {
        const WHAT: &str = "ftruncate";
        let before = self.opened(path, id, WHAT)?.data.length();
        Self::check_size(room, path, WHAT, length)?;
        // What is cut may be shared, and so copied.
        let memory = if length < before { super::data::CHUNK as u64 } else { 0 };
        self.check(room, path, WHAT, length.saturating_sub(before), 0, memory)?;
        let Some(file) = self.file_mut(path) else { return Err(FsError::new(Code::BadHandle, WHAT, path)) };
        file.data.truncate(length);
        file.modified = room.now;
        self.bytes = self.bytes + length - before;
        Ok(())
    }

    pub(super) fn touch(&mut self, room: &Room<'_>, path: &VirtualPath, modified: f64) -> Result<()> {
        const WHAT: &str = "utime";
        let (found, node) = self.find(path, true, WHAT)?;
        self.check(room, path, WHAT, 0, 0, NODE)?;
        match node {
            Node::Dir(_) => {
                if let Some(dir) = self.dir_mut(&found) {
                    dir.modified = modified;
                }
            }
            _ => {
                if let Some(file) = self.file_mut(&found) {
                    file.modified = modified;
                }
            }
        }
        Ok(())
    }

    pub(super) fn symlink(&mut self, room: &Room<'_>, target: &str, path: &VirtualPath) -> Result<()> {
        const WHAT: &str = "symlink";
        let wrong = |code| Err(FsError::new(code, WHAT, target).to(path));
        if target.is_empty() || target.contains('\0') {
            return wrong(Code::Invalid);
        }
        if target.len() > 4096 {
            return wrong(Code::NameTooLong);
        }
        let (found, node) = self.resolve(path, false, WHAT)?;
        if node.is_some() {
            return wrong(Code::Exists);
        }
        let memory = NODE + target.len() as u64;
        self.check(room, path, WHAT, 0, 0, memory)?;
        let counted = Counted::new(memory, room.gauge);
        self.insert(
            room,
            &found,
            WHAT,
            Node::Link(Arc::new(Link { target: target.into(), modified: room.now, counted })),
        )
    }

    /// Removes a file, a link or an empty folder; with `recursive` also one that is not. Not the root.
    pub(super) fn remove(&mut self, path: &VirtualPath, recursive: bool, now: f64, what: &'static str) -> Result<Node> {
        let (found, node) = self.find(path, false, what)?;
        if found.names().is_empty() {
            return Err(FsError::new(Code::Busy, what, path));
        }
        if let Node::Dir(dir) = &node
            && !recursive
            && !dir.entries.is_empty()
        {
            return Err(FsError::new(Code::NotEmpty, what, path));
        }
        // The caller drops it when the lock is gone.
        self.take(&found, now).ok_or_else(|| FsError::new(Code::NotFound, what, path))
    }

    pub(super) fn rename(&mut self, room: &Room<'_>, from: &VirtualPath, to: &VirtualPath) -> Result<Option<Node>> {
        const WHAT: &str = "rename";
        let wrong = |code| Err(FsError::new(code, WHAT, from).to(to));
        let (source, node) = self.find(from, false, WHAT)?;
        let (target, replaced) =
            self.resolve(to, false, WHAT).map_err(|error| FsError::new(error.code, WHAT, from).to(to))?;
        if source == target {
            return Ok(None);
        }
        if source.names().is_empty() || target.names().is_empty() {
            return wrong(Code::Busy);
        }
        if target.below(&source).is_some() {
            return wrong(Code::Invalid);
        }
        match (&node, &replaced) {
            (_, None) => {}
            (Node::Dir(_), Some(Node::Dir(dir))) if dir.entries.is_empty() => {}
            (_, Some(Node::Dir(_))) if matches!(node, Node::Dir(_)) => return wrong(Code::NotEmpty),
            (_, Some(Node::Dir(_))) => return wrong(Code::IsDirectory),
            (Node::Dir(_), Some(_)) => return wrong(Code::NotDirectory),
            (_, Some(_)) => {}
        }
        Self::check_depth(room, to, WHAT, target.names().len() + node.weight().levels - 1)?;
        let freed = replaced.as_ref().map_or(0, |node| node.weight().bytes + ENTRY);
        let (old, new) = (source.name().map_or(0, str::len) as u64, target.name().map_or(0, str::len) as u64);
        self.check(room, to, WHAT, new.saturating_sub(old + freed), 0, NODE)?;
        let replaced = self.take(&target, room.now);
        let node = self.take(&source, room.now).unwrap_or(node);
        self.put(room.now, &target, node.renamed());
        Ok(replaced)
    }

    /// The copy shares its content with the original.
    pub(super) fn copy(
        &mut self,
        room: &mut Room<'_>,
        from: &VirtualPath,
        to: &VirtualPath,
        exclusive: bool,
    ) -> Result<()> {
        const WHAT: &str = "copyfile";
        let (source, file) = self.file(from, WHAT).map_err(|error| error.to(to))?;
        let (target, replaced) =
            self.resolve(to, true, WHAT).map_err(|error| FsError::new(error.code, WHAT, from).to(to))?;
        let wrong = |code| Err(FsError::new(code, WHAT, from).to(to));
        match &replaced {
            Some(_) if exclusive => return wrong(Code::Exists),
            Some(Node::Dir(_)) => return wrong(Code::IsDirectory),
            _ if source == target => return Ok(()),
            _ => {}
        }
        let id = *room.next_id;
        self.check(room, to, WHAT, 0, 0, NODE)?;
        let counted = Counted::new(NODE, room.gauge);
        let copy = Node::File(Arc::new(File { id, data: file.data.clone(), modified: room.now, counted }));
        let freed = replaced.as_ref().map_or(0, Node::size);
        self.check(room, to, WHAT, copy.size().saturating_sub(freed), 0, 0)?;
        if replaced.is_some() {
            self.take(&target, room.now);
        }
        self.insert(room, &target, WHAT, copy)?;
        *room.next_id += 1;
        Ok(())
    }
}
