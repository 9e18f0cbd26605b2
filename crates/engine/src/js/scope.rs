use std::ffi::{CStr, CString, c_int};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use rquickjs::qjs;

use super::ffi;
use super::runtime::{Callbacks, on_call};
use super::stop::leave;
use super::value::{Atom, Saved, Value};

/// An exception is pending in the context; [`Scope::catch`] takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exception;

/// Permission to use one context on this thread, for `'js`.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'js> {
    pub(super) context: NonNull<qjs::JSContext>,
    /// Invariant, and neither `Send` nor `Sync`.
    marker: PhantomData<*mut &'js ()>,
}

/// What running one microtask came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// There was none.
    None,
    /// One ran.
    Ran,
    /// One ran and threw; the exception is pending.
    Threw,
}

/// Where a promise stands.
pub(crate) enum PromiseState<'js> {
    Pending,
    Fulfilled(Value<'js>),
    Rejected(Value<'js>),
}

impl<'js> Scope<'js> {
    /// # Safety
    /// The context is live, this thread may use it, and nobody else does for `'js`.
    pub(super) unsafe fn new(context: NonNull<qjs::JSContext>, _borrow: PhantomData<&'js ()>) -> Self {
        Self { context, marker: PhantomData }
    }

    pub(super) fn raw(self) -> *mut qjs::JSContext {
        self.context.as_ptr()
    }

    pub(super) fn runtime(self) -> *mut qjs::JSRuntime {
        // SAFETY: a live context has a live runtime.
        unsafe { ffi::JS_GetRuntime(self.raw()) }
    }

    /// Takes ownership of a value that QuickJS returned.
    pub(super) fn owned(self, raw: qjs::JSValue) -> Value<'js> {
        Value { scope: self, raw }
    }

    /// Takes ownership of a value or notes that there is an exception in its place.
    pub(super) fn checked(self, raw: qjs::JSValue) -> Result<Value<'js>, Exception> {
        // SAFETY: reads the tag.
        if unsafe { qjs::JS_IsException(raw) } { Err(Exception) } else { Ok(self.owned(raw)) }
    }

    /// A second reference to a value that somebody else owns.
    pub(super) fn borrowed(self, raw: qjs::JSValue) -> Value<'js> {
        // SAFETY: the caller's reference keeps the value alive while it is duplicated.
        self.owned(unsafe { ffi::JS_DupValue(self.raw(), raw) })
    }

    /// Whether the VM was stopped.
    pub(crate) fn is_stopped(self) -> bool {
        // SAFETY: the pointer set in `Js::new`, live as long as the runtime.
        unsafe { (*ffi::JS_GetRuntimeOpaque(self.runtime()).cast::<Callbacks>()).control.is_stopped() }
    }

    /// Bytes held by the VM, allocator headers included.
    pub(crate) fn heap_bytes(self) -> usize {
        // SAFETY: as in `is_stopped`.
        unsafe { (*ffi::JS_GetRuntimeOpaque(self.runtime()).cast::<Callbacks>()).heap_bytes() }
    }

    /// Asks the clocks, and leaves the VM if it must not go on; for host code that takes long. Does not return then: see
    /// [`super::catch_stop`].
    pub(crate) fn leave_if_stopped(self) {
        // SAFETY: as in `is_stopped`.
        if unsafe { (*ffi::JS_GetRuntimeOpaque(self.runtime()).cast::<Callbacks>()).control.should_stop() } {
            leave();
        }
    }

    // ---- values -------------------------------------------------------------------------------------------------------

    pub(crate) fn undefined(self) -> Value<'js> {
        self.owned(qjs::JS_UNDEFINED)
    }

    pub(crate) fn null(self) -> Value<'js> {
        self.owned(qjs::JS_NULL)
    }

    pub(crate) fn bool(self, value: bool) -> Value<'js> {
        self.owned(if value { qjs::JS_TRUE } else { qjs::JS_FALSE })
    }

    pub(crate) fn number(self, value: f64) -> Value<'js> {
        self.owned(qjs::JS_NewFloat64(value))
    }

    pub(crate) fn string(self, text: &str) -> Result<Value<'js>, Exception> {
        // SAFETY: pointer and length are those of a live slice; QuickJS copies.
        self.checked(unsafe { ffi::JS_NewStringLen(self.raw(), text.as_ptr().cast(), text.len() as qjs::size_t) })
    }

    /// A plain object.
    pub(crate) fn object(self) -> Result<Value<'js>, Exception> {
        // SAFETY: live context.
        self.checked(unsafe { ffi::JS_NewObject(self.raw()) })
    }

    /// An object without a prototype: nothing a script does to `Object.prototype` shows in it.
    pub(crate) fn bare_object(self) -> Result<Value<'js>, Exception> {
        // SAFETY: live context.
        self.checked(unsafe { ffi::JS_NewObjectProto(self.raw(), qjs::JS_NULL) })
    }

    /// An array of these, which it takes as they are.
    pub(crate) fn array_of(self, items: Vec<Value<'js>>) -> Result<Value<'js>, Exception> {
        let Ok(count) = c_int::try_from(items.len()) else {
            return Err(self.throw_error("RangeError", "the array is too long"));
        };
        let raw: Vec<qjs::JSValue> = items.into_iter().map(Value::into_raw).collect();
        // SAFETY: live context and values, `count` of them; QuickJS takes their references, however it ends.
        self.checked(unsafe { ffi::JS_NewArrayFrom(self.raw(), count, raw.as_ptr()) })
    }

    /// A `Uint8Array` over a copy of the bytes in the VM's own heap.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Result<Value<'js>, Exception> {
        // SAFETY: pointer and length are those of a live slice; QuickJS copies.
        self.checked(unsafe { ffi::JS_NewUint8ArrayCopy(self.raw(), bytes.as_ptr(), bytes.len() as qjs::size_t) })
    }

    /// A native function of the host; calls arrive at [`super::Host::call`] with `id`.
    pub(crate) fn function(self, name: &str, id: i32) -> Result<Value<'js>, Exception> {
        let name = CString::new(name).unwrap_or_default();
        // SAFETY: `on_call` has the signature that the `generic_magic` kind is called with; the union that JSCFunction stands
        // for in C holds either. The name is copied into an atom.
        self.checked(unsafe {
            type Magic = unsafe extern "C-unwind" fn(
                *mut qjs::JSContext,
                qjs::JSValue,
                c_int,
                *mut qjs::JSValue,
                c_int,
            ) -> qjs::JSValue;
            let function = std::mem::transmute::<Magic, qjs::JSCFunction>(on_call);
            let kind = qjs::JSCFunctionEnum_JS_CFUNC_generic_magic;
            ffi::JS_NewCFunction2(self.raw(), function, name.as_ptr(), 0, kind, id)
        })
    }

    pub(crate) fn global(self) -> Value<'js> {
        // SAFETY: live context; returns a new reference.
        self.owned(unsafe { ffi::JS_GetGlobalObject(self.raw()) })
    }

    /// An error object of class `Error` that carries this name and message; it has no stack until it is thrown.
    pub(crate) fn error(self, name: &str, message: &str) -> Result<Value<'js>, Exception> {
        // SAFETY: live context.
        let error = self.checked(unsafe { ffi::JS_NewError(self.raw()) })?;
        let hidden = qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE;
        error.define_with(&self.atom("message")?, self.string(message)?, hidden)?;
        error.define_with(&self.atom("name")?, self.string(name)?, hidden)?;
        Ok(error)
    }

    /// As [`Self::error`], with the stack of this moment.
    pub(crate) fn error_here(self, name: &str, message: &str) -> Result<Value<'js>, Exception> {
        let error = self.error(name, message)?;
        let Exception = self.throw(error);
        Ok(self.catch())
    }

    // ---- exceptions ---------------------------------------------------------------------------------------------------

    /// Takes the pending exception (`null` if there is none).
    pub(crate) fn catch(self) -> Value<'js> {
        // SAFETY: live context; ownership passes to us.
        self.owned(unsafe { ffi::JS_GetException(self.raw()) })
    }

    pub(crate) fn throw(self, value: Value<'js>) -> Exception {
        // SAFETY: ownership of the value passes to the context.
        unsafe { ffi::JS_Throw(self.raw(), value.into_raw()) };
        Exception
    }

    /// Makes an error one that no script catches: when it is thrown, frames are left and nothing of the script runs on the way, `finally` included.
    /// The promises of async functions that are left so never settle. With `false` it is an error like any other again.
    pub(crate) fn set_uncatchable(self, error: &Value<'js>, uncatchable: bool) {
        // SAFETY: marks a live value of this context; what is no error is left alone.
        unsafe {
            if uncatchable {
                ffi::JS_SetUncatchableError(self.raw(), error.raw);
            } else {
                ffi::JS_ClearUncatchableError(self.raw(), error.raw);
            }
        }
    }

    /// Throws an error of class `Error` with this name.
    pub(crate) fn throw_error(self, name: &str, message: &str) -> Exception {
        match self.error(name, message) {
            Ok(error) => self.throw(error),
            Err(exception) => exception,
        }
    }

    // ---- running ------------------------------------------------------------------------------------------------------

    /// Evaluates a global script in strict mode. The first line of `source` counts as line `first_line`.
    pub(crate) fn eval(self, source: &str, name: &str, first_line: i32) -> Result<Value<'js>, Exception> {
        self.eval_flags(source, name, first_line, 0)
    }

    fn eval_flags(self, source: &str, name: &str, first_line: i32, flags: u32) -> Result<Value<'js>, Exception> {
        self.checked(self.eval_raw(
            source,
            name,
            first_line,
            qjs::JS_EVAL_TYPE_GLOBAL | qjs::JS_EVAL_FLAG_STRICT | flags,
        ))
    }

    /// What `JS_Eval` returns; the caller owns it.
    pub(super) fn eval_raw(self, source: &str, name: &str, first_line: i32, flags: u32) -> qjs::JSValue {
        let Ok(name) = CString::new(name) else {
            self.throw_error("TypeError", "a name with a NUL");
            return qjs::JS_EXCEPTION;
        };
        let mut text = Vec::with_capacity(source.len() + 1);
        text.extend_from_slice(source.as_bytes());
        text.push(0);
        let mut options = qjs::JSEvalOptions {
            version: qjs::JS_EVAL_OPTIONS_VERSION as c_int,
            eval_flags: flags as c_int,
            filename: name.as_ptr(),
            line_num: first_line,
        };
        // SAFETY: the text is NUL-terminated at `source.len()`, as JS_Eval demands; all pointers live across the call.
        unsafe { ffi::JS_Eval2(self.raw(), text.as_ptr().cast(), source.len() as qjs::size_t, &raw mut options) }
    }

    /// Compiles a global script to bytecode of this QuickJS build, without its source.
    pub(crate) fn compile(self, source: &str, name: &str) -> Result<Vec<u8>, Exception> {
        let function = self.eval_flags(source, name, 1, qjs::JS_EVAL_FLAG_COMPILE_ONLY)?;
        // SAFETY: a live value that was compiled and not evaluated.
        unsafe { self.write_bytecode(function.raw) }
    }

    /// # Safety
    /// The value is live and what compiling returned.
    pub(super) unsafe fn write_bytecode(self, value: qjs::JSValue) -> Result<Vec<u8>, Exception> {
        let mut length: qjs::size_t = 0;
        let flags = (qjs::JS_WRITE_OBJ_BYTECODE | qjs::JS_WRITE_OBJ_STRIP_SOURCE) as c_int;
        // SAFETY: QuickJS returns a block of `length` bytes from its own allocator, which we copy and free.
        unsafe {
            let data = ffi::JS_WriteObject(self.raw(), &raw mut length, value, flags);
            if data.is_null() {
                return Err(Exception);
            }
            let bytes = std::slice::from_raw_parts(data, length as usize).to_vec();
            ffi::js_free(self.raw(), data.cast());
            Ok(bytes)
        }
    }

    /// What reading bytecode returns; the caller owns it.
    pub(super) fn read_bytecode(self, bytecode: &Bytecode) -> qjs::JSValue {
        let flags = qjs::JS_READ_OBJ_BYTECODE as c_int;
        // SAFETY: a `Bytecode` holds what JS_WriteObject of this very build wrote; QuickJS trusts it.
        unsafe { ffi::JS_ReadObject(self.raw(), bytecode.0.as_ptr(), bytecode.0.len() as qjs::size_t, flags) }
    }

    /// Evaluates what [`Self::compile`] made in this process.
    pub(crate) fn eval_bytecode(self, bytecode: &Bytecode) -> Result<Value<'js>, Exception> {
        let function = self.read_bytecode(bytecode);
        // SAFETY: evaluating takes the value.
        unsafe {
            if qjs::JS_IsException(function) {
                return Err(Exception);
            }
            self.checked(ffi::JS_EvalFunction(self.raw(), function))
        }
    }

    pub(crate) fn call(
        self,
        function: &Value<'js>,
        this: &Value<'js>,
        args: &[&Value<'js>],
    ) -> Result<Value<'js>, Exception> {
        let mut raw: Vec<qjs::JSValue> = args.iter().map(|value| value.raw).collect();
        // SAFETY: all values are live and of this runtime; QuickJS borrows them.
        self.checked(unsafe { ffi::JS_Call(self.raw(), function.raw, this.raw, raw.len() as c_int, raw.as_mut_ptr()) })
    }

    /// Runs one microtask.
    pub(crate) fn run_job(self) -> Job {
        let mut context = ptr::null_mut();
        // SAFETY: live runtime; there is one context, so an exception is pending in ours.
        match unsafe { ffi::JS_ExecutePendingJob(self.runtime(), &raw mut context) } {
            0 => Job::None,
            1.. => Job::Ran,
            _ => Job::Threw,
        }
    }

    /// Where a promise stands; `None` for anything else.
    pub(crate) fn promise_state(self, promise: &Value<'js>) -> Option<PromiseState<'js>> {
        // SAFETY: live value; the result is a new reference.
        unsafe {
            match ffi::JS_PromiseState(self.raw(), promise.raw) {
                qjs::JSPromiseStateEnum_JS_PROMISE_PENDING => Some(PromiseState::Pending),
                qjs::JSPromiseStateEnum_JS_PROMISE_FULFILLED => {
                    Some(PromiseState::Fulfilled(self.owned(ffi::JS_PromiseResult(self.raw(), promise.raw))))
                }
                qjs::JSPromiseStateEnum_JS_PROMISE_REJECTED => {
                    Some(PromiseState::Rejected(self.owned(ffi::JS_PromiseResult(self.raw(), promise.raw))))
                }
                _ => None,
            }
        }
    }

    /// A pending promise with its resolve and reject functions.
    pub(crate) fn promise(self) -> Result<(Value<'js>, Value<'js>, Value<'js>), Exception> {
        let mut functions = MaybeUninit::<[qjs::JSValue; 2]>::uninit();
        // SAFETY: QuickJS fills both functions unless it returns an exception.
        unsafe {
            let promise = self.checked(ffi::JS_NewPromiseCapability(self.raw(), functions.as_mut_ptr().cast()))?;
            let [resolve, reject] = functions.assume_init();
            Ok((promise, self.owned(resolve), self.owned(reject)))
        }
    }

    // ---- putting aside ------------------------------------------------------------------------------------------------

    pub(crate) fn save(self, value: Value<'js>) -> Saved {
        Saved::new(value.into_raw(), self.runtime())
    }

    /// Another reference to a saved value.
    pub(crate) fn load(self, saved: &Saved) -> Value<'js> {
        self.borrowed(saved.raw_for(self.runtime()))
    }

    /// Takes a saved value back.
    pub(crate) fn restore(self, saved: Saved) -> Value<'js> {
        self.owned(saved.raw_for(self.runtime()))
    }

    pub(crate) fn atom(self, text: &str) -> Result<Atom<'js>, Exception> {
        // SAFETY: pointer and length are those of a live slice; QuickJS copies. Text that is not ASCII goes through a string:
        // JS_NewAtomLen compares its bytes with Latin-1 atoms first and takes "é" for an "Ã©" that it knows.
        let raw = unsafe {
            if text.is_ascii() {
                ffi::JS_NewAtomLen(self.raw(), text.as_ptr().cast(), text.len() as qjs::size_t)
            } else {
                ffi::JS_ValueToAtom(self.raw(), self.string(text)?.raw)
            }
        };
        if raw == qjs::__JS_ATOM_NULL as qjs::JSAtom { Err(Exception) } else { Ok(Atom { scope: self, raw }) }
    }

    /// The key of an item of an array.
    pub(crate) fn index(self, index: u32) -> Atom<'js> {
        // SAFETY: live context.
        Atom { scope: self, raw: unsafe { ffi::JS_NewAtomUInt32(self.raw(), index) } }
    }

    /// The version of QuickJS that is linked.
    pub(crate) fn engine_version() -> &'static str {
        // SAFETY: returns a static, NUL-terminated ASCII string.
        unsafe { CStr::from_ptr(ffi::JS_GetVersion()) }.to_str().unwrap_or("unknown")
    }
}

/// Bytecode made by this process; to QuickJS it is native code, so it is never read from anywhere.
pub(crate) struct Bytecode(Vec<u8>);

impl Bytecode {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn compile(scope: Scope<'_>, source: &str, name: &str) -> Result<Self, Exception> {
        scope.compile(source, name).map(Self)
    }
}
