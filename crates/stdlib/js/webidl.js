// Made of js-runtime/src/webidl.ts by `cargo xtask generate`.
// What interfaces of Web IDL have in common: https://webidl.spec.whatwg.org/
((ops     , intrinsics            ) => {
  const { apply, arrayBufferLength, defineProperty, getOwnPropertyDescriptor, isView, iterator, iteratorPrototype, list, ownKeys, promiseResolve, promiseThen, push, setPrototypeOf } = intrinsics;
  const { bytesSet, getPrototypeOf, setAdd, viewBuffer, viewByteLength, setHas, toStringTag, toWellFormed, viewBytes, Number, Promise, Set, String, TypeError, Uint8Array } = intrinsics;

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

  /** An object whose properties are options, or nothing: https://webidl.spec.whatwg.org/#es-dictionary */
  function dictionary(value         , what        )      {
    if (value === undefined || value === null) return { __proto__: null };
    if (!isObject(value)) throw new TypeError(what + " is no object");
    return value;
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
  function handled   (promise            )             {
    promiseThen(promise, undefined, nothing);
    return promise;
  }

  /** What iterating an object gives, by its own iteration method. */
  function iterate(iterable        , method         , each                         )       {
    const found          = apply(method            , iterable, []);
    if (!isObject(found)) throw new TypeError("an iterator is no object");
    const { next } = found       ;
    for (;;) {
      const result          = apply(next, found, []);
      if (!isObject(result)) throw new TypeError("what an iterator returned is no object");
      const step = result       ;
      if (step.done) return;
      each(step.value);
    }
  }

  /** Items of a sequence<>, none of them converted. */
  function sequence(value         , what        )            {
    if (!isObject(value)) throw new TypeError(what + " is no sequence");
    const method = (value       )[iterator];
    if (method === undefined || method === null) throw new TypeError(what + " is no sequence");
    const items            = list();
    iterate(value, method, (item) => { push(items, item); });
    return items;
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
    __proto__: null, alias, bytesOf, callback, copyPlatform, deferred, defineInterface, dictionary, domString, enforceRange, handled, isBuffer, isObject, isPlatform, iterate, pairIterators, promiseCall, rejected,
    required, sequence, serializable, usvString,
  } };
})
