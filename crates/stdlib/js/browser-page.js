// Made of js-runtime/src/browser-page.ts by `cargo xtask generate`.
// page, context and browser: what a call lends, under the names that Playwright has for it.
((ops     , intrinsics            ) => {
  const { asArray, list, Map, mapGet, mapSet, Number, promiseResolve, push, regExpExec, regExpFlags, regExpSource, repeat, String, stringify, TypeError, RegExp } = intrinsics;
  const { domString, isObject, member } = ops.library_value("webidl");
  const { ask, evaluate, optionsOf, timeoutOf, navigationTimeoutOf, milliseconds, screenshot, snapshot, writeTo, listed, Finder, Locator, TimeoutError }                  = ops.library_value("browserLocators");
  const selectors                   = ops.library_value("browserSelectors");

  const none = ()        => list();
  const states = ["commit", "domcontentloaded", "load", "networkidle"];
  function stateOf(value         )         {
    if (value === undefined) return "load";
    for (let i = 0; i < states.length; i++) if (states[i] === value) return states[i];
    throw new TypeError("a page is waited for until commit, domcontentloaded, load or networkidle, not " + String(value));
  }

  /** What an address is to be like: a text with `*` and `**`, a regular expression, or a function. */
  function addressMatcher(pattern         )                           {
    if (typeof pattern === "function") return (url) => (pattern            )(new (ops.library_value("URL")       )(url));
    if (ops.kind_of(pattern) === "regexp") {
      const own = new RegExp(regExpSource(pattern          ), regExpFlags(pattern          ));
      return (url) => {
        own.lastIndex = 0;
        return regExpExec(own, url) !== null;
      };
    }
    const text = domString(pattern);
    const own = new RegExp(globSource(text), "");
    return (url) => url === text || regExpExec(own, url) !== null;
  }

  function globSource(glob        )         {
    let out = "^", depth = 0;
    for (let at = 0; at < glob.length; at++) {
      const c = glob[at];
      if (c === "*") {
        const isDeep = glob[at + 1] === "*";
        if (isDeep) at++;
        out += isDeep ? ".*" : "[^/]*";
      } else if (c === "{") {
        depth++;
        out += "(?:";
      } else if (c === "}" && depth > 0) {
        depth--;
        out += ")";
      } else if (c === "," && depth > 0) out += "|";
      else out += regExpExec(/^[\\^$.|?+()[\]{}/]$/, c) !== null ? "\\" + c : c;
    }
    return out + repeat(")", depth) + "$";
  }

  /** An answer that a document came with. */
  class Response {
    #url;       ;
    #status;       ;
    constructor(url        , status        ) {
      this.#url = url;
      this.#status = status;
    }
    url()         {
      return this.#url;
    }
    status()         {
      return this.#status;
    }
    ok()          {
      return this.#status === 0 || (this.#status >= 200 && this.#status < 300);
    }
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

  class Page extends Finder {
    #state;                 ;
    ;        keyboard;         ;
    ;        mouse;      ;
    constructor(state                  ) {
      super(state, none());
      this.#state = state;
      this.keyboard = new Keyboard(state);
      this.mouse = new Mouse(state);
    }
    static stateOf(page         )                               {
      return isObject(page) && #state in page ? (page        ).#state : undefined;
    }
    #look()      {
      const { generation, pages } = ops.browser_look();
      if (generation === this.#state.generation) for (let i = 0; i < pages.length; i++) if (pages[i].id === this.#state.id) return pages[i];
      return undefined;
    }
    #at(selector         )      {
      return new Locator(this.#state, selectors.parse(selector));
    }
    async #go(action     , options     , verb        )                           {
      action.wait = stateOf(options.waitUntil);
      action.timeout = navigationTimeoutOf(this.#state, options);
      const answer = await ask(this.#state, action, verb);
      return isObject(answer) ? new Response((answer       ).url, (answer       ).status) : null;
    }

    // -- where it is
    async goto(url         , options          = undefined)                           {
      return await this.#go({ __proto__: null, do: "goto", url: domString(url) }, optionsOf(options), "page.goto");
    }
    async reload(options          = undefined)                           {
      return await this.#go({ __proto__: null, do: "reload" }, optionsOf(options), "page.reload");
    }
    async goBack(options          = undefined)                           {
      return await this.#go({ __proto__: null, do: "history", by: -1 }, optionsOf(options), "page.goBack");
    }
    async goForward(options          = undefined)                           {
      return await this.#go({ __proto__: null, do: "history", by: 1 }, optionsOf(options), "page.goForward");
    }
    url()         {
      return this.#look()?.url ?? "about:blank";
    }
    async title()                  {
      return await ask(this.#state, { __proto__: null, do: "title" }, "page.title");
    }
    async content()                  {
      return await ask(this.#state, { __proto__: null, do: "content" }, "page.content");
    }
    async setContent(html         , options          = undefined)                {
      await this.#go({ __proto__: null, do: "setContent", html: domString(html) }, optionsOf(options), "page.setContent");
    }
    async waitForLoadState(state          = undefined, options          = undefined)                {
      const timeout = navigationTimeoutOf(this.#state, optionsOf(options));
      await ask(this.#state, { __proto__: null, do: "waitForLoad", wait: stateOf(state), timeout }, "page.waitForLoadState");
    }
    async waitForURL(pattern         , value          = undefined)                {
      const options = optionsOf(value), matches = addressMatcher(pattern), timeout = navigationTimeoutOf(this.#state, options);
      const end = timeout === 0 ? Infinity : intrinsics.now() + timeout;
      for (;;) {
        const look = this.#look();
        if (look === undefined || matches(look.url)) break;
        const left = timeout === 0 ? 0 : end - intrinsics.now();
        if (left < 0) throw new TimeoutError("page.waitForURL: timeout of " + String(timeout) + " ms; the page is at " + look.url);
        try {
          await ask(this.#state, { __proto__: null, do: "waitForMove", moves: look.moves, timeout: left === 0 ? 0 : intrinsics.floor(left) + 1 }, "page.waitForURL");
        } catch (error     ) {
          if (error.name !== "TimeoutError") throw error;
          throw new TimeoutError("page.waitForURL: timeout of " + String(timeout) + " ms; the page is at " + this.url());
        }
      }
      await this.waitForLoadState(options.waitUntil, { timeout });
    }
    async waitForTimeout(time         )                {
      const after = milliseconds(time, "a time");
      await new intrinsics.Promise      ((resolve) => void ops.library_value("setTimeout")(resolve, after));
    }
    async waitForSelector(selector         , options          = undefined)               {
      const locator = this.#at(selector);
      await locator.waitFor(options);
      const { state } = optionsOf(options);
      return state === "hidden" || state === "detached" ? null : locator;
    }
    async waitForFunction(script         , argument          = undefined, value          = undefined)               {
      const options = optionsOf(value), timeout = timeoutOf(this.#state, options), end = timeout === 0 ? Infinity : intrinsics.now() + timeout;
      const polling = typeof options.polling === "number" ? milliseconds(options.polling, "polling") : 50;
      for (;;) {
        const result = await evaluate(this.#state, none(), script, argument, options, "page.waitForFunction", false);
        if (result) return result;
        if (intrinsics.now() >= end) throw new TimeoutError("page.waitForFunction: timeout of " + String(timeout) + " ms");
        await this.waitForTimeout(polling);
      }
    }

    // -- elements, by a selector
    async click(selector         , options          = undefined)                {
      return await this.#at(selector).click(options);
    }
    async dblclick(selector         , options          = undefined)                {
      return await this.#at(selector).dblclick(options);
    }
    async hover(selector         , options          = undefined)                {
      return await this.#at(selector).hover(options);
    }
    async fill(selector         , value         , options          = undefined)                {
      return await this.#at(selector).fill(value, options);
    }
    async type(selector         , text         , options          = undefined)                {
      return await this.#at(selector).pressSequentially(text, options);
    }
    async press(selector         , key         , options          = undefined)                {
      return await this.#at(selector).press(key, options);
    }
    async check(selector         , options          = undefined)                {
      return await this.#at(selector).check(options);
    }
    async uncheck(selector         , options          = undefined)                {
      return await this.#at(selector).uncheck(options);
    }
    async setChecked(selector         , checked         , options          = undefined)                {
      return await this.#at(selector).setChecked(checked, options);
    }
    async selectOption(selector         , values         , options          = undefined)                    {
      return await this.#at(selector).selectOption(values, options);
    }
    async focus(selector         , options          = undefined)                {
      return await this.#at(selector).focus(options);
    }
    async dragAndDrop(from         , to         , options          = undefined)                {
      return await this.#at(from).dragTo(this.#at(to), options);
    }
    async setInputFiles(selector         , files         , options          = undefined)                {
      return await this.#at(selector).setInputFiles(files, options);
    }
    async dispatchEvent(selector         , type         , init          = undefined, options          = undefined)                {
      return await this.#at(selector).dispatchEvent(type, init, options);
    }
    async textContent(selector         , options          = undefined)                         {
      return await this.#at(selector).textContent(options);
    }
    async innerText(selector         , options          = undefined)                  {
      return await this.#at(selector).innerText(options);
    }
    async innerHTML(selector         , options          = undefined)                  {
      return await this.#at(selector).innerHTML(options);
    }
    async inputValue(selector         , options          = undefined)                  {
      return await this.#at(selector).inputValue(options);
    }
    async getAttribute(selector         , name         , options          = undefined)                         {
      return await this.#at(selector).getAttribute(name, options);
    }
    async isVisible(selector         )                   {
      return await this.#at(selector).isVisible();
    }
    async isHidden(selector         )                   {
      return await this.#at(selector).isHidden();
    }
    async isEnabled(selector         , options          = undefined)                   {
      return await this.#at(selector).isEnabled(options);
    }
    async isDisabled(selector         , options          = undefined)                   {
      return await this.#at(selector).isDisabled(options);
    }
    async isEditable(selector         , options          = undefined)                   {
      return await this.#at(selector).isEditable(options);
    }
    async isChecked(selector         , options          = undefined)                   {
      return await this.#at(selector).isChecked(options);
    }
    async evaluate(script         , argument          = undefined)               {
      return await evaluate(this.#state, none(), script, argument, optionsOf(undefined), "page.evaluate", false);
    }
    async $eval(selector         , script         , argument          = undefined)               {
      return await this.#at(selector).first().evaluate(script, argument);
    }
    async $$eval(selector         , script         , argument          = undefined)               {
      return await this.#at(selector).evaluateAll(script, argument);
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
    toString()         {
      return "Page at " + this.url();
    }
  }

  class BrowserContext {
    #state;                    ;
    constructor(state                     ) {
      this.#state = state;
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
      return await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "cookies", urls: wanted } }, "context.cookies");
    }
    async addCookies(cookies         )                {
      const given = listed(cookies, (cookie) => intrinsics.parse(stringify(cookie)));
      await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "addCookies", cookies: given } }, "context.addCookies");
    }
    async clearCookies()                {
      await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "clearCookies" } }, "context.clearCookies");
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
    isConnected()          {
      return ops.browser_look().generation === this.#generation;
    }
  }

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
    const state                   = { id, generation, context: handle.context };
    state.handle = new Page(state);
    mapSet(handle.pages, id, state.handle);
    return state.handle;
  }
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
    browserPages,
  };
})
