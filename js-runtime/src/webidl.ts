// What interfaces of Web IDL have in common: https://webidl.spec.whatwg.org/
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { apply, arrayBufferLength, asArray, defineProperty, getOwnPropertyDescriptor, hasOwn, indexOf, isArray, isView, iterator, iteratorPrototype, list, ownKeys, promiseResolve, promiseThen, push, setPrototypeOf } = intrinsics;
  const { bytesSet, getPrototypeOf, setAdd, viewBuffer, viewByteLength, setHas, toStringTag, toWellFormed, viewBytes, Number, Object, Promise, Proxy, Set, String, TypeError, Uint8Array } = intrinsics;

  const interfaces = new Set<object>();
  /** Whether it is a platform object: one of the library's own, or of a class that extends one. */
  function isPlatform(value: object): boolean {
    for (let object: object | null = getPrototypeOf(value), i = 0; object !== null && i < 100; object = getPrototypeOf(object), i++) {
      if (setHas(interfaces, object)) return true;
    }
    return false;
  }

  const copiers: ((value: object) => object | undefined)[] = list();
  /** Tells how objects of a class are copied; `copier` returns nothing for others. */
  function serializable(copier: (value: object) => object | undefined): void {
    push(copiers, copier);
  }
  /** A copy of a platform object, of a kind that can be copied. */
  function copyPlatform(value: object): object | undefined {
    for (let i = 0; i < copiers.length; i++) {
      const copy = copiers[i](value);
      if (copy !== undefined) return copy;
    }
    return undefined;
  }

  /** Makes a class look like an interface: members are enumerable, and it has a name. */
  function defineInterface(constructor: Function & { prototype: object }, name: string): void {
    setAdd(interfaces, constructor.prototype);
    const show = (object: object) => {
      const keys = ownKeys(object);
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i];
        if (typeof key !== "string" || key === "constructor" || key === "prototype" || key === "name" || key === "length") continue;
        defineProperty(object, key, { __proto__: null, enumerable: true } as PropertyDescriptor);
      }
    };
    show(constructor);
    show(constructor.prototype);
    defineProperty(constructor.prototype, toStringTag, { __proto__: null, value: name, configurable: true } as PropertyDescriptor);
  }

  /** A second name for a method that is there already. */
  function alias(prototype: object, name: PropertyKey, as: PropertyKey): void {
    const value = (getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor).value;
    defineProperty(prototype, as, { __proto__: null, value, writable: true, configurable: true } as PropertyDescriptor);
  }

  function required(needed: number, given: number, what: string): void {
    if (given < needed) throw new TypeError(what + " needs " + needed + " argument" + (needed === 1 ? "" : "s") + ", got " + given);
  }

  const isObject = (value: unknown): value is object => (typeof value === "object" && value !== null) || typeof value === "function";

  /** https://webidl.spec.whatwg.org/#es-DOMString */
  const domString = (value: unknown): string => {
    if (typeof value === "symbol") throw new TypeError("a symbol is no string");
    return String(value);
  };

  /** https://webidl.spec.whatwg.org/#es-USVString */
  const usvString = (value: unknown): string => toWellFormed(domString(value));

  // What every object has, scripts can add to: none of it is anybody's option.
  const objectPrototype: unknown = Object.prototype, functionPrototype: unknown = getPrototypeOf(Object), arrayPrototype: unknown = getPrototypeOf(asArray(list()));

  /** A property that the object has itself or from a class of its own. */
  function member(object: any, key: PropertyKey): any {
    for (let at: any = object; at !== null && at !== objectPrototype && at !== arrayPrototype && at !== functionPrototype; at = getPrototypeOf(at)) {
      if (hasOwn(at, key)) return object[key];
    }
    return undefined;
  }
  const members: ProxyHandler<object> = { __proto__: null, get: member } as ProxyHandler<object>;

  /** An object whose properties are options, or nothing: https://webidl.spec.whatwg.org/#es-dictionary. What comes of it is to be read from, and nothing else. */
  function dictionary(value: unknown, what: string): any {
    if (value === undefined || value === null) return { __proto__: null };
    if (!isObject(value)) throw new TypeError(what + " is no object");
    return new Proxy(value, members);
  }

  /** https://webidl.spec.whatwg.org/#es-callback-function, as the member of a dictionary that need not be there. */
  function callback(value: unknown, what: string): Function | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== "function") throw new TypeError(what + " is no function");
    return value;
  }

  /** An integer with [EnforceRange]: https://webidl.spec.whatwg.org/#EnforceRange */
  function enforceRange(value: unknown, most: number, what: string): number {
    const number = Number(value);
    if (!(number > -1 && number < most + 1)) throw new TypeError(what + " is no number from 0 to " + most);
    return number - (number % 1) + 0;
  }

  /** The bytes of a BufferSource, copied only where they are shared. */
  function bytesOf(source: unknown): Uint8Array<ArrayBuffer> {
    const isOne = isView(source), buffer = isOne ? viewBuffer(source) : source;
    if (ops.kind_of(buffer) === "shared") {
      // Shared memory is read once, so that nobody changes it meanwhile.
      const bytes = isOne ? viewBytes(source) : new Uint8Array(buffer as ArrayBuffer), copy = new Uint8Array(viewByteLength(bytes));
      bytesSet(copy, bytes);
      return copy;
    }
    if (isOne) return viewBytes(source);
    if (!isBuffer(source)) throw new TypeError("this is neither an ArrayBuffer nor a view of one");
    return new Uint8Array(source as ArrayBuffer);
  }

  function isBuffer(value: unknown): value is ArrayBuffer {
    try {
      arrayBufferLength(value as ArrayBuffer);
      return true;
    } catch {
      return false;
    }
  }

  function deferred<T>(): Deferred<T> {
    let resolve!: (value: T) => void, reject!: (reason: unknown) => void;
    const promise = new Promise<T>((yes, no) => {
      resolve = yes as (value: T) => void;
      reject = no;
    });
    return { promise, resolve, reject };
  }

  function rejected(reason: unknown): Promise<never> {
    return new Promise((_, reject) => reject(reason));
  }

  /** Calls what a script gave for an operation that returns a promise: https://webidl.spec.whatwg.org/#invoke-a-callback-function */
  function promiseCall(method: Function, self: unknown, args: unknown[]): Promise<unknown> {
    try {
      return promiseResolve(apply(method, self, args));
    } catch (error) {
      return rejected(error);
    }
  }

  const nothing = () => {};
  /** Nobody need handle it: https://webidl.spec.whatwg.org/#mark-a-promise-as-handled */
  /** Does something that the host does. Its errors have no place of their own: they get that of the call. */
  async function placed<T>(run: () => Promise<T>): Promise<T> {
    const call = new intrinsics.Error();
    try {
      return await run();
    } catch (error) {
      const stack = isObject(error) && ops.kind_of(error) === "error" ? intrinsics.errorStack(error as Error) : undefined;
      // One that a script has made, and a signal has kept, stays as it is.
      if (typeof stack === "string" && stack !== "" && !hasOwn(error as object, "stack") && isOurs(stack)) {
        const value = stack + (intrinsics.errorStack(call) as string);
        try {
          defineProperty(error as Error, "stack", { __proto__: null, value, writable: true, configurable: true } as PropertyDescriptor);
        } catch {}
      }
      throw error;
    }
  }

  /** Whether all frames of a stack are the library's. */
  function isOurs(stack: string): boolean {
    for (let from = 0; from < stack.length; ) {
      const found = indexOf(stack, "\n", from), end = found < 0 ? stack.length : found;
      const at = indexOf(stack, "perennial:", from);
      if (at < 0 || at > end) return false;
      from = end + 1;
    }
    return true;
  }

  function handled<T>(promise: Promise<T>): Promise<T> {
    promiseThen(promise, undefined, nothing);
    return promise;
  }

  /** What iterating an object gives, by its own iteration method. */
  function iterate(iterable: object, method: unknown, each: (item: unknown) => void): void {
    const found: unknown = apply(method as Function, iterable, []);
    if (!isObject(found)) throw new TypeError("an iterator is no object");
    const next = member(found, "next");
    for (;;) {
      const result: unknown = apply(next, found, []);
      if (!isObject(result)) throw new TypeError("what an iterator returned is no object");
      if (member(result, "done")) return;
      each(member(result, "value"));
    }
  }

  /** Items of a sequence<>, none of them converted. */
  function sequence(value: unknown, what: string): unknown[] {
    if (!isObject(value)) throw new TypeError(what + " is no sequence");
    const items: unknown[] = list();
    if (!eachOf(value, (item) => { push(items, item); })) throw new TypeError(what + " is no sequence");
    return items;
  }

  /** Each item of what can be iterated; `false` of what cannot. Arrays are read by index, unless they have an iterator of their own. */
  function eachOf(value: object, each: (item: unknown) => void): boolean {
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
  function pairIterators<T extends object>(name: string, pairs: (target: T) => readonly (readonly [unknown, unknown])[]) {
    class PairIterator {
      #target: T;
      #kind: "keys" | "values" | "entries";
      #at = 0;
      constructor(target: T, kind: "keys" | "values" | "entries") {
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
    const prototype: any = PairIterator.prototype;
    delete prototype.constructor;
    setPrototypeOf(prototype, iteratorPrototype);
    defineProperty(prototype, "next", { __proto__: null, enumerable: true } as PropertyDescriptor);
    defineProperty(prototype, toStringTag, { __proto__: null, value: name + " Iterator", configurable: true } as PropertyDescriptor);
    return (target: T, kind: "keys" | "values" | "entries") => new PairIterator(target, kind);
  }

  return { webidl: {
    __proto__: null, alias, bytesOf, callback, copyPlatform, deferred, defineInterface, dictionary, domString, eachOf, enforceRange, handled, isBuffer, isObject, isPlatform, iterate, member, pairIterators, placed, promiseCall, rejected,
    required, sequence, serializable, usvString,
  } };
};
