//! An object whose functions are made when they are first asked for. A library has hundreds of native functions; a VM calls few of them, and each takes
//! time and memory.

use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr::NonNull;

use rquickjs::qjs;

use super::ffi::{self, plain};
use super::runtime::Callbacks;
use super::scope::{Exception, Scope};
use super::stop::{catch_panic, leave};
use super::value::{Atom, Value};

/// The class of such objects: QuickJS asks `on_lookup` for what they have not got yet.
struct Exotic(qjs::JSClassExoticMethods);

// SAFETY: function pointers, which nobody writes.
unsafe impl Sync for Exotic {}

static EXOTIC: Exotic = Exotic(qjs::JSClassExoticMethods {
    get_own_property: Some(plain!(
        on_lookup as fn(*mut qjs::JSContext, *mut qjs::JSPropertyDescriptor, qjs::JSValue, qjs::JSAtom) -> c_int
    )),
    get_own_property_names: None,
    delete_property: None,
    define_own_property: None,
    has_property: None,
    get_property: None,
    set_property: None,
});

impl<'js> Scope<'js> {
    /// An object without a prototype whose properties are the functions that [`super::Host::function`] knows, each made once. One a VM: each makes a class.
    pub(crate) fn lazy_functions(self) -> Result<Value<'js>, Exception> {
        let definition = qjs::JSClassDef {
            class_name: c"Functions".as_ptr(),
            finalizer: None,
            gc_mark: None,
            call: None,
            exotic: (&raw const EXOTIC.0).cast_mut(),
        };
        let mut class = 0;
        // SAFETY: live context and runtime; the definition is copied, and what it points to is static and never written to.
        self.checked(unsafe {
            ffi::JS_NewClassID(self.runtime(), &raw mut class);
            if ffi::JS_NewClass(self.runtime(), class, &raw const definition) < 0 {
                return Err(Exception);
            }
            ffi::JS_NewObjectProtoClass(self.raw(), qjs::JS_NULL, class)
        })
    }
}

/// A shim that owns nothing, as those of `runtime`.
unsafe extern "C-unwind" fn on_lookup(
    context: *mut qjs::JSContext,
    descriptor: *mut qjs::JSPropertyDescriptor,
    object: qjs::JSValue,
    property: qjs::JSAtom,
) -> c_int {
    // SAFETY: the pointer set in `Js::new`, live as long as the runtime; QuickJS asks on the VM's thread.
    unsafe {
        let callbacks: *const Callbacks = ffi::JS_GetRuntimeOpaque(ffi::JS_GetRuntime(context)).cast();
        let inside = (*callbacks).is_inside();
        (*callbacks).set_inside(false);
        let found = look_up(context, descriptor, object, property, callbacks);
        (*callbacks).set_inside(inside);
        found
    }
}

/// # Safety
/// As [`on_lookup`].
#[inline(never)]
unsafe fn look_up(
    context: *mut qjs::JSContext,
    descriptor: *mut qjs::JSPropertyDescriptor,
    object: qjs::JSValue,
    property: qjs::JSAtom,
    callbacks: *const Callbacks,
) -> c_int {
    // SAFETY: pointers are live for the length of the call; object and property are borrowed, so they are duplicated. The descriptor is null or has room for one,
    // which QuickJS frees.
    unsafe {
        let Some(context) = NonNull::new(context) else { return -1 };
        let scope = Scope::new(context, PhantomData);
        if (*callbacks).control.is_stopped() {
            leave();
        }
        let (object, property) = (scope.borrowed(object), Atom::borrowed(scope, property));
        let made = catch_panic(|| {
            let text = property.text().ok();
            let Some(name) = text.as_deref() else { return Ok(None) };
            let Some(id) = (*callbacks).host().function(name) else { return Ok(None) };
            let function = scope.function(name, id)?;
            object.define_with(&property, function.clone(), qjs::JS_PROP_C_W_E)?;
            Ok(Some(function))
        });
        match made {
            Ok(Ok(Some(function))) => {
                if !descriptor.is_null() {
                    descriptor.write(qjs::JSPropertyDescriptor {
                        flags: qjs::JS_PROP_C_W_E as c_int,
                        value: function.into_raw(),
                        getter: qjs::JS_UNDEFINED,
                        setter: qjs::JS_UNDEFINED,
                    });
                }
                1
            }
            Ok(Ok(None)) => 0,
            Ok(Err(Exception)) => -1,
            Err(_) => {
                scope.throw_error("Error", "the host failed; this is a defect of the host, not of the script");
                -1
            }
        }
    }
}
