//! Starting processes: the only unsafe code of this crate, all of it about what a new process does before its program begins.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::libc;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use rustix::fs::{Access, access};
use rustix::process::{Pid, Resource, Rlimit};

use super::wire::{Limits, Request};

/// Forks this process for a keeper, which does `work` and ends.
///
/// It is a `Command` that never gets to its program: what this brings, besides the fork, is that the parent waits until the child has let go of
/// everything of the parent's, and that a panic in the child is the child's end.
pub(crate) fn keeper(keep: Vec<OwnedFd>, work: impl FnOnce(Vec<OwnedFd>) + Send + Sync + 'static) -> io::Result<Pid> {
    let mut command = Command::new("/proc/self/exe");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut todo = Some((keep, work));
    let begin = move || {
        if let Some((keep, work)) = todo.take() {
            close_all_but(&keep);
            work(keep);
        }
        #[expect(unsafe_code, reason = "nothing of what the supervisor was doing is for its copy to finish")]
        // SAFETY: it does nothing but end the process.
        unsafe {
            libc::_exit(0)
        }
    };
    #[expect(unsafe_code, reason = "a keeper is made by forking")]
    // SAFETY: the supervisor has one thread, so in its child every lock is free and every value whole, and anything may be done there. What is closed
    // in the child has owners in frames that it never returns to.
    unsafe {
        command.pre_exec(begin);
    }
    pid_of(&command.spawn()?)
}

/// What commands have from their keeper: no core dumps, and no programs that become another user, whom nobody here could kill any more.
pub(crate) fn hold_back() -> rustix::io::Result<()> {
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    rustix::thread::set_no_new_privs(true)
}

/// Sets how many tasks the user of a process may have for it to start another; of this process, which its commands have it from, or of a child that was
/// not reaped. It is the soft limit alone, which whoever means harm can raise again, and which follows what the user's other programs have.
pub(crate) fn limit_tasks(child: Option<Pid>, most: Option<u64>) {
    let maximum = rustix::process::getrlimit(Resource::Nproc).maximum;
    let current = most.map(|most| maximum.map_or(most, |hard| most.min(hard))).or(maximum);
    let _: rustix::io::Result<_> = rustix::process::prlimit(child, Resource::Nproc, Rlimit { current, maximum });
}

/// Starts a command, which leads a session and a group of its own. It is not waited for: whoever watches decides when its number is free again.
pub(crate) fn command(request: &Request, streams: [OwnedFd; 3]) -> io::Result<Pid> {
    rustix::process::chdir(&*request.cwd).map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(error.kind(), format!("its folder {}: {error}", request.cwd))
    })?;
    let Limits { cpu_seconds, memory_bytes, open_files, processes: _ } = request.limits;
    let started = find(request).and_then(|program| match (cpu_seconds, memory_bytes, open_files) {
        (None, None, None) => at_once(&program, request, streams),
        _ => held(&program, request, streams),
    });
    // Of no folder it stands in the way.
    rustix::process::chdir("/")?;
    started
}

/// Where a program is, in the folders that the command has for it.
fn find(request: &Request) -> io::Result<PathBuf> {
    let name = &request.argv[0];
    if name.contains('/') {
        return Ok(name.into());
    }
    let path = request.env.iter().find(|(variable, _)| variable == "PATH").map_or("", |(_, path)| path);
    // What is relative would be found where the command runs, which may write there.
    let found = path.split(':').filter(|folder| folder.starts_with('/')).map(|folder| Path::new(folder).join(name));
    let mut found = found.filter(|file| file.is_file() && access(file, Access::EXEC_OK).is_ok());
    found
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no program {name} in PATH ({path})")))
}

/// `posix_spawn`, which costs two thirds of a fork.
fn at_once(program: &Path, request: &Request, streams: [OwnedFd; 3]) -> io::Result<Pid> {
    let texts = |texts: &mut dyn Iterator<Item = String>| texts.map(CString::new).collect::<Result<Vec<_>, _>>();
    let argv = texts(&mut request.argv.iter().cloned())?;
    let env = texts(&mut request.env.iter().map(|(name, value)| format!("{name}={value}")))?;
    let mut actions = PosixSpawnFileActions::init()?;
    for (at, stream) in (0..).zip(&streams) {
        actions.add_dup2(stream.as_raw_fd(), at)?;
    }
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_sigmask(&SigSet::empty())?;
    // nix has no name for it yet.
    let session = PosixSpawnFlags::from_bits_retain(libc::POSIX_SPAWN_SETSID.into());
    attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | session)?;
    let pid = posix_spawn(program, &actions, &attributes, &argv, &env)?;
    Pid::from_raw(pid.as_raw()).ok_or_else(|| io::Error::other("a process without a number"))
}

/// A fork that sets the limits before the program begins.
fn held(program: &Path, request: &Request, [stdin, stdout, stderr]: [OwnedFd; 3]) -> io::Result<Pid> {
    let mut command = Command::new(program);
    command.arg0(&request.argv[0]).args(&request.argv[1..]);
    command.env_clear().envs(request.env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::from(stdin)).stdout(Stdio::from(stdout)).stderr(Stdio::from(stderr));
    let limits = request.limits;
    let begin = move || {
        rustix::process::setsid()?;
        SigSet::empty().thread_set_mask()?;
        hold_to(limits)
    };
    #[expect(unsafe_code, reason = "what a process is held to is set by itself, before its program begins")]
    // SAFETY: a keeper has one thread, and the closure makes system calls only.
    unsafe {
        command.pre_exec(begin);
    }
    pid_of(&command.spawn()?)
}

fn pid_of(child: &std::process::Child) -> io::Result<Pid> {
    let raw = i32::try_from(child.id()).map_err(io::Error::other)?;
    Pid::from_raw(raw).ok_or_else(|| io::Error::other("a process without a number"))
}

fn hold_to(limits: Limits) -> io::Result<()> {
    let set = |resource: Resource, wanted: Option<u64>, more: u64| {
        let Some(wanted) = wanted else { return Ok(()) };
        let most = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let limit = Rlimit { current: Some(wanted.min(most)), maximum: Some(wanted.saturating_add(more).min(most)) };
        rustix::process::setrlimit(resource, limit)
    };
    // A second for whoever handles the first signal.
    set(Resource::Cpu, limits.cpu_seconds, 1)?;
    set(Resource::As, limits.memory_bytes, 0)?;
    Ok(set(Resource::Nofile, limits.open_files, 0)?)
}

/// What was ignored where the host was started would be ignored by commands too, and an ignored `SIGCHLD` loses how they ended.
pub(crate) fn handle_signals_by_default() {
    for one in Signal::iterator().filter(|one| !matches!(one, Signal::SIGKILL | Signal::SIGSTOP)) {
        #[expect(unsafe_code, reason = "there is no other way to change what a signal does")]
        // SAFETY: the default is no function of ours, and no other thread is there to rely on what was set before.
        let _: nix::Result<SigHandler> = unsafe { signal(one, SigHandler::SigDfl) };
    }
}

/// Lets go of all descriptors but these and the first three.
pub(crate) fn close_all_but(keep: &[OwnedFd]) {
    let mut kept: Vec<u32> = keep.iter().filter_map(|fd| u32::try_from(fd.as_raw_fd()).ok()).collect();
    kept.sort_unstable();
    let mut from = 3;
    for to in kept.into_iter().map(Some).chain([None]) {
        let last = to.map_or(u32::MAX, |to| to.saturating_sub(1));
        if from <= last {
            close_range(from, last);
        }
        from = to.map_or(from, |to| to + 1).max(3);
    }
}

fn close_range(first: u32, last: u32) {
    #[expect(unsafe_code, reason = "what a process of ours has inherited it must not hold")]
    // SAFETY: called where a process begins, and goes on with what it keeps only.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, last, 0) != 0 {
            // A kernel from before 2020.
            let most = rustix::process::getrlimit(Resource::Nofile).current.unwrap_or(1 << 16).min(1 << 16) as u32;
            for fd in first..=last.min(most) {
                libc::close(fd as i32);
            }
        }
    }
}
