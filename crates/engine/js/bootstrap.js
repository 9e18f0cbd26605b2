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
  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, has, ownKeys, preventExtensions, setPrototypeOf } = Reflect;
  const { bind, call, toString: functionToString } = Function.prototype;
  const { performance } = global, { now: performanceNow } = performance;
  const { freeze, hasOwn } = Object;
  const { prototype: arrayProto, isArray } = Array;
  const TypedArray = getPrototypeOf(Uint8Array);
  const promiseProto = Promise.prototype;

  // What is captured is what costs every VM something; what is made of it is made when the first area is loaded.
  const { get: mapGet, set: mapSet, delete: mapDelete, has: mapHas, forEach: mapForEach } = Map.prototype;
  const { add: setAdd, delete: setDelete, has: setHas, forEach: setForEach } = Set.prototype;
  const { get: weakMapGet, set: weakMapSet } = WeakMap.prototype;
  const { push, pop, join } = arrayProto;
  const { slice, charCodeAt, indexOf, lastIndexOf, repeat, toLowerCase, toUpperCase, trim, toWellFormed, valueOf: stringValueOf } = String.prototype;
  const { fromCharCode } = String;
  const { exec } = RegExp.prototype;
  const { toString: numberToString, toFixed, valueOf: numberValueOf } = Number.prototype;
  const { toString: bigintToString, valueOf: bigintValueOf } = BigInt.prototype;
  const { valueOf: booleanValueOf } = Boolean.prototype;
  const { toString: symbolToString } = Symbol.prototype;
  const { toISOString, getTime, toJSON: dateToJson } = Date.prototype, { now: wallClock } = Date;
  const { register, unregister } = FinalizationRegistry.prototype;
  const { slice: bufferSlice, transfer } = ArrayBuffer.prototype, { isView } = ArrayBuffer;
  const { set: bytesSet, fill: typedFill, indexOf: typedIndexOf, lastIndexOf: typedLastIndexOf } = TypedArray.prototype;
  const { then } = promiseProto, { resolve } = Promise;
  const { floor, sqrt } = Math, { parse, stringify } = JSON, { for: symbolFor } = Symbol;
  const { parseInt, parseFloat, decodeURIComponent, encodeURIComponent, atob, btoa, queueMicrotask, DOMException, SuppressedError } = global;
  const getterOf = (object, key) => getOwnPropertyDescriptor(object, key).get;
  const mapSize = getterOf(Map.prototype, "size"), setSize = getterOf(Set.prototype, "size");
  const regExpSource = getterOf(RegExp.prototype, "source"), regExpFlags = getterOf(RegExp.prototype, "flags");
  const dataBuffer = getterOf(DataView.prototype, "buffer"), dataOffset = getterOf(DataView.prototype, "byteOffset"), dataLength = getterOf(DataView.prototype, "byteLength");
  const typedTag = getterOf(TypedArray.prototype, Symbol.toStringTag), typedBuffer = getterOf(TypedArray.prototype, "buffer"), typedOffset = getterOf(TypedArray.prototype, "byteOffset");
  const typedByteLength = getterOf(TypedArray.prototype, "byteLength"), typedLength = getterOf(TypedArray.prototype, "length");
  const bufferLength = getterOf(ArrayBuffer.prototype, "byteLength"), bufferDetached = getterOf(ArrayBuffer.prototype, "detached");
  const bufferResizable = getterOf(ArrayBuffer.prototype, "resizable"), bufferMax = getterOf(ArrayBuffer.prototype, "maxByteLength");
  const errorStack = getterOf(Error.prototype, "stack");
  const exceptionName = getterOf(DOMException.prototype, "name"), exceptionMessage = getterOf(DOMException.prototype, "message");
  const asyncIteratorPrototype = getPrototypeOf(getPrototypeOf(async function* () {}).prototype);
  const iteratorPrototype = getPrototypeOf(getPrototypeOf(new Map().entries()));

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

  // Binding reads what they are, when library code is first loaded.
  defineProperty(call, "length", { configurable: false });
  defineProperty(call, "name", { configurable: false });

  // What an error's call sites hand out are functions that are running, those of the library and of plugins among them.
  global.Error.prepareStackTrace = (_, sites) => {
    delete getPrototypeOf(sites[0]).getFunction;
  };
  new global.Error().stack;
  global.Error.prepareStackTrace = undefined;

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
  const viewBytes = (view) =>
    apply(typedTag, view, []) === undefined
      ? new Uint8Array(apply(dataBuffer, view, []), apply(dataOffset, view, []), apply(dataLength, view, []))
      : new Uint8Array(apply(typedBuffer, view, []), apply(typedOffset, view, []), apply(typedByteLength, view, []));

  function makeIntrinsics() {
    // uncurry(f)(self, a, b) is f.call(self, a, b) for ever.
    const uncurry = (method) => apply(bind, call, [method]);
    const tag = uncurry(typedTag);
    /** One accessor of typed arrays, another of DataViews. */
    const ofView = (typed, data) => {
      const ofTyped = uncurry(typed), ofData = uncurry(data);
      return (view) => (tag(view) === undefined ? ofData(view) : ofTyped(view));
    };
    return freeze({
      __proto__: null,
      apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, has, hasOwn, ownKeys, preventExtensions, setPrototypeOf, freeze, isArray, fromCharCode, list, asArray, queueMicrotask,
      mapForEach: uncurry(mapForEach), mapGet: uncurry(mapGet), mapSet: uncurry(mapSet), mapDelete: uncurry(mapDelete), mapHas: uncurry(mapHas), mapSize: uncurry(mapSize),
      setForEach: uncurry(setForEach), setAdd: uncurry(setAdd), setDelete: uncurry(setDelete), setHas: uncurry(setHas), setSize: uncurry(setSize),
      weakMapGet: uncurry(weakMapGet), weakMapSet: uncurry(weakMapSet),
      push: uncurry(push), pop: uncurry(pop), join: uncurry(join),
      promiseThen: uncurry(then),
      promiseResolve: (value) => apply(resolve, Promise, [value]),
      dispose: Symbol.dispose, asyncDispose: Symbol.asyncDispose, iterator: Symbol.iterator, asyncIterator: Symbol.asyncIterator, toStringTag: Symbol.toStringTag, symbolFor,
      asyncIteratorPrototype, iteratorPrototype,
      slice: uncurry(slice), charCodeAt: uncurry(charCodeAt), indexOf: uncurry(indexOf), lastIndexOf: uncurry(lastIndexOf), repeat: uncurry(repeat), toLowerCase: uncurry(toLowerCase),
      toUpperCase: uncurry(toUpperCase), trim: uncurry(trim), toWellFormed: uncurry(toWellFormed),
      regExpExec: uncurry(exec), regExpSource: uncurry(regExpSource), regExpFlags: uncurry(regExpFlags),
      numberToString: uncurry(numberToString), bigintToString: uncurry(bigintToString), toFixed: uncurry(toFixed), functionToString: uncurry(functionToString), symbolToString: uncurry(symbolToString),
      numberValueOf: uncurry(numberValueOf), stringValueOf: uncurry(stringValueOf), booleanValueOf: uncurry(booleanValueOf), bigintValueOf: uncurry(bigintValueOf),
      dateToISO: uncurry(toISOString), dateTime: uncurry(getTime),
      finalization: (callback) => new FinalizationRegistry(callback),
      finalizationRegister: uncurry(register), finalizationUnregister: uncurry(unregister),
      atob, btoa, floor, sqrt, parseInt, parseFloat, parse, stringify, decodeURIComponent, encodeURIComponent,
      typedArrayLength: uncurry(typedLength), typedArrayTag: tag,
      typedArrayKinds: freeze({
        __proto__: null, BigInt64Array, BigUint64Array, Float16Array, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Uint8Array,
        Uint8ClampedArray, Uint16Array, Uint32Array,
      }),
      arrayBufferLength: uncurry(bufferLength), arrayBufferDetached: uncurry(bufferDetached), arrayBufferSlice: uncurry(bufferSlice), arrayBufferTransfer: uncurry(transfer),
      arrayBufferResizable: uncurry(bufferResizable), arrayBufferMax: uncurry(bufferMax),
      isView, viewBytes, viewBuffer: ofView(typedBuffer, dataBuffer), viewOffset: ofView(typedOffset, dataOffset), viewByteLength: ofView(typedByteLength, dataLength),
      bytesSet: uncurry(bytesSet), typedFill: uncurry(typedFill), typedIndexOf: uncurry(typedIndexOf), typedLastIndexOf: uncurry(typedLastIndexOf),
      DOMException, errorStack: uncurry(errorStack), domExceptionName: uncurry(exceptionName), domExceptionMessage: uncurry(exceptionMessage),
      errorKinds: freeze({ __proto__: null, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError }),
      now: () => apply(performanceNow, performance, []),
      wallClock,
      ArrayBuffer, BigInt, DataView, Date, Error, Map, Number, Object, Promise, Proxy, RangeError, Set, String, RegExp, SuppressedError, Symbol, SyntaxError, TypeError, Uint8Array, WeakMap,
    });
  }

  // What the value bridge asks of JavaScript, because the C API cannot.
  const helpers = {
    __proto__: null,
    // [k, v, k, v, …]
    mapEntries(map) {
      const flat = list();
      apply(mapForEach, map, [(value, key) => { flat[flat.length] = key; flat[flat.length] = value; }]);
      return flat;
    },
    setValues(set) {
      const flat = list();
      apply(setForEach, set, [(value) => { flat[flat.length] = value; }]);
      return flat;
    },
    dateText: (date) => apply(toISOString, date, []),
    regExpSource: (regExp) => apply(regExpSource, regExp, []),
    regExpFlags: (regExp) => apply(regExpFlags, regExp, []),
    unbox(object) {
      try { return apply(numberValueOf, object, []); } catch {}
      try { return apply(stringValueOf, object, []); } catch {}
      try { return apply(booleanValueOf, object, []); } catch {}
      return apply(bigintValueOf, object, []);
    },
    viewBytes,
    bigint: BigInt,
    newMap(flat) {
      const map = new Map();
      for (let i = 0; i < flat.length; i += 2) apply(mapSet, map, [flat[i], flat[i + 1]]);
      return map;
    },
    newSet(flat) {
      const set = new Set();
      for (let i = 0; i < flat.length; i++) apply(setAdd, set, [flat[i]]);
      return set;
    },
    isArray,
    dateToJson,
    newRegExp: (source, flags) => new RegExp(source, flags),
  };
  return {
    __proto__: null,
    makeIntrinsics,
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
