// Made of js-runtime/src/clone.ts by `cargo xtask generate`.
// structuredClone: https://html.spec.whatwg.org/#structured-cloning
((ops     , intrinsics            ) => {
  const { arrayBufferDetached, arrayBufferLength, arrayBufferMax, arrayBufferResizable, arrayBufferSlice, arrayBufferTransfer, asArray, bigintValueOf, booleanValueOf } = intrinsics;
  const { bytesSet, dateTime, defineProperty, getOwnPropertyDescriptor, list, mapForEach, mapGet, mapSet, numberValueOf, ownKeys, push, regExpFlags, regExpSource } = intrinsics;
  const { domExceptionMessage, domExceptionName, errorKinds, errorStack, isView, setAdd, setForEach, stringValueOf, typedArrayKinds, typedArrayLength, typedArrayTag, viewBuffer, viewByteLength, viewOffset } = intrinsics;
  const { ArrayBuffer, DataView, Date, DOMException, Error, Map, Object, RegExp, Set, String, Uint8Array } = intrinsics;
  const { copyPlatform, dictionary, isPlatform, required, sequence } = ops.library_value("webidl");

  const refuse = (what        ) => new DOMException(what + " cannot be cloned", "DataCloneError");
  const define = (object        , key             , value         ) =>
    defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true }                      );

  ;

  function clone(value         , memory        )          {
    if (typeof value === "symbol") throw refuse(String(value));
    if (typeof value === "function") throw refuse("a function");
    if (typeof value !== "object" || value === null) return value;
    const known = mapGet(memory, value);
    if (known !== undefined) return known;
    const kind = ops.kind_of(value);
    if (kind === "map") return cloneMap(value                         , memory);
    if (kind === "set") return cloneSet(value                , memory);
    if (kind === "array") return cloneArray(value             , memory);
    if (kind === "buffer") return isView(value) ? cloneView(value, memory) : cloneBuffer(value               , memory);
    if (kind === "boxed") return remember(memory, value, cloneBoxed(value));
    if (kind === "date") return remember(memory, value, new Date(dateTime(value        )));
    if (kind === "regexp") return remember(memory, value, new RegExp(regExpSource(value          ), regExpFlags(value          )));
    if (kind === "error") return cloneError(value         , memory);
    if (kind !== "object") throw refuse(kind === "shared" ? "shared memory" : "a " + kind);
    if (isPlatform(value)) return remember(memory, value, clonePlatform(value));
    const copy = {};
    mapSet(memory, value, copy);
    properties(value, copy, memory);
    return copy;
  }

  function remember                  (memory        , value        , copy   )    {
    mapSet(memory, value, copy);
    return copy;
  }

  /** Own enumerable properties, read one after the other: a getter may change the ones after it. */
  function properties(value        , copy        , memory        )       {
    const keys = ownKeys(value), wanted           = list();
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (typeof key !== "string") continue;
      const descriptor = getOwnPropertyDescriptor(value, key);
      if (descriptor !== undefined && descriptor.enumerable) push(wanted, key);
    }
    for (let i = 0; i < wanted.length; i++) {
      if (getOwnPropertyDescriptor(value, wanted[i]) !== undefined) define(copy, wanted[i], clone((value       )[wanted[i]], memory));
    }
  }

  function cloneArray(value           , memory        )            {
    const copy            = asArray(list());
    copy.length = value.length;
    mapSet(memory, value, copy);
    properties(value, copy, memory);
    return copy;
  }

  function cloneMap(value                       , memory        )         {
    const copy = remember(memory, value, new Map()), entries            = list();
    mapForEach(value, (item, key) => {
      push(entries, key);
      push(entries, item);
    });
    for (let i = 0; i < entries.length; i += 2) mapSet(copy, clone(entries[i], memory), clone(entries[i + 1], memory));
    return copy;
  }

  function cloneSet(value              , memory        )         {
    const copy = remember(memory, value, new Set()), items            = list();
    setForEach(value, (item) => {
      push(items, item);
    });
    for (let i = 0; i < items.length; i++) setAdd(copy, clone(items[i], memory));
    return copy;
  }

  function cloneBoxed(value        )         {
    const readers = [numberValueOf, stringValueOf, booleanValueOf, bigintValueOf];
    for (let i = 0; i < readers.length; i++) {
      let inside;
      try {
        inside = readers[i](value);
      } catch {
        continue;
      }
      return Object(inside);
    }
    throw refuse("a symbol object");
  }

  function cloneBuffer(buffer             , memory        )              {
    if (arrayBufferDetached(buffer)) throw refuse("a detached buffer");
    if (!arrayBufferResizable(buffer)) return remember(memory, buffer, arrayBufferSlice(buffer, 0));
    const length = arrayBufferLength(buffer);
    const copy = new ArrayBuffer(length, { __proto__: null, maxByteLength: arrayBufferMax(buffer) }       );
    bytesSet(new Uint8Array(copy), new Uint8Array(buffer));
    return remember(memory, buffer, copy);
  }

  function cloneView(view                 , memory        )         {
    const from = viewBuffer(view), offset = viewOffset(view);
    if (ops.kind_of(from) !== "buffer") throw refuse("shared memory");
    const buffer = clone(from, memory)               , tag = typedArrayTag(view);
    const copy = tag === undefined ? new DataView(buffer, offset, viewByteLength(view)) : new typedArrayKinds[tag](buffer, offset, typedArrayLength(view));
    return remember(memory, view, copy);
  }

  function domException(error       )                           {
    let name;
    try {
      name = domExceptionName(error);
    } catch {
      return undefined;
    }
    return new DOMException(domExceptionMessage(error), name);
  }

  function cloneError(error       , memory        )         {
    const exception = domException(error);
    if (exception !== undefined) return remember(memory, error, exception);
    const given          = error.name, name = given === undefined ? "Error" : String(given);
    const described = getOwnPropertyDescriptor(error, "message");
    const message = described === undefined || !("value" in described) ? undefined : String(described.value);
    const own = getOwnPropertyDescriptor(error, "stack"), stack          = own === undefined ? errorStack(error) : own.value;
    const Kind                   = name in errorKinds ? errorKinds[name] : Error;
    const copy = message === undefined ? new Kind() : new Kind(message);
    mapSet(memory, error, copy);
    if (typeof stack === "string") defineProperty(copy, "stack", { __proto__: null, value: stack, writable: true, configurable: true }                      );
    const cause = getOwnPropertyDescriptor(error, "cause");
    if (cause !== undefined && "value" in cause) {
      const value = clone(cause.value, memory);
      defineProperty(copy, "cause", { __proto__: null, value, writable: true, configurable: true }                      );
    }
    return copy;
  }

  /** Those of the library's own objects that can be cloned. */
  function clonePlatform(value        )         {
    const copy = copyPlatform(value);
    if (copy === undefined) throw refuse("an object of this kind");
    return copy;
  }

  function structuredClone(value         , options          = undefined) {
    required(1, arguments.length, "structuredClone");
    const { transfer } = dictionary(options, "the second argument of structuredClone");
    const buffers        = transfer === undefined ? list() : sequence(transfer, "transfer of structuredClone");
    const memory         = new Map();
    for (let i = 0; i < buffers.length; i++) {
      const buffer = buffers[i];
      if (ops.kind_of(buffer) !== "buffer" || isView(buffer)) throw new DOMException("only an ArrayBuffer can be transferred", "DataCloneError");
      for (let j = 0; j < i; j++) if (buffers[j] === buffer) throw new DOMException("a buffer is to be transferred twice", "DataCloneError");
    }
    // The new buffers are there before anything refers to them; the old ones are detached when all went well.
    for (let i = 0; i < buffers.length; i++) {
      if (arrayBufferDetached(buffers[i])) throw new DOMException("a detached buffer cannot be transferred", "DataCloneError");
      cloneBuffer(buffers[i], memory);
    }
    const copy = clone(value, memory);
    for (let i = 0; i < buffers.length; i++) {
      if (arrayBufferDetached(buffers[i])) throw new DOMException("a detached buffer cannot be transferred", "DataCloneError");
      arrayBufferTransfer(buffers[i]);
    }
    return copy;
  }

  return { structuredClone };
})
