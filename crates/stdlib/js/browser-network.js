// Made of js-runtime/src/browser-network.ts by `cargo xtask generate`.
// Requests, answers and routes of a browser's pages.
((ops     , intrinsics            ) => {
  const { asArray, Error, hasOwn, indexOf, isArray, list, lastIndexOf, mapDelete, mapGet, mapSet, Map, Object, ownKeys, parse, promiseResolve, promiseThen, push, slice, String, stringify, toLowerCase, TypeError } = intrinsics;
  const { bytesOf, deferred, domString, isObject, promiseCall } = ops.library_value("webidl");
  const { ask, base64, mimeTypeOf, optionsOf }                  = ops.library_value("browserLocators");
  const { addressMatcher, frameOf, framesOf, where }                = ops.library_value("browserFrames");

  /** Requests of a page that are remembered. */
  const MOST_KEPT = 100;
  /** A level of the console. */
  const ERROR = 4;
  const buffer = (bytes            )             => (ops.library_value("buffers")           ).wrap(bytes);
  /** An object of a script's own, of what an event has told. */
  const copy = (headers     )      => {
    const made      = {}, names = ownKeys(headers);
    for (let i = 0; i < names.length; i++) made[names[i]          ] = headers[names[i]          ];
    return made;
  };
  function pairsOf(headers     )                     {
    const pairs                     = list(), names = ownKeys(headers);
    for (let i = 0; i < names.length; i++) push(pairs, asArray        (pair(names[i]          , headers[names[i]          ])       )       );
    return pairs;
  }
  function pair(name        , value         )           {
    const made           = list();
    push(made, name);
    push(made, domString(value));
    return made;
  }

  class Request {
    #page;                 ;
    #told;    ;
    #from;               ;
    #to                 = null;
    #failure                = null;
    #response                  = null;
    #answered = deferred                 ();
    #over = deferred               ();
    #bytes = 0;
    #end = -1;
    constructor(page                  , told     , from                ) {
      this.#page = page;
      this.#told = told;
      this.#from = from;
      if (from !== null) from.#to = this;
    }
    static answer(request         , response          )       {
      request.#response = response;
      request.#answered.resolve(response);
    }
    static end(request         , why               , bytes        , at        )       {
      request.#end = at;
      request.#failure = why;
      request.#bytes = bytes;
      request.#answered.resolve(null);
      request.#over.resolve(why);
    }
    static over(request         )                         {
      return request.#over.promise;
    }
    static toldOf(request         )      {
      return request.#told;
    }
    url()         {
      return this.#told.url;
    }
    method()         {
      return this.#told.method;
    }
    headers()      {
      return copy(this.#told.headers);
    }
    async allHeaders()               {
      return copy(this.#told.headers);
    }
    async headersArray()               {
      return named(this.#told.headers);
    }
    async headerValue(name         )                         {
      return valueOf(this.#told.headers, name);
    }
    postData()                {
      return this.#told.body ?? null;
    }
    postDataBuffer()                    {
      return typeof this.#told.body === "string" ? buffer(ops.text_encode(this.#told.body)) : null;
    }
    postDataJSON()      {
      const { body, headers } = this.#told;
      if (typeof body !== "string") return null;
      if (indexOf(valueOf(headers, "content-type") ?? "", "application/x-www-form-urlencoded") < 0) return parse(body);
      const made      = {};
      (new (ops.library_value("URLSearchParams")       )(body)                   ).forEach((value, name) => void (made[name] = value));
      return made;
    }
    resourceType()         {
      return this.#told.kind;
    }
    isNavigationRequest()          {
      return this.#told.isNavigation;
    }
    frame()          {
      return frameOf(this.#page, this.#told.frame);
    }
    failure()      {
      return this.#failure === null ? null : { errorText: this.#failure };
    }
    async response()                           {
      return await this.#answered.promise;
    }
    redirectedFrom()                 {
      return this.#from;
    }
    redirectedTo()                 {
      return this.#to;
    }
    serviceWorker()       {
      return null;
    }
    /** Milliseconds since `startTime`, which is since 1970; -1 for what has not been, or is not known. */
    timing()      {
      const told = this.#response === null ? null : Response.toldOf(this.#response).timing;
      const { started, domainLookupStart, domainLookupEnd, connectStart, secureConnectionStart, connectEnd, requestStart, responseStart } = told ?? UNKNOWN;
      return { startTime: started, domainLookupStart, domainLookupEnd, connectStart, secureConnectionStart, connectEnd, requestStart, responseStart, responseEnd: told === null || this.#end < 0 ? -1 : this.#end - started };
    }
    async sizes()               {
      await this.#over.promise;
      return { requestBodySize: typeof this.#told.body === "string" ? this.#told.body.length : 0, responseBodySize: this.#bytes };
    }
  }

  const UNKNOWN = { __proto__: null, started: -1, domainLookupStart: -1, domainLookupEnd: -1, connectStart: -1, secureConnectionStart: -1, connectEnd: -1, requestStart: -1, responseStart: -1 };
  const valueOf = (headers     , name         )                => {
    const wanted = toLowerCase(domString(name));
    return hasOwn(headers, wanted) ? headers[wanted] : null;
  };
  function named(headers     )        {
    const made        = list(), names = ownKeys(headers);
    for (let i = 0; i < names.length; i++) push(made, { name: names[i], value: headers[names[i]          ] });
    return asArray(made);
  }

  /** An answer. One that a document came with, when nobody listened, has no request and no headers. */
  class Response {
    #page;                 ;
    #told;    ;
    #request;               ;
    constructor(page                  , told     , request                ) {
      this.#page = page;
      this.#told = told;
      this.#request = request;
    }
    static toldOf(response          )      {
      return response.#told;
    }
    #known()      {
      const { headers } = this.#told;
      if (headers === undefined) throw new Error("headers are known of what comes while something listens: page.on('response', …) or page.waitForResponse(…) before it is asked for");
      return headers;
    }
    url()         {
      return this.#told.url;
    }
    status()         {
      return this.#told.status;
    }
    statusText()         {
      return this.#told.statusText ?? "";
    }
    ok()          {
      return this.#told.status === 0 || (this.#told.status >= 200 && this.#told.status < 300);
    }
    headers()      {
      return copy(this.#known());
    }
    async allHeaders()               {
      return copy(this.#known());
    }
    async headersArray()               {
      return named(this.#known());
    }
    async headerValue(name         )                         {
      return valueOf(this.#known(), name);
    }
    async finished()               {
      const why = this.#request === null ? null : await Request.over(this.#request);
      return why === null ? null : new Error(why);
    }
    async body()                      {
      const request = this.#request;
      if (request === null) return buffer(await ask(this.#page, { __proto__: null, do: "source" }, "response.body"));
      if (request.redirectedTo() !== null) throw new Error("response.body: an answer that leads elsewhere has no body");
      const why = await Request.over(request);
      if (why !== null) throw new Error("response.body: the request has failed: " + why);
      const page = { id: this.#page.id, generation: this.#page.generation, context: this.#page.context };
      return buffer(await ask(page, { __proto__: null, do: "body", request: this.#told.request }, "response.body"));
    }
    async text()                  {
      return ops.text_decode("utf-8", undefined, await this.body(), false, false, false).text;
    }
    async json()               {
      return parse(await this.text());
    }
    request()                 {
      return this.#request;
    }
    frame()          {
      return this.#request === null ? framesOf(this.#page.owner ?? this.#page, () => true)[0] : this.#request.frame();
    }
    fromServiceWorker()          {
      return this.#told.fromServiceWorker === true;
    }
  }

  // ---- what is told of them -----------------------------------------------------------------------------------------------------------

  const requests                       = new Map();
  /** The request that an event is about; made if it is the first. */
  function requestOf(page                  , told     )          {
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
  function network(page                  , event     , emit                                        )       {
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
  function answered(state                  , told     )           {
    const { documents } = state.owner ?? state, frame = where(state), id = state.frame ?? frame?.frames[0]?.id;
    const known = documents === undefined ? undefined : mapGet(documents, id);
    return known === undefined ? new Response(state, told, null) : (known            );
  }

  // ---- routes -------------------------------------------------------------------------------------------------------------------------

  const reasons = {
    __proto__: null, aborted: "Aborted", accessdenied: "AccessDenied", addressunreachable: "AddressUnreachable", blockedbyclient: "BlockedByClient", blockedbyresponse: "BlockedByResponse",
    connectionaborted: "ConnectionAborted", connectionclosed: "ConnectionClosed", connectionfailed: "ConnectionFailed", connectionrefused: "ConnectionRefused", connectionreset: "ConnectionReset",
    internetdisconnected: "InternetDisconnected", namenotresolved: "NameNotResolved", timedout: "TimedOut", failed: "Failed",
  }       ;

  ;






  const encoded = (data         )         => base64(typeof data === "string" ? ops.text_encode(data) : bytesOf(data));

  class Route {
    #page;                 ;
    #paused;       ;
    #request;        ;
    #rules;       ;
    #changes      = { __proto__: null };
    #isOver = false;
    constructor(page                  , paused        , request         , rules        ) {
      this.#page = page;
      this.#paused = paused;
      this.#request = request;
      this.#rules = rules;
    }
    request()          {
      return this.#request;
    }
    async #end(verdict     , verb        )                {
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
    #change(value         )       {
      const options = optionsOf(value), changes = this.#changes;
      if (options.url !== undefined) changes.url = domString(options.url);
      if (options.method !== undefined) changes.method = domString(options.method);
      if (options.headers !== undefined) changes.headers = pairsOf(options.headers);
      if (options.postData !== undefined) {
        const data = options.postData;
        changes.body = encoded(typeof data === "string" || !isObject(data) || ops.kind_of(data) === "buffer" ? data : stringify(data));
      }
    }
    async continue(options          = undefined)                {
      this.#change(options);
      this.#changes.do = "continue";
      return await this.#end(this.#changes, "continue");
    }
    /** Leaves it to the rule before, or to the network. */
    async fallback(options          = undefined)                {
      if (this.#isOver) throw new Error("route.fallback: the route is handled already");
      this.#change(options);
      return await Route.next(this);
    }
    async abort(code          = "failed")                {
      const name = domString(code);
      if (!hasOwn(reasons, name)) throw new TypeError("route.abort: a request fails by one of " + names(reasons) + ", not by " + name);
      return await this.#end({ __proto__: null, do: "abort", why: reasons[name] }, "abort");
    }
    async fulfill(value          = undefined)                {
      const options = optionsOf(value), given = options.response, headers      = { __proto__: null };
      const from = given === undefined ? {} : given.headers(), all = options.headers ?? from, keys = ownKeys(all);
      for (let i = 0; i < keys.length; i++) headers[toLowerCase(keys[i]          )] = domString(all[keys[i]          ]);
      let body                      = "";
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
    async fetch(options          = undefined)               {
      this.#change(options);
      const { url, method, headers } = this.#changes, given      = { __proto__: null, method: method ?? this.#request.method(), headers: copy(this.#request.headers()) };
      if (headers !== undefined) {
        given.headers = {};
        for (let i = 0; i < headers.length; i++) given.headers[headers[i][0]] = headers[i][1];
      }
      const data = optionsOf(options).postData ?? this.#request.postDataBuffer();
      if (data !== null) given.data = data;
      return await (this.#page.context.handle       ).request.fetch(url ?? this.#request.url(), given);
    }
    /** Has the next rule decide. */
    static async next(route       )                {
      for (;;) {
        const rule = route.#rules.length > 0 ? route.#rules[0] : undefined;
        if (rule === undefined) return await route.continue();
        const rest         = list();
        for (let i = 1; i < route.#rules.length; i++) push(rest, route.#rules[i]);
        route.#rules = rest;
        try {
          if (rule.left <= 0 || !rule.matches(route.#request.url())) continue;
          rule.left--;
          const args            = list();
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
  const names = (object        )         => {
    let all = "";
    const keys = ownKeys(object);
    for (let i = 0; i < keys.length; i++) all += (all === "" ? "" : ", ") + String(keys[i]);
    return all;
  };

  /** Rules of a page or of all, the last one first. */
  class Rules {
    all         = list();
    add(pattern         , handler         , options     )       {
      if (typeof handler !== "function") throw new TypeError("a route has a function that is called with it");
      const rules         = list();
      push(rules, { pattern, matches: addressMatcher(pattern), handler, left: options.times ?? Infinity });
      for (let i = 0; i < this.all.length; i++) push(rules, this.all[i]);
      this.all = rules;
    }
    remove(pattern         , handler         )       {
      const rules         = list();
      for (let i = 0; i < this.all.length; i++) {
        const rule = this.all[i];
        if ((pattern !== undefined && !same(rule.pattern, pattern)) || (handler !== undefined && rule.handler !== handler)) push(rules, rule);
      }
      this.all = rules;
    }
    get size()         {
      return this.all.length;
    }
  }
  const same = (one         , other         )          =>
    one === other || (ops.kind_of(one) === "regexp" && ops.kind_of(other) === "regexp" && intrinsics.regExpSource(one          ) === intrinsics.regExpSource(other          ));

  /** A request waits: the rules of its page, and then those of all, say what becomes of it. */
  function paused(page                  , event     , ofPage       , ofAll       )                {
    const rules         = list();
    for (let i = 0; i < ofPage.all.length; i++) push(rules, ofPage.all[i]);
    for (let i = 0; i < ofAll.all.length; i++) push(rules, ofAll.all[i]);
    return Route.next(new Route(page, event.paused, requestOf(page, event.request), rules));
  }

  const browserNetwork                 = { __proto__: null, answered, network, paused, Rules }                             ;
  return { browserNetwork };
})
