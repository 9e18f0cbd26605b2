use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use perennial_engine::Vm;

/// The places for warm VMs, and the VMs that nobody uses at the moment.
///
/// Ownership is the lock: a VM is either in here or with whoever took it out. Taking, evicting and giving back are each one step
/// under one mutex, so that no moment shows more VMs than the cap and the runs in flight explain.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    state: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    /// By stamp, so that the first is the least recently used.
    idle: BTreeMap<u64, Vm>,
    idle_bytes: usize,
    /// Places of VMs in flight: running, being built, being dropped.
    out: usize,
    stamps: u64,
}

/// What bounds a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) max_vms: usize,
    pub(crate) memory: Option<usize>,
}

/// A VM's place while it is in flight.
#[derive(Debug)]
pub(crate) struct Place {
    pool: Arc<Pool>,
    returned: bool,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Places> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the VM of this stamp, if it is still there, and reserves a place for it or for the one to be built instead.
    /// Returned last: VMs that had to make way.
    pub(crate) fn take(self: &Arc<Self>, stamp: u64, bounds: Bounds) -> (Option<Vm>, Place, Vec<Vm>) {
        let mut state = self.lock();
        let vm = state.remove(stamp);
        state.out += 1;
        let evicted = state.evict(bounds);
        (vm, Place { pool: self.clone(), returned: false }, evicted)
    }

    /// Takes the VM of this stamp with its place, if it is still there.
    pub(crate) fn take_if_there(self: &Arc<Self>, stamp: u64) -> Option<(Vm, Place)> {
        let mut state = self.lock();
        let vm = state.remove(stamp)?;
        state.out += 1;
        Some((vm, Place { pool: self.clone(), returned: false }))
    }

    /// Removes the VM of this stamp for good.
    pub(crate) fn remove(&self, stamp: u64) -> Option<Vm> {
        self.lock().remove(stamp)
    }

    /// VMs that are idle, running or being built.
    pub(crate) fn live(&self) -> usize {
        let state = self.lock();
        state.idle.len() + state.out
    }

    /// The heap of the idle VM of this stamp.
    pub(crate) fn heap_bytes(&self, stamp: u64) -> Option<usize> {
        self.lock().idle.get(&stamp).map(Vm::heap_bytes)
    }
}

impl Place {
    /// Puts the VM back as the most recently used, or under an old stamp. Returns its stamp and the VMs that had to make way, itself
    /// perhaps among them.
    pub(crate) fn give_back(mut self, vm: Vm, stamp: Option<u64>, bounds: Bounds) -> (u64, Vec<Vm>) {
        let pool = self.pool.clone();
        let mut state = pool.lock();
        self.returned = true;
        state.out -= 1;
        state.stamps += 1;
        let stamp = stamp.unwrap_or(state.stamps);
        state.idle_bytes += vm.heap_bytes();
        state.idle.insert(stamp, vm);
        let evicted = state.evict(bounds);
        (stamp, evicted)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.returned {
            self.pool.lock().out -= 1;
        }
    }
}

impl Places {
    fn remove(&mut self, stamp: u64) -> Option<Vm> {
        let vm = self.idle.remove(&stamp)?;
        self.idle_bytes -= vm.heap_bytes();
        Some(vm)
    }

    fn evict(&mut self, bounds: Bounds) -> Vec<Vm> {
        let mut evicted = Vec::new();
        while !self.idle.is_empty()
            && (self.idle.len() + self.out > bounds.max_vms || bounds.memory.is_some_and(|most| self.idle_bytes > most))
        {
            let Some((_, vm)) = self.idle.pop_first() else { break };
            self.idle_bytes -= vm.heap_bytes();
            evicted.push(vm);
        }
        evicted
    }
}
