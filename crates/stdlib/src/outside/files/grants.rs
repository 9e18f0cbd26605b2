//! Files of the host that one reader may read: a plugin, whatever script calls it.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::error::{Code, FsError};
use super::host::Host;
use super::mount::{MountMode, Place};
use super::path::VirtualPath;
use super::tree::Flags;
use super::volume::Volume;

/// The most that one file may have.
const MAX_FILE: u64 = 32 << 20;

/// Files and folders of the host that may be read, each held by a descriptor from when it was granted. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ReadGrants(Arc<Vec<Grant>>);

#[derive(Debug)]
struct Grant {
    /// As it was written, without `.`.
    path: PathBuf,
    /// What is read below: what the operator named, or the folder of a file that was named.
    dir: Result<Arc<Dir>, io::ErrorKind>,
    /// Where in it what is granted is.
    inside: PathBuf,
}

/// A path without `.`; none of one with `..`.
pub(crate) fn plain(path: &Path) -> Option<PathBuf> {
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

/// What of a path is below another; one that is relative is not below one that is absolute, nor the other way round.
fn below<'p>(path: &'p Path, folder: &Path) -> Option<&'p Path> {
    (path.is_absolute() == folder.is_absolute()).then(|| path.strip_prefix(folder).ok())?
}

impl ReadGrants {
    /// Opens what is granted, each of `paths` below one of `ceiling`, which the operator names and vouches for: a link in it that leads out of it
    /// is not followed. Paths that are relative are so to `base`. What is not there when this is called is not there for the reader either,
    /// whoever makes it later.
    pub fn open(paths: &[String], ceiling: &[String], base: &Path) -> Self {
        let ceiling: Vec<PathBuf> = ceiling.iter().filter_map(|path| plain(Path::new(path))).collect();
        let grants = paths.iter().filter_map(|path| {
            let path = plain(Path::new(path))?;
            let most = ceiling.iter().filter(|most| below(&path, most).is_some());
            let most = most.max_by_key(|most| most.components().count())?;
            let real = base.join(most).canonicalize();
            let file = real.as_ref().ok().filter(|real| real.is_file()).and_then(|real| real.file_name());
            let inside = match file {
                Some(file) => PathBuf::from(file),
                None => below(&path, most)?.to_owned(),
            };
            let is_file = file.is_some();
            let dir = real.as_ref().map_err(io::Error::kind).and_then(|real| {
                let folder = if is_file { real.parent().unwrap_or(real) } else { real };
                Dir::open_ambient_dir(folder, ambient_authority()).map_err(|error| error.kind())
            });
            Some(Grant { path, dir: dir.map(Arc::new), inside })
        });
        Self(Arc::new(grants.collect()))
    }

    /// The folder that a path is read below, and the path in it.
    fn find(&self, text: &str, what: &'static str) -> Result<(Host, Place), FsError> {
        let refused = || {
            FsError::new(Code::Permission, what, text)
                .because("nobody granted it; `read` in the plugin's allow and in the operator's [allow] would")
        };
        let path = plain(Path::new(text)).ok_or_else(refused)?;
        let granted = self.0.iter().filter(|grant| below(&path, &grant.path).is_some());
        let grant = granted.max_by_key(|grant| grant.path.components().count()).ok_or_else(refused)?;
        let dir = match &grant.dir {
            Ok(dir) => dir.clone(),
            Err(io::ErrorKind::NotFound) => return Err(FsError::new(Code::NotFound, what, text)),
            Err(kind) => return Err(FsError::new(Code::Input, what, text).because(kind.to_string())),
        };
        let parts = grant.inside.components().chain(below(&path, &grant.path).into_iter().flat_map(Path::components));
        let inside: PathBuf = parts.collect();
        let inside = if inside == Path::new("") { PathBuf::from(".") } else { inside };
        // Errors show what was asked for.
        let shown = VirtualPath::parse(&VirtualPath::default(), text)?;
        let host = Host { dir, mode: MountMode::ReadOnly, at: VirtualPath::default(), file_bytes: MAX_FILE };
        Ok((host, Place::new(inside, shown)))
    }

    /// The content of a file. Blocks.
    ///
    /// # Errors
    /// If it is not granted, not there, no regular file, or has more than 32 MiB.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, FsError> {
        let (host, place) = self.find(path, "open")?;
        let file = host.open_file(&place, Flags { read: true, ..Flags::default() })?;
        // One more than there may be, so that a file that grows is found out, and so is one without end.
        let bytes = super::host::read(&file, &place, 0, MAX_FILE as usize + 1)?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(
                FsError::new(Code::TooLarge, "read", path).because(format!("it has more than {MAX_FILE} bytes"))
            );
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
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let asked = texts(&["data", "./one.txt", "gone"]);
        let grants = ReadGrants::open(&asked, &asked, base.path());
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
        // A link in what the operator names does not lead out of it because a plugin names the link.
        let grants = ReadGrants::open(&texts(&["data/out", "data/in"]), &texts(&["./data"]), base.path());
        assert_eq!(grants.read("data/in/a").map_err(|error| error.code), Ok(b"A".to_vec()));
        assert_eq!(grants.read("data/out").map_err(|error| error.code), Err(Code::Permission));
        assert_eq!(grants.read("data/b").map_err(|error| error.code), Err(Code::Permission));
        // The most that is granted counts, in whatever order; nothing that is absolute is below what is not.
        let grants = ReadGrants::open(&texts(&[".", "data/in"]), &texts(&["."]), base.path());
        assert_eq!(grants.read("data/in/a").map_err(|error| error.code), Ok(b"A".to_vec()));
        assert_eq!(grants.read("/etc/hostname").map_err(|error| error.code), Err(Code::Permission));
    }
}
