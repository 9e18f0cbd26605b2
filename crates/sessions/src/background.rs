use std::any::Any;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use perennial_engine::{Background, Held, Vm, pump};
use perennial_protocol::RebuildReason;

use crate::in_flight::{InFlight, ThreadOut};
use crate::record::Record;
use crate::shared::Shared;

/// How much of a session's budget one slice may take: a run that arrives waits for one slice and one callback at the most.
const SLICE: Duration = Duration::from_millis(50);

/// Lets the callbacks of an idle session run as they become due, until nothing is left, the budget is spent, or a run takes the VM.
/// Neither the idle clock nor the order of eviction notices.
pub(crate) async fn keep_pumping(shared: Weak<Shared>, record: Weak<Record>, stamp: u64, mut background: Background) {
    loop {
        background.ready().await;
        let (Some(shared), Some(record)) = (shared.upgrade(), record.upgrade()) else { return };
        match pump_once(&shared, &record, stamp).await {
            Some(next) => background = next,
            None => {
                record.background.store(false, Ordering::Release);
                return;
            }
        }
    }
}

/// One slice. `None` if there is no reason for another.
async fn pump_once(shared: &Arc<Shared>, record: &Arc<Record>, stamp: u64) -> Option<Background> {
    // A run that comes first takes the VM and delivers by itself.
    let mut state = record.exec.clone().lock_owned().await;
    let permit = record.custody.try_take()?;
    record.set_flight(&permit);
    if record.end_reason().is_some() {
        return None;
    }
    let budget = state.background.left(shared.config.background_budget, shared.now());
    if budget.is_zero() || record.warm.compare_exchange(stamp, 0, Ordering::AcqRel, Ordering::Acquire).is_err() {
        return None;
    }
    let Some((vm, place)) = shared.pool.take_if_there(stamp) else {
        state.lost_because = Some(RebuildReason::Evicted);
        return None;
    };
    let thread = ThreadOut(record.custody.clone());
    let held: Box<dyn Held> = Box::new(InFlight { place, thread, permit: Arc::new(permit) });
    let (vm, spent, held) = pump(&shared.executor, &shared.runtime, vm, budget.min(SLICE), held).await;
    state.background.spend(spent);
    if vm.is_none() {
        // What is in flight may not come back for long.
        state.lost_because = Some(RebuildReason::Background);
        return None;
    }
    let held = (held as Box<dyn Any>).downcast::<InFlight>().ok()?;
    match vm {
        Some(vm) if !vm.is_poisoned() && record.end_reason().is_none() => {
            let next = Background::of(&vm);
            give_back(shared, record, *held, vm, Some(stamp));
            next
        }
        Some(vm) => {
            state.lost_because = Some(RebuildReason::Background);
            perennial_engine::discard(&shared.executor, vm, held);
            None
        }
        None => None,
    }
}

/// Puts a VM into the pool and drops those that have to make way. Returns the stamp.
pub(crate) fn give_back(shared: &Arc<Shared>, record: &Arc<Record>, held: InFlight, vm: Vm, stamp: Option<u64>) -> u64 {
    let InFlight { place, thread, permit } = held;
    drop(thread);
    let (stamp, evicted) = place.give_back(vm, stamp, shared.bounds());
    record.warm.store(stamp, Ordering::Release);
    drop(permit);
    shared.discard_all(evicted);
    // The session may have ended between the caller's look and the store above; then nobody else comes for the VM.
    if record.end_reason().is_some() {
        shared.drop_warm(record);
    }
    stamp
}
