use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering, compiler_fence};

use rquickjs::qjs;

use super::ffi::{self, plain};
use super::meter::Meter;
use super::module::{ModuleDef, install_loader};
use super::scope::{Exception, Scope};
use super::signal::{clear_current, set_current};
use super::stop::{catch_panic, leave};
use super::value::Value;
use crate::control::Control;
use crate::placement::hand_over;

/// How many runtimes exist in this process; leak tests watch it.
pub(super) static LIVE: AtomicUsize = AtomicUsize::new(0);

/// What QuickJS calls back. All methods run on the thread that runs the VM, some of them nested.
pub(crate) trait Host: 'static {
    /// A native function was called. `id` is the number it was created with.
    fn call<'js>(&self, scope: Scope<'js>, id: i32, args: &[Value<'js>]) -> Result<Value<'js>, Exception>;
    /// The number of a native function that library code knows by this name, if there is one.
    fn function(&self, name: &str) -> Option<i32>;
    /// A promise was rejected without a handler (`handled` false), or such a promise got one after all.
    fn rejection<'js>(&self, scope: Scope<'js>, promise: Value<'js>, reason: Value<'js>, handled: bool);
    /// A module of this name is imported. Fails with an exception if it may not be.
    fn admit(&self, scope: Scope<'_>, name: &str) -> Result<(), Exception>;
    /// The module of a name that is not in the context yet.
    fn module(&self, scope: Scope<'_>, name: &str) -> Result<ModuleDef, Exception>;
}

/// What the callbacks find behind the runtime's opaque pointer. Has a fixed address for the life of the runtime.
pub(super) struct Callbacks {
    pub(super) control: Arc<Control>,
    host: Box<dyn Host>,
    /// The VM's thread is in C code of QuickJS; see [`super::signal`]. Only that thread touches it.
    inside: AtomicBool,
    heap_limit: AtomicUsize,
    /// What counts the heap, once it is there.
    meter: AtomicPtr<Meter>,
}

impl Callbacks {
    /// Bytes held by the VM, on the thread that runs it.
    pub(super) fn heap_bytes(&self) -> usize {
        // SAFETY: set once in `Js::new`, before any scope; the meter lives as long as the runtime, and only the VM's thread uses either.
        unsafe { (*self.meter.load(Ordering::Relaxed)).used() }
    }

    pub(super) fn is_inside(&self) -> bool {
        self.inside.load(Ordering::Relaxed)
    }

    pub(super) fn host(&self) -> &dyn Host {
        &*self.host
    }

    #[inline(always)]
    pub(super) fn set_inside(&self, inside: bool) {
        self.inside.store(inside, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
    }
}

/// One QuickJS runtime with one context.
pub(crate) struct Js {
    runtime: NonNull<qjs::JSRuntime>,
    context: NonNull<qjs::JSContext>,
    callbacks: *mut Callbacks,
    meter: *mut Meter,
}

// SAFETY: QuickJS keeps no thread-local state; what is tied to a thread is the stack top, which `enter` sets. All pointers are
// owned by this value alone and reached only through it; the host and the control may move too (`Host` is bounded below).
unsafe impl Send for Js {}

impl Js {
    /// Builds a runtime with all of QuickJS's intrinsics. `None` if memory is refused, by the system or because the control was
    /// stopped meanwhile.
    pub(crate) fn new(control: Arc<Control>, host: Box<dyn Host + Send>) -> Option<Self> {
        let callbacks = Box::into_raw(Box::new(Callbacks {
            control: control.clone(),
            host,
            inside: AtomicBool::new(false),
            heap_limit: AtomicUsize::new(usize::MAX),
            meter: AtomicPtr::default(),
        }));
        let meter = Box::into_raw(Box::new(Meter::new(control.clone(), callbacks)));
        // SAFETY: both were made above, and nobody else has either.
        unsafe { (*callbacks).meter.store(meter, Ordering::Relaxed) };
        let partial = Partial { callbacks, meter };
        let interrupt = plain!(on_interrupt as fn(*mut qjs::JSRuntime, *mut c_void) -> c_int);
        let tracker = plain!(on_rejection as fn(*mut qjs::JSContext, qjs::JSValue, qjs::JSValue, bool, *mut c_void));
        // SAFETY: the meter lives until after the last use of the runtime, at a fixed address; `functions` fits it. The opaque
        // pointers and callbacks set here are those of this module. A failure leaves through `partial`, which frees everything
        // that was allocated from the meter.
        unsafe {
            let runtime = NonNull::new(ffi::JS_NewRuntime2(&Meter::functions(), meter.cast()))?;
            ffi::JS_SetRuntimeOpaque(runtime.as_ptr(), callbacks.cast());
            let context = NonNull::new(ffi::JS_NewContext(runtime.as_ptr()))?;
            ffi::JS_SetInterruptHandler(runtime.as_ptr(), Some(interrupt), callbacks.cast());
            ffi::JS_SetHostPromiseRejectionTracker(runtime.as_ptr(), Some(tracker), callbacks.cast());
            install_loader(runtime.as_ptr());
            partial.keep();
            control.attach(Clamp(runtime));
            LIVE.fetch_add(1, Ordering::Relaxed);
            Some(Self { runtime, context, callbacks, meter })
        }
    }

    /// How many runtimes exist in this process.
    pub(crate) fn live() -> usize {
        LIVE.load(Ordering::Relaxed)
    }

    /// Prepares the VM for the calling thread and gives access to it. Native stack below this call counts against `stack_bytes`.
    pub(crate) fn enter(&mut self, stack_bytes: usize) -> Scope<'_> {
        // SAFETY: exclusive access to a live runtime. The control may clamp the stack at the same time, and the clamp must win:
        // it is put back below where it might have been overwritten.
        unsafe {
            ffi::JS_SetMaxStackSize(self.runtime.as_ptr(), stack_bytes as qjs::size_t);
            ffi::JS_UpdateStackTop(self.runtime.as_ptr());
            let control = &(*self.callbacks).control;
            if control.is_stopped() {
                control.clamp();
            }
            set_current(self.callbacks);
            Scope::new(self.context, PhantomData)
        }
    }

    /// The calling thread has ceased to run the VM.
    pub(crate) fn left_thread() {
        set_current(std::ptr::null());
    }

    /// Bytes held by the VM, allocator headers included.
    pub(crate) fn heap_bytes(&self) -> usize {
        // SAFETY: the meter lives as long as `self`, and nobody runs the VM meanwhile.
        unsafe { (*self.meter).used() }
    }

    /// The most that was held since the limit was set last.
    pub(crate) fn peak_heap_bytes(&self) -> usize {
        // SAFETY: as in `heap_bytes`.
        unsafe { (*self.meter).peak() }
    }

    /// Sets the heap limit, starts a new peak, and keeps garbage from using the limit up.
    pub(crate) fn set_heap_limit(&mut self, bytes: usize) {
        // SAFETY: exclusive access to a live runtime.
        unsafe {
            (*self.meter).set_limit(bytes);
            (*self.callbacks).heap_limit.store(bytes, Ordering::Relaxed);
            bound_gc_threshold(self.runtime.as_ptr(), bytes);
        }
    }

    /// Whether a microtask waits.
    pub(crate) fn has_jobs(&self) -> bool {
        // SAFETY: reads a list head of a live runtime.
        unsafe { ffi::JS_IsJobPending(self.runtime.as_ptr()) }
    }
}

impl Drop for Js {
    fn drop(&mut self) {
        // SAFETY: nobody can clamp the runtime after `detach`, no `Scope` or `Value` is left (they borrow `self`), and QuickJS
        // holds nothing outside the meter: no external array buffers, no shared array buffers, no finalizers of ours.
        unsafe {
            (*self.callbacks).control.detach();
            clear_current(self.callbacks);
            drop(Partial { callbacks: self.callbacks, meter: self.meter });
        }
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The two boxes of a `Js`, freed in this order.
struct Partial {
    callbacks: *mut Callbacks,
    meter: *mut Meter,
}

impl Partial {
    /// The runtime is complete: its own `Drop` frees the boxes.
    fn keep(self) {
        let _ = ManuallyDrop::new(self);
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // SAFETY: both came from `Box::into_raw` and are freed once.
        unsafe {
            drop(Box::from_raw(self.callbacks));
            drop(Box::from_raw(self.meter));
        }
    }
}

/// The power to make every further call of a running VM fail, from any thread, so that it soon comes to where it can be left.
/// QuickJS polls once in 10,000 calls or loop turns; when the calls fail, the turns are short.
pub(crate) struct Clamp(NonNull<qjs::JSRuntime>);

// SAFETY: used only under the control's lock, which `Js::drop` takes before the runtime goes. The call stores two aligned words
// that the interpreter reads afresh at every call. A torn view is harmless: the limit is the old or the new one, and what the VM
// computes from then on is discarded.
unsafe impl Send for Clamp {}

impl Clamp {
    pub(crate) fn apply(&self) {
        // SAFETY: the runtime is live, see above.
        unsafe {
            ffi::JS_SetMaxStackSize(self.0.as_ptr(), 1);
        }
    }
}

/// QuickJS collects when the heap has grown by half since the last time; near the limit that would be too late.
unsafe fn bound_gc_threshold(runtime: *mut qjs::JSRuntime, limit: usize) {
    let bound = (limit - limit / 8) as qjs::size_t;
    // SAFETY: plain accessors of a live runtime, on its thread.
    unsafe {
        if ffi::JS_GetGCThreshold(runtime) > bound {
            ffi::JS_SetGCThreshold(runtime, bound);
        }
    }
}

// The three functions below are what QuickJS calls. Each is a shim around one that does the work: it owns nothing, see `signal`, and
// leaves `inside` as it found it: not every way into C goes through a shim that sets it.

unsafe extern "C-unwind" fn on_interrupt(runtime: *mut qjs::JSRuntime, opaque: *mut c_void) -> c_int {
    // SAFETY: the pointer set in `Js::new`, live as long as the runtime; QuickJS asks on the VM's thread, outside allocations.
    unsafe {
        let callbacks: *const Callbacks = opaque.cast();
        let inside = (*callbacks).is_inside();
        (*callbacks).set_inside(false);
        interrupt(runtime, callbacks);
        (*callbacks).set_inside(inside);
        0
    }
}

/// # Safety
/// As [`on_interrupt`].
#[inline(never)]
unsafe fn interrupt(runtime: *mut qjs::JSRuntime, callbacks: *const Callbacks) {
    // SAFETY: see above.
    unsafe {
        if (*callbacks).control.should_stop() {
            leave();
        }
        if let Some(before) = (*callbacks).control.has_stayed_too_long() {
            hand_over(before);
        }
        bound_gc_threshold(runtime, (*callbacks).heap_limit.load(Ordering::Relaxed));
    }
}

unsafe extern "C-unwind" fn on_rejection(
    context: *mut qjs::JSContext,
    promise: qjs::JSValue,
    reason: qjs::JSValue,
    handled: bool,
    opaque: *mut c_void,
) {
    // SAFETY: as in `on_interrupt`.
    unsafe {
        let callbacks: *const Callbacks = opaque.cast();
        let inside = (*callbacks).is_inside();
        (*callbacks).set_inside(false);
        rejection(context, promise, reason, handled, callbacks);
        (*callbacks).set_inside(inside);
    }
}

/// # Safety
/// As [`on_rejection`].
#[inline(never)]
unsafe fn rejection(
    context: *mut qjs::JSContext,
    promise: qjs::JSValue,
    reason: qjs::JSValue,
    handled: bool,
    callbacks: *const Callbacks,
) {
    // SAFETY: pointers are live for the length of the call; both values are borrowed, so they are duplicated.
    unsafe {
        let Some(context) = NonNull::new(context) else { return };
        let scope = Scope::new(context, PhantomData);
        let (promise, reason) = (scope.borrowed(promise), scope.borrowed(reason));
        // A panic in there is a defect that the log tells of; the promise is then not reported.
        let _ = catch_panic(|| (*callbacks).host.rejection(scope, promise, reason, handled));
    }
}

/// Every native function that JavaScript can reach is this one; `id` tells which it plays.
pub(super) unsafe extern "C-unwind" fn on_call(
    context: *mut qjs::JSContext,
    _this: qjs::JSValue,
    argc: c_int,
    argv: *mut qjs::JSValue,
    id: c_int,
) -> qjs::JSValue {
    // SAFETY: as in `on_interrupt`.
    unsafe {
        let callbacks: *const Callbacks = ffi::JS_GetRuntimeOpaque(ffi::JS_GetRuntime(context)).cast();
        let inside = (*callbacks).is_inside();
        (*callbacks).set_inside(false);
        let value = call(context, argc, argv, id, callbacks);
        (*callbacks).set_inside(inside);
        value
    }
}

/// # Safety
/// As [`on_call`].
#[inline(never)]
unsafe fn call(
    context: *mut qjs::JSContext,
    argc: c_int,
    argv: *mut qjs::JSValue,
    id: c_int,
    callbacks: *const Callbacks,
) -> qjs::JSValue {
    // SAFETY: pointers are live for the length of the call; the arguments are borrowed, so they are duplicated. `argc` is at
    // least the declared length, 0.
    unsafe {
        let Some(context) = NonNull::new(context) else { return qjs::JS_EXCEPTION };
        let scope = Scope::new(context, PhantomData);
        if (*callbacks).control.is_stopped() {
            leave();
        }
        let args: Vec<Value<'_>> = (0..argc as usize).map(|i| scope.borrowed(*argv.add(i))).collect();
        let outcome = catch_panic(|| (*callbacks).host.call(scope, id, &args));
        if (*callbacks).control.is_stopped() {
            leave();
        }
        match outcome {
            Ok(Ok(value)) => value.into_raw(),
            Ok(Err(Exception)) => qjs::JS_EXCEPTION,
            Err(_) => {
                scope.throw_error("Error", "a native function failed; this is a defect of the host, not of the script");
                qjs::JS_EXCEPTION
            }
        }
    }
}
