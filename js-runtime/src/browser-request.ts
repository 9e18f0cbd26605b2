// request: fetch with the cookies of the browser's pages, under the names that Playwright has for it.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asArray, charCodeAt, Date, dateTime, Error, indexOf, list, ownKeys, parse, push, slice, String, stringify, toLowerCase, toUpperCase, trim, TypeError, parseInt } = intrinsics;
  const { bytesOf, domString, isObject, member } = ops.library_value("webidl");
  const { ask, milliseconds, optionsOf, TimeoutError }: BrowserLocators = ops.library_value("browserLocators");

  const TIMEOUT = 30_000, REDIRECTS = 20;
  const bytesOfText = (bytes: Uint8Array): string => ops.text_decode("utf-8", undefined, bytes, false, false, false).text;

  class APIResponse {
    #of: any;
    #url: string;
    #bytes: Uint8Array;
    constructor(of: any, url: string, bytes: Uint8Array) {
      this.#of = of;
      this.#url = url;
      this.#bytes = bytes;
    }
    static lookAt(value: unknown): { url: string; status: number; statusText: string } | undefined {
      if (!isObject(value) || !(#of in value)) return undefined;
      const response = value as APIResponse;
      return { url: response.#url, status: response.#of.status, statusText: response.#of.statusText };
    }
    url(): string {
      return this.#url;
    }
    status(): number {
      return this.#of.status;
    }
    statusText(): string {
      return this.#of.statusText;
    }
    ok(): boolean {
      return this.#of.status >= 200 && this.#of.status <= 299;
    }
    headers(): any {
      const made: any = {};
      this.#of.headers.forEach((value: string, name: string) => void (made[name] = made[name] === undefined ? value : made[name] + "\n" + value));
      return made;
    }
    headersArray(): any[] {
      const made: any[] = list();
      this.#of.headers.forEach((value: string, name: string) => void push(made, { name, value }));
      return asArray(made);
    }
    async body(): Promise<Uint8Array> {
      return (ops.library_value("buffers") as Buffers).wrap(this.#bytes);
    }
    async text(): Promise<string> {
      return bytesOfText(this.#bytes);
    }
    async json(): Promise<any> {
      return parse(bytesOfText(this.#bytes));
    }
    async dispose(): Promise<void> {}
    toString(): string {
      return "APIResponse: " + String(this.#of.status) + " " + this.#of.statusText + " " + this.#url;
    }
  }

  /** What an answer sets, as the browser's own would be. https://www.rfc-editor.org/rfc/rfc6265#section-5.2 */
  function cookieOf(header: string, url: string): any {
    const cookie: any = { __proto__: null, url };
    let isFirst = true;
    for (let from = 0; from <= header.length; ) {
      const end = indexOf(header, ";", from), to = end < 0 ? header.length : end, part = slice(header, from, to), at = indexOf(part, "=");
      const name = trim(at < 0 ? part : slice(part, 0, at)), value = at < 0 ? "" : trim(slice(part, at + 1));
      from = to + 1;
      if (isFirst) {
        isFirst = false;
        if (at < 0) return undefined;
        cookie.name = name;
        cookie.value = value;
        continue;
      }
      switch (toLowerCase(name)) {
        case "domain":
          if (value !== "") cookie.domain = charCodeAt(value, 0) === 46 ? value : "." + value;
          break;
        case "path":
          if (charCodeAt(value, 0) === 47) cookie.path = value;
          break;
        case "expires": {
          const at = dateTime(new Date(value));
          if (at === at && cookie.expires === undefined) cookie.expires = at / 1000;
          break;
        }
        case "max-age": {
          const seconds = parseInt(value, 10);
          if (seconds === seconds) cookie.expires = dateTime(new Date()) / 1000 + seconds;
          break;
        }
        case "secure":
          cookie.secure = true;
          break;
        case "httponly":
          cookie.httpOnly = true;
          break;
        case "samesite": {
          const kind = toLowerCase(value);
          cookie.sameSite = kind === "strict" ? "Strict" : kind === "none" ? "None" : "Lax";
        }
      }
    }
    // One that is over is removed by one that was over long ago.
    if (cookie.expires !== undefined && cookie.expires <= 0) cookie.expires = 1;
    return cookie;
  }

  const append = (to: any, of: any): void => {
    const names = ownKeys(of);
    for (let i = 0; i < names.length; i++) if (of[names[i] as string] !== undefined) to.append(names[i], domString(of[names[i] as string]));
  };

  class APIRequestContext {
    #context: BrowserContextState;
    constructor(context: BrowserContextState) {
      this.#context = context;
    }
    #storage(what: any): Promise<any> {
      what.__proto__ = null;
      return ask({ id: 0, generation: this.#context.generation, context: this.#context }, { __proto__: null, do: "storage", what }, "request");
    }
    async #cookies(url: string): Promise<string> {
      const urls: string[] = list();
      push(urls, url);
      const cookies: any[] = await this.#storage({ do: "cookies", urls });
      let header = "";
      for (let i = 0; i < cookies.length; i++) header += (i === 0 ? "" : "; ") + cookies[i].name + "=" + cookies[i].value;
      return header;
    }
    async #keep(response: any, url: string): Promise<void> {
      const set: string[] = response.headers.getSetCookie(), cookies: any[] = list();
      for (let i = 0; i < set.length; i++) {
        const cookie = cookieOf(set[i], url);
        if (cookie !== undefined) push(cookies, cookie);
      }
      if (cookies.length > 0) await this.#storage({ do: "addCookies", cookies });
    }
    async #send(address: unknown, value: unknown, method: string, verb: string): Promise<APIResponse> {
      const options = optionsOf(value), what = "request." + verb;
      const timeout = options.timeout === undefined ? (this.#context.timeout ?? TIMEOUT) : milliseconds(options.timeout, "timeout");
      const url: any = new (ops.library_value("URL") as any)(domString(isObject(address) && "url" in address ? (address as any).url() : address));
      if (options.params !== undefined) append(url.searchParams, isObject(options.params) && !("append" in options.params) ? options.params : entries(options.params));
      const headers: any = new (ops.library_value("Headers") as any)();
      if (this.#context.headers !== undefined) append(headers, this.#context.headers);
      if (options.headers !== undefined) {
        const names = ownKeys(options.headers);
        for (let i = 0; i < names.length; i++) headers.set(names[i], domString(options.headers[names[i] as string]));
      }
      const given = headers.get("cookie");
      let { body, type } = bodyOf(options);
      if (type !== undefined && !headers.has("content-type")) headers.set("content-type", type);
      const most = options.maxRedirects ?? REDIRECTS, abort: any = new (ops.library_value("AbortController") as any)();
      const over = timeout > 0 ? ops.library_value("setTimeout")(() => abort.abort(new TimeoutError(what + ": timeout of " + String(timeout) + " ms")), timeout) : undefined;
      try {
        for (let redirects = 0; ; redirects++) {
          const here: string = url.href, cookies = given ?? (await this.#cookies(here));
          if (cookies !== "") headers.set("cookie", cookies);
          else headers.delete("cookie");
          const response = await ops.library_value("fetch")(here, { method, headers, body, redirect: "manual", credentials: "omit", signal: abort.signal });
          await this.#keep(response, here);
          const to = response.headers.get("location");
          if (to !== null && response.status >= 301 && response.status <= 308 && response.status !== 304 && redirects < most) {
            const origin: string = url.origin;
            url.href = new (ops.library_value("URL") as any)(to, here).href;
            if (response.status === 303 || (response.status < 303 && method === "POST")) {
              method = "GET";
              body = undefined;
              headers.delete("content-type");
            }
            if (url.origin !== origin) headers.delete("authorization");
            continue;
          }
          if (to !== null && most > 0 && redirects >= most && response.status >= 301 && response.status <= 308) throw new Error(what + ": " + here + " leads on after " + String(most) + " redirects");
          const bytes = new intrinsics.Uint8Array(await response.arrayBuffer()), made = new APIResponse(response, here, bytes);
          if (options.failOnStatusCode === true && !(made.ok() || made.status() < 400)) throw new Error(what + ": " + String(made.status()) + " " + made.statusText() + " from " + here);
          return made;
        }
      } finally {
        if (over !== undefined) ops.library_value("clearTimeout")(over);
      }
    }
    async get(url: unknown, options: unknown = undefined): Promise<APIResponse> {
      return await this.#send(url, options, "GET", "get");
    }
    async post(url: unknown, options: unknown = undefined): Promise<APIResponse> {
      return await this.#send(url, options, "POST", "post");
    }
    async put(url: unknown, options: unknown = undefined): Promise<APIResponse> {
      return await this.#send(url, options, "PUT", "put");
    }
    async patch(url: unknown, options: unknown = undefined): Promise<APIResponse> {
      return await this.#send(url, options, "PATCH", "patch");
    }
    async delete(url: unknown, options: unknown = undefined): Promise<APIResponse> {
      return await this.#send(url, options, "DELETE", "delete");
    }
    async head(url: unknown, options: unknown = undefined): Promise<APIResponse> {
      return await this.#send(url, options, "HEAD", "head");
    }
    async fetch(url: unknown, options: unknown = undefined): Promise<APIResponse> {
      const { method } = optionsOf(options);
      return await this.#send(url, options, method === undefined ? "GET" : toUpperCase(domString(method)), "fetch");
    }
    async storageState(options: unknown = undefined): Promise<any> {
      return await (this.#context.handle as any).storageState(options);
    }
    async dispose(): Promise<void> {}
  }

  function entries(params: unknown): any {
    const made: any = { __proto__: null };
    new (ops.library_value("URLSearchParams") as any)(params).forEach((value: string, name: string) => void (made[name] = value));
    return made;
  }

  /** What is sent, and as what. */
  function bodyOf(options: any): { body: any; type: string | undefined } {
    const { data, form, multipart } = options;
    if (form !== undefined) {
      const fields: any = new (ops.library_value("URLSearchParams") as any)();
      append(fields, form);
      return { body: fields, type: undefined };
    }
    if (multipart !== undefined) {
      const fields: any = new (ops.library_value("FormData") as any)(), names = ownKeys(multipart);
      for (let i = 0; i < names.length; i++) {
        const value = multipart[names[i] as string];
        if (!isObject(value)) {
          fields.append(names[i], domString(value));
          continue;
        }
        const parts: any[] = list();
        push(parts, member(value, "buffer"));
        fields.append(names[i], new (ops.library_value("File") as any)(asArray(parts), domString(member(value, "name")), { type: domString(member(value, "mimeType") ?? "application/octet-stream") }));
      }
      return { body: fields, type: undefined };
    }
    if (data === undefined || data === null) return { body: undefined, type: undefined };
    if (typeof data === "string") return { body: ops.text_encode(data), type: "application/octet-stream" };
    if (ops.kind_of(data) === "buffer") return { body: bytesOf(data), type: "application/octet-stream" };
    return { body: ops.text_encode(stringify(data)), type: "application/json" };
  }

  const browserRequests: BrowserRequests = { __proto__: null, APIRequestContext, lookAt: APIResponse.lookAt } as unknown as BrowserRequests;
  return { browserRequests };
};
