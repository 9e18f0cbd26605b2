//! Folders of the host, each below a descriptor that was opened when it was granted. What leads out of one is refused by `cap-std`, whatever
//! anybody renames or links meanwhile.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::host::is_system;
use super::path::VirtualPath;

/// What may be done to a folder of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountMode {
    /// Nothing is changed.
    ReadOnly,
    /// What is written is the host's at once.
    ReadWrite,
    /// What is written stays in the session's own files, over the host's, which are not touched.
    Overlay,
}

/// One folder of the host that a call grants, at a path of the session's files.
///
/// Files that have a second name outside of the folder (hard links) cannot be told from others: what is written to one is written to both.
#[derive(Clone, Debug)]
pub struct Mount {
    at: VirtualPath,
    host: PathBuf,
    pub(super) dir: Arc<Dir>,
    mode: MountMode,
}

/// Why a folder cannot be mounted.
#[derive(Debug, thiserror::Error)]
pub enum MountError {
    /// The path for scripts is not one.
    #[error("{path:?} is no path to mount at: it is absolute and not the root")]
    Path {
        /// What was asked for.
        path: String,
    },
    /// The text of a mount is not one.
    #[error("{text:?} is no mount: write HOST:AT, HOST:AT:ro, HOST:AT:rw or HOST:AT:overlay, as in ./data:/data:ro")]
    Text {
        /// What was written.
        text: String,
    },
    /// The host's folder cannot be opened.
    #[error("{} cannot be mounted: {source}", path.display())]
    Host {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is one of the system's own, which are not what they seem to be.
    #[error("{} cannot be mounted: it is a system's own file system", path.display())]
    System {
        /// The folder.
        path: PathBuf,
    },
    /// One mount would be inside the other.
    #[error("{first} and {second} cannot both be mounted: one is inside the other")]
    Nested {
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
}

impl Mount {
    /// Opens a folder of the host, to be seen at `at`.
    ///
    /// # Errors
    /// If it is not there or is none, or `at` is not an absolute path below the root.
    pub fn open(host: impl AsRef<Path>, at: &str, mode: MountMode) -> Result<Self, MountError> {
        let path = || MountError::Path { path: at.to_owned() };
        let virtual_path = VirtualPath::parse(&VirtualPath::default(), at).map_err(|_| path())?;
        if !at.starts_with('/') || virtual_path.names().is_empty() {
            return Err(path());
        }
        let wrong = |source| MountError::Host { path: host.as_ref().to_owned(), source };
        let canonical = host.as_ref().canonicalize().map_err(wrong)?;
        let dir = Dir::open_ambient_dir(&canonical, ambient_authority()).map_err(wrong)?;
        if is_system(&dir) {
            return Err(MountError::System { path: canonical });
        }
        Ok(Self { at: virtual_path, host: canonical, dir: Arc::new(dir), mode })
    }

    /// Reads `HOST:AT`, `HOST:AT:ro`, `HOST:AT:rw` or `HOST:AT:overlay` and opens the folder; one that is relative is so to `base`. Without a mode it
    /// is read-only.
    ///
    /// # Errors
    /// If it is written otherwise, and as [`Mount::open`].
    pub fn parse(text: &str, base: &Path) -> Result<Self, MountError> {
        let wrong = || MountError::Text { text: text.to_owned() };
        let (rest, mode) = match text.rsplit_once(':').ok_or_else(wrong)? {
            (rest, "ro") => (rest, MountMode::ReadOnly),
            (rest, "rw") => (rest, MountMode::ReadWrite),
            (rest, "overlay") => (rest, MountMode::Overlay),
            _ => (text, MountMode::ReadOnly),
        };
        match rest.rsplit_once(':') {
            Some((host, at)) if !host.is_empty() && at.starts_with('/') => Self::open(base.join(host), at, mode),
            _ => Err(wrong()),
        }
    }

    /// Where scripts see it.
    pub fn at(&self) -> &VirtualPath {
        &self.at
    }

    /// What may be done to it.
    pub fn mode(&self) -> MountMode {
        self.mode
    }
}

/// The folders of the host that a call grants.
#[derive(Clone, Debug, Default)]
pub struct Mounts(Arc<Vec<Mount>>);

impl Mounts {
    /// These folders.
    ///
    /// # Errors
    /// If one is inside another, on either side: what may be done to a file would be two things.
    pub fn new(mounts: Vec<Mount>) -> Result<Self, MountError> {
        for (index, first) in mounts.iter().enumerate() {
            for second in &mounts[index + 1..] {
                if first.at.below(&second.at).is_some() || second.at.below(&first.at).is_some() {
                    return Err(MountError::Nested { first: first.at.to_string(), second: second.at.to_string() });
                }
                let inside = first.host.starts_with(&second.host) || second.host.starts_with(&first.host);
                if inside && (first.mode, second.mode) != (MountMode::ReadOnly, MountMode::ReadOnly) {
                    let (first, second) = (first.host.display().to_string(), second.host.display().to_string());
                    return Err(MountError::Nested { first, second });
                }
            }
        }
        Ok(Self(Arc::new(mounts)))
    }

    /// Reads each as [`Mount::parse`] does: `./data:/data:ro`.
    ///
    /// # Errors
    /// As [`Mount::parse`] and [`Self::new`].
    pub fn parse(texts: &[impl AsRef<str>], base: &Path) -> Result<Self, MountError> {
        let mounts: Result<Vec<Mount>, MountError> =
            texts.iter().map(|text| Mount::parse(text.as_ref(), base)).collect();
        Self::new(mounts?)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.0.iter()
    }

    /// The mount that a path is in, by its text.
    pub(super) fn of(&self, path: &VirtualPath) -> Option<(&Mount, Place)> {
        self.0.iter().find_map(|mount| {
            let names = path.below(&mount.at)?;
            let relative =
                if names.is_empty() { PathBuf::from(".") } else { names.iter().map(|name| &**name).collect() };
            Some((mount, Place { relative, shown: path.clone() }))
        })
    }

    /// Whether a mount is at this path or below it, so that it stays where it is.
    pub(super) fn pins(&self, path: &VirtualPath) -> bool {
        self.0.iter().any(|mount| mount.at.below(path).is_some())
    }
}

/// A path as scripts see it, with what of it is below the folder of the host that it is in.
#[derive(Clone, Debug)]
pub(super) struct Place {
    relative: PathBuf,
    shown: VirtualPath,
}

impl Place {
    /// One that is in no folder of the host.
    pub(super) fn own(shown: VirtualPath) -> Self {
        Self { relative: PathBuf::new(), shown }
    }

    pub(super) fn new(relative: PathBuf, shown: VirtualPath) -> Self {
        Self { relative, shown }
    }

    pub(super) fn is_root(&self) -> bool {
        self.relative == Path::new(".")
    }

    pub(super) fn relative(&self) -> &Path {
        &self.relative
    }

    /// The folder it is in; the mount's own is in itself.
    pub(super) fn parent(&self) -> Self {
        let relative = match self.relative.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Self { relative, shown: self.shown.parent() }
    }

    pub(super) fn shown(&self) -> &VirtualPath {
        &self.shown
    }
}
