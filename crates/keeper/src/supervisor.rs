//! The supervisor: our own program, started once, which makes keepers. It has one thread and one socket, to the host.
//!
//! What a keeper that was killed has left comes to the supervisor, and is killed. When the host is gone it waits until the keepers are, and removes the
//! host's folder.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::SocketType;
use rustix::net::sockopt::{socket_peercred, socket_type};
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, getpid, getppid, kill_process, pidfd_open, waitid};

use super::cgroup::{self, Cgroup};
use super::keeper::{Watch, keep};
use super::mark::{Mark, remove_cgroups, sweep_folders, sweep_processes};
use super::remove::remove;
use super::wire::{Wish, receive, send};
use super::{launch, tree};

/// The first argument of a program that is started as a supervisor.
pub(crate) const ARGUMENT: &str = "__perennial_supervisor";
/// What it says when it serves. Another version of the program does not understand this one.
pub(crate) const HELLO: &str = concat!("perennial ", env!("CARGO_PKG_VERSION"));
/// How often it looks again for what does not die.
const AGAIN: Duration = Duration::from_millis(250);

/// What a process is told that was started as a supervisor: the folder of its host.
pub(crate) fn is_wanted() -> Option<PathBuf> {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    (arguments.len() == 2 && arguments[0] == ARGUMENT).then(|| arguments.remove(1).into())
}

struct Supervisor {
    socket: OwnedFd,
    watch: Watch,
    cgroups: Option<PathBuf>,
    keepers: HashMap<Pid, Option<PathBuf>>,
    made: u64,
    /// Cgroups of keepers that were killed, with something in them.
    left: Vec<PathBuf>,
}

/// Serves until the host is gone, and everything that was started for it.
///
/// # Errors
/// If whoever has started it is no host; then nothing was done.
pub(crate) fn serve(scratch: &Path) -> std::io::Result<()> {
    launch::handle_signals_by_default();
    SigSet::all().thread_block()?;
    // What the host has not closed for it, it must not keep open.
    launch::close_all_but(&[]);
    let socket = std::io::stdin().as_fd().try_clone_to_owned()?;
    let parent = getppid().ok_or(Errno::SRCH)?;
    let mark = Mark::of(parent)?;
    // A folder that is removed in the end has to be the host's, by its name.
    let is_its =
        scratch.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&(mark.name() + ".")));
    if !is_its || socket_type(&socket)? != SocketType::SEQPACKET || socket_peercred(&socket)?.pid != parent {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    let _: rustix::io::Result<Pid> = rustix::process::setsid();
    let _: rustix::io::Result<()> = rustix::thread::set_name(c"perennial-super");
    // For other processes of the user to look into, and for nobody to trace.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    rustix::process::set_child_subreaper(Some(getpid()))?;
    let null = std::fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    let watch = Watch {
        host: pidfd_open(parent, PidfdFlags::empty())?,
        supervisor: pidfd_open(getpid(), PidfdFlags::empty())?,
    };
    if getppid() != Some(parent) {
        return Err(Errno::SRCH.into());
    }
    let all_cgroups = cgroup::own();
    let cgroups = all_cgroups.clone().map(|all| all.join(mark.name())).filter(|own| {
        // It may be there from an earlier supervisor of the same host.
        std::fs::create_dir(own).is_ok() || own.is_dir()
    });
    sweep_processes(&mark);
    let mut supervisor = Supervisor { socket, watch, cgroups, keepers: HashMap::new(), made: 0, left: Vec::new() };
    let (own, beside) = (mark.clone(), scratch.parent().unwrap_or(scratch).to_owned());
    supervisor.sweep(move || sweep_folders(&own, &beside, all_cgroups.as_deref()));
    let served = send(&supervisor.socket, &HELLO, &[]).map_err(Into::into).and_then(|()| supervisor.serve());
    // What has killed its keeper and an earlier supervisor.
    sweep_processes(&mark);
    if let Some(cgroups) = &supervisor.cgroups {
        remove_cgroups(cgroups);
    }
    // The host is gone, or has become another program: one that wants another supervisor kills this one first.
    remove(scratch)?;
    served
}

impl Supervisor {
    fn serve(&mut self) -> std::io::Result<()> {
        let mut child_ends = SigSet::empty();
        child_ends.add(Signal::SIGCHLD);
        let signals = SignalFd::with_flags(&child_ends, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let again = Timespec { tv_sec: 0, tv_nsec: AGAIN.subsec_nanos().into() };
        let (mut is_over, mut has_strays) = (false, false);
        while !(is_over && tree::is_childless()) {
            let mut ready = vec![PollFd::new(&signals, PollFlags::IN)];
            if !is_over {
                ready.push(PollFd::new(&self.socket, PollFlags::IN));
                ready.push(PollFd::new(&self.watch.host, PollFlags::IN));
            }
            match poll(&mut ready, (is_over || has_strays).then_some(&again)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let has = |index: usize| ready.get(index).is_some_and(|fd| !fd.revents().is_empty());
            let (has_request, has_lost) = (has(1), has(2));
            drop(ready);
            while let Ok(Some(_)) = signals.read_signal() {}
            if has_lost {
                is_over = true;
            } else if has_request {
                match receive::<Wish>(&self.socket) {
                    Ok(Some((Wish::Keeper, descriptors))) => {
                        descriptors.into_iter().for_each(|control| self.make(control));
                    }
                    Ok(Some((Wish::Hurry(keeper), _))) => self.hurry(keeper),
                    Ok(None) | Err(Errno::CONNRESET) => is_over = true,
                    // There was no room for it, and whoever has sent it sees its socket end.
                    Err(_) => {}
                }
            }
            has_strays = self.tidy();
        }
        Ok(())
    }

    /// Lets another process look through folders.
    fn sweep(&mut self, work: impl FnOnce() + Send + Sync + 'static) {
        if let Ok(pid) = launch::keeper(Vec::new(), move |_| work()) {
            self.keepers.insert(pid, None);
        }
    }

    /// Kills a keeper that somebody has stopped, over and over perhaps. What it has below it comes here.
    fn hurry(&self, keeper: u32) {
        let keeper = i32::try_from(keeper).ok().and_then(Pid::from_raw);
        if let Some(keeper) = keeper.filter(|keeper| self.keepers.contains_key(keeper) && tree::is_stopped(*keeper)) {
            let _: rustix::io::Result<()> = kill_process(keeper, rustix::process::Signal::KILL);
        }
    }

    /// Makes a keeper. If that fails, whoever wants it sees its socket end.
    fn make(&mut self, control: OwnedFd) {
        self.made += 1;
        let name = self.made.to_string();
        let cgroup = self
            .cgroups
            .as_deref()
            .and_then(|base| Cgroup::below(base, &format!("{}-{name}", getpid().as_raw_nonzero())));
        let copies = [&self.watch.host, &self.watch.supervisor].map(|fd| fd.try_clone());
        let [Ok(host), Ok(supervisor)] = copies else { return };
        let folder = cgroup.as_ref().map(|cgroup| cgroup.folder().to_owned());
        let made = launch::keeper(vec![control, host, supervisor], move |descriptors| {
            if let Ok([control, host, supervisor]) = <[OwnedFd; 3]>::try_from(descriptors) {
                keep(control, &Watch { host, supervisor }, cgroup);
            }
        });
        match made {
            Ok(pid) => _ = self.keepers.insert(pid, folder),
            Err(_) => folder.iter().for_each(|folder| _ = std::fs::remove_dir(folder)),
        }
    }

    /// Reaps keepers that have ended, lets those go on that somebody has stopped, and kills what is no keeper. Whether there is any left of that.
    fn tidy(&mut self) -> bool {
        let mut has_strays = false;
        for child in tree::children() {
            if !self.keepers.contains_key(&child) {
                has_strays = true;
                continue;
            }
            let what = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
            match waitid(WaitId::Pid(child), what) {
                Ok(Some(status)) if status.stopped() || status.trapped() => {
                    let _: rustix::io::Result<()> = kill_process(child, rustix::process::Signal::CONT);
                }
                Ok(Some(_)) => {
                    if let Some(Some(folder)) = self.keepers.remove(&child) {
                        let _: std::io::Result<()> = std::fs::write(folder.join("pids.max"), "0");
                        if std::fs::remove_dir(&folder).is_err() {
                            self.left.push(folder);
                        }
                    }
                }
                _ => {}
            }
        }
        if has_strays && !tree::kill_once(&|child| self.keepers.contains_key(&child)) {
            // Nobody of them is left to fork: now they may be forgotten.
            let strays = tree::children().into_iter().filter(|child| !self.keepers.contains_key(child));
            has_strays = strays.filter(|stray| !tree::reap(*stray)).count() > 0;
        }
        self.left.retain(|folder| std::fs::remove_dir(folder).is_err());
        has_strays
    }
}
