//! What the host, the supervisor and the keepers say to each other: one packet a message.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Read, Seek, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// No message is longer: what does not fit comes in a file of its own.
const MOST: usize = 8192;
/// Descriptors in one message.
pub(crate) const MOST_DESCRIPTORS: usize = 4;

/// What is to be run.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Request {
    /// The program, found by the `PATH` of `env` unless it is a path, and its arguments.
    pub argv: Vec<String>,
    /// All of its environment.
    pub env: Vec<(String, String)>,
    /// Where it begins.
    pub cwd: String,
    /// What it may take.
    pub limits: Limits,
}

/// What the system holds a command to, where something is said.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// CPU time of each process.
    pub cpu_seconds: Option<u64>,
    /// Address space of each process.
    pub memory_bytes: Option<u64>,
    /// Descriptors of each process.
    pub open_files: Option<u64>,
    /// Processes that there may be of it at a time, threads among them where a cgroup counts.
    pub processes: Option<u64>,
}

/// What the host wants of the supervisor.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wish {
    /// With the socket that it is to listen to.
    Keeper,
    /// This keeper was told to end its command and has not: if somebody has stopped it, it is killed, and the supervisor does its work.
    Hurry(u32),
}

/// What the host wants of a keeper.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// With the three streams, and a file of the request if it is too long for a message.
    Run(Option<Request>),
    /// To the group.
    Signal(i32),
    /// `TERM`, and time for all of them until they are killed.
    Terminate,
    Measure,
    Kill,
}

/// What a keeper says.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Started {
        pid: u32,
        keeper: u32,
    },
    Failed(String),
    /// The leader has ended, and others are left.
    Exited(Ended),
    TooMany(u64),
    Measured(Measured),
    /// These do not die, though they were killed.
    Stuck(Vec<i32>),
    /// Nothing of it is left.
    Gone(Option<Ended>),
}

/// How a command has ended.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// What it exited with.
    pub code: Option<i32>,
    /// What has killed it.
    pub signal: Option<i32>,
    /// CPU time of all of it.
    pub cpu_ms: u64,
}

/// What a command and all below it take.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// CPU time.
    pub cpu_ms: u64,
    /// Memory that is resident.
    pub rss_bytes: u64,
    /// How many processes they are.
    pub processes: u64,
}

/// Two ends that nobody inherits.
pub(crate) fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
}

/// Sends without ever waiting. The other side gets copies of the descriptors.
pub(crate) fn send(socket: &impl AsFd, message: &impl Serialize, descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let text = serde_json::to_vec(message).map_err(|_| Errno::INVAL)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::INVAL);
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    loop {
        match sendmsg(socket, &[IoSlice::new(&text)], &mut control, flags) {
            Err(Errno::INTR) => {}
            sent => return sent.map(drop),
        }
    }
}

/// The next message, without waiting for it; `None` at the end. `WOULDBLOCK` if there is none.
pub(crate) fn receive<T: DeserializeOwned>(socket: &impl AsFd) -> Result<Option<(T, Vec<OwnedFd>)>, Errno> {
    let mut bytes = [0; MOST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let message = loop {
        match recvmsg(socket, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags) {
            Err(Errno::INTR) => {}
            message => break message?,
        }
    };
    let mut descriptors = Vec::new();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(some) = part {
            descriptors.extend(some);
        }
    }
    if message.bytes == 0 {
        return Ok(None);
    }
    if message.flags.intersects(ReturnFlags::CTRUNC | ReturnFlags::TRUNC) {
        return Err(Errno::MFILE);
    }
    let message = serde_json::from_slice(&bytes[..message.bytes]).map_err(|_| Errno::BADMSG)?;
    Ok(Some((message, descriptors)))
}

/// The order to run something, and the file that goes with it.
pub(crate) fn order_to_run(request: Request) -> std::io::Result<(Order, Option<OwnedFd>)> {
    let text: usize = request.argv.iter().map(String::len).sum();
    let size = request.env.iter().fold(text, |size, (name, value)| size + name.len() + value.len()) + request.cwd.len();
    // Written as JSON, a text has up to six times its bytes.
    if size < MOST / 6 - 256 && request.argv.len() + request.env.len() < 32 {
        return Ok((Order::Run(Some(request)), None));
    }
    let mut file = File::from(memfd_create("perennial", MemfdFlags::CLOEXEC)?);
    file.write_all(&serde_json::to_vec(&request)?)?;
    file.rewind()?;
    Ok((Order::Run(None), Some(file.into())))
}

pub(crate) fn request_in(file: OwnedFd) -> std::io::Result<Request> {
    let mut bytes = Vec::new();
    File::from(file).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Whether the other side of a socket is gone, or has said something.
pub(crate) fn is_ready(socket: &OwnedFd) -> bool {
    let mut one = [rustix::event::PollFd::from_borrowed_fd(socket.as_fd(), rustix::event::PollFlags::IN)];
    let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut one, Some(&now)).is_ok_and(|ready| ready > 0)
}
