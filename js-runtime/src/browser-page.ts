// page, context and browser: what a call lends, under the names that Playwright has for it.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asArray, indexOf, list, Map, mapDelete, mapForEach, mapGet, mapSet, Number, ownKeys, promiseResolve, push, slice, String, stringify, toLowerCase, TypeError } = intrinsics;
  const { dictionary, domString, handled, isObject, member } = ops.library_value("webidl");
  const { ask, evaluate, optionsOf, listed, markdown, milliseconds, screenshot, snapshot, writeTo }: BrowserLocators = ops.library_value("browserLocators");
  const { Document, addressMatcher, frameOf, framesOf, go, where }: BrowserFrames = ops.library_value("browserFrames");
  const { answered, network, paused, Rules }: BrowserNetwork = ops.library_value("browserNetwork");
  const { answerCall, bind, ConsoleMessage, Dialog, Download, Emitter, Exposed, FileChooser, pageError, refresh }: BrowserEvents = ops.library_value("browserEvents");

  const none = (): any[] => list();
  const lists = (value: unknown): boolean => value === undefined || intrinsics.isArray(value);
  /** What Playwright has and this has not says so, and what there is instead. */
  function missing(prototype: object, what: string, names: { readonly [name: string]: string }): void {
    const all = ownKeys(names);
    for (let i = 0; i < all.length; i++) {
      const name = all[i] as string, instead = (names as any)[name];
      const value = () => {
        throw new TypeError(what + "." + name + " is not there" + (instead === "" ? "" : ": " + instead));
      };
      intrinsics.defineProperty(prototype, name, { __proto__: null, value, writable: true, configurable: true } as PropertyDescriptor);
    }
  }

  /** Those of a context are made when they are used first. */
  function requestOf(context: BrowserContextState): unknown {
    if (context.request === undefined) context.request = new (ops.library_value("browserRequests") as BrowserRequests).APIRequestContext(context);
    return context.request;
  }

  const words = (text: string): string[] => {
    const all: string[] = list();
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

  const pairOf = (name: string, value: unknown): unknown[] => {
    const pair: unknown[] = list();
    push(pair, name);
    push(pair, domString(value));
    return pair;
  };
  function headerPairs(headers: unknown): unknown[] {
    if (!isObject(headers)) throw new TypeError("headers are an object of texts");
    const pairs: unknown[] = list(), names = ownKeys(headers), checked = new (ops.library_value("Headers") as any)();
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      // Those that a browser writes itself, and refuses each request with.
      if (indexOf(" connection content-length cookie host keep-alive te trailer transfer-encoding upgrade ", " " + toLowerCase(name) + " ") >= 0) throw new TypeError("the header " + name + " is the browser's own" + (toLowerCase(name) === "cookie" ? ": context.addCookies sets cookies" : ""));
      const pair = pairOf(name, member(headers, name));
      checked.set(name, pair[1]);
      push(pairs, pair);
    }
    return pairs;
  }
  /** Whether a request or an answer is the one that is waited for. */
  function urlPredicate(pattern: unknown): unknown {
    if (typeof pattern === "function") return pattern;
    const matches = addressMatcher(pattern);
    return (of: any) => matches(of.url());
  }
  function withPredicate(value: unknown, predicate: unknown): any {
    const { timeout } = optionsOf(value);
    return timeout === undefined ? { __proto__: null, predicate } : { __proto__: null, predicate, timeout };
  }

  class Keyboard {
    #page: BrowserPageState;
    constructor(page: BrowserPageState) {
      this.#page = page;
    }
    async #ask(what: string, text: unknown, delay: unknown): Promise<void> {
      await ask(this.#page, { __proto__: null, do: "keyboard", what, text: domString(text), delay: delay ?? 0 }, "keyboard." + what);
    }
    async press(key: unknown, options: unknown = undefined): Promise<void> {
      return await this.#ask("press", key, optionsOf(options).delay);
    }
    async type(text: unknown, options: unknown = undefined): Promise<void> {
      return await this.#ask("type", text, optionsOf(options).delay);
    }
    async down(key: unknown): Promise<void> {
      return await this.#ask("down", key, 0);
    }
    async up(key: unknown): Promise<void> {
      return await this.#ask("up", key, 0);
    }
    async insertText(text: unknown): Promise<void> {
      return await this.#ask("insert", text, 0);
    }
  }

  class Mouse {
    #page: BrowserPageState;
    constructor(page: BrowserPageState) {
      this.#page = page;
    }
    async #ask(what: string, x: unknown, y: unknown, value: unknown, clicks: number): Promise<void> {
      const options = optionsOf(value), across = Number(x), down = Number(y);
      if (across !== across || down !== down) throw new TypeError("a place is two numbers, not " + String(x) + " and " + String(y));
      await ask(this.#page, { __proto__: null, do: "mouse", what, x: across, y: down, button: options.button ?? "left", clicks: options.clickCount ?? clicks }, "mouse." + what);
    }
    async click(x: unknown, y: unknown, options: unknown = undefined): Promise<void> {
      return await this.#ask("click", x, y, options, 1);
    }
    async dblclick(x: unknown, y: unknown, options: unknown = undefined): Promise<void> {
      return await this.#ask("click", x, y, options, 2);
    }
    async move(x: unknown, y: unknown): Promise<void> {
      return await this.#ask("move", x, y, undefined, 0);
    }
    async down(options: unknown = undefined): Promise<void> {
      return await this.#ask("down", 0, 0, options, 1);
    }
    async up(options: unknown = undefined): Promise<void> {
      return await this.#ask("up", 0, 0, options, 1);
    }
    async wheel(x: unknown, y: unknown): Promise<void> {
      return await this.#ask("wheel", x, y, undefined, 0);
    }
  }

  /** What a page's site has stored. */
  class WebStorage {
    #state: BrowserPageState;
    #name: string;
    constructor(state: BrowserPageState, name: string) {
      this.#state = state;
      this.#name = name;
    }
    async #ask(verb: string, code: string, ...texts: unknown[]): Promise<any> {
      return await evaluate(this.#state, none(), "(given) => { const stored = " + this.#name + "; " + code + " }", asArray(listed(texts, domString)), { __proto__: null }, "page." + this.#name + "." + verb, false);
    }
    async items(): Promise<any[]> {
      return await this.#ask("items", "return Object.keys(stored).map((name) => ({ name, value: stored.getItem(name) }))");
    }
    async getItem(name: unknown): Promise<string | null> {
      return await this.#ask("getItem", "return stored.getItem(...given)", name);
    }
    async setItem(name: unknown, value: unknown): Promise<void> {
      await this.#ask("setItem", "stored.setItem(...given)", name, value);
    }
    async removeItem(name: unknown): Promise<void> {
      await this.#ask("removeItem", "stored.removeItem(...given)", name);
    }
    async clear(): Promise<void> {
      await this.#ask("clear", "stored.clear()");
    }
  }

  class Page extends Document {
    #state: BrowserPageState;
    readonly #events = new Emitter(PAGE_EVENTS, "a page");
    readonly #rules = new Rules();
    readonly #exposed = new Exposed();
    readonly keyboard: Keyboard;
    readonly mouse: Mouse;
    readonly localStorage: WebStorage;
    readonly sessionStorage: WebStorage;
    constructor(state: BrowserPageState) {
      super(state, "page");
      this.#state = state;
      this.keyboard = new Keyboard(state);
      this.mouse = new Mouse(state);
      this.localStorage = new WebStorage(state, "localStorage");
      this.sessionStorage = new WebStorage(state, "sessionStorage");
    }
    static stateOf(page: unknown): BrowserPageState | undefined {
      return isObject(page) && #state in page ? (page as Page).#state : undefined;
    }
    static eventsOf(page: Page): BrowserEmitter {
      return page.#events;
    }
    static rulesOf(page: Page): BrowserRules {
      return page.#rules;
    }
    static exposedOf(page: Page): BrowserExposed {
      return page.#exposed;
    }
    #look(): any {
      return where(this.#state);
    }

    // -- where it is
    async reload(options: unknown = undefined): Promise<any> {
      return await go(this.#state, { __proto__: null, do: "reload" }, optionsOf(options), "page.reload");
    }
    async goBack(options: unknown = undefined): Promise<any> {
      return await go(this.#state, { __proto__: null, do: "history", by: -1 }, optionsOf(options), "page.goBack");
    }
    async goForward(options: unknown = undefined): Promise<any> {
      return await go(this.#state, { __proto__: null, do: "history", by: 1 }, optionsOf(options), "page.goForward");
    }

    // -- frames
    mainFrame(): unknown {
      return framesOf(this.#state, (frame) => frame.parent === null)[0];
    }
    frames(): unknown[] {
      return framesOf(this.#state, () => true);
    }
    frame(value: unknown): unknown {
      const options = isObject(value) && ops.kind_of(value) !== "regexp" ? optionsOf(value) : { __proto__: null, name: value } as any;
      if (options.name === undefined && options.url === undefined) throw new TypeError("a frame is looked for by its name or its url");
      const matches = options.url === undefined ? () => true : addressMatcher(options.url);
      const name = options.name === undefined ? undefined : domString(options.name);
      return framesOf(this.#state, (frame) => (name === undefined || frame.name === name) && matches(frame.url))[0] ?? null;
    }

    // -- what it does by itself
    on(event: unknown, listener: unknown): this {
      this.#events.add(event, listener, false);
      return this;
    }
    once(event: unknown, listener: unknown): this {
      this.#events.add(event, listener, true);
      return this;
    }
    off(event: unknown, listener: unknown): this {
      this.#events.remove(event, listener);
      return this;
    }
    addListener(event: unknown, listener: unknown): this {
      return this.on(event, listener);
    }
    removeListener(event: unknown, listener: unknown): this {
      return this.off(event, listener);
    }
    removeAllListeners(event: unknown = undefined): this {
      this.#events.clear(event);
      return this;
    }
    async waitForEvent(event: unknown, options: unknown = undefined): Promise<any> {
      return await this.#events.wait(event, this.#state, options, "page.waitForEvent");
    }
    async waitForRequest(pattern: unknown, options: unknown = undefined): Promise<any> {
      return await this.#events.wait("request", this.#state, withPredicate(options, urlPredicate(pattern)), "page.waitForRequest");
    }
    async waitForResponse(pattern: unknown, options: unknown = undefined): Promise<any> {
      return await this.#events.wait("response", this.#state, withPredicate(options, urlPredicate(pattern)), "page.waitForResponse");
    }
    async consoleMessages(): Promise<unknown[]> {
      const said: any[] = await ask(this.#state, { __proto__: null, do: "said", what: "console" }, "page.consoleMessages"), made: unknown[] = list();
      for (let i = 0; i < said.length; i++) push(made, new ConsoleMessage(this.#state, said[i]));
      return asArray(made);
    }
    async pageErrors(): Promise<unknown[]> {
      const said: any[] = await ask(this.#state, { __proto__: null, do: "said", what: "errors" }, "page.pageErrors"), made: unknown[] = list();
      for (let i = 0; i < said.length; i++) push(made, pageError(said[i]));
      return asArray(made);
    }

    // -- what it asks the network for
    async route(pattern: unknown, handler: unknown, options: unknown = undefined): Promise<void> {
      this.#rules.add(pattern, handler, optionsOf(options));
      refresh();
    }
    async unroute(pattern: unknown, handler: unknown = undefined): Promise<void> {
      this.#rules.remove(pattern, handler);
      refresh();
    }
    async unrouteAll(): Promise<void> {
      this.#rules.remove(undefined, undefined);
      refresh();
    }
    async setExtraHTTPHeaders(headers: unknown): Promise<void> {
      await ask(this.#state, { __proto__: null, do: "emulate", what: { __proto__: null, is: "headers", headers: headerPairs(headers) } }, "page.setExtraHTTPHeaders");
    }
    async emulateMedia(value: unknown = undefined): Promise<void> {
      const options = optionsOf(value), media = this.#media;
      const names = asArray<string>(none() as any);
      push(names, "colorScheme"), push(names, "reducedMotion"), push(names, "forcedColors"), push(names, "contrast"), push(names, "media");
      for (let i = 0; i < names.length; i++) if (options[names[i]] !== undefined) media[names[i]] = options[names[i]];
      const features: any[] = list();
      const feature = (name: string, of: unknown) => {
        if (of !== undefined && of !== null) push(features, pairOf(name, of));
      };
      feature("prefers-color-scheme", media.colorScheme);
      feature("prefers-reduced-motion", media.reducedMotion);
      feature("forced-colors", media.forcedColors);
      feature("prefers-contrast", media.contrast);
      await ask(this.#state, { __proto__: null, do: "emulate", what: { __proto__: null, is: "media", media: media.media ?? null, features } }, "page.emulateMedia");
    }
    readonly #media: any = { __proto__: null };
    async bringToFront(): Promise<void> {
      await ask(this.#state, { __proto__: null, do: "front" }, "page.bringToFront");
    }
    async opener(): Promise<unknown> {
      return this.#state.opener === undefined || where({ ...this.#state, id: this.#state.opener, frame: undefined }) === undefined ? null : pageOf(this.#state.generation, this.#state.opener);
    }

    // -- the page as a whole
    async snapshot(options: unknown = undefined): Promise<string> {
      return await snapshot(this.#state, none(), options);
    }
    async screenshot(options: unknown = undefined): Promise<Uint8Array> {
      return await screenshot(this.#state, none(), optionsOf(options), "page.screenshot");
    }
    async pdf(value: unknown = undefined): Promise<Uint8Array> {
      const options = optionsOf(value);
      const bytes: Uint8Array = await ask(this.#state, { __proto__: null, do: "pdf", landscape: options.landscape === true, background: options.printBackground === true }, "page.pdf");
      await writeTo(options.path, bytes);
      return (ops.library_value("buffers") as Buffers).wrap(bytes);
    }
    viewportSize(): any {
      const viewport = this.#look()?.viewport;
      return viewport ? { width: viewport[0], height: viewport[1] } : null;
    }
    async setViewportSize(size: unknown): Promise<void> {
      if (!isObject(size)) throw new TypeError("a viewport is { width, height }");
      await ask(this.#state, { __proto__: null, do: "viewport", width: member(size, "width"), height: member(size, "height") }, "page.setViewportSize");
    }
    async exposeFunction(name: unknown, callback: unknown): Promise<void> {
      await this.#exposed.add(name, callback, "page.exposeFunction", (action) => ask(this.#state, action, "page.exposeFunction"));
    }
    async addInitScript(script: unknown, argument: unknown = undefined): Promise<void> {
      const text = typeof script === "function" ? "(" + intrinsics.functionToString(script) + ")(" + (argument === undefined ? "" : stringify(argument)) + ")" : domString(script);
      await ask(this.#state, { __proto__: null, do: "initScript", source: text }, "page.addInitScript");
    }
    setDefaultTimeout(time: unknown): void {
      this.#state.timeout = milliseconds(time, "a timeout");
    }
    setDefaultNavigationTimeout(time: unknown): void {
      this.#state.navigationTimeout = milliseconds(time, "a timeout");
    }
    isClosed(): boolean {
      return this.#look() === undefined;
    }
    async close(): Promise<void> {
      if (!this.isClosed()) await ask(this.#state, { __proto__: null, do: "close" }, "page.close");
    }
    context(): unknown {
      return this.#state.context.handle;
    }
    get request(): unknown {
      return requestOf(this.#state.context);
    }
    async markdown(value: unknown = undefined): Promise<string> {
      return await markdown(this.#state, none(), value);
    }
    toString(): string {
      return "Page at " + this.url();
    }
  }

  class BrowserContext {
    #state: BrowserContextState;
    readonly #events = new Emitter(CONTEXT_EVENTS, "a context");
    readonly #rules = new Rules();
    readonly #exposed = new Exposed();
    constructor(state: BrowserContextState) {
      this.#state = state;
    }
    static eventsOf(context: BrowserContext): BrowserEmitter {
      return context.#events;
    }
    static exposedOf(context: BrowserContext): BrowserExposed {
      return context.#exposed;
    }
    static rulesOf(context: BrowserContext): BrowserRules {
      return context.#rules;
    }
    on(event: unknown, listener: unknown): this {
      this.#events.add(event, listener, false);
      return this;
    }
    once(event: unknown, listener: unknown): this {
      this.#events.add(event, listener, true);
      return this;
    }
    off(event: unknown, listener: unknown): this {
      this.#events.remove(event, listener);
      return this;
    }
    addListener(event: unknown, listener: unknown): this {
      return this.on(event, listener);
    }
    removeListener(event: unknown, listener: unknown): this {
      return this.off(event, listener);
    }
    removeAllListeners(event: unknown = undefined): this {
      this.#events.clear(event);
      return this;
    }
    async waitForEvent(event: unknown, options: unknown = undefined): Promise<any> {
      return await this.#events.wait(event, { id: 0, generation: this.#state.generation, context: this.#state }, options, "context.waitForEvent");
    }
    async route(pattern: unknown, handler: unknown, options: unknown = undefined): Promise<void> {
      this.#rules.add(pattern, handler, optionsOf(options));
      refresh();
    }
    async unroute(pattern: unknown, handler: unknown = undefined): Promise<void> {
      this.#rules.remove(pattern, handler);
      refresh();
    }
    async unrouteAll(): Promise<void> {
      this.#rules.remove(undefined, undefined);
      refresh();
    }
    async #emulate(what: any, called: string): Promise<void> {
      what.__proto__ = null;
      await this.#ask({ __proto__: null, do: "emulate", what }, "context." + called);
    }
    async setExtraHTTPHeaders(headers: unknown): Promise<void> {
      const pairs = headerPairs(headers);
      await this.#emulate({ is: "headers", headers: pairs }, "setExtraHTTPHeaders");
      this.#state.headers = headers;
    }
    async setGeolocation(place: unknown): Promise<void> {
      const given = place === null || place === undefined ? null : optionsOf(place);
      if (given !== null) {
        const within = (name: string, most: number): void => {
          const value = given[name];
          if (typeof value !== "number" || !(value >= -most && value <= most)) throw new TypeError("context.setGeolocation: " + name + " is a number from -" + String(most) + " to " + String(most) + ", not " + String(value));
        };
        within("latitude", 90);
        within("longitude", 180);
        if (given.accuracy !== undefined && !(given.accuracy >= 0)) throw new TypeError("context.setGeolocation: accuracy is a number of metres, not " + String(given.accuracy));
      }
      return await this.#emulate({ is: "geolocation", place: given === null ? null : { __proto__: null, latitude: given.latitude, longitude: given.longitude, accuracy: given.accuracy ?? 0 } }, "setGeolocation");
    }
    async grantPermissions(permissions: unknown, options: unknown = undefined): Promise<void> {
      const { origin } = optionsOf(options);
      return await this.#emulate({ is: "permissions", names: listed(permissions, domString), origin: origin === undefined ? null : domString(origin) }, "grantPermissions");
    }
    async clearPermissions(): Promise<void> {
      return await this.#emulate({ is: "permissions", names: null, origin: null }, "clearPermissions");
    }
    async setOffline(offline: unknown): Promise<void> {
      if (typeof offline !== "boolean") throw new TypeError("context.setOffline: true or false is wanted, not " + String(offline));
      return await this.#emulate({ is: "offline", offline }, "setOffline");
    }
    /** What servers are shown that ask who it is. */
    async setHTTPCredentials(credentials: unknown): Promise<void> {
      const given = credentials === null || credentials === undefined ? none() : listed(credentials, (each) => {
        const { username, password, origin } = dictionary(each, "credentials");
        if (typeof username !== "string" || typeof password !== "string") throw new TypeError("context.setHTTPCredentials: { username, password } is wanted, two texts");
        return { __proto__: null, username, password, origin: origin === undefined ? null : (new (ops.library_value("URL") as any)(domString(origin)) as URL).origin };
      });
      await this.#emulate({ is: "credentials", credentials: asArray(given) }, "setHTTPCredentials");
    }
    /** Cookies and local storage: of the pages that are open, and as a file too. */
    async storageState(value: unknown = undefined): Promise<any> {
      const options = optionsOf(value), cookies = await this.cookies();
      const stored: any[] = await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "localStorage" } }, "context.storageState"), origins: any[] = list();
      for (let i = 0; i < stored.length; i++) {
        const localStorage: any[] = list(), { items } = stored[i];
        for (let j = 0; j < items.length; j++) push(localStorage, { name: items[j][0], value: items[j][1] });
        push(origins, { origin: stored[i].origin, localStorage: asArray(localStorage) });
      }
      const state = { cookies, origins: asArray(origins) };
      if (options.path !== undefined) await ops.library_value("fs").writeFile(options.path, stringify(state));
      return state;
    }
    async setStorageState(value: unknown): Promise<void> {
      if (typeof value !== "string" && !isObject(value)) throw new TypeError("context.setStorageState: what storageState has given is wanted, or the path of a file with it");
      const state: any = typeof value === "string" ? intrinsics.parse(await ops.library_value("fs").readFile(value, "utf8")) : intrinsics.parse(stringify(value));
      if (typeof state !== "object" || state === null || !lists((state as any).cookies) || !lists((state as any).origins)) throw new TypeError("context.setStorageState: it has { cookies: [], origins: [] }");
      await this.clearCookies();
      if (state.cookies !== undefined) await this.addCookies(state.cookies);
      const origins: any[] = list(), given = state.origins ?? list();
      for (let i = 0; i < given.length; i++) {
        const items: any[] = list(), { localStorage } = given[i];
        for (let j = 0; j < localStorage.length; j++) push(items, pairOf(domString(localStorage[j].name), localStorage[j].value));
        push(origins, { __proto__: null, origin: domString(given[i].origin), items });
      }
      await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "setLocalStorage", origins } }, "context.setStorageState");
    }
    async close(): Promise<void> {
      throw new TypeError("context.close: a session has one context, which closes with it");
    }
    async #ask(action: any, what: string): Promise<any> {
      // Of no page in particular.
      return await ask({ id: 0, generation: this.#state.generation, context: this.#state }, action, what);
    }
    pages(): unknown[] {
      const { generation, pages } = ops.browser_look(), open: unknown[] = list();
      if (generation === this.#state.generation) for (let i = 0; i < pages.length; i++) push(open, pageOf(generation, pages[i].id));
      return asArray(open);
    }
    async newPage(): Promise<unknown> {
      const id = await this.#ask({ __proto__: null, do: "newPage" }, "context.newPage");
      return await promiseResolve(pageOf(this.#state.generation, id));
    }
    async cookies(urls: unknown = undefined): Promise<any[]> {
      const wanted = urls === undefined ? none() : listed(urls, domString);
      const told: any[] = await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "cookies", urls: wanted } }, "context.cookies"), made: any[] = list();
      for (let i = 0; i < told.length; i++) {
        const { name, value, domain, path, expires, httpOnly, secure, sameSite } = told[i];
        push(made, { name, value, domain, path, expires, httpOnly, secure, sameSite: sameSite ?? "Lax" });
      }
      return asArray(made);
    }
    async addCookies(cookies: unknown): Promise<void> {
      const given = listed(cookies, (cookie) => intrinsics.parse(stringify(cookie)));
      await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "addCookies", cookies: given } }, "context.addCookies");
    }
    async clearCookies(value: unknown = undefined): Promise<void> {
      const options = optionsOf(value), kept: any[] = list();
      if (options.name !== undefined || options.domain !== undefined || options.path !== undefined) {
        const all = await this.cookies();
        const is = (wanted: unknown, given: string): boolean => wanted === undefined || (ops.kind_of(wanted) === "regexp" ? addressMatcher(wanted)(given) === true : wanted === given);
        for (let i = 0; i < all.length; i++) if (!(is(options.name, all[i].name) && is(options.domain, all[i].domain) && is(options.path, all[i].path))) push(kept, all[i]);
      }
      await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "clearCookies" } }, "context.clearCookies");
      if (kept.length > 0) await this.addCookies(asArray(kept));
    }
    async exposeFunction(name: unknown, callback: unknown): Promise<void> {
      await this.#exposed.add(name, callback, "context.exposeFunction", (action) => this.#ask(action, "context.exposeFunction"));
    }
    async addInitScript(script: unknown, argument: unknown = undefined): Promise<void> {
      const page = pageOf(this.#state.generation, 0) as any;
      await page.addInitScript(script, argument);
    }
    setDefaultTimeout(time: unknown): void {
      this.#state.timeout = milliseconds(time, "a timeout");
    }
    setDefaultNavigationTimeout(time: unknown): void {
      this.#state.navigationTimeout = milliseconds(time, "a timeout");
    }
    browser(): unknown {
      return handleOf(this.#state.generation).browser;
    }
    get request(): unknown {
      return requestOf(this.#state);
    }
  }

  class Browser {
    #generation: number;
    constructor(generation: number) {
      this.#generation = generation;
    }
    contexts(): unknown[] {
      const contexts: unknown[] = list();
      if (this.isConnected()) push(contexts, handleOf(this.#generation).context.handle);
      return asArray(contexts);
    }
    async newContext(): Promise<never> {
      throw new TypeError("browser.newContext: a session has one context. Another one is another session's; `context.newPage()` opens a page");
    }
    version(): string {
      return ops.browser_look().version ?? "";
    }
    isConnected(): boolean {
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

  interface Handle {
    readonly generation: number;
    readonly context: BrowserContextState;
    readonly browser: Browser;
    readonly pages: Map<number, unknown>;
  }
  let current: Handle | undefined;
  function handleOf(generation: number): Handle {
    if (current === undefined || current.generation !== generation) {
      const context: BrowserContextState = { generation };
      context.handle = new BrowserContext(context);
      current = { generation, context, browser: new Browser(generation), pages: new Map() };
    }
    return current;
  }
  function pageOf(generation: number, id: number): unknown {
    const handle = handleOf(generation), known = mapGet(handle.pages, id);
    if (known !== undefined) return known;
    const state: BrowserPageState = { id, generation, context: handle.context, answered };
    state.handle = new Page(state);
    mapSet(handle.pages, id, state.handle);
    return state.handle;
  }
  // ---- what happens by itself -------------------------------------------------------------------------------------------------------

  const FRAME_EVENTS = { __proto__: null, frameAttached: "frameattached", frameNavigated: "framenavigated", frameDetached: "framedetached" } as any;

  /** Tells the listeners of a page, and of the context, what has happened. */
  function dispatch(event: any): void {
    // Of the browser that was listened to, which may be gone by now.
    const handle = current ?? handleOf(generationNow()), page = pageOf(handle.generation, event.page) as Page, state = Page.stateOf(page)!;
    const events = Page.eventsOf(page), all = BrowserContext.eventsOf(handle.context.handle as BrowserContext);
    const both = (name: string, value: unknown): void => {
      events.emit(name, value);
      all.emit(name, value);
    };
    switch (event.is) {
      case "opened":
        state.opener = event.opener ?? undefined;
        if (state.opener !== undefined) Page.eventsOf(pageOf(handle.generation, state.opener) as Page).emit("popup", page);
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
        return void paused(state, event, Page.rulesOf(page), BrowserContext.rulesOf(handle.context.handle as BrowserContext));
      case "called": {
        const frame: BrowserPageState = { id: state.id, generation: state.generation, context: state.context, frame: event.frame, owner: state }, all: BrowserExposed[] = list();
        push(all, Page.exposedOf(page));
        push(all, BrowserContext.exposedOf(handle.context.handle as BrowserContext));
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
  function routes(): number {
    if (current === undefined) return 0;
    let count = BrowserContext.rulesOf(current.context.handle as BrowserContext).size;
    mapForEach(current.pages, (page) => void (count += Page.rulesOf(page as Page).size));
    return count;
  }
  function exposed(): number {
    if (current === undefined) return 0;
    let count = BrowserContext.exposedOf(current.context.handle as BrowserContext).size;
    mapForEach(current.pages, (page) => void (count += Page.exposedOf(page as Page).size));
    return count;
  }
  bind(dispatch, routes, exposed);

  const generationNow = (): number => ops.browser_look().generation;
  function firstPage(): unknown {
    const { generation, pages } = ops.browser_look();
    return pageOf(generation, pages.length > 0 ? pages[0].id : 1);
  }
  const context = (): unknown => handleOf(generationNow()).context.handle;
  const browser = (): unknown => handleOf(generationNow()).browser;

  const browserPages: BrowserPages = { stateOf: Page.stateOf };
  return {
    get page() { return firstPage(); },
    get context() { return context(); },
    get browser() { return browser(); },
    get request() { return requestOf(handleOf(generationNow()).context); },
    browserPages,
  };
};
