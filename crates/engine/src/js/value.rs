use std::ffi::c_int;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::{self, NonNull};

use rquickjs::qjs;

use super::ffi;
use super::scope::{Exception, Scope};

/// Whether this is an unwinding thread: then the VM is being left, and nothing is given back to it.
fn is_left() -> bool {
    std::thread::panicking()
}

/// A JavaScript value, owned for as long as its scope.
pub(crate) struct Value<'js> {
    pub(super) scope: Scope<'js>,
    pub(super) raw: qjs::JSValue,
}

/// A value put aside between two scopes of one runtime. Does not give its reference back when dropped.
pub(crate) struct Saved {
    raw: qjs::JSValue,
    runtime: NonNull<qjs::JSRuntime>,
}

// SAFETY: nothing can be done with it but compare its runtime and hand it to a scope of that runtime, which is on the
// right thread and has the runtime to itself; the value itself never changes.
unsafe impl Send for Saved {}
// SAFETY: see above.
unsafe impl Sync for Saved {}

/// What a value is, as far as the bridge tells kinds apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Class {
    Undefined,
    Null,
    Bool(bool),
    Int(i32),
    Float(f64),
    String,
    BigInt,
    Symbol,
    Function,
    Array,
    Date,
    Error,
    Map,
    Set,
    RegExp,
    /// ArrayBuffer, typed array, DataView.
    Buffer,
    /// `new Number(1)` and its like.
    Boxed,
    Promise,
    /// WeakMap, WeakSet, WeakRef: what cannot be listed.
    Weak,
    /// Iterators and generators: what would be used up by listing it.
    Iterator,
    /// Memory that others may write to at the same time.
    SharedBuffer,
    /// Everything else, proxies included.
    Object,
}

/// Why a string could not become UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextError {
    /// It has an unpaired surrogate.
    LoneSurrogate,
    /// An exception is pending.
    Exception,
}

/// The position of a class in QuickJS's own enumeration, `JS_CLASS_*` in quickjs.c. A test checks each against a live VM.
mod class_id {
    pub(super) const OBJECT: u32 = 1;
    pub(super) const ARRAY: u32 = 2;
    pub(super) const ERROR: u32 = 3;
    pub(super) const NUMBER: u32 = 4;
    pub(super) const BOOLEAN: u32 = 6;
    pub(super) const SYMBOL: u32 = 7;
    pub(super) const DATE: u32 = 10;
    pub(super) const REGEXP: u32 = 19;
    pub(super) const ARRAY_BUFFER: u32 = 20;
    pub(super) const DATAVIEW: u32 = 34;
    pub(super) const BIG_INT: u32 = 35;
    pub(super) const MAP: u32 = 36;
    pub(super) const SET: u32 = 37;
    pub(super) const WEAKMAP: u32 = 38;
    pub(super) const WEAKSET: u32 = 39;
    /// The first of the iterator classes; the last is the generator's.
    pub(super) const ITERATOR: u32 = 40;
    pub(super) const GENERATOR: u32 = 49;
    pub(super) const SHARED_ARRAY_BUFFER: u32 = 21;
    pub(super) const ASYNC_GENERATOR: u32 = 60;
    pub(super) const DOM_EXCEPTION: u32 = 64;
}

impl<'js> Value<'js> {
    pub(super) fn into_raw(self) -> qjs::JSValue {
        ManuallyDrop::new(self).raw
    }

    pub(crate) fn scope(&self) -> Scope<'js> {
        self.scope
    }

    fn tag(&self) -> i32 {
        // SAFETY: reads the tag.
        unsafe { qjs::JS_VALUE_GET_TAG(self.raw) }
    }

    pub(crate) fn is_undefined(&self) -> bool {
        self.tag() == qjs::JS_TAG_UNDEFINED
    }

    pub(crate) fn is_object(&self) -> bool {
        self.tag() == qjs::JS_TAG_OBJECT
    }

    pub(crate) fn is_function(&self) -> bool {
        // SAFETY: live value.
        unsafe { ffi::JS_IsFunction(self.scope.raw(), self.raw) }
    }

    pub(crate) fn is_error(&self) -> bool {
        // SAFETY: reads the class.
        unsafe { ffi::JS_IsError(self.raw) }
    }

    pub(crate) fn is_string(&self) -> bool {
        matches!(self.tag(), qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE)
    }

    /// The number, if it is one.
    pub(crate) fn as_number(&self) -> Option<f64> {
        // SAFETY: each field of the union is read under its own tag.
        unsafe {
            match self.tag() {
                qjs::JS_TAG_INT => Some(f64::from(qjs::JS_VALUE_GET_INT(self.raw))),
                qjs::JS_TAG_FLOAT64 => Some(qjs::JS_VALUE_GET_FLOAT64(self.raw)),
                _ => None,
            }
        }
    }

    /// The address of the object, for telling whether two values are one. 0 for primitives.
    pub(crate) fn address(&self) -> usize {
        // SAFETY: an object's union holds its pointer; it is not followed.
        if self.is_object() { unsafe { qjs::JS_VALUE_GET_PTR(self.raw) as usize } } else { 0 }
    }

    pub(crate) fn class(&self) -> Class {
        // SAFETY: each field of the union is read under its own tag; the predicates take any live value.
        unsafe {
            match self.tag() {
                qjs::JS_TAG_UNDEFINED | qjs::JS_TAG_UNINITIALIZED => Class::Undefined,
                qjs::JS_TAG_NULL => Class::Null,
                qjs::JS_TAG_BOOL => Class::Bool(qjs::JS_VALUE_GET_BOOL(self.raw)),
                qjs::JS_TAG_INT => Class::Int(qjs::JS_VALUE_GET_INT(self.raw)),
                qjs::JS_TAG_FLOAT64 => Class::Float(qjs::JS_VALUE_GET_FLOAT64(self.raw)),
                qjs::JS_TAG_STRING | qjs::JS_TAG_STRING_ROPE => Class::String,
                qjs::JS_TAG_BIG_INT | qjs::JS_TAG_SHORT_BIG_INT => Class::BigInt,
                qjs::JS_TAG_OBJECT => match ffi::JS_GetClassID(self.raw) {
                    class_id::OBJECT => Class::Object,
                    class_id::ARRAY => Class::Array,
                    class_id::ERROR | class_id::DOM_EXCEPTION => Class::Error,
                    class_id::NUMBER..=class_id::BOOLEAN | class_id::BIG_INT => Class::Boxed,
                    class_id::SYMBOL => Class::Symbol,
                    class_id::DATE => Class::Date,
                    class_id::REGEXP => Class::RegExp,
                    class_id::SHARED_ARRAY_BUFFER => Class::SharedBuffer,
                    class_id::ARRAY_BUFFER..=class_id::DATAVIEW => Class::Buffer,
                    class_id::ITERATOR..=class_id::GENERATOR | class_id::ASYNC_GENERATOR => Class::Iterator,
                    class_id::MAP => Class::Map,
                    class_id::SET => Class::Set,
                    class_id::WEAKMAP | class_id::WEAKSET => Class::Weak,
                    _ if ffi::JS_IsFunction(self.scope.raw(), self.raw) => Class::Function,
                    _ if ffi::JS_IsPromise(self.raw) => Class::Promise,
                    _ if ffi::JS_IsWeakRef(self.raw) => Class::Weak,
                    _ if ffi::JS_IsArray(self.raw) => Class::Array,
                    _ if ffi::JS_IsError(self.raw) => Class::Error,
                    _ => Class::Object,
                },
                _ => Class::Symbol,
            }
        }
    }

    // ---- properties ---------------------------------------------------------------------------------------------------

    /// Reads a property; getters and proxy traps run.
    pub(crate) fn get(&self, key: &Atom<'js>) -> Result<Value<'js>, Exception> {
        // SAFETY: live value and atom.
        self.scope.checked(unsafe { ffi::JS_GetProperty(self.scope.raw(), self.raw, key.raw) })
    }

    /// Whether the object itself has a property. No code of a script runs unless it is a proxy.
    pub(crate) fn has_own(&self, key: &Atom<'js>) -> Result<bool, Exception> {
        // SAFETY: live value and atom; without a descriptor to fill, QuickJS only says whether there is one.
        match unsafe { ffi::JS_GetOwnProperty(self.scope.raw(), ptr::null_mut(), self.raw, key.raw) } {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Exception),
        }
    }

    /// Where the function is, if the object itself has an accessor as [`Self::define_accessor`] makes them, with one function for both.
    pub(crate) fn accessor(&self, key: &Atom<'js>) -> Result<Option<usize>, Exception> {
        let mut descriptor = std::mem::MaybeUninit::<qjs::JSPropertyDescriptor>::uninit();
        // SAFETY: live value and atom; QuickJS fills the descriptor where it answers 1, with references that are ours then.
        unsafe {
            match ffi::JS_GetOwnProperty(self.scope.raw(), descriptor.as_mut_ptr().cast(), self.raw, key.raw) {
                0 => return Ok(None),
                1 => {}
                _ => return Err(Exception),
            }
            let descriptor = descriptor.assume_init();
            let (getter, setter) = (self.scope.owned(descriptor.getter), self.scope.owned(descriptor.setter));
            drop(self.scope.owned(descriptor.value));
            let is_one = getter.is_function() && getter.address() == setter.address();
            Ok(is_one.then(|| getter.address()))
        }
    }

    /// The value of a property of the object itself that no code has to run for: none where there is none, an accessor or a proxy.
    pub(crate) fn plain_property(&self, key: &str) -> Result<Option<Self>, Exception> {
        if self.is_proxy() {
            return Ok(None);
        }
        Ok(self.own(&self.scope.atom(key)?)?.and_then(|own| own.value))
    }

    /// A property of the object itself, which is no proxy. No code runs.
    pub(crate) fn own(&self, key: &Atom<'js>) -> Result<Option<Own<'js>>, Exception> {
        let mut descriptor = std::mem::MaybeUninit::<qjs::JSPropertyDescriptor>::uninit();
        // SAFETY: live value and atom; QuickJS fills the descriptor where it answers 1, with references that are ours then.
        unsafe {
            match ffi::JS_GetOwnProperty(self.scope.raw(), descriptor.as_mut_ptr().cast(), self.raw, key.raw) {
                0 => return Ok(None),
                1 => {}
                _ => return Err(Exception),
            }
            let descriptor = descriptor.assume_init();
            drop((self.scope.owned(descriptor.getter), self.scope.owned(descriptor.setter)));
            let value = self.scope.owned(descriptor.value);
            let has = |flag: u32| descriptor.flags & flag as c_int != 0;
            let value = (!has(qjs::JS_PROP_GETSET)).then_some(value);
            Ok(Some(Own { value, is_enumerable: has(qjs::JS_PROP_ENUMERABLE) }))
        }
    }

    /// The value as a key: a text, a number or a symbol, for which no code runs.
    pub(crate) fn key(&self) -> Result<Atom<'js>, Exception> {
        // SAFETY: live value.
        let raw = unsafe { ffi::JS_ValueToAtom(self.scope.raw(), self.raw) };
        if raw == qjs::__JS_ATOM_NULL as qjs::JSAtom { Err(Exception) } else { Ok(Atom { scope: self.scope, raw }) }
    }

    pub(crate) fn get_str(&self, key: &str) -> Result<Value<'js>, Exception> {
        self.get(&self.scope.atom(key)?)
    }

    pub(crate) fn get_index(&self, index: u32) -> Result<Value<'js>, Exception> {
        // SAFETY: live value.
        self.scope.checked(unsafe { ffi::JS_GetPropertyUint32(self.scope.raw(), self.raw, index) })
    }

    /// The `length` property as an integer.
    pub(crate) fn length(&self) -> Result<u64, Exception> {
        let mut length = 0;
        // SAFETY: live value; writes one integer.
        match unsafe { ffi::JS_GetLength(self.scope.raw(), self.raw, &raw mut length) } {
            0 => Ok(length.max(0) as u64),
            _ => Err(Exception),
        }
    }

    /// Defines an own data property that is writable, enumerable and configurable. Never calls a setter.
    pub(crate) fn define(&self, key: &str, value: Value<'js>) -> Result<(), Exception> {
        self.define_key(&self.scope.atom(key)?, value)
    }

    /// As [`Self::define`].
    pub(crate) fn define_key(&self, key: &Atom<'js>, value: Value<'js>) -> Result<(), Exception> {
        self.define_with(key, value, qjs::JS_PROP_C_W_E)
    }

    /// Defines an own data property that `for…in` and `Object.keys` do not show.
    pub(crate) fn define_hidden(&self, key: &Atom<'js>, value: Value<'js>) -> Result<(), Exception> {
        self.define_with(key, value, qjs::JS_PROP_CONFIGURABLE | qjs::JS_PROP_WRITABLE)
    }

    pub(super) fn define_with(&self, key: &Atom<'js>, value: Value<'js>, flags: u32) -> Result<(), Exception> {
        // SAFETY: live object and atom; ownership of the value passes to QuickJS.
        let outcome = unsafe {
            ffi::JS_DefinePropertyValue(self.scope.raw(), self.raw, key.raw, value.into_raw(), flags as c_int)
        };
        if outcome < 0 { Err(Exception) } else { Ok(()) }
    }

    /// Defines a hidden accessor property.
    pub(crate) fn define_accessor(
        &self,
        key: &Atom<'js>,
        getter: Value<'js>,
        setter: Value<'js>,
    ) -> Result<(), Exception> {
        // SAFETY: as in `define_with`, for both functions.
        let outcome = unsafe {
            ffi::JS_DefinePropertyGetSet(
                self.scope.raw(),
                self.raw,
                key.raw,
                getter.into_raw(),
                setter.into_raw(),
                qjs::JS_PROP_CONFIGURABLE as c_int,
            )
        };
        if outcome < 0 { Err(Exception) } else { Ok(()) }
    }

    /// The enumerable own string keys.
    pub(crate) fn keys(&self) -> Result<Keys<'js>, Exception> {
        self.keys_of(qjs::JS_GPN_STRING_MASK | qjs::JS_GPN_ENUM_ONLY)
    }

    /// Likewise with those that are not enumerable.
    pub(crate) fn all_keys(&self) -> Result<Keys<'js>, Exception> {
        self.keys_of(qjs::JS_GPN_STRING_MASK)
    }

    /// The own keys that are symbols.
    pub(crate) fn symbols(&self) -> Result<Keys<'js>, Exception> {
        self.keys_of(qjs::JS_GPN_SYMBOL_MASK)
    }

    fn keys_of(&self, flags: u32) -> Result<Keys<'js>, Exception> {
        let (mut table, mut length) = (ptr::null_mut(), 0);
        let flags = flags as c_int;
        // SAFETY: live object; QuickJS fills both unless it fails.
        let outcome =
            unsafe { ffi::JS_GetOwnPropertyNames(self.scope.raw(), &raw mut table, &raw mut length, self.raw, flags) };
        if outcome < 0 { Err(Exception) } else { Ok(Keys { scope: self.scope, table, length }) }
    }

    // ---- contents -----------------------------------------------------------------------------------------------------

    /// The value as text, by JavaScript's `ToString`; for strings no code runs.
    pub(crate) fn text(&self) -> Result<Text<'js>, TextError> {
        let mut length: qjs::size_t = 0;
        // SAFETY: live value; a non-null result is `length` bytes that live until freed.
        let data = unsafe { ffi::JS_ToCStringLen2(self.scope.raw(), &raw mut length, self.raw, false) };
        Text::new(self.scope, data, length)
    }

    /// A copy of the bytes of an ArrayBuffer, or of a typed array whose length is fixed; `None` for anything else and where it is
    /// detached. The length alone, as an error, if there are more than `most`.
    pub(crate) fn buffer_bytes(&self, most: usize) -> Result<Option<Vec<u8>>, usize> {
        let (mut offset, mut length, mut size): (qjs::size_t, qjs::size_t, qjs::size_t) = (0, 0, 0);
        // SAFETY: live values. The bytes are copied before anything else can run.
        let bytes = unsafe {
            let context = self.scope.raw();
            if qjs_is_typed_array(self) {
                let parts = (&raw mut offset, &raw mut length, ptr::null_mut());
                let buffer = ffi::JS_GetTypedArrayBuffer(context, self.raw, parts.0, parts.1, parts.2);
                let buffer = self.scope.checked(buffer).ok();
                let data = buffer.as_ref().map(|buffer| ffi::JS_GetArrayBuffer(context, &raw mut size, buffer.raw));
                let length = length as usize;
                if length > most {
                    return Err(length);
                }
                data.filter(|_| offset as usize + length <= size as usize)
                    .and_then(|data| copy(data, offset as usize, length))
            } else if ffi::JS_IsArrayBuffer(self.raw) {
                let data = ffi::JS_GetArrayBuffer(context, &raw mut size, self.raw);
                if size as usize > most {
                    return Err(size as usize);
                }
                copy(data, 0, size as usize)
            } else {
                None
            }
        };
        if bytes.is_none() {
            drop(self.scope.catch());
        }
        Ok(bytes)
    }

    /// Whether this is a typed array, whose true length only JavaScript knows where it tracks its buffer's.
    pub(crate) fn is_typed_array(&self) -> bool {
        qjs_is_typed_array(self)
    }

    /// Whether this is a `DataView`, whose parts JavaScript has to name.
    pub(crate) fn is_data_view(&self) -> bool {
        // SAFETY: reads the class.
        unsafe { ffi::JS_IsDataView(self.raw) }
    }

    pub(crate) fn is_proxy(&self) -> bool {
        // SAFETY: reads the class.
        unsafe { ffi::JS_IsProxy(self.raw) }
    }

    /// As much of the value's text as fits into so many bytes, whatever is in it: unpaired surrogates become replacement characters, a failure
    /// becomes `None`. Nothing else of it leaves the heap. A text that goes on ends in `…`.
    pub(crate) fn text_prefix(&self, most: usize) -> Option<String> {
        let mut length: qjs::size_t = 0;
        // SAFETY: live value; a non-null result is `length` bytes that live until freed.
        unsafe {
            let data = ffi::JS_ToCStringLen2(self.scope.raw(), &raw mut length, self.raw, false);
            if data.is_null() {
                drop(self.scope.catch());
                return None;
            }
            let bytes: &[u8] = std::slice::from_raw_parts(data.cast(), length as usize);
            let mut end = bytes.len().min(most);
            // Not in the middle of a character.
            while end < bytes.len() && end > 0 && bytes[end] & 0xc0 == 0x80 {
                end -= 1;
            }
            let mut text = String::from_utf8_lossy(&bytes[..end]).into_owned();
            if end < bytes.len() {
                text.push('…');
            }
            ffi::JS_FreeCString(self.scope.raw(), data);
            Some(text)
        }
    }

    /// An error object below this prototype, with this message; it gets its stack when it is thrown.
    pub(crate) fn new_error_below(&self, message: &str) -> Result<Self, Exception> {
        // SAFETY: live values; class 3 is JS_CLASS_ERROR.
        let error =
            self.scope.checked(unsafe { ffi::JS_NewObjectProtoClass(self.scope.raw(), self.raw, class_id::ERROR) })?;
        error.define_hidden(&self.scope.atom("message")?, self.scope.string(message)?)?;
        Ok(error)
    }

    /// The prototype, without running code; `None` for primitives and proxies.
    pub(crate) fn plain_prototype(&self) -> Option<Self> {
        if !self.is_object() || self.is_proxy() {
            return None;
        }
        // SAFETY: live object that is no proxy.
        self.scope.checked(unsafe { ffi::JS_GetPrototype(self.scope.raw(), self.raw) }).ok()
    }

    /// Says that somebody looks after the promise, so that its rejection is not reported.
    pub(crate) fn mark_handled(&self) {
        // SAFETY: live value; anything but a promise is ignored.
        unsafe { ffi::JS_PromiseMarkAsHandled(self.scope.raw(), self.raw) }
    }
}

fn qjs_is_typed_array(value: &Value<'_>) -> bool {
    // SAFETY: reads the class.
    unsafe { ffi::JS_GetTypedArrayType(value.raw) >= 0 }
}

/// # Safety
/// `data` is null or has `offset + length` readable bytes.
unsafe fn copy(data: *const u8, offset: usize, length: usize) -> Option<Vec<u8>> {
    // SAFETY: see above.
    (!data.is_null()).then(|| unsafe { std::slice::from_raw_parts(data.add(offset), length) }.to_vec())
}

impl Clone for Value<'_> {
    fn clone(&self) -> Self {
        self.scope.borrowed(self.raw)
    }
}

impl Drop for Value<'_> {
    fn drop(&mut self) {
        if is_left() {
            return;
        }
        // SAFETY: this is our reference, given back once.
        unsafe { ffi::JS_FreeValue(self.scope.raw(), self.raw) }
    }
}

impl Saved {
    pub(super) fn new(raw: qjs::JSValue, runtime: *mut qjs::JSRuntime) -> Self {
        Self { raw, runtime: NonNull::new(runtime).expect("a scope has a runtime") }
    }

    pub(super) fn raw_for(&self, runtime: *mut qjs::JSRuntime) -> qjs::JSValue {
        assert_eq!(self.runtime.as_ptr(), runtime, "a saved value goes back to its own runtime");
        self.raw
    }
}

/// A property of an object itself.
pub(crate) struct Own<'js> {
    /// `None` for an accessor.
    pub(crate) value: Option<Value<'js>>,
    pub(crate) is_enumerable: bool,
}

/// A property key.
pub(crate) struct Atom<'js> {
    pub(super) scope: Scope<'js>,
    pub(super) raw: qjs::JSAtom,
}

impl Drop for Atom<'_> {
    fn drop(&mut self) {
        if is_left() {
            return;
        }
        // SAFETY: this is our reference, given back once.
        unsafe { ffi::JS_FreeAtom(self.scope.raw(), self.raw) }
    }
}

impl<'js> Atom<'js> {
    /// A second reference to an atom that somebody else owns.
    pub(super) fn borrowed(scope: Scope<'js>, raw: qjs::JSAtom) -> Self {
        // SAFETY: the caller's reference keeps the atom alive while it is duplicated.
        Self { scope, raw: unsafe { ffi::JS_DupAtom(scope.raw(), raw) } }
    }

    pub(crate) fn text(&self) -> Result<Text<'js>, TextError> {
        let mut length: qjs::size_t = 0;
        // SAFETY: live atom; a non-null result is `length` bytes that live until freed.
        let data = unsafe { ffi::JS_AtomToCStringLen(self.scope.raw(), &raw mut length, self.raw) };
        Text::new(self.scope, data, length)
    }
}

/// The keys of one object, in property order.
pub(crate) struct Keys<'js> {
    scope: Scope<'js>,
    table: *mut qjs::JSPropertyEnum,
    length: u32,
}

impl<'js> Keys<'js> {
    pub(crate) fn len(&self) -> usize {
        self.length as usize
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Atom<'js>> + '_ {
        (0..self.len()).map(|i| {
            // SAFETY: `i` is within the table; the atom is duplicated, so that it may outlive the table.
            let raw = unsafe { ffi::JS_DupAtom(self.scope.raw(), (*self.table.add(i)).atom) };
            Atom { scope: self.scope, raw }
        })
    }
}

impl Drop for Keys<'_> {
    fn drop(&mut self) {
        if is_left() {
            return;
        }
        // SAFETY: the table came from JS_GetOwnPropertyNames and is freed once, its atoms with it.
        unsafe { ffi::JS_FreePropertyEnum(self.scope.raw(), self.table, self.length) }
    }
}

/// UTF-8 text that QuickJS holds for us.
pub(crate) struct Text<'js> {
    scope: Scope<'js>,
    data: *const std::ffi::c_char,
    length: usize,
}

impl<'js> Text<'js> {
    fn new(scope: Scope<'js>, data: *const std::ffi::c_char, length: qjs::size_t) -> Result<Self, TextError> {
        if data.is_null() {
            return Err(TextError::Exception);
        }
        let text = Self { scope, data, length: length as usize };
        if std::str::from_utf8(text.bytes()).is_ok() { Ok(text) } else { Err(TextError::LoneSurrogate) }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: QuickJS keeps `length` bytes here until JS_FreeCString.
        unsafe { std::slice::from_raw_parts(self.data.cast(), self.length) }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        // SAFETY: checked in `new`, and the bytes do not change.
        unsafe { std::str::from_utf8_unchecked(self.bytes()) }
    }
}

impl Drop for Text<'_> {
    fn drop(&mut self) {
        if is_left() {
            return;
        }
        // SAFETY: given back once.
        unsafe { ffi::JS_FreeCString(self.scope.raw(), self.data) }
    }
}
