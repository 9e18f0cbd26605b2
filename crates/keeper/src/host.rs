//! The host's side of the supervisor: one a process, started when the first command is, and the keepers that have nothing to do.

use std::fs::DirBuilder;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal, waitid};

use super::helper;
use super::mark::Mark;
use super::supervisor::{self, ARGUMENT, HELLO};
use super::wire::{Wish, is_ready, pair, receive, send};

/// How long a supervisor may take to begin.
const BEGIN: Duration = Duration::from_secs(10);
/// Keepers that wait for something to do, at most.
const IDLE: usize = 16;

static IS_PREPARED: AtomicBool = AtomicBool::new(false);
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
/// Held while one begins: by threads that may wait, only.
static SUPERVISOR: Mutex<Option<Supervisor>> = Mutex::new(None);
/// Keepers that have nothing to do, and the tenant whose command each had: what that has done to its keeper is nobody else's.
static IDLING: Mutex<Vec<(Arc<Tenant>, OwnedFd)>> = Mutex::new(Vec::new());
/// What all commands of this process have for their folders, once there is a supervisor to remove it.
static SCRATCH: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Whose commands keepers have. A keeper whose command has ended has its next one from the same tenant: what the first has done to it is nobody else's.
#[derive(Debug, Default)]
pub struct Tenant {
    /// It has no other command.
    is_over: AtomicBool,
}

struct Supervisor {
    socket: OwnedFd,
    process: OwnedFd,
    /// A keeper that nobody has had yet.
    spare: Option<OwnedFd>,
    /// Whose supervisor it is: a process that was forked from that one has another.
    host: Pid,
}

/// Why no command can be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The program has neither called [`supervisor_main`] nor named one that does.
    #[error(
        "commands are off in this program: it has to call perennial::supervisor_main() first thing in main, or name a program that does with \
         perennial::use_supervisor"
    )]
    Off,
    /// The program that was named does not serve, or another version of this one.
    #[error(
        "{program} is not a supervisor of commands: {why}. It has to be of this version and to call perennial::supervisor_main() first thing in main"
    )]
    NoSupervisor {
        /// The program.
        program: PathBuf,
        /// What it did.
        why: String,
    },
    /// No process, no descriptor, no folder.
    #[error("commands cannot be started: {0}")]
    System(#[from] io::Error),
}

impl From<Errno> for HostError {
    fn from(error: Errno) -> Self {
        Self::System(error.into())
    }
}

/// For the first line of `main` of a program whose scripts may run commands.
///
/// Commands are started by a process of their own, which ends them all when this one is gone, however it went; it is this program, started again.
/// There this function serves and does not return; otherwise it returns at once. It has to be called before anything else: before arguments are
/// read, threads started or files opened.
///
/// `helper` is what the program does where it is started as a [`crate::Helper`], with the socket of whoever has started it.
pub fn supervisor_main(helper: fn(UnixStream)) {
    if helper::is_wanted() {
        let socket = io::stdin().as_fd().try_clone_to_owned();
        if let Ok(socket) = socket {
            helper(socket.into());
        }
        #[expect(clippy::exit, reason = "this process has nothing else to do")]
        std::process::exit(0)
    }
    if let Some(scratch) = supervisor::is_wanted() {
        let code = i32::from(supervisor::serve(&scratch).is_err());
        #[expect(clippy::exit, reason = "this process has nothing else to do")]
        std::process::exit(code)
    }
    IS_PREPARED.store(true, Ordering::Release);
}

/// Names a program that calls [`supervisor_main`], for those that cannot do so themselves, being a library of another program. `perennial-supervisor`
/// is one that does nothing else. Only the first call counts; `false` for others.
pub fn use_supervisor(program: impl Into<PathBuf>) -> bool {
    PROGRAM.set(program.into()).is_ok()
}

/// Starts what commands are started by, before the first of them is: what an earlier instance of a program has left is ended now. Whoever does not call it
/// gets the same with the first command.
///
/// # Cancellation
/// Dropping the future waits no more; what is started goes on to be.
///
/// # Errors
/// If commands are off, for want of [`supervisor_main`] or [`use_supervisor`], or the system has no room for another process.
pub async fn prepare() -> io::Result<()> {
    match scratch().await {
        Ok(_) => Ok(()),
        Err(HostError::System(error)) => Err(error),
        Err(error) => Err(io::Error::other(error)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The folder for what belongs to this process's commands, which the supervisor removes in the end. Starts that, if there is none.
///
/// # Cancellation
/// Dropping the future waits no more; what is started goes on to be.
///
/// # Errors
/// If there is none, and none begins.
pub async fn scratch() -> Result<PathBuf, HostError> {
    if let Some(scratch) = lock(&SCRATCH).clone() {
        return Ok(scratch);
    }
    let beginning = tokio::task::spawn_blocking(|| {
        with_supervisor(|_| Ok(()))?;
        Ok(lock(&SCRATCH).clone().unwrap_or_default())
    });
    beginning.await.map_err(io::Error::other)?
}

/// A keeper that is no tenant's yet. Blocks while a supervisor begins.
pub(crate) fn make_keeper() -> Result<OwnedFd, HostError> {
    for _ in 0..5 {
        let made = with_supervisor(|supervisor| {
            // Whoever comes next finds one that has begun.
            let next = supervisor.ask_for_keeper()?;
            Ok(supervisor.spare.replace(next))
        });
        match made {
            // One that has something to say has ended.
            Ok(Some(keeper)) if !is_ready(&keeper) => return Ok(keeper),
            Ok(_) => {}
            Err(error @ (HostError::Off | HostError::NoSupervisor { .. })) => return Err(error),
            // Somebody has killed it, and with it all that it had made.
            Err(HostError::System(_)) => {
                lock(&SUPERVISOR).take();
                lock(&IDLING).clear();
            }
        }
    }
    Err(io::Error::other("the supervisor does not listen").into())
}

/// Tells the supervisor that a keeper does not do what it was told; without one, nothing is there to be told. Blocks while another one begins.
pub(crate) fn hurry(keeper: u32) {
    if let Some(supervisor) = &*lock(&SUPERVISOR) {
        // Whoever has stopped the keeper may have stopped this one as well.
        let _: rustix::io::Result<()> = pidfd_send_signal(&supervisor.process, Signal::CONT);
        let _: rustix::io::Result<()> = send(&supervisor.socket, &Wish::Hurry(keeper), &[]);
    }
}

/// One that waits, if this tenant has left one.
pub(crate) fn idle_keeper(tenant: &Arc<Tenant>) -> Option<OwnedFd> {
    let mut idling = lock(&IDLING);
    while let Some(at) = idling.iter().rposition(|(whose, _)| Arc::ptr_eq(whose, tenant)) {
        let (_, keeper) = idling.remove(at);
        // One that has something to say has ended.
        if !is_ready(&keeper) {
            return Some(keeper);
        }
    }
    None
}

/// For the tenant's next command; those that have waited longest are let go of when there are too many.
pub(crate) fn give_back(tenant: Arc<Tenant>, keeper: OwnedFd) {
    let mut idling = lock(&IDLING);
    if tenant.is_over.load(Ordering::Acquire) {
        return;
    }
    idling.push((tenant, keeper));
    if idling.len() > IDLE {
        idling.remove(0);
    }
}

impl Tenant {
    /// It has no other command, and its keepers end.
    pub fn leave(self: &Arc<Self>) {
        let mut idling = lock(&IDLING);
        self.is_over.store(true, Ordering::Release);
        idling.retain(|(whose, _)| !Arc::ptr_eq(whose, self));
    }
}

fn with_supervisor<T>(ask: impl FnOnce(&mut Supervisor) -> Result<T, HostError>) -> Result<T, HostError> {
    let mut known = lock(&SUPERVISOR);
    if known.as_ref().is_some_and(|supervisor| supervisor.host != getpid()) {
        *known = None;
        lock(&SCRATCH).take();
        lock(&IDLING).clear();
    }
    if known.is_none() {
        let program = program()?;
        let scratch = lock(&SCRATCH).clone();
        let folder = match &scratch {
            Some(folder) => folder.clone(),
            // A name that nobody guesses: whoever may write beside it could have it first.
            None => std::path::absolute(std::env::temp_dir())?.join(format!(
                "{}.{:x}",
                Mark::own()?.name(),
                RandomState::new().hash_one(0)
            )),
        };
        make_folder(&folder)?;
        match Supervisor::start(program, &folder) {
            Ok(supervisor) => {
                *known = Some(supervisor);
                *lock(&SCRATCH) = Some(folder);
            }
            Err(error) => {
                // Nobody else would.
                if scratch.is_none() {
                    let _: io::Result<()> = std::fs::remove_dir(&folder);
                }
                return Err(error);
            }
        }
    }
    ask(known.as_mut().ok_or(HostError::Off)?)
}

/// Makes a folder that is nobody else's, unless it is there.
fn make_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()))),
    }
}

/// Makes a folder in [`scratch`], for nobody else to look into; what somebody has removed is made again.
///
/// # Errors
/// If the system has no room for it.
pub fn make_folder_in_scratch(folder: &Path) -> io::Result<()> {
    folder.parent().map_or(Ok(()), make_folder)?;
    make_folder(folder)
}

fn program() -> Result<PathBuf, HostError> {
    match PROGRAM.get() {
        Some(program) => Ok(program.clone()),
        None if IS_PREPARED.load(Ordering::Acquire) => Ok(PathBuf::from("/proc/self/exe")),
        None => Err(HostError::Off),
    }
}

impl Supervisor {
    fn start(program: PathBuf, scratch: &Path) -> Result<Self, HostError> {
        let wrong = |why: String| HostError::NoSupervisor { program: program.clone(), why };
        let (socket, theirs) = pair()?;
        let mut command = Command::new(&program);
        command.args([ARGUMENT.as_ref(), scratch.as_os_str()]).env_clear().current_dir("/");
        command.stdin(Stdio::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| wrong(error.to_string()))?;
        drop(command);
        // It was not waited for, so that its number is its own.
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
        let process = pidfd_open(pid, PidfdFlags::empty())?;
        let supervisor = Self { socket, process, spare: None, host: getpid() };
        wait(&supervisor.socket, PollFlags::IN, BEGIN)?;
        match receive::<String>(&supervisor.socket) {
            Ok(Some((hello, _))) if hello == HELLO => Ok(supervisor),
            Ok(Some((hello, _))) => Err(wrong(format!("it is {hello:?}, and this is {HELLO:?}"))),
            Ok(None) | Err(Errno::CONNRESET) => Err(wrong("it has ended".to_owned())),
            Err(Errno::WOULDBLOCK) => Err(wrong(format!("it has said nothing within {BEGIN:?}"))),
            Err(error) => Err(error.into()),
        }
    }

    fn ask_for_keeper(&self) -> Result<OwnedFd, Errno> {
        let (mine, theirs) = pair()?;
        for _ in 0..3 {
            match send(&self.socket, &Wish::Keeper, &[theirs.as_fd()]) {
                Ok(()) => return Ok(mine),
                // It has a lot to do.
                Err(Errno::WOULDBLOCK | Errno::TOOMANYREFS) => {
                    wait(&self.socket, PollFlags::OUT, Duration::from_secs(1))?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Errno::TIMEDOUT)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if self.host != getpid() {
            return;
        }
        // It is dead, or no supervisor at all.
        let _: rustix::io::Result<()> = pidfd_send_signal(&self.process, Signal::KILL);
        let _: rustix::io::Result<_> = waitid(WaitId::PidFd(self.process.as_fd()), WaitIdOptions::EXITED);
    }
}

pub(crate) fn wait(socket: &OwnedFd, what: PollFlags, most: Duration) -> Result<(), Errno> {
    let end = Instant::now() + most;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(0), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(socket, what)], Some(&left)) {
            Err(Errno::INTR) => {}
            other => return other.map(drop),
        }
    }
}
