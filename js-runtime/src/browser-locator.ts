// Locators: how elements are found, each time anew, and what is done to them.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { apply, asArray, btoa, dateTime, defineProperty, getOwnPropertyDescriptor, floor, freeze, functionToString, hasOwn, indexOf, isArray, list, mapForEach, mapSet, Map, Number, ownKeys, push, Set, setAdd, setForEach, String, TypeError, Date, Error } = intrinsics;
  const { bytesOf, dictionary, domString, isObject, member, placed } = ops.library_value("webidl");
  const selectors: BrowserSelectors = ops.library_value("browserSelectors");
  const fsShared: FsShared = ops.library_value("fsShared");

  const ACTION = 10_000, NAVIGATION = 30_000;
  // Fewer than operations that may be under way; what others wait for is not among those that wait.
  const { turn, done } = (ops.library_value("queues") as StreamQueues).gate(200);

  class TimeoutError extends Error {}
  class StaleHandleError extends Error {}
  const name = (constructor: Function) =>
    defineProperty(constructor.prototype, "name", { __proto__: null, value: constructor.name, writable: true, configurable: true } as PropertyDescriptor);
  name(TimeoutError);
  name(StaleHandleError);

  /** The host's error as one of these classes, with what was tried in front. */
  function failure(error: any, what: string): unknown {
    const kind = typeof error === "object" && error !== null ? error.name : undefined;
    if (kind !== "TimeoutError" && kind !== "StaleHandleError" && kind !== "Error") return error;
    const message = what === "" ? String(error.message) : what + ": " + String(error.message);
    const made: any = kind === "TimeoutError" ? new TimeoutError(message) : kind === "StaleHandleError" ? new StaleHandleError(message) : new Error(message);
    if (hasOwn(error, "stack")) defineProperty(made, "stack", { __proto__: null, value: error.stack, writable: true, configurable: true } as PropertyDescriptor);
    return made;
  }

  // While a script listens for what pages do by themselves: before an action, and when it is done.
  let before: (() => void) | undefined, after: (() => Promise<void> | undefined) | undefined;

  /** Has the browser do something. `what` says it in messages. */
  function ask(page: BrowserPageState, action: any, what: string, argument: unknown = undefined): Promise<any> {
    return placed(async () => {
      before?.();
      const isAwaited = action.do === "route" || action.do === "dialog";
      if (!isAwaited) await turn();
      try {
        action.page = page.id;
        if (page.frame !== undefined) action.frame = page.frame;
        const answer = await ops.browser_do(action, page.generation, argument);
        const told = after?.();
        if (told !== undefined) await told;
        return answer;
      } catch (error) {
        throw failure(error, what);
      } finally {
        if (!isAwaited) done();
      }
    });
  }

  function milliseconds(value: unknown, what: string): number {
    if (typeof value !== "number" || !(value >= 0)) throw new TypeError(what + " is a number of milliseconds, not " + String(value));
    return floor(value > 86_400_000 ? 86_400_000 : value);
  }
  const timeoutOf = (page: BrowserPageState, options: any): number =>
    options.timeout !== undefined ? milliseconds(options.timeout, "timeout") : ((page.owner ?? page).timeout ?? page.context.timeout ?? ACTION);
  function navigationTimeoutOf(frame: BrowserPageState, options: any): number {
    const page = frame.owner ?? frame;
    return options.timeout !== undefined ? milliseconds(options.timeout, "timeout") : (page.navigationTimeout ?? page.context.navigationTimeout ?? page.timeout ?? page.context.timeout ?? NAVIGATION);
  }

  const optionsOf = (value: unknown): any => dictionary(value, "the options");

  /** A list of the library's own, of what an array has. */
  function listed(value: unknown, each: (item: unknown) => unknown): any[] {
    const items: any[] = list();
    if (!isArray(value)) push(items, each(value));
    else for (let i = 0; i < value.length; i++) push(items, each(value[i]));
    return items;
  }

  // ---- values that cross to the page and back: see `evaluate.rs` --------------------------------------------------------------------

  function decode(value: any): any {
    if (typeof value !== "object" || value === null) return value;
    if (isArray(value)) {
      const items: any[] = list();
      for (let i = 0; i < value.length; i++) push(items, decode(value[i]));
      return asArray(items);
    }
    const keys = ownKeys(value);
    if (keys.length === 1) {
      const key = keys[0], inner = value[key as string];
      if (key === "$undefined") return undefined;
      if (key === "$date") return new Date(inner);
      if (key === "$own") {
        const made: any = {};
        defineProperty(made, inner[0], { __proto__: null, value: decode(inner[1]), writable: true, enumerable: true, configurable: true } as PropertyDescriptor);
        return made;
      }
    }
    // The rest of what is tagged is made by the bridge.
    if (ops.kind_of(value) === "map") {
      const made = new Map();
      mapForEach(value as Map<unknown, unknown>, (item, key) => void mapSet(made, decode(key), decode(item)));
      return made;
    }
    if (ops.kind_of(value) === "set") {
      const made = new Set();
      setForEach(value as Set<unknown>, (item) => void setAdd(made, decode(item)));
      return made;
    }
    if (ops.kind_of(value) !== "object") return value;
    for (let i = 0; i < keys.length; i++) value[keys[i] as string] = decode(value[keys[i] as string]);
    return value;
  }

  const tagged = (tag: string, value: unknown): object => {
    const made: any = { __proto__: null };
    made[tag] = value;
    return made;
  };

  /** What the bridge would lose on the way to the page: dates, and what is `undefined`. */
  function encode(value: any, depth: number): unknown {
    if (value === undefined) return tagged("$undefined", true);
    if (!isObject(value)) return value;
    if (depth > 100) throw new TypeError("what a page is given goes deeper than 100 levels, or has itself in it");
    const held = Finder.handleOf(value);
    if (held !== undefined) {
      push(handles, held);
      return tagged("$handle", handles.length - 1);
    }
    const kind = ops.kind_of(value), items: unknown[] = list();
    if (kind === "date") return tagged("$date", dateTime(value as Date));
    if (kind === "array") {
      for (let i = 0; i < (value as any).length; i++) push(items, encode((value as any)[i], depth + 1));
      return asArray(items);
    }
    if (kind === "map") {
      const made = new Map();
      mapForEach(value as Map<unknown, unknown>, (item, key) => void mapSet(made, encode(key, depth + 1), encode(item, depth + 1)));
      return made;
    }
    if (kind === "set") {
      const made = new Set();
      setForEach(value as Set<unknown>, (item) => void setAdd(made, encode(item, depth + 1)));
      return made;
    }
    if (kind !== "object") return value;
    const keys = ownKeys(value), copy: any = { __proto__: null };
    for (let i = 0; i < keys.length; i++) {
      const descriptor = getOwnPropertyDescriptor(value, keys[i]);
      if (typeof keys[i] === "string" && descriptor !== undefined && descriptor.enumerable) copy[keys[i] as string] = encode((value as any)[keys[i] as string], depth + 1);
    }
    // What looks like one of these is said to be none.
    const names = ownKeys(copy) as string[];
    if (names.length !== 1 || names[0][0] !== "$") return copy;
    push(items, names[0]);
    push(items, copy[names[0]]);
    return tagged("$own", asArray(items));
  }

  /** A function's text, or an expression. */
  function source(script: unknown): { text: string; isFunction: boolean } {
    if (typeof script === "function") return { text: functionToString(script), isFunction: true };
    return { text: domString(script), isFunction: false };
  }

  /** Handles in the argument that is being written, in the order in which they come. */
  let handles: any[] = list();

  function evaluation(page: BrowserPageState, parts: any[], script: unknown, argument: unknown, options: any, all: boolean): { action: any; given: unknown } {
    const { text, isFunction } = source(script), subject = options.handle;
    handles = list();
    if (subject !== undefined) push(handles, subject);
    const given = encode(argument, 0);
    const action = { __proto__: null, do: "evaluate", selector: parts, strict: !all, timeout: timeoutOf(page, options), source: text, isFunction, all, handles, subject: subject !== undefined, keep: options.keep === true };
    return { action, given };
  }
  function evaluate(page: BrowserPageState, parts: any[], script: unknown, argument: unknown, options: any, what: string, all: boolean): Promise<any> {
    const { action, given } = evaluation(page, parts, script, argument, options, all);
    return intrinsics.promiseThen(ask(page, action, what, given), decode);
  }

  // ---- files --------------------------------------------------------------------------------------------------------------------------

  const base64 = (bytes: Uint8Array): string => {
    let text = "";
    for (let at = 0; at < bytes.length; at += 4096) {
      const units: number[] = list();
      for (let i = at; i < bytes.length && i < at + 4096; i++) push(units, bytes[i]);
      text += apply(intrinsics.fromCharCode, undefined, asArray(units));
    }
    return btoa(text);
  };

  const kinds = freeze({
    __proto__: null, css: "text/css", csv: "text/csv", gif: "image/gif", htm: "text/html", html: "text/html", jpeg: "image/jpeg", jpg: "image/jpeg", js: "text/javascript", json: "application/json",
    md: "text/markdown", pdf: "application/pdf", png: "image/png", svg: "image/svg+xml", txt: "text/plain", webp: "image/webp", xml: "application/xml", zip: "application/zip",
  }) as unknown as { readonly [extension: string]: string };

  function mimeTypeOf(path: string): string {
    const fileName = intrinsics.slice(path, intrinsics.lastIndexOf(path, "/") + 1), dot = intrinsics.lastIndexOf(fileName, ".");
    const extension = dot < 0 ? "" : intrinsics.toLowerCase(intrinsics.slice(fileName, dot + 1));
    return hasOwn(kinds, extension) ? kinds[extension] : "application/octet-stream";
  }

  /** A file of the session's, or what a script has made. */
  async function fileOf(given: unknown): Promise<any> {
    if (typeof given === "string") {
      const bytes: Uint8Array = await fsShared.ask("read_file", given);
      return { __proto__: null, name: intrinsics.slice(given, intrinsics.lastIndexOf(given, "/") + 1), mimeType: mimeTypeOf(given), data: base64(bytes) };
    }
    if (!isObject(given)) throw new TypeError("a file is a path, or { name, mimeType, buffer }");
    const buffer = member(given, "buffer");
    return {
      __proto__: null, name: domString(member(given, "name")), mimeType: domString(member(given, "mimeType") ?? "application/octet-stream"),
      data: base64(typeof buffer === "string" ? ops.text_encode(buffer) : bytesOf(buffer)),
    };
  }

  async function writeTo(path: unknown, bytes: Uint8Array): Promise<void> {
    if (path !== undefined) await ops.library_value("fs").writeFile(path, bytes);
  }

  /** What the page does with what is dropped on an element. */
  const DROP = `(element, { files, texts, position }) => {
    const dataTransfer = new DataTransfer(), box = element.getBoundingClientRect();
    for (const { name, mimeType, data } of files) dataTransfer.items.add(new File([Uint8Array.from(atob(data), (unit) => unit.charCodeAt(0))], name, { type: mimeType }));
    for (const [type, text] of texts) dataTransfer.setData(type, text);
    const at = { clientX: box.x + (position?.x ?? box.width / 2), clientY: box.y + (position?.y ?? box.height / 2) };
    const tell = (type) => element.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, composed: true, dataTransfer, ...at }));
    tell("dragenter");
    const isTaken = !tell("dragover");
    tell(isTaken ? "drop" : "dragleave");
    return isTaken;
  }`;

  // ---- locators -----------------------------------------------------------------------------------------------------------------------

  function choiceOf(value: unknown): any {
    if (typeof value === "string") return { __proto__: null, any: value };
    if (!isObject(value)) throw new TypeError("an option is a value, a label, or { value, label, index }");
    const given = dictionary(value, "an option"), choice: any = { __proto__: null };
    if (given.value !== undefined) choice.value = domString(given.value);
    if (given.label !== undefined) choice.label = domString(given.label);
    if (given.index !== undefined) choice.index = given.index;
    return choice;
  }

  function indexOfOne(index: unknown): number {
    if (typeof index !== "number" || index % 1 !== 0 || index > 1e9 || index < -1e9) throw new TypeError("an index is a whole number, not " + String(index));
    return index;
  }

  const FRAME = freeze({ __proto__: null, by: "frame" });
  const one = (part: any): any[] => {
    const parts: any[] = list();
    push(parts, part);
    return parts;
  };

  /** What pages, frames and locators have to find more by. */
  class Finder {
    #page: BrowserPageState;
    #parts: any[];
    constructor(page: BrowserPageState, parts: any[]) {
      this.#page = page;
      this.#parts = parts;
    }
    /** What stands for a handle of something in a page, on the way there: set by what makes handles. */
    static handleOf: (value: object) => any = () => undefined;
    static pageOf(finder: Finder): BrowserPageState {
      return finder.#page;
    }
    static partsOf(finder: unknown): any[] {
      if (!isObject(finder) || !(#parts in finder)) throw new TypeError("a locator is wanted");
      return (finder as Finder).#parts;
    }
    #more(parts: any[]): Locator {
      return new Locator(this.#page, selectors.joined(this.#parts, parts));
    }
    locator(selector: unknown, options: unknown = undefined): Locator {
      const parts = isObject(selector) ? selectors.joined(Finder.partsOf(selector), list()) : selectors.parse(selector);
      selectors.filters(options, Finder.partsOf, parts);
      return this.#more(parts);
    }
    getByRole(role: unknown, options: unknown = undefined): Locator {
      return this.#more(one(selectors.byRole(role, options)));
    }
    getByText(text: unknown, options: unknown = undefined): Locator {
      return this.#more(one(selectors.byText("text", text, options, "getByText")));
    }
    getByLabel(text: unknown, options: unknown = undefined): Locator {
      return this.#more(one(selectors.byText("label", text, options, "getByLabel")));
    }
    getByPlaceholder(text: unknown, options: unknown = undefined): Locator {
      return this.#more(one(selectors.byAttribute("placeholder", text, options, "getByPlaceholder")));
    }
    getByAltText(text: unknown, options: unknown = undefined): Locator {
      return this.#more(one(selectors.byAttribute("alt", text, options, "getByAltText")));
    }
    getByTitle(text: unknown, options: unknown = undefined): Locator {
      return this.#more(one(selectors.byAttribute("title", text, options, "getByTitle")));
    }
    getByTestId(id: unknown): Locator {
      return this.#more(one(selectors.byTestId(id)));
    }
    frameLocator(selector: unknown): FrameLocator {
      return new FrameLocator(this.#page, selectors.joined(this.#parts, selectors.parse(selector)));
    }
  }

  /** The inside of a frame. */
  class FrameLocator extends Finder {
    #owner: any[];
    constructor(page: BrowserPageState, owner: any[]) {
      super(page, selectors.joined(owner, one(FRAME)));
      this.#owner = owner;
    }
    owner(): Locator {
      return new Locator(Finder.pageOf(this), this.#owner);
    }
    first(): FrameLocator {
      return this.nth(0);
    }
    last(): FrameLocator {
      return this.nth(-1);
    }
    nth(index: number): FrameLocator {
      return new FrameLocator(Finder.pageOf(this), selectors.joined(this.#owner, one({ __proto__: null, by: "nth", index: indexOfOne(index) })));
    }
  }

  class Locator extends Finder {
    #state: BrowserPageState;
    #found: any[];
    #description: string | null;
    constructor(page: BrowserPageState, parts: any[], description: string | null = null) {
      super(page, parts);
      this.#state = page;
      this.#found = parts;
      this.#description = description;
    }
    /** The same under a name that says what it is for, in messages too. */
    describe(description: unknown): Locator {
      return new Locator(this.#state, this.#found, domString(description));
    }
    description(): string | null {
      return this.#description;
    }
    #with(part: any): Locator {
      return new Locator(this.#state, selectors.joined(this.#found, one(part)));
    }
    #ask(action: any, options: any, verb: string, isStrict = true): Promise<any> {
      action.selector = this.#found;
      action.strict = isStrict;
      action.force = options.force === true;
      action.timeout = timeoutOf(this.#state, options);
      return ask(this.#state, action, this.#said(verb));
    }
    async #nothing(action: any, options: any, verb: string): Promise<void> {
      await this.#ask(action, options, verb);
    }
    #query(what: string, options: unknown, verb: string, more: string | undefined = undefined): Promise<any> {
      return this.#ask({ __proto__: null, do: "query", what, name: more }, optionsOf(options), verb);
    }

    // -- which elements
    filter(options: unknown = undefined): Locator {
      const parts = selectors.joined(this.#found, list());
      selectors.filters(options, Finder.partsOf, parts);
      return new Locator(this.#state, parts);
    }
    first(): Locator {
      return this.nth(0);
    }
    last(): Locator {
      return this.nth(-1);
    }
    nth(index: number): Locator {
      return this.#with({ __proto__: null, by: "nth", index: indexOfOne(index) });
    }
    and(other: unknown): Locator {
      return this.#with({ __proto__: null, by: "and", selector: Finder.partsOf(other) });
    }
    or(other: unknown): Locator {
      return this.#with({ __proto__: null, by: "or", selector: Finder.partsOf(other) });
    }
    contentFrame(): FrameLocator {
      return new FrameLocator(this.#state, this.#found);
    }
    page(): unknown {
      return this.#state.handle;
    }
    async all(): Promise<Locator[]> {
      const count = await this.count(), locators: Locator[] = list();
      for (let i = 0; i < count; i++) push(locators, this.nth(i));
      return asArray(locators);
    }
    async count(): Promise<number> {
      return await this.#query("count", undefined, "count");
    }

    // -- what is done
    async click(options: unknown = undefined): Promise<void> {
      return await this.#click(1, options, "click");
    }
    async dblclick(options: unknown = undefined): Promise<void> {
      return await this.#click(2, options, "dblclick");
    }
    async hover(options: unknown = undefined): Promise<void> {
      return await this.#click(0, options, "hover");
    }
    /** As in a context without `hasTouch`. */
    async tap(_options: unknown = undefined): Promise<void> {
      throw new Error(this.#said("tap") + ": pages here take no touch: click() is what they take");
    }
    #click(clicks: number, value: unknown, verb: string): Promise<void> {
      const options = optionsOf(value);
      const action: any = { __proto__: null, do: "click", clicks: options.clickCount ?? clicks, button: options.button ?? "left", delay: options.delay ?? 0 };
      if (options.position !== undefined) action.position = { __proto__: null, x: Number(member(options.position, "x")), y: Number(member(options.position, "y")) };
      if (options.modifiers !== undefined) action.modifiers = listed(options.modifiers, domString);
      return this.#nothing(action, options, verb);
    }
    async fill(value: unknown, options: unknown = undefined): Promise<void> {
      return await this.#nothing({ __proto__: null, do: "fill", value: domString(value) }, optionsOf(options), "fill");
    }
    async clear(options: unknown = undefined): Promise<void> {
      return await this.#nothing({ __proto__: null, do: "fill", value: "" }, optionsOf(options), "clear");
    }
    async press(key: unknown, value: unknown = undefined): Promise<void> {
      const options = optionsOf(value);
      return await this.#nothing({ __proto__: null, do: "press", key: domString(key), delay: options.delay ?? 0 }, options, "press");
    }
    async pressSequentially(text: unknown, value: unknown = undefined): Promise<void> {
      const options = optionsOf(value);
      return await this.#nothing({ __proto__: null, do: "type", text: domString(text), delay: options.delay ?? 0 }, options, "pressSequentially");
    }
    async type(text: unknown, options: unknown = undefined): Promise<void> {
      return await this.pressSequentially(text, options);
    }
    async check(options: unknown = undefined): Promise<void> {
      return await this.setChecked(true, options);
    }
    async uncheck(options: unknown = undefined): Promise<void> {
      return await this.setChecked(false, options);
    }
    async setChecked(checked: unknown, options: unknown = undefined): Promise<void> {
      return await this.#nothing({ __proto__: null, do: "check", checked: checked === true }, optionsOf(options), checked === true ? "check" : "uncheck");
    }
    async selectOption(values: unknown, options: unknown = undefined): Promise<string[]> {
      const choices = values === null ? list() : listed(values, choiceOf);
      return await this.#ask({ __proto__: null, do: "select", options: choices }, optionsOf(options), "selectOption");
    }
    async selectText(options: unknown = undefined): Promise<void> {
      return await this.#verb("select", options, "selectText");
    }
    async focus(options: unknown = undefined): Promise<void> {
      return await this.#verb("focus", options, "focus");
    }
    async blur(options: unknown = undefined): Promise<void> {
      return await this.#verb("blur", options, "blur");
    }
    async scrollIntoViewIfNeeded(options: unknown = undefined): Promise<void> {
      return await this.#verb("scroll", options, "scrollIntoViewIfNeeded");
    }
    #verb(verb: string, options: unknown, called: string): Promise<void> {
      return this.#nothing({ __proto__: null, do: "do", verb }, optionsOf(options), called);
    }
    async dragTo(other: unknown, options: unknown = undefined): Promise<void> {
      return await this.#nothing({ __proto__: null, do: "drag", to: Finder.partsOf(other) }, optionsOf(options), "dragTo");
    }
    async setInputFiles(files: unknown, options: unknown = undefined): Promise<void> {
      const given: any[] = list(), wanted = isArray(files) ? files : asArray(one(files));
      for (let i = 0; i < wanted.length; i++) push(given, await fileOf(wanted[i]));
      return await this.#nothing({ __proto__: null, do: "setFiles", files: given }, optionsOf(options), "setInputFiles");
    }
    async dispatchEvent(type: unknown, init: unknown = undefined, options: unknown = undefined): Promise<void> {
      const action = { __proto__: null, do: "dispatch", type: domString(type), init: init === undefined ? null : intrinsics.parse(intrinsics.stringify(init)) };
      return await this.#nothing(action, optionsOf(options), "dispatchEvent");
    }

    /** Drops files and texts on it, as if they came from elsewhere. */
    async drop(payload: unknown, value: unknown = undefined): Promise<void> {
      const options = optionsOf(value), given = dictionary(payload, "what is dropped"), files: any[] = list(), texts: unknown[] = list();
      if (given.files === undefined && given.data === undefined) throw new TypeError("locator.drop: { files, data } is wanted, or one of them");
      const wanted = given.files === undefined ? asArray(list()) : isArray(given.files) ? given.files : asArray(one(given.files));
      for (let i = 0; i < wanted.length; i++) push(files, await fileOf(wanted[i]));
      const types = given.data === undefined ? list() : ownKeys(given.data);
      for (let i = 0; i < types.length; i++) {
        const pair: string[] = list();
        push(pair, types[i] as string);
        push(pair, domString(given.data[types[i] as string]));
        push(texts, asArray(pair));
      }
      const what = this.#said("drop"), { timeout } = options;
      await this.scrollIntoViewIfNeeded({ __proto__: null, timeout });
      const dropped = { __proto__: null, files: asArray(files), texts: asArray(texts), position: options.position ?? null };
      const isTaken = await evaluate(this.#state, this.#found, DROP, dropped, { __proto__: null, timeout }, what, false);
      if (isTaken !== true) throw new Error(what + ": the element takes nothing that is dropped: no listener of its dragover event calls preventDefault()");
    }

    // -- what is asked
    async textContent(options: unknown = undefined): Promise<string | null> {
      return await this.#query("textContent", options, "textContent");
    }
    async innerText(options: unknown = undefined): Promise<string> {
      return await this.#query("innerText", options, "innerText");
    }
    async innerHTML(options: unknown = undefined): Promise<string> {
      return await this.#query("innerHTML", options, "innerHTML");
    }
    async inputValue(options: unknown = undefined): Promise<string> {
      return await this.#query("inputValue", options, "inputValue");
    }
    async getAttribute(attribute: unknown, options: unknown = undefined): Promise<string | null> {
      return await this.#query("attribute", options, "getAttribute", domString(attribute));
    }
    async isVisible(): Promise<boolean> {
      return await this.#query("visible", undefined, "isVisible");
    }
    async isHidden(): Promise<boolean> {
      return !(await this.#query("visible", undefined, "isHidden"));
    }
    async isEnabled(options: unknown = undefined): Promise<boolean> {
      return await this.#query("enabled", options, "isEnabled");
    }
    async isDisabled(options: unknown = undefined): Promise<boolean> {
      return await this.#query("disabled", options, "isDisabled");
    }
    async isEditable(options: unknown = undefined): Promise<boolean> {
      return await this.#query("editable", options, "isEditable");
    }
    async isChecked(options: unknown = undefined): Promise<boolean> {
      return await this.#query("checked", options, "isChecked");
    }
    async boundingBox(options: unknown = undefined): Promise<any> {
      return await this.#query("box", options, "boundingBox");
    }
    async allTextContents(): Promise<string[]> {
      return await this.#query("allTextContents", undefined, "allTextContents");
    }
    async allInnerTexts(): Promise<string[]> {
      return await this.#query("allInnerTexts", undefined, "allInnerTexts");
    }
    /** Roles, names and texts as YAML, in the form that Playwright has for it. */
    async ariaSnapshot(options: unknown = undefined): Promise<string> {
      const given = optionsOf(options);
      if ((given.mode ?? "default") !== "default" || given.boxes === true || given.depth !== undefined) throw new TypeError(this.#said("ariaSnapshot") + ": there is no mode, boxes or depth. snapshot() has references of elements");
      return await this.#query("aria", given, "ariaSnapshot");
    }
    async waitFor(value: unknown = undefined): Promise<void> {
      const options = optionsOf(value), state = options.state ?? "visible";
      if (indexOf(" attached detached visible hidden ", " " + String(state) + " ") < 0) throw new TypeError("the state is one of attached, detached, visible and hidden, not " + String(state));
      return await this.#nothing({ __proto__: null, do: "waitFor", state }, options, "waitFor");
    }
    async evaluate(script: unknown, argument: unknown = undefined, options: unknown = undefined): Promise<any> {
      return await evaluate(this.#state, this.#found, script, argument, optionsOf(options), this.#said("evaluate"), false);
    }
    async evaluateHandle(script: unknown, argument: unknown = undefined, options: unknown = undefined): Promise<any> {
      return await (ops.library_value("browserFrames") as BrowserFrames).evaluateHandle(this.#state, this.#found, script, argument, optionsOf(options), this.#said("evaluateHandle"));
    }
    async waitForFunction(script: unknown, argument: unknown = undefined, options: unknown = undefined): Promise<void> {
      await (ops.library_value("browserFrames") as BrowserFrames).waitForFunction(this.#state, this.#found, script, argument, optionsOf(options), Locator.said(this));
    }
    async evaluateAll(script: unknown, argument: unknown = undefined): Promise<any> {
      return await evaluate(this.#state, this.#found, script, argument, optionsOf(undefined), this.#said("evaluateAll"), true);
    }
    async screenshot(options: unknown = undefined): Promise<Uint8Array> {
      return await screenshot(this.#state, this.#found, optionsOf(options), this.#said("screenshot"));
    }
    async snapshot(options: unknown = undefined): Promise<string> {
      return await snapshot(this.#state, this.#found, options);
    }
    async markdown(options: unknown = undefined): Promise<string> {
      return await markdown(this.#state, this.#found, options);
    }
    async elementHandle(options: unknown = undefined): Promise<any> {
      await this.waitFor({ __proto__: null, state: "attached", timeout: optionsOf(options).timeout });
      return await (ops.library_value("browserFrames") as BrowserFrames).first(this.#state, this.#found, "elementHandle");
    }
    async elementHandles(): Promise<any> {
      return await (ops.library_value("browserFrames") as BrowserFrames).every(this.#state, this.#found, "elementHandles");
    }
    #said(verb: string): string {
      return Locator.said(this) + "." + verb;
    }
    static said(locator: Locator): string {
      return locator.#description ?? selectors.describe(locator.#found);
    }
    toString(): string {
      return Locator.said(this);
    }
  }

  async function screenshot(page: BrowserPageState, parts: any[], options: any, what: string): Promise<Uint8Array> {
    const action: any = { __proto__: null, do: "screenshot", selector: parts, timeout: timeoutOf(page, options), fullPage: options.fullPage === true, format: options.type ?? "png" };
    if (action.format !== "png" && action.format !== "jpeg") throw new TypeError("a picture is png or jpeg, not " + String(action.format));
    if (options.quality !== undefined) action.quality = options.quality;
    const bytes: Uint8Array = await ask(page, action, what);
    await writeTo(options.path, bytes);
    return (ops.library_value("buffers") as Buffers).wrap(bytes);
  }

  const larger = (left: number, part: string): string => (left > 0 ? "\n… and " + String(left) + " more: " + part + ", or give a larger maxLength" : "");
  function lengthOf(options: any): number {
    const most = options.maxLength ?? 20_000;
    if (typeof most !== "number" || !(most >= 100 && most <= 1_000_000)) throw new TypeError("maxLength is a number of characters from 100 to 1,000,000, not " + String(most));
    return floor(most);
  }

  /** The page, or an element, as text with references that `locator` takes. */
  async function snapshot(page: BrowserPageState, parts: any[], value: unknown): Promise<string> {
    const options = optionsOf(value), most = lengthOf(options);
    const action = { __proto__: null, do: "snapshot", selector: parts, timeout: timeoutOf(page, options), most, isDiff: options.diff === true, urls: options.urls === true };
    const { text, left } = await ask(page, action, "snapshot");
    return text + larger(left, "take a snapshot of a part (page.locator(…).snapshot())");
  }

  /** What is to be read on the page, or in an element, as Markdown. */
  async function markdown(page: BrowserPageState, parts: any[], value: unknown): Promise<string> {
    const options = optionsOf(value), most = lengthOf(options);
    const { text, left } = await ask(page, { __proto__: null, do: "markdown", selector: parts, strict: true, timeout: timeoutOf(page, options), most }, "markdown");
    return text + larger(left, "take a part (page.locator(…).markdown())");
  }

  const browserLocators: BrowserLocators = {
    __proto__: null, ask, base64, decode, evaluate, mimeTypeOf, optionsOf, timeoutOf, navigationTimeoutOf, markdown, milliseconds, screenshot, snapshot, writeTo, listed, Finder, Locator, FrameLocator, TimeoutError, StaleHandleError,
    hear(first: () => void, then: () => Promise<void> | undefined): void {
      before = first;
      after = then;
    },
    isLocator: (value: unknown): value is any => isObject(value) && intrinsics.getPrototypeOf(value) === Locator.prototype,
  } as unknown as BrowserLocators;
  return { browserLocators };
};
