//! Which configuration files may grant something: those that are named on the command line, and those that their reader has agreed to once.
//!
//! A `perennial.toml` comes with a folder that somebody else may have written. What was agreed to is remembered by the file's place and content, in the user's
//! state folder; a changed file is agreed to anew.

use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Where what was agreed to is remembered: `$XDG_STATE_HOME`, or `.local/state` at home.
fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("perennial/trusted"))
}

/// The mark of a file: nobody makes another file of it. Its place is that of its folder, to which what it says is relative; a link to a file that is trusted elsewhere is another one.
fn mark(path: &Path, text: &str) -> Option<PathBuf> {
    let path = path.parent()?.canonicalize().ok()?.join(path.file_name()?);
    let mut hash = Sha256::new();
    hash.update(path.as_os_str().as_bytes());
    hash.update([0]);
    hash.update(text.as_bytes());
    let name: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Some(folder()?.join(name))
}

/// Whether somebody has agreed to what a file says.
pub(crate) fn is_trusted(path: &Path, text: &str) -> bool {
    mark(path, text).is_some_and(|mark| mark.is_file())
}

/// Agrees to what a file says, until it says something else.
pub(crate) fn trust(path: &Path, text: &str) -> Result<(), String> {
    let mark = mark(path, text).ok_or("there is no folder to remember it in: HOME is not set")?;
    let wrong = |error: std::io::Error| format!("{}: {error}", mark.display());
    let folder = mark.parent().unwrap_or(Path::new("/"));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(wrong)?;
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&mark);
    // For whoever wants to know what it is; the name is what counts.
    file.and_then(|mut file| writeln!(file, "{}", path.display())).map_err(wrong)
}

/// Takes it back. `false` if nobody had agreed.
pub(crate) fn revoke(path: &Path, text: &str) -> Result<bool, String> {
    let Some(mark) = mark(path, text) else { return Ok(false) };
    match std::fs::remove_file(&mark) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(format!("{}: {error}", mark.display())),
    }
}
