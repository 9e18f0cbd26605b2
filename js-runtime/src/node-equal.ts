// Deep equality: https://nodejs.org/api/assert.html#comparison-details
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { arrayBufferLength, bigintValueOf, booleanValueOf, dateTime, getOwnPropertyDescriptor, getPrototypeOf, isArray, isView, list, mapForEach, mapGet, mapHas, mapSize, numberValueOf, ownKeys, pop, push } = intrinsics;
  const { regExpFlags, regExpSource, setForEach, setHas, setSize, stringValueOf, symbolValueOf, typedArrayTag, Uint8Array, viewByteLength, viewBytes } = intrinsics;

  const same = (a: unknown, b: unknown) => (a === b ? a !== 0 || 1 / (a as number) === 1 / (b as number) : a !== a && b !== b);
  const isObject = (value: unknown): value is any => typeof value === "object" && value !== null;

  function keysOf(object: object): PropertyKey[] {
    const all = ownKeys(object), kept: PropertyKey[] = list();
    for (let i = 0; i < all.length; i++) {
      const descriptor = getOwnPropertyDescriptor(object, all[i]);
      if (descriptor !== undefined && descriptor.enumerable) push(kept, all[i]);
    }
    return kept;
  }
  function unboxed(value: unknown): unknown {
    const readers: ((value: unknown) => unknown)[] = [numberValueOf, stringValueOf, booleanValueOf, bigintValueOf, symbolValueOf];
    for (let i = 0; i < 5; i++) {
      try {
        return readers[i](value);
      } catch {}
    }
    return value;
  }

  /** A proxy is what it stands for, as far as that can be told. */
  const kindOf = (value: object): string => {
    const kind = ops.kind_of(value);
    return kind !== "proxy" ? kind : isArray(value) ? "array" : "object";
  };

  /** With `strict`, prototypes count and nothing is converted. */
  function deepEqual(a: unknown, b: unknown, strict: boolean): boolean {
    const left: unknown[] = list(), right: unknown[] = list();

    function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
      if (typedArrayTag(a) !== typedArrayTag(b) || viewByteLength(a) !== viewByteLength(b)) return false;
      const tag = typedArrayTag(a);
      if (tag === "Float16Array" || tag === "Float32Array" || tag === "Float64Array") {
        const one: any = a, other: any = b, count = intrinsics.typedArrayLength(a);
        for (let i = 0; i < count; i++) if (strict ? !same(one[i], other[i]) : one[i] !== other[i] && one[i] === one[i]) return false;
        return true;
      }
      return ops.buffer_compare(viewBytes(a), viewBytes(b)) === 0;
    }

    /** Whether everything in one has its like in the other; what was found is not found again. */
    function sameItems(mine: unknown[], theirs: unknown[], alike: (a: any, b: any) => boolean): boolean {
      const taken: boolean[] = list();
      for (let i = 0; i < mine.length; i++) {
        let found = false;
        for (let j = 0; j < theirs.length && !found; j++) {
          if (taken[j] || !alike(mine[i], theirs[j])) continue;
          taken[j] = found = true;
        }
        if (!found) return false;
      }
      return true;
    }
    function sameSets(a: Set<unknown>, b: Set<unknown>): boolean {
      if (setSize(a) !== setSize(b)) return false;
      const mine: unknown[] = list(), theirs: unknown[] = list();
      setForEach(a, (item) => { if (!setHas(b, item)) push(mine, item); });
      setForEach(b, (item) => { if (!setHas(a, item)) push(theirs, item); });
      return sameItems(mine, theirs, (one, other) => (isObject(one) || !strict) && equal(one, other));
    }
    function sameMaps(a: Map<unknown, unknown>, b: Map<unknown, unknown>): boolean {
      if (mapSize(a) !== mapSize(b)) return false;
      const mine: unknown[] = list(), theirs: unknown[] = list();
      let differ = false;
      mapForEach(a, (value, key) => {
        if (!mapHas(b, key)) push(mine, [key, value]);
        else if (!equal(value, mapGet(b, key))) differ = true;
      });
      if (differ) return false;
      mapForEach(b, (value, key) => { if (!mapHas(a, key)) push(theirs, [key, value]); });
      return sameItems(mine, theirs, (one, other) => (isObject(one[0]) || !strict) && equal(one[0], other[0]) && equal(one[1], other[1]));
    }

    function contents(a: any, b: any, kind: string): boolean {
      switch (kind) {
        case "array":
          return a.length === b.length;
        case "date":
          return same(dateTime(a), dateTime(b));
        case "regexp":
          return regExpSource(a) === regExpSource(b) && regExpFlags(a) === regExpFlags(b) && a.lastIndex === b.lastIndex;
        case "error":
          return a.name === b.name && a.message === b.message && equal(a.cause, b.cause) && equal(a.errors, b.errors);
        case "boxed":
          return same(unboxed(a), unboxed(b));
        case "map":
          return sameMaps(a, b);
        case "set":
          return sameSets(a, b);
        case "weak":
        case "promise":
          return false;
        case "buffer":
        case "shared":
          if (isView(a) !== isView(b)) return false;
          if (isView(a)) return sameBytes(a, b);
          return arrayBufferLength(a) === arrayBufferLength(b) && ops.buffer_compare(new Uint8Array(a), new Uint8Array(b)) === 0;
        default:
          return !isView(a) && !isView(b) ? true : isView(a) && isView(b) && sameBytes(a, b);
      }
    }

    function equal(a: any, b: any): boolean {
      if (same(a, b)) return true;
      if (!strict && !isObject(a) && !isObject(b)) return a == b || (a !== a && b !== b);
      if (!isObject(a) || !isObject(b)) return false;
      if (strict && getPrototypeOf(a) !== getPrototypeOf(b)) return false;
      const kind = kindOf(a);
      if (kind !== kindOf(b)) return false;
      for (let i = 0; i < left.length; i++) if (left[i] === a) return right[i] === b;
      push(left, a);
      push(right, b);
      const result = contents(a, b, kind) && (isView(a) || sameProperties(a, b));
      pop(left);
      pop(right);
      return result;
    }

    function sameProperties(a: any, b: any): boolean {
      const keys = keysOf(a), others = keysOf(b);
      if (keys.length !== others.length && strict) return false;
      if (!strict) {
        let mine = 0, theirs = 0;
        for (let i = 0; i < keys.length; i++) if (typeof keys[i] !== "symbol") mine++;
        for (let i = 0; i < others.length; i++) if (typeof others[i] !== "symbol") theirs++;
        if (mine !== theirs) return false;
      }
      for (let i = 0; i < keys.length; i++) {
        if (!strict && typeof keys[i] === "symbol") continue;
        const descriptor = getOwnPropertyDescriptor(b, keys[i]);
        if (descriptor === undefined || !descriptor.enumerable || !equal(a[keys[i]], b[keys[i]])) return false;
      }
      return true;
    }
    return equal(a, b);
  }
  return { deepEqual };
};
