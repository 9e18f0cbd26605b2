// Made of js-runtime/src/browser-locator.ts by `cargo xtask generate`.
// Locators: how elements are found, each time anew, and what is done to them.
((ops     , intrinsics            ) => {
  const { apply, asArray, btoa, dateTime, defineProperty, getOwnPropertyDescriptor, floor, freeze, functionToString, hasOwn, indexOf, isArray, list, mapForEach, mapSet, Map, Number, ownKeys, push, Set, setAdd, setForEach, String, TypeError, Date, Error } = intrinsics;
  const { bytesOf, dictionary, domString, isObject, member, placed } = ops.library_value("webidl");
  const selectors                   = ops.library_value("browserSelectors");
  const fsShared           = ops.library_value("fsShared");

  const ACTION = 10_000, NAVIGATION = 30_000;
  // Fewer than operations that may be under way; what others wait for is not among those that wait.
  const { turn, done } = (ops.library_value("queues")                ).gate(200);

  class TimeoutError extends Error {}
  class StaleHandleError extends Error {}
  const name = (constructor          ) =>
    defineProperty(constructor.prototype, "name", { __proto__: null, value: constructor.name, writable: true, configurable: true }                      );
  name(TimeoutError);
  name(StaleHandleError);

  /** The host's error as one of these classes, with what was tried in front. */
  function failure(error     , what        )          {
    const kind = typeof error === "object" && error !== null ? error.name : undefined;
    if (kind !== "TimeoutError" && kind !== "StaleHandleError" && kind !== "Error") return error;
    const message = what === "" ? String(error.message) : what + ": " + String(error.message);
    const made      = kind === "TimeoutError" ? new TimeoutError(message) : kind === "StaleHandleError" ? new StaleHandleError(message) : new Error(message);
    if (hasOwn(error, "stack")) defineProperty(made, "stack", { __proto__: null, value: error.stack, writable: true, configurable: true }                      );
    return made;
  }

  // While a script listens for what pages do by themselves: before an action, and when it is done.
  let before                          , after                                               ;

  /** Has the browser do something. `what` says it in messages. */
  function ask(page                  , action     , what        , argument          = undefined)               {
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

  function milliseconds(value         , what        )         {
    if (typeof value !== "number" || !(value >= 0)) throw new TypeError(what + " is a number of milliseconds, not " + String(value));
    return floor(value > 86_400_000 ? 86_400_000 : value);
  }
  const timeoutOf = (page                  , options     )         =>
    options.timeout !== undefined ? milliseconds(options.timeout, "timeout") : ((page.owner ?? page).timeout ?? page.context.timeout ?? ACTION);
  function navigationTimeoutOf(frame                  , options     )         {
    const page = frame.owner ?? frame;
    return options.timeout !== undefined ? milliseconds(options.timeout, "timeout") : (page.navigationTimeout ?? page.context.navigationTimeout ?? page.timeout ?? page.context.timeout ?? NAVIGATION);
  }

  const optionsOf = (value         )      => dictionary(value, "the options");

  /** A list of the library's own, of what an array has. */
  function listed(value         , each                            )        {
    const items        = list();
    if (!isArray(value)) push(items, each(value));
    else for (let i = 0; i < value.length; i++) push(items, each(value[i]));
    return items;
  }

  // ---- values that cross to the page and back: see `evaluate.rs` --------------------------------------------------------------------

  function decode(value     )      {
    if (typeof value !== "object" || value === null) return value;
    if (isArray(value)) {
      const items        = list();
      for (let i = 0; i < value.length; i++) push(items, decode(value[i]));
      return asArray(items);
    }
    const keys = ownKeys(value);
    if (keys.length === 1) {
      const key = keys[0], inner = value[key          ];
      if (key === "$undefined") return undefined;
      if (key === "$date") return new Date(inner);
      if (key === "$own") {
        const made      = {};
        defineProperty(made, inner[0], { __proto__: null, value: decode(inner[1]), writable: true, enumerable: true, configurable: true }                      );
        return made;
      }
    }
    // The rest of what is tagged is made by the bridge.
    if (ops.kind_of(value) === "map") {
      const made = new Map();
      mapForEach(value                         , (item, key) => void mapSet(made, decode(key), decode(item)));
      return made;
    }
    if (ops.kind_of(value) === "set") {
      const made = new Set();
      setForEach(value                , (item) => void setAdd(made, decode(item)));
      return made;
    }
    if (ops.kind_of(value) !== "object") return value;
    for (let i = 0; i < keys.length; i++) value[keys[i]          ] = decode(value[keys[i]          ]);
    return value;
  }

  const tagged = (tag        , value         )         => {
    const made      = { __proto__: null };
    made[tag] = value;
    return made;
  };

  /** What the bridge would lose on the way to the page: dates, and what is `undefined`. */
  function encode(value     , depth        )          {
    if (value === undefined) return tagged("$undefined", true);
    if (!isObject(value)) return value;
    if (depth > 100) throw new TypeError("what a page is given goes deeper than 100 levels, or has itself in it");
    const held = Finder.handleOf(value);
    if (held !== undefined) {
      push(handles, held);
      return tagged("$handle", handles.length - 1);
    }
    const kind = ops.kind_of(value), items            = list();
    if (kind === "date") return tagged("$date", dateTime(value        ));
    if (kind === "array") {
      for (let i = 0; i < (value       ).length; i++) push(items, encode((value       )[i], depth + 1));
      return asArray(items);
    }
    if (kind === "map") {
      const made = new Map();
      mapForEach(value                         , (item, key) => void mapSet(made, encode(key, depth + 1), encode(item, depth + 1)));
      return made;
    }
    if (kind === "set") {
      const made = new Set();
      setForEach(value                , (item) => void setAdd(made, encode(item, depth + 1)));
      return made;
    }
    if (kind !== "object") return value;
    const keys = ownKeys(value), copy      = { __proto__: null };
    for (let i = 0; i < keys.length; i++) {
      const descriptor = getOwnPropertyDescriptor(value, keys[i]);
      if (typeof keys[i] === "string" && descriptor !== undefined && descriptor.enumerable) copy[keys[i]          ] = encode((value       )[keys[i]          ], depth + 1);
    }
    // What looks like one of these is said to be none.
    const names = ownKeys(copy)            ;
    if (names.length !== 1 || names[0][0] !== "$") return copy;
    push(items, names[0]);
    push(items, copy[names[0]]);
    return tagged("$own", asArray(items));
  }

  /** A function's text, or an expression. */
  function source(script         )                                        {
    if (typeof script === "function") return { text: functionToString(script), isFunction: true };
    return { text: domString(script), isFunction: false };
  }

  /** Handles in the argument that is being written, in the order in which they come. */
  let handles        = list();

  function evaluation(page                  , parts       , script         , argument         , options     , all         )                                  {
    const { text, isFunction } = source(script), subject = options.handle;
    handles = list();
    if (subject !== undefined) push(handles, subject);
    const given = encode(argument, 0);
    const action = { __proto__: null, do: "evaluate", selector: parts, strict: !all, timeout: timeoutOf(page, options), source: text, isFunction, all, handles, subject: subject !== undefined, keep: options.keep === true };
    return { action, given };
  }
  function evaluate(page                  , parts       , script         , argument         , options     , what        , all         )               {
    const { action, given } = evaluation(page, parts, script, argument, options, all);
    return intrinsics.promiseThen(ask(page, action, what, given), decode);
  }

  // ---- files --------------------------------------------------------------------------------------------------------------------------

  const base64 = (bytes            )         => {
    let text = "";
    for (let at = 0; at < bytes.length; at += 4096) {
      const units           = list();
      for (let i = at; i < bytes.length && i < at + 4096; i++) push(units, bytes[i]);
      text += apply(intrinsics.fromCharCode, undefined, asArray(units));
    }
    return btoa(text);
  };

  const kinds = freeze({
    __proto__: null, css: "text/css", csv: "text/csv", gif: "image/gif", htm: "text/html", html: "text/html", jpeg: "image/jpeg", jpg: "image/jpeg", js: "text/javascript", json: "application/json",
    md: "text/markdown", pdf: "application/pdf", png: "image/png", svg: "image/svg+xml", txt: "text/plain", webp: "image/webp", xml: "application/xml", zip: "application/zip",
  })                                                       ;

  function mimeTypeOf(path        )         {
    const fileName = intrinsics.slice(path, intrinsics.lastIndexOf(path, "/") + 1), dot = intrinsics.lastIndexOf(fileName, ".");
    const extension = dot < 0 ? "" : intrinsics.toLowerCase(intrinsics.slice(fileName, dot + 1));
    return hasOwn(kinds, extension) ? kinds[extension] : "application/octet-stream";
  }

  /** A file of the session's, or what a script has made. */
  async function fileOf(given         )               {
    if (typeof given === "string") {
      const bytes             = await fsShared.ask("read_file", given);
      return { __proto__: null, name: intrinsics.slice(given, intrinsics.lastIndexOf(given, "/") + 1), mimeType: mimeTypeOf(given), data: base64(bytes) };
    }
    if (!isObject(given)) throw new TypeError("a file is a path, or { name, mimeType, buffer }");
    const buffer = member(given, "buffer");
    return {
      __proto__: null, name: domString(member(given, "name")), mimeType: domString(member(given, "mimeType") ?? "application/octet-stream"),
      data: base64(typeof buffer === "string" ? ops.text_encode(buffer) : bytesOf(buffer)),
    };
  }

  async function writeTo(path         , bytes            )                {
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

  function choiceOf(value         )      {
    if (typeof value === "string") return { __proto__: null, any: value };
    if (!isObject(value)) throw new TypeError("an option is a value, a label, or { value, label, index }");
    const given = dictionary(value, "an option"), choice      = { __proto__: null };
    if (given.value !== undefined) choice.value = domString(given.value);
    if (given.label !== undefined) choice.label = domString(given.label);
    if (given.index !== undefined) choice.index = given.index;
    return choice;
  }

  function indexOfOne(index         )         {
    if (typeof index !== "number" || index % 1 !== 0 || index > 1e9 || index < -1e9) throw new TypeError("an index is a whole number, not " + String(index));
    return index;
  }

  const FRAME = freeze({ __proto__: null, by: "frame" });
  const one = (part     )        => {
    const parts        = list();
    push(parts, part);
    return parts;
  };

  /** What pages, frames and locators have to find more by. */
  class Finder {
    #page;                 ;
    #parts;      ;
    constructor(page                  , parts       ) {
      this.#page = page;
      this.#parts = parts;
    }
    /** What stands for a handle of something in a page, on the way there: set by what makes handles. */
    static handleOf                         = () => undefined;
    static pageOf(finder        )                   {
      return finder.#page;
    }
    static partsOf(finder         )        {
      if (!isObject(finder) || !(#parts in finder)) throw new TypeError("a locator is wanted");
      return (finder          ).#parts;
    }
    #more(parts       )          {
      return new Locator(this.#page, selectors.joined(this.#parts, parts));
    }
    locator(selector         , options          = undefined)          {
      const parts = isObject(selector) ? selectors.joined(Finder.partsOf(selector), list()) : selectors.parse(selector);
      selectors.filters(options, Finder.partsOf, parts);
      return this.#more(parts);
    }
    getByRole(role         , options          = undefined)          {
      return this.#more(one(selectors.byRole(role, options)));
    }
    getByText(text         , options          = undefined)          {
      return this.#more(one(selectors.byText("text", text, options, "getByText")));
    }
    getByLabel(text         , options          = undefined)          {
      return this.#more(one(selectors.byText("label", text, options, "getByLabel")));
    }
    getByPlaceholder(text         , options          = undefined)          {
      return this.#more(one(selectors.byAttribute("placeholder", text, options, "getByPlaceholder")));
    }
    getByAltText(text         , options          = undefined)          {
      return this.#more(one(selectors.byAttribute("alt", text, options, "getByAltText")));
    }
    getByTitle(text         , options          = undefined)          {
      return this.#more(one(selectors.byAttribute("title", text, options, "getByTitle")));
    }
    getByTestId(id         )          {
      return this.#more(one(selectors.byTestId(id)));
    }
    frameLocator(selector         )               {
      return new FrameLocator(this.#page, selectors.joined(this.#parts, selectors.parse(selector)));
    }
  }

  /** The inside of a frame. */
  class FrameLocator extends Finder {
    #owner;      ;
    constructor(page                  , owner       ) {
      super(page, selectors.joined(owner, one(FRAME)));
      this.#owner = owner;
    }
    owner()          {
      return new Locator(Finder.pageOf(this), this.#owner);
    }
    first()               {
      return this.nth(0);
    }
    last()               {
      return this.nth(-1);
    }
    nth(index        )               {
      return new FrameLocator(Finder.pageOf(this), selectors.joined(this.#owner, one({ __proto__: null, by: "nth", index: indexOfOne(index) })));
    }
  }

  class Locator extends Finder {
    #state;                 ;
    #found;      ;
    #description;              ;
    constructor(page                  , parts       , description                = null) {
      super(page, parts);
      this.#state = page;
      this.#found = parts;
      this.#description = description;
    }
    /** The same under a name that says what it is for, in messages too. */
    describe(description         )          {
      return new Locator(this.#state, this.#found, domString(description));
    }
    description()                {
      return this.#description;
    }
    #with(part     )          {
      return new Locator(this.#state, selectors.joined(this.#found, one(part)));
    }
    #ask(action     , options     , verb        , isStrict = true)               {
      action.selector = this.#found;
      action.strict = isStrict;
      action.force = options.force === true;
      action.timeout = timeoutOf(this.#state, options);
      return ask(this.#state, action, this.#said(verb));
    }
    async #nothing(action     , options     , verb        )                {
      await this.#ask(action, options, verb);
    }
    #query(what        , options         , verb        , more                     = undefined)               {
      return this.#ask({ __proto__: null, do: "query", what, name: more }, optionsOf(options), verb);
    }

    // -- which elements
    filter(options          = undefined)          {
      const parts = selectors.joined(this.#found, list());
      selectors.filters(options, Finder.partsOf, parts);
      return new Locator(this.#state, parts);
    }
    first()          {
      return this.nth(0);
    }
    last()          {
      return this.nth(-1);
    }
    nth(index        )          {
      return this.#with({ __proto__: null, by: "nth", index: indexOfOne(index) });
    }
    and(other         )          {
      return this.#with({ __proto__: null, by: "and", selector: Finder.partsOf(other) });
    }
    or(other         )          {
      return this.#with({ __proto__: null, by: "or", selector: Finder.partsOf(other) });
    }
    contentFrame()               {
      return new FrameLocator(this.#state, this.#found);
    }
    page()          {
      return this.#state.handle;
    }
    async all()                     {
      const count = await this.count(), locators            = list();
      for (let i = 0; i < count; i++) push(locators, this.nth(i));
      return asArray(locators);
    }
    async count()                  {
      return await this.#query("count", undefined, "count");
    }

    // -- what is done
    async click(options          = undefined)                {
      return await this.#click(1, options, "click");
    }
    async dblclick(options          = undefined)                {
      return await this.#click(2, options, "dblclick");
    }
    async hover(options          = undefined)                {
      return await this.#click(0, options, "hover");
    }
    /** As in a context without `hasTouch`. */
    async tap(_options          = undefined)                {
      throw new Error(this.#said("tap") + ": pages here take no touch: click() is what they take");
    }
    #click(clicks        , value         , verb        )                {
      const options = optionsOf(value);
      const action      = { __proto__: null, do: "click", clicks: options.clickCount ?? clicks, button: options.button ?? "left", delay: options.delay ?? 0 };
      if (options.position !== undefined) action.position = { __proto__: null, x: Number(member(options.position, "x")), y: Number(member(options.position, "y")) };
      if (options.modifiers !== undefined) action.modifiers = listed(options.modifiers, domString);
      return this.#nothing(action, options, verb);
    }
    async fill(value         , options          = undefined)                {
      return await this.#nothing({ __proto__: null, do: "fill", value: domString(value) }, optionsOf(options), "fill");
    }
    async clear(options          = undefined)                {
      return await this.#nothing({ __proto__: null, do: "fill", value: "" }, optionsOf(options), "clear");
    }
    async press(key         , value          = undefined)                {
      const options = optionsOf(value);
      return await this.#nothing({ __proto__: null, do: "press", key: domString(key), delay: options.delay ?? 0 }, options, "press");
    }
    async pressSequentially(text         , value          = undefined)                {
      const options = optionsOf(value);
      return await this.#nothing({ __proto__: null, do: "type", text: domString(text), delay: options.delay ?? 0 }, options, "pressSequentially");
    }
    async type(text         , options          = undefined)                {
      return await this.pressSequentially(text, options);
    }
    async check(options          = undefined)                {
      return await this.setChecked(true, options);
    }
    async uncheck(options          = undefined)                {
      return await this.setChecked(false, options);
    }
    async setChecked(checked         , options          = undefined)                {
      return await this.#nothing({ __proto__: null, do: "check", checked: checked === true }, optionsOf(options), checked === true ? "check" : "uncheck");
    }
    async selectOption(values         , options          = undefined)                    {
      const choices = values === null ? list() : listed(values, choiceOf);
      return await this.#ask({ __proto__: null, do: "select", options: choices }, optionsOf(options), "selectOption");
    }
    async selectText(options          = undefined)                {
      return await this.#verb("select", options, "selectText");
    }
    async focus(options          = undefined)                {
      return await this.#verb("focus", options, "focus");
    }
    async blur(options          = undefined)                {
      return await this.#verb("blur", options, "blur");
    }
    async scrollIntoViewIfNeeded(options          = undefined)                {
      return await this.#verb("scroll", options, "scrollIntoViewIfNeeded");
    }
    #verb(verb        , options         , called        )                {
      return this.#nothing({ __proto__: null, do: "do", verb }, optionsOf(options), called);
    }
    async dragTo(other         , options          = undefined)                {
      return await this.#nothing({ __proto__: null, do: "drag", to: Finder.partsOf(other) }, optionsOf(options), "dragTo");
    }
    async setInputFiles(files         , options          = undefined)                {
      const given        = list(), wanted = isArray(files) ? files : asArray(one(files));
      for (let i = 0; i < wanted.length; i++) push(given, await fileOf(wanted[i]));
      return await this.#nothing({ __proto__: null, do: "setFiles", files: given }, optionsOf(options), "setInputFiles");
    }
    async dispatchEvent(type         , init          = undefined, options          = undefined)                {
      const action = { __proto__: null, do: "dispatch", type: domString(type), init: init === undefined ? null : intrinsics.parse(intrinsics.stringify(init)) };
      return await this.#nothing(action, optionsOf(options), "dispatchEvent");
    }

    /** Drops files and texts on it, as if they came from elsewhere. */
    async drop(payload         , value          = undefined)                {
      const options = optionsOf(value), given = dictionary(payload, "what is dropped"), files        = list(), texts            = list();
      if (given.files === undefined && given.data === undefined) throw new TypeError("locator.drop: { files, data } is wanted, or one of them");
      const wanted = given.files === undefined ? asArray(list()) : isArray(given.files) ? given.files : asArray(one(given.files));
      for (let i = 0; i < wanted.length; i++) push(files, await fileOf(wanted[i]));
      const types = given.data === undefined ? list() : ownKeys(given.data);
      for (let i = 0; i < types.length; i++) {
        const pair           = list();
        push(pair, types[i]          );
        push(pair, domString(given.data[types[i]          ]));
        push(texts, asArray(pair));
      }
      const what = this.#said("drop"), { timeout } = options;
      await this.scrollIntoViewIfNeeded({ __proto__: null, timeout });
      const dropped = { __proto__: null, files: asArray(files), texts: asArray(texts), position: options.position ?? null };
      const isTaken = await evaluate(this.#state, this.#found, DROP, dropped, { __proto__: null, timeout }, what, false);
      if (isTaken !== true) throw new Error(what + ": the element takes nothing that is dropped: no listener of its dragover event calls preventDefault()");
    }

    // -- what is asked
    async textContent(options          = undefined)                         {
      return await this.#query("textContent", options, "textContent");
    }
    async innerText(options          = undefined)                  {
      return await this.#query("innerText", options, "innerText");
    }
    async innerHTML(options          = undefined)                  {
      return await this.#query("innerHTML", options, "innerHTML");
    }
    async inputValue(options          = undefined)                  {
      return await this.#query("inputValue", options, "inputValue");
    }
    async getAttribute(attribute         , options          = undefined)                         {
      return await this.#query("attribute", options, "getAttribute", domString(attribute));
    }
    async isVisible()                   {
      return await this.#query("visible", undefined, "isVisible");
    }
    async isHidden()                   {
      return !(await this.#query("visible", undefined, "isHidden"));
    }
    async isEnabled(options          = undefined)                   {
      return await this.#query("enabled", options, "isEnabled");
    }
    async isDisabled(options          = undefined)                   {
      return await this.#query("disabled", options, "isDisabled");
    }
    async isEditable(options          = undefined)                   {
      return await this.#query("editable", options, "isEditable");
    }
    async isChecked(options          = undefined)                   {
      return await this.#query("checked", options, "isChecked");
    }
    async boundingBox(options          = undefined)               {
      return await this.#query("box", options, "boundingBox");
    }
    async allTextContents()                    {
      return await this.#query("allTextContents", undefined, "allTextContents");
    }
    async allInnerTexts()                    {
      return await this.#query("allInnerTexts", undefined, "allInnerTexts");
    }
    /** Roles, names and texts as YAML, in the form that Playwright has for it. */
    async ariaSnapshot(options          = undefined)                  {
      const given = optionsOf(options);
      if ((given.mode ?? "default") !== "default" || given.boxes === true || given.depth !== undefined) throw new TypeError(this.#said("ariaSnapshot") + ": there is no mode, boxes or depth. snapshot() has references of elements");
      return await this.#query("aria", given, "ariaSnapshot");
    }
    async waitFor(value          = undefined)                {
      const options = optionsOf(value), state = options.state ?? "visible";
      if (indexOf(" attached detached visible hidden ", " " + String(state) + " ") < 0) throw new TypeError("the state is one of attached, detached, visible and hidden, not " + String(state));
      return await this.#nothing({ __proto__: null, do: "waitFor", state }, options, "waitFor");
    }
    async evaluate(script         , argument          = undefined, options          = undefined)               {
      return await evaluate(this.#state, this.#found, script, argument, optionsOf(options), this.#said("evaluate"), false);
    }
    async evaluateHandle(script         , argument          = undefined, options          = undefined)               {
      return await (ops.library_value("browserFrames")                 ).evaluateHandle(this.#state, this.#found, script, argument, optionsOf(options), this.#said("evaluateHandle"));
    }
    async waitForFunction(script         , argument          = undefined, options          = undefined)                {
      await (ops.library_value("browserFrames")                 ).waitForFunction(this.#state, this.#found, script, argument, optionsOf(options), Locator.said(this));
    }
    async evaluateAll(script         , argument          = undefined)               {
      return await evaluate(this.#state, this.#found, script, argument, optionsOf(undefined), this.#said("evaluateAll"), true);
    }
    async screenshot(options          = undefined)                      {
      return await screenshot(this.#state, this.#found, optionsOf(options), this.#said("screenshot"));
    }
    async snapshot(options          = undefined)                  {
      return await snapshot(this.#state, this.#found, options);
    }
    async markdown(options          = undefined)                  {
      return await markdown(this.#state, this.#found, options);
    }
    async elementHandle(options          = undefined)               {
      await this.waitFor({ __proto__: null, state: "attached", timeout: optionsOf(options).timeout });
      return await (ops.library_value("browserFrames")                 ).first(this.#state, this.#found, "elementHandle");
    }
    async elementHandles()               {
      return await (ops.library_value("browserFrames")                 ).every(this.#state, this.#found, "elementHandles");
    }
    #said(verb        )         {
      return Locator.said(this) + "." + verb;
    }
    static said(locator         )         {
      return locator.#description ?? selectors.describe(locator.#found);
    }
    toString()         {
      return Locator.said(this);
    }
  }

  async function screenshot(page                  , parts       , options     , what        )                      {
    const action      = { __proto__: null, do: "screenshot", selector: parts, timeout: timeoutOf(page, options), fullPage: options.fullPage === true, format: options.type ?? "png" };
    if (action.format !== "png" && action.format !== "jpeg") throw new TypeError("a picture is png or jpeg, not " + String(action.format));
    if (options.quality !== undefined) action.quality = options.quality;
    const bytes             = await ask(page, action, what);
    await writeTo(options.path, bytes);
    return (ops.library_value("buffers")           ).wrap(bytes);
  }

  const larger = (left        , part        )         => (left > 0 ? "\n… and " + String(left) + " more: " + part + ", or give a larger maxLength" : "");
  function lengthOf(options     )         {
    const most = options.maxLength ?? 20_000;
    if (typeof most !== "number" || !(most >= 100 && most <= 1_000_000)) throw new TypeError("maxLength is a number of characters from 100 to 1,000,000, not " + String(most));
    return floor(most);
  }

  /** The page, or an element, as text with references that `locator` takes. */
  async function snapshot(page                  , parts       , value         )                  {
    const options = optionsOf(value), most = lengthOf(options);
    const action = { __proto__: null, do: "snapshot", selector: parts, timeout: timeoutOf(page, options), most, isDiff: options.diff === true, urls: options.urls === true };
    const { text, left } = await ask(page, action, "snapshot");
    return text + larger(left, "take a snapshot of a part (page.locator(…).snapshot())");
  }

  /** What is to be read on the page, or in an element, as Markdown. */
  async function markdown(page                  , parts       , value         )                  {
    const options = optionsOf(value), most = lengthOf(options);
    const { text, left } = await ask(page, { __proto__: null, do: "markdown", selector: parts, strict: true, timeout: timeoutOf(page, options), most }, "markdown");
    return text + larger(left, "take a part (page.locator(…).markdown())");
  }

  const browserLocators                  = {
    __proto__: null, ask, base64, decode, evaluate, mimeTypeOf, optionsOf, timeoutOf, navigationTimeoutOf, markdown, milliseconds, screenshot, snapshot, writeTo, listed, Finder, Locator, FrameLocator, TimeoutError, StaleHandleError,
    hear(first            , then                                 )       {
      before = first;
      after = then;
    },
    isLocator: (value         )               => isObject(value) && intrinsics.getPrototypeOf(value) === Locator.prototype,
  }                              ;
  return { browserLocators };
})
