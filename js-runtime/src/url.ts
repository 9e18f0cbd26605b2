// URL, URLSearchParams: https://url.spec.whatwg.org/
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { apply, asArray, defineProperty, getOwnPropertyDescriptor, iterator, list, ownKeys, push, slice, TypeError } = intrinsics;
  const { alias, defineInterface, eachOf, isObject, pairIterators, required, sequence, usvString } = ops.library_value("webidl");

  type Pair = [string, string];
  /** As the host has it: how it is written, its origin if that is more than scheme and host, where the scheme ends, and where each of these begins and ends. */
  type Parts = readonly any[];
  const USERNAME = 3, PASSWORD = 5, HOSTNAME = 7, HOST = 9, PORT = 11, PATHNAME = 13, SEARCH = 15, HASH = 17;
  const part = (of: Parts, at: number): string => slice(of[0], of[at], of[at + 1]);
  const hrefIn = (of: Parts): string => of[0];

  // What the two classes know of each other.
  let paramsOf: (url: URL) => URLSearchParams;
  let queryOf: (value: unknown) => string | undefined;
  let hrefOf: (value: unknown) => string | undefined;
  let queryChanged: (url: URL) => void;
  let pairsOf: (params: URLSearchParams) => Pair[];
  let reset: (params: URLSearchParams, query: string) => void;

  class URLSearchParams {
    #pairs: Pair[] = list();
    /** The URL whose query this is. */
    #url: URL | undefined;

    static {
      queryOf = (value) => (isObject(value) && #pairs in value ? ops.url_query_text((value as URLSearchParams).#pairs) : undefined);
      pairsOf = (params) => params.#pairs;
      reset = (params, query) => {
        params.#pairs = parsed(query);
      };
      paramsOf = (url) => {
        const params = new URLSearchParams();
        params.#url = url;
        return params;
      };
    }

    constructor(init: unknown = "") {
      if (isObject(init)) {
        const isSequence = eachOf(init, (item: unknown) => {
          const pair = sequence(item, "a pair of URLSearchParams");
          if (pair.length !== 2) throw new TypeError("a pair of URLSearchParams has " + pair.length + " items");
          push(this.#pairs, [usvString(pair[0]), usvString(pair[1])]);
        });
        if (isSequence) return;
        const keys = ownKeys(init);
        for (let i = 0; i < keys.length; i++) {
          const key = keys[i], descriptor = getOwnPropertyDescriptor(init, key);
          if (descriptor === undefined || !descriptor.enumerable) continue;
          const name = usvString(key), value = usvString((init as any)[key]);
          const known = this.#find(name);
          // Two keys may be one once they are well-formed.
          if (known === undefined) push(this.#pairs, [name, value]);
          else known[1] = value;
        }
        return;
      }
      const text = usvString(init);
      this.#pairs = parsed(text[0] === "?" ? slice(text, 1) : text);
    }

    #find(name: string): Pair | undefined {
      for (let i = 0; i < this.#pairs.length; i++) if (this.#pairs[i][0] === name) return this.#pairs[i];
      return undefined;
    }

    /** Keeps the pairs for which a test holds. */
    #keep(test: (pair: Pair) => boolean): void {
      const kept: Pair[] = list();
      for (let i = 0; i < this.#pairs.length; i++) if (test(this.#pairs[i])) push(kept, this.#pairs[i]);
      this.#pairs = kept;
    }

    #update(): void {
      if (this.#url !== undefined) queryChanged(this.#url);
    }

    get size() {
      return this.#pairs.length;
    }

    append(name: string, value: string) {
      required(2, arguments.length, "URLSearchParams.append");
      const pair: Pair = [usvString(name), usvString(value)];
      push(this.#pairs, pair);
      this.#update();
    }

    delete(name: string, value: string | undefined = undefined) {
      required(1, arguments.length, "URLSearchParams.delete");
      const wanted = usvString(name), only = value === undefined ? undefined : usvString(value);
      this.#keep((pair) => pair[0] !== wanted || (only !== undefined && pair[1] !== only));
      this.#update();
    }

    get(name: string) {
      required(1, arguments.length, "URLSearchParams.get");
      const found = this.#find(usvString(name));
      return found === undefined ? null : found[1];
    }

    getAll(name: string) {
      required(1, arguments.length, "URLSearchParams.getAll");
      const wanted = usvString(name), values: string[] = list();
      for (let i = 0; i < this.#pairs.length; i++) if (this.#pairs[i][0] === wanted) push(values, this.#pairs[i][1]);
      return asArray(values);
    }

    has(name: string, value: string | undefined = undefined) {
      required(1, arguments.length, "URLSearchParams.has");
      const wanted = usvString(name), only = value === undefined ? undefined : usvString(value);
      for (let i = 0; i < this.#pairs.length; i++) {
        if (this.#pairs[i][0] === wanted && (only === undefined || this.#pairs[i][1] === only)) return true;
      }
      return false;
    }

    set(name: string, value: string) {
      required(2, arguments.length, "URLSearchParams.set");
      const wanted = usvString(name), text = usvString(value), found = this.#find(wanted);
      if (found === undefined) {
        push(this.#pairs, [wanted, text]);
      } else {
        found[1] = text;
        this.#keep((pair) => pair[0] !== wanted || pair === found);
      }
      this.#update();
    }

    sort() {
      this.#pairs = merge(this.#pairs);
      this.#update();
    }

    toString() {
      return ops.url_query_text(this.#pairs);
    }

    forEach(callback: (value: string, name: string, params: URLSearchParams) => void, thisArg: unknown = undefined) {
      required(1, arguments.length, "URLSearchParams.forEach");
      const pairs = () => this.#pairs;
      pairs();
      if (typeof callback !== "function") throw new TypeError("the callback of URLSearchParams.forEach is no function");
      for (let i = 0; i < pairs().length; i++) apply(callback, thisArg, [pairs()[i][1], pairs()[i][0], this]);
    }

    entries() {
      this.#pairs;
      return iteratorOf(this, "entries");
    }

    keys() {
      this.#pairs;
      return iteratorOf(this, "keys");
    }

    values() {
      this.#pairs;
      return iteratorOf(this, "values");
    }
  }

  function parsed(query: string): Pair[] {
    const found: Pair[] = ops.url_query_parse(query), pairs: Pair[] = list();
    for (let i = 0; i < found.length; i++) push(pairs, found[i]);
    return pairs;
  }

  /** Sorted by the units of names, with equal ones in the order they were in. */
  function merge(pairs: Pair[]): Pair[] {
    if (pairs.length < 2) return pairs;
    const left: Pair[] = list(), right: Pair[] = list(), merged: Pair[] = list();
    for (let i = 0; i < pairs.length; i++) push(i < pairs.length / 2 ? left : right, pairs[i]);
    const a = merge(left), b = merge(right);
    for (let i = 0, j = 0; i < a.length || j < b.length;) {
      push(merged, j >= b.length || (i < a.length && a[i][0] <= b[j][0]) ? a[i++] : b[j++]);
    }
    return merged;
  }

  function parse(url: string, base: string | undefined): Parts | null {
    return ops.url_parse(usvString(url), base === undefined ? undefined : usvString(base));
  }

  /** With the code that Node gives it. */
  function invalid(message: string): TypeError {
    const error = new TypeError(message);
    defineProperty(error, "code", { __proto__: null, value: "ERR_INVALID_URL", writable: true, enumerable: true, configurable: true } as PropertyDescriptor);
    return error;
  }

  class URL {
    #parts!: Parts;
    #params: URLSearchParams | undefined;
    /** The query has changed since it was written. */
    #stale = false;

    static {
      hrefOf = (value) => (isObject(value) && #parts in value ? hrefIn((value as URL).#now()) : undefined);
      queryChanged = (url) => {
        url.#stale = true;
      };
    }

    constructor(url: string, base: string | undefined = undefined) {
      required(1, arguments.length, "URL");
      const text = usvString(url), from = base === undefined ? undefined : usvString(base);
      const parts = parse(text, from);
      if (parts === null) throw invalid(from === undefined ? "'" + text + "' is no URL" : "'" + text + "' is no URL, relative to '" + from + "'");
      this.#parts = parts;
    }

    static canParse(url: string, base: string | undefined = undefined) {
      required(1, arguments.length, "URL.canParse");
      return parse(url, base) !== null;
    }

    static parse(url: string, base: string | undefined = undefined) {
      required(1, arguments.length, "URL.parse");
      const parts = parse(url, base);
      return parts === null ? null : new URL(hrefIn(parts));
    }

    /** What it consists of now: a query is written when somebody looks, not with each of its changes. */
    #now(): Parts {
      if (this.#stale) {
        this.#stale = false;
        this.#parts = ops.url_set(hrefIn(this.#parts), "search", ops.url_query_text(pairsOf(this.#params!)));
      }
      return this.#parts;
    }

    #set(name: string, value: unknown): void {
      const parts = ops.url_set(hrefIn(this.#now()), name, usvString(value));
      if (parts !== null) this.#parts = parts;
    }

    #queryChanged(): void {
      if (this.#params !== undefined) reset(this.#params, slice(part(this.#parts, SEARCH), 1));
    }

    get href() {
      return hrefIn(this.#now());
    }
    set href(value: string) {
      this.#parts;
      const text = usvString(value), parts = parse(text, undefined);
      if (parts === null) throw invalid("'" + text + "' is no URL");
      this.#stale = false;
      this.#parts = parts;
      this.#queryChanged();
    }
    get origin() {
      const now = this.#now();
      return now[1] === null ? slice(now[0], 0, now[2]) + "//" + part(now, HOST) : now[1];
    }
    get protocol() {
      return slice(this.#now()[0], 0, this.#now()[2]);
    }
    set protocol(value: string) {
      this.#set("protocol", value);
    }
    get username() {
      return part(this.#now(), USERNAME);
    }
    set username(value: string) {
      this.#set("username", value);
    }
    get password() {
      return part(this.#now(), PASSWORD);
    }
    set password(value: string) {
      this.#set("password", value);
    }
    get host() {
      return part(this.#now(), HOST);
    }
    set host(value: string) {
      this.#set("host", value);
    }
    get hostname() {
      return part(this.#now(), HOSTNAME);
    }
    set hostname(value: string) {
      this.#set("hostname", value);
    }
    get port() {
      return part(this.#now(), PORT);
    }
    set port(value: string) {
      this.#set("port", value);
    }
    get pathname() {
      return part(this.#now(), PATHNAME);
    }
    set pathname(value: string) {
      this.#set("pathname", value);
    }
    get search() {
      return part(this.#now(), SEARCH);
    }
    set search(value: string) {
      this.#set("search", value);
      this.#queryChanged();
    }
    get searchParams() {
      if (this.#params === undefined) {
        this.#parts;
        this.#params = paramsOf(this);
        this.#queryChanged();
      }
      return this.#params;
    }
    get hash() {
      return part(this.#now(), HASH);
    }
    set hash(value: string) {
      this.#set("hash", value);
    }
    toString() {
      return hrefIn(this.#now());
    }
    toJSON() {
      return hrefIn(this.#now());
    }
  }

  const iteratorOf = pairIterators("URLSearchParams", pairsOf!);
  defineInterface(URL, "URL");
  defineInterface(URLSearchParams, "URLSearchParams");
  alias(URLSearchParams.prototype, "entries", iterator);
  // How the console shows them.
  const { custom, inspectWith } = ops.library_value("inspector");
  const shows = (prototype: object, show: (this: any, depth: number, options: any) => string) =>
    defineProperty(prototype, custom, { __proto__: null, value: show, writable: true, configurable: true } as PropertyDescriptor);
  shows(URL.prototype, function (_, options) {
    const parts: any = {}, names = ["href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "searchParams", "hash"];
    for (let i = 0; i < names.length; i++) defineProperty(parts, names[i], { __proto__: null, value: this[names[i]], writable: true, enumerable: true, configurable: true } as PropertyDescriptor);
    return "URL " + inspectWith(parts, options);
  });
  shows(URLSearchParams.prototype, function (_, options) {
    const pairs = pairsOf(this), shown: string[] = list();
    for (let i = 0; i < pairs.length && i < 100; i++) push(shown, inspectWith(pairs[i][0], options) + " => " + inspectWith(pairs[i][1], options));
    if (pairs.length > 100) push(shown, "... " + (pairs.length - 100) + " more items");
    return shown.length === 0 ? "URLSearchParams {}" : "URLSearchParams { " + intrinsics.join(shown, ", ") + " }";
  });
  /** What a text is as a URL, for the library. */
  function urlOf(text: string): UrlParts | null {
    const of: Parts | null = ops.url_parse(text);
    if (of === null) return null;
    return {
      __proto__: null, href: hrefIn(of), protocol: slice(of[0], 0, of[2]), username: part(of, USERNAME), password: part(of, PASSWORD), host: part(of, HOST),
      hostname: part(of, HOSTNAME), port: part(of, PORT), pathname: part(of, PATHNAME), search: part(of, SEARCH), hash: part(of, HASH),
    } as UrlParts;
  }
  return { URL, URLSearchParams, hrefOf: hrefOf!, queryOf: queryOf!, urlOf };
};
