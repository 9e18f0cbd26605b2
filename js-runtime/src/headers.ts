// Headers: https://fetch.spec.whatwg.org/#headers-class
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { apply, asArray, charCodeAt, defineProperty, getOwnPropertyDescriptor, indexOf, iterator, join, list, ownKeys, push, slice, toLowerCase, TypeError } = intrinsics;
  const { alias, defineInterface, domString, eachOf, isObject, pairIterators, required, sequence } = ops.library_value("webidl");
  const TOKEN = { __proto__: null };

  type Pair = [string, string];
  let recordOf: (value: unknown) => HeadersRecord | undefined;

  /** https://webidl.spec.whatwg.org/#es-ByteString */
  function byteString(value: unknown): string {
    const text = domString(value);
    for (let i = 0; i < text.length; i++) if (charCodeAt(text, i) > 255) throw new TypeError("a header has a character that is no byte, at " + i);
    return text;
  }

  const isSpace = (unit: number) => unit === 9 || unit === 10 || unit === 13 || unit === 32;
  function normalized(value: string): string {
    let from = 0, to = value.length;
    while (from < to && isSpace(charCodeAt(value, from))) from++;
    while (to > from && isSpace(charCodeAt(value, to - 1))) to--;
    return slice(value, from, to);
  }

  const MARKS = "!#$%&'*+-.^_`|~";
  function isName(name: string): boolean {
    if (name === "") return false;
    for (let i = 0; i < name.length; i++) {
      const unit = charCodeAt(name, i);
      const isAlphanumeric = (unit >= 48 && unit <= 57) || (unit >= 65 && unit <= 90) || (unit >= 97 && unit <= 122);
      if (!isAlphanumeric && indexOf(MARKS, slice(name, i, i + 1)) < 0) return false;
    }
    return true;
  }

  function checked(name: string, value: string): void {
    if (!isName(name)) throw new TypeError("'" + name + "' is no name of a header");
    for (let i = 0; i < value.length; i++) {
      const unit = charCodeAt(value, i);
      if (unit === 0 || unit === 10 || unit === 13) throw new TypeError("the value of the header " + name + " has line breaks or zero bytes");
    }
  }

  function append(record: HeadersRecord, name: string, value: string): void {
    const clean = normalized(value);
    checked(name, clean);
    if (record.immutable) throw new TypeError("these headers cannot be changed");
    push(record.pairs, [toLowerCase(name), clean]);
  }

  function get(record: HeadersRecord, name: string): string | null {
    const values: string[] = list(), wanted = toLowerCase(name);
    for (let i = 0; i < record.pairs.length; i++) if (record.pairs[i][0] === wanted) push(values, record.pairs[i][1]);
    return values.length === 0 ? null : join(values, ", ");
  }

  function remove(record: HeadersRecord, name: string): void {
    const kept: Pair[] = list(), wanted = toLowerCase(name);
    for (let i = 0; i < record.pairs.length; i++) if (record.pairs[i][0] !== wanted) push(kept, record.pairs[i]);
    record.pairs = kept;
  }

  function fill(record: HeadersRecord, init: unknown): void {
    if (!isObject(init)) throw new TypeError("the argument of Headers is neither a record nor pairs");
    const other = recordOf(init);
    if (other !== undefined) {
      const { pairs } = other;
      for (let i = 0; i < pairs.length; i++) append(record, pairs[i][0], pairs[i][1]);
      return;
    }
    const isSequence = eachOf(init, (item) => {
      const pair = sequence(item, "a pair of Headers");
      if (pair.length !== 2) throw new TypeError("a pair of Headers has " + pair.length + " items");
      append(record, byteString(pair[0]), byteString(pair[1]));
    });
    if (isSequence) return;
    const keys = ownKeys(init);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i], descriptor = getOwnPropertyDescriptor(init, key);
      if (descriptor === undefined || !descriptor.enumerable) continue;
      const name = byteString(key);
      append(record, name, byteString((init as any)[key]));
    }
  }

  /** https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine */
  function sorted(record: HeadersRecord): Pair[] {
    const names: string[] = list();
    for (let i = 0; i < record.pairs.length; i++) {
      const name = record.pairs[i][0];
      let at = 0;
      while (at < names.length && names[at] < name) at++;
      if (at < names.length && names[at] === name) continue;
      push(names, name);
      for (let j = names.length - 1; j > at; j--) names[j] = names[j - 1];
      names[at] = name;
    }
    const pairs: Pair[] = list();
    for (let i = 0; i < names.length; i++) {
      if (names[i] !== "set-cookie") {
        push(pairs, [names[i], get(record, names[i])!]);
        continue;
      }
      for (let j = 0; j < record.pairs.length; j++) if (record.pairs[j][0] === "set-cookie") push(pairs, ["set-cookie", record.pairs[j][1]]);
    }
    return pairs;
  }

  class Headers {
    #record: HeadersRecord;
    static {
      recordOf = (value) => (isObject(value) && #record in value ? value.#record : undefined);
    }
    constructor(init: unknown = undefined, record: unknown = undefined) {
      if (init === TOKEN) {
        this.#record = record as HeadersRecord;
        return;
      }
      this.#record = { pairs: list(), immutable: false };
      if (init !== undefined) fill(this.#record, init);
    }
    append(name: string, value: string) {
      const record = this.#record;
      required(2, arguments.length, "Headers.append");
      append(record, byteString(name), byteString(value));
    }
    delete(name: string) {
      const record = this.#record;
      required(1, arguments.length, "Headers.delete");
      const text = byteString(name);
      checked(text, "");
      if (record.immutable) throw new TypeError("these headers cannot be changed");
      remove(record, text);
    }
    get(name: string) {
      const record = this.#record;
      required(1, arguments.length, "Headers.get");
      const text = byteString(name);
      checked(text, "");
      return get(record, text);
    }
    getSetCookie() {
      const values: string[] = list(), { pairs } = this.#record;
      for (let i = 0; i < pairs.length; i++) if (pairs[i][0] === "set-cookie") push(values, pairs[i][1]);
      return asArray(values);
    }
    has(name: string) {
      const record = this.#record;
      required(1, arguments.length, "Headers.has");
      const text = byteString(name);
      checked(text, "");
      return get(record, text) !== null;
    }
    set(name: string, value: string) {
      const record = this.#record;
      required(2, arguments.length, "Headers.set");
      const text = byteString(name), clean = normalized(byteString(value));
      checked(text, clean);
      if (record.immutable) throw new TypeError("these headers cannot be changed");
      const lower = toLowerCase(text), kept: Pair[] = list();
      let isIn = false;
      for (let i = 0; i < record.pairs.length; i++) {
        if (record.pairs[i][0] !== lower) push(kept, record.pairs[i]);
        else if (!isIn) {
          isIn = true;
          push(kept, [lower, clean]);
        }
      }
      if (!isIn) push(kept, [lower, clean]);
      record.pairs = kept;
    }
    forEach(callback: (value: string, name: string, headers: Headers) => void, thisArg: unknown = undefined) {
      const record = this.#record;
      required(1, arguments.length, "Headers.forEach");
      if (typeof callback !== "function") throw new TypeError("the argument of Headers.forEach is no function");
      for (let i = 0; ; i++) {
        const pairs = sorted(record);
        if (i >= pairs.length) return;
        apply(callback, thisArg, [pairs[i][1], pairs[i][0], this]);
      }
    }
    keys() {
      this.#record;
      return iterators(this, "keys");
    }
    values() {
      this.#record;
      return iterators(this, "values");
    }
    entries() {
      this.#record;
      return iterators(this, "entries");
    }
  }
  const iterators = pairIterators("Headers", (headers: Headers) => sorted(recordOf(headers)!));

  /** An object for a record. */
  const show = (record: HeadersRecord): Headers => new Headers(TOKEN, record);
  defineInterface(Headers, "Headers");
  alias(Headers.prototype, "entries", iterator);
  // How the console shows them.
  const { custom, inspectWith } = ops.library_value("inspector");
  const inspected = function (this: unknown, _: number, options: any): string {
    const shown: any = {}, { pairs } = recordOf(this)!;
    for (let i = 0; i < pairs.length; i++) {
      const name = pairs[i][0], value = get(recordOf(this)!, toLowerCase(name));
      defineProperty(shown, name, { __proto__: null, value, enumerable: true, configurable: true, writable: true } as PropertyDescriptor);
    }
    return "Headers " + inspectWith(shown, options);
  };
  defineProperty(Headers.prototype, custom, { __proto__: null, value: inspected, writable: true, configurable: true } as PropertyDescriptor);
  const headerLists: HeaderLists = { append, byteString, fill, get, isName, recordOf: recordOf!, show };
  return { Headers, headerLists };
};
