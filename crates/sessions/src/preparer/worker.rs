//! What runs in a worker: one thread that prepares, and one that watches what it takes.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use perennial_bundler::Task;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};

/// How often it looks at what is taken. Until then a source takes at most some 20 MB more.
const LOOK: Duration = Duration::from_millis(3);
/// Who takes longer gives way to everything else on this machine.
const LONG: Duration = Duration::from_secs(1);
const GIVE_WAY: i32 = 15;
/// Stack that preparing may take at most. Only what is touched takes memory.
const STACK: u64 = 1 << 30;
/// Who has grown by more ends after its work: the memory is somebody else's.
const GROWN: u64 = 64 << 20;
/// Address space above the limit, for what is reserved and not touched: the limit itself is on what is touched.
const RESERVED: u64 = 512 << 20;

/// What an answer begins with. Its length follows; of [`Status::Memory`] it is the bytes that were taken, and nothing comes behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    Done = 1,
    Memory = 2,
}

impl Status {
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        [Self::Done, Self::Memory].into_iter().find(|status| *status as u8 == byte)
    }
}

/// Serves until its host lets go of it.
pub(crate) fn serve(mut host: UnixStream) {
    let begun = resident();
    while let Ok((task, memory)) = read(&mut host) {
        if work(&mut host, task, memory, begun).is_err() {
            return;
        }
        perennial_engine::trim_memory();
        if resident() > begun + GROWN {
            return;
        }
    }
}

/// The next task, and the bytes that it may take.
fn read(host: &mut UnixStream) -> io::Result<(Vec<u8>, u64)> {
    let mut number = || {
        let mut bytes = [0; 8];
        host.read_exact(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    };
    let (length, memory) = (number()?, number()?);
    let mut task = Vec::new();
    host.take(length).read_to_end(&mut task)?;
    if task.len() as u64 == length { Ok((task, memory)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn work(host: &mut UnixStream, task: Vec<u8>, memory: u64, begun: u64) -> io::Result<()> {
    let stack = memory.min(STACK);
    hold_to(memory + stack + RESERVED)?;
    let (done, outcome) = channel();
    std::thread::Builder::new().name("perennial-parse".to_owned()).stack_size(stack as usize).spawn(move || {
        let answer = serde_json::from_slice::<Task<'_>>(&task).and_then(|task| serde_json::to_vec(&task.run_here()));
        // The other thread is there as long as this process is.
        let _ = done.send(answer);
    })?;
    let since = Instant::now();
    let mut gives_way = false;
    let answer = loop {
        match outcome.recv_timeout(LOOK) {
            Ok(answer) => break answer?,
            Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::Other.into()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let taken = resident().saturating_sub(begun);
        if taken > memory {
            // Whatever the other thread is doing.
            let _: io::Result<()> = answer_with(host, Status::Memory, taken);
            std::process::abort();
        }
        if has_hung_up(host) {
            std::process::abort();
        }
        if !gives_way && since.elapsed() > LONG {
            gives_way = true;
            let _: rustix::io::Result<()> = setpriority_process(None, GIVE_WAY);
        }
    };
    answer_with(host, Status::Done, answer.len() as u64)?;
    host.write_all(&answer)?;
    // What gave way goes on doing so: the system lets nobody take it back.
    if gives_way { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
}

fn answer_with(host: &mut UnixStream, status: Status, length: u64) -> io::Result<()> {
    let mut head = vec![status as u8];
    head.extend(length.to_le_bytes());
    host.write_all(&head)
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    status_of_memory(1)
}

/// A number of `/proc/self/statm`, in bytes: how much address space there is, how much is in memory.
fn status_of_memory(column: usize) -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(column).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// So much more address space than there is now: where the watching thread does not come to look, an allocation fails, which ends the process.
fn hold_to(more: u64) -> io::Result<()> {
    let maximum = getrlimit(Resource::As).maximum;
    let wanted = status_of_memory(0).saturating_add(more);
    let current = Some(maximum.map_or(wanted, |most| wanted.min(most)));
    Ok(setrlimit(Resource::As, Rlimit { current, maximum })?)
}

fn has_hung_up(host: &UnixStream) -> bool {
    let mut one = [PollFd::new(host, PollFlags::RDHUP)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut one, Some(&now)).is_ok_and(|ready| ready > 0)
}
