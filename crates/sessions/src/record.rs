use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use perennial_engine::{Console, EngineConfig, Globals, StopHandle};
use perennial_protocol::{EndReason, RebuildReason, ScriptError};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::custody::{Custody, Permit};
use crate::epochs::Epochs;
use crate::key::SessionKey;
use crate::lock::lock;
use crate::provision::Slots;

/// One session as the table knows it. What only the holder of the execution guard touches is in [`SessionState`].
#[repr(C)]
pub(crate) struct Record {
    hot: Hot,
    pub(crate) key: SessionKey,
    pub(crate) created: Instant,
    /// What the session has, each opened when it is first needed.
    pub(crate) provided: Slots,
    pub(crate) console: Console,
    /// The execution guard.
    pub(crate) exec: Arc<tokio::sync::Mutex<SessionState>>,
    pub(crate) custody: Arc<Custody>,
    /// Stamp of the idle VM; 0 if there is none. Taken by swapping, so that a VM has one taker.
    pub(crate) warm: AtomicU64,
    /// Callbacks may still run between the runs.
    pub(crate) background: AtomicBool,
    /// Counts checkpoints of all sessions of its owner.
    pub(crate) numbers: Arc<AtomicU64>,
    /// The number of the last permit that a run of this session has had.
    pub(crate) flight: AtomicU64,
    /// Runs completed, for listings.
    pub(crate) runs: AtomicU64,
    /// Wakes whoever waits for the session when it ends.
    ended: Notify,
    stop: Mutex<Option<StopHandle>>,
    pub(crate) replaces: Mutex<Option<EndReason>>,
    /// Its owner has as many sessions as it may: this one is in no map, and has ended before it began.
    pub(crate) refused: Option<ScriptError>,
}

/// What every `acquire` touches. It comes first in the record, beside the reference counts that cloning touches.
struct Hot {
    /// Slots and guards held. Raised under the map's shard lock only, so that reaping and acquiring exclude each other.
    pins: AtomicUsize,
    /// When the last run ended, in nanoseconds after `created`.
    idle_since: AtomicU64,
    /// The reaper has an entry for this record.
    queued: AtomicBool,
    ended_because: AtomicU8,
}

/// What the holder of the execution guard knows of the session's VM.
#[derive(Default)]
pub(crate) struct SessionState {
    /// Runs that were given to a VM.
    pub(crate) seq: u64,
    /// The session has had a VM.
    pub(crate) had_vm: bool,
    /// Why that VM is gone, if it is known to be.
    pub(crate) lost_because: Option<RebuildReason>,
    /// What its last completed run left.
    pub(crate) globals: Globals,
    /// What a run declares that was given up in the middle; the next one finds it here.
    pub(crate) under_way: Option<Declares>,
    /// Generations of outside resources that the VM has seen.
    pub(crate) epochs: Epochs,
    pub(crate) config: Option<MadeOf>,
    /// The task that lets callbacks run.
    pub(crate) pump: Option<AbortHandle>,
    pub(crate) background: BackgroundBudget,
}

/// What a run's program declares, as soon as that is known.
pub(crate) type Declares = Arc<OnceLock<Arc<[String]>>>;

/// What a VM is made of.
#[derive(Clone)]
pub(crate) struct MadeOf {
    /// What the table has.
    pub(crate) table: EngineConfig,
    /// What the call brings besides.
    pub(crate) brought: Option<EngineConfig>,
    /// Both.
    pub(crate) whole: EngineConfig,
}

impl MadeOf {
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.table == other.table && self.brought == other.brought
    }
}

/// CPU time of callbacks in the current minute, and since the last run.
#[derive(Default)]
pub(crate) struct BackgroundBudget {
    minute: Option<Instant>,
    spent: Duration,
    pub(crate) since_last_run: Duration,
}

impl BackgroundBudget {
    /// What is left of `budget` in the minute that `now` belongs to.
    pub(crate) fn left(&mut self, budget: Duration, now: Instant) -> Duration {
        if self.minute.is_none_or(|start| now >= start + Duration::from_secs(60)) {
            self.minute = Some(now);
            self.spent = Duration::ZERO;
        }
        budget.saturating_sub(self.spent)
    }

    pub(crate) fn spend(&mut self, time: Duration) {
        self.spent += time;
        self.since_last_run += time;
    }
}

fn reason_from(value: u8) -> Option<EndReason> {
    Some(match value {
        1 => EndReason::Idle,
        2 => EndReason::Lifetime,
        3 => EndReason::Removed,
        4 => EndReason::Cleared,
        5 => EndReason::TableDropped,
        _ => return None,
    })
}

fn reason_to(reason: EndReason) -> u8 {
    match reason {
        EndReason::Idle => 1,
        EndReason::Lifetime => 2,
        EndReason::Removed => 3,
        EndReason::Cleared => 4,
        EndReason::TableDropped => 5,
    }
}

impl Record {
    pub(crate) fn new(
        key: SessionKey,
        now: Instant,
        replaces: Option<EndReason>,
        custody: Arc<Custody>,
        refused: Option<ScriptError>,
        provided: Slots,
        numbers: Arc<AtomicU64>,
    ) -> Arc<Self> {
        Arc::new(Self {
            key,
            refused,
            created: now,
            provided,
            console: Console::default(),
            exec: Arc::default(),
            custody,
            hot: Hot {
                pins: AtomicUsize::new(0),
                idle_since: AtomicU64::new(0),
                queued: AtomicBool::new(false),
                ended_because: AtomicU8::new(0),
            },
            warm: AtomicU64::new(0),
            background: AtomicBool::new(false),
            numbers,
            flight: AtomicU64::new(0),
            runs: AtomicU64::new(0),
            ended: Notify::new(),
            stop: Mutex::default(),
            replaces: Mutex::new(replaces),
        })
    }

    pub(crate) fn pin(&self) {
        self.hot.pins.fetch_add(1, Ordering::AcqRel);
    }

    /// `true` if nobody holds the record any more.
    pub(crate) fn unpin(&self) -> bool {
        self.hot.pins.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Whether the reaper has an entry for this record.
    pub(crate) fn is_queued(&self) -> bool {
        self.hot.queued.load(Ordering::Acquire)
    }

    /// Notes whether the reaper has an entry; returns what was noted before.
    pub(crate) fn set_queued(&self, queued: bool) -> bool {
        self.hot.queued.swap(queued, Ordering::AcqRel)
    }

    pub(crate) fn is_pinned(&self) -> bool {
        self.hot.pins.load(Ordering::Acquire) > 0
    }

    /// The session is idle from now on.
    pub(crate) fn touch(&self, now: Instant) {
        let since = u64::try_from(now.saturating_duration_since(self.created).as_nanos()).unwrap_or(u64::MAX);
        self.hot.idle_since.fetch_max(since, Ordering::AcqRel);
    }

    pub(crate) fn idle_since(&self) -> Instant {
        self.created + Duration::from_nanos(self.hot.idle_since.load(Ordering::Acquire))
    }

    pub(crate) fn end_reason(&self) -> Option<EndReason> {
        reason_from(self.hot.ended_because.load(Ordering::Acquire))
    }

    /// Marks the session as ended; the first reason stays. `false` if it had ended before.
    pub(crate) fn mark_ended(&self, reason: EndReason) -> bool {
        let first =
            self.hot.ended_because.compare_exchange(0, reason_to(reason), Ordering::AcqRel, Ordering::Acquire).is_ok();
        if first {
            self.ended.notify_waiters();
            if let Some(stop) = lock(&self.stop).as_ref() {
                stop.cancel();
            }
        }
        first
    }

    /// Waits until the session has ended.
    pub(crate) async fn has_ended(&self) -> EndReason {
        loop {
            // Registered before the look, so that an end between the two is not missed.
            let mut ended = pin!(self.ended.notified());
            ended.as_mut().enable();
            if let Some(reason) = self.end_reason() {
                return reason;
            }
            ended.await;
        }
    }

    /// What stops the VM that is about to run. If the session has ended meanwhile, it is stopped at once.
    pub(crate) fn set_stop(&self, stop: StopHandle) {
        let mut slot = lock(&self.stop);
        if self.end_reason().is_some() {
            stop.cancel();
        }
        *slot = Some(stop);
    }

    pub(crate) fn clear_stop(&self) {
        *lock(&self.stop) = None;
    }

    /// Something of this session is in flight with this permit. Either who ends the session sees it, or whoever has the permit sees the end.
    pub(crate) fn set_flight(&self, permit: &Permit) {
        self.flight.store(permit.number(), Ordering::Release);
        fence(Ordering::SeqCst);
    }

    /// Whether a VM is, or may be, in flight under this name.
    pub(crate) fn is_running(&self) -> bool {
        self.custody.is_taken()
    }
}
