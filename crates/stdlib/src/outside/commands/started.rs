//! A command that goes on by itself: one task sees it through its ends and restarts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use perennial_keeper::{Ended, Measured, Process, Request, Signals, StartError, Streams};
use serde_json::{Value, json};
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::declaration::{Declaration, Restart};
use super::logs::{Logs, Stream, follow};
use super::once::signal_name;
use super::ports::Ports;
use super::registry::Place;

/// Pauses before a command that has ended is started again, the first and the longest; one that has run as long as the longest begins anew.
const PAUSE: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(30)];
/// How long what is left in pipes is read when nobody is left to write to them.
const DRAIN: Duration = Duration::from_millis(100);

/// How far a started command is.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// Of its present process, or its last one.
    pub(super) pid: u32,
    pub(super) since: Instant,
    /// How it has ended and, if it is to be started again, ended last.
    pub(super) ended: Option<Ended>,
    pub(super) is_running: bool,
    /// It has ended, and nobody starts it again.
    pub(super) is_over: bool,
    pub(super) restarts: u32,
    /// Why it ended, if that is not its own doing.
    pub(super) why: Option<String>,
}

enum Ask {
    Signal(i32),
    Measure(oneshot::Sender<Option<Measured>>),
    /// `TERM`, and `KILL` after the grace.
    Stop {
        grace: Duration,
        is_restart: bool,
        done: oneshot::Sender<Result<(), String>>,
    },
    Kill,
}

/// What scripts have of a command that goes on.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) id: u32,
    pub(super) name: String,
    /// The plugin that started it.
    pub(super) owner: Option<String>,
    pub(super) ports: Ports,
    pub(super) logs: Arc<Logs>,
    stdin: Stdin,
    pub(super) state: watch::Receiver<Progress>,
    pub(super) declaration: Arc<Declaration>,
    /// Somebody wants it ended.
    is_stopping: AtomicBool,
    asks: mpsc::UnboundedSender<Ask>,
    signals: Signals,
}

/// The input of the present process, and whoever writes to it at the moment.
pub(super) type Input = Arc<tokio::sync::Mutex<Option<pipe::Sender>>>;
/// Each process has an input of its own, so that nobody who still writes to an earlier one is in the way.
type Stdin = Arc<Mutex<Input>>;

fn replace(stdin: &Stdin, pipe: Option<pipe::Sender>) {
    *stdin.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(tokio::sync::Mutex::new(pipe));
}

/// Of whom a command is, and what it is.
pub(super) struct Identity {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) owner: Option<String>,
    pub(super) ports: Ports,
}

impl Started {
    /// Starts it for the first time.
    pub(super) async fn start(
        identity: Identity,
        declaration: Arc<Declaration>,
        request: Request,
        place: Place,
    ) -> Result<Arc<Self>, StartError> {
        let place = Arc::new(place);
        let (process, mut streams) = Process::start(&place.session, request.clone(), true, place.clone()).await?;
        place.count_begun();
        let Identity { id, name, owner, ports } = identity;
        let first = Progress {
            pid: process.pid,
            since: Instant::now(),
            ended: None,
            is_running: true,
            is_over: false,
            restarts: 0,
            why: None,
        };
        let (state, seen) = watch::channel(first);
        let (asks, asked) = mpsc::unbounded_channel();
        let (logs, stdin) = (Arc::default(), Stdin::default());
        replace(&stdin, streams.stdin.take());
        let driver = Driver {
            declaration: Arc::clone(&declaration),
            request,
            place,
            logs: Arc::clone(&logs),
            stdin: Arc::clone(&stdin),
            state,
            asked,
            signals: Signals::default(),
            pause: PAUSE[0],
        };
        let signals = driver.signals.clone();
        tokio::spawn(driver.drive(process, streams));
        let is_stopping = AtomicBool::new(false);
        Ok(Arc::new(Self { id, name, owner, ports, logs, stdin, state: seen, declaration, is_stopping, asks, signals }))
    }

    pub(super) fn input(&self) -> Input {
        self.stdin.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it runs, or will again, and nobody has asked for its end.
    pub(super) fn stays(&self) -> bool {
        self.is_running() && !self.is_stopping.load(Ordering::Acquire)
    }

    /// Whether it runs, or will again.
    pub(super) fn is_running(&self) -> bool {
        !self.state.borrow().is_over
    }

    pub(super) fn kill(&self) {
        // Whoever has ended needs none of these.
        let _ = self.asks.send(Ask::Kill);
    }

    pub(super) fn signal(&self, signal: i32) {
        if self.signals.add(signal) {
            let _ = self.asks.send(Ask::Signal(signal));
        }
    }

    pub(super) async fn measure(&self) -> Option<Measured> {
        let (answer, measured) = oneshot::channel();
        self.asks.send(Ask::Measure(answer)).ok()?;
        measured.await.ok()?
    }

    /// Ends it, and starts it again if that is wanted. It goes on if nobody waits for it.
    pub(super) async fn stop(&self, grace: Duration, is_restart: bool) -> Result<(), String> {
        if !is_restart {
            self.is_stopping.store(true, Ordering::Release);
        }
        let (done, result) = oneshot::channel();
        if self.asks.send(Ask::Stop { grace, is_restart, done }).is_err() {
            // It is over.
            return if is_restart { Err("it has ended: start it".to_owned()) } else { Ok(()) };
        }
        result.await.unwrap_or(Ok(()))
    }

    /// Waits until it is over.
    pub(super) async fn over(&self) -> Progress {
        let mut state = self.state.clone();
        let seen = state.wait_for(|state| state.is_over).await.map(|state| state.clone());
        seen.unwrap_or_else(|_| self.state.borrow().clone())
    }

    /// What is told of it.
    pub(super) fn told(&self) -> Value {
        let state = self.state.borrow();
        let mut told = json!({
            "id": self.id, "name": self.name, "pid": state.pid, "running": state.is_running,
            "exitCode": state.ended.and_then(|ended| ended.code), "signal": state.ended.and_then(|ended| ended.signal).map(signal_name),
            "uptimeMs": if state.is_running { state.since.elapsed().as_secs_f64() * 1000.0 } else { 0.0 },
            "restarts": state.restarts, "ports": self.ports.0,
        });
        if let Some(why) = &state.why {
            told["why"] = json!(why);
        }
        told
    }
}

struct Driver {
    declaration: Arc<Declaration>,
    request: Request,
    place: Arc<Place>,
    logs: Arc<Logs>,
    stdin: Stdin,
    state: watch::Sender<Progress>,
    asked: mpsc::UnboundedReceiver<Ask>,
    signals: Signals,
    pause: Duration,
}

/// What is wanted of a process that has ended.
enum Wanted {
    /// Nobody asked for its end.
    Nothing,
    Restart(Vec<oneshot::Sender<Result<(), String>>>),
    End(Vec<oneshot::Sender<Result<(), String>>>),
}

impl Driver {
    async fn drive(mut self, process: Process, streams: Streams) {
        let mut next = Some((process, streams));
        let mut waiting = Vec::new();
        while let Some((process, streams)) = next.take() {
            let begun = Instant::now();
            let (ended, wanted) = self.see_through(process, streams).await;
            self.state.send_modify(|state| {
                state.is_running = false;
                state.ended = Some(ended);
            });
            if begun.elapsed() >= PAUSE[1] {
                self.pause = PAUSE[0];
            }
            let mut wanted = match wanted {
                Wanted::Nothing => match self.declaration.restart {
                    Restart::Always => Wanted::Restart(Vec::new()),
                    Restart::OnFailure if ended.code != Some(0) => Wanted::Restart(Vec::new()),
                    _ => Wanted::End(Vec::new()),
                },
                wanted => wanted,
            };
            // Until it runs again, or shall not.
            while let Wanted::Restart(done) = wanted {
                if done.is_empty() && !self.wait().await {
                    wanted = Wanted::End(Vec::new());
                    break;
                }
                match Process::start(&self.place.session, self.request.clone(), true, self.place.clone()).await {
                    Ok((process, mut streams)) => {
                        self.place.count_begun();
                        replace(&self.stdin, streams.stdin.take());
                        self.state.send_modify(|state| {
                            state.pid = process.pid;
                            state.since = Instant::now();
                            state.ended = None;
                            state.is_running = true;
                            state.why = None;
                            state.restarts += 1;
                        });
                        done.into_iter().for_each(|done| _ = done.send(Ok(())));
                        next = Some((process, streams));
                        wanted = Wanted::Nothing;
                    }
                    Err(error) => {
                        let why = format!("it could not be started again: {error}");
                        self.logs.add(Stream::Host, why.clone(), false);
                        self.state.send_modify(|state| state.why = Some(why.clone()));
                        let is_asked = !done.is_empty();
                        done.into_iter().for_each(|done| _ = done.send(Err(why.clone())));
                        wanted = if is_asked { Wanted::End(Vec::new()) } else { Wanted::Restart(Vec::new()) };
                    }
                }
            }
            if let Wanted::End(done) = wanted {
                waiting = done;
            }
        }
        replace(&self.stdin, None);
        let Self { place, state, .. } = self;
        drop(place);
        state.send_modify(|state| state.is_over = true);
        waiting.into_iter().for_each(|done| _ = done.send(Ok(())));
    }

    /// Waits before the next start; `false` if there shall be none.
    async fn wait(&mut self) -> bool {
        let pause = tokio::time::sleep(self.pause);
        self.pause = (self.pause * 2).min(PAUSE[1]);
        let mut pause = std::pin::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return true,
                ask = self.asked.recv() => match ask {
                    Some(Ask::Stop { is_restart: true, done, .. }) => {
                        // Now, then.
                        let _ = done.send(Ok(()));
                        return true;
                    }
                    Some(Ask::Stop { done, .. }) => {
                        let _ = done.send(Ok(()));
                        return false;
                    }
                    Some(Ask::Kill) | None => return false,
                    Some(Ask::Signal(signal)) => self.signals.remove(signal),
                    Some(Ask::Measure(answer)) => _ = answer.send(None),
                },
            }
        }
    }

    /// One process, from its start until nothing of it is left and what it wrote is read.
    async fn see_through(&mut self, process: Process, streams: Streams) -> (Ended, Wanted) {
        let Streams { stdin: _, stdout, stderr } = streams;
        let both = [(stdout, Stream::Stdout), (stderr, Stream::Stderr)];
        let mut followers = both.map(|(stream, which)| tokio::spawn(follow(self.logs.clone(), stream, which)));
        let process = Arc::new(process);
        let mut wanted = Wanted::Nothing;
        let mut kill_at = None;
        let ended = loop {
            let grace = async {
                match kill_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ended = process.gone() => break ended,
                () = grace => {
                    process.kill();
                    kill_at = None;
                }
                ask = self.asked.recv() => match ask {
                    Some(Ask::Signal(signal)) => {
                        self.signals.remove(signal);
                        process.signal(signal);
                    }
                    Some(Ask::Measure(answer)) => {
                        let process = process.clone();
                        tokio::spawn(async move { answer.send(process.measure().await) });
                    }
                    Some(Ask::Stop { grace, is_restart, done }) => {
                        process.terminate();
                        let at = tokio::time::Instant::now() + grace;
                        kill_at = Some(kill_at.map_or(at, |known: tokio::time::Instant| known.min(at)));
                        wanted = match (wanted, is_restart) {
                            (Wanted::Nothing, true) => Wanted::Restart(vec![done]),
                            (Wanted::Nothing, false) => Wanted::End(vec![done]),
                            (Wanted::Restart(mut all), true) => {
                                all.push(done);
                                Wanted::Restart(all)
                            }
                            // Whoever wants it ended gets that.
                            (Wanted::Restart(mut all) | Wanted::End(mut all), _) => {
                                all.push(done);
                                Wanted::End(all)
                            }
                        };
                    }
                    Some(Ask::Kill) | None => {
                        process.kill();
                        wanted = match wanted {
                            Wanted::Restart(all) | Wanted::End(all) => Wanted::End(all),
                            Wanted::Nothing => Wanted::End(Vec::new()),
                        };
                        if self.asked.is_closed() && self.asked.is_empty() {
                            break process.gone().await;
                        }
                    }
                },
            }
        };
        if let Some(most) = *process.too_many.borrow() {
            let why = format!("it had more than {most} processes and was killed");
            self.logs.add(Stream::Host, why.clone(), false);
            self.state.send_modify(|state| state.why = Some(why));
        }
        finish(&mut followers).await;
        (ended, wanted)
    }
}

/// Reads what is left. Somebody else may hold the other end of a pipe, and is not waited for.
async fn finish(followers: &mut [JoinHandle<()>]) {
    let end = tokio::time::Instant::now() + DRAIN;
    for follower in followers {
        if tokio::time::timeout_at(end, &mut *follower).await.is_err() {
            follower.abort();
        }
    }
}
