use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::{Duration, Instant};

/// How many timers a VM may have running; what is held for them outside the heap is bounded by this.
pub(crate) const MAX_TIMERS: usize = 10_000;

/// A timer whose time has come.
pub(crate) struct Due {
    pub(crate) id: u32,
    /// It was started in an earlier run.
    pub(crate) foreign: bool,
}

/// The timers of one VM: due times in order; the callbacks are JavaScript's.
#[derive(Default)]
pub(crate) struct Timers {
    /// Timers that are not stopped, with the number of the run that started them.
    running: BTreeMap<u32, u32>,
    /// Due time, then order of starting; entries of stopped timers are skipped.
    due: BinaryHeap<Reverse<(Instant, u64, u32)>>,
    started: u64,
    next_id: u32,
    run: u32,
    /// The run of the timer that was taken last.
    taken_from: u32,
}

impl Timers {
    /// Starts a timer; `None` if there are too many.
    pub(crate) fn start(&mut self, after: Duration) -> Option<u32> {
        if self.running.len() >= MAX_TIMERS {
            return None;
        }
        self.next_id += 1;
        self.schedule(self.next_id, self.run, after);
        Some(self.next_id)
    }

    /// Timers started so far belong to an earlier run from now on.
    pub(crate) fn begin_run(&mut self) {
        self.run += 1;
    }

    /// Starts the next round of a repeating timer that has just been taken.
    pub(crate) fn again(&mut self, id: u32, after: Duration) {
        self.schedule(id, self.taken_from, after);
    }

    fn schedule(&mut self, id: u32, run: u32, after: Duration) {
        self.started += 1;
        self.running.insert(id, run);
        self.due.push(Reverse((Instant::now() + after, self.started, id)));
    }

    pub(crate) fn stop(&mut self, id: u32) {
        self.running.remove(&id);
        // Stopped entries leave with their time; a script that starts and stops for ever must not pile them up.
        if self.due.len() > 2 * MAX_TIMERS {
            let running = &self.running;
            self.due.retain(|Reverse((_, _, id))| running.contains_key(id));
        }
    }

    /// Which run it is.
    pub(crate) fn run_number(&self) -> u32 {
        self.run
    }

    /// Stops the timers that this run has started, and says which they were.
    pub(crate) fn stop_run(&mut self) -> Vec<u32> {
        let (run, mut stopped) = (self.run, Vec::new());
        self.running.retain(|id, of| {
            if *of == run {
                stopped.push(*id);
            }
            *of != run
        });
        stopped
    }

    /// When the next timer is due.
    pub(crate) fn next(&mut self) -> Option<Instant> {
        while let Some(Reverse((at, _, id))) = self.due.peek() {
            if self.running.contains_key(id) {
                return Some(*at);
            }
            self.due.pop();
        }
        None
    }

    /// Takes a timer that is due by `now`.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Due> {
        if self.next()? > now {
            return None;
        }
        let Reverse((_, _, id)) = self.due.pop()?;
        self.taken_from = self.running.remove(&id)?;
        Some(Due { id, foreign: self.taken_from != self.run })
    }
}
