//! Where sources come from.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// A place that sources are read from. Paths are absolute; `.` and `..` do not occur in them.
pub trait FileSystem: Send + Sync {
    /// What is at a path. With `follow`, a link stands for what it points to.
    ///
    /// # Errors
    /// If there is nothing, or it cannot be looked at.
    fn stat(&self, path: &Path, follow: bool) -> io::Result<Stat>;
    /// The content of a file.
    ///
    /// # Errors
    /// As [`Self::stat`].
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Where a link points to.
    ///
    /// # Errors
    /// If there is no link.
    fn read_link(&self, path: &Path) -> io::Result<PathBuf>;
    /// The path without links.
    ///
    /// # Errors
    /// As [`Self::stat`].
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf>;
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// File, directory or link.
    pub kind: FileKind,
    /// Bytes.
    pub size: u64,
    /// Changes whenever the content does.
    pub stamp: (u64, u64, u64),
}

/// What can be at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, where links are not followed.
    Link,
    /// A device, a pipe, a socket: nothing to read sources from.
    Other,
}

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl FileSystem for Disk {
    fn stat(&self, path: &Path, follow: bool) -> io::Result<Stat> {
        let metadata = if follow { std::fs::metadata(path)? } else { std::fs::symlink_metadata(path)? };
        let kind = match metadata.file_type() {
            kind if kind.is_file() => FileKind::File,
            kind if kind.is_dir() => FileKind::Directory,
            kind if kind.is_symlink() => FileKind::Link,
            _ => FileKind::Other,
        };
        let nanos = |time: io::Result<std::time::SystemTime>| {
            let since = time.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            since.map_or(0, |since| since.as_nanos() as u64)
        };
        #[cfg(unix)]
        let stamp = {
            use std::os::unix::fs::MetadataExt;
            let changed =
                (metadata.ctime() as u64).wrapping_mul(1_000_000_000).wrapping_add(metadata.ctime_nsec() as u64);
            (nanos(metadata.modified()), changed, metadata.ino())
        };
        #[cfg(not(unix))]
        let stamp = (nanos(metadata.modified()), nanos(metadata.created()), 0);
        Ok(Stat { kind, size: metadata.len(), stamp })
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        std::fs::read_link(path)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        std::fs::canonicalize(path)
    }
}

/// Files that are in memory. Cheap to clone; clones share the files.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles(Arc<RwLock<Files>>);

#[derive(Debug, Default)]
struct Files {
    files: BTreeMap<PathBuf, (Vec<u8>, u64)>,
    writes: u64,
}

impl MemoryFiles {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a file. Its directories are there of themselves.
    pub fn write(&self, path: impl AsRef<Path>, content: impl Into<Vec<u8>>) {
        let mut files = self.0.write().unwrap_or_else(PoisonError::into_inner);
        files.writes += 1;
        let write = files.writes;
        files.files.insert(normalize(path.as_ref()), (content.into(), write));
    }

    /// Removes a file; `false` if there was none.
    pub fn remove(&self, path: impl AsRef<Path>) -> bool {
        self.0.write().unwrap_or_else(PoisonError::into_inner).files.remove(&normalize(path.as_ref())).is_some()
    }
}

impl FileSystem for MemoryFiles {
    fn stat(&self, path: &Path, _: bool) -> io::Result<Stat> {
        let files = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((content, write)) = files.files.get(path) {
            return Ok(Stat { kind: FileKind::File, size: content.len() as u64, stamp: (*write, 0, 0) });
        }
        let below = files.files.range(path.to_owned()..).next().is_some_and(|(file, _)| file.starts_with(path));
        match below {
            true => Ok(Stat { kind: FileKind::Directory, size: 0, stamp: (0, 0, 0) }),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let files = self.0.read().unwrap_or_else(PoisonError::into_inner);
        files.files.get(path).map(|(content, _)| content.clone()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn read_link(&self, _: &Path) -> io::Result<PathBuf> {
        Err(io::ErrorKind::InvalidInput.into())
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        self.stat(path, true).map(|_| path.to_owned())
    }
}

/// Takes `.` and `..` out of a path.
pub(crate) fn normalize(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                result.pop();
            }
            other => result.push(other),
        }
    }
    result
}
