// What pages and contexts have in common, and contexts and the browser themselves.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asArray, indexOf, list, ownKeys, promiseResolve, push, slice, String, stringify, toLowerCase, TypeError } = intrinsics;
  const { dictionary, domString, isObject, member } = ops.library_value("webidl");
  const { ask, listed, milliseconds, optionsOf }: BrowserLocators = ops.library_value("browserLocators");
  const { addressMatcher }: BrowserFrames = ops.library_value("browserFrames");
  const { Rules }: BrowserNetwork = ops.library_value("browserNetwork");
  const { Emitter, Exposed, refresh }: BrowserEvents = ops.library_value("browserEvents");

  const none = (): any[] => list();
  const lists = (value: unknown): boolean => value === undefined || intrinsics.isArray(value);
  const EXPOSE = "exposeFunction(name, callback)";
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

  const handles = (): BrowserPages => ops.library_value("browserPages");
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

  /** What pages and contexts have in common: events, routes, and functions that pages can call. */
  function speaking(Base: new (state: BrowserPageState, what: string) => any, what: string, events: string): BrowserSpeaking {
    return class extends Base {
      readonly #state: BrowserPageState;
      readonly #events = new Emitter(words(events), "a " + what);
      readonly #rules = new Rules();
      readonly #exposed = new Exposed();
      constructor(state: BrowserPageState) {
        super(state, what);
        this.#state = state;
        state.events = this.#events;
      }
      static partsOf(of: any): BrowserSpeakingParts {
        return { __proto__: null, events: of.#events, rules: of.#rules, exposed: of.#exposed } as unknown as BrowserSpeakingParts;
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
        return await this.#events.wait(event, this.#state, options, what + ".waitForEvent");
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
      async exposeFunction(name: unknown, callback: unknown): Promise<void> {
        const called = what + ".exposeFunction";
        await this.#exposed.add(name, callback, called, (action) => ask(this.#state, action, called));
      }
    };
  }

  class Nothing {}
  const CONTEXT_EVENTS = "close console dialog page request requestfailed requestfinished response weberror";
  class BrowserContext extends speaking(Nothing, "context", CONTEXT_EVENTS) {
    #state: BrowserContextState;
    constructor(state: BrowserContextState) {
      // Of no page in particular.
      super({ id: 0, generation: state.generation, context: state });
      this.#state = state;
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
      if (generation === this.#state.generation) for (let i = 0; i < pages.length; i++) push(open, handles().pageOf(generation, pages[i].id));
      return asArray(open);
    }
    async newPage(): Promise<unknown> {
      const id = await this.#ask({ __proto__: null, do: "newPage" }, "context.newPage");
      return await promiseResolve(handles().pageOf(this.#state.generation, id));
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
    async addInitScript(script: unknown, argument: unknown = undefined): Promise<void> {
      const page = handles().pageOf(this.#state.generation, 0) as any;
      await page.addInitScript(script, argument);
    }
    setDefaultTimeout(time: unknown): void {
      this.#state.timeout = milliseconds(time, "a timeout");
    }
    setDefaultNavigationTimeout(time: unknown): void {
      this.#state.navigationTimeout = milliseconds(time, "a timeout");
    }
    browser(): unknown {
      return handles().handleOf(this.#state.generation).browser;
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
      if (this.isConnected()) push(contexts, handles().handleOf(this.#generation).context.handle);
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
  missing(BrowserContext.prototype, "context", { exposeBinding: EXPOSE, newCDPSession: "", routeFromHAR: "context.route(url, (route) => route.fulfill({ … }))" });

  const browserContexts: BrowserContexts = { __proto__: null, Browser, BrowserContext, headerPairs, missing, pairOf, requestOf, speaking } as unknown as BrowserContexts;
  return { browserContexts };
};
