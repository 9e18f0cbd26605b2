//! The mark that every command carries, by which what a dead program has left is found.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

use super::remove::remove;
use super::tree::start_of;

/// The variable that has the mark.
pub(crate) const VARIABLE: &str = "PERENNIAL_MARK";
/// How folders and cgroups begin that are named by a mark.
const PREFIX: &str = "perennial-";

/// One instance of a program: no other has its number, its start and this start of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    boot: String,
    /// Numbers of processes mean something in their namespace only.
    namespace: String,
    pid: Pid,
    start: u64,
}

impl Mark {
    /// That of this process, which is asked for with every command. One that was forked from it has another.
    pub(crate) fn own() -> io::Result<Self> {
        static OWN: OnceLock<Mark> = OnceLock::new();
        match OWN.get() {
            Some(own) if own.pid == getpid() => Ok(own.clone()),
            _ => Self::of(getpid()).inspect(|own| _ = OWN.set(own.clone())),
        }
    }

    /// That of a process.
    pub(crate) fn of(pid: Pid) -> io::Result<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let namespace =
            fs::read_link("/proc/self/ns/pid")?.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
        let start = start_of(pid).ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { boot: boot.trim().chars().filter(|c| *c != '-').collect(), namespace, pid, start })
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (boot, namespace) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let pid = Pid::from_raw(parts.next()?.parse().ok()?)?;
        let start = parts.next()?.parse().ok()?;
        Some(Self { boot, namespace, pid, start })
    }

    /// Whether it is the mark of a program that has run here and does no more. Of others this cannot know.
    fn is_left_by(&self, own: &Self) -> bool {
        self.boot == own.boot && self.namespace == own.namespace && start_of(self.pid) != Some(self.start)
    }

    /// The name of what belongs to it.
    pub(crate) fn name(&self) -> String {
        format!("{PREFIX}{self}")
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}.{}", self.boot, self.namespace, self.pid.as_raw_nonzero(), self.start)
    }
}

/// Kills what dead programs have left running, or an earlier supervisor of this one.
pub(crate) fn sweep_processes(own: &Mark) {
    let uid = rustix::process::getuid().as_raw();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| Pid::from_raw(name.parse().ok()?));
        let Some(pid) = pid.filter(|pid| *pid != getpid()) else { continue };
        let is_left = || mark_of(pid).is_some_and(|mark| mark == *own || mark.is_left_by(own));
        if entry.metadata().is_ok_and(|data| data.uid() == uid)
            && is_left()
            && let Ok(process) = pidfd_open(pid, PidfdFlags::empty())
            // Again, now that the number cannot become another's.
            && is_left()
        {
            let _: rustix::io::Result<()> = pidfd_send_signal(&process, Signal::KILL);
        }
    }
}

/// Removes the folders and cgroups of dead programs. There may be a lot in them.
pub(crate) fn sweep_folders(own: &Mark, scratch: &Path, cgroups: Option<&Path>) {
    let uid = rustix::process::getuid().as_raw();
    for folder in left_in(scratch, own).filter(|path| fs::symlink_metadata(path).is_ok_and(|data| data.uid() == uid)) {
        let _: io::Result<()> = remove(&folder);
    }
    for folder in cgroups.into_iter().flat_map(|cgroups| left_in(cgroups, own)) {
        remove_cgroups(&folder);
    }
}

/// The mark that a process was started with.
pub(crate) fn mark_of(pid: Pid) -> Option<Mark> {
    let variables = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).ok()?;
    let mut variables = variables.split(|byte| *byte == 0).filter_map(|variable| std::str::from_utf8(variable).ok());
    let mark = variables.find_map(|variable| variable.strip_prefix(VARIABLE)?.strip_prefix('='))?;
    Mark::parse(mark)
}

fn left_in(folder: &Path, own: &Mark) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name();
            let mark = name.to_str().and_then(|name| Mark::parse(name.strip_prefix(PREFIX)?));
            mark.is_some_and(|mark| mark.is_left_by(own)) && entry.file_type().is_ok_and(|kind| kind.is_dir())
        })
        .map(|entry| entry.path())
        .collect::<Vec<_>>()
        .into_iter()
}

/// A cgroup is removed as a folder is, its files being none.
pub(crate) fn remove_cgroups(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _: io::Result<()> = fs::remove_dir(entry.path());
        }
    }
    let _: io::Result<()> = fs::remove_dir(folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_is_written_and_only_dead_programs_of_this_system_have_left_anything() {
        let own = Mark::of(getpid()).expect("this process runs");
        assert_eq!(Mark::parse(&own.to_string()), Some(own.clone()));
        assert!(!own.is_left_by(&own), "it lives");
        let dead = Mark { start: own.start + 1, ..own.clone() };
        assert!(dead.is_left_by(&own), "its number is another's by now");
        assert!(!Mark { boot: "b".to_owned(), ..dead.clone() }.is_left_by(&own), "on another machine it may live");
        assert!(!Mark { namespace: "1".to_owned(), ..dead }.is_left_by(&own), "in another namespace it may live");
        for text in ["", "a.b", "a.b.0.1", "a.b.x.1", "a.b.1.x"] {
            assert_eq!(Mark::parse(text), None, "{text}");
        }
    }
}
