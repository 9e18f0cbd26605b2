// Runs once in every VM before any other code, and keeps what the library needs from the intrinsics, so that nothing a
// script does to a prototype reaches it. Library code uses no syntax that looks things up on prototypes: no spread, no array
// patterns, no for-of, no template literals over objects, no instanceof.
(function (global) {
  "use strict";
  // Bindings of our own: `new RegExp` in a helper must not read the global object later.
  const {
    Array, ArrayBuffer, BigInt, BigInt64Array, BigUint64Array, Boolean, DataView, Date, Error, EvalError, FinalizationRegistry, Float16Array, Float32Array, Float64Array, Function,
    Int8Array, Int16Array, Int32Array, JSON, Map, Math, Number, Object, Promise, Proxy, RangeError, ReferenceError, Reflect, RegExp, Set, String, Symbol,
    SyntaxError, TypeError, URIError, Uint8Array, Uint8ClampedArray, Uint16Array, Uint32Array, WeakMap,
  } = global;
  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, setPrototypeOf } = Reflect;
  const { bind, call } = Function.prototype;
  // uncurry(f)(self, a, b) is f.call(self, a, b) for ever.
  const uncurry = bind.bind(call);
  const { performance } = global, { now: performanceNow } = performance;
  const getter = (object, key) => uncurry(getOwnPropertyDescriptor(object, key).get);
  const { freeze } = Object;
  const { resolve: promiseResolve } = Promise;
  const { prototype: arrayProto, isArray } = Array;
  const { prototype: stringProto, fromCharCode } = String;
  const TypedArray = getPrototypeOf(Uint8Array);

  class PermissionError extends Error {}
  class QuotaExceededError extends Error {}
  for (const C of [PermissionError, QuotaExceededError]) {
    defineProperty(C.prototype, "name", { value: C.name, writable: true, configurable: true });
    defineProperty(global, C.name, { value: C, writable: true, configurable: true });
  }

  // The globals that a session is told it lost are the enumerable ones: those that scripts made.
  defineProperty(global, "performance", { enumerable: false });

  // QuickJS calls the native `next` of one iterator helper from that of another without a look at the stack; a chain of them that is
  // long enough would take the process down. A function of JavaScript in between makes it look.
  const helperProto = getPrototypeOf(new Uint8Array().values().map(() => {}));
  const { next: helperNext } = helperProto;
  const next = { next() { return apply(helperNext, this, []); } }.next;
  defineProperty(helperProto, "next", { value: next, writable: true, configurable: true });

  // `await` and `then` read what a promise's `constructor` is, and so do those of the library. It can be shadowed, not replaced.
  const promiseProto = Promise.prototype;
  defineProperty(promiseProto, "constructor", {
    get: () => Promise,
    set(value) {
      if (this === promiseProto) throw new TypeError("Promise.prototype.constructor cannot be replaced");
      defineProperty(this, "constructor", { __proto__: null, value, writable: true, enumerable: true, configurable: true });
    },
    enumerable: false,
    configurable: false,
  });
  defineProperty(Promise, Symbol.species, { configurable: false });

  // What an error's call sites hand out are functions that are running, those of the library and of plugins among them.
  global.Error.prepareStackTrace = (_, sites) => {
    delete getPrototypeOf(sites[0]).getFunction;
  };
  new global.Error().stack;
  global.Error.prepareStackTrace = undefined;

  const mapForEach = uncurry(Map.prototype.forEach);
  const setForEach = uncurry(Set.prototype.forEach);
  const push = uncurry(arrayProto.push);
  // What is pushed to an array meets the setters that a script has put on the prototypes, so lists of the library have none.
  const list = () => {
    const empty = [];
    setPrototypeOf(empty, null);
    return empty;
  };
  const asArray = (items) => {
    setPrototypeOf(items, arrayProto);
    return items;
  };
  const mapSet = uncurry(Map.prototype.set);
  const setAdd = uncurry(Set.prototype.add);
  const numberValueOf = uncurry(Number.prototype.valueOf);
  const stringValueOf = uncurry(stringProto.valueOf);
  const booleanValueOf = uncurry(Boolean.prototype.valueOf);
  const bigintValueOf = uncurry(BigInt.prototype.valueOf);
  const dateToISO = uncurry(Date.prototype.toISOString);
  const dateTime = uncurry(Date.prototype.getTime);
  const regExpSource = getter(RegExp.prototype, "source");
  const regExpFlags = getter(RegExp.prototype, "flags");
  const viewBuffer = getter(DataView.prototype, "buffer");
  const viewOffset = getter(DataView.prototype, "byteOffset");
  const typedTag = getter(TypedArray.prototype, Symbol.toStringTag);
  const typedBuffer = getter(TypedArray.prototype, "buffer");
  const typedOffset = getter(TypedArray.prototype, "byteOffset");
  const typedLength = getter(TypedArray.prototype, "byteLength");
  const viewLength = getter(DataView.prototype, "byteLength");

  const viewBytes = (view) =>
    typedTag(view) === undefined
      ? new Uint8Array(viewBuffer(view), viewOffset(view), viewLength(view))
      : new Uint8Array(typedBuffer(view), typedOffset(view), typedLength(view));

  const intrinsics = freeze({
    __proto__: null,
    apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, setPrototypeOf,
    freeze, isArray, fromCharCode, push, list, asArray, mapForEach, setForEach, mapSet,
    mapGet: uncurry(Map.prototype.get),
    mapDelete: uncurry(Map.prototype.delete),
    mapHas: uncurry(Map.prototype.has),
    setAdd,
    setDelete: uncurry(Set.prototype.delete),
    setHas: uncurry(Set.prototype.has),
    pop: uncurry(arrayProto.pop),
    promiseThen: uncurry(promiseProto.then),
    promiseResolve: (value) => apply(promiseResolve, Promise, [value]),
    queueMicrotask: global.queueMicrotask,
    has: Reflect.has,
    hasOwn: Object.hasOwn,
    dispose: Symbol.dispose,
    asyncDispose: Symbol.asyncDispose,
    mapSize: getter(Map.prototype, "size"),
    setSize: getter(Set.prototype, "size"),
    join: uncurry(arrayProto.join),
    slice: uncurry(stringProto.slice),
    charCodeAt: uncurry(stringProto.charCodeAt),
    indexOf: uncurry(stringProto.indexOf),
    lastIndexOf: uncurry(stringProto.lastIndexOf),
    repeat: uncurry(stringProto.repeat),
    toLowerCase: uncurry(stringProto.toLowerCase),
    toUpperCase: uncurry(stringProto.toUpperCase),
    trim: uncurry(stringProto.trim),
    regExpExec: uncurry(RegExp.prototype.exec),
    numberToString: uncurry(Number.prototype.toString),
    bigintToString: uncurry(BigInt.prototype.toString),
    arrayBufferResizable: getter(ArrayBuffer.prototype, "resizable"),
    arrayBufferMax: getter(ArrayBuffer.prototype, "maxByteLength"),
    finalization: (callback) => new FinalizationRegistry(callback),
    finalizationRegister: uncurry(FinalizationRegistry.prototype.register),
    finalizationUnregister: uncurry(FinalizationRegistry.prototype.unregister),
    weakMapGet: uncurry(WeakMap.prototype.get),
    weakMapSet: uncurry(WeakMap.prototype.set),
    symbolFor: Symbol.for,
    atob: global.atob,
    btoa: global.btoa,
    floor: Math.floor,
    sqrt: Math.sqrt,
    parseInt: global.parseInt,
    parseFloat: global.parseFloat,
    toFixed: uncurry(Number.prototype.toFixed),
    parse: JSON.parse,
    decodeURIComponent: global.decodeURIComponent,
    encodeURIComponent: global.encodeURIComponent,
    dateToISO, dateTime, regExpSource, regExpFlags,
    numberValueOf, stringValueOf, booleanValueOf, bigintValueOf,
    typedArrayLength: getter(TypedArray.prototype, "length"),
    typedArrayTag: typedTag,
    typedArrayKinds: freeze({
      __proto__: null, BigInt64Array, BigUint64Array, Float16Array, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Uint8Array,
      Uint8ClampedArray, Uint16Array, Uint32Array,
    }),
    arrayBufferLength: getter(ArrayBuffer.prototype, "byteLength"),
    arrayBufferDetached: getter(ArrayBuffer.prototype, "detached"),
    arrayBufferSlice: uncurry(ArrayBuffer.prototype.slice),
    arrayBufferTransfer: uncurry(ArrayBuffer.prototype.transfer),
    viewLength, viewBytes,
    viewBuffer: (view) => (typedTag(view) === undefined ? viewBuffer(view) : typedBuffer(view)),
    viewOffset: (view) => (typedTag(view) === undefined ? viewOffset(view) : typedOffset(view)),
    viewByteLength: (view) => (typedTag(view) === undefined ? viewLength(view) : typedLength(view)),
    bytesSet: uncurry(TypedArray.prototype.set),
    isView: ArrayBuffer.isView,
    iterator: Symbol.iterator,
    asyncIterator: Symbol.asyncIterator,
    asyncIteratorPrototype: getPrototypeOf(getPrototypeOf(async function* () {}).prototype),
    toStringTag: Symbol.toStringTag,
    iteratorPrototype: getPrototypeOf(getPrototypeOf(new Map().entries())),
    toWellFormed: uncurry(stringProto.toWellFormed),
    functionToString: uncurry(Function.prototype.toString),
    symbolToString: uncurry(Symbol.prototype.toString),
    DOMException: global.DOMException,
    errorStack: getter(Error.prototype, "stack"),
    domExceptionName: getter(global.DOMException.prototype, "name"),
    domExceptionMessage: getter(global.DOMException.prototype, "message"),
    errorKinds: freeze({ __proto__: null, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError }),
    now: () => apply(performanceNow, performance, []),
    wallClock: Date.now,
    ArrayBuffer, BigInt, DataView, Date, Error, Map, Number, Object, Promise, Proxy, RangeError, Set, String, RegExp, SuppressedError: global.SuppressedError, Symbol, SyntaxError,
    TypeError, Uint8Array, WeakMap,
    stringify: JSON.stringify,
  });

  // What the value bridge asks of JavaScript, because the C API cannot.
  const helpers = {
    __proto__: null,
    // [k, v, k, v, …]
    mapEntries(map) {
      const flat = list();
      mapForEach(map, (value, key) => { push(flat, key); push(flat, value); });
      return flat;
    },
    setValues(set) {
      const flat = list();
      setForEach(set, (value) => { push(flat, value); });
      return flat;
    },
    dateText: (date) => dateToISO(date),
    regExpSource: (regExp) => regExpSource(regExp),
    regExpFlags: (regExp) => regExpFlags(regExp),
    unbox(object) {
      try { return numberValueOf(object); } catch {}
      try { return stringValueOf(object); } catch {}
      try { return booleanValueOf(object); } catch {}
      return bigintValueOf(object);
    },
    viewBytes,
    bigint: BigInt,
    newMap(flat) {
      const map = new Map();
      for (let i = 0; i < flat.length; i += 2) mapSet(map, flat[i], flat[i + 1]);
      return map;
    },
    newSet(flat) {
      const set = new Set();
      for (let i = 0; i < flat.length; i++) setAdd(set, flat[i]);
      return set;
    },
    isArray,
    dateToJson: Date.prototype.toJSON,
    newRegExp: (source, flags) => new RegExp(source, flags),
  };
  return {
    __proto__: null,
    intrinsics,
    helpers,
    errors: {
      __proto__: null,
      Error: Error.prototype,
      TypeError: TypeError.prototype,
      RangeError: RangeError.prototype,
      SyntaxError: SyntaxError.prototype,
      PermissionError: PermissionError.prototype,
      QuotaExceededError: QuotaExceededError.prototype,
    },
  };
})
