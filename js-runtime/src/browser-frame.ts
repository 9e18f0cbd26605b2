// Documents: what pages and frames have in common; and handles of elements.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asArray, list, push, regExpExec, regExpFlags, regExpSource, repeat, String, RegExp, TypeError, mapGet, mapSet, Map } = intrinsics;
  const { domString, isObject, member } = ops.library_value("webidl");
  const { ask, evaluate, optionsOf, timeoutOf, navigationTimeoutOf, milliseconds, Finder, Locator, TimeoutError }: BrowserLocators = ops.library_value("browserLocators");
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
    if (typeof pattern !== "string" && !(pattern instanceof (ops.library_value("URL") as any))) throw new TypeError("an address is a text, a regular expression or a function, not " + String(pattern));
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

  /** What is known of a page or a frame: undefined if it is gone. */
  function where(state: BrowserPageState): any {
    const { generation, pages } = ops.browser_look();
    if (generation !== state.generation) return undefined;
    for (let i = 0; i < pages.length; i++) {
      if (pages[i].id !== state.id) continue;
      if (state.frame === undefined) return pages[i];
      const { frames } = pages[i];
      for (let j = 0; j < frames.length; j++) if (frames[j].id === state.frame) return frames[j];
    }
    return undefined;
  }

  /** Has a document come, and gives what it came with. */
  async function go(state: BrowserPageState, action: any, options: any, what: string): Promise<any> {
    action.wait = stateOf(options.waitUntil);
    action.timeout = navigationTimeoutOf(state, options);
    // What an earlier document came with is not what this one does.
    (state.owner ?? state).documents = undefined;
    const answer = await ask(state, action, what);
    return isObject(answer) ? (state.owner ?? state).answered!(state, answer) : null;
  }

  /** What pages and frames have in common. */
  class Document extends Finder {
    #state: BrowserPageState;
    #what: string;
    constructor(state: BrowserPageState, what: string) {
      super(state, none());
      this.#state = state;
      this.#what = what;
    }
    /** The first that a selector finds, as these methods have it, unless only one may be. */
    #at(selector: unknown, options: unknown = undefined): any {
      const all = new Locator(this.#state, selectors.parse(selector));
      return isObject(options) && (options as any).strict === true ? all : all.first();
    }

    // -- where it is
    async goto(url: unknown, value: unknown = undefined): Promise<any> {
      const options = optionsOf(value), action: any = { __proto__: null, do: "goto", url: domString(url) };
      if (options.referer !== undefined) action.referer = domString(options.referer);
      return await go(this.#state, action, options, this.#what + ".goto");
    }
    url(): string {
      return where(this.#state)?.url ?? "about:blank";
    }
    async title(): Promise<string> {
      return await ask(this.#state, { __proto__: null, do: "title" }, this.#what + ".title");
    }
    async content(): Promise<string> {
      return await ask(this.#state, { __proto__: null, do: "content" }, this.#what + ".content");
    }
    async setContent(html: unknown, options: unknown = undefined): Promise<void> {
      await go(this.#state, { __proto__: null, do: "setContent", html: domString(html) }, optionsOf(options), this.#what + ".setContent");
    }
    async waitForLoadState(state: unknown = undefined, options: unknown = undefined): Promise<void> {
      const timeout = navigationTimeoutOf(this.#state, optionsOf(options));
      await ask(this.#state, { __proto__: null, do: "waitForLoad", wait: stateOf(state), timeout }, this.#what + ".waitForLoadState");
    }
    async waitForURL(pattern: unknown, value: unknown = undefined): Promise<void> {
      const options = optionsOf(value), matches = addressMatcher(pattern), timeout = navigationTimeoutOf(this.#state, options);
      const end = timeout === 0 ? Infinity : intrinsics.now() + timeout;
      for (;;) {
        const look = where(this.#state);
        if (look === undefined || matches(look.url)) break;
        const left = timeout === 0 ? 0 : end - intrinsics.now();
        if (left < 0) throw new TimeoutError(this.#what + ".waitForURL: timeout of " + String(timeout) + " ms; the page is at " + look.url);
        // Of frames it is not counted how often they have moved.
        if (look.moves === undefined) {
          await this.waitForTimeout(20);
          continue;
        }
        try {
          await ask(this.#state, { __proto__: null, do: "waitForMove", moves: look.moves, timeout: left === 0 ? 0 : intrinsics.floor(left) + 1 }, this.#what + ".waitForURL");
        } catch (error: any) {
          if (error.name !== "TimeoutError") throw error;
          throw new TimeoutError(this.#what + ".waitForURL: timeout of " + String(timeout) + " ms; the page is at " + this.url());
        }
      }
      await this.waitForLoadState(options.waitUntil, { timeout });
    }
    /** The next time that it goes somewhere: gives the answer that a document came with, `null` if it stays in the same one. */
    async waitForNavigation(value: unknown = undefined): Promise<any> {
      const options = optionsOf(value), what = this.#what + ".waitForNavigation", timeout = navigationTimeoutOf(this.#state, options), end = intrinsics.now() + timeout;
      const page = this.#state.owner ?? this.#state, events = page.events!, id = this.#state.frame, matches = options.url === undefined ? () => true : addressMatcher(options.url);
      const predicate = (moved: Frame): unknown => (id === undefined ? moved.parentFrame() === null : Frame.stateOf(moved).frame === id) && matches(moved.url());
      let failed: any;
      const fails = (request: any): void => {
        if (request.isNavigationRequest()) failed = request;
      };
      page.documents = undefined;
      // While something listens to requests, their answers are known.
      events.add("requestfailed", fails, false);
      try {
        const moved: Frame = await events.wait("framenavigated", page, { __proto__: null, predicate, timeout }, what);
        const rest = timeout === 0 ? 0 : end - intrinsics.now();
        await this.waitForLoadState(options.waitUntil, { __proto__: null, timeout: rest < 1 && timeout !== 0 ? 1 : rest });
        const answer = page.documents === undefined ? undefined : mapGet(page.documents as Map<string, unknown>, Frame.stateOf(moved).frame!);
        if (answer === undefined && failed !== undefined && failed.frame() === moved) throw new intrinsics.Error(what + ": " + failed.failure().errorText + " at " + failed.url());
        return answer ?? null;
      } finally {
        events.remove("requestfailed", fails);
      }
    }
    async waitForTimeout(time: unknown): Promise<void> {
      const after = milliseconds(time, "a time");
      await new intrinsics.Promise<void>((resolve) => void ops.library_value("setTimeout")(resolve, after));
    }
    async waitForSelector(selector: unknown, options: unknown = undefined): Promise<any> {
      await this.#at(selector, options).waitFor(options);
      const { state } = optionsOf(options);
      return state === "hidden" || state === "detached" ? null : await this.$(selector);
    }
    async waitForFunction(script: unknown, argument: unknown = undefined, options: unknown = undefined): Promise<any> {
      return await waitForFunction(this.#state, none(), script, argument, optionsOf(options), this.#what);
    }

    // -- elements, by a selector
    async click(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).click(options);
    }
    async dblclick(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).dblclick(options);
    }
    async hover(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).hover(options);
    }
    async fill(selector: unknown, value: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).fill(value, options);
    }
    async type(selector: unknown, text: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).pressSequentially(text, options);
    }
    async press(selector: unknown, key: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).press(key, options);
    }
    async check(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).check(options);
    }
    async uncheck(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).uncheck(options);
    }
    async setChecked(selector: unknown, checked: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).setChecked(checked, options);
    }
    async selectOption(selector: unknown, values: unknown, options: unknown = undefined): Promise<string[]> {
      return await this.#at(selector, options).selectOption(values, options);
    }
    async focus(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).focus(options);
    }
    async dragAndDrop(from: unknown, to: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(from, options).dragTo(this.#at(to, options), options);
    }
    async setInputFiles(selector: unknown, files: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).setInputFiles(files, options);
    }
    async dispatchEvent(selector: unknown, type: unknown, init: unknown = undefined, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).dispatchEvent(type, init, options);
    }
    async textContent(selector: unknown, options: unknown = undefined): Promise<string | null> {
      return await this.#at(selector, options).textContent(options);
    }
    async innerText(selector: unknown, options: unknown = undefined): Promise<string> {
      return await this.#at(selector, options).innerText(options);
    }
    async innerHTML(selector: unknown, options: unknown = undefined): Promise<string> {
      return await this.#at(selector, options).innerHTML(options);
    }
    async inputValue(selector: unknown, options: unknown = undefined): Promise<string> {
      return await this.#at(selector, options).inputValue(options);
    }
    async getAttribute(selector: unknown, name: unknown, options: unknown = undefined): Promise<string | null> {
      return await this.#at(selector, options).getAttribute(name, options);
    }
    async isVisible(selector: unknown): Promise<boolean> {
      return await this.#at(selector).isVisible();
    }
    async isHidden(selector: unknown): Promise<boolean> {
      return await this.#at(selector).isHidden();
    }
    async isEnabled(selector: unknown, options: unknown = undefined): Promise<boolean> {
      return await this.#at(selector, options).isEnabled(options);
    }
    async isDisabled(selector: unknown, options: unknown = undefined): Promise<boolean> {
      return await this.#at(selector, options).isDisabled(options);
    }
    async isEditable(selector: unknown, options: unknown = undefined): Promise<boolean> {
      return await this.#at(selector, options).isEditable(options);
    }
    async isChecked(selector: unknown, options: unknown = undefined): Promise<boolean> {
      return await this.#at(selector, options).isChecked(options);
    }
    async evaluate(script: unknown, argument: unknown = undefined): Promise<any> {
      return await evaluate(this.#state, none(), script, argument, optionsOf(undefined), this.#what + ".evaluate", false);
    }
    async evaluateHandle(script: unknown, argument: unknown = undefined): Promise<any> {
      return await evaluateHandle(this.#state, none(), script, argument, optionsOf(undefined), this.#what + ".evaluateHandle");
    }
    async $eval(selector: unknown, script: unknown, argument: unknown = undefined): Promise<any> {
      return await this.#at(selector).evaluate(script, argument);
    }
    async $$eval(selector: unknown, script: unknown, argument: unknown = undefined): Promise<any> {
      return await new Locator(this.#state, selectors.parse(selector)).evaluateAll(script, argument);
    }
    async tap(selector: unknown, options: unknown = undefined): Promise<void> {
      return await this.#at(selector, options).tap(options);
    }
    async $(selector: unknown): Promise<any> {
      return await first(this.#state, selectors.parse(selector), this.#what + ".$");
    }
    async $$(selector: unknown): Promise<any> {
      return await every(this.#state, selectors.parse(selector), this.#what + ".$$");
    }
    async addScriptTag(options: unknown = undefined): Promise<any> {
      return await this.#tag("script", optionsOf(options));
    }
    async addStyleTag(options: unknown = undefined): Promise<any> {
      return await this.#tag("style", optionsOf(options));
    }
    async #tag(tag: string, options: any): Promise<any> {
      const content = options.path !== undefined ? await ops.library_value("fs").readFile(options.path, "utf8") : options.content;
      if (content === undefined && options.url === undefined) throw new TypeError("a tag has a url, a path or content");
      const given = { tag, content, url: options.url, type: options.type };
      await evaluate(this.#state, none(), addTag, given, options, this.#what + (tag === "script" ? ".addScriptTag" : ".addStyleTag"), false);
      return await this.$(tag === "script" ? "script >> nth=-1" : options.url !== undefined ? "link[rel=stylesheet] >> nth=-1" : "style >> nth=-1");
    }
  }
  // Runs in the page.
  const addTag = `({ tag, content, url, type }) => new Promise((resolve, reject) => {
    const element = document.createElement(tag === "style" && url !== undefined ? "link" : tag);
    if (type) element.type = type;
    if (content !== undefined) element.append(content);
    else {
      element.onload = resolve;
      element.onerror = () => reject(new Error("Failed to load " + (tag === "script" ? "script" : "stylesheet") + " at " + url));
      if (tag === "style") Object.assign(element, { rel: "stylesheet", href: url }); else element.src = url;
    }
    (document.head ?? document.documentElement).append(element);
    if (content !== undefined) resolve();
  })`;

  class Frame extends Document {
    #state: BrowserPageState;
    constructor(state: BrowserPageState) {
      super(state, "frame");
      this.#state = state;
    }
    static stateOf(frame: Frame): BrowserPageState {
      return frame.#state;
    }
    name(): string {
      return where(this.#state)?.name ?? "";
    }
    page(): unknown {
      return this.#state.handle;
    }
    isDetached(): boolean {
      return where(this.#state) === undefined;
    }
    parentFrame(): unknown {
      const parent = where(this.#state)?.parent;
      return typeof parent === "string" ? frameOf(this.#state.owner!, parent) : null;
    }
    childFrames(): unknown[] {
      const owner = this.#state.owner!;
      return framesOf(owner, (frame) => frame.parent === this.#state.frame);
    }
    async frameElement(): Promise<any> {
      const parent = this.parentFrame(), id = this.#state.frame;
      if (parent === null) throw new TypeError("the main frame is in no element");
      const handles: any[] = await every(Frame.stateOf(parent as Frame), selectors.parse("iframe, frame"), "frame.frameElement");
      for (let i = 0; i < handles.length; i++) if ((await contentId(handles[i])) === id) return handles[i];
      throw new TypeError("the frame was removed");
    }
    toString(): string {
      return "Frame at " + this.url();
    }
  }

  /** The frame of this name; there is one handle of each. */
  function frameOf(page: BrowserPageState, id: string): Frame {
    page.frames ??= new Map();
    const known = mapGet(page.frames, id);
    if (known !== undefined) return known as Frame;
    const frame = new Frame({ id: page.id, generation: page.generation, context: page.context, frame: id, owner: page, handle: page.handle });
    mapSet(page.frames, id, frame);
    return frame;
  }

  function framesOf(page: BrowserPageState, isOne: (frame: any) => unknown): Frame[] {
    const look = where(page), found: Frame[] = list();
    if (look !== undefined) for (let i = 0; i < look.frames.length; i++) if (isOne(look.frames[i])) push(found, frameOf(page, look.frames[i].id));
    return asArray(found);
  }

  // ---- handles ------------------------------------------------------------------------------------------------------------------------

  /** Something in a page, until it goes elsewhere, or the run ends. */
  class JSHandle {
    #state: BrowserPageState;
    #kept: any;
    constructor(state: BrowserPageState, kept: any) {
      this.#state = state;
      this.#kept = kept;
    }
    static isTruthy(handle: JSHandle): boolean {
      const { object, value } = handle.#kept;
      return object !== undefined || !!value;
    }
    static lookAt(value: object): any {
      return #kept in value ? (value as JSHandle).#kept : undefined;
    }
    #held(): any {
      return this.#kept.object === undefined ? undefined : { __proto__: null, object: this.#kept.object };
    }
    async evaluate(script: unknown, argument: unknown = undefined): Promise<any> {
      if (this.#kept.object === undefined) return await evaluate(this.#state, none(), called(script), two(this.#kept.value, argument), optionsOf(undefined), "jsHandle.evaluate", false);
      return await evaluate(this.#state, none(), script, argument, { __proto__: null, handle: this.#held() }, "jsHandle.evaluate", false);
    }
    async evaluateHandle(script: unknown, argument: unknown = undefined): Promise<any> {
      if (this.#kept.object === undefined) return await evaluateHandle(this.#state, none(), called(script), two(this.#kept.value, argument), optionsOf(undefined), "jsHandle.evaluateHandle");
      return await evaluateHandle(this.#state, none(), script, argument, { __proto__: null, handle: this.#held() }, "jsHandle.evaluateHandle");
    }
    async jsonValue(): Promise<any> {
      return this.#kept.object === undefined ? this.#kept.value : await this.evaluate("(value) => value");
    }
    async getProperty(name: unknown): Promise<any> {
      return await this.evaluateHandle("(value, name) => value[name]", domString(name));
    }
    async getProperties(): Promise<any> {
      const names: any[] = await this.evaluate("(value) => Object.keys(value)"), made = new Map();
      for (let i = 0; i < names.length; i++) mapSet(made, names[i], await this.getProperty(names[i]));
      return made;
    }
    asElement(): null {
      return null;
    }
    async dispose(): Promise<void> {
      if (this.#kept.object !== undefined) await ask(this.#state, { __proto__: null, do: "release", object: this.#kept.object }, "jsHandle.dispose");
    }
    toString(): string {
      return this.#kept.object === undefined ? String(this.#kept.value) : "JSHandle@" + this.#kept.said;
    }
  }
  const two = (first: unknown, second: unknown): unknown[] => {
    const both: unknown[] = list();
    push(both, first);
    push(both, second);
    return asArray(both);
  };
  const called = (script: unknown): string => "([value, argument]) => (" + (typeof script === "function" ? intrinsics.functionToString(script) : domString(script)) + ")(value, argument)";

  /** What a script in the page gives, as a handle of it. */
  async function evaluateHandle(state: BrowserPageState, parts: any[], script: unknown, argument: unknown, options: any, what: string): Promise<any> {
    options.keep = true;
    const kept = await evaluate(state, parts, script, argument, options, what, false);
    return typeof kept.element === "string" ? handleOf(state.owner ?? state, state.frame ?? null, kept.element) : new JSHandle(state, kept);
  }
  Finder.handleOf = (value) => {
    const kept = JSHandle.lookAt(value);
    if (kept !== undefined) return kept.object === undefined ? undefined : { __proto__: null, object: kept.object };
    if (!ElementHandle.is(value)) return undefined;
    const [state, parts] = ElementHandle.stateOf(value as ElementHandle);
    return { __proto__: null, frame: state.frame ?? null, selector: parts };
  };

  /** One element, for as long as it is there. */
  class ElementHandle extends Locator {
    #state: BrowserPageState;
    #parts: any[];
    constructor(state: BrowserPageState, parts: any[]) {
      super(state, parts);
      this.#state = state;
      this.#parts = parts;
    }
    #below(selector: unknown): any[] {
      return selectors.joined(this.#parts, selectors.parse(selector));
    }
    async $(selector: unknown): Promise<any> {
      return await first(this.#state, this.#below(selector), "elementHandle.$");
    }
    async $$(selector: unknown): Promise<any> {
      return await every(this.#state, this.#below(selector), "elementHandle.$$");
    }
    async $eval(selector: unknown, script: unknown, argument: unknown = undefined): Promise<any> {
      return await new Locator(this.#state, this.#below(selector)).first().evaluate(script, argument);
    }
    async $$eval(selector: unknown, script: unknown, argument: unknown = undefined): Promise<any> {
      return await new Locator(this.#state, this.#below(selector)).evaluateAll(script, argument);
    }
    async waitForSelector(selector: unknown, options: unknown = undefined): Promise<any> {
      await new Locator(this.#state, this.#below(selector)).first().waitFor(options);
      const { state } = optionsOf(options);
      return state === "hidden" || state === "detached" ? null : await this.$(selector);
    }
    async contentFrame(): Promise<any> {
      const id = await contentId(this);
      return typeof id === "string" ? frameOf(this.#state.owner ?? this.#state, id) : null;
    }
    async ownerFrame(): Promise<any> {
      const owner = this.#state.owner ?? this.#state;
      return this.#state.frame === undefined ? (framesOf(owner, () => true)[0] ?? null) : frameOf(owner, this.#state.frame);
    }
    asElement(): this {
      return this;
    }
    async dispose(): Promise<void> {}
    async jsonValue(): Promise<any> {
      return await this.evaluate("(value) => value");
    }
    async getProperty(name: unknown): Promise<any> {
      return await this.evaluateHandle("(value, name) => value[name]", domString(name));
    }
    static is(value: object): boolean {
      return #parts in value;
    }
    static stateOf(handle: ElementHandle): [BrowserPageState, any[]] {
      return [handle.#state, handle.#parts];
    }
    toString(): string {
      return "JSHandle@node";
    }
  }

  async function contentId(handle: ElementHandle): Promise<unknown> {
    const [state, parts] = ElementHandle.stateOf(handle);
    try {
      return await ask(state, { __proto__: null, do: "query", what: "contentFrame", selector: parts, strict: true, timeout: timeoutOf(state, {}) }, "elementHandle.contentFrame");
    } catch (error: any) {
      if (error.name === "Error") return null;
      throw error;
    }
  }

  /** Asks a page, or an element of it, again and again until it gives something that is true. */
  async function waitForFunction(state: BrowserPageState, parts: any[], script: unknown, argument: unknown, options: any, of: string): Promise<any> {
    const what = of + ".waitForFunction", timeout = timeoutOf(state, options), end = timeout === 0 ? Infinity : intrinsics.now() + timeout;
    const polling = typeof options.polling === "number" ? milliseconds(options.polling, "polling") : 50;
    for (;;) {
      const left = timeout === 0 ? 0 : intrinsics.now() >= end ? 1 : end - intrinsics.now();
      const result = await evaluateHandle(state, parts, script, argument, { __proto__: null, timeout: left }, what);
      if (!(result instanceof JSHandle) || JSHandle.isTruthy(result)) return result;
      if (intrinsics.now() >= end) throw new TimeoutError(what + ": timeout of " + String(timeout) + " ms");
      await new intrinsics.Promise<void>((resolve) => void ops.library_value("setTimeout")(resolve, polling));
    }
  }

  /** Elements that a selector finds now, each as a handle. What stands before a frame in it stays. */
  async function every(state: BrowserPageState, parts: any[], what: string): Promise<any> {
    const references: string[] = await ask(state, { __proto__: null, do: "refer", selector: parts, all: true, timeout: timeoutOf(state, {}) }, what);
    const way = none(), handles: any[] = list();
    let last = -1;
    for (let i = 0; i < parts.length; i++) if (parts[i].by === "frame") last = i;
    for (let i = 0; i <= last; i++) push(way, parts[i]);
    for (let i = 0; i < references.length; i++) {
      const reference = none();
      push(reference, { __proto__: null, by: "reference", reference: references[i] });
      push(handles, new ElementHandle(state, selectors.joined(way, reference)));
    }
    return asArray(handles);
  }
  async function first(state: BrowserPageState, parts: any[], what: string): Promise<any> {
    const handles = await every(state, parts, what);
    return handles.length > 0 ? handles[0] : null;
  }

  const handleOf = (state: BrowserPageState, frame: string | null, reference: string): any => {
    const parts = none();
    push(parts, { __proto__: null, by: "reference", reference });
    return new ElementHandle(frame === null ? state : Frame.stateOf(frameOf(state, frame)), parts);
  };

  const jsHandle = (state: BrowserPageState, kept: any): JSHandle => new JSHandle(state, kept);

  const browserFrames: BrowserFrames = { __proto__: null, Document, addressMatcher, evaluateHandle, every, first, frameOf, framesOf, go, handleOf, jsHandle, waitForFunction, where } as unknown as BrowserFrames;
  return { browserFrames };
};
