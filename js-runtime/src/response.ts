// Response: https://fetch.spec.whatwg.org/#response-class
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { charCodeAt, list, Number, RangeError, stringify, TypeError } = intrinsics;
  const { defineInterface, dictionary, isObject, required, usvString } = ops.library_value("webidl");
  const lists: HeaderLists = ops.library_value("headerLists"), bodies: Bodies = ops.library_value("bodies");
  const TOKEN = { __proto__: null };

  interface ResponseRecord {
    type: string;
    url: string;
    redirected: boolean;
    status: number;
    statusText: string;
    headers: HeadersRecord;
    body: BodyRecord | null;
  }
  let recordOf: (value: unknown) => ResponseRecord | undefined;

  const plain = (): ResponseRecord => ({ type: "default", url: "", redirected: false, status: 200, statusText: "", headers: { pairs: list(), immutable: false }, body: null });
  const isNullBody = (status: number) => status === 101 || status === 103 || status === 204 || status === 205 || status === 304;

  /** https://fetch.spec.whatwg.org/#initialize-a-response */
  function initialize(record: ResponseRecord, init: unknown, body: { body: BodyRecord; type: string | undefined } | undefined): void {
    const { headers, status, statusText } = dictionary(init, "the second argument of Response");
    const code = status === undefined ? 200 : Number(status) & 65535, text = statusText === undefined ? "" : lists.byteString(statusText);
    if (!(code >= 200 && code <= 599)) throw new RangeError("the status of a response is from 200 to 599, not " + code);
    for (let i = 0; i < text.length; i++) {
      const unit = charCodeAt(text, i);
      if ((unit < 32 && unit !== 9) || unit === 127) throw new TypeError("the statusText of a response has control characters");
    }
    record.status = code;
    record.statusText = text;
    if (headers !== undefined) lists.fill(record.headers, headers);
    if (body === undefined) return;
    if (isNullBody(code)) throw new TypeError("a response with the status " + code + " has no body");
    record.body = body.body;
    if (body.type !== undefined && lists.get(record.headers, "content-type") === null) lists.append(record.headers, "Content-Type", body.type);
  }

  class Response {
    #record: ResponseRecord;
    #headers: any;
    static {
      recordOf = (value) => (isObject(value) && #record in value ? value.#record : undefined);
    }
    constructor(body: unknown = null, init: unknown = undefined) {
      if (body === TOKEN) {
        this.#record = init as ResponseRecord;
        return;
      }
      this.#record = plain();
      initialize(this.#record, init, body === null || body === undefined ? undefined : bodies.extract(body));
    }
    static error() {
      const record = plain();
      record.type = "error";
      record.status = 0;
      record.headers.immutable = true;
      return make(record);
    }
    static redirect(url: string, status: number = 302) {
      required(1, arguments.length, "Response.redirect");
      const parts: UrlParts | null = ops.library_value("urlOf")(usvString(url)), code = Number(status) & 65535;
      if (parts === null) throw new TypeError("'" + url + "' is no URL");
      if (code !== 301 && code !== 302 && code !== 303 && code !== 307 && code !== 308) throw new RangeError(code + " is no status of a redirect");
      const record = plain();
      record.status = code;
      lists.append(record.headers, "Location", parts.href);
      record.headers.immutable = true;
      return make(record);
    }
    static json(data: unknown, init: unknown = undefined) {
      required(1, arguments.length, "Response.json");
      const text = stringify(data);
      if (text === undefined) throw new TypeError("this cannot be written as JSON");
      const record = plain();
      initialize(record, init, { body: bodies.extract(text).body, type: "application/json" });
      return make(record);
    }
    get type() {
      return this.#record.type;
    }
    get url() {
      return this.#record.url;
    }
    get redirected() {
      return this.#record.redirected;
    }
    get status() {
      return this.#record.status;
    }
    get ok() {
      const { status } = this.#record;
      return status >= 200 && status <= 299;
    }
    get statusText() {
      return this.#record.statusText;
    }
    get headers() {
      if (this.#headers === undefined) this.#headers = lists.show(this.#record.headers);
      return this.#headers;
    }
    clone() {
      const record = this.#record;
      if (bodies.isUnusable(record.body)) throw new TypeError("the body was read already, or is being read");
      const pairs: [string, string][] = list();
      for (let i = 0; i < record.headers.pairs.length; i++) intrinsics.push(pairs, record.headers.pairs[i]);
      const { type, url, redirected, status, statusText } = record, headers = { pairs, immutable: record.headers.immutable };
      return make({ type, url, redirected, status, statusText, headers, body: record.body === null ? null : bodies.clone(record.body) });
    }
  }
  const make = (record: ResponseRecord): Response => new Response(TOKEN, record);

  bodies.mixin(Response.prototype, (value) => recordOf(value), "Response");
  defineInterface(Response, "Response");
  return { Response, responses: { __proto__: null, make, plain } };
};
