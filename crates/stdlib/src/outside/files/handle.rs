//! Open files, in memory or on the host.

use std::fs::File;
use std::sync::Arc;

use super::FilesView;
use super::data::CHUNK;
use super::error::{Code, FsError};
use super::host::{self, Host};
use super::mount::{MountMode, Mounts, Place};
use super::path::VirtualPath;
use super::slots::Slot;
use super::tree::{self, Flags, Kind};
use super::volume::{Opened, Stat};

/// What is read at a time.
const MEMORY_PART: u64 = 256 * CHUNK as u64;
const HOST_PART: u64 = 256 << 10;

type Result<T> = std::result::Result<T, FsError>;

/// An open file.
pub(super) struct Handle {
    path: VirtualPath,
    flags: Flags,
    file: Inner,
}

enum Inner {
    /// As long as it is the same file at the same path.
    Memory {
        id: u64,
        restored: u64,
    },
    Host {
        file: File,
        host: Host,
        place: Place,
        _slot: Slot,
    },
}

impl Handle {
    /// What was opened in memory, or with the rest on the host.
    pub(super) fn new(
        view: &FilesView,
        opened: Opened,
        place: &Place,
        flags: Flags,
        on_host: Option<(Host, Slot)>,
    ) -> Self {
        match (opened, on_host) {
            (Opened::Host(file), Some((host, slot))) => {
                let file = Inner::Host { file, host, place: place.clone(), _slot: slot };
                Self { path: place.shown().clone(), flags, file }
            }
            (Opened::Memory(path, id), _) => {
                Self { path, flags, file: Inner::Memory { id, restored: view.restored() } }
            }
            (Opened::Host(_), None) => unreachable!("what is opened in memory is in memory"),
        }
    }

    pub(super) fn is_on_host(&self) -> bool {
        matches!(self.file, Inner::Host { .. })
    }

    /// Whether two are one file, under two names perhaps.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (&self.file, &other.file) {
            (Inner::Memory { id, .. }, Inner::Memory { id: other, .. }) => id == other,
            (Inner::Host { file, .. }, Inner::Host { file: other, .. }) => host::is_same(file, other),
            _ => false,
        }
    }

    fn bad(&self, what: &'static str, why: &str) -> FsError {
        FsError::new(Code::BadHandle, what, &self.path).because(why)
    }

    fn check_reads(&self) -> Result<()> {
        if self.flags.read { Ok(()) } else { Err(self.bad("read", "it is not open for reading")) }
    }

    fn check_writes(&self, what: &'static str) -> Result<()> {
        if self.flags.write { Ok(()) } else { Err(self.bad(what, "it is not open for writing")) }
    }

    /// What was opened in a mount is of no use in a call that does not bring it; what was undone since it was opened, in none.
    pub(super) fn check(&self, view: &FilesView, mounts: Option<&Mounts>, what: &'static str) -> Result<()> {
        match &self.file {
            Inner::Memory { restored, .. } if *restored == view.restored() => Ok(()),
            Inner::Memory { .. } => Err(self.bad(what, "what was done since it was opened was undone")),
            Inner::Host { host, .. } => {
                let has = |mounts: &Mounts| {
                    mounts.iter().any(|mount| {
                        let may = !self.flags.write || mount.mode() == MountMode::ReadWrite;
                        Arc::ptr_eq(&mount.dir, &host.dir) && may
                    })
                };
                if mounts.is_some_and(has) {
                    return Ok(());
                }
                let error = FsError::new(Code::Permission, what, &self.path);
                Err(error.because("this call does not bring the mount that it was opened in"))
            }
        }
    }

    /// Some of it, nothing only at its end.
    pub(super) fn read(&self, view: &FilesView, offset: u64, length: u64) -> Result<Vec<u8>> {
        self.check_reads()?;
        match &self.file {
            Inner::Memory { id, .. } => {
                let file = self.in_tree(view, *id, "read")?;
                Ok(file.data.read(offset, length.min(MEMORY_PART) as usize))
            }
            Inner::Host { file, place, .. } => host::read(file, place, offset, length.min(HOST_PART) as usize),
        }
    }

    /// At a place, or at its end.
    pub(super) fn write(&self, view: &FilesView, offset: Option<u64>, bytes: &[u8]) -> Result<()> {
        self.check_writes("write")?;
        let offset = if self.flags.append { None } else { offset };
        match &self.file {
            Inner::Memory { id, .. } => {
                view.change("write", |tree, room| tree.write(room, &self.path, *id, offset, bytes))
            }
            Inner::Host { file, host, place, .. } => host.write(file, place, offset, bytes),
        }
    }

    pub(super) fn truncate(&self, view: &FilesView, length: u64) -> Result<()> {
        self.check_writes("ftruncate")?;
        match &self.file {
            Inner::Memory { id, .. } => {
                view.change("ftruncate", |tree, room| tree.truncate(room, &self.path, *id, length))
            }
            Inner::Host { file, host, place, .. } => host.truncate(file, place, length),
        }
    }

    pub(super) fn stat(&self, view: &FilesView) -> Result<Stat> {
        match &self.file {
            Inner::Memory { id, .. } => {
                let file = self.in_tree(view, *id, "fstat")?;
                Ok(Stat { kind: Kind::File, size: file.data.length(), modified: file.modified })
            }
            Inner::Host { file, place, .. } => host::stat_open(file, place),
        }
    }

    fn in_tree(&self, view: &FilesView, id: u64, what: &'static str) -> Result<Arc<tree::File>> {
        view.look(|tree| tree.opened(&self.path, id, what))
    }
}
