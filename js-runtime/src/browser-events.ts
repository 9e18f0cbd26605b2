// What pages do by themselves: who listens, and what they are told.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { apply, asArray, defineProperty, Error, isArray, lastIndexOf, list, mapDelete, mapForEach, mapGet, mapSet, mapSize, Map, Promise, promiseThen, push, Set, setAdd, setDelete, setForEach, setSize, slice, String, TypeError } = intrinsics;
  const { domString, isObject, placed, promiseCall } = ops.library_value("webidl");
  const { ask, decode, evaluate, hear, optionsOf, timeoutOf, TimeoutError }: BrowserLocators = ops.library_value("browserLocators");
  const { handleOf, jsHandle }: BrowserFrames = ops.library_value("browserFrames");

  interface Listener {
    readonly callback: Function;
    readonly once: boolean;
  }

  /** Calls functions by the names of events. */
  class Emitter {
    readonly #names: readonly string[];
    readonly #what: string;
    readonly #of: Map<string, Listener[]> = new Map();
    constructor(names: readonly string[], what: string) {
      this.#names = names;
      this.#what = what;
    }
    check(name: unknown): string {
      const text = domString(name);
      let known = "";
      for (let i = 0; i < this.#names.length; i++) {
        if (this.#names[i] === text) return text;
        known += (i === 0 ? "" : ", ") + this.#names[i];
      }
      throw new TypeError(this.#what + " has no event '" + text + "': there are " + known);
    }
    add(name: unknown, callback: unknown, once: boolean): void {
      const text = this.check(name);
      if (typeof callback !== "function") throw new TypeError("a listener is a function");
      const listeners: Listener[] = list(), before = mapGet(this.#of, text);
      if (before !== undefined) for (let i = 0; i < before.length; i++) push(listeners, before[i]);
      push(listeners, { callback, once });
      mapSet(this.#of, text, listeners);
      setAdd(emitters, this);
      refresh();
    }
    remove(name: unknown, callback: unknown): void {
      const text = domString(name), before = mapGet(this.#of, text);
      if (before === undefined) return;
      const listeners: Listener[] = list();
      let isGone = callback === undefined;
      // The one that was added last goes, as in Node.
      let at = -1;
      for (let i = 0; i < before.length; i++) if (before[i].callback === callback) at = i;
      if (!isGone) for (let i = 0; i < before.length; i++) if (i !== at) push(listeners, before[i]);
      isGone = listeners.length === 0;
      if (isGone) mapDelete(this.#of, text);
      else mapSet(this.#of, text, listeners);
      if (mapSize(this.#of) === 0) setDelete(emitters, this);
      refresh();
    }
    clear(name: unknown): void {
      if (name !== undefined) return this.remove(name, undefined);
      const names: string[] = list();
      mapForEach(this.#of, (_, key) => void push(names, key));
      for (let i = 0; i < names.length; i++) mapDelete(this.#of, names[i]);
      setDelete(emitters, this);
      refresh();
    }
    hears(name: string): boolean {
      return mapGet(this.#of, name) !== undefined;
    }
    /** Calls those who listen. What they throw is not caught here. */
    emit(name: string, value: unknown): boolean {
      const listeners = mapGet(this.#of, name);
      if (listeners === undefined) return false;
      let thrown: unknown, hasThrown = false;
      for (let i = 0; i < listeners.length; i++) {
        if (listeners[i].once) this.remove(name, listeners[i].callback);
        const args: unknown[] = list();
        if (value !== undefined) push(args, value);
        try {
          apply(listeners[i].callback, undefined, asArray(args));
        } catch (error) {
          if (!hasThrown) thrown = error;
          hasThrown = true;
        }
      }
      if (hasThrown) throw thrown;
      return true;
    }
    /** The next event of this name that a condition holds of. */
    wait(name: unknown, state: BrowserPageState, value: unknown, what: string): Promise<any> {
      const text = this.check(name), options = typeof value === "function" ? { __proto__: null, predicate: value } as any : optionsOf(value), { predicate } = options;
      const timeout = timeoutOf(state, options);
      return placed(
        () =>
          new Promise<any>((resolve, reject) => {
            let timer: unknown;
            // Made here, so that it says from where it was waited.
            const late = new TimeoutError(what + ": timeout of " + String(timeout) + " ms while waiting for event '" + text + "'"), gone = new Error(what + ": the page was closed meanwhile");
            const over = () => {
              this.remove(text, come);
              if (text !== "close") this.remove("close", closed);
              if (timer !== undefined) ops.library_value("clearTimeout")(timer);
            };
            const come = (event: unknown) => {
              if (predicate === undefined) {
                over();
                return resolve(event);
              }
              const args: unknown[] = list();
              push(args, event);
              promiseThen(promiseCall(predicate, undefined, args), (holds) => {
                if (!holds) return;
                over();
                resolve(event);
              }, (error) => {
                over();
                reject(error);
              });
            };
            const closed = () => {
              over();
              reject(ofBrowser() ?? gone);
            };
            this.add(text, come, false);
            if (text !== "close" && this.#has("close")) this.add("close", closed, false);
            if (timeout > 0) {
              timer = ops.library_value("setTimeout")(() => {
                over();
                reject(late);
              }, timeout);
            }
          }),
      );
    }
    #has(name: string): boolean {
      for (let i = 0; i < this.#names.length; i++) if (this.#names[i] === name) return true;
      return false;
    }
  }

  // ---- being told -----------------------------------------------------------------------------------------------------------------------

  /** Those that somebody listens to. */
  const emitters: Set<Emitter> = new Set();
  let routes = (): number => 0, exposed = (): number => 0, dispatch = (_: any): void => {};
  /** Events that have come in this run, those who wait for more, and what was asked for last. */
  let heard = 0, waiting: { readonly until: number; readonly resolve: () => void }[] = list(), asked = "", hasListened = false;
  /** Who has heard of a request wants to hear how it ends. */
  let follows = false;

  function interest(): any {
    const of: any = { __proto__: null, network: false, dialogs: false, choosers: false, routes: routes() > 0, calls: exposed() > 0 };
    setForEach(emitters, (each) => {
      of.network ||= each.hears("request") || each.hears("response") || each.hears("requestfinished") || each.hears("requestfailed");
      of.dialogs ||= each.hears("dialog");
      of.choosers ||= each.hears("filechooser");
    });
    follows ||= of.network;
    of.network = follows;
    return of;
  }

  /** Why there is no browser any more. */
  function ofBrowser(): unknown {
    try {
      ops.browser_listens();
    } catch (error) {
      return error;
    }
    return undefined;
  }

  /** Has the host tell what is listened for: at first, when that changes, and in each run anew. */
  function refresh(): void {
    const wants = routes() > 0 || exposed() > 0 || setSize(emitters) > 0;
    let listens: boolean;
    try {
      listens = ops.browser_listens();
    } catch {
      // Whoever stops to listen to one that is gone has stopped.
      return;
    }
    if (!wants && !listens) return;
    if (!listens) follows = false;
    const of = interest(), now = String(of.network) + String(of.dialogs) + String(of.choosers) + String(of.routes) + String(of.calls);
    if (!listens) {
      heard = 0;
      hear(refresh, caughtUp);
      const goesOn = hasListened;
      hasListened = true;
      ops.browser_listen(ops.listen(told), of, goesOn);
    } else if (now !== asked) ops.browser_listen(undefined, of, false);
    asked = now;
  }

  function told(event: any): void {
    heard++;
    try {
      dispatch(event);
    } finally {
      const still: typeof waiting = list();
      for (let i = 0; i < waiting.length; i++) {
        if (waiting[i].until <= heard) waiting[i].resolve();
        else push(still, waiting[i]);
      }
      waiting = still;
    }
  }

  /** What happened before an action was done is told before its result is there. */
  function caughtUp(): Promise<void> | undefined {
    const until: number = ops.browser_sent();
    if (until <= heard) return undefined;
    return new Promise<void>((resolve) => void push(waiting, { until, resolve }));
  }

  // ---- what they are told -----------------------------------------------------------------------------------------------------------

  class ConsoleMessage {
    #page: BrowserPageState;
    #told: any;
    constructor(page: BrowserPageState, told: any) {
      this.#page = page;
      this.#told = told;
    }
    type(): string {
      return this.#told.kind;
    }
    text(): string {
      return this.#told.text;
    }
    location(): any {
      return { url: this.#told.url, lineNumber: this.#told.line, columnNumber: this.#told.column };
    }
    /** What was written, as handles that are good until the run ends. */
    args(): unknown[] {
      const args: any[] = list();
      for (let i = 0; i < this.#told.args.length; i++) push(args, jsHandle(this.#page, decode(this.#told.args[i])));
      return asArray(args);
    }
    page(): unknown {
      return this.#page.handle;
    }
    toString(): string {
      return this.#told.text;
    }
  }

  class Dialog {
    #page: BrowserPageState;
    #told: any;
    constructor(page: BrowserPageState, told: any) {
      this.#page = page;
      this.#told = told;
    }
    type(): string {
      return this.#told.kind;
    }
    message(): string {
      return this.#told.message;
    }
    defaultValue(): string {
      return this.#told.defaultValue;
    }
    async accept(text: unknown = undefined): Promise<void> {
      await ask(this.#page, { __proto__: null, do: "dialog", accept: true, text: text === undefined ? null : domString(text) }, "dialog.accept");
    }
    async dismiss(): Promise<void> {
      await ask(this.#page, { __proto__: null, do: "dialog", accept: false }, "dialog.dismiss");
    }
    page(): unknown {
      return this.#page.handle;
    }
  }

  class FileChooser {
    #page: BrowserPageState;
    #told: any;
    constructor(page: BrowserPageState, told: any) {
      this.#page = page;
      this.#told = told;
    }
    isMultiple(): boolean {
      return this.#told.multiple;
    }
    element(): any {
      return handleOf(this.#page, this.#told.frame, this.#told.element);
    }
    async setFiles(files: unknown, options: unknown = undefined): Promise<void> {
      return await this.element().setInputFiles(files, options);
    }
    page(): unknown {
      return this.#page.handle;
    }
  }

  class Download {
    #page: BrowserPageState;
    #told: any;
    constructor(page: BrowserPageState, told: any) {
      this.#page = page;
      this.#told = told;
    }
    #ask(what: string, verb: string): Promise<any> {
      return ask(this.#page, { __proto__: null, do: "download", download: this.#told.download, what }, "download." + verb);
    }
    url(): string {
      return this.#told.url;
    }
    suggestedFilename(): string {
      return this.#told.name;
    }
    async saveAs(path: unknown): Promise<void> {
      const bytes: Uint8Array = await this.#ask("read", "saveAs"), text = domString(path), at = lastIndexOf(text, "/"), fs = ops.library_value("fs");
      if (at > 0) await fs.mkdir(slice(text, 0, at), { recursive: true });
      await fs.writeFile(text, bytes);
    }
    /** What was downloaded. */
    async bytes(): Promise<Uint8Array> {
      return (ops.library_value("buffers") as Buffers).wrap(await this.#ask("read", "bytes"));
    }
    /** What was downloaded, to be read piece by piece. */
    async createReadStream(): Promise<unknown> {
      const pieces: unknown[] = list();
      push(pieces, await this.#ask("read", "createReadStream"));
      return new (ops.library_value("Blob") as any)(asArray(pieces)).stream();
    }
    /** Where it is among the session's files: it is written there the first time that this is asked. */
    async path(): Promise<string> {
      const { name } = this.#told, at = "/downloads/" + String(this.#told.download) + "-" + slice(name, lastIndexOf(name, "/") + 1, lastIndexOf(name, "/") + 101);
      if (!this.#isWritten) await this.saveAs(at);
      this.#isWritten = true;
      return at;
    }
    #isWritten = false;
    async failure(): Promise<string | null> {
      return await this.#ask("failure", "failure");
    }
    async cancel(): Promise<void> {
      await this.#ask("cancel", "cancel");
    }
    /** Removes what `path` has written. The rest goes with the session's pages. */
    async delete(): Promise<void> {
      if (this.#isWritten) await ops.library_value("fs").rm(await this.path(), { force: true });
      this.#isWritten = false;
    }
    page(): unknown {
      return this.#page.handle;
    }
    toString(): string {
      return this.#told.name;
    }
  }

  /** Functions that pages can call, by their names. */
  class Exposed {
    readonly #of: Map<string, Function> = new Map();
    get size(): number {
      return mapSize(this.#of);
    }
    get(name: string): Function | undefined {
      return mapGet(this.#of, name);
    }
    /** `put` has the host put it into the pages. */
    async add(name: unknown, callback: unknown, what: string, put: (action: any) => Promise<unknown>): Promise<void> {
      const text = domString(name);
      if (typeof callback !== "function") throw new TypeError(what + ": a name and a function are wanted");
      if (this.get(text) !== undefined) throw new Error(what + ": a function '" + text + "' is exposed already");
      mapSet(this.#of, text, callback);
      refresh();
      try {
        await put({ __proto__: null, do: "expose", name: text });
      } catch (error) {
        mapDelete(this.#of, text);
        throw error;
      }
    }
  }

  /** Answers a page that has called one of these. What it sends is its own, and may be anything. */
  async function answerCall(frame: BrowserPageState, text: string, all: Exposed[]): Promise<void> {
    let parsed: any;
    try {
      parsed = intrinsics.parse(text);
    } catch {
      return;
    }
    if (!isObject(parsed)) return;
    const call: any = parsed;
    if (typeof call.name !== "string") return;
    const reply: any = { __proto__: null, name: call.name, id: call.id };
    try {
      let callback: Function | undefined;
      for (let i = 0; i < all.length; i++) callback ??= all[i].get(call.name);
      if (callback === undefined) throw new Error("nobody answers: what has exposed the function is gone");
      const given: unknown[] = list();
      if (isArray(call.given)) for (let i = 0; i < call.given.length; i++) push(given, call.given[i]);
      reply.value = await promiseCall(callback, undefined, given);
    } catch (error: any) {
      reply.why = String(isObject(error) ? (error as any).message : error);
    }
    const settle = () => evaluate(frame, list(), "({ name, id, value, why }) => globalThis[name].settle(id, value, why)", reply, { __proto__: null }, "exposeFunction", false);
    try {
      await settle();
    } catch (error: any) {
      reply.value = undefined;
      reply.why = "what the function gives does not cross: " + String(isObject(error) ? (error as any).message : error);
      try {
        await settle();
      } catch {
        // Its page has gone elsewhere, or the run is over.
      }
    }
  }

  /** What a script in a page has thrown, as an error of this side. */
  function pageError(told: any): unknown {
    const error: any = new Error(told.message);
    defineProperty(error, "name", { __proto__: null, value: told.name, writable: true, configurable: true } as PropertyDescriptor);
    defineProperty(error, "stack", { __proto__: null, value: told.stack, writable: true, configurable: true } as PropertyDescriptor);
    return error;
  }

  const browserEvents: BrowserEvents = {
    __proto__: null, answerCall, ConsoleMessage, Dialog, Download, Emitter, Exposed, FileChooser, pageError, refresh,
    /** Who is told, and how many routes and functions there are. */
    bind(to: (event: any) => void, count: () => number, countCalls: () => number): void {
      dispatch = to;
      routes = count;
      exposed = countCalls;
    },
  } as unknown as BrowserEvents;
  return { browserEvents };
};
