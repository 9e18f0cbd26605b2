//! One command that runs, as the host has it. Let go of, all of it is killed.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot, watch};

use super::host::{self, HostError, Tenant};
use super::mark::{Mark, VARIABLE};
use super::wire::{Ended, Event, Measured, Order, Request, order_to_run, receive, send};

/// How long a command is waited for to begin.
const BEGIN: Duration = Duration::from_secs(10);
/// A keeper that was told to end everything, and has not by then, may be kept from it.
const HURRY: Duration = Duration::from_millis(100);

/// How far a command is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It has not ended.
    Running,
    /// The command has ended; what it had started is being killed.
    Ended(Ended),
    /// Nothing is left.
    Gone(Ended),
}

impl Stage {
    /// How it has ended, if it has.
    pub fn ended(&self) -> Option<Ended> {
        match self {
            Self::Running => None,
            Self::Ended(ended) | Self::Gone(ended) => Some(*ended),
        }
    }
}

/// Signals that were asked for and not passed on yet: each once at most, as the system has them (signal(7), "Queueing and delivery semantics").
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<AtomicU64>);

impl Signals {
    fn bit(signal: i32) -> u64 {
        1 << (signal & 63)
    }

    /// Whether it is not among them yet.
    pub fn add(&self, signal: i32) -> bool {
        self.0.fetch_or(Self::bit(signal), Ordering::AcqRel) & Self::bit(signal) == 0
    }

    /// It was passed on.
    pub fn remove(&self, signal: i32) {
        self.0.fetch_and(!Self::bit(signal), Ordering::AcqRel);
    }
}

enum Ask {
    Signal(i32),
    Terminate,
    Measure(oneshot::Sender<Measured>),
    Kill,
}

/// A command and all that it starts. Dropped, all of it is killed.
#[derive(Debug)]
pub struct Process {
    /// The command's own.
    pub pid: u32,
    asks: mpsc::UnboundedSender<Ask>,
    signals: Signals,
    /// How far it is.
    pub stage: watch::Receiver<Stage>,
    /// More processes than it may have; it was killed for that.
    pub too_many: watch::Receiver<Option<u64>>,
}

/// The other ends of what a command reads and writes.
pub struct Streams {
    /// Nothing where it reads nothing.
    pub stdin: Option<pipe::Sender>,
    /// What it writes.
    pub stdout: pipe::Receiver,
    /// What it complains of.
    pub stderr: pipe::Receiver,
}

/// Why a command has not begun.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing can be started.
    #[error(transparent)]
    Host(#[from] HostError),
    /// This cannot.
    #[error("{0}")]
    Command(String),
}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self::Host(HostError::System(error))
    }
}

/// What is known of a command whose keeper was killed.
const LOST: Ended = Ended { code: None, signal: Some(9), cpu_ms: 0 };

impl Process {
    /// Starts a command. `held` is let go of when nothing of the command is left, whoever has lost interest in it before.
    ///
    /// # Cancellation
    /// Dropping the future kills what was started.
    ///
    /// # Errors
    /// If nothing can be started here, or this command cannot.
    pub async fn start(
        tenant: &Arc<Tenant>,
        mut request: Request,
        has_stdin: bool,
        held: impl Send + Sync + 'static,
    ) -> Result<(Self, Streams), StartError> {
        request.env.retain(|(name, _)| name != VARIABLE);
        request.env.push((VARIABLE.to_owned(), Mark::own()?.to_string()));
        let (order, file) = order_to_run(request)?;
        let held = Arc::new(held);
        loop {
            match Self::begin(tenant, &order, file.as_ref(), has_stdin, held.clone()).await? {
                Begun::Running(process, streams) => return Ok((process, streams)),
                // Its keeper was about to end, and another one is asked.
                Begun::Unread => {}
            }
        }
    }

    async fn begin(
        tenant: &Arc<Tenant>,
        order: &Order,
        file: Option<&OwnedFd>,
        has_stdin: bool,
        held: Arc<impl Send + Sync + 'static>,
    ) -> Result<Begun, StartError> {
        let (stdin, in_write) = if has_stdin {
            let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?;
            (read, Some(write))
        } else {
            (File::open("/dev/null")?.into(), None)
        };
        let (out_read, out_write) = pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?;
        let (err_read, err_write) = pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?;
        let streams = Streams {
            stdin: in_write.map(pipe::Sender::from_owned_fd).transpose()?,
            stdout: pipe::Receiver::from_owned_fd(out_read)?,
            stderr: pipe::Receiver::from_owned_fd(err_read)?,
        };
        let keeper = match host::idle_keeper(tenant) {
            Some(keeper) => keeper,
            None => tokio::task::spawn_blocking(host::make_keeper).await.map_err(io::Error::other)??,
        };
        let descriptors: Vec<_> = [&stdin, &out_write, &err_write].into_iter().chain(file).map(AsFd::as_fd).collect();
        match send(&keeper, order, &descriptors) {
            Ok(()) => {}
            Err(Errno::PIPE | Errno::CONNRESET) => return Ok(Begun::Unread),
            Err(error) => return Err(io::Error::from(error).into()),
        }
        drop((stdin, out_write, err_write));
        let control = UnixStream::from_std(keeper.into())?;
        let (asks, asked) = mpsc::unbounded_channel();
        let (stage, seen) = watch::channel(Stage::Running);
        let (many, too_many) = watch::channel(None);
        let (begin, begun) = oneshot::channel();
        let tenant = tenant.clone();
        let signals = Signals::default();
        let asked_signals = signals.clone();
        tokio::spawn(async move {
            Attendant {
                tenant,
                signals: asked_signals,
                control,
                keeper: 0,
                stage,
                too_many: many,
                orders: VecDeque::new(),
            }
            .attend(asked, begin)
            .await;
            drop(held);
        });
        match begun.await {
            Ok(Ok(pid)) => Ok(Begun::Running(Self { pid, asks, signals, stage: seen, too_many }, streams)),
            Ok(Err(NotBegun::Unread)) => Ok(Begun::Unread),
            Ok(Err(NotBegun::Failed(why))) => Err(StartError::Command(why)),
            Err(_) => Err(StartError::Command("its keeper was killed".to_owned())),
        }
    }

    /// Sends a signal to the command's group, if the command has not ended.
    pub fn signal(&self, signal: i32) {
        if self.signals.add(signal) {
            // Whoever has ended needs none.
            let _ = self.asks.send(Ask::Signal(signal));
        }
    }

    /// Asks it to end, and gives what it has started the same time.
    pub fn terminate(&self) {
        let _ = self.asks.send(Ask::Terminate);
    }

    /// Kills all of it.
    pub fn kill(&self) {
        let _ = self.asks.send(Ask::Kill);
    }

    /// What it takes now; nothing if it has ended.
    ///
    /// # Cancellation
    /// Dropping the future waits no more; nothing else changes.
    pub async fn measure(&self) -> Option<Measured> {
        let (answer, measured) = oneshot::channel();
        self.asks.send(Ask::Measure(answer)).ok()?;
        tokio::time::timeout(Duration::from_secs(5), measured).await.ok()?.ok()
    }

    /// Waits until nothing of it is left.
    ///
    /// # Cancellation
    /// Dropping the future waits no more; nothing else changes.
    pub async fn gone(&self) -> Ended {
        let mut stage = self.stage.clone();
        let seen = stage.wait_for(|stage| matches!(stage, Stage::Gone(_))).await;
        seen.ok().and_then(|stage| stage.ended()).unwrap_or(LOST)
    }
}

enum Begun {
    Running(Process, Streams),
    /// The keeper has ended without having read what it was asked: nothing was started.
    Unread,
}

enum NotBegun {
    Unread,
    Failed(String),
}

/// What the keeper says next; `None` when it has ended.
async fn next(control: &UnixStream) -> Result<Option<Event>, Errno> {
    loop {
        control.readable().await.map_err(|_| Errno::IO)?;
        let mut received = Err(Errno::WOULDBLOCK);
        let _: io::Result<()> = control.try_io(Interest::READABLE, || {
            received = receive::<Event>(control);
            received.as_ref().map(drop).map_err(|error| io::Error::from(*error))
        });
        match received {
            Err(Errno::WOULDBLOCK) => {}
            received => return Ok(received?.map(|(event, _)| event)),
        }
    }
}

/// Who speaks with the keeper, until nothing of the command is left.
struct Attendant {
    tenant: Arc<Tenant>,
    control: UnixStream,
    /// The number of its process, for the supervisor.
    keeper: u32,
    stage: watch::Sender<Stage>,
    too_many: watch::Sender<Option<u64>>,
    signals: Signals,
    /// What it could not be told yet, each once.
    orders: VecDeque<Order>,
}

type Begin = oneshot::Sender<Result<u32, NotBegun>>;

impl Attendant {
    /// Tells the keeper, now or when it listens.
    fn order(&mut self, order: Order) {
        if !self.orders.contains(&order) {
            self.orders.push_back(order);
        }
        self.tell();
    }

    fn tell(&mut self) {
        while let Some(order) = self.orders.front() {
            match send(&self.control, order, &[]) {
                Err(Errno::WOULDBLOCK) => return,
                // A keeper that is gone is seen by the end of its socket.
                _ => _ = self.orders.pop_front(),
            }
        }
    }

    /// Tells the keeper to kill everything, which needs no room among what it has not read: the end of the socket is an order too.
    fn kill(&mut self) {
        self.order(Order::Kill);
        if !self.orders.is_empty() {
            let _: rustix::io::Result<()> = rustix::net::shutdown(&self.control, rustix::net::Shutdown::Write);
            self.orders.clear();
        }
    }

    async fn attend(mut self, mut asked: mpsc::UnboundedReceiver<Ask>, begin: Begin) {
        let mut measuring: Vec<oneshot::Sender<Measured>> = Vec::new();
        let (mut begin, mut is_wanted, mut was_reset) = (Some(begin), true, false);
        // When something is to have happened: it has begun, it has ended.
        let late = tokio::time::sleep(BEGIN);
        let mut late = std::pin::pin!(late);
        let mut is_dying = false;
        let is_gone = loop {
            tokio::select! {
                event = next(&self.control) => match event {
                    Ok(Some(Event::Started { pid, keeper })) => {
                        self.keeper = keeper;
                        _ = begin.take().map(|begin| begin.send(Ok(pid)));
                    }
                    Ok(Some(Event::Failed(why))) => {
                        _ = begin.take().map(|begin| begin.send(Err(NotBegun::Failed(why))));
                    }
                    Ok(Some(Event::Exited(ended))) => _ = self.stage.send(Stage::Ended(ended)),
                    Ok(Some(Event::Measured(measured))) => {
                        measuring.drain(..).for_each(|answer| _ = answer.send(measured));
                    }
                    Ok(Some(Event::TooMany(most))) => _ = self.too_many.send(Some(most)),
                    Ok(Some(Event::Stuck(pids))) => {
                        tracing::warn!(?pids, "processes of a command do not die, though they were killed");
                    }
                    Ok(Some(Event::Gone(ended))) => {
                        if let Some(ended) = ended {
                            let _ = self.stage.send(Stage::Ended(ended));
                        }
                        break true;
                    }
                    // It was closed with something unread in it (unix(7)), which is said before what it has told.
                    Err(Errno::CONNRESET) => was_reset = true,
                    Ok(None) | Err(_) => {
                        // Before it has begun nothing else was asked.
                        if was_reset && let Some(begin) = begin.take() {
                            let _ = begin.send(Err(NotBegun::Unread));
                        }
                        break false;
                    }
                },
                _ = self.control.writable(), if !self.orders.is_empty() => self.tell(),
                ask = asked.recv(), if is_wanted => match ask {
                    Some(Ask::Signal(number)) => {
                        self.signals.remove(number);
                        self.order(Order::Signal(number));
                    }
                    Some(Ask::Terminate) => self.order(Order::Terminate),
                    Some(Ask::Measure(answer)) => {
                        // One answer is for all who wait.
                        if measuring.is_empty() {
                            self.order(Order::Measure);
                        }
                        measuring.push(answer);
                    }
                    ask @ (Some(Ask::Kill) | None) => {
                        is_wanted = ask.is_some();
                        self.kill();
                        if !is_dying {
                            is_dying = true;
                            late.as_mut().reset(tokio::time::Instant::now() + HURRY);
                        }
                    }
                },
                () = &mut late, if begin.is_some() || is_dying => {
                    if let Some(begin) = begin.take() {
                        let why = format!("it has not begun within {BEGIN:?}");
                        let _ = begin.send(Err(NotBegun::Failed(why)));
                        // A supervisor that somebody has stopped makes no keeper.
                        hurry(self.keeper).await;
                        break false;
                    }
                    hurry(self.keeper).await;
                    late.as_mut().reset(tokio::time::Instant::now() + HURRY);
                }
            }
        };
        let ended = self.stage.borrow().ended().unwrap_or(LOST);
        if is_gone
            && self.orders.is_empty()
            && let Ok(control) = self.control.into_std()
        {
            host::give_back(self.tenant, control.into());
        }
        let _ = self.stage.send(Stage::Gone(ended));
    }
}

async fn hurry(keeper: u32) {
    // Without a thread for it, others will ask again.
    let _: Result<(), _> = tokio::task::spawn_blocking(move || host::hurry(keeper)).await;
}
