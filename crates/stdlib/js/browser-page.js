// Made of js-runtime/src/browser-page.ts by `cargo xtask generate`.
// page, context and browser: what a call lends, under the names that Playwright has for it.
((ops     , intrinsics            ) => {
  const { asArray, list, Map, mapDelete, mapForEach, mapGet, mapSet, push, stringify, TypeError } = intrinsics;
  const { domString, handled, isObject, member } = ops.library_value("webidl");
  const { ask, markdown, milliseconds, optionsOf, screenshot, snapshot, writeTo }                  = ops.library_value("browserLocators");
  const { addressMatcher, Document, frameOf, framesOf, go, where }                = ops.library_value("browserFrames");
  const { answered, network, paused }                 = ops.library_value("browserNetwork");
  const { answerCall, bind, ConsoleMessage, Dialog, Download, FileChooser, pageError }                = ops.library_value("browserEvents");
  const { Browser, BrowserContext, headerPairs, missing, pairOf, requestOf, speaking }                  = ops.library_value("browserContexts");
  const { Keyboard, Mouse, WebStorage }               = ops.library_value("browserInput");

  const none = ()        => list();
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

  const EVENTS = "close console crash dialog domcontentloaded download filechooser frameattached framedetached framenavigated load pageerror popup request requestfailed requestfinished response";
  class Page extends speaking(Document, "page", EVENTS) {
    #state;                 ;
    ;        keyboard;        ;
    ;        mouse;        ;
    ;        localStorage;        ;
    ;        sessionStorage;        ;
    constructor(state                  ) {
      super(state);
      this.#state = state;
      this.keyboard = new Keyboard(state);
      this.mouse = new Mouse(state);
      this.localStorage = new WebStorage(state, "localStorage");
      this.sessionStorage = new WebStorage(state, "sessionStorage");
    }
    static stateOf(page         )                               {
      return isObject(page) && #state in page ? (page        ).#state : undefined;
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
    async waitForRequest(pattern         , options          = undefined)               {
      return await this.#state.events .wait("request", this.#state, withPredicate(options, urlPredicate(pattern)), "page.waitForRequest");
    }
    async waitForResponse(pattern         , options          = undefined)               {
      return await this.#state.events .wait("response", this.#state, withPredicate(options, urlPredicate(pattern)), "page.waitForResponse");
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
    async requests()                     {
      const told = this.#state.requests, made            = list();
      if (told === undefined) throw new intrinsics.Error("page.requests: requests are known of while something listens: page.on('request', …) before they are made");
      for (let i = told.count > told.all.length ? told.count - told.all.length : 0; i < told.count; i++) push(made, told.all[i % told.all.length]);
      return asArray(made);
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
    async ariaSnapshot(options          = undefined)                  {
      return await this.locator("body").ariaSnapshot(options);
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

  missing(Page.prototype, "page", {
    exposeBinding: "exposeFunction(name, callback)", pause: "", routeFromHAR: "page.route(url, (route) => route.fulfill({ … }))", routeWebSocket: "", video: "", workers: "",
  });

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
    const ofPage = Page.partsOf(page), ofAll = BrowserContext.partsOf(handle.context.handle), { events } = ofPage, all = ofAll.events;
    const both = (name        , value         )       => {
      events.emit(name, value);
      all.emit(name, value);
    };
    switch (event.is) {
      case "opened":
        state.opener = event.opener ?? undefined;
        if (state.opener !== undefined) Page.partsOf(pageOf(handle.generation, state.opener)).events.emit("popup", page);
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
        return void paused(state, event, ofPage.rules, ofAll.rules);
      case "called": {
        const frame                   = { id: state.id, generation: state.generation, context: state.context, frame: event.frame, owner: state }, exposed                   = list();
        push(exposed, ofPage.exposed);
        push(exposed, ofAll.exposed);
        return void answerCall(frame, event.call, exposed);
      }
      case "request":
      case "response":
      case "finished":
      case "failed":
        return network(state, event, both);
    }
    if (event.is in FRAME_EVENTS) events.emit(FRAME_EVENTS[event.is], frameOf(state, event.frame));
  }
  /** How many rules there are, or exposed functions. */
  function count(of                     )         {
    if (current === undefined) return 0;
    let count = BrowserContext.partsOf(current.context.handle)[of].size;
    mapForEach(current.pages, (page) => void (count += Page.partsOf(page)[of].size));
    return count;
  }
  bind(dispatch, () => count("rules"), () => count("exposed"));

  const generationNow = ()         => ops.browser_look().generation;
  function firstPage()          {
    const { generation, pages } = ops.browser_look();
    return pageOf(generation, pages.length > 0 ? pages[0].id : 1);
  }
  const context = ()          => handleOf(generationNow()).context.handle;
  const browser = ()          => handleOf(generationNow()).browser;

  const browserPages               = { __proto__: null, handleOf, pageOf, stateOf: Page.stateOf }                           ;
  return {
    get page() { return firstPage(); },
    get context() { return context(); },
    get browser() { return browser(); },
    get request() { return requestOf(handleOf(generationNow()).context); },
    browserPages,
  };
})
