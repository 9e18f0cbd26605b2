use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use rquickjs::qjs;

use super::ffi::plain;
use super::runtime::Callbacks;
use super::stop::leave;
use super::thread::note_freed;
use crate::control::{Control, StopReason};

/// What `malloc` promises, and what QuickJS relies on for its page headers.
const ALIGN: usize = 16;

/// The allocator of one VM: counts, enforces the heap limit, and never fails: where it cannot serve, the VM is stopped and left.
///
/// All outstanding blocks hang in one list, so that a VM's memory can be given back whatever state QuickJS is in.
/// Only the thread that owns the VM touches it.
pub(super) struct Meter {
    control: Arc<Control>,
    callbacks: *const Callbacks,
    blocks: *mut Block,
    used: usize,
    peak: usize,
    limit: usize,
}

#[repr(C, align(16))]
struct Block {
    previous: *mut Block,
    next: *mut Block,
    /// Usable bytes behind this header.
    size: usize,
}

const HEADER: usize = size_of::<Block>();

impl Meter {
    pub(super) fn new(control: Arc<Control>, callbacks: *const Callbacks) -> Self {
        Self { control, callbacks, blocks: ptr::null_mut(), used: 0, peak: 0, limit: usize::MAX }
    }

    pub(super) fn functions() -> qjs::JSMallocFunctions {
        qjs::JSMallocFunctions {
            js_calloc: Some(plain!(calloc as fn(*mut c_void, qjs::size_t, qjs::size_t) -> *mut c_void)),
            js_malloc: Some(plain!(malloc as fn(*mut c_void, qjs::size_t) -> *mut c_void)),
            js_free: Some(plain!(free as fn(*mut c_void, *mut c_void))),
            js_realloc: Some(plain!(realloc_block as fn(*mut c_void, *mut c_void, qjs::size_t) -> *mut c_void)),
            js_malloc_usable_size: Some(plain!(usable_size as fn(*const c_void) -> qjs::size_t)),
        }
    }

    pub(super) fn used(&self) -> usize {
        self.used
    }

    pub(super) fn peak(&self) -> usize {
        self.peak
    }

    /// Sets the limit and starts a new peak.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        note_freed(self.peak.saturating_sub(self.used));
        self.peak = self.used;
    }

    /// Lets `more` bytes be taken. Where they may not, and once the VM is stopped, this does not return: it leaves the VM.
    fn admit(&self, more: usize) {
        let wanted = self.used.saturating_add(more);
        if wanted > self.limit {
            self.control.stop_with(StopReason::MemoryLimit, self.limit as u64, wanted as u64);
        }
        if self.control.is_stopped() {
            leave();
        }
    }

    /// The system has no memory left.
    fn exhausted(&self, wanted: usize) -> ! {
        self.control.stop_with(StopReason::MemoryLimit, self.limit as u64, wanted as u64);
        leave()
    }

    #[inline(never)]
    fn allocate(&mut self, size: usize, zeroed: bool) -> *mut c_void {
        let total = size.saturating_add(HEADER);
        self.admit(total);
        let Ok(layout) = Layout::from_size_align(total, ALIGN) else { self.exhausted(total) };
        // SAFETY: `layout` has a size of at least the header's.
        let block: *mut Block = unsafe { if zeroed { alloc_zeroed(layout) } else { alloc(layout) } }.cast();
        if block.is_null() {
            self.exhausted(self.used + total);
        }
        // SAFETY: `block` is a fresh allocation large enough for a header; `self.blocks` is null or a live block of ours.
        unsafe { self.link(block, size) };
        self.used += total;
        self.peak = self.peak.max(self.used);
        // SAFETY: the allocation has `size` bytes behind the header.
        unsafe { block.add(1).cast() }
    }

    /// # Safety
    /// `block` is an allocation of ours with room for a header, and in no list.
    unsafe fn link(&mut self, block: *mut Block, size: usize) {
        // SAFETY: see above; the head of the list is null or live.
        unsafe {
            block.write(Block { previous: ptr::null_mut(), next: self.blocks, size });
            if let Some(mut next) = NonNull::new(self.blocks) {
                next.as_mut().previous = block;
            }
        }
        self.blocks = block;
    }

    /// # Safety
    /// `block` is in this list.
    unsafe fn unlink(&mut self, block: *mut Block) {
        // SAFETY: neighbours in the list are live blocks, and nobody else holds references to them.
        unsafe {
            let (previous, next) = ((*block).previous, (*block).next);
            match NonNull::new(previous) {
                Some(mut previous) => previous.as_mut().next = next,
                None => self.blocks = next,
            }
            if let Some(mut next) = NonNull::new(next) {
                next.as_mut().previous = previous;
            }
        }
    }

    /// # Safety
    /// `data` was returned by this meter and not freed since.
    #[inline(never)]
    unsafe fn release(&mut self, data: *mut c_void) {
        // SAFETY: so a header of ours stands before it, and it was allocated with this layout.
        unsafe {
            let block = data.cast::<Block>().sub(1);
            let total = (*block).size + HEADER;
            self.unlink(block);
            self.used -= total;
            dealloc(block.cast(), Layout::from_size_align_unchecked(total, ALIGN));
        }
    }

    /// # Safety
    /// `data` is null or was returned by this meter and not freed since.
    #[inline(never)]
    unsafe fn reallocate(&mut self, data: *mut c_void, size: usize) -> *mut c_void {
        // SAFETY: see above.
        unsafe {
            if data.is_null() {
                return self.allocate(size, false);
            }
            if size == 0 {
                self.release(data);
                return ptr::null_mut();
            }
            self.resize(data, size)
        }
    }

    /// # Safety
    /// `data` was returned by this meter and not freed since.
    unsafe fn resize(&mut self, data: *mut c_void, size: usize) -> *mut c_void {
        let total = size.saturating_add(HEADER);
        // SAFETY: as in `release`; on failure the old block is put back unchanged.
        unsafe {
            let block = data.cast::<Block>().sub(1);
            let (old_size, old_total) = ((*block).size, (*block).size + HEADER);
            if total > old_total {
                self.admit(total - old_total);
            }
            if Layout::from_size_align(total, ALIGN).is_err() {
                self.exhausted(total);
            }
            self.unlink(block);
            let moved: *mut Block =
                realloc(block.cast(), Layout::from_size_align_unchecked(old_total, ALIGN), total).cast();
            if moved.is_null() {
                self.link(block, old_size);
                self.exhausted(self.used + total);
            }
            self.link(moved, size);
            self.used = self.used - old_total + total;
            self.peak = self.peak.max(self.used);
            moved.add(1).cast()
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let mut next = self.blocks;
        while !next.is_null() {
            // SAFETY: every block in the list is live and ours; QuickJS is not called again after this.
            unsafe {
                let block = next;
                next = (*block).next;
                dealloc(block.cast(), Layout::from_size_align_unchecked((*block).size + HEADER, ALIGN));
            }
        }
        note_freed(self.peak);
    }
}

// What QuickJS calls. Each is a shim that owns nothing, see `signal`, around a method that does the work. The runtime is being built
// when the first of them are called, and `inside` is false then; they leave it as they found it.
//
// SAFETY (all of them): QuickJS passes the opaque pointer given to JS_NewRuntime2, a `Meter` that outlives the runtime, and is itself
// only entered by the thread that owns the VM; so the exclusive reference is the only one while a method runs.

unsafe extern "C-unwind" fn malloc(opaque: *mut c_void, size: qjs::size_t) -> *mut c_void {
    // SAFETY: see above.
    unsafe {
        let callbacks = (*opaque.cast::<Meter>()).callbacks;
        let inside = (*callbacks).is_inside();
        (*callbacks).set_inside(false);
        let data = (*opaque.cast::<Meter>()).allocate(size as usize, false);
        (*callbacks).set_inside(inside);
        data
    }
}

unsafe extern "C-unwind" fn calloc(opaque: *mut c_void, count: qjs::size_t, size: qjs::size_t) -> *mut c_void {
    // SAFETY: see above.
    unsafe {
        let callbacks = (*opaque.cast::<Meter>()).callbacks;
        let inside = (*callbacks).is_inside();
        (*callbacks).set_inside(false);
        let data = (*opaque.cast::<Meter>()).allocate((count as usize).saturating_mul(size as usize), true);
        (*callbacks).set_inside(inside);
        data
    }
}

unsafe extern "C-unwind" fn free(opaque: *mut c_void, data: *mut c_void) {
    if data.is_null() {
        return;
    }
    // SAFETY: see above; QuickJS frees what it was given.
    unsafe {
        let callbacks = (*opaque.cast::<Meter>()).callbacks;
        let inside = (*callbacks).is_inside();
        (*callbacks).set_inside(false);
        (*opaque.cast::<Meter>()).release(data);
        (*callbacks).set_inside(inside);
    }
}

unsafe extern "C-unwind" fn realloc_block(opaque: *mut c_void, data: *mut c_void, size: qjs::size_t) -> *mut c_void {
    // SAFETY: see above.
    unsafe {
        let callbacks = (*opaque.cast::<Meter>()).callbacks;
        let inside = (*callbacks).is_inside();
        (*callbacks).set_inside(false);
        let data = (*opaque.cast::<Meter>()).reallocate(data, size as usize);
        (*callbacks).set_inside(inside);
        data
    }
}

unsafe extern "C-unwind" fn usable_size(data: *const c_void) -> qjs::size_t {
    if data.is_null() {
        return 0;
    }
    // SAFETY: QuickJS asks about blocks it was given, behind whose header it stands.
    unsafe { (*data.cast::<Block>().sub(1)).size as qjs::size_t }
}
