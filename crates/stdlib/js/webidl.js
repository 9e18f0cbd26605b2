// Made of js-runtime/src/webidl.ts by `cargo xtask generate`.
// What interfaces of Web IDL have in common: https://webidl.spec.whatwg.org/
((_ops     , intrinsics            ) => {
  const { apply, defineProperty, getOwnPropertyDescriptor, iterator, iteratorPrototype, list, ownKeys, push, setPrototypeOf, toStringTag, toWellFormed, String, TypeError } = intrinsics;

  /** Makes a class look like an interface: members are enumerable, and it has a name. */
  function defineInterface(constructor                                  , name        )       {
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

  return { webidl: { __proto__: null, alias, defineInterface, dictionary, domString, isObject, iterate, pairIterators, required, sequence, usvString } };
})
