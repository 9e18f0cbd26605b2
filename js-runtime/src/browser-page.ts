// page, context and browser: what a call lends, under the names that Playwright has for it.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asArray, list, Map, mapGet, mapSet, Number, promiseResolve, push, regExpExec, regExpFlags, regExpSource, repeat, String, stringify, TypeError, RegExp } = intrinsics;
  const { domString, isObject, member } = ops.library_value("webidl");
  const { ask, evaluate, optionsOf, timeoutOf, navigationTimeoutOf, milliseconds, screenshot, snapshot, writeTo, listed, Finder, Locator, TimeoutError }: BrowserLocators = ops.library_value("browserLocators");
  const selectors: BrowserSelectors = ops.library_value("browserSelectors");

  const none = (): any[] => list();
  const states = ["commit", "domcontentloaded", "load", "networkidle"];
  function stateOf(value: unknown): string {
    if (value === undefined) return "load";
    for (let i = 0; i < states.length; i++) if (states[i] === value) return states[i];
    throw new TypeError("a page is waited for until commit, domcontentloaded, load or networkidle, not " + String(value));
  }

  /** What an address is to be like: a text with `*` and `**`, a regular expression, or a function. */
  function addressMatcher(pattern: unknown): (url: string) => unknown {
    if (typeof pattern === "function") return (url) => (pattern as Function)(new (ops.library_value("URL") as any)(url));
    if (ops.kind_of(pattern) === "regexp") {
      const own = new RegExp(regExpSource(pattern as RegExp), regExpFlags(pattern as RegExp));
      return (url) => {
        own.lastIndex = 0;
        return regExpExec(own, url) !== null;
      };
    }
    const text = domString(pattern);
    const own = new RegExp(globSource(text), "");
    return (url) => url === text || regExpExec(own, url) !== null;
  }

  function globSource(glob: string): string {
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
    #url: string;
    #status: number;
    constructor(url: string, status: number) {
      this.#url = url;
      this.#status = status;
    }
    url(): string {
      return this.#url;
    }
    status(): number {
      return this.#status;
    }
    ok(): boolean {
      return this.#status === 0 || (this.#status >= 200 && this.#status < 300);
    }
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

  class Page extends Finder {
    #state: BrowserPageState;
    readonly keyboard: Keyboard;
    readonly mouse: Mouse;
    constructor(state: BrowserPageState) {
      super(state, none());
      this.#state = state;
      this.keyboard = new Keyboard(state);
      this.mouse = new Mouse(state);
    }
    static stateOf(page: unknown): BrowserPageState | undefined {
      return isObject(page) && #state in page ? (page as Page).#state : undefined;
    }
    #look(): any {
      const { generation, pages } = ops.browser_look();
      if (generation === this.#state.generation) for (let i = 0; i < pages.length; i++) if (pages[i].id === this.#state.id) return pages[i];
      return undefined;
    }
    #at(selector: unknown): any {
      return new Locator(this.#state, selectors.parse(selector));
    }
    async #go(action: any, options: any, verb: string): Promise<Response | null> {
      action.wait = stateOf(options.waitUntil);
      action.timeout = navigationTimeoutOf(this.#state, options);
      const answer = await ask(this.#state, action, verb);
      return isObject(answer) ? new Response((answer as any).url, (answer as any).status) : null;
    }

    // -- where it is
    async goto(url: unknown, options: unknown = undefined): Promise<Response | null> {
      return await this.#go({ __proto__: null, do: "goto", url: domString(url) }, optionsOf(options), "page.goto");
    }
    async reload(options: unknown = undefined): Promise<Response | null> {
      return await this.#go({ __proto__: null, do: "reload" }, optionsOf(options), "page.reload");
    }
    async goBack(options: unknown = undefined): Promise<Response | null> {
      return await this.#go({ __proto__: null, do: "history", by: -1 }, optionsOf(options), "page.goBack");
    }
    async goForward(options: unknown = undefined): Promise<Response | null> {
      return await this.#go({ __proto__: null, do: "history", by: 1 }, optionsOf(options), "page.goForward");
    }
    url(): string {
      return this.#look()?.url ?? "about:blank";
    }
    async title(): Promise<string> {
      return await ask(this.#state, { __proto__: null, do: "title" }, "page.title");
    }
    async content(): Promise<string> {
      return await ask(this.#state, { __proto__: null, do: "content" }, "page.content");
    }
    async setContent(html: unknown, options: unknown = undefined): Promise<void> {
      await this.#go({ __proto__: null, do: "setContent", html: domString(html) }, optionsOf(options), "page.setContent");
    }
    async waitForLoadState(state: unknown = undefined, options: unknown = undefined): Promise<void> {
      const timeout = navigationTimeoutOf(this.#state, optionsOf(options));
      await ask(this.#state, { __proto__: null, do: "waitForLoad", wait: stateOf(state), timeout }, "page.waitForLoadState");
    }
    async waitForURL(pattern: unknown, value: unknown = undefined): Promise<void> {
      const options = optionsOf(value), matches = addressMatcher(pattern), timeout = navigationTimeoutOf(this.#state, options);
      const end = timeout === 0 ? Infinity : intrinsics.now() + timeout;
      for (;;) {
        const look = this.#look();
        if (look === undefined || matches(look.url)) break;
        const left = timeout === 0 ? 0 : end - intrinsics.now();
        if (left < 0) throw new TimeoutError("page.waitForURL: timeout of " + String(timeout) + " ms; the page is at " + look.url);
        try {
          await ask(this.#state, { __proto__: null, do: "waitForMove", moves: look.moves, timeout: left === 0 ? 0 : intrinsics.floor(left) + 1 }, "page.waitForURL");
        } catch (error: any) {
          if (error.name !== "TimeoutError") throw error;
          throw new TimeoutError("page.waitForURL: timeout of " + String(timeout) + " ms; the page is at " + this.url());
        }
      }
      await this.waitForLoadState(options.waitUntil, { timeout });
    }
    async waitForTimeout(time: unknown): Promise<void> {
      const after = milliseconds(time, "a time");
      await new intrinsics.Promise<void>((resolve) => void ops.library_value("setTimeout")(resolve, after));
    }
    async waitForSelector(selector: unknown, options: unknown = undefined): Promise<any> {
      const locator = this.#at(selector);
      await locator.waitFor(options);
      const { state } = optionsOf(options);
      return state === "hidden" || state === "detached" ? null : locator;
    }
    async waitForFunction(script: unknown, argument: unknown = undefined, value: unknown = undefined): Promise<any> {
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
    async click(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector).click(options);
    }
    async dblclick(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector).dblclick(options);
    }
    async hover(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector).hover(options);
    }
    async fill(selector: unknown, value: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector).fill(value, options);
    }
    async type(selector: unknown, text: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector).pressSequentially(text, options);
    }
    async press(selector: unknown, key: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector).press(key, options);
    }
    async check(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector).check(options);
    }
    async uncheck(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector).uncheck(options);
    }
    async setChecked(selector: unknown, checked: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector).setChecked(checked, options);
    }
    async selectOption(selector: unknown, values: unknown, options: unknown = undefined): Promise<string[]> {
      return await this.#at(selector).selectOption(values, options);
    }
    async focus(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector).focus(options);
    }
    async dragAndDrop(from: unknown, to: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(from).dragTo(this.#at(to), options);
    }
    async setInputFiles(selector: unknown, files: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector).setInputFiles(files, options);
    }
    async dispatchEvent(selector: unknown, type: unknown, init: unknown = undefined, options: unknown = undefined): Promise<void> {
      return await this.#at(selector).dispatchEvent(type, init, options);
    }
    async textContent(selector: unknown, options: unknown = undefined): Promise<string | null> {
      return await this.#at(selector).textContent(options);
    }
    async innerText(selector: unknown, options: unknown = undefined): Promise<string> {
      return await this.#at(selector).innerText(options);
    }
    async innerHTML(selector: unknown, options: unknown = undefined): Promise<string> {
      return await this.#at(selector).innerHTML(options);
    }
    async inputValue(selector: unknown, options: unknown = undefined): Promise<string> {
      return await this.#at(selector).inputValue(options);
    }
    async getAttribute(selector: unknown, name: unknown, options: unknown = undefined): Promise<string | null> {
      return await this.#at(selector).getAttribute(name, options);
    }
    async isVisible(selector: unknown): Promise<boolean> {
      return await this.#at(selector).isVisible();
    }
    async isHidden(selector: unknown): Promise<boolean> {
      return await this.#at(selector).isHidden();
    }
    async isEnabled(selector: unknown, options: unknown = undefined): Promise<boolean> {
      return await this.#at(selector).isEnabled(options);
    }
    async isDisabled(selector: unknown, options: unknown = undefined): Promise<boolean> {
      return await this.#at(selector).isDisabled(options);
    }
    async isEditable(selector: unknown, options: unknown = undefined): Promise<boolean> {
      return await this.#at(selector).isEditable(options);
    }
    async isChecked(selector: unknown, options: unknown = undefined): Promise<boolean> {
      return await this.#at(selector).isChecked(options);
    }
    async evaluate(script: unknown, argument: unknown = undefined): Promise<any> {
      return await evaluate(this.#state, none(), script, argument, optionsOf(undefined), "page.evaluate", false);
    }
    async $eval(selector: unknown, script: unknown, argument: unknown = undefined): Promise<any> {
      return await this.#at(selector).first().evaluate(script, argument);
    }
    async $$eval(selector: unknown, script: unknown, argument: unknown = undefined): Promise<any> {
      return await this.#at(selector).evaluateAll(script, argument);
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
    toString(): string {
      return "Page at " + this.url();
    }
  }

  class BrowserContext {
    #state: BrowserContextState;
    constructor(state: BrowserContextState) {
      this.#state = state;
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
      return await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "cookies", urls: wanted } }, "context.cookies");
    }
    async addCookies(cookies: unknown): Promise<void> {
      const given = listed(cookies, (cookie) => intrinsics.parse(stringify(cookie)));
      await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "addCookies", cookies: given } }, "context.addCookies");
    }
    async clearCookies(): Promise<void> {
      await this.#ask({ __proto__: null, do: "storage", what: { __proto__: null, do: "clearCookies" } }, "context.clearCookies");
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
    isConnected(): boolean {
      return ops.browser_look().generation === this.#generation;
    }
  }

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
    const state: BrowserPageState = { id, generation, context: handle.context };
    state.handle = new Page(state);
    mapSet(handle.pages, id, state.handle);
    return state.handle;
  }
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
    browserPages,
  };
};
