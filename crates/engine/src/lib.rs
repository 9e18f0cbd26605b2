//! One QuickJS VM: how it is built, run, stopped and dropped. Knows no file, no network, no browser and no session.
//!
//! * [`run`]: one script on one [`Vm`], from the caller's future to an executor thread and back.
//! * [`RunOptions`]: the limits of a run. [`StopReason`]: what stopped one.
//! * [`EngineConfig`], [`OpTable`], [`Area`]: what scripts can reach.
//! * [`Console`]: what they wrote. [`Background`], [`pump`]: what they left running.
//! * [`Executor`]: the threads.

mod bridge;
mod budget;
mod config;
mod console;
mod control;
mod error;
mod executor;
mod held;
mod host;
mod inbox;
mod inspect;
mod js;
mod kept;
mod limits;
mod modules;
mod op_value;
mod ops;
mod placement;
mod program;
mod resources;
mod run;
mod script;
mod similar;
mod timers;
mod vm;

pub use bridge::MAX_DEPTH;
pub use budget::Budget;
pub use config::{Area, ConfigOrigin, EngineConfig};
pub use console::{Console, ConsoleOutput, ConsoleSink};
pub use control::{StopHandle, StopReason};
pub use error::Advice;
pub use executor::{Executor, ExecutorConfig, STUCK_AFTER};
pub use held::Held;
pub use host::modules_compiled;
pub use inbox::{EventError, EventSender};
pub use limits::RunOptions;
pub use modules::{Module, ModuleGraph, ModuleLoader};
pub use op_value::{Denied, OpError, OpResult, OpValue, bytes_to_json};
pub use ops::{Bound, Extensions, OpContext, OpFuture, OpScope, OpTable};
pub use placement::Placement;
pub use program::{MakeProgram, Origin, Program};
pub use resources::{Charge, Resources};
pub use run::{Background, Build, RunEnd, VmSource, discard, pump, run};
pub use script::Script;
pub use similar::did_you_mean;
pub use vm::{Globals, Vm};

/// For benchmarks: parts that cannot be timed from outside.
#[doc(hidden)]
pub mod measure {
    use std::sync::Arc;

    use serde_json::Value;
    use tokio::runtime::Handle;

    use crate::bridge::{from_json, to_json};
    use crate::control::Control;
    use crate::vm::{BuildSpec, Vm};
    use crate::{Console, EngineConfig};

    /// A VM for itself.
    pub(crate) fn vm(config: EngineConfig, runtime: Handle) -> Vm {
        let (console, control) = (Console::default(), Arc::new(Control::new()));
        Vm::build(BuildSpec { config, console, runtime, control }).expect("a VM")
    }

    /// Builds a VM, evaluates an expression, and lends a function that copies its value out.
    ///
    /// # Panics
    /// If the expression throws, or outside of a tokio runtime.
    pub fn with_walk(expression: &str, use_it: impl FnOnce(&dyn Fn() -> Value)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut vm = vm(EngineConfig::default(), runtime.handle().clone());
        vm.with_value(expression, |helpers, value| {
            use_it(&|| to_json(helpers, value, usize::MAX).expect("a value that crosses").expect("a value"));
        });
    }

    /// Builds a VM and lends a function that copies a value in.
    ///
    /// # Panics
    /// If it cannot enter, or outside of a tokio runtime.
    pub fn with_enter(value: &Value, use_it: impl FnOnce(&dyn Fn())) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut vm = vm(EngineConfig::default(), runtime.handle().clone());
        vm.with_value("0", |helpers, zero| {
            use_it(&|| drop(from_json(helpers, zero.scope(), value).expect("a value that crosses")));
        });
    }

    /// What enters a VM comes out the same, or is refused; nothing of it runs or reaches a prototype.
    ///
    /// # Panics
    /// If that does not hold.
    pub fn round_trip(json: &str) {
        static RUNTIME: std::sync::LazyLock<tokio::runtime::Runtime> =
            std::sync::LazyLock::new(|| tokio::runtime::Builder::new_current_thread().build().expect("a runtime"));
        thread_local! {
            static VM: std::cell::RefCell<Vm> = {
                vm(EngineConfig::default(), RUNTIME.handle().clone()).into()
            };
        }
        let Ok(sent) = serde_json::from_str::<Value>(json) else { return };
        VM.with_borrow_mut(|vm| {
            vm.with_value("Object.prototype", |helpers, prototype| {
                let scope = prototype.scope();
                let Ok(value) = from_json(helpers, scope, &sent) else { return drop(scope.catch()) };
                let Ok(Some(back)) = to_json(helpers, &value, usize::MAX) else { return drop(scope.catch()) };
                // Once it is in the form in which values come out, it stays in it.
                let again = from_json(helpers, scope, &back).unwrap_or_else(|_| panic!("{back} does not enter"));
                let again = to_json(helpers, &again, usize::MAX).unwrap_or_else(|_| panic!("{back} does not come out"));
                assert_eq!(again, Some(back), "{sent}");
                assert!(prototype.keys().is_ok_and(|keys| keys.len() == 0), "{sent} reached a prototype");
            });
        });
    }
}

/// QuickJS runtimes that exist in this process, abandoned ones included.
pub fn live_runtimes() -> usize {
    js::Js::live()
}

/// Hands memory that dropped VMs left behind back to the system, where the allocator has to be told (glibc).
/// Takes a while on a fragmented heap: not for a thread that serves requests.
pub fn trim_memory() {
    js::trim_heap();
}

/// Keeps this process's allocator from holding on to tens of megabytes of freed memory for each thread, where it does so (glibc). For the beginning of
/// `main`: it is a setting of the whole process.
pub fn hold_little_freed_memory() {
    js::hold_little_freed_memory();
}

/// The version of QuickJS that is linked.
pub fn quickjs_version() -> &'static str {
    js::Scope::engine_version()
}

/// Makes UTC the time zone of the process, which is the one that scripts see. For the start of `main`: does nothing and returns `false`
/// once the process has several threads.
pub fn use_utc() -> bool {
    js::use_utc()
}
