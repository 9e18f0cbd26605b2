//! Operations on the files of a mount.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use cap_fs_ext::{DirExt, SystemTimeSpec};
use cap_std::fs::{Dir, DirEntry, FileType, Metadata, OpenOptions, OpenOptionsExt};
use cap_std::time::SystemTime;
use perennial_engine::Budget;

use super::error::{Code, FsError};
use super::mount::{Mount, MountMode, Place};
use super::path::VirtualPath;
use super::tree::{Flags, Kind};
use super::volume::{Opened, Removal, Stat, Volume};

/// Names that one folder may have for it to be listed.
const MAX_NAMES: usize = 200_000;
/// Folders in folders that are removed at once: each holds a descriptor.
const MAX_DEPTH: usize = 64;
/// Names that are looked at before they are removed.
const SOME: usize = 10_000;

type Result<T> = std::result::Result<T, FsError>;

/// Operations on the host's files, each with what it is called in errors. They block.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) dir: Arc<Dir>,
    pub(super) mode: MountMode,
    pub(super) at: VirtualPath,
    /// The most one file may have when a script has written to it.
    pub(super) file_bytes: u64,
}

impl Host {
    pub(super) fn new(mount: &Mount, file_bytes: u64) -> Self {
        Self { dir: mount.dir.clone(), mode: mount.mode(), at: mount.at().clone(), file_bytes }
    }

    fn may_write(&self, what: &'static str, path: &Place) -> Result<()> {
        if self.mode == MountMode::ReadWrite {
            return Ok(());
        }
        let why = format!("{} is mounted read-only; a mount with rw would grant it", self.at);
        Err(FsError::new(Code::Permission, what, path.shown()).because(why))
    }

    /// Removes all that is in an open folder; links are removed, not followed.
    fn clear(&self, dir: &Dir, path: &Place, what: &'static str, depth: usize, budget: &Budget) -> Result<()> {
        if depth > MAX_DEPTH {
            let why = format!("it has folders more than {MAX_DEPTH} deep");
            return Err(FsError::new(Code::NameTooLong, what, path.shown()).because(why));
        }
        let wrong = |error| explain(error, what, path);
        loop {
            let some: Vec<_> = dir.entries().map_err(wrong)?.take(SOME).collect::<io::Result<_>>().map_err(wrong)?;
            if some.is_empty() {
                return Ok(());
            }
            self.clear_some(dir, some, path, what, depth, budget)?;
        }
    }

    fn clear_some(
        &self,
        dir: &Dir,
        some: Vec<DirEntry>,
        path: &Place,
        what: &'static str,
        depth: usize,
        budget: &Budget,
    ) -> Result<()> {
        let wrong = |error| explain(error, what, path);
        for entry in some {
            if budget.is_stopped() {
                return Err(FsError::new(Code::Canceled, what, path.shown()).because("the script was stopped"));
            }
            let name = entry.file_name();
            let is_dir = dir.symlink_metadata(&name).map_err(wrong)?.is_dir();
            if is_dir {
                self.clear(&dir.open_dir_nofollow(&name).map_err(wrong)?, path, what, depth + 1, budget)?;
                dir.remove_dir(&name).map_err(wrong)?;
            } else {
                dir.remove_file(&name).map_err(wrong)?;
            }
        }
        Ok(())
    }

    /// Opens a regular file. What is something else is found out before it is opened for anything, since opening alone does something to
    /// pipes and devices.
    pub(super) fn open_file(&self, path: &Place, flags: Flags) -> Result<std::fs::File> {
        const WHAT: &str = "open";
        let wrong = |error| explain(error, WHAT, path);
        if flags.write || flags.create || flags.truncate {
            self.may_write(WHAT, path)?;
        }
        if flags.create {
            let mut options = OpenOptions::new();
            options.read(flags.read).write(true).append(flags.append).create_new(true);
            match self.dir.open_with(path.relative(), &options) {
                Ok(file) => return Ok(file.into_std()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !flags.exclusive => {}
                Err(error) => return Err(wrong(error)),
            }
        }
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_PATH);
        let found = self.dir.open_with(path.relative(), &options).map_err(wrong)?.into_std();
        let metadata = found.metadata().map_err(wrong)?;
        if metadata.is_dir() {
            return Err(FsError::new(Code::IsDirectory, WHAT, path.shown()));
        }
        if !metadata.is_file() || is_system(&found) {
            return Err(special(WHAT, path));
        }
        let file = reopen(&found, flags).map_err(wrong)?;
        if flags.truncate && flags.write {
            file.set_len(0).map_err(wrong)?;
        }
        Ok(file)
    }

    pub(super) fn write(&self, file: &std::fs::File, path: &Place, offset: Option<u64>, bytes: &[u8]) -> Result<()> {
        const WHAT: &str = "write";
        let wrong = |error| explain(error, WHAT, path);
        let offset = match offset {
            Some(offset) => offset,
            None => file.metadata().map_err(wrong)?.len(),
        };
        self.check_size(path, WHAT, offset.saturating_add(bytes.len() as u64))?;
        file.write_all_at(bytes, offset).map_err(wrong)
    }

    pub(super) fn truncate(&self, file: &std::fs::File, path: &Place, length: u64) -> Result<()> {
        const WHAT: &str = "ftruncate";
        self.check_size(path, WHAT, length)?;
        file.set_len(length).map_err(|error| explain(error, WHAT, path))
    }

    fn check_size(&self, path: &Place, what: &'static str, length: u64) -> Result<()> {
        if length <= self.file_bytes {
            return Ok(());
        }
        Err(FsError::quota(what, path.shown(), "bytes of one file", self.file_bytes, length))
    }
}

impl Volume for Host {
    fn stat(&self, path: &Place, follow: bool) -> Result<Stat> {
        let what = if follow { "stat" } else { "lstat" };
        let metadata =
            if follow { self.dir.metadata(path.relative()) } else { self.dir.symlink_metadata(path.relative()) };
        let metadata = metadata.map_err(|error| explain(error, what, path))?;
        stat_of(&metadata).ok_or_else(|| special(what, path))
    }

    /// What has no name in Unicode, and what is neither file, folder nor link, is left out.
    fn list(&self, path: &Place) -> Result<Vec<(String, Kind)>> {
        const WHAT: &str = "scandir";
        let mut names = Vec::new();
        for entry in self.dir.read_dir(path.relative()).map_err(|error| explain(error, WHAT, path))? {
            let entry = entry.map_err(|error| explain(error, WHAT, path))?;
            let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else { continue };
            let Some(kind) = kind_of(kind) else { continue };
            if names.len() == MAX_NAMES {
                let why = format!("it has more than {MAX_NAMES} names");
                return Err(FsError::new(Code::TooLarge, WHAT, path.shown()).because(why));
            }
            names.push((name, kind));
        }
        names.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        Ok(names)
    }

    fn read_link(&self, path: &Place) -> Result<String> {
        let target = self.dir.read_link_contents(path.relative()).map_err(|error| explain(error, "readlink", path))?;
        Ok(target.to_string_lossy().into_owned())
    }

    fn real(&self, path: &Place) -> Result<VirtualPath> {
        let relative = self.dir.canonicalize(path.relative()).map_err(|error| explain(error, "realpath", path))?;
        VirtualPath::parse(&self.at, &relative.to_string_lossy())
    }

    fn mkdir(&self, path: &Place, recursive: bool) -> Result<Option<VirtualPath>> {
        const WHAT: &str = "mkdir";
        if recursive && self.dir.metadata(path.relative()).is_ok_and(|metadata| metadata.is_dir()) {
            return Ok(None);
        }
        self.may_write(WHAT, path)?;
        if !recursive {
            self.dir.create_dir(path.relative()).map_err(|error| explain(error, WHAT, path))?;
            return Ok(Some(path.shown().clone()));
        }
        let mut first = None;
        let below = path.shown().below(&self.at).map_or(0, <[_]>::len);
        let base = path.shown().names().len() - below;
        for count in 1..=below {
            let shown = path.shown().first(base + count);
            let relative: PathBuf = shown.names()[base..].iter().map(|name| &**name).collect();
            match self.dir.create_dir(&relative) {
                Ok(()) => _ = first.get_or_insert(shown),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    let is_dir = self.dir.metadata(&relative).is_ok_and(|metadata| metadata.is_dir());
                    if !is_dir {
                        let code = if count == below { Code::Exists } else { Code::NotDirectory };
                        return Err(FsError::new(code, WHAT, path.shown()));
                    }
                }
                Err(error) => return Err(explain(error, WHAT, path)),
            }
        }
        Ok(first)
    }

    fn remove(&self, path: &Place, removal: Removal, budget: &Budget) -> Result<()> {
        let what = removal.what();
        let metadata = self.dir.symlink_metadata(path.relative()).map_err(|error| explain(error, what, path))?;
        removal.check(kind_of(metadata.file_type()).ok_or_else(|| special(what, path))?, path.shown())?;
        self.may_write(what, path)?;
        if !metadata.is_dir() {
            return self.dir.remove_file(path.relative()).map_err(|error| explain(error, what, path));
        }
        if removal.is_recursive() {
            let inside = self.dir.open_dir_nofollow(path.relative()).map_err(|error| explain(error, what, path))?;
            self.clear(&inside, path, what, 1, budget)?;
        }
        self.dir.remove_dir(path.relative()).map_err(|error| explain(error, what, path))
    }

    fn rename(&self, from: &Place, to: &Place) -> Result<()> {
        const WHAT: &str = "rename";
        self.may_write(WHAT, from)?;
        self.dir
            .rename(from.relative(), &self.dir, to.relative())
            .map_err(|error| explain(error, WHAT, from).to(to.shown()))
    }

    fn touch(&self, path: &Place, modified: f64) -> Result<()> {
        self.may_write("utime", path)?;
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs_f64((modified / 1000.0).clamp(0.0, 1e11));
        if self.stat(path, true)?.kind == Kind::Directory {
            let time = Some(SystemTimeSpec::Absolute(SystemTime::from_std(time)));
            return self.dir.set_times(path.relative(), None, time).map_err(|error| explain(error, "utime", path));
        }
        let file = self.open_file(path, Flags { write: true, ..Flags::default() })?;
        file.set_modified(time).map_err(|error| explain(error, "utime", path))
    }

    fn symlink(&self, target: &str, path: &Place) -> Result<()> {
        let error = FsError::new(Code::Permission, "symlink", target).to(path.shown());
        Err(error.because("scripts make no links in folders of the host"))
    }

    fn open(&self, path: &Place, flags: Flags) -> Result<Opened> {
        self.open_file(path, flags).map(Opened::Host)
    }
}

/// At most `length` bytes from `offset`, fewer at the end of the file only.
pub(super) fn read(file: &std::fs::File, path: &Place, offset: u64, length: usize) -> Result<Vec<u8>> {
    let mut out = vec![0; length];
    let mut done = 0;
    while done < length {
        match file.read_at(&mut out[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(explain(error, "read", path)),
        }
    }
    out.truncate(done);
    Ok(out)
}

/// All of an open file, unless there is more than that. Some have more than they say.
pub(super) fn read_all(file: &std::fs::File, path: &Place, most: usize) -> Result<Option<Vec<u8>>> {
    let says = file.metadata().map_err(|error| explain(error, "fstat", path))?.len();
    let Some(says) = usize::try_from(says).ok().filter(|says| *says <= most) else { return Ok(None) };
    let mut out = Vec::with_capacity(says + 1);
    let mut rest = io::Read::take(file, most as u64 + 1);
    io::Read::read_to_end(&mut rest, &mut out).map_err(|error| explain(error, "read", path))?;
    Ok((out.len() <= most).then_some(out))
}

pub(super) fn stat_open(file: &std::fs::File, path: &Place) -> Result<Stat> {
    let metadata = file.metadata().map_err(|error| explain(error, "fstat", path))?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    Ok(Stat {
        kind: Kind::File,
        size: metadata.len(),
        modified: modified.map_or(0.0, |since| since.as_millis() as f64),
    })
}

/// Whether two open files are one, under two names perhaps.
pub(super) fn is_same(one: &std::fs::File, other: &std::fs::File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let number = |file: &std::fs::File| file.metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok();
    number(one).zip(number(other)).is_some_and(|(one, other)| one == other)
}

fn kind_of(kind: FileType) -> Option<Kind> {
    match kind {
        kind if kind.is_file() => Some(Kind::File),
        kind if kind.is_dir() => Some(Kind::Directory),
        kind if kind.is_symlink() => Some(Kind::Link),
        _ => None,
    }
}

fn stat_of(metadata: &Metadata) -> Option<Stat> {
    let modified = metadata.modified().ok().and_then(|time| time.into_std().duration_since(std::time::UNIX_EPOCH).ok());
    let modified = modified.map_or(0.0, |since| since.as_millis() as f64);
    Some(Stat { kind: kind_of(metadata.file_type())?, size: metadata.len(), modified })
}

fn special(what: &'static str, path: &Place) -> FsError {
    FsError::new(Code::Permission, what, path.shown())
        .because("pipes, sockets, devices and the system's own files are not for scripts")
}

/// Opens for reading or writing what was opened as a mere place.
fn reopen(found: &std::fs::File, flags: Flags) -> io::Result<std::fs::File> {
    use std::os::fd::AsRawFd;
    std::fs::OpenOptions::new()
        .read(flags.read || !flags.write)
        .write(flags.write)
        // Each write goes to the end, whoever else writes.
        .append(flags.append)
        .open(format!("/proc/self/fd/{}", found.as_raw_fd()))
}

/// Whether something is on `/proc`, where files are windows into processes.
pub(super) fn is_system(file: &impl std::os::fd::AsFd) -> bool {
    nix::sys::statfs::fstatfs(file).is_ok_and(|stat| stat.filesystem_type() == nix::sys::statfs::PROC_SUPER_MAGIC)
}

fn explain(error: io::Error, what: &'static str, path: &Place) -> FsError {
    let new = |code| FsError::new(code, what, path.shown());
    let Some(number) = error.raw_os_error() else {
        // `cap-std`'s own refusals have no number.
        return match error.kind() {
            io::ErrorKind::PermissionDenied => new(Code::Permission).because("it leads out of what is mounted"),
            _ => new(Code::Input).because(error.to_string()),
        };
    };
    match number {
        libc::ENOENT => new(Code::NotFound),
        libc::EEXIST => new(Code::Exists),
        libc::ENOTDIR => new(Code::NotDirectory),
        libc::EISDIR => new(Code::IsDirectory),
        libc::ENOTEMPTY => new(Code::NotEmpty),
        libc::EINVAL => new(Code::Invalid),
        libc::ELOOP => new(Code::Permission).because("it is a link that may not be followed"),
        libc::ENAMETOOLONG => new(Code::NameTooLong),
        libc::EMFILE | libc::ENFILE => new(Code::TooManyOpen),
        libc::ENOSPC | libc::EDQUOT => new(Code::NoSpace),
        libc::EBUSY => new(Code::Busy),
        libc::EXDEV => new(Code::CrossDevice),
        libc::EACCES | libc::EPERM | libc::EROFS => new(Code::Permission).because("the host itself refuses it"),
        _ => new(Code::Input).because(format!("error {number}")),
    }
}
