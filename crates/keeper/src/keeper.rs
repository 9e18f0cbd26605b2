//! A keeper: a process of our own that starts one command after the other and sees each to its end.
//!
//! It is the subreaper of what it starts, so that what leaves its group and its session is still below it. When the host lets go of it, or the host or the
//! supervisor is gone, it kills everything below it and ends when nothing is left.

use std::io::{Error, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, kill_process_group, waitid};

use super::cgroup::Cgroup;
use super::wire::{Ended, Event, Order, Request, receive, request_in, send};
use super::{launch, tree};

/// How often processes are counted where no cgroup does it: at first, and when their number does not change.
const COUNT: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(500)];
/// How long is waited before what does not die is looked for again, at first and at most.
const AGAIN: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(250)];
/// How often the system's limit of the user's processes follows what other programs of the user have, and how much more these may have until then.
const RAISE: Duration = Duration::from_secs(30);
const OTHERS: u64 = 1024;
/// How long a count of the user's processes is good for.
const FRESH: Duration = Duration::from_secs(5);
/// What has not died by then is said.
const STUCK: Duration = Duration::from_secs(5);

struct Keeper {
    control: OwnedFd,
    cgroup: Option<Cgroup>,
    command: Option<Running>,
    /// When the user's tasks were counted, and how many there were.
    tasks: Option<(Instant, u64)>,
    /// How many it may have by what was there before.
    most_tasks: Option<u64>,
    /// Nobody wants anything of it any more.
    is_over: bool,
}

struct Running {
    leader: Pid,
    /// The leader has ended and was reaped. Until then its number and its group's are its own.
    is_reaped: bool,
    /// How it has ended, until that is said.
    ended: Option<Ended>,
    /// Whoever was asked to end gets the time to: all of the group, not the leader alone.
    is_gentle: bool,
    /// Everything is being killed, since when.
    ending: Option<Instant>,
    pause: Duration,
    has_told: bool,
    most: Option<u64>,
    count: Count,
    /// CPU time of what was reaped before this command.
    before_ms: u64,
}

struct Count {
    last: u64,
    pause: Duration,
    /// When the system's limit was set.
    raised: Instant,
}

/// What watches over a keeper: the host and the supervisor, as descriptors of their processes.
pub(crate) struct Watch {
    pub(crate) host: OwnedFd,
    pub(crate) supervisor: OwnedFd,
}

/// Keeps commands until the host is done with it.
pub(crate) fn keep(control: OwnedFd, watch: &Watch, cgroup: Option<Cgroup>) {
    let _: rustix::io::Result<Pid> = rustix::process::setsid();
    let _: rustix::io::Result<()> = rustix::thread::set_name(c"perennial-keep");
    // Held back, not ignored: commands would ignore them too.
    let ready = (rustix::process::set_child_subreaper(Some(getpid())), SigSet::all().thread_block());
    let mut child_ends = SigSet::empty();
    child_ends.add(nix::sys::signal::Signal::SIGCHLD);
    let signals = SignalFd::with_flags(&child_ends, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
    let ((Ok(()), Ok(())), Ok(signals), Ok(())) = (ready, signals, launch::hold_back()) else { return };
    let most_tasks = rustix::process::getrlimit(rustix::process::Resource::Nproc).current;
    let cgroup = cgroup.filter(|cgroup| cgroup.join().is_ok());
    let mut keeper = Keeper { control, cgroup, command: None, tasks: None, most_tasks, is_over: false };
    while !(keeper.is_over && keeper.command.is_none() && tree::is_childless()) {
        let timeout = keeper.pause().map(|pause| Timespec {
            tv_sec: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: pause.subsec_nanos().into(),
        });
        let mut ready = vec![PollFd::new(&signals, PollFlags::IN)];
        if !keeper.is_over {
            for fd in [&keeper.control, &watch.host, &watch.supervisor] {
                ready.push(PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN));
            }
        }
        match poll(&mut ready, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => keeper.is_over = true,
        }
        let has = |index: usize| ready.get(index).is_some_and(|fd| !fd.revents().is_empty());
        let (has_order, has_lost) = (has(1), has(2) || has(3));
        drop(ready);
        while let Ok(Some(_)) = signals.read_signal() {}
        if has_lost {
            keeper.is_over = true;
        } else if has_order {
            keeper.obey();
        }
        keeper.attend();
    }
}

impl Running {
    /// To the group, as long as its number is its own.
    fn signal(&self, signal: Signal) {
        if !self.is_reaped {
            let _: rustix::io::Result<()> = kill_process_group(self.leader, signal);
        }
    }
}

impl Keeper {
    /// How long nothing has to be done unless something happens.
    fn pause(&self) -> Option<Duration> {
        match &self.command {
            Some(Running { ending: Some(_), pause, .. }) => Some(*pause),
            Some(running) => (running.most.is_some() && self.cgroup.is_none()).then_some(running.count.pause),
            None => self.is_over.then_some(AGAIN[1]),
        }
    }

    fn tell(&self, event: &Event) {
        // A host that does not listen is gone, or is stopped with a full socket; either way what it is told is not what this goes by.
        let _: Result<(), Errno> = send(&self.control, event, &[]);
    }

    fn obey(&mut self) {
        loop {
            match receive::<Order>(&self.control) {
                Ok(Some((Order::Run(request), descriptors))) => self.run(request, descriptors),
                Ok(Some((order, _))) => self.follow(order),
                Err(Errno::WOULDBLOCK) => return,
                // Whoever let go of it wants nothing of what was asked before.
                Ok(None) | Err(_) => {
                    self.is_over = true;
                    return;
                }
            }
        }
    }

    fn run(&mut self, request: Option<Request>, mut descriptors: Vec<OwnedFd>) {
        let before_ms = tree::reaped_ms();
        // A host that has gone meanwhile wants nothing to be started.
        let hung_up = |fd: &OwnedFd| {
            let mut one = [PollFd::new(fd, PollFlags::empty())];
            let _: rustix::io::Result<usize> = poll(&mut one, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }));
            one[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
        };
        if hung_up(&self.control) || self.command.is_some() {
            self.is_over = true;
            return;
        }
        let started = match request {
            Some(request) => Ok(request),
            None => descriptors.pop().ok_or(ErrorKind::UnexpectedEof.into()).and_then(request_in),
        };
        let started = started.and_then(|request| {
            let streams = descriptors.try_into().map_err(|_| Error::from(ErrorKind::UnexpectedEof))?;
            if let Some(cgroup) = &mut self.cgroup {
                // The keeper itself is one of them.
                cgroup.allow(request.limits.processes.map(|most| most.saturating_add(1)))?;
            }
            // Counting alone does not hold who forks faster than this process gets to count.
            let most = request.limits.processes.filter(|_| self.cgroup.is_none());
            let tasks = most.and_then(|most| tasks_for(most, &mut self.tasks));
            launch::limit_tasks(None, [tasks, self.most_tasks].into_iter().flatten().min());
            Ok((launch::command(&request, streams)?, request.limits.processes))
        });
        match started {
            Ok((leader, most)) => {
                self.tell(&Event::Started { pid: number(leader), keeper: number(getpid()) });
                self.command = Some(Running {
                    leader,
                    is_reaped: false,
                    ended: None,
                    is_gentle: false,
                    ending: None,
                    pause: AGAIN[0],
                    has_told: false,
                    most,
                    count: Count::new(),
                    before_ms,
                });
            }
            Err(error) => {
                let mut why = error.to_string();
                why.truncate(why.floor_char_boundary(1000));
                self.tell(&Event::Failed(why));
                // The child that did not get to its program was reaped where it was made.
                self.tell(&Event::Gone(None));
            }
        }
    }

    fn follow(&mut self, order: Order) {
        let Some(running) = &mut self.command else { return };
        match order {
            Order::Signal(number) => {
                if let Some(signal) = Signal::from_named_raw(number) {
                    running.signal(signal);
                }
            }
            Order::Terminate => {
                running.is_gentle = true;
                running.signal(Signal::TERM);
                // Who is stopped would not hear it.
                running.signal(Signal::CONT);
            }
            Order::Measure => {
                let mut measured = tree::measured();
                measured.cpu_ms += tree::reaped_ms().saturating_sub(running.before_ms);
                self.tell(&Event::Measured(measured));
            }
            Order::Kill => _ = running.ending.get_or_insert_with(Instant::now),
            Order::Run(_) => {}
        }
    }

    /// Looks after the command: whether it has ended, whether there are too many of it, and whether all of it is gone.
    fn attend(&mut self) {
        let Some(running) = &mut self.command else {
            if self.is_over {
                tree::kill_once(&|_| false);
                tree::reap_but(None);
            }
            return;
        };
        if self.is_over {
            running.ending.get_or_insert_with(Instant::now);
        }
        if running.ending.is_some() {
            running.signal(Signal::KILL);
        }
        if !running.is_reaped {
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let is_waiting = || running.is_gentle && running.ending.is_none() && tree::is_group_alive(running.leader);
            if let Ok(Some(status)) = waitid(WaitId::Pid(running.leader), look)
                && !is_waiting()
            {
                // While the group's number cannot be anybody else's.
                running.signal(Signal::KILL);
                tree::reap(running.leader);
                running.is_reaped = true;
                running.ending.get_or_insert_with(Instant::now);
                running.ended = Some(Ended {
                    code: status.exit_status(),
                    signal: status.terminating_signal(),
                    cpu_ms: tree::reaped_ms().saturating_sub(running.before_ms),
                });
            }
        }
        self.end_or_count();
    }

    fn end_or_count(&mut self) {
        let Some(running) = &mut self.command else { return };
        let leader = (!running.is_reaped).then_some(running.leader);
        let Some(since) = running.ending else {
            if let Some(most) = running.most.filter(|_| self.cgroup.is_none()) {
                let Some(processes) = tree::count(most) else {
                    running.ending = Some(Instant::now());
                    self.tell(&Event::TooMany(most));
                    return self.attend();
                };
                running.count.next(processes, most);
            }
            return tree::reap_but(leader);
        };
        if running.is_reaped && tree::is_childless() {
            let ended = running.ended.take();
            self.command = None;
            return self.tell(&Event::Gone(ended));
        }
        if let Some(ended) = running.ended.take() {
            self.tell(&Event::Exited(ended));
            return self.end_or_count();
        }
        if let Some(cgroup) = &mut self.cgroup {
            // Nobody forks any more.
            let _: std::io::Result<()> = cgroup.allow(Some(0));
        }
        // The leader is reaped by whoever looks at how it has ended.
        if !tree::kill_once(&|_| false) || since.elapsed() > STUCK {
            tree::reap_but(leader);
        }
        if running.is_reaped && tree::is_childless() {
            return self.end_or_count();
        }
        running.pause = (running.pause * 2).min(AGAIN[1]);
        if !running.has_told && since.elapsed() > STUCK {
            running.has_told = true;
            let stuck = tree::descendants().into_iter().take(16).map(|pid| pid.as_raw_nonzero().get()).collect();
            self.tell(&Event::Stuck(stuck));
        }
    }
}

fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}

impl Count {
    fn new() -> Self {
        Self { last: 1, pause: COUNT[0], raised: Instant::now() }
    }

    fn next(&mut self, processes: u64, most: u64) {
        self.pause = if processes == self.last { (self.pause * 2).min(COUNT[1]) } else { COUNT[0] };
        self.last = processes;
        if self.raised.elapsed() > RAISE {
            self.raised = Instant::now();
            if let Some(limit) = tasks_for(most, &mut None) {
                tree::children().into_iter().for_each(|child| launch::limit_tasks(Some(child), Some(limit)));
            }
        }
    }
}

/// What the system may be told where no cgroup counts: it counts all that the user has, and for root nothing. Counting takes longer than most commands.
fn tasks_for(most: u64, known: &mut Option<(Instant, u64)>) -> Option<u64> {
    let user = rustix::process::geteuid();
    if user.is_root() {
        return None;
    }
    let fresh = known.filter(|(when, _)| when.elapsed() < FRESH);
    let (_, tasks) = fresh.unwrap_or_else(|| *known.insert((Instant::now(), tree::tasks_of(user))));
    Some(tasks.saturating_add(most).saturating_add(OTHERS))
}
