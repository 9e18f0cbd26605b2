//! The QuickJS C API behind a safe surface. This is the only module of the project that holds `unsafe`.
//!
//! Three types carry the argument:
//!
//! * [`Js`] owns one runtime with one context. It is `Send` and not `Sync`: whoever owns it may use it, on any thread.
//! * [`Scope`] is the permission to touch that context. It borrows the `Js` (or the callback that QuickJS is in), cannot leave
//!   the thread, and every [`Value`] carries its lifetime; so no value outlives its runtime or meets another one's.
//! * [`Saved`] is a value put aside between two scopes. It does nothing by itself and is checked against the runtime that
//!   takes it back.
//!
//! **Stopping is unwinding.** A VM that was told to stop leaves QuickJS at its next interrupt poll, allocation of a page, or native
//! call, or where a signal finds it ([`signal`]), as a Rust panic without a message that unwinds through the C frames to [`catch_stop`]. So no script can catch, swallow or
//! outlive a stop, and QuickJS never sees an allocation fail, which it survives in most places but not in all (its parser writes
//! out of bounds). What the C frames held is lost; it is all in the VM's own memory, which goes as a whole. The C code needs unwind
//! tables for this, which the compilers of the supported platforms emit by default.
//!
//! Confusable: *dropping* a `Value` gives a reference back to QuickJS; dropping a `Saved` does not, the runtime's memory goes as
//! a whole when the `Js` goes. No finalizer runs then and no QuickJS code either: after a stop its structures may be half changed.
#![expect(unsafe_code, reason = "the C API; each block argues for itself")]

#[cfg(not(panic = "unwind"))]
compile_error!("perennial needs panic = \"unwind\": it is how scripts are stopped and how one panic costs one session");

mod ffi;
mod lazy;
mod meter;
mod module;
mod runtime;
mod scope;
mod signal;
mod stop;
mod thread;
mod value;

pub(crate) use module::{CompileError, ModuleDef};
pub(crate) use runtime::{Clamp, Host, Js};
pub(crate) use scope::{Bytecode, Exception, Job, PromiseState, Scope};
pub(crate) use signal::{nudge, unblock_nudges};
pub(crate) use stop::catch_stop;
pub(crate) use thread::{
    current_thread_id, hold_little_freed_memory, set_idle_priority, stack_left, trim_heap, use_utc,
};
pub(crate) use value::{Atom, Class, Saved, Text, TextError, Value};
