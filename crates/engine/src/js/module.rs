use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use rquickjs::qjs;

use super::ffi::{self, plain};
use super::runtime::{Callbacks, Host, Js};
use super::scope::{Bytecode, Exception, Scope};
use super::signal::set_current;
use super::stop::{catch_panic, leave};
use super::value::Value;
use crate::control::Control;

/// Bytes of what is told of a module that does not compile.
const MAX_TEXT: usize = 16 << 10;

/// One module of a VM's context. QuickJS never frees one that was linked: it lives as long as the context.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModuleDef {
    raw: NonNull<qjs::JSModuleDef>,
    runtime: NonNull<qjs::JSRuntime>,
}

// SAFETY: an address that is used only after it was compared with the runtime it belongs to, see `raw_for`.
unsafe impl Send for ModuleDef {}

impl ModuleDef {
    fn raw_for(self, scope: Scope<'_>) -> *mut qjs::JSModuleDef {
        assert_eq!(self.runtime.as_ptr(), scope.runtime(), "a module is used in its own runtime");
        self.raw.as_ptr()
    }
}

/// The tag of a value that stands for a module.
const MODULE: c_int = qjs::JS_TAG_MODULE;

impl<'js> Scope<'js> {
    fn module(self, raw: *mut qjs::JSModuleDef) -> Option<ModuleDef> {
        Some(ModuleDef { raw: NonNull::new(raw)?, runtime: NonNull::new(self.runtime())? })
    }

    /// Takes a value that stands for a module and gives back the reference: the context owns the module.
    fn module_of(self, value: qjs::JSValue) -> Result<ModuleDef, Exception> {
        // SAFETY: reads the tag; the pointer of a module's value is its definition, which the context keeps.
        unsafe {
            if qjs::JS_IsException(value) {
                return Err(Exception);
            }
            let def = self.module(qjs::JS_VALUE_GET_PTR(value).cast());
            ffi::JS_FreeValue(self.raw(), value);
            def.ok_or(Exception)
        }
    }

    /// Compiles a module to bytecode, without its source. What it imports has to be known to the host as stubs.
    fn compile_module(self, text: &str, name: &str) -> Result<Bytecode, Exception> {
        let flags = qjs::JS_EVAL_TYPE_MODULE | qjs::JS_EVAL_FLAG_COMPILE_ONLY;
        let module = self.eval_raw(text, name, 1, flags);
        // SAFETY: as in `Scope::compile`; a value that stands for a module is written and given back.
        unsafe {
            if qjs::JS_IsException(module) {
                return Err(Exception);
            }
            let bytes = self.write_bytecode(module);
            ffi::JS_FreeValue(self.raw(), module);
            bytes.map(Bytecode::new)
        }
    }

    /// Reads a module that was compiled in this process into the context. Asks the host for every module it imports that is not there yet.
    pub(crate) fn read_module(self, bytecode: &Bytecode) -> Result<ModuleDef, Exception> {
        self.module_of(self.read_bytecode(bytecode))
    }

    /// Links a module with what it imports. All of that must have been read.
    pub(crate) fn resolve_module(self, module: ModuleDef) -> Result<(), Exception> {
        // SAFETY: a live module of this context; the value is borrowed.
        let outcome = unsafe { ffi::JS_ResolveModule(self.raw(), qjs::JS_MKPTR(MODULE, module.raw_for(self).cast())) };
        if outcome < 0 { Err(Exception) } else { Ok(()) }
    }

    /// Evaluates a module that was linked; returns a promise of its end. What it imports must have been evaluated, unless they import each
    /// other. Not from within a native function: QuickJS aborts when a module that is being evaluated is linked again.
    pub(crate) fn evaluate_module(self, module: ModuleDef) -> Result<Value<'js>, Exception> {
        // SAFETY: a live module of this context; evaluating takes a reference of its own.
        unsafe {
            let value = ffi::JS_DupValue(self.raw(), qjs::JS_MKPTR(MODULE, module.raw_for(self).cast()));
            self.checked(ffi::JS_EvalFunction(self.raw(), value))
        }
    }

    /// The namespace object of a module that was linked.
    pub(crate) fn module_namespace(self, module: ModuleDef) -> Result<Value<'js>, Exception> {
        // SAFETY: a live module of this context.
        self.checked(unsafe { ffi::JS_GetModuleNamespace(self.raw(), module.raw_for(self)) })
    }

    /// The `import.meta` of a module.
    pub(crate) fn import_meta(self, module: ModuleDef) -> Result<Value<'js>, Exception> {
        // SAFETY: a live module of this context.
        self.checked(unsafe { ffi::JS_GetImportMeta(self.raw(), module.raw_for(self)) })
    }

    /// Runs something while the stack limit stays what it is, whoever stops the VM: QuickJS asserts that the stack check at the top of a
    /// module's evaluation does not fail where the one before it did not.
    pub(crate) fn unclamped<T>(self, work: impl FnOnce() -> T) -> T {
        let control = self.control();
        let clamp = control.take_clamp();
        if control.is_stopped() {
            leave();
        }
        let result = work();
        if let Some(clamp) = clamp {
            control.attach(clamp);
        }
        result
    }

    fn control(self) -> &'js Arc<Control> {
        // SAFETY: the pointer set in `Js::new`, live as long as the runtime.
        unsafe { &(*ffi::JS_GetRuntimeOpaque(self.runtime()).cast::<Callbacks>()).control }
    }

    /// Compiles modules in a VM of their own, which is dropped, under the control of this one. What goes wrong is the text of the error,
    /// with line and column.
    pub(crate) fn compile_modules<'t>(
        self,
        heap_bytes: usize,
        stack_bytes: usize,
        texts: impl Iterator<Item = (&'t str, &'t str)>,
    ) -> Result<Vec<Bytecode>, CompileError> {
        let control = self.control().clone();
        let compiled = (|| {
            let Some(mut js) = Js::new(control.clone(), Box::new(Compiler)) else { return Ok(Vec::new()) };
            // The clamp of this VM is put aside, see `unclamped`, and that of the other is none of its business.
            control.detach();
            js.set_heap_limit(heap_bytes);
            let scope = js.enter(stack_bytes);
            let mut done = Vec::new();
            for (index, (name, text)) in texts.enumerate() {
                match scope.compile_module(text, name) {
                    Ok(bytecode) => done.push(bytecode),
                    Err(Exception) => {
                        let thrown = scope.catch();
                        let text_of = |key| {
                            thrown.get_str(key).ok().and_then(|value| value.text_prefix(MAX_TEXT)).unwrap_or_default()
                        };
                        return Err(CompileError { index, message: text_of("message"), stack: text_of("stack") });
                    }
                }
            }
            Ok(done)
        })();
        // SAFETY: the pointer set in `Js::new`; this thread runs this VM again.
        unsafe { set_current(ffi::JS_GetRuntimeOpaque(self.runtime()).cast()) };
        compiled
    }
}

/// Why a module does not compile.
pub(crate) struct CompileError {
    /// Which of them.
    pub(crate) index: usize,
    pub(crate) message: String,
    pub(crate) stack: String,
}

/// The host of a VM that compiles: every import is an empty module.
struct Compiler;

impl Host for Compiler {
    fn call<'js>(&self, scope: Scope<'js>, _: i32, _: &[Value<'js>]) -> Result<Value<'js>, Exception> {
        Err(scope.throw_error("Error", "nothing runs here"))
    }

    fn function(&self, _: &str) -> Option<i32> {
        None
    }

    fn rejection<'js>(&self, _: Scope<'js>, _: Value<'js>, _: Value<'js>, _: bool) {}

    fn admit(&self, _: Scope<'_>, _: &str) -> Result<(), Exception> {
        Ok(())
    }

    fn module(&self, scope: Scope<'_>, name: &str) -> Result<ModuleDef, Exception> {
        let Ok(name) = CString::new(name) else { return Err(scope.throw_error("TypeError", "a name with a NUL")) };
        let init = plain!(empty_module as fn(*mut qjs::JSContext, *mut qjs::JSModuleDef) -> c_int);
        // SAFETY: live context; the name is copied.
        let def = unsafe { ffi::JS_NewCModule(scope.raw(), name.as_ptr(), Some(init)) };
        scope.module(def).ok_or(Exception)
    }
}

unsafe extern "C-unwind" fn empty_module(_: *mut qjs::JSContext, _: *mut qjs::JSModuleDef) -> c_int {
    0
}

/// Tells QuickJS to ask this module for modules.
///
/// # Safety
/// The runtime is live and its opaque pointer set.
pub(super) unsafe fn install_loader(runtime: *mut qjs::JSRuntime) {
    type Name = *const c_char;
    let normalize = plain!(on_normalize as fn(*mut qjs::JSContext, Name, Name, *mut c_void) -> *mut c_char);
    let load = plain!(on_load as fn(*mut qjs::JSContext, Name, *mut c_void) -> *mut qjs::JSModuleDef);
    // SAFETY: see above.
    unsafe { ffi::JS_SetModuleLoaderFunc(runtime, Some(normalize), Some(load), ptr::null_mut()) }
}

// Shims as in `runtime`: they own nothing and leave `inside` as they found it.

unsafe extern "C-unwind" fn on_normalize(
    context: *mut qjs::JSContext,
    _base: *const c_char,
    name: *const c_char,
    _opaque: *mut c_void,
) -> *mut c_char {
    // SAFETY: QuickJS asks on the VM's thread with a live context and a name that is NUL-terminated.
    unsafe {
        let callbacks: *const Callbacks = ffi::JS_GetRuntimeOpaque(ffi::JS_GetRuntime(context)).cast();
        let inside = (*callbacks).is_inside();
        (*callbacks).set_inside(false);
        let name = normalize(context, name, callbacks);
        (*callbacks).set_inside(inside);
        name
    }
}

/// # Safety
/// As [`on_normalize`].
#[inline(never)]
unsafe fn normalize(context: *mut qjs::JSContext, name: *const c_char, callbacks: *const Callbacks) -> *mut c_char {
    // SAFETY: see above. The name is given back as it is: it is a key. QuickJS frees the copy.
    unsafe {
        let Some(context) = NonNull::new(context) else { return ptr::null_mut() };
        let scope = Scope::new(context, PhantomData);
        // A lookahead of the parser may have left an exception behind, which QuickJS would take for one of ours.
        drop(scope.catch());
        let text = CStr::from_ptr(name);
        match catch_panic(|| (*callbacks).host().admit(scope, &text.to_string_lossy())) {
            Ok(Ok(())) => ffi::js_strndup(scope.raw(), name, text.to_bytes().len() as qjs::size_t),
            Ok(Err(Exception)) => ptr::null_mut(),
            Err(_) => {
                scope.throw_error(
                    "Error",
                    "looking up a module failed; this is a defect of the host, not of the script",
                );
                ptr::null_mut()
            }
        }
    }
}

unsafe extern "C-unwind" fn on_load(
    context: *mut qjs::JSContext,
    name: *const c_char,
    _opaque: *mut c_void,
) -> *mut qjs::JSModuleDef {
    // SAFETY: as in `on_normalize`.
    unsafe {
        let callbacks: *const Callbacks = ffi::JS_GetRuntimeOpaque(ffi::JS_GetRuntime(context)).cast();
        let inside = (*callbacks).is_inside();
        (*callbacks).set_inside(false);
        let module = load(context, name, callbacks);
        (*callbacks).set_inside(inside);
        module
    }
}

/// # Safety
/// As [`on_normalize`].
#[inline(never)]
unsafe fn load(
    context: *mut qjs::JSContext,
    name: *const c_char,
    callbacks: *const Callbacks,
) -> *mut qjs::JSModuleDef {
    // SAFETY: see above.
    unsafe {
        let Some(context) = NonNull::new(context) else { return ptr::null_mut() };
        let scope = Scope::new(context, PhantomData);
        match catch_panic(|| (*callbacks).host().module(scope, &CStr::from_ptr(name).to_string_lossy())) {
            Ok(Ok(module)) => module.raw_for(scope),
            Ok(Err(Exception)) => ptr::null_mut(),
            Err(_) => {
                scope.throw_error("Error", "loading a module failed; this is a defect of the host, not of the script");
                ptr::null_mut()
            }
        }
    }
}
