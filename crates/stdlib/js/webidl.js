// Made of js-runtime/src/webidl.ts by `cargo xtask generate`.
// What interfaces of Web IDL have in common: https://webidl.spec.whatwg.org/
((ops     , intrinsics            ) => {
  const { apply, arrayBufferLength, asArray, defineProperty, getOwnPropertyDescriptor, hasOwn, indexOf, isArray, isView, iterator, iteratorPrototype, list, ownKeys, promiseResolve, promiseThen, push, setPrototypeOf } = intrinsics;
  const { bytesSet, getPrototypeOf, setAdd, viewBuffer, viewByteLength, setHas, toStringTag, toWellFormed, viewBytes, Number, Object, Promise, Proxy, Set, String, TypeError, Uint8Array } = intrinsics;

  const interfaces = new Set        ();
  /** Whether it is a platform object: one of the library's own, or of a class that extends one. */
  function isPlatform(value        )          {
    for (let object                = getPrototypeOf(value), i = 0; object !== null && i < 100; object = getPrototypeOf(object), i++) {
      if (setHas(interfaces, object)) return true;
    }
    return false;
  }

  const copiers                                            = list();
  /** Tells how objects of a class are copied; `copier` returns nothing for others. */
  function serializable(copier                                       )       {
    push(copiers, copier);
  }
  /** A copy of a platform object, of a kind that can be copied. */
  function copyPlatform(value        )                     {
    for (let i = 0; i < copiers.length; i++) {
      const copy = copiers[i](value);
      if (copy !== undefined) return copy;
    }
    return undefined;
  }

  /** Makes a class look like an interface: members are enumerable, and it has a name. */
  function defineInterface(constructor                                  , name        )       {
    setAdd(interfaces, constructor.prototype);
    const show = (object        ) => {
      const keys = ownKeys(object);
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i];
        if (typeof key !== "string" || key === "constructor" || key === "prototype" || key === "name" || key === "length") continue;
        defineProperty(object, key, { __proto__: null, enumerable: true }                      );
      }
    };
    show(constructor);
    show(constructor.prototype);
    defineProperty(constructor.prototype, toStringTag, { __proto__: null, value: name, configurable: true }                      );
  }

  /** A second name for a method that is there already. */
  function alias(prototype        , name             , as             )       {
    const value = (getOwnPropertyDescriptor(prototype, name)                      ).value;
    defineProperty(prototype, as, { __proto__: null, value, writable: true, configurable: true }                      );
  }

  function required(needed        , given        , what        )       {
    if (given < needed) throw new TypeError(what + " needs " + needed + " argument" + (needed === 1 ? "" : "s") + ", got " + given);
  }

  const isObject = (value         )                  => (typeof value === "object" && value !== null) || typeof value === "function";

  /** https://webidl.spec.whatwg.org/#es-DOMString */
  const domString = (value         )         => {
    if (typeof value === "symbol") throw new TypeError("a symbol is no string");
    return String(value);
  };

  /** https://webidl.spec.whatwg.org/#es-USVString */
  const usvString = (value         )         => toWellFormed(domString(value));

  // What every object has, scripts can add to: none of it is anybody's option.
  const objectPrototype          = Object.prototype, functionPrototype          = getPrototypeOf(Object), arrayPrototype          = getPrototypeOf(asArray(list()));

  /** A property that the object has itself or from a class of its own. */
  function member(object     , key             )      {
    for (let at      = object; at !== null && at !== objectPrototype && at !== arrayPrototype && at !== functionPrototype; at = getPrototypeOf(at)) {
      if (hasOwn(at, key)) return object[key];
    }
    return undefined;
  }
  const members                       = { __proto__: null, get: member }                        ;

  /** An object whose properties are options, or nothing: https://webidl.spec.whatwg.org/#es-dictionary. What comes of it is to be read from, and nothing else. */
  function dictionary(value         , what        )      {
    if (value === undefined || value === null) return { __proto__: null };
    if (!isObject(value)) throw new TypeError(what + " is no object");
    return new Proxy(value, members);
  }

  /** https://webidl.spec.whatwg.org/#es-callback-function, as the member of a dictionary that need not be there. */
  function callback(value         , what        )                       {
    if (value === undefined) return undefined;
    if (typeof value !== "function") throw new TypeError(what + " is no function");
    return value;
  }

  /** An integer with [EnforceRange]: https://webidl.spec.whatwg.org/#EnforceRange */
  function enforceRange(value         , most        , what        )         {
    const number = Number(value);
    if (!(number > -1 && number < most + 1)) throw new TypeError(what + " is no number from 0 to " + most);
    return number - (number % 1) + 0;
  }

  /** The bytes of a BufferSource, copied only where they are shared. */
  function bytesOf(source         )                          {
    const isOne = isView(source), buffer = isOne ? viewBuffer(source) : source;
    if (ops.kind_of(buffer) === "shared") {
      // Shared memory is read once, so that nobody changes it meanwhile.
      const bytes = isOne ? viewBytes(source) : new Uint8Array(buffer               ), copy = new Uint8Array(viewByteLength(bytes));
      bytesSet(copy, bytes);
      return copy;
    }
    if (isOne) return viewBytes(source);
    if (!isBuffer(source)) throw new TypeError("this is neither an ArrayBuffer nor a view of one");
    return new Uint8Array(source               );
  }

  function isBuffer(value         )                       {
    try {
      arrayBufferLength(value               );
      return true;
    } catch {
      return false;
    }
  }

  function deferred   ()              {
    let resolve                     , reject                            ;
    const promise = new Promise   ((yes, no) => {
      resolve = yes                      ;
      reject = no;
    });
    return { promise, resolve, reject };
  }

  function rejected(reason         )                 {
    return new Promise((_, reject) => reject(reason));
  }

  /** Calls what a script gave for an operation that returns a promise: https://webidl.spec.whatwg.org/#invoke-a-callback-function */
  function promiseCall(method          , self         , args           )                   {
    try {
      return promiseResolve(apply(method, self, args));
    } catch (error) {
      return rejected(error);
    }
  }

  const nothing = () => {};
  /** Nobody need handle it: https://webidl.spec.whatwg.org/#mark-a-promise-as-handled */
  /** Does something that the host does. Its errors have no place of their own: they get that of the call. */
  async function placed   (run                  )             {
    const call = new intrinsics.Error();
    try {
      return await run();
    } catch (error) {
      const stack = isObject(error) && ops.kind_of(error) === "error" ? intrinsics.errorStack(error         ) : undefined;
      // One that a script has made, and a signal has kept, stays as it is.
      if (typeof stack === "string" && stack !== "" && !hasOwn(error          , "stack") && isOurs(stack)) {
        const value = stack + (intrinsics.errorStack(call)          );
        try {
          defineProperty(error         , "stack", { __proto__: null, value, writable: true, configurable: true }                      );
        } catch {}
      }
      throw error;
    }
  }

  /** Whether all frames of a stack are the library's. */
  function isOurs(stack        )          {
    for (let from = 0; from < stack.length; ) {
      const found = indexOf(stack, "\n", from), end = found < 0 ? stack.length : found;
      const at = indexOf(stack, "perennial:", from);
      if (at < 0 || at > end) return false;
      from = end + 1;
    }
    return true;
  }

  function handled   (promise            )             {
    promiseThen(promise, undefined, nothing);
    return promise;
  }

  /** What iterating an object gives, by its own iteration method. */
  function iterate(iterable        , method         , each                         )       {
    const found          = apply(method            , iterable, []);
    if (!isObject(found)) throw new TypeError("an iterator is no object");
    const next = member(found, "next");
    for (;;) {
      const result          = apply(next, found, []);
      if (!isObject(result)) throw new TypeError("what an iterator returned is no object");
      if (member(result, "done")) return;
      each(member(result, "value"));
    }
  }

  /** Items of a sequence<>, none of them converted. */
  function sequence(value         , what        )            {
    if (!isObject(value)) throw new TypeError(what + " is no sequence");
    const items            = list();
    if (!eachOf(value, (item) => { push(items, item); })) throw new TypeError(what + " is no sequence");
    return items;
  }

  /** Each item of what can be iterated; `false` of what cannot. Arrays are read by index, unless they have an iterator of their own. */
  function eachOf(value        , each                         )          {
    const method = member(value, iterator);
    if (method !== undefined && method !== null) {
      iterate(value, method, each);
      return true;
    }
    if (!isArray(value)) return false;
    for (let i = 0; i < value.length; i++) each(hasOwn(value, i) ? value[i] : undefined);
    return true;
  }

  /** https://webidl.spec.whatwg.org/#idl-iterable: iterators over the pairs of an object, which may change meanwhile. */
  function pairIterators                  (name        , pairs                                                         ) {
    class PairIterator {
      #target;  ;
      #kind;                              ;
      #at = 0;
      constructor(target   , kind                               ) {
        this.#target = target;
        this.#kind = kind;
      }
      next() {
        if (typeof this !== "object" || this === null || !(#target in this)) throw new TypeError("not an iterator of " + name);
        const list = pairs(this.#target);
        if (this.#at >= list.length) return { value: undefined, done: true };
        const pair = list[this.#at++];
        const value = this.#kind === "keys" ? pair[0] : this.#kind === "values" ? pair[1] : [pair[0], pair[1]];
        return { value, done: false };
      }
    }
    const prototype      = PairIterator.prototype;
    delete prototype.constructor;
    setPrototypeOf(prototype, iteratorPrototype);
    defineProperty(prototype, "next", { __proto__: null, enumerable: true }                      );
    defineProperty(prototype, toStringTag, { __proto__: null, value: name + " Iterator", configurable: true }                      );
    return (target   , kind                               ) => new PairIterator(target, kind);
  }

  return { webidl: {
    __proto__: null, alias, bytesOf, callback, copyPlatform, deferred, defineInterface, dictionary, domString, eachOf, enforceRange, handled, isBuffer, isObject, isPlatform, iterate, member, pairIterators, placed, promiseCall, rejected,
    required, sequence, serializable, usvString,
  } };
})
