//! Cgroups, where this process may make some: the only thing that holds a fork bomb. One a keeper, for the number of processes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The cgroup that a keeper's commands are counted in, the keeper among them.
#[derive(Debug)]
pub(crate) struct Cgroup {
    folder: PathBuf,
    allowed: Option<u64>,
}

impl Cgroup {
    /// One below `base`, if the system counts processes there.
    pub(crate) fn below(base: &Path, name: &str) -> Option<Self> {
        let folder = base.join(name);
        fs::create_dir(&folder).ok()?;
        if fs::exists(folder.join("pids.max")).is_ok_and(|is_there| is_there) {
            return Some(Self { folder, allowed: None });
        }
        let _: io::Result<()> = fs::remove_dir(&folder);
        None
    }

    /// Moves this process, of one thread, into it; what it starts is born there.
    pub(crate) fn join(&self) -> io::Result<()> {
        // The first version has a file for threads. Moving a process takes a lock that all forks of the system share, and ten milliseconds; moving the thread
        // that asks takes none.
        let tasks = self.folder.join("tasks");
        let file = if fs::exists(&tasks)? { tasks } else { self.folder.join("cgroup.procs") };
        fs::write(file, "0")
    }

    /// How many there may be.
    pub(crate) fn allow(&mut self, most: Option<u64>) -> io::Result<()> {
        if most != self.allowed {
            let text = most.map_or_else(|| "max".to_owned(), |most| most.to_string());
            fs::write(self.folder.join("pids.max"), text)?;
            self.allowed = most;
        }
        Ok(())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Where cgroups that count processes may be made by this process: below the one it is in.
pub(crate) fn own() -> Option<PathBuf> {
    let [memberships, mounts] = ["/proc/self/cgroup", "/proc/self/mountinfo"].map(fs::read_to_string);
    let (memberships, mounts) = (memberships.ok()?, mounts.ok()?);
    [true, false].into_iter().find_map(|is_first| folder_in(&memberships, &mounts, is_first))
}

/// By the texts of the system (cgroups(7), proc(5)); `is_first` for the first version, which has a tree for each controller.
fn folder_in(memberships: &str, mounts: &str, is_first: bool) -> Option<PathBuf> {
    let path = memberships.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (controllers, path) = (parts.nth(1)?, parts.next()?);
        let is_it = if is_first { controllers.split(',').any(|one| one == "pids") } else { controllers.is_empty() };
        is_it.then_some(path)
    })?;
    mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let (name, options) = (kind.next()?, kind.nth(1)?);
        let is_it =
            if is_first { name == "cgroup" && options.split(',').any(|one| one == "pids") } else { name == "cgroup2" };
        let mut place = place.split(' ');
        let (root, at) = (place.nth(3)?, place.next()?);
        let below = Path::new(path).strip_prefix(root).ok()?;
        is_it.then(|| Path::new(at).join(below))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "30 25 0:26 / /sys/fs/cgroup rw - tmpfs none rw\n\
        31 30 0:27 / /sys/fs/cgroup/pids rw,relatime shared:5 - cgroup cgroup rw,pids\n\
        32 30 0:28 /docker/1 /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_folder_is_found_for_both_versions_and_below_the_root_of_a_mount() {
        let memberships = "8:pids:/user/a\n3:cpu,cpuacct:/\n0::/docker/1/x\n";
        assert_eq!(folder_in(memberships, MOUNTS, true), Some("/sys/fs/cgroup/pids/user/a".into()));
        assert_eq!(folder_in(memberships, MOUNTS, false), Some("/sys/fs/cgroup/unified/x".into()));
        assert_eq!(folder_in("0::/elsewhere\n", MOUNTS, false), None);
        assert_eq!(folder_in("3:cpu:/\n", MOUNTS, true), None);
    }
}
