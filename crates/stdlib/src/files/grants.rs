//! Files of the host that one reader may read: a plugin, whatever script calls it.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::error::{Code, FsError};
use super::host::Host;
use super::mount::{HostPath, MountMode};
use super::path::VirtualPath;
use super::tree::Flags;

/// The most that one file may have.
const MAX_FILE: u64 = 32 << 20;

/// Files and folders of the host that may be read, each held by a descriptor from when it was granted. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ReadGrants(Arc<Vec<Grant>>);

#[derive(Debug)]
struct Grant {
    /// As it was written, without `.`.
    path: PathBuf,
    /// A folder, or the one that a file is in.
    dir: Result<Arc<Dir>, io::ErrorKind>,
    /// Of a file.
    file: Option<PathBuf>,
}

fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return None,
            part => plain.push(part),
        }
    }
    Some(plain)
}

impl ReadGrants {
    /// Opens what is granted; paths that are relative are so to `base`. What is not there is not there for the reader either, whoever makes
    /// it later.
    pub fn open(paths: &[String], base: &Path) -> Self {
        let grants = paths.iter().filter_map(|path| {
            let path = plain(Path::new(path))?;
            let real = base.join(&path).canonicalize();
            let is_file = real.as_ref().is_ok_and(|real| real.is_file());
            let file = real.as_ref().ok().filter(|_| is_file).and_then(|real| real.file_name()).map(PathBuf::from);
            let dir = real.and_then(|real| {
                let folder = if is_file { real.parent().unwrap_or(&real) } else { &real };
                Dir::open_ambient_dir(folder, ambient_authority())
            });
            Some(Grant { path, dir: dir.map(Arc::new).map_err(|error| error.kind()), file })
        });
        Self(Arc::new(grants.collect()))
    }

    /// The folder that a path is read below, and the path in it.
    fn find(&self, text: &str, what: &'static str) -> Result<(Host, HostPath), FsError> {
        let refused = || {
            FsError::new(Code::Permission, what, text).because("nobody granted it; `read` in the plugin's allow and in the operator's [allow] would")
        };
        let path = plain(Path::new(text)).ok_or_else(refused)?;
        let grant = self.0.iter().find(|grant| path.starts_with(&grant.path)).ok_or_else(refused)?;
        let dir = match &grant.dir {
            Ok(dir) => dir.clone(),
            Err(io::ErrorKind::NotFound) => return Err(FsError::new(Code::NotFound, what, text)),
            Err(kind) => return Err(FsError::new(Code::Input, what, text).because(kind.to_string())),
        };
        let below = path.strip_prefix(&grant.path).unwrap_or(Path::new(""));
        let relative = match &grant.file {
            Some(file) if below == Path::new("") => file.clone(),
            Some(_) => return Err(FsError::new(Code::NotDirectory, what, text)),
            None if below == Path::new("") => PathBuf::from("."),
            None => below.to_owned(),
        };
        // Errors show what was asked for.
        let shown = VirtualPath::parse(&VirtualPath::default(), text)?;
        let host = Host { dir, mode: MountMode::ReadOnly, at: VirtualPath::default(), file_bytes: MAX_FILE };
        Ok((host, HostPath::new(relative, shown)))
    }

    /// The content of a file. Blocks.
    ///
    /// # Errors
    /// If it is not granted, not there, no regular file, or has more than 32 MiB.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, FsError> {
        let (host, place) = self.find(path, "open")?;
        let file = host.open(&place, Flags { read: true, ..Flags::default() })?;
        // One more than there may be, so that a file that grows is found out, and so is one without end.
        let bytes = super::host::read(&file, &place, 0, MAX_FILE as usize + 1)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(FsError::new(Code::TooLarge, "read", path).because(format!("it has more than {MAX_FILE} bytes")));
        }
        Ok(bytes)
    }

    /// The names in a folder, sorted. Blocks.
    ///
    /// # Errors
    /// If it is not granted, not there or no folder.
    pub fn list(&self, path: &str) -> Result<Vec<String>, FsError> {
        let (host, place) = self.find(path, "scandir")?;
        Ok(host.list(&place)?.into_iter().map(|(name, _)| name).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_read_and_nothing_beside_it() {
        let base = tempfile::tempdir().expect("a folder");
        let at = |path: &str| base.path().join(path);
        std::fs::create_dir_all(at("data/in")).expect("it is made");
        for (path, text) in [("data/in/a", "A"), ("data/b", "B"), ("one.txt", "1"), ("two.txt", "2")] {
            std::fs::write(at(path), text).expect("it is written");
        }
        std::os::unix::fs::symlink("../two.txt", at("data/out")).expect("it is linked");
        std::os::unix::fs::symlink("in/a", at("data/inner")).expect("it is linked");
        let grants = ReadGrants::open(&["data".to_owned(), "./one.txt".to_owned(), "gone".to_owned()], base.path());
        let code = |path: &str| grants.read(path).map_err(|error| error.code.as_str());
        assert_eq!(code("data/in/a"), Ok(b"A".to_vec()));
        assert_eq!(code("./data//b"), Ok(b"B".to_vec()));
        assert_eq!(code("data/inner"), Ok(b"A".to_vec()));
        assert_eq!(code("one.txt"), Ok(b"1".to_vec()));
        assert_eq!(grants.list("data").expect("a folder"), ["b", "in", "inner", "out"]);
        for (path, expected) in [
            ("two.txt", "EACCES"),
            ("data/../two.txt", "EACCES"),
            ("data/out", "EACCES"),
            ("/etc/passwd", "EACCES"),
            ("database", "EACCES"),
            ("one.txt/x", "ENOTDIR"),
            ("data/none", "ENOENT"),
            ("data/in", "EISDIR"),
            ("gone", "ENOENT"),
            ("gone/x", "ENOENT"),
        ] {
            assert_eq!(code(path), Err(expected), "{path}");
        }
    }
}
