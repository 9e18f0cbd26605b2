// Request: https://fetch.spec.whatwg.org/#request-class
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { list, push, String, toUpperCase, TypeError } = intrinsics;
  const { defineInterface, dictionary, domString, isObject, required, usvString } = ops.library_value("webidl");
  const lists: HeaderLists = ops.library_value("headerLists"), bodies: Bodies = ops.library_value("bodies"), signals: Signals = ops.library_value("signals");

  const hrefOf: (value: unknown) => string | undefined = ops.library_value("hrefOf");

  let recordOf: (value: unknown) => RequestRecord | undefined;

  const choices: { readonly [name: string]: string } = {
    cache: " default no-store reload no-cache force-cache only-if-cached ", credentials: " omit same-origin include ", duplex: " half ", mode: " navigate same-origin no-cors cors ",
    redirect: " follow error manual ", referrerPolicy: "  no-referrer no-referrer-when-downgrade same-origin origin strict-origin origin-when-cross-origin strict-origin-when-cross-origin unsafe-url ",
  };
  function choice(init: any, name: string, otherwise: string): string {
    const { [name]: given } = init;
    if (given === undefined) return otherwise;
    const text = domString(given);
    if (intrinsics.indexOf(choices[name], " " + text + " ") < 0) throw new TypeError("'" + text + "' is no " + name + " of a request");
    return text;
  }

  function methodOf(value: unknown): string {
    const name = lists.byteString(value), upper = toUpperCase(name);
    if (!lists.isName(name)) throw new TypeError("'" + name + "' is no method");
    if (upper === "CONNECT" || upper === "TRACE" || upper === "TRACK") throw new TypeError("the method " + upper + " is not for scripts");
    return upper === "DELETE" || upper === "GET" || upper === "HEAD" || upper === "OPTIONS" || upper === "POST" || upper === "PUT" ? upper : name;
  }

  class Request {
    #record: RequestRecord;
    #headers: any;
    static {
      recordOf = (value) => (isObject(value) && #record in value ? value.#record : undefined);
    }
    constructor(input: unknown, init: unknown = undefined) {
      required(1, arguments.length, "Request");
      const from = recordOf(input), given = dictionary(init, "the second argument of Request");
      let url: string;
      if (from === undefined) {
        const text = usvString(isObject(input) ? hrefOf(input) ?? String(input) : input), parts: UrlParts | null = ops.library_value("urlOf")(text);
        if (parts === null) throw new TypeError("'" + text + "' is no URL: it has to be absolute");
        if (parts.username !== "" || parts.password !== "") throw new TypeError("the URL of a request has no user name and password: set the header Authorization");
        url = parts.href;
      } else {
        ({ url } = from);
      }
      const headers: HeadersRecord = { pairs: list(), immutable: false };
      const method = given.method === undefined ? (from === undefined ? "GET" : from.method) : methodOf(given.method);
      const signal: unknown = given.signal === undefined ? (from === undefined ? null : from.signal) : given.signal;
      if (signal !== null && !signals.isSignal(signal)) throw new TypeError("the signal of a request is no AbortSignal");
      const follows = signals.create();
      if (signal !== null) {
        const state = signals.stateOf(signal as AbortSignal);
        if (state.aborted) signals.abort(follows, state.reason);
        else signals.listen(signal as AbortSignal, () => signals.abort(follows, signals.stateOf(signal as AbortSignal).reason));
      }
      const base = from === undefined ? { redirect: "follow", credentials: "same-origin", cache: "default", mode: "cors", referrerPolicy: "" } : from;
      const record: RequestRecord = {
        method, url, headers, body: null, redirect: choice(given, "redirect", base.redirect), credentials: choice(given, "credentials", base.credentials),
        cache: choice(given, "cache", base.cache), mode: choice(given, "mode", base.mode), referrer: "about:client",
        referrerPolicy: choice(given, "referrerPolicy", base.referrerPolicy), integrity: given.integrity === undefined ? "" : domString(given.integrity),
        keepalive: !!given.keepalive, duplex: choice(given, "duplex", "half"), signal: follows,
      };
      if (given.headers !== undefined) lists.fill(headers, given.headers);
      else if (from !== undefined) for (let i = 0; i < from.headers.pairs.length; i++) push(headers.pairs, from.headers.pairs[i]);
      const isBodiless = method === "GET" || method === "HEAD", { body } = given;
      if (body !== undefined && body !== null) {
        if (isBodiless) throw new TypeError("a request by " + method + " has no body");
        const made = bodies.extract(body);
        if (made.body.stream !== undefined && given.duplex === undefined) throw new TypeError("a request whose body is a stream says so: { duplex: \"half\" }");
        record.body = made.body;
        if (made.type !== undefined && lists.get(headers, "content-type") === null) lists.append(headers, "Content-Type", made.type);
      } else if (from !== undefined && from.body !== null && body === undefined) {
        if (isBodiless) throw new TypeError("a request by " + method + " has no body");
        if (bodies.isUnusable(from.body)) throw new TypeError("the body of the request was read already, or is being read");
        // It moves over.
        record.body = { bytes: from.body.bytes, stream: from.body.stream, taken: false };
        from.body.taken = true;
        if (from.body.stream !== undefined) from.body = { bytes: undefined, stream: undefined, taken: true };
      }
      this.#record = record;
    }
    get method() {
      return this.#record.method;
    }
    get url() {
      return this.#record.url;
    }
    get headers() {
      if (this.#headers === undefined) this.#headers = lists.show(this.#record.headers);
      return this.#headers;
    }
    get destination() {
      this.#record;
      return "";
    }
    get referrer() {
      return this.#record.referrer;
    }
    get referrerPolicy() {
      return this.#record.referrerPolicy;
    }
    get mode() {
      return this.#record.mode;
    }
    get credentials() {
      return this.#record.credentials;
    }
    get cache() {
      return this.#record.cache;
    }
    get redirect() {
      return this.#record.redirect;
    }
    get integrity() {
      return this.#record.integrity;
    }
    get keepalive() {
      return this.#record.keepalive;
    }
    get isReloadNavigation() {
      this.#record;
      return false;
    }
    get isHistoryNavigation() {
      this.#record;
      return false;
    }
    get signal() {
      return this.#record.signal;
    }
    get duplex() {
      return this.#record.duplex;
    }
    clone() {
      const record = this.#record;
      if (bodies.isUnusable(record.body)) throw new TypeError("the body was read already, or is being read");
      const copy = new Request(this, { __proto__: null, body: null } as any), inner = recordOf(copy)!;
      inner.body = record.body === null ? null : bodies.clone(record.body);
      return copy;
    }
  }

  bodies.mixin(Request.prototype, (value) => recordOf(value), "Request");
  defineInterface(Request, "Request");
  return { Request, requestOf: recordOf! };
};
