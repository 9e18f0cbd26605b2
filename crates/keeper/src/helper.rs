//! Helpers: our own program, started again under a keeper, for work that must not be able to hurt this process.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::host::{self, HostError, wait};
use super::wire::{Event, Limits, Order, Request, is_ready, receive, send};

/// The first argument of a program that is started as a helper.
pub(crate) const ARGUMENT: &str = "__perennial_helper";
/// How long a helper may take to be started.
const BEGIN: Duration = Duration::from_secs(10);

/// Whether this process was started as a helper.
pub(crate) fn is_wanted() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().is_some_and(|first| first == ARGUMENT) && arguments.next().is_none()
}

/// Why there is no helper.
#[derive(Debug, thiserror::Error)]
pub enum HelperError {
    /// The program has neither called [`crate::supervisor_main`] nor named one that does.
    #[error("{0}")]
    Off(String),
    /// The system has no room for another process.
    #[error("{0}")]
    System(String),
}

impl From<HostError> for HelperError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::System(_) => Self::System(error.to_string()),
            HostError::Off | HostError::NoSupervisor { .. } => Self::Off(error.to_string()),
        }
    }
}

impl From<io::Error> for HelperError {
    fn from(error: io::Error) -> Self {
        Self::System(error.to_string())
    }
}

impl From<Errno> for HelperError {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

/// A process that does what [`crate::supervisor_main`] was given, with the other end of a socket. It is killed when this is dropped, and when this process
/// is gone.
#[derive(Debug)]
pub struct Helper {
    /// Its keeper's; letting go of it kills.
    control: OwnedFd,
    socket: UnixStream,
}

impl Helper {
    /// Starts one. Blocks, for the time that starting a process takes.
    ///
    /// # Errors
    /// If this process has no supervisor, or the system no room.
    pub fn start() -> Result<Self, HelperError> {
        let (socket, theirs) = UnixStream::pair()?;
        let null: OwnedFd = std::fs::OpenOptions::new().write(true).open("/dev/null")?.into();
        let request = Request {
            argv: vec!["/proc/self/exe".to_owned(), ARGUMENT.to_owned()],
            env: Vec::new(),
            cwd: "/".to_owned(),
            limits: Limits::default(),
        };
        let order = Order::Run(Some(request));
        // One that was told to end before it read what it was asked has started nothing.
        for _ in 0..5 {
            let control = host::make_keeper()?;
            match send(&control, &order, &[theirs.as_fd(), null.as_fd(), null.as_fd()]) {
                Ok(()) => {}
                Err(Errno::PIPE | Errno::CONNRESET) => continue,
                Err(error) => return Err(error.into()),
            }
            wait(&control, PollFlags::IN, BEGIN)?;
            match receive::<Event>(&control) {
                Ok(Some((Event::Started { .. }, _))) => return Ok(Self { control, socket }),
                Ok(Some((Event::Failed(why), _))) => return Err(HelperError::System(why)),
                Ok(_) | Err(Errno::CONNRESET) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(HelperError::System("its keeper was killed".to_owned()))
    }

    /// Whether it has not ended, as far as its keeper has said.
    pub fn is_alive(&self) -> bool {
        !is_ready(&self.control)
    }

    /// The socket whose other end the helper has.
    pub fn socket(&self) -> &UnixStream {
        &self.socket
    }
}
