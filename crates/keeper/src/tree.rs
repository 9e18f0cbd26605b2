//! What is below a process: who it is, what it takes, and its end.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::LazyLock;

use rustix::process::pidfd_send_signal;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, kill_process, pidfd_open, waitid};

use super::wire::Measured;

/// Whether the system lists the children of a process. Otherwise all processes are asked for their parents.
static IS_LISTED: LazyLock<bool> = LazyLock::new(|| fs::exists("/proc/thread-self/children").unwrap_or(false));

fn numbers_in(folder: &str) -> impl Iterator<Item = Pid> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

/// The children of a process, those of all its threads.
fn children_of(pid: Pid) -> Vec<Pid> {
    let folder = format!("/proc/{}/task", pid.as_raw_nonzero());
    let listed = numbers_in(&folder).flat_map(|thread| {
        let listed = fs::read_to_string(format!("{folder}/{}/children", thread.as_raw_nonzero())).unwrap_or_default();
        listed.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect::<Vec<_>>()
    });
    listed.collect()
}

/// The children of this process. Nobody else reaps them, so that their numbers stay theirs until it does.
pub(crate) fn children() -> Vec<Pid> {
    if *IS_LISTED { children_of(getpid()) } else { everybody().remove(&getpid()).unwrap_or_default() }
}

/// Who is whose child.
fn everybody() -> HashMap<Pid, Vec<Pid>> {
    let mut all: HashMap<Pid, Vec<Pid>> = HashMap::new();
    for pid in numbers_in("/proc") {
        if let Some(parent) = Stat::of(pid).and_then(|stat| stat.parent()) {
            all.entry(parent).or_default().push(pid);
        }
    }
    all
}

/// All below this process.
pub(crate) fn descendants() -> Vec<Pid> {
    let mut found = Vec::new();
    walk(vec![getpid()], |pid| {
        found.push(pid);
        true
    });
    found
}

/// Tells of everybody below processes, parents before their children, as long as that is wanted.
fn walk(mut open: Vec<Pid>, mut wants_more: impl FnMut(Pid) -> bool) {
    let known = if *IS_LISTED { HashMap::new() } else { everybody() };
    let mut seen = HashSet::new();
    while let Some(pid) = open.pop() {
        let children = if *IS_LISTED { children_of(pid) } else { known.get(&pid).cloned().unwrap_or_default() };
        for child in children.into_iter().filter(|child| seen.insert(*child)) {
            if !wants_more(child) {
                return;
            }
            open.push(child);
        }
    }
}

/// How many processes below this one have not ended, if they are at most so many. It looks at no more than it has to: whoever starts more than it may
/// also takes the time to look.
pub(crate) fn count(most: u64) -> Option<u64> {
    let mut alive = 0;
    walk(vec![getpid()], |pid| {
        alive += u64::from(Stat::of(pid).is_some_and(|stat| stat.is_alive()));
        alive <= most
    });
    (alive <= most).then_some(alive)
}

/// The fields of `/proc/PID/stat` behind the name, which may have anything in it (proc(5)).
struct Stat(Vec<String>);

impl Stat {
    fn of(pid: Pid) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
        let (_, fields) = text.rsplit_once(')')?;
        Some(Self(fields.split_whitespace().map(str::to_owned).collect()))
    }

    fn number(&self, index: usize) -> u64 {
        self.0.get(index).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    fn is_alive(&self) -> bool {
        self.0.first().is_some_and(|state| !matches!(state.as_str(), "Z" | "X" | "x"))
    }

    fn is_stopped(&self) -> bool {
        self.0.first().is_some_and(|state| matches!(state.as_str(), "T" | "t"))
    }

    fn parent(&self) -> Option<Pid> {
        Pid::from_raw(self.0.get(1)?.parse().ok()?)
    }

    /// Of itself, and of the children that it has reaped.
    fn ticks(&self) -> [u64; 2] {
        [self.number(11) + self.number(12), self.number(13) + self.number(14)]
    }
}

/// Whether somebody has stopped a process.
pub(crate) fn is_stopped(pid: Pid) -> bool {
    Stat::of(pid).is_some_and(|stat| stat.is_stopped())
}

/// When a process was started, in ticks since the system was.
pub(crate) fn start_of(pid: Pid) -> Option<u64> {
    Stat::of(pid).map(|stat| stat.number(19))
}

fn milliseconds(ticks: u64) -> u64 {
    ticks * 1000 / rustix::param::clock_ticks_per_second().max(1)
}

/// The CPU time of all children that this process has reaped.
pub(crate) fn reaped_ms() -> u64 {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN);
    usage.map_or(0, |usage| {
        let both = [usage.user_time(), usage.system_time()];
        both.iter().map(|time| time.tv_sec().unsigned_abs() * 1000 + time.tv_usec().unsigned_abs() / 1000).sum()
    })
}

/// How many tasks a user has, of all that is seen here.
pub(crate) fn tasks_of(user: rustix::process::Uid) -> u64 {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let own = entries.filter(|entry| entry.metadata().is_ok_and(|data| data.uid() == user.as_raw()));
    let pids = own.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    pids.filter_map(Stat::of).map(|stat| stat.number(17).max(1)).sum()
}

/// What everything below this process takes now.
pub(crate) fn measured() -> Measured {
    let all: Vec<Stat> = descendants().into_iter().filter_map(Stat::of).collect();
    Measured {
        cpu_ms: all.iter().map(|stat| milliseconds(stat.ticks().iter().sum())).sum(),
        rss_bytes: all.iter().map(|stat| stat.number(21) * rustix::param::page_size() as u64).sum(),
        processes: all.iter().filter(|stat| stat.is_alive()).count() as u64,
    }
}

/// Whether anything below this process belongs to a group and has not ended.
pub(crate) fn is_group_alive(group: Pid) -> bool {
    let group = u64::from(group.as_raw_nonzero().get().unsigned_abs());
    descendants().into_iter().filter_map(Stat::of).any(|stat| stat.is_alive() && stat.number(2) == group)
}

/// Whether this process has no child, ended ones included.
pub(crate) fn is_childless() -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(waitid(WaitId::All, look), Err(rustix::io::Errno::CHILD))
}

/// Reaps one of the children, if it has ended.
pub(crate) fn reap(child: Pid) -> bool {
    matches!(waitid(WaitId::Pid(child), WaitIdOptions::EXITED | WaitIdOptions::NOHANG), Ok(Some(_)))
}

/// Reaps those of the children that have ended, but for one that somebody still has to look at.
pub(crate) fn reap_but(leader: Option<Pid>) {
    for child in children().into_iter().filter(|child| Some(*child) != leader) {
        reap(child);
    }
}

/// Kills everything below this process, as far as that is seen now. Children that are exempt are left alone, and so is what is below them. Whether
/// anybody was still alive is returned: who is left has to be looked for again.
///
/// Nobody is reaped: until then the dead count as the user's, so that those who fork without end find no place for more. Parents are killed before their
/// children are looked for, so that whom they get from then on is nobody.
pub(crate) fn kill_once(is_exempt: &dyn Fn(Pid) -> bool) -> bool {
    let mut is_anybody_alive = false;
    let mut seen = HashSet::new();
    loop {
        // The children of what has ended meanwhile are this process's.
        let new: Vec<Pid> = children().into_iter().filter(|child| !is_exempt(*child) && seen.insert(*child)).collect();
        if new.is_empty() {
            return is_anybody_alive;
        }
        for child in &new {
            is_anybody_alive |= Stat::of(*child).is_some_and(|stat| stat.is_alive());
            // Until it is reaped its number is its own.
            let _: rustix::io::Result<()> = kill_process(*child, Signal::KILL);
        }
        walk(new, |pid| {
            kill_descendant(pid);
            true
        });
    }
}

/// Kills one whose number may be somebody else's by now: it is looked at again when it cannot change any more.
fn kill_descendant(pid: Pid) {
    if let Ok(process) = pidfd_open(pid, PidfdFlags::empty())
        && descends(pid)
    {
        let _: rustix::io::Result<()> = pidfd_send_signal(&process, Signal::KILL);
    }
}

/// Whether a process is below this one.
fn descends(mut pid: Pid) -> bool {
    let own = getpid();
    // Longer chains fall from above, level by level.
    for _ in 0..64 {
        match Stat::of(pid).and_then(|stat| stat.parent()) {
            Some(parent) if parent == own => return true,
            Some(parent) => pid = parent,
            None => return false,
        }
    }
    false
}
