//! A service of the embedder's own that sessions have: a counter that is durable, a door that a call may lend, and a capability by which plugins count.
//!
//! `cargo run -p perennial --example own_provision`
//!
//! Everything about it is in this file; `tally.ts` beside it is a plugin that uses it. The table takes it as one entry of a list; scripts, plugins, listings and results then know it by its name.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use perennial::{
    Allow, Area, Bound, Capability, ChangeKind, Changes, Denied, Description, Ended, InRun, Library, Loan, OpError,
    OpTable, OpValue, Own, PluginHost, PluginOptions, PluginSet, Provided, Provision, Provisions, Restorer, Run,
    RunContext, RunRequest, RunScope, SessionKey, SessionTable, Snapshot, TableConfig,
};
use serde_json::{Value, json};

/// The kind of thing.
pub struct Counters {
    /// What a session's counter begins at.
    pub first: u64,
}

/// What one session has of it.
#[derive(Debug)]
pub struct Counter(Mutex<State>);

#[derive(Debug)]
struct State {
    count: u64,
    /// What it would be without the run that is under way, where that can be undone.
    base: Option<u64>,
    /// Counts runs. What belongs to an earlier one counts no more.
    run: u64,
}

/// What the ops of one run find.
struct View {
    counter: Arc<Counter>,
    run: u64,
}

/// What a call may lend.
struct Door(AtomicU64);

impl Loan for Door {}

/// What plugins may ask for: `allow: { counter: 10 }` is to add up to ten at a time.
struct Counting;

impl Capability for Counting {
    type Grant = u64;

    fn key(&self) -> &'static str {
        "counter"
    }

    fn maker(&self) -> &'static str {
        "counterFor"
    }

    fn check(&self, asked: &Value) -> Result<(), Vec<String>> {
        asked.as_u64().map(drop).ok_or_else(|| vec![": no whole number".to_owned()])
    }

    fn items(&self, asked: &Value) -> Vec<String> {
        asked.as_u64().filter(|most| *most > 0).map(|most| format!("{most} at a time")).into_iter().collect()
    }

    fn within(&self, asked: &Value, most: &Value) -> (Value, Value) {
        let (asked, most) = (asked.as_u64().unwrap_or(0), most.as_u64().unwrap_or(0));
        (json!(asked.min(most)), json!(if asked > most { asked } else { 0 }))
    }

    fn grant(&self, granted: &Value, _: &Value, _: &PluginHost<'_>) -> Result<u64, String> {
        granted.as_u64().ok_or_else(|| "no whole number".to_owned())
    }
}

impl Counter {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host counts, and that stays whatever becomes of a run.
    fn add(&self, more: u64) {
        let mut state = self.lock();
        state.count = state.count.saturating_add(more);
        state.base = state.base.map(|base| base.saturating_add(more));
    }

    /// What it has counted.
    pub fn get(&self) -> u64 {
        self.lock().count
    }
}

impl View {
    /// A script counts, unless its run was given up.
    fn add(&self, more: u64) -> Result<u64, OpError> {
        let mut state = self.counter.lock();
        if state.run != self.run {
            return Err(OpError::permission("counting for a run that is over", "another run"));
        }
        state.count = state.count.saturating_add(more);
        Ok(state.count)
    }
}

impl Provision for Counters {
    type Session = Counter;

    fn name(&self) -> &'static str {
        "counter"
    }

    fn declare(&self, library: &mut Library) {
        let nobody = || OpError::permission("the counter", "a session");
        let amount = |args: &[OpValue], index: usize| args.get(index).and_then(OpValue::as_f64).unwrap_or(1.0) as u64;
        let grants = library.capability(Counting);
        library.ops(
            OpTable::new()
                .sync("counter_add", Bound::SMALL, move |context, args| {
                    let view = context.extensions.get::<View>().ok_or_else(nobody)?;
                    Ok(json!(view.add(amount(&args, 0))?).into())
                })
                // Its first argument is the library's own: no script can say another plugin's name.
                .sync("counter_add_for", Bound::SMALL, move |context, args| {
                    let plugin = args.first().and_then(OpValue::as_str).unwrap_or_default();
                    let more = amount(&args, 1);
                    if grants.get(plugin).is_none_or(|most| more > **most) {
                        let asked = format!("adding {more} for plugin {plugin}");
                        let remedy = "`counter` in its allow, within what the operator grants,";
                        return Err(Denied::new(asked, remedy).to_plugin(plugin).into());
                    }
                    let view = context.extensions.get::<View>().ok_or_else(nobody)?;
                    Ok(json!(view.add(more)?).into())
                })
                .sync("counter_knock", Bound::SMALL, |context, _| {
                    let door = context.lent.get::<Door>();
                    let door = door.ok_or_else(|| OpError::permission("the door", "a call that lends it"))?;
                    Ok(json!(door.0.fetch_add(1, Ordering::Relaxed) + 1).into())
                }),
        );
        let area = Area::new(
            "counter",
            &["counter"],
            "((ops) => ({
                counter: { add: (more) => ops.counter_add(more), knock: () => ops.counter_knock() },
                counterFor: (plugin) => ({ add: (more) => ops.counter_add_for(plugin, more) }),
            }))",
        );
        library.area(area.with_internals(&["counterFor"]));
    }

    const IS_DURABLE: bool = true;

    fn open(&self, _session: &SessionKey, stored: Option<&Snapshot>) -> Counter {
        let count = stored.and_then(Snapshot::get).copied().unwrap_or(self.first);
        Counter(Mutex::new(State { count, base: None, run: 0 }))
    }

    fn begin(&self, session: Own<'_, Counter>, run: &mut RunScope<'_>) -> Option<Box<dyn InRun>> {
        let counter = session.get();
        let mut state = counter.lock();
        state.run += 1;
        state.base = run.options().atomic.then_some(state.count);
        let number = state.run;
        drop(state);
        run.provide(Arc::new(View { counter: counter.clone(), run: number }));
        run.options().atomic.then(|| Box::new(Undo { counter, run: number, undo: true }) as Box<dyn InRun>)
    }
}

impl Provided for Counter {
    fn snapshot(&self) -> Option<Snapshot> {
        Some(Snapshot::new(self.get()))
    }

    fn restore(&self, snapshot: &Snapshot, by: Restorer) -> Result<(), String> {
        let mut state = self.lock();
        state.count = snapshot.get().copied().unwrap_or(state.count);
        if by == Restorer::Host {
            // What an earlier run has left behind counts no more.
            state.run += 1;
        }
        Ok(())
    }

    /// A fork goes on from here.
    fn fork(&self) -> Option<Snapshot> {
        self.snapshot()
    }

    fn changes(&self, from: &Snapshot, to: &Snapshot, changes: &mut Changes<'_>) {
        if from.get::<u64>() != to.get::<u64>() {
            changes.add("count", ChangeKind::Modified);
        }
    }

    fn report(&self, ended: &mut Ended<'_>) {
        ended.usage(self.get());
    }

    fn describe(&self, description: &mut Description) {
        description.more(self.get());
    }
}

/// Dropped in the middle of a run or settled after a failure, it takes back what the run has counted, and only that.
struct Undo {
    counter: Arc<Counter>,
    run: u64,
    undo: bool,
}

impl InRun for Undo {
    fn settle(mut self: Box<Self>, ended: &mut Ended<'_>) {
        self.undo = ended.is_undone();
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        let mut state = self.counter.lock();
        if state.run != self.run {
            return;
        }
        let base = state.base.take();
        if let Some(base) = base.filter(|_| self.undo) {
            state.count = base;
            // The VM may still be at it.
            state.run += 1;
        }
    }
}

/// A table whose sessions have counters, with a plugin that may use them. The plugin is loaded with the very provisions of the table: what one `Counters` has
/// granted, another does not serve.
pub async fn table() -> Result<SessionTable, Box<dyn std::error::Error>> {
    let provisions = Provisions::new().with(Counters { first: 40 });
    let ceiling = Allow::parse_with(&json!({"counter": 5}), &provisions).map_err(|why| why.join("; "))?;
    let options = PluginOptions::default().configure(|options| {
        options.ceiling = ceiling;
        options.provisions = provisions.clone();
    });
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/tally.ts");
    let plugins = PluginSet::load(&[path.into()], &options).await;
    if let Some(failure) = plugins.failures().first() {
        return Err(failure.to_string().into());
    }
    Ok(SessionTable::try_with_config(TableConfig::default().configure(|config| {
        config.provisions = provisions;
        config.plugins = Some(plugins);
    }))?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let table = table().await?;

    let counted = table.run("ada", RunRequest::new("counter.add(1); counter.add(1)")).await;
    assert_eq!((counted.value, &counted.usage.more["counter"]), (Some(json!(42)), &json!(42)));

    // It outlives the VM, and a run that is atomic and fails undoes what it did.
    table.run("ada", RunRequest::new("for (;;) {}").with_timeout_ms(50)).await;
    let failed = RunRequest::new("counter.add(100); throw 1").configure(|request| request.atomic = true);
    assert!(!table.run("ada", failed).await.is_ok());
    let host = table.provided::<Counter>("ada").ok_or("the table has counters")?;
    assert_eq!(host.get(), 42);
    host.add(1);
    assert_eq!(table.run("ada", RunRequest::new("counter.add(0)")).await.value, Some(json!(43)));

    // A handle is there for the run that it is lent to.
    let knock = || RunRequest::new("counter.knock()");
    let context = RunContext::new().lend(Door(AtomicU64::new(0)));
    assert_eq!(table.run_with("ada", knock(), context).await.value, Some(json!(1)));
    let refused = table.run("ada", knock()).await.error.ok_or("nobody lends it")?;
    assert_eq!(refused.kind.as_str(), "permission");

    // A plugin asks for ten at a time, and the operator grants five.
    let tally = |by: u64| RunRequest::new("await tools.tally.count({ by: args })").with_args(json!(by));
    assert_eq!(table.run("ada", tally(5)).await.value, Some(json!(48)));
    assert_eq!(table.run("ada", tally(6)).await.error.ok_or("more than that")?.kind.as_str(), "permission");

    // A checkpoint keeps it, a rollback brings it back, and a fork goes on by itself.
    let ada = table.session("ada");
    ada.checkpoint(Some("before")).await?;
    let fork = ada.fork("eve").await?;
    fork.run(Run::script("counter.add(2)")).await;
    assert_eq!((host.get(), table.provided::<Counter>("eve").map(|eve| eve.get())), (48, Some(50)));
    ada.run(Run::script("counter.add(52)")).await;
    ada.rollback("before").await?;
    assert_eq!(host.get(), 48);

    #[expect(clippy::print_stdout, reason = "an example shows something")]
    {
        println!("ada has counted to {}; without a door: {}", host.get(), refused.message);
    }
    Ok(())
}
