//! Preparing sources that are not proven to be cheap: in a process of its own, within the time and memory of the run that wants them.
//!
//! `worker` is what runs there. A worker has one source at a time, and goes on to the next if it came through. What it does wrong, or what is done to
//! it, is the error of the run whose source it had.

mod worker;

pub(crate) use worker::serve;

use std::io::{self, Read, Write};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use perennial_bundler::{Denied, Preparer, Product, SourceError, Task};
use perennial_engine::Budget;
use perennial_keeper::{Helper, HelperError};
use perennial_protocol::{ErrorKind, ScriptError};

use self::worker::Status;

/// How often somebody who waits looks whether that is still wanted.
const LOOK: Duration = Duration::from_millis(20);
/// What preparing may take at least, however little the run may have.
const LEAST: u64 = 16 << 20;
/// Workers that have nothing to do, and workers at most. Who comes later waits.
const IDLE: usize = 2;
const MOST: usize = 64;

/// Prepares sources within limits: here what is proven to be cheap, in a process of its own everything else.
///
/// Without [`crate::supervisor_main`] or [`crate::use_supervisor`] there is no such process. Then what is proven to take time and memory in proportion to its
/// length is prepared here within the memory limit, and the rest is refused.
#[derive(Clone, Debug)]
pub struct LimitedPreparer<'b> {
    budget: Option<&'b Budget>,
    until: Option<Instant>,
    time: Duration,
    memory: u64,
}

impl LimitedPreparer<'static> {
    /// Limits of time and of bytes for each source.
    pub fn within(time: Duration, memory: u64) -> Self {
        Self { budget: None, until: Instant::now().checked_add(time), time, memory: memory.max(LEAST) }
    }

    /// For whoever prepares something by a call of the host's that belongs to no run: a minute, and 1 GiB.
    pub(crate) fn of_host() -> Self {
        Self::within(Duration::from_secs(60), 1 << 30)
    }
}

impl LimitedPreparer<'_> {
    /// Why a source was not prepared, as the result of a run says it that never began.
    pub fn error(&self, denied: &Denied) -> ScriptError {
        match denied {
            Denied::Stopped if self.budget.is_none() => {
                let message =
                    format!("preparing the script took longer than {} ms; nothing ran", self.time.as_millis());
                ScriptError::new(ErrorKind::Timeout, message)
            }
            // What stopped the run is what its result says.
            Denied::Stopped => ScriptError::new(ErrorKind::Cancelled, denied.to_string()),
            Denied::Limit { limit, used, .. } => {
                ScriptError::invalid_request(denied.to_string()).with_limit(*limit, *used)
            }
            Denied::Apart(_) => ScriptError::invalid_request(denied.to_string()),
        }
    }
}

impl<'b> LimitedPreparer<'b> {
    /// The limits of a run.
    pub(crate) fn of_run(budget: &'b Budget) -> Self {
        Self {
            budget: Some(budget),
            until: None,
            time: Duration::MAX,
            memory: (budget.memory_bytes() as u64).max(LEAST),
        }
    }

    fn is_over(&self) -> bool {
        self.budget.is_some_and(Budget::is_stopped) || self.until.is_some_and(|until| Instant::now() >= until)
    }

    fn too_large(&self, used: u64) -> Denied {
        let limit = self.memory;
        let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
        Denied::Limit {
            message: format!(
                "preparing the source takes more than the {} MiB of memory that the run may have: make it shorter or less nested, or pass data as args",
                megabytes(limit)
            ),
            limit,
            used,
        }
    }

    fn apart(&self, task: &Task<'_>) -> Result<Result<Product, SourceError>, Failure> {
        let mut worker = take(self)?;
        let sent = serde_json::to_vec(task).map_err(io::Error::from)?;
        match worker.prepare(&sent, self) {
            Ok(answer) => {
                give_back(Some(worker));
                Ok(serde_json::from_slice(&answer).map_err(io::Error::from)?)
            }
            Err(failure) => {
                // It is killed where it is dropped.
                drop(worker);
                give_back(None);
                Err(failure)
            }
        }
    }
}

impl Preparer for LimitedPreparer<'_> {
    fn prepare(&self, task: &Task<'_>) -> Result<Result<Product, SourceError>, Denied> {
        match self.apart(task) {
            Ok(outcome) => Ok(outcome),
            Err(Failure::Stopped) => Err(Denied::Stopped),
            Err(Failure::Memory(used)) => Err(self.too_large(used)),
            Err(Failure::Died) => Err(Denied::Apart(
                "the parser fails on this source, in a process of its own that it has ended: something in it is nested too deep, or it is a defect of the parser".to_owned(),
            )),
            Err(Failure::Helper(HelperError::System(why))) => {
                Err(Denied::Apart(format!("the source needs a process of its own to be prepared, and there is none: {why}")))
            }
            Err(Failure::Helper(HelperError::Off(off))) => match task.look().unproven {
                None if task.look().bytes > self.memory => Err(self.too_large(task.look().bytes)),
                None => Ok(task.run()),
                Some(why) => Err(Denied::Apart(format!(
                    "the source needs a process of its own to be prepared ({why}), and this program starts none: {off}"
                ))),
            },
        }
    }

    fn is_wanted(&self) -> Result<(), Denied> {
        if self.is_over() { Err(Denied::Stopped) } else { Ok(()) }
    }
}

/// Why a worker has prepared nothing.
#[derive(Debug)]
enum Failure {
    Stopped,
    /// With the bytes that it had.
    Memory(u64),
    Died,
    Helper(HelperError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Helper(HelperError::System(error.to_string()))
    }
}

/// A process that prepares sources.
struct Worker(Helper);

impl Worker {
    fn start() -> Result<Self, HelperError> {
        let helper = Helper::start()?;
        let timeouts = helper.socket().set_read_timeout(Some(LOOK)).and(helper.socket().set_write_timeout(Some(LOOK)));
        timeouts.map_err(|error| HelperError::System(error.to_string()))?;
        Ok(Self(helper))
    }

    /// Sends a task and waits for the answer, as long as that is wanted.
    fn prepare(&mut self, task: &[u8], terms: &LimitedPreparer<'_>) -> Result<Vec<u8>, Failure> {
        let mut waiting = Waiting { worker: &self.0, terms, since: Instant::now() };
        waiting.write(&(task.len() as u64).to_le_bytes())?;
        waiting.write(&terms.memory.to_le_bytes())?;
        waiting.write(task)?;
        let mut head = [0; 9];
        waiting.read(&mut head)?;
        let [status, length @ ..] = head;
        let length = u64::from_le_bytes(length);
        match Status::from_byte(status) {
            Some(Status::Done) if length <= terms.memory => {
                let mut answer = vec![0; length as usize];
                waiting.read(&mut answer)?;
                Ok(answer)
            }
            Some(Status::Done | Status::Memory) => Err(Failure::Memory(length)),
            None => Err(Failure::Died),
        }
    }
}

/// Somebody who waits for a worker, and looks now and then whether that is still wanted.
struct Waiting<'w> {
    worker: &'w Helper,
    terms: &'w LimitedPreparer<'w>,
    /// Until when what the worker has computed is accounted for.
    since: Instant,
}

impl Waiting<'_> {
    fn read(&mut self, mut into: &mut [u8]) -> Result<(), Failure> {
        while !into.is_empty() {
            let read = self.worker.socket().read(into);
            let read = self.moved(read)?;
            into = &mut into[read..];
        }
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        while !bytes.is_empty() {
            let written = self.worker.socket().write(bytes);
            let written = self.moved(written)?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// How many bytes have moved, if this goes on.
    fn moved(&mut self, moved: io::Result<usize>) -> Result<usize, Failure> {
        if let Some(budget) = self.terms.budget {
            budget.charge_cpu(self.since.elapsed());
        }
        self.since = Instant::now();
        match moved {
            Ok(0) => Err(Failure::Died),
            Ok(bytes) => Ok(bytes),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
                ) =>
            {
                if self.terms.is_over() {
                    Err(Failure::Stopped)
                } else {
                    Ok(0)
                }
            }
            Err(_) => Err(Failure::Died),
        }
    }
}

/// The workers of this process.
#[derive(Default)]
struct Workers {
    idle: Vec<Worker>,
    /// How many there are, those that are being started among them.
    all: usize,
    /// Somebody starts one that nobody waits for.
    has_starter: bool,
    /// Whose they are: a process that was forked from that one has others.
    host: u32,
}

static WORKERS: LazyLock<(Mutex<Workers>, Condvar)> = LazyLock::new(Default::default);

fn workers() -> MutexGuard<'static, Workers> {
    let mut workers = WORKERS.0.lock().unwrap_or_else(PoisonError::into_inner);
    if workers.host != std::process::id() {
        *workers = Workers { host: std::process::id(), ..Workers::default() };
    }
    workers
}

/// A worker that has nothing to do, or a new one.
fn take(terms: &LimitedPreparer<'_>) -> Result<Worker, Failure> {
    let mut all = workers();
    loop {
        while let Some(worker) = all.idle.pop() {
            if worker.0.is_alive() {
                return Ok(worker);
            }
            all.all -= 1;
        }
        if terms.is_over() {
            return Err(Failure::Stopped);
        }
        if all.all < MOST {
            break;
        }
        all = WORKERS.1.wait_timeout(all, LOOK).unwrap_or_else(PoisonError::into_inner).0;
    }
    all.all += 1;
    drop(all);
    Worker::start().map_err(|error| {
        workers().all -= 1;
        WORKERS.1.notify_one();
        Failure::Helper(error)
    })
}

/// A worker has come through, or it is gone: then another one is made ready for whoever comes next.
fn give_back(worker: Option<Worker>) {
    let mut all = workers();
    match worker {
        Some(worker) if all.idle.len() < IDLE => all.idle.push(worker),
        Some(_) => all.all -= 1,
        None => {
            all.all -= 1;
            if all.idle.is_empty() && !all.has_starter {
                all.has_starter = true;
                all.all += 1;
                drop(all);
                // Without a thread for it, the next one takes a little longer.
                if std::thread::Builder::new().name("perennial-spare".to_owned()).spawn(make_spare).is_err() {
                    let mut all = workers();
                    all.has_starter = false;
                    all.all -= 1;
                }
            }
        }
    }
    WORKERS.1.notify_one();
}

fn make_spare() {
    let spare = Worker::start();
    let mut all = workers();
    all.has_starter = false;
    match spare {
        Ok(spare) => all.idle.push(spare),
        Err(_) => all.all -= 1,
    }
    WORKERS.1.notify_one();
}
