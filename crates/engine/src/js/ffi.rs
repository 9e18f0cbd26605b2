//! The part of the C API that is used, declared so that a stop may unwind through it (`C-unwind`); the declarations of rquickjs
//! promise that nothing does.

#![expect(non_snake_case, reason = "the names of the C API")]

use std::ffi::{c_char, c_int, c_void};

use super::runtime::Callbacks;
use rquickjs::qjs::{
    JSAtom, JSCFunction, JSCFunctionEnum, JSClassDef, JSClassID, JSContext, JSEvalOptions,
    JSHostPromiseRejectionTracker, JSInterruptHandler, JSMallocFunctions, JSModuleDef, JSModuleInitFunc,
    JSModuleLoaderFunc, JSModuleNormalizeFunc, JSPromiseStateEnum, JSPropertyEnum, JSRuntime, JSValue, size_t,
};

unsafe extern "C-unwind" {
    pub(super) fn JS_AtomToCStringLen(ctx: *mut JSContext, plen: *mut size_t, atom: JSAtom) -> *const c_char;
    pub(super) fn JS_DefinePropertyGetSet(
        ctx: *mut JSContext,
        this_obj: JSValue,
        prop: JSAtom,
        getter: JSValue,
        setter: JSValue,
        flags: c_int,
    ) -> c_int;
    pub(super) fn JS_DefinePropertyValue(
        ctx: *mut JSContext,
        this_obj: JSValue,
        prop: JSAtom,
        val: JSValue,
        flags: c_int,
    ) -> c_int;
    pub(super) fn JS_DupAtom(ctx: *mut JSContext, v: JSAtom) -> JSAtom;
    pub(super) fn JS_DupValue(ctx: *mut JSContext, v: JSValue) -> JSValue;
    pub(super) fn JS_FreeAtom(ctx: *mut JSContext, v: JSAtom);
    pub(super) fn JS_FreeCString(ctx: *mut JSContext, ptr: *const c_char);
    pub(super) fn JS_FreePropertyEnum(ctx: *mut JSContext, tab: *mut JSPropertyEnum, len: u32);
    pub(super) fn JS_FreeValue(ctx: *mut JSContext, v: JSValue);
    pub(super) fn JS_GetOwnProperty(ctx: *mut JSContext, desc: *mut c_void, obj: JSValue, prop: JSAtom) -> c_int;
    pub(super) fn JS_ClearUncatchableError(ctx: *mut JSContext, val: JSValue);
    pub(super) fn JS_SetUncatchableError(ctx: *mut JSContext, val: JSValue);
    pub(super) fn JS_GetClassID(v: JSValue) -> JSClassID;
    pub(super) fn JS_GetException(ctx: *mut JSContext) -> JSValue;
    pub(super) fn JS_GetGCThreshold(rt: *mut JSRuntime) -> size_t;
    pub(super) fn JS_GetGlobalObject(ctx: *mut JSContext) -> JSValue;
    pub(super) fn JS_GetImportMeta(ctx: *mut JSContext, m: *mut JSModuleDef) -> JSValue;
    pub(super) fn JS_GetModuleNamespace(ctx: *mut JSContext, m: *mut JSModuleDef) -> JSValue;
    pub(super) fn JS_NewCModule(ctx: *mut JSContext, name: *const c_char, func: JSModuleInitFunc) -> *mut JSModuleDef;
    pub(super) fn JS_SetModuleLoaderFunc(
        rt: *mut JSRuntime,
        module_normalize: JSModuleNormalizeFunc,
        module_loader: JSModuleLoaderFunc,
        opaque: *mut c_void,
    );
    pub(super) fn js_strndup(ctx: *mut JSContext, s: *const c_char, n: size_t) -> *mut c_char;
    pub(super) fn JS_GetPrototype(ctx: *mut JSContext, val: JSValue) -> JSValue;
    pub(super) fn JS_GetRuntime(ctx: *mut JSContext) -> *mut JSRuntime;
    pub(super) fn JS_GetRuntimeOpaque(rt: *mut JSRuntime) -> *mut c_void;
    pub(super) fn JS_GetTypedArrayType(obj: JSValue) -> c_int;
    pub(super) fn JS_GetVersion() -> *const c_char;
    pub(super) fn JS_IsArray(val: JSValue) -> bool;
    pub(super) fn JS_IsArrayBuffer(obj: JSValue) -> bool;
    pub(super) fn JS_IsDataView(val: JSValue) -> bool;
    pub(super) fn JS_IsError(val: JSValue) -> bool;
    pub(super) fn JS_IsFunction(ctx: *mut JSContext, val: JSValue) -> bool;
    pub(super) fn JS_IsJobPending(rt: *mut JSRuntime) -> bool;
    pub(super) fn JS_IsPromise(val: JSValue) -> bool;
    pub(super) fn JS_IsProxy(val: JSValue) -> bool;
    pub(super) fn JS_IsWeakRef(val: JSValue) -> bool;
    pub(super) fn JS_NewArrayFrom(ctx: *mut JSContext, count: c_int, values: *const JSValue) -> JSValue;
    pub(super) fn JS_NewAtomUInt32(ctx: *mut JSContext, n: u32) -> JSAtom;
    pub(super) fn JS_NewAtomLen(ctx: *mut JSContext, str_: *const c_char, len: size_t) -> JSAtom;
    pub(super) fn JS_NewCFunction2(
        ctx: *mut JSContext,
        func: JSCFunction,
        name: *const c_char,
        length: c_int,
        cproto: JSCFunctionEnum,
        magic: c_int,
    ) -> JSValue;
    pub(super) fn JS_NewClass(rt: *mut JSRuntime, class_id: JSClassID, class_def: *const JSClassDef) -> c_int;
    pub(super) fn JS_NewClassID(rt: *mut JSRuntime, pclass_id: *mut JSClassID) -> JSClassID;
    pub(super) fn JS_NewContext(rt: *mut JSRuntime) -> *mut JSContext;
    pub(super) fn JS_NewObjectProto(ctx: *mut JSContext, proto: JSValue) -> JSValue;
    pub(super) fn JS_NewObject(ctx: *mut JSContext) -> JSValue;
    pub(super) fn JS_NewObjectProtoClass(ctx: *mut JSContext, proto: JSValue, class_id: JSClassID) -> JSValue;
    pub(super) fn JS_NewPromiseCapability(ctx: *mut JSContext, resolving_funcs: *mut JSValue) -> JSValue;
    pub(super) fn JS_NewRuntime2(mf: *const JSMallocFunctions, opaque: *mut c_void) -> *mut JSRuntime;
    pub(super) fn JS_NewStringLen(ctx: *mut JSContext, str1: *const c_char, len1: size_t) -> JSValue;
    pub(super) fn JS_NewUint8ArrayCopy(ctx: *mut JSContext, buf: *const u8, len: size_t) -> JSValue;
    pub(super) fn JS_PromiseMarkAsHandled(ctx: *mut JSContext, promise: JSValue);
    pub(super) fn JS_PromiseResult(ctx: *mut JSContext, promise: JSValue) -> JSValue;
    pub(super) fn JS_PromiseState(ctx: *mut JSContext, promise: JSValue) -> JSPromiseStateEnum;
    pub(super) fn JS_SetGCThreshold(rt: *mut JSRuntime, gc_threshold: size_t);
    pub(super) fn JS_SetHostPromiseRejectionTracker(
        rt: *mut JSRuntime,
        cb: JSHostPromiseRejectionTracker,
        opaque: *mut c_void,
    );
    pub(super) fn JS_SetInterruptHandler(rt: *mut JSRuntime, cb: JSInterruptHandler, opaque: *mut c_void);
    pub(super) fn JS_SetMaxStackSize(rt: *mut JSRuntime, stack_size: size_t);
    pub(super) fn JS_SetRuntimeOpaque(rt: *mut JSRuntime, opaque: *mut c_void);
    pub(super) fn JS_Throw(ctx: *mut JSContext, obj: JSValue) -> JSValue;
    pub(super) fn JS_UpdateStackTop(rt: *mut JSRuntime);
    pub(super) fn JS_ValueToAtom(ctx: *mut JSContext, val: JSValue) -> JSAtom;
    pub(super) fn JS_WriteObject(ctx: *mut JSContext, psize: *mut size_t, obj: JSValue, flags: c_int) -> *mut u8;
    pub(super) fn js_free(ctx: *mut JSContext, ptr: *mut c_void);
}

/// Makes a callback that may unwind into the pointer that the bindings ask for. C calls both alike, and every Rust frame below it
/// knows, since it got into C through the declarations above.
macro_rules! plain {
    ($function:ident as fn($($argument:ty),*) $(-> $result:ty)?) => {{
        type Unwinding = unsafe extern "C-unwind" fn($($argument),*) $(-> $result)?;
        type Plain = unsafe extern "C" fn($($argument),*) $(-> $result)?;
        // SAFETY: see the macro.
        unsafe { std::mem::transmute::<Unwinding, Plain>($function) }
    }};
}
pub(super) use plain;

/// # Safety
/// The runtime is live and one of this module's.
#[inline(always)]
unsafe fn callbacks(runtime: *mut JSRuntime) -> *const Callbacks {
    // SAFETY: see above; `Js::new` sets the pointer before anything is called that asks for it.
    unsafe { JS_GetRuntimeOpaque(runtime).cast() }
}

/// Declares C functions in which a script may run for as long as it likes, as shims of the same names that set `inside` around the
/// call. A shim owns nothing, see `signal`. What follows `as` is the runtime.
macro_rules! scripts_run_in {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty as $runtime:expr;)*) => {
        mod raw {
            use super::*;

            unsafe extern "C-unwind" {
                $(pub(in super::super) fn $name($($argument: $type),*) -> $result;)*
            }
        }

        $(
            /// The C function of this name.
            #[inline(never)]
            pub(super) unsafe fn $name($($argument: $type),*) -> $result {
                // SAFETY: passed on to the caller; the callbacks are those of the live runtime.
                unsafe {
                    let callbacks = callbacks($runtime);
                    (*callbacks).set_inside(true);
                    let result = raw::$name($($argument),*);
                    (*callbacks).set_inside(false);
                    result
                }
            }
        )*
    };
}

scripts_run_in! {
    fn JS_Call(
        ctx: *mut JSContext, func_obj: JSValue, this_obj: JSValue, argc: c_int, argv: *mut JSValue
    ) -> JSValue as JS_GetRuntime(ctx);
    fn JS_Eval2(
        ctx: *mut JSContext, input: *const c_char, input_len: size_t, options: *mut JSEvalOptions
    ) -> JSValue as JS_GetRuntime(ctx);
    fn JS_EvalFunction(ctx: *mut JSContext, fun_obj: JSValue) -> JSValue as JS_GetRuntime(ctx);
    fn JS_ExecutePendingJob(rt: *mut JSRuntime, pctx: *mut *mut JSContext) -> c_int as rt;
    fn JS_GetLength(ctx: *mut JSContext, obj: JSValue, pres: *mut i64) -> c_int as JS_GetRuntime(ctx);
    fn JS_GetOwnPropertyNames(
        ctx: *mut JSContext, ptab: *mut *mut JSPropertyEnum, plen: *mut u32, obj: JSValue, flags: c_int
    ) -> c_int as JS_GetRuntime(ctx);
    fn JS_GetProperty(ctx: *mut JSContext, this_obj: JSValue, prop: JSAtom) -> JSValue as JS_GetRuntime(ctx);
    fn JS_GetPropertyUint32(ctx: *mut JSContext, this_obj: JSValue, idx: u32) -> JSValue as JS_GetRuntime(ctx);
    fn JS_ToCStringLen2(
        ctx: *mut JSContext, plen: *mut size_t, val1: JSValue, cesu8: bool
    ) -> *const c_char as JS_GetRuntime(ctx);
    // These ask for modules, and compile.
    fn JS_ReadObject(
        ctx: *mut JSContext, buf: *const u8, buf_len: size_t, flags: c_int
    ) -> JSValue as JS_GetRuntime(ctx);
    fn JS_ResolveModule(ctx: *mut JSContext, obj: JSValue) -> c_int as JS_GetRuntime(ctx);
    // These build a stack trace, for which a script may have a hook.
    fn JS_GetArrayBuffer(ctx: *mut JSContext, psize: *mut size_t, obj: JSValue) -> *mut u8 as JS_GetRuntime(ctx);
    fn JS_GetTypedArrayBuffer(
        ctx: *mut JSContext, obj: JSValue, pbyte_offset: *mut size_t, pbyte_length: *mut size_t,
        pbytes_per_element: *mut size_t
    ) -> JSValue as JS_GetRuntime(ctx);
    fn JS_NewError(ctx: *mut JSContext) -> JSValue as JS_GetRuntime(ctx);
}
