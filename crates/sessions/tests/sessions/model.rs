//! Random sequences of calls against a small model of what sessions must remember.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use perennial_sessions::protocol::{ErrorKind, RebuildReason, VmOrigin};
use perennial_sessions::{RunRequest, SessionTable, TableConfig};
use perennial_testkit::{ManualClock, eventually};
use proptest::prelude::*;
use serde_json::json;

const NAMES: [&str; 3] = ["a", "b", "c"];
const TTL: Duration = Duration::from_secs(600);
const CAP: usize = 2;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Adds one to a global and to a var, and returns both.
    Count(usize),
    Throw(usize),
    Spin(usize),
    Bomb(usize),
    /// Starts an endless run and drops its future.
    Drop(usize),
    /// Starts an endless run and removes the session under it.
    RemoveRunning(usize),
    /// Leaves a callback behind that will be stopped.
    Poison(usize),
    Epoch(usize),
    Reset(usize),
    Checkpoint(usize),
    /// To one of those made so far, the oldest first.
    Rollback(usize, usize),
    /// Of the first, under the name of the second.
    Fork(usize, usize),
    Remove(usize),
    Clear,
    Hold(usize),
    Advance(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let name = 0..NAMES.len();
    let step = prop_oneof![
        6 => name.clone().prop_map(Step::Count),
        1 => name.clone().prop_map(Step::Throw),
        1 => name.clone().prop_map(Step::Spin),
        1 => name.clone().prop_map(Step::Bomb),
        1 => name.clone().prop_map(Step::Drop),
        1 => name.clone().prop_map(Step::RemoveRunning),
        1 => name.clone().prop_map(Step::Poison),
        1 => name.clone().prop_map(Step::Epoch),
        1 => name.clone().prop_map(Step::Reset),
        2 => name.clone().prop_map(Step::Checkpoint),
        2 => (name.clone(), 0..4_usize).prop_map(|(name, which)| Step::Rollback(name, which)),
        1 => (name.clone(), name.clone()).prop_map(|(from, to)| Step::Fork(from, to)),
        1 => name.clone().prop_map(Step::Remove),
        1 => Just(Step::Clear),
        1 => name.prop_map(Step::Hold),
        2 => (1..700_u64).prop_map(Step::Advance),
    ];
    prop::collection::vec(step, 1..25)
}

/// What one session must remember.
#[derive(Clone, Debug, Default)]
struct Expected {
    vars: u64,
    /// Its checkpoints, each with what `vars` was.
    checkpoints: Vec<(u64, u64)>,
    /// The global, if the VM is known to be there or known to be gone; the cap may take it at any time.
    global: Option<u64>,
    lost: Option<RebuildReason>,
    had_vm: bool,
    idle_for: u64,
}

const COUNT: &str = "globalThis.n = (globalThis.n || 0) + 1; return [n, vars.update('n', (n) => (n || 0) + 1)]";

struct World {
    table: SessionTable,
    clock: ManualClock,
    expected: HashMap<&'static str, Expected>,
    /// What the next run of each name brings.
    epochs: HashMap<&'static str, u64>,
    /// Names by when their VM was used last, the most recent last.
    warm: Vec<&'static str>,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::new();
        let config = TableConfig::default().configure(|config| {
            config.max_vms = CAP;
            config.idle_ttl = TTL;
            config.clock = Arc::new(clock.clone());
        });
        Self {
            table: SessionTable::with_config(config),
            clock,
            expected: HashMap::new(),
            epochs: HashMap::new(),
            warm: Vec::new(),
        }
    }

    fn session(&mut self, name: &'static str) -> &mut Expected {
        self.expected.entry(name).or_default()
    }

    fn lose(&mut self, name: &'static str, reason: RebuildReason) {
        self.warm.retain(|known| *known != name);
        let session = self.session(name);
        session.had_vm = true;
        session.global = None;
        session.lost = Some(reason);
        session.idle_for = 0;
    }

    /// The VM of this session has been used and is kept; the cap takes the one used longest ago.
    fn keep(&mut self, name: &'static str, global: Option<u64>) {
        self.warm.retain(|known| *known != name);
        self.warm.push(name);
        let session = self.session(name);
        session.had_vm = true;
        session.global = global;
        session.lost = None;
        session.idle_for = 0;
        if self.warm.len() > CAP {
            let evicted = self.warm.remove(0);
            let session = self.session(evicted);
            session.global = None;
            session.lost = Some(RebuildReason::Evicted);
        }
    }

    /// A run needs a place: the VM used longest ago makes way before it begins.
    fn admit(&mut self, name: &'static str) {
        if !self.warm.contains(&name) && self.warm.len() >= CAP {
            let evicted = self.warm.remove(0);
            let session = self.session(evicted);
            session.global = None;
            session.lost = Some(RebuildReason::Evicted);
        }
    }

    fn end(&mut self, name: &'static str) {
        self.warm.retain(|known| *known != name);
        self.expected.remove(name);
    }

    async fn run(&mut self, name: &'static str, script: &str, timeout: u64) -> perennial_sessions::ScriptResult {
        self.admit(name);
        let mut request = RunRequest::new(script).with_timeout_ms(timeout);
        self.session(name);
        request.epoch = Some(self.epochs.get(name).copied().unwrap_or(0));
        request.memory_bytes = Some(8 << 20);
        self.table.run(name, request).await
    }

    async fn spinning(&mut self, name: &'static str) -> tokio::task::JoinHandle<perennial_sessions::ScriptResult> {
        self.admit(name);
        let mut request = RunRequest::new("for (;;) {}");
        self.session(name);
        request.epoch = Some(self.epochs.get(name).copied().unwrap_or(0));
        let table = self.table.clone();
        let run = tokio::spawn(async move { table.run(name, request).await });
        let running = || self.table.sessions().iter().any(|s| s.name == name && s.running && s.heap_bytes.is_none());
        eventually("the script runs", running).await;
        run
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Count(i) => {
                let name = NAMES[i];
                let before = self.session(name).clone();
                let result = self.run(name, COUNT, 60_000).await;
                let (global, vars) = (before.global.unwrap_or(0) + 1, before.vars + 1);
                assert_eq!(result.value, Some(json!([global, vars])), "{name}: {before:?}: {result:?}");
                let origin = match (before.had_vm, before.lost) {
                    (false, _) => VmOrigin::Built,
                    (true, None) => VmOrigin::Warm,
                    (true, Some(_)) => VmOrigin::Rebuilt,
                };
                assert_eq!((result.vm, result.rebuilt_because), (Some(origin), before.lost.filter(|_| before.had_vm)));
                self.session(name).vars = vars;
                self.keep(name, Some(global));
            }
            Step::Throw(i) => {
                let name = NAMES[i];
                let global = self.session(name).global.filter(|_| self.warm.contains(&name));
                let result = self.run(name, "throw new Error('x')", 60_000).await;
                assert_eq!(result.error.unwrap().kind, ErrorKind::Runtime);
                self.keep(name, global);
            }
            Step::Spin(i) => {
                let result = self.run(NAMES[i], "for (;;) {}", 20).await;
                assert_eq!(result.error.unwrap().kind, ErrorKind::Timeout);
                self.lose(NAMES[i], RebuildReason::Timeout);
            }
            Step::Bomb(i) => {
                let result =
                    self.run(NAMES[i], "const a = []; for (;;) a.push(new Array(10000).fill(0))", 60_000).await;
                assert_eq!(result.error.unwrap().kind, ErrorKind::MemoryLimit);
                self.lose(NAMES[i], RebuildReason::MemoryLimit);
            }
            Step::Drop(i) => {
                self.spinning(NAMES[i]).await.abort();
                self.lose(NAMES[i], RebuildReason::Cancelled);
                let table = &self.table;
                eventually("the VM is gone", || table.sessions().iter().all(|s| !s.running)).await;
            }
            Step::RemoveRunning(i) => {
                let run = self.spinning(NAMES[i]).await;
                assert!(self.table.remove(NAMES[i]));
                // Stopped in its VM, or just before it got there.
                let kind = run.await.unwrap().error.unwrap().kind;
                assert!(matches!(kind, ErrorKind::Cancelled | ErrorKind::SessionEnded), "{kind}");
                self.end(NAMES[i]);
            }
            Step::Poison(i) => {
                let result = self.run(NAMES[i], "setTimeout(() => { for (;;) {} }, 0)", 60_000).await;
                assert!(result.is_ok());
                self.keep(NAMES[i], None);
                let table = &self.table;
                eventually("the callback was stopped", || table.sessions().iter().all(|s| !s.running && !s.background))
                    .await;
                self.lose(NAMES[i], RebuildReason::Background);
            }
            Step::Epoch(i) => {
                *self.epochs.entry(NAMES[i]).or_default() += 1;
                if let Some(session) = self.expected.get_mut(NAMES[i]).filter(|s| s.had_vm && s.lost.is_none()) {
                    session.global = None;
                    session.lost = Some(RebuildReason::Epoch);
                    // The VM is still there and still counts until the next run.
                }
            }
            Step::Reset(i) => {
                let name = NAMES[i];
                let existed = self.table.reset(name).await;
                assert_eq!(existed, self.table_has(name));
                if let Some(session) = self.expected.get_mut(name).filter(|session| session.had_vm) {
                    session.global = None;
                    session.lost = Some(RebuildReason::Reset);
                    self.warm.retain(|known| *known != name);
                }
            }
            Step::Checkpoint(i) => {
                let checkpoint = self.table.session(NAMES[i]).checkpoint(None).await.unwrap();
                let session = self.session(NAMES[i]);
                session.checkpoints.push((checkpoint.id, session.vars));
                session.idle_for = 0;
            }
            Step::Rollback(i, which) => {
                let chosen = self.expected.get(NAMES[i]).and_then(|session| session.checkpoints.get(which).copied());
                let (id, vars) = chosen.unwrap_or((u64::MAX, 0));
                let rolled = self.table.session(NAMES[i]).rollback(id).await;
                assert_eq!(rolled.is_ok(), chosen.is_some());
                if let Some(session) = self.expected.get_mut(NAMES[i]) {
                    // To ask for what is not there uses it as well.
                    session.idle_for = 0;
                    session.vars = if chosen.is_some() { vars } else { session.vars };
                }
            }
            Step::Fork(from, to) => {
                let (from, to) = (NAMES[from], NAMES[to]);
                let (origin, taken) = (self.table_has(from), self.table_has(to));
                let forked = self.table.session(from).fork(to).await;
                assert_eq!(forked.is_ok(), origin && !taken);
                if let Some(session) = self.expected.get_mut(from) {
                    session.idle_for = 0;
                }
                if forked.is_ok() {
                    let vars = self.session(from).vars;
                    self.expected.insert(to, Expected { vars, ..Expected::default() });
                }
            }
            Step::Remove(i) => {
                let existed = self.table_has(NAMES[i]);
                assert_eq!(self.table.remove(NAMES[i]), existed);
                self.end(NAMES[i]);
            }
            Step::Clear => {
                self.table.clear();
                for name in NAMES {
                    self.end(name);
                }
            }
            Step::Hold(i) => {
                // Held or not, a session that is not run is not used.
                let slot = self.table.acquire(NAMES[i]);
                self.session(NAMES[i]);
                drop(slot);
            }
            Step::Advance(seconds) => {
                self.clock.advance(Duration::from_secs(seconds));
                for name in NAMES {
                    if let Some(session) = self.expected.get_mut(name) {
                        session.idle_for += seconds;
                        if session.idle_for >= TTL.as_secs() {
                            self.end(name);
                        }
                    }
                }
            }
        }
        let expected = NAMES.iter().filter(|name| self.table_has(name)).count();
        assert_eq!(self.table.len(), expected, "{step:?}: {:?}", self.expected);
        let warm = self.warm.len();
        let table = &self.table;
        eventually("the VMs are as many as the model has", || table.live_vm_count() == warm).await;
    }

    /// Whether the model has a session of this name: one that was run or held.
    fn table_has(&self, name: &str) -> bool {
        self.expected.contains_key(name)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn sessions_remember_what_the_model_remembers(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new();
            for step in steps {
                world.step(step).await;
            }
        });
    }
}
