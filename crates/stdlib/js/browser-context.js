// Made of js-runtime/src/browser-context.ts by `cargo xtask generate`.
// What pages and contexts have in common, and contexts and the browser themselves.
((ops     , intrinsics            ) => {
  const { asArray, indexOf, list, ownKeys, promiseResolve, push, slice, String, stringify, toLowerCase, TypeError } = intrinsics;
  const { dictionary, domString, isObject, member } = ops.library_value("webidl");
  const { ask, listed, milliseconds, optionsOf }                  = ops.library_value("browserLocators");
  const { addressMatcher }                = ops.library_value("browserFrames");
  const { Rules }                 = ops.library_value("browserNetwork");
  const { Emitter, Exposed, refresh }                = ops.library_value("browserEvents");

  const none = ()        => list();
  const lists = (value         )          => value === undefined || intrinsics.isArray(value);
  const EXPOSE = "exposeFunction(name, callback)";
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

  const handles = ()               => ops.library_value("browserPages");
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

  /** What pages and contexts have in common: events, routes, and functions that pages can call. */
  function speaking(Base                                                    , what        , events        )                  {
    return class extends Base {
      ;        #state;                 ;
      ;        #events = new Emitter(words(events), "a " + what);
      ;        #rules = new Rules();
      ;        #exposed = new Exposed();
      constructor(state                  ) {
        super(state, what);
        this.#state = state;
        state.events = this.#events;
      }
      static partsOf(of     )                       {
        return { __proto__: null, events: of.#events, rules: of.#rules, exposed: of.#exposed }                                   ;
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
        return await this.#events.wait(event, this.#state, options, what + ".waitForEvent");
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
      async exposeFunction(name         , callback         )                {
        const called = what + ".exposeFunction";
        await this.#exposed.add(name, callback, called, (action) => ask(this.#state, action, called));
      }
    };
  }

  class Nothing {}
  const CONTEXT_EVENTS = "close console dialog page request requestfailed requestfinished response weberror";
  class BrowserContext extends speaking(Nothing, "context", CONTEXT_EVENTS) {
    #state;                    ;
    constructor(state                     ) {
      // Of no page in particular.
      super({ id: 0, generation: state.generation, context: state });
      this.#state = state;
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
      if (generation === this.#state.generation) for (let i = 0; i < pages.length; i++) push(open, handles().pageOf(generation, pages[i].id));
      return asArray(open);
    }
    async newPage()                   {
      const id = await this.#ask({ __proto__: null, do: "newPage" }, "context.newPage");
      return await promiseResolve(handles().pageOf(this.#state.generation, id));
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
    async addInitScript(script         , argument          = undefined)                {
      const page = handles().pageOf(this.#state.generation, 0)       ;
      await page.addInitScript(script, argument);
    }
    setDefaultTimeout(time         )       {
      this.#state.timeout = milliseconds(time, "a timeout");
    }
    setDefaultNavigationTimeout(time         )       {
      this.#state.navigationTimeout = milliseconds(time, "a timeout");
    }
    browser()          {
      return handles().handleOf(this.#state.generation).browser;
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
      if (this.isConnected()) push(contexts, handles().handleOf(this.#generation).context.handle);
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
  missing(BrowserContext.prototype, "context", { exposeBinding: EXPOSE, newCDPSession: "", routeFromHAR: "context.route(url, (route) => route.fulfill({ … }))" });

  const browserContexts                  = { __proto__: null, Browser, BrowserContext, headerPairs, missing, pairOf, requestOf, speaking }                              ;
  return { browserContexts };
})
