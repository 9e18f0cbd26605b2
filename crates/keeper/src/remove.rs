//! Removing a folder that a command has had to itself: however deep it is, whatever is mounted in it, whoever may read it.

use std::fs::{self, DirEntry, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use rustix::mount::{UnmountFlags, unmount};

/// Removes a folder and all that is in it, without following links. Nobody may be at work in it.
///
/// It goes no deeper than two levels: what is further down is moved up. So it takes the same stack and descriptors for every depth.
///
/// # Errors
/// If something cannot be removed; other things may be gone then.
pub fn remove(folder: &Path) -> io::Result<()> {
    let mount = match mount_of(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        mount => mount?,
    };
    open_up(folder);
    let mut moved = 0_u64;
    loop {
        let mut is_empty = true;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            is_empty = false;
            if !is_folder(&entry)? {
                fs::remove_file(entry.path())?;
                continue;
            }
            detach(&entry.path(), mount)?;
            open_up(&entry.path());
            for inner in fs::read_dir(entry.path())? {
                let inner = inner?;
                if !is_folder(&inner)? {
                    fs::remove_file(inner.path())?;
                    continue;
                }
                detach(&inner.path(), mount)?;
                // A folder that is moved has to be one that may be written.
                open_up(&inner.path());
                move_up(&inner.path(), folder, &mut moved)?;
            }
            fs::remove_dir(entry.path())?;
        }
        if is_empty {
            return fs::remove_dir(folder);
        }
    }
}

fn is_folder(entry: &DirEntry) -> io::Result<bool> {
    Ok(entry.file_type()?.is_dir())
}

fn open_up(folder: &Path) {
    // Whoever owns it may; otherwise what comes next says why not.
    let _: io::Result<()> = fs::set_permissions(folder, Permissions::from_mode(0o700));
}

/// Moves a folder to a name that nothing has.
fn move_up(from: &Path, folder: &Path, moved: &mut u64) -> io::Result<()> {
    loop {
        *moved += 1;
        let to = folder.join(format!(".{moved}"));
        match to.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return fs::rename(from, to),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
}

fn mount_of(path: &Path) -> io::Result<u64> {
    let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
    Ok(statx(CWD, path, flags, StatxFlags::MNT_ID)?.stx_mnt_id)
}

/// What is mounted here was nobody's to delete: it is unmounted, once for each time that it was mounted over.
fn detach(folder: &Path, mount: u64) -> io::Result<()> {
    for _ in 0..100 {
        if mount_of(folder)? == mount {
            return Ok(());
        }
        unmount(folder, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)?;
    }
    Err(io::Error::other(format!("something is mounted at {}", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_however_deep_it_is_and_links_are_not_followed() {
        let all = tempfile::tempdir().expect("a folder");
        let (folder, kept) = (all.path().join("home"), all.path().join("kept"));
        fs::create_dir_all(&kept).expect("it is made");
        fs::write(kept.join("file"), "x").expect("it is written");
        fs::create_dir_all(folder.join("a/b/c/d")).expect("it is made");
        // Deeper than a stack, or descriptors, would be.
        let mut deep = folder.join("deep");
        fs::create_dir(&deep).expect("it is made");
        for level in 0..2000 {
            // A path has an end; so what there is moves below the next level.
            let next = folder.join(format!("l{level}"));
            fs::create_dir(&next).expect("it is made");
            fs::rename(&deep, next.join("x")).expect("it is moved");
            deep = next;
        }
        for (at, name) in [(&folder, ".1"), (&folder, ".2"), (&folder.join("a"), ".3")] {
            fs::write(at.join(name), "").expect("it is written");
        }
        std::os::unix::fs::symlink(&kept, folder.join("a/link")).expect("it is linked");
        std::os::unix::fs::symlink(&kept, folder.join("link")).expect("it is linked");
        fs::set_permissions(folder.join("a/b"), Permissions::from_mode(0o000)).expect("it is closed");
        remove(&folder).expect("it is removed");
        assert!(!folder.exists() && kept.join("file").exists());
        remove(&folder).expect("what is not there needs no removing");
    }
}
