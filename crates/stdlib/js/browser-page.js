// Made of js-runtime/src/browser-page.ts by `cargo xtask generate`.
// page, context and browser: what a call lends, under the names that Playwright has for it.
((ops     , intrinsics            ) => {
  const { asArray, indexOf, list, Map, mapDelete, mapForEach, mapGet, mapSet, Number, ownKeys, promiseResolve, push, slice, String, stringify, toLowerCase, TypeError } = intrinsics;
  const { dictionary, domString, handled, isObject, member } = ops.library_value("webidl");
  const { ask, evaluate, optionsOf, listed, markdown, milliseconds, screenshot, snapshot, writeTo }                  = ops.library_value("browserLocators");
  const { Document, addressMatcher, frameOf, framesOf, go, where }                = ops.library_value("browserFrames");
  const { answered, network, paused, Rules }                 = ops.library_value("browserNetwork");
  const { answerCall, bind, ConsoleMessage, Dialog, Download, Emitter, Exposed, FileChooser, pageError, refresh }                = ops.library_value("browserEvents");

  const none = ()        => list();
  const lists = (value         )          => value === undefined || intrinsics.isArray(value);
  /** What Playwright has and this has not says so, and what there is instead. */
  function missing(prototype        , what        , names                                     )       {
    const all = ownKeys(names);
    for (let i = 0; i < all.length; i++) {
      const name = all[i]          , instead = (names       )[name];
      const value = () => {
        throw new TypeError(what + "." + name + " is not there" + (instead === "" ? "" : ": " + instead));
      };
      intrinsics.defineProperty(prototype, name, { __proto__: null, value, writable: true, configurable: true }                      );
    }
  }

  /** Those of a context are made when they are used first. */
  function requestOf(context                     )          {
    if (context.request === undefined) context.request = new (ops.library_value("browserRequests")                   ).APIRequestContext(context);
    return context.request;
  }

  const words = (text        )           => {
    const all           = list();
    for (let from = 0; from < text.length; ) {
      const end = indexOf(text, " ", from), to = end < 0 ? text.length : end;
      push(all, slice(text, from, to));
      from = to + 1;
    }
    return all;
  };
  const PAGE_EVENTS = words(
    "close console crash dialog domcontentloaded download filechooser frameattached framedetached framenavigated load pageerror popup request requestfailed requestfinished response",
  );
  const CONTEXT_EVENTS = words("close console dialog page request requestfailed requestfinished response weberror");

  const pairOf = (name        , value         )            => {
    const pair            = list();
    push(pair, name);
    push(pair, domString(value));
    return pair;
  };
  function headerPairs(headers         )            {
    if (!isObject(headers)) throw new TypeError("headers are an object of texts");
    const pairs            = list(), names = ownKeys(headers), checked = new (ops.library_value("Headers")       )();
    for (let i = 0; i < names.length; i++) {
      const name = names[i]          ;
      // Those that a browser writes itself, and refuses each request with.
      if (indexOf(" connection content-length cookie host keep-alive te trailer transfer-encoding upgrade ", " " + toLowerCase(name) + " ") >= 0) throw new TypeError("the header " + name + " is the browser's own" + (toLowerCase(name) === "cookie" ? ": context.addCookies sets cookies" : ""));
      const pair = pairOf(name, member(headers, name));
      checked.set(name, pair[1]);
      push(pairs, pair);
    }
    return pairs;
  }
  /** Whether a request or an answer is the one that is waited for. */
  function urlPredicate(pattern         )          {
    if (typeof pattern === "function") return pattern;
    const matches = addressMatcher(pattern);
    return (of     ) => matches(of.url());
  }
  function withPredicate(value         , predicate         )      {
    const { timeout } = optionsOf(value);
    return timeout === undefined ? { __proto__: null, predicate } : { __proto__: null, predicate, timeout };
  }

  class Keyboard {
    #page;                 ;
    constructor(page                  ) {
      this.#page = page;
    }
    async #ask(what        , text         , delay         )                {
      await ask(this.#page, { __proto__: null, do: "keyboard", what, text: domString(text), delay: delay ?? 0 }, "keyboard." + what);
    }
    async press(key         , options          = undefined)                {
      return await this.#ask("press", key, optionsOf(options).delay);
    }
    async type(text         , options          = undefined)                {
      return await this.#ask("type", text, optionsOf(options).delay);
    }
    async down(key         )                {
      return await this.#ask("down", key, 0);
    }
    async up(key         )                {
      return await this.#ask("up", key, 0);
    }
    async insertText(text         )                {
      return await this.#ask("insert", text, 0);
    }
  }

  class Mouse {
    #page;                 ;
    constructor(page                  ) {
      this.#page = page;
    }
    async #ask(what        , x         , y         , value         , clicks        )                {
      const options = optionsOf(value), across = Number(x), down = Number(y);
      if (across !== across || down !== down) throw new TypeError("a place is two numbers, not " + String(x) + " and " + String(y));
      await ask(this.#page, { __proto__: null, do: "mouse", what, x: across, y: down, button: options.button ?? "left", clicks: options.clickCount ?? clicks }, "mouse." + what);
    }
    async click(x         , y         , options          = undefined)                {
      return await this.#ask("click", x, y, options, 1);
    }
    async dblclick(x         , y         , options          = undefined)                {
      return await this.#ask("click", x, y, options, 2);
    }
    async move(x         , y         )                {
      return await this.#ask("move", x, y, undefined, 0);
    }
    async down(options          = undefined)                {
      return await this.#ask("down", 0, 0, options, 1);
    }
    async up(options          = undefined)                {
      return await this.#ask("up", 0, 0, options, 1);
    }
    async wheel(x         , y         )                {
      return await this.#ask("wheel", x, y, undefined, 0);
    }
  }

  /** What a page's site has stored. */
  class WebStorage {
    #state;                 ;
    #name;       ;
    constructor(state                  , name        ) {
      this.#state = state;
      this.#name = name;
    }
    async #ask(verb        , code        , ...texts           )               {
      return await evaluate(this.#state, none(), "(given) => { const stored = " + this.#name + "; " + code + " }", asArray(listed(texts, domString)), { __proto__: null }, "page." + this.#name + "." + verb, false);
    }
    async items()                 {
      return await this.#ask("items", "return Object.keys(stored).map((name) => ({ name, value: stored.getItem(name) }))");
    }
    async getItem(name         )                         {
      return await this.#ask("getItem", "return stored.getItem(...given)", name);
    }
    async setItem(name         , value         )                {
      await this.#ask("setItem", "stored.setItem(...given)", name, value);
    }
    async removeItem(name         )                {
      await this.#ask("removeItem", "stored.removeItem(...given)", name);
    }
    async clear()                {
      await this.#ask("clear", "stored.clear()");
    }
  }

  class Page extends Document {
    #state;                 ;
    ;        #events = new Emitter(PAGE_EVENTS, "a page");
    ;        #rules = new Rules();
    ;        #exposed = new Exposed();
    ;        keyboard;         ;
    ;        mouse;      ;
    ;        localStorage;           ;
    ;        sessionStorage;           ;
    constructor(state                  ) {
      super(state, "page");
      this.#state = state;
      this.keyboard = new Keyboard(state);
      this.mouse = new Mouse(state);
      this.localStorage = new WebStorage(state, "localStorage");
      this.sessionStorage = new WebStorage(state, "sessionStorage");
    }
    static stateOf(page         )                               {
      return isObject(page) && #state in page ? (page        ).#state : undefined;
    }
    static eventsOf(page      )                 {
      return page.#events;
    }
    static rulesOf(page      )               {
      return page.#rules;
    }
    static exposedOf(page      )                 {
      return page.#exposed;
    }
    #look()      {
      return where(this.#state);
    }

    // -- where it is
    async reload(options          = undefined)               {
      return await go(this.#state, { __proto__: null, do: "reload" }, optionsOf(options), "page.reload");
    }
    async goBack(options          = undefined)               {
      return await go(this.#state, { __proto__: null, do: "history", by: -1 }, optionsOf(options), "page.goBack");
    }
    async goForward(options          = undefined)               {
      return await go(this.#state, { __proto__: null, do: "history", by: 1 }, optionsOf(options), "page.goForward");
    }

    // -- frames
    mainFrame()          {
      return framesOf(this.#state, (frame) => frame.parent === null)[0];
    }
    frames()            {
      return framesOf(this.#state, () => true);
    }
    frame(value         )          {
      const options = isObject(value) && ops.kind_of(value) !== "regexp" ? optionsOf(value) : { __proto__: null, name: value }       ;
      if (options.name === undefined && options.url === undefined) throw new TypeError("a frame is looked for by its name or its url");
      const matches = options.url === undefined ? () => true : addressMatcher(options.url);
      const name = options.name === undefined ? undefined : domString(options.name);
      return framesOf(this.#state, (frame) => (name === undefined || frame.name === name) && matches(frame.url))[0] ?? null;
    }

    // -- what it does by itself
    on(event         , listener         )       {
      this.#events.add(event, listener, false);
      return this;
    }
    once(event         , listener         )       {
      this.#events.add(event, listener, true);
      return this;
    }
    off(event         , listener         )       {
      this.#events.remove(event, listener);
      return this;
    }
    addListener(event         , listener         )       {
      return this.on(event, listener);
    }
    removeListener(event         , listener         )       {
      return this.off(event, listener);
    }
    removeAllListeners(event          = undefined)       {
      this.#events.clear(event);
      return this;
    }
    async waitForEvent(event         , options          = undefined)               {
      return await this.#events.wait(event, this.#state, options, "page.waitForEvent");
    }
    async waitForRequest(pattern         , options          = undefined)               {
      return await this.#events.wait("request", this.#state, withPredicate(options, urlPredicate(pattern)), "page.waitForRequest");
    }
    async waitForResponse(pattern         , options          = undefined)               {
      return await this.#events.wait("response", this.#state, withPredicate(options, urlPredicate(pattern)), "page.waitForResponse");
    }
    async consoleMessages()                     {
      const said        = await ask(this.#state, { __proto__: null, do: "said", what: "console" }, "page.consoleMessages"), made            = list();
      for (let i = 0; i < said.length; i++) push(made, new ConsoleMessage(this.#state, said[i]));
      return asArray(made);
    }
    async pageErrors()                     {
      const said        = await ask(this.#state, { __proto__: null, do: "said", what: "errors" }, "page.pageErrors"), made            = list();
      for (let i = 0; i < said.length; i++) push(made, pageError(said[i]));
      return asArray(made);
    }

    // -- what it asks the network for
    async route(pattern         , handler         , options          = undefined)                {
      this.#rules.add(pattern, handler, optionsOf(options));
      refresh();
    }
    async unroute(pattern         , handler          = undefined)                {
      this.#rules.remove(pattern, handler);
      refresh();
    }
    async unrouteAll()                {
      this.#rules.remove(undefined, undefined);
      refresh();
    }
    async setExtraHTTPHeaders(headers         )                {
      await ask(this.#state, { __proto__: null, do: "emulate", what: { __proto__: null, is: "headers", headers: headerPairs(headers) } }, "page.setExtraHTTPHeaders");
    }
    async emulateMedia(value          = undefined)                {
      const options = optionsOf(value), media = this.#media;
      const names = asArray        (none()       );
      push(names, "colorScheme"), push(names, "reducedMotion"), push(names, "forcedColors"), push(names, "contrast"), push(names, "media");
      for (let i = 0; i < names.length; i++) if (options[names[i]] !== undefined) media[names[i]] = options[names[i]];
      const features        = list();
      const feature = (name        , of         ) => {
        if (of !== undefined && of !== null) push(features, pairOf(name, of));
      };
      feature("prefers-color-scheme", media.colorScheme);
      feature("prefers-reduced-motion", media.reducedMotion);
      feature("forced-colors", media.forcedColors);
      feature("prefers-contrast", media.contrast);
      await ask(this.#state, { __proto__: null, do: "emulate", what: { __proto__: null, is: "media", media: media.media ?? null, features } }, "page.emulateMedia");
    }
    ;        #media      = { __proto__: null };
    async bringToFront()                {
      await ask(this.#state, { __proto__: null, do: "front" }, "page.bringToFront");
    }
    async opener()                   {
      return this.#state.opener === undefined || where({ ...this.#state, id: this.#state.opener, frame: undefined }) === undefined ? null : pageOf(this.#state.generation, this.#state.opener);
    }

    // -- the page as a whole
    async snapshot(options          = undefined)                  {
      return await snapshot(this.#state, none(), options);
    }
    async screenshot(options          = undefined)                      {
      return await screenshot(this.#state, none(), optionsOf(options), "page.screenshot");
    }
    async pdf(value          = undefined)                      {
      const options = optionsOf(value);
      const bytes             = await ask(this.#state, { __proto__: null, do: "pdf", landscape: options.landscape === true, background: options.printBackground === true }, "page.pdf");
      await writeTo(options.path, bytes);
      return (ops.library_value("buffers")           ).wrap(bytes);
    }
    viewportSize()      {
      const viewport = this.#look()?.viewport;
      return viewport ? { width: viewport[0], height: viewport[1] } : null;
    }
    async setViewportSize(size         )                {
      if (!isObject(size)) throw new TypeError("a viewport is { width, height }");
      await ask(this.#state, { __proto__: null, do: "viewport", width: member(size, "width"), height: member(size, "height") }, "page.setViewportSize");
    }
    async exposeFunction(name         , callback         )                {
      await this.#exposed.add(name, callback, "page.exposeFunction", (action) => ask(this.#state, action, "page.exposeFunction"));
    }
    async addInitScript(script         , argument          = undefined)                {
      const text = typeof script === "function" ? "(" + intrinsics.functionToString(script) + ")(" + (argument === undefined ? "" : stringify(argument)) + ")" : domString(script);
      await ask(this.#state, { __proto__: null, do: "initScript", source: text }, "page.addInitScript");
    }
    setDefaultTimeout(time         )       {
      this.#state.timeout = milliseconds(time, "a timeout");
    }
    setDefaultNavigationTimeout(time         )       {
      this.#state.navigationTimeout = milliseconds(time, "a timeout");
    }
    isClosed()          {
      return this.#look() === undefined;
    }
    async close()                {
      if (!this.isClosed()) await ask(this.#state, { __proto__: null, do: "close" }, "page.close");
    }
    context()          {
      return this.#state.context.handle;
    }
    get request()          {
      return requestOf(this.#state.context);
    }
    async markdown(value          = undefined)                  {
      return await markdown(this.#state, none(), value);
    }
    toString()         {
      return "Page at " + this.url();
    }
  }

  class BrowserContext {
    #state;                    ;
    ;        #events = new Emitter(CONTEXT_EVENTS, "a context");
    ;        #rules = new Rules();
    ;        #exposed = new Exposed();
    constructor(state                     ) {
      this.#state = state;
    }
    static eventsOf(context                )                 {
      return context.#events;
    }
    static exposedOf(context                )                 {
      return context.#exposed;
    }
    static rulesOf(context                )               {
      return context.#rules;
    }
    on(event         , listener         )       {
      this.#events.add(event, listener, false);
      return this;
    }
    once(event         , listener         )       {
      this.#events.add(event, listener, true);
      return this;
    }
    off(event         , listener         )       {
      this.#events.remove(event, listener);
      return this;
    }
    addListener(event         , listener         )       {
      return this.on(event, listener);
    }
    removeListener(event         , listener         )       {
      return this.off(event, listener);
    }
    removeAllListeners(event          = undefined)       {
      this.#events.clear(event);
      return this;
    }
    async waitForEvent(event         , options          = undefined)               {
      return await this.#events.wait(event, { id: 0, generation: this.#state.generation, context: this.#state }, options, "context.waitForEvent");
    }
    async route(pattern         , handler         , options          = undefined)                {
      this.#rules.add(pattern, handler, optionsOf(options));
      refresh();
    }
    async unroute(pattern         , handler          = undefined)                {
      this.#rules.remove(pattern, handler);
      refresh();
    }
    async unrouteAll()                {
      this.#rules.remove(undefined, undefined);
      refresh();
    }
    async #emulate(what     , called        )                {
      what.__proto__ = null;
      await this.#ask({ __proto__: null, do: "emulate", what }, "context." + called);
    }
    async setExtraHTTPHeaders(headers         )                {
      const pairs = headerPairs(headers);
      await this.#emulate({ is: "headers", headers: pairs }, "setExtraHTTPHeaders");
      this.#state.headers = headers;
    }
    async setGeolocation(place         )                {
      const given = place === null || place === undefined ? null : optionsOf(place);
      if (given !== null) {
        const within = (name        , most        )       => {
          const value = given[name];
          if (typeof value !== "number" || !(value >= -most && value <= most)) throw new TypeError("context.setGeolocation: " + name + " is a number from -" + String(most) + " to " + String(most) + ", not " + String(value));
        };
        within("latitude", 90);
        within("longitude", 180);
        if (given.accuracy !== undefined && !(given.accuracy >= 0)) throw new TypeError("context.setGeolocation: accuracy is a number of metres, not " + String(given.accuracy));
      }
      return await this.#emulate({ is: "geolocation", place: given === null ? null : { __proto__: null, latitude: given.latitude, longitude: given.longitude, accuracy: given.accuracy ?? 0 } }, "setGeolocation");
    }
    async grantPermissions(permissions         , options          = undefined)                {
      const { origin } = optionsOf(options);
      return await this.#emulate({ is: "permissions", names: listed(permissions, domString), origin: origin === undefined ? null : domString(origin) }, "grantPermissions");
    }
    async clearPermissions()                {
      return await this.#emulate({ is: "permissions", names: null, origin: null }, "clearPermissions");
    }
    async setOffline(offline         )                {
      if (typeof offline !== "boolean") throw new TypeError("context.setOffline: true or false is wanted, not " + String(offline));
      return await this.#emulate({ is: "offline", offline }, "setOffline");
    }
    /** What servers are shown that ask who it is. */
    async setHTTPCredentials(credentials         )                {
      const given = credentials === null || credentials === undefined ? none() : listed(credentials, (each) => {
        const { username, password, origin } = dictionary(each, "credentials");
        if (typeof username !== "string" || typeof password !== "string") throw new TypeError("context.setHTTPCredentials: { username, password } is wanted, two texts");
        return { __proto__: null, username, password, origin: origin === undefined ? null : (new (ops.library_value("URL")       )(domString(origin))       ).origin };
      });
      await this.#emulate({ is: "credentials", credentials: asArray(given) }, "setHTTPCredentials");
    }
    /** Cookies and local storage: of the pages that are open, and as a file too. */
    async storageState(value          = undefined)               {
      const options = optionsOf(value), cookies = await this.cookies();
      const stored        = await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "localStorage" } }, "context.storageState"), origins        = list();
      for (let i = 0; i < stored.length; i++) {
        const localStorage        = list(), { items } = stored[i];
        for (let j = 0; j < items.length; j++) push(localStorage, { name: items[j][0], value: items[j][1] });
        push(origins, { origin: stored[i].origin, localStorage: asArray(localStorage) });
      }
      const state = { cookies, origins: asArray(origins) };
      if (options.path !== undefined) await ops.library_value("fs").writeFile(options.path, stringify(state));
      return state;
    }
    async setStorageState(value         )                {
      if (typeof value !== "string" && !isObject(value)) throw new TypeError("context.setStorageState: what storageState has given is wanted, or the path of a file with it");
      const state      = typeof value === "string" ? intrinsics.parse(await ops.library_value("fs").readFile(value, "utf8")) : intrinsics.parse(stringify(value));
      if (typeof state !== "object" || state === null || !lists((state       ).cookies) || !lists((state       ).origins)) throw new TypeError("context.setStorageState: it has { cookies: [], origins: [] }");
      await this.clearCookies();
      if (state.cookies !== undefined) await this.addCookies(state.cookies);
      const origins        = list(), given = state.origins ?? list();
      for (let i = 0; i < given.length; i++) {
        const items        = list(), { localStorage } = given[i];
        for (let j = 0; j < localStorage.length; j++) push(items, pairOf(domString(localStorage[j].name), localStorage[j].value));
        push(origins, { __proto__: null, origin: domString(given[i].origin), items });
      }
      await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "setLocalStorage", origins } }, "context.setStorageState");
    }
    async close()                {
      throw new TypeError("context.close: a session has one context, which closes with it");
    }
    async #ask(action     , what        )               {
      // Of no page in particular.
      return await ask({ id: 0, generation: this.#state.generation, context: this.#state }, action, what);
    }
    pages()            {
      const { generation, pages } = ops.browser_look(), open            = list();
      if (generation === this.#state.generation) for (let i = 0; i < pages.length; i++) push(open, pageOf(generation, pages[i].id));
      return asArray(open);
    }
    async newPage()                   {
      const id = await this.#ask({ __proto__: null, do: "newPage" }, "context.newPage");
      return await promiseResolve(pageOf(this.#state.generation, id));
    }
    async cookies(urls          = undefined)                 {
      const wanted = urls === undefined ? none() : listed(urls, domString);
      const told        = await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "cookies", urls: wanted } }, "context.cookies"), made        = list();
      for (let i = 0; i < told.length; i++) {
        const { name, value, domain, path, expires, httpOnly, secure, sameSite } = told[i];
        push(made, { name, value, domain, path, expires, httpOnly, secure, sameSite: sameSite ?? "Lax" });
      }
      return asArray(made);
    }
    async addCookies(cookies         )                {
      const given = listed(cookies, (cookie) => intrinsics.parse(stringify(cookie)));
      await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "addCookies", cookies: given } }, "context.addCookies");
    }
    async clearCookies(value          = undefined)                {
      const options = optionsOf(value), kept        = list();
      if (options.name !== undefined || options.domain !== undefined || options.path !== undefined) {
        const all = await this.cookies();
        const is = (wanted         , given        )          => wanted === undefined || (ops.kind_of(wanted) === "regexp" ? addressMatcher(wanted)(given) === true : wanted === given);
        for (let i = 0; i < all.length; i++) if (!(is(options.name, all[i].name) && is(options.domain, all[i].domain) && is(options.path, all[i].path))) push(kept, all[i]);
      }
      await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "clearCookies" } }, "context.clearCookies");
      if (kept.length > 0) await this.addCookies(asArray(kept));
    }
    async exposeFunction(name         , callback         )                {
      await this.#exposed.add(name, callback, "context.exposeFunction", (action) => this.#ask(action, "context.exposeFunction"));
    }
    async addInitScript(script         , argument          = undefined)                {
      const page = pageOf(this.#state.generation, 0)       ;
      await page.addInitScript(script, argument);
    }
    setDefaultTimeout(time         )       {
      this.#state.timeout = milliseconds(time, "a timeout");
    }
    setDefaultNavigationTimeout(time         )       {
      this.#state.navigationTimeout = milliseconds(time, "a timeout");
    }
    browser()          {
      return handleOf(this.#state.generation).browser;
    }
    get request()          {
      return requestOf(this.#state);
    }
  }

  class Browser {
    #generation;       ;
    constructor(generation        ) {
      this.#generation = generation;
    }
    contexts()            {
      const contexts            = list();
      if (this.isConnected()) push(contexts, handleOf(this.#generation).context.handle);
      return asArray(contexts);
    }
    async newContext()                 {
      throw new TypeError("browser.newContext: a session has one context. Another one is another session's; `context.newPage()` opens a page");
    }
    version()         {
      return ops.browser_look().version ?? "";
    }
    isConnected()          {
      return ops.browser_look().generation === this.#generation;
    }
  }

  const EXPOSE = "exposeFunction(name, callback)";
  missing(Page.prototype, "page", {
    ariaSnapshot: "page.snapshot() is the page as text", exposeBinding: EXPOSE, pause: "", routeFromHAR: "page.route(url, (route) => route.fulfill({ … }))", routeWebSocket: "", video: "",
    waitForNavigation: "page.waitForURL(url)", workers: "",
  });
  missing(BrowserContext.prototype, "context", { exposeBinding: EXPOSE, newCDPSession: "", routeFromHAR: "context.route(url, (route) => route.fulfill({ … }))" });
  missing(Download.prototype, "download", { createReadStream: "download.bytes()", path: "download.saveAs(path) writes it to the session's files" });

  // ---- handles: those of the browser that the run was lent ----------------------------------------------------------------------------

  ;





  let current                    ;
  function handleOf(generation        )         {
    if (current === undefined || current.generation !== generation) {
      const context                      = { generation };
      context.handle = new BrowserContext(context);
      current = { generation, context, browser: new Browser(generation), pages: new Map() };
    }
    return current;
  }
  function pageOf(generation        , id        )          {
    const handle = handleOf(generation), known = mapGet(handle.pages, id);
    if (known !== undefined) return known;
    const state                   = { id, generation, context: handle.context, answered };
    state.handle = new Page(state);
    mapSet(handle.pages, id, state.handle);
    return state.handle;
  }
  // ---- what happens by itself -------------------------------------------------------------------------------------------------------

  const FRAME_EVENTS = { __proto__: null, frameAttached: "frameattached", frameNavigated: "framenavigated", frameDetached: "framedetached" }       ;

  /** Tells the listeners of a page, and of the context, what has happened. */
  function dispatch(event     )       {
    // Of the browser that was listened to, which may be gone by now.
    const handle = current ?? handleOf(generationNow()), page = pageOf(handle.generation, event.page)        , state = Page.stateOf(page) ;
    const events = Page.eventsOf(page), all = BrowserContext.eventsOf(handle.context.handle                  );
    const both = (name        , value         )       => {
      events.emit(name, value);
      all.emit(name, value);
    };
    switch (event.is) {
      case "opened":
        state.opener = event.opener ?? undefined;
        if (state.opener !== undefined) Page.eventsOf(pageOf(handle.generation, state.opener)        ).emit("popup", page);
        return void all.emit("page", page);
      case "closed":
        events.emit("close", page);
        events.clear(undefined);
        return void mapDelete(handle.pages, event.page);
      case "crashed":
        return void events.emit("crash", page);
      case "parsed":
        return void events.emit("domcontentloaded", page);
      case "loaded":
        return void events.emit("load", page);
      case "console":
        return both("console", new ConsoleMessage(state, event));
      case "error": {
        const error = pageError(event);
        events.emit("pageerror", error);
        return void all.emit("weberror", { error: () => error, page: () => page });
      }
      case "dialog": {
        const dialog = new Dialog(state, event);
        const isHeard = events.emit("dialog", dialog);
        if (!all.emit("dialog", dialog) && !isHeard) handled(dialog.dismiss());
        return;
      }
      case "fileChooser":
        return void events.emit("filechooser", new FileChooser(state, event));
      case "download":
        return void events.emit("download", new Download(state, event));
      case "paused":
        return void paused(state, event, Page.rulesOf(page), BrowserContext.rulesOf(handle.context.handle                  ));
      case "called": {
        const frame                   = { id: state.id, generation: state.generation, context: state.context, frame: event.frame, owner: state }, all                   = list();
        push(all, Page.exposedOf(page));
        push(all, BrowserContext.exposedOf(handle.context.handle                  ));
        return void answerCall(frame, event.call, all);
      }
      case "request":
      case "response":
      case "finished":
      case "failed":
        return network(state, event, both);
    }
    if (event.is in FRAME_EVENTS) events.emit(FRAME_EVENTS[event.is], frameOf(state, event.frame));
  }
  function routes()         {
    if (current === undefined) return 0;
    let count = BrowserContext.rulesOf(current.context.handle                  ).size;
    mapForEach(current.pages, (page) => void (count += Page.rulesOf(page        ).size));
    return count;
  }
  function exposed()         {
    if (current === undefined) return 0;
    let count = BrowserContext.exposedOf(current.context.handle                  ).size;
    mapForEach(current.pages, (page) => void (count += Page.exposedOf(page        ).size));
    return count;
  }
  bind(dispatch, routes, exposed);

  const generationNow = ()         => ops.browser_look().generation;
  function firstPage()          {
    const { generation, pages } = ops.browser_look();
    return pageOf(generation, pages.length > 0 ? pages[0].id : 1);
  }
  const context = ()          => handleOf(generationNow()).context.handle;
  const browser = ()          => handleOf(generationNow()).browser;

  const browserPages               = { stateOf: Page.stateOf };
  return {
    get page() { return firstPage(); },
    get context() { return context(); },
    get browser() { return browser(); },
    get request() { return requestOf(handleOf(generationNow()).context); },
    browserPages,
  };
})
