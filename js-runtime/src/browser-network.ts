// Requests, answers and routes of a browser's pages.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asArray, Error, hasOwn, indexOf, isArray, list, lastIndexOf, mapDelete, mapGet, mapSet, Map, Object, ownKeys, parse, promiseResolve, promiseThen, push, slice, String, stringify, toLowerCase, TypeError } = intrinsics;
  const { bytesOf, deferred, domString, isObject, promiseCall } = ops.library_value("webidl");
  const { ask, base64, mimeTypeOf, optionsOf }: BrowserLocators = ops.library_value("browserLocators");
  const { addressMatcher, frameOf, framesOf, where }: BrowserFrames = ops.library_value("browserFrames");

  /** Requests of a page that are remembered. */
  const MOST_KEPT = 100;
  /** A level of the console. */
  const ERROR = 4;
  const buffer = (bytes: Uint8Array): Uint8Array => (ops.library_value("buffers") as Buffers).wrap(bytes);
  /** An object of a script's own, of what an event has told. */
  const copy = (headers: any): any => {
    const made: any = {}, names = ownKeys(headers);
    for (let i = 0; i < names.length; i++) made[names[i] as string] = headers[names[i] as string];
    return made;
  };
  function pairsOf(headers: any): [string, string][] {
    const pairs: [string, string][] = list(), names = ownKeys(headers);
    for (let i = 0; i < names.length; i++) push(pairs, asArray<string>(pair(names[i] as string, headers[names[i] as string]) as any) as any);
    return pairs;
  }
  function pair(name: string, value: unknown): string[] {
    const made: string[] = list();
    push(made, name);
    push(made, domString(value));
    return made;
  }

  class Request {
    #page: BrowserPageState;
    #told: any;
    #from: Request | null;
    #to: Request | null = null;
    #failure: string | null = null;
    #response: Response | null = null;
    #answered = deferred<Response | null>();
    #over = deferred<string | null>();
    #bytes = 0;
    #end = -1;
    constructor(page: BrowserPageState, told: any, from: Request | null) {
      this.#page = page;
      this.#told = told;
      this.#from = from;
      if (from !== null) from.#to = this;
    }
    static answer(request: Request, response: Response): void {
      request.#response = response;
      request.#answered.resolve(response);
    }
    static end(request: Request, why: string | null, bytes: number, at: number): void {
      request.#end = at;
      request.#failure = why;
      request.#bytes = bytes;
      request.#answered.resolve(null);
      request.#over.resolve(why);
    }
    static over(request: Request): Promise<string | null> {
      return request.#over.promise;
    }
    static toldOf(request: Request): any {
      return request.#told;
    }
    url(): string {
      return this.#told.url;
    }
    method(): string {
      return this.#told.method;
    }
    headers(): any {
      return copy(this.#told.headers);
    }
    async allHeaders(): Promise<any> {
      return copy(this.#told.headers);
    }
    async headersArray(): Promise<any> {
      return named(this.#told.headers);
    }
    async headerValue(name: unknown): Promise<string | null> {
      return valueOf(this.#told.headers, name);
    }
    postData(): string | null {
      return this.#told.body ?? null;
    }
    postDataBuffer(): Uint8Array | null {
      return typeof this.#told.body === "string" ? buffer(ops.text_encode(this.#told.body)) : null;
    }
    postDataJSON(): any {
      const { body, headers } = this.#told;
      if (typeof body !== "string") return null;
      if (indexOf(valueOf(headers, "content-type") ?? "", "application/x-www-form-urlencoded") < 0) return parse(body);
      const made: any = {};
      (new (ops.library_value("URLSearchParams") as any)(body) as URLSearchParams).forEach((value, name) => void (made[name] = value));
      return made;
    }
    resourceType(): string {
      return this.#told.kind;
    }
    isNavigationRequest(): boolean {
      return this.#told.isNavigation;
    }
    frame(): unknown {
      return frameOf(this.#page, this.#told.frame);
    }
    failure(): any {
      return this.#failure === null ? null : { errorText: this.#failure };
    }
    async response(): Promise<Response | null> {
      return await this.#answered.promise;
    }
    redirectedFrom(): Request | null {
      return this.#from;
    }
    redirectedTo(): Request | null {
      return this.#to;
    }
    serviceWorker(): null {
      return null;
    }
    /** Milliseconds since `startTime`, which is since 1970; -1 for what has not been, or is not known. */
    timing(): any {
      const told = this.#response === null ? null : Response.toldOf(this.#response).timing;
      const { started, domainLookupStart, domainLookupEnd, connectStart, secureConnectionStart, connectEnd, requestStart, responseStart } = told ?? UNKNOWN;
      return { startTime: started, domainLookupStart, domainLookupEnd, connectStart, secureConnectionStart, connectEnd, requestStart, responseStart, responseEnd: told === null || this.#end < 0 ? -1 : this.#end - started };
    }
    async sizes(): Promise<any> {
      await this.#over.promise;
      return { requestBodySize: typeof this.#told.body === "string" ? this.#told.body.length : 0, responseBodySize: this.#bytes };
    }
  }

  const UNKNOWN = { __proto__: null, started: -1, domainLookupStart: -1, domainLookupEnd: -1, connectStart: -1, secureConnectionStart: -1, connectEnd: -1, requestStart: -1, responseStart: -1 };
  const valueOf = (headers: any, name: unknown): string | null => {
    const wanted = toLowerCase(domString(name));
    return hasOwn(headers, wanted) ? headers[wanted] : null;
  };
  function named(headers: any): any[] {
    const made: any[] = list(), names = ownKeys(headers);
    for (let i = 0; i < names.length; i++) push(made, { name: names[i], value: headers[names[i] as string] });
    return asArray(made);
  }

  /** An answer. One that a document came with, when nobody listened, has no request and no headers. */
  class Response {
    #page: BrowserPageState;
    #told: any;
    #request: Request | null;
    constructor(page: BrowserPageState, told: any, request: Request | null) {
      this.#page = page;
      this.#told = told;
      this.#request = request;
    }
    static toldOf(response: Response): any {
      return response.#told;
    }
    #known(): any {
      const { headers } = this.#told;
      if (headers === undefined) throw new Error("headers are known of what comes while something listens: page.on('response', …) or page.waitForResponse(…) before it is asked for");
      return headers;
    }
    url(): string {
      return this.#told.url;
    }
    status(): number {
      return this.#told.status;
    }
    statusText(): string {
      return this.#told.statusText ?? "";
    }
    ok(): boolean {
      return this.#told.status === 0 || (this.#told.status >= 200 && this.#told.status < 300);
    }
    headers(): any {
      return copy(this.#known());
    }
    async allHeaders(): Promise<any> {
      return copy(this.#known());
    }
    async headersArray(): Promise<any> {
      return named(this.#known());
    }
    async headerValue(name: unknown): Promise<string | null> {
      return valueOf(this.#known(), name);
    }
    async finished(): Promise<any> {
      const why = this.#request === null ? null : await Request.over(this.#request);
      return why === null ? null : new Error(why);
    }
    async body(): Promise<Uint8Array> {
      const request = this.#request;
      if (request === null) return buffer(await ask(this.#page, { __proto__: null, do: "source" }, "response.body"));
      if (request.redirectedTo() !== null) throw new Error("response.body: an answer that leads elsewhere has no body");
      const why = await Request.over(request);
      if (why !== null) throw new Error("response.body: the request has failed: " + why);
      const page = { id: this.#page.id, generation: this.#page.generation, context: this.#page.context };
      return buffer(await ask(page, { __proto__: null, do: "body", request: this.#told.request }, "response.body"));
    }
    async text(): Promise<string> {
      return ops.text_decode("utf-8", undefined, await this.body(), false, false, false).text;
    }
    async json(): Promise<any> {
      return parse(await this.text());
    }
    request(): Request | null {
      return this.#request;
    }
    frame(): unknown {
      return this.#request === null ? framesOf(this.#page.owner ?? this.#page, () => true)[0] : this.#request.frame();
    }
    fromServiceWorker(): boolean {
      return this.#told.fromServiceWorker === true;
    }
  }

  // ---- what is told of them -----------------------------------------------------------------------------------------------------------

  const requests: Map<string, Request> = new Map();
  /** The request that an event is about; made if it is the first. */
  function requestOf(page: BrowserPageState, told: any): Request {
    const key = String(page.id) + " " + told.request, known = mapGet(requests, key);
    // A route tells of it, and the network too.
    if (known !== undefined && told.redirected == null && (known.url() === told.url || told.request === "")) return known;
    const request = new Request(page, told, known ?? null);
    page.requests ??= { all: list(), count: 0 };
    page.requests.all[page.requests.count++ % MOST_KEPT] = request;
    if (told.request !== "") mapSet(requests, key, request);
    return request;
  }

  /** What an event of the network is for scripts: a name and a value for each. */
  function network(page: BrowserPageState, event: any, emit: (name: string, value: unknown) => void): void {
    if (event.is === "request") {
      const key = String(page.id) + " " + event.request, before = mapGet(requests, key);
      if (before !== undefined && event.redirected !== null) {
        const response = new Response(page, event.redirected, before);
        Request.answer(before, response);
        emit("response", response);
        Request.end(before, null, 0, -1);
        emit("requestfinished", before);
      }
      return emit("request", requestOf(page, event));
    }
    const key = String(page.id) + " " + event.request, request = mapGet(requests, key);
    if (request === undefined) return;
    if (event.is === "response") {
      const response = new Response(page, event, request);
      Request.answer(request, response);
      if (request.isNavigationRequest()) {
        page.documents ??= new Map();
        mapSet(page.documents, Request.toldOf(request).frame, response);
      }
      return emit("response", response);
    }
    mapDelete(requests, key);
    Request.end(request, event.is === "failed" ? event.why : null, event.bytes ?? 0, event.at ?? -1);
    emit(event.is === "failed" ? "requestfailed" : "requestfinished", request);
  }

  /** The answer that a document of a page or a frame came with: more is known of it if something listened. */
  function answered(state: BrowserPageState, told: any): Response {
    const { documents } = state.owner ?? state, frame = where(state), id = state.frame ?? frame?.frames[0]?.id;
    const known = documents === undefined ? undefined : mapGet(documents, id);
    return known === undefined ? new Response(state, told, null) : (known as Response);
  }

  // ---- routes -------------------------------------------------------------------------------------------------------------------------

  const reasons = {
    __proto__: null, aborted: "Aborted", accessdenied: "AccessDenied", addressunreachable: "AddressUnreachable", blockedbyclient: "BlockedByClient", blockedbyresponse: "BlockedByResponse",
    connectionaborted: "ConnectionAborted", connectionclosed: "ConnectionClosed", connectionfailed: "ConnectionFailed", connectionrefused: "ConnectionRefused", connectionreset: "ConnectionReset",
    internetdisconnected: "InternetDisconnected", namenotresolved: "NameNotResolved", timedout: "TimedOut", failed: "Failed",
  } as any;

  interface Rule {
    readonly pattern: unknown;
    readonly matches: (url: string) => unknown;
    readonly handler: Function;
    left: number;
  }

  const encoded = (data: unknown): string => base64(typeof data === "string" ? ops.text_encode(data) : bytesOf(data));

  class Route {
    #page: BrowserPageState;
    #paused: string;
    #request: Request;
    #rules: Rule[];
    #changes: any = { __proto__: null };
    #isOver = false;
    constructor(page: BrowserPageState, paused: string, request: Request, rules: Rule[]) {
      this.#page = page;
      this.#paused = paused;
      this.#request = request;
      this.#rules = rules;
    }
    request(): Request {
      return this.#request;
    }
    async #end(verdict: any, verb: string): Promise<void> {
      if (this.#isOver) throw new Error("route." + verb + ": the route is handled already");
      this.#isOver = true;
      try {
        await ask(this.#page, { __proto__: null, do: "route", paused: this.#paused, verdict }, "route." + verb);
      } catch (error) {
        // Nothing has become of it.
        this.#isOver = false;
        throw error;
      }
    }
    #change(value: unknown): void {
      const options = optionsOf(value), changes = this.#changes;
      if (options.url !== undefined) changes.url = domString(options.url);
      if (options.method !== undefined) changes.method = domString(options.method);
      if (options.headers !== undefined) changes.headers = pairsOf(options.headers);
      if (options.postData !== undefined) {
        const data = options.postData;
        changes.body = encoded(typeof data === "string" || !isObject(data) || ops.kind_of(data) === "buffer" ? data : stringify(data));
      }
    }
    async continue(options: unknown = undefined): Promise<void> {
      this.#change(options);
      this.#changes.do = "continue";
      return await this.#end(this.#changes, "continue");
    }
    /** Leaves it to the rule before, or to the network. */
    async fallback(options: unknown = undefined): Promise<void> {
      if (this.#isOver) throw new Error("route.fallback: the route is handled already");
      this.#change(options);
      return await Route.next(this);
    }
    async abort(code: unknown = "failed"): Promise<void> {
      const name = domString(code);
      if (!hasOwn(reasons, name)) throw new TypeError("route.abort: a request fails by one of " + names(reasons) + ", not by " + name);
      return await this.#end({ __proto__: null, do: "abort", why: reasons[name] }, "abort");
    }
    async fulfill(value: unknown = undefined): Promise<void> {
      const options = optionsOf(value), given = options.response, headers: any = { __proto__: null };
      const from = given === undefined ? {} : given.headers(), all = options.headers ?? from, keys = ownKeys(all);
      for (let i = 0; i < keys.length; i++) headers[toLowerCase(keys[i] as string)] = domString(all[keys[i] as string]);
      let body: Uint8Array | string = "";
      if (options.json !== undefined) {
        body = stringify(options.json);
        headers["content-type"] ??= "application/json";
      } else if (options.path !== undefined) {
        body = await ops.library_value("fs").readFile(options.path);
        headers["content-type"] ??= mimeTypeOf(domString(options.path));
      } else if (options.body !== undefined) body = typeof options.body === "string" ? options.body : bytesOf(options.body);
      else if (given !== undefined) body = await given.body();
      if (options.contentType !== undefined) headers["content-type"] = domString(options.contentType);
      const data = typeof body === "string" ? ops.text_encode(body) : body;
      headers["content-length"] = String(data.length);
      const status = options.status ?? (given === undefined ? 200 : given.status());
      if (typeof status !== "number" || status % 1 !== 0 || !(status >= 100 && status <= 999)) throw new TypeError("route.fulfill: a status is a number from 100 to 999, not " + String(status));
      return await this.#end({ __proto__: null, do: "fulfill", status, headers: pairsOf(headers), body: base64(data) }, "fulfill");
    }
    /** What comes when it is made, by this program and not by the browser. */
    async fetch(options: unknown = undefined): Promise<any> {
      this.#change(options);
      const { url, method, headers } = this.#changes, given: any = { __proto__: null, method: method ?? this.#request.method(), headers: copy(this.#request.headers()) };
      if (headers !== undefined) {
        given.headers = {};
        for (let i = 0; i < headers.length; i++) given.headers[headers[i][0]] = headers[i][1];
      }
      const data = optionsOf(options).postData ?? this.#request.postDataBuffer();
      if (data !== null) given.data = data;
      return await (this.#page.context.handle as any).request.fetch(url ?? this.#request.url(), given);
    }
    /** Has the next rule decide. */
    static async next(route: Route): Promise<void> {
      for (;;) {
        const rule = route.#rules.length > 0 ? route.#rules[0] : undefined;
        if (rule === undefined) return await route.continue();
        const rest: Rule[] = list();
        for (let i = 1; i < route.#rules.length; i++) push(rest, route.#rules[i]);
        route.#rules = rest;
        try {
          if (rule.left <= 0 || !rule.matches(route.#request.url())) continue;
          rule.left--;
          const args: unknown[] = list();
          push(args, route);
          push(args, route.#request);
          await promiseCall(rule.handler, undefined, args);
        } catch (error) {
          // The page is not left to wait for it.
          ops.console_write(ERROR, "a route's handler has thrown: " + ops.library_value("inspector").inspect(error));
          if (!route.#isOver) await route.abort();
        }
        return;
      }
    }
  }
  const names = (object: object): string => {
    let all = "";
    const keys = ownKeys(object);
    for (let i = 0; i < keys.length; i++) all += (all === "" ? "" : ", ") + String(keys[i]);
    return all;
  };

  /** Rules of a page or of all, the last one first. */
  class Rules {
    all: Rule[] = list();
    add(pattern: unknown, handler: unknown, options: any): void {
      if (typeof handler !== "function") throw new TypeError("a route has a function that is called with it");
      const rules: Rule[] = list();
      push(rules, { pattern, matches: addressMatcher(pattern), handler, left: options.times ?? Infinity });
      for (let i = 0; i < this.all.length; i++) push(rules, this.all[i]);
      this.all = rules;
    }
    remove(pattern: unknown, handler: unknown): void {
      const rules: Rule[] = list();
      for (let i = 0; i < this.all.length; i++) {
        const rule = this.all[i];
        if ((pattern !== undefined && !same(rule.pattern, pattern)) || (handler !== undefined && rule.handler !== handler)) push(rules, rule);
      }
      this.all = rules;
    }
    get size(): number {
      return this.all.length;
    }
  }
  const same = (one: unknown, other: unknown): boolean =>
    one === other || (ops.kind_of(one) === "regexp" && ops.kind_of(other) === "regexp" && intrinsics.regExpSource(one as RegExp) === intrinsics.regExpSource(other as RegExp));

  /** A request waits: the rules of its page, and then those of all, say what becomes of it. */
  function paused(page: BrowserPageState, event: any, ofPage: Rules, ofAll: Rules): Promise<void> {
    const rules: Rule[] = list();
    for (let i = 0; i < ofPage.all.length; i++) push(rules, ofPage.all[i]);
    for (let i = 0; i < ofAll.all.length; i++) push(rules, ofAll.all[i]);
    return Route.next(new Route(page, event.paused, requestOf(page, event.request), rules));
  }

  const browserNetwork: BrowserNetwork = { __proto__: null, answered, network, paused, Rules } as unknown as BrowserNetwork;
  return { browserNetwork };
};
