// expect: what is to hold, of pages and locators until it does, of values at once.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { apply, asArray, defineProperty, freeze, getPrototypeOf, hasOwn, indexOf, isArray, list, now, ownKeys, promiseThen, push, regExpExec, regExpFlags, regExpSource, RegExp, slice, String, stringify, TypeError, Error } = intrinsics;
  const { domString, isObject, member, promiseCall } = ops.library_value("webidl");
  const { ask, isLocator, listed, milliseconds, optionsOf, Finder, Locator }: BrowserLocators = ops.library_value("browserLocators");
  const selectors: BrowserSelectors = ops.library_value("browserSelectors");
  const { stateOf }: BrowserPages = ops.library_value("browserPages");
  const { lookAt }: BrowserRequests = ops.library_value("browserRequests");
  const isDeepEqual: (a: unknown, b: unknown, strict: boolean) => boolean = ops.library_value("deepEqual");

  const PATIENCE = 5_000;
  /** A level of the console. */
  const ERROR = 4;

  class ExpectError extends Error {}
  defineProperty(ExpectError.prototype, "name", { __proto__: null, value: "ExpectError", writable: true, configurable: true } as PropertyDescriptor);

  const inspectCustom: symbol = ops.library_value("inspector").custom;
  const inspect = (value: unknown): string => ops.library_value("inspector").inspect(value);
  const shown = (match: any): string => (match === undefined ? "" : match.source !== undefined ? "/" + match.source + "/" + match.flags : stringify(match.text));

  // ---- pages and locators -------------------------------------------------------------------------------------------------------------

  interface Expectation {
    readonly page: BrowserPageState;
    readonly parts: any[];
    /** What is expected something of, in messages. */
    readonly subject: string;
    readonly isNot: boolean;
    readonly note: string;
    /** How long something is waited for where nothing else is said. */
    readonly patience: number;
  }

  async function holds(of: Expectation, matcher: string, method: string, how: any, said: string, options: any): Promise<void> {
    const timeout = options.timeout === undefined ? of.patience : milliseconds(options.timeout, "timeout");
    const action = { __proto__: null, do: "expect", selector: of.parts, strict: true, timeout, matcher, isNot: of.isNot, how };
    const what = (of.note === "" ? "" : of.note + ": ") + "expect(" + of.subject + ")" + (of.isNot ? ".not." : ".") + method;
    const result = await ask(of.page, action, what);
    if (result.holds) return;
    let message = what + " does not hold after " + String(timeout) + " ms";
    if (said !== "") message += "\nexpected: " + (of.isNot ? "not " : "") + said;
    message += "\nreceived: " + (result.isMissing ? "no element matches" : typeof result.received === "string" ? stringify(result.received) : inspect(result.received));
    for (let i = 0; i < result.log.length; i++) message += (i === 0 ? "\ncall log:\n  - " : "\n  - ") + result.log[i];
    throw new ExpectError(message);
  }

  const text = (value: unknown, what: string): any => selectors.textMatch(value, true, what);

  /** The assertions of a locator, whose names are Playwright's. */
  function ofLocator(of: Expectation): any {
    const plain = (matcher: string, method: string, said: string) => async (options: unknown = undefined) => await holds(of, matcher, method, { __proto__: null }, said, optionsOf(options));
    const texts = (method: string, isPart: boolean) => async (expected: unknown, value: unknown = undefined) => {
      const options = optionsOf(value), how: any = { __proto__: null, isPart, ignoreCase: options.ignoreCase === true, useInnerText: options.useInnerText === true };
      if (!isArray(expected)) {
        how.expected = text(expected, "the text");
        return await holds(of, "text", method, how, shown(how.expected), options);
      }
      how.expected = listed(expected, (each) => text(each, "a text"));
      return await holds(of, "texts", method, how, inspect(expected), options);
    };
    const classes = (method: string, isPart: boolean) => async (expected: unknown, options: unknown = undefined) =>
      isArray(expected)
        ? await holds(of, "classes", method, { __proto__: null, isPart, expected: listed(expected, (each) => text(each, "a class")) }, inspect(expected), optionsOf(options))
        : await holds(of, "class", method, { __proto__: null, isPart, expected: text(expected, "the class") }, inspect(expected), optionsOf(options));
    const matched = (matcher: string, method: string) => async (expected: unknown, value: unknown = undefined) => {
      const options = optionsOf(value), match = text(expected, "what is expected");
      return await holds(of, matcher, method, { __proto__: null, expected: match, ignoreCase: options.ignoreCase === true }, shown(match), options);
    };
    return {
      toBeVisible: async (value: unknown = undefined) => {
        const options = optionsOf(value);
        return await holds(of, options.visible === false ? "hidden" : "visible", "toBeVisible", { __proto__: null }, options.visible === false ? "hidden" : "visible", options);
      },
      toBeHidden: plain("hidden", "toBeHidden", "hidden"),
      toBeEnabled: async (value: unknown = undefined) => {
        const options = optionsOf(value);
        return await holds(of, options.enabled === false ? "disabled" : "enabled", "toBeEnabled", { __proto__: null }, options.enabled === false ? "disabled" : "enabled", options);
      },
      toBeDisabled: plain("disabled", "toBeDisabled", "disabled"),
      toBeEditable: plain("editable", "toBeEditable", "editable"),
      toBeEmpty: plain("empty", "toBeEmpty", "empty"),
      toBeFocused: plain("focused", "toBeFocused", "focused"),
      toBeAttached: async (value: unknown = undefined) => {
        const options = optionsOf(value), attached = options.attached !== false;
        return await holds(of, "attached", "toBeAttached", { __proto__: null, attached }, attached ? "attached" : "detached", options);
      },
      toBeChecked: async (value: unknown = undefined) => {
        const options = optionsOf(value), checked = options.checked !== false, indeterminate = options.indeterminate === true;
        return await holds(of, "checked", "toBeChecked", { __proto__: null, checked, indeterminate }, indeterminate ? "indeterminate" : checked ? "checked" : "unchecked", options);
      },
      toBeInViewport: async (value: unknown = undefined) => {
        const options = optionsOf(value);
        return await holds(of, "viewport", "toBeInViewport", { __proto__: null, ratio: options.ratio }, "in the viewport", options);
      },
      toHaveText: texts("toHaveText", false),
      toContainText: texts("toContainText", true),
      toHaveValue: matched("value", "toHaveValue"),
      toHaveValues: async (expected: unknown, options: unknown = undefined) =>
        await holds(of, "values", "toHaveValues", { __proto__: null, expected: listed(expected, (each) => text(each, "a value")) }, inspect(expected), optionsOf(options)),
      toHaveCount: async (count: unknown, options: unknown = undefined) => await holds(of, "count", "toHaveCount", { __proto__: null, count }, String(count), optionsOf(options)),
      toHaveAttribute: async (name: unknown, expected: unknown = undefined, value: unknown = undefined) => {
        const isName = expected === undefined || (isObject(expected) && ops.kind_of(expected) === "object");
        const options = optionsOf(isName ? (expected ?? value) : value), how: any = { __proto__: null, name: domString(name), ignoreCase: options.ignoreCase === true };
        if (!isName) how.expected = text(expected, "the value");
        return await holds(of, "attribute", "toHaveAttribute", how, how.name + (isName ? "" : "=" + shown(how.expected)), options);
      },
      toHaveClass: classes("toHaveClass", false),
      toContainClass: classes("toContainClass", true),
      toHaveId: matched("id", "toHaveId"),
      toHaveCSS: async (name: unknown, expected: unknown, options: unknown = undefined) => {
        const match = text(expected, "the value");
        return await holds(of, "css", "toHaveCSS", { __proto__: null, name: domString(name), expected: match }, domString(name) + ": " + shown(match), optionsOf(options));
      },
      toHaveJSProperty: async (name: unknown, expected: unknown, options: unknown = undefined) =>
        await holds(of, "property", "toHaveJSProperty", { __proto__: null, name: domString(name), expected: expected === undefined ? null : intrinsics.parse(stringify(expected)) }, domString(name) + " = " + inspect(expected), optionsOf(options)),
      toHaveRole: async (role: unknown, options: unknown = undefined) => await holds(of, "role", "toHaveRole", { __proto__: null, role: domString(role) }, domString(role), optionsOf(options)),
      toHaveAccessibleName: matched("name", "toHaveAccessibleName"),
      toHaveAccessibleDescription: matched("description", "toHaveAccessibleDescription"),
      toHaveAccessibleErrorMessage: matched("errorMessage", "toHaveAccessibleErrorMessage"),
    };
  }

  function ofPage(of: Expectation): any {
    const at = (matcher: string, method: string) => async (expected: unknown, value: unknown = undefined) => {
      const options = optionsOf(value), match = matcher === "url" && typeof expected === "string" ? { __proto__: null, text: expected } : text(expected, "what is expected");
      return await holds(of, matcher, method, { __proto__: null, expected: match, ignoreCase: options.ignoreCase === true }, shown(match), options);
    };
    return { toHaveURL: at("url", "toHaveURL"), toHaveTitle: at("title", "toHaveTitle") };
  }

  // ---- values -------------------------------------------------------------------------------------------------------------------------

  /** What a value may be like, wherever values are compared. */
  class Like {
    #matches: (value: unknown) => boolean;
    #said: string;
    constructor(said: string, matches: (value: unknown) => boolean) {
      this.#said = said;
      this.#matches = matches;
    }
    static of(value: unknown): ((value: unknown) => boolean) | undefined {
      return isObject(value) && #matches in value ? (value as Like).#matches : undefined;
    }
    toString(): string {
      return this.#said;
    }
    [inspectCustom](): string {
      return this.#said;
    }
  }
  const kinds = freeze({ __proto__: null, String: "string", Number: "number", Boolean: "boolean", BigInt: "bigint", Symbol: "symbol", Function: "function", Object: "object" }) as unknown as { readonly [name: string]: string };
  const closeTo = (value: unknown, other: number, digits: number): boolean => typeof value === "number" && value - other < 10 ** -digits / 2 && other - value < 10 ** -digits / 2;
  const matchesPattern = (value: unknown, pattern: unknown): boolean =>
    typeof value === "string" && (typeof pattern === "string" ? indexOf(value, pattern) >= 0 : regExpExec(new RegExp(regExpSource(pattern as RegExp), regExpFlags(pattern as RegExp)), value) !== null);

  /** Whether a constructor's prototype is among a value's, without asking the constructor. */
  function isInstance(value: unknown, constructor: unknown): boolean {
    if (typeof constructor !== "function") throw new TypeError("a class is wanted");
    const wanted = member(constructor, "prototype");
    for (let at = isObject(value) ? getPrototypeOf(value) : null, steps = 0; at !== null && steps < 1000; at = getPrototypeOf(at), steps++) if (at === wanted) return true;
    return false;
  }
  function isAny(value: unknown, constructor: unknown): boolean {
    const name = typeof constructor === "function" ? String(member(constructor, "name")) : "";
    if (hasOwn(kinds, name) && typeof value === kinds[name] && (name !== "Object" || value !== null)) return true;
    return isInstance(value, constructor);
  }
  function containsAll(value: unknown, items: unknown): boolean {
    if (!isArray(value) || !isArray(items)) return false;
    for (let i = 0; i < items.length; i++) if (!contains(value, items[i], (a, b) => equals(a, b, 0))) return false;
    return true;
  }

  function matchesPart(value: any, part: any): boolean {
    const like = Like.of(part);
    if (like !== undefined) return like(value);
    if (!isObject(part) || !isObject(value) || ops.kind_of(part) !== "object") return isArray(part) && isArray(value) ? value.length === part.length && eachMatches(value, part) : isDeepEqual(value, part, false);
    return eachMatches(value, part);
  }
  function eachMatches(value: any, part: any): boolean {
    const keys = ownKeys(part);
    for (let i = 0; i < keys.length; i++) if (keys[i] !== "length" && (!hasOwn(value, keys[i]) || !matchesPart(value[keys[i]], part[keys[i]]))) return false;
    return true;
  }

  function contains(value: any, item: unknown, isEqual: (a: unknown, b: unknown) => boolean): boolean {
    if (typeof value === "string") return indexOf(value, domString(item)) >= 0;
    if (!isArray(value)) throw new TypeError("what is to contain something is a text or an array");
    for (let i = 0; i < value.length; i++) if (isEqual(value[i], item)) return true;
    return false;
  }

  /** As `toEqual` has it: what is `undefined` counts as not there. */
  function equals(a: any, b: any, depth: number): boolean {
    const like = Like.of(b);
    if (like !== undefined) return like(a);
    if (!isObject(a) || !isObject(b) || depth > 100) return isDeepEqual(a, b, true);
    const kind = ops.kind_of(a);
    if (kind !== ops.kind_of(b) || (kind !== "object" && kind !== "array")) return isDeepEqual(a, b, false);
    if (kind === "array" && (a as any).length !== (b as any).length) return false;
    const left = ownKeys(a), right = ownKeys(b);
    for (let i = 0; i < left.length; i++) if (!equals((a as any)[left[i]], (b as any)[left[i]], depth + 1)) return false;
    for (let i = 0; i < right.length; i++) if (!hasOwn(a, right[i]) && (b as any)[right[i]] !== undefined) return false;
    return true;
  }

  const same = (a: unknown, b: unknown): boolean => (a === b ? a !== 0 || 1 / (a as number) === 1 / (b as number) : a !== a && b !== b);

  function pathOf(path: unknown): string[] {
    const keys: string[] = list();
    if (isArray(path)) for (let i = 0; i < path.length; i++) push(keys, domString(path[i]));
    else {
      const text = domString(path);
      for (let from = 0; from <= text.length; ) {
        const dot = indexOf(text, ".", from), end = dot < 0 ? text.length : dot;
        push(keys, slice(text, from, end));
        from = end + 1;
      }
    }
    return keys;
  }

  function hasThrown(thrown: unknown, expected: unknown): boolean {
    if (expected === undefined) return true;
    if (typeof expected === "function") return isInstance(thrown, expected);
    const message = isObject(thrown) ? String(member(thrown, "message")) : String(thrown);
    return isObject(expected) && ops.kind_of(expected) === "error" ? message === String(member(expected, "message")) : matchesPattern(message, expected);
  }

  /** At once: throws unless the value is like this. */
  function ofValue(value: any, isNot: boolean, note: string): any {
    const check = (is: boolean, method: string, said: string): void => {
      if (is !== isNot) return;
      throw new ExpectError((note === "" ? "" : note + ": ") + "expect(" + inspect(value) + ")" + (isNot ? ".not." : ".") + method + "(" + said + ") does not hold");
    };
    const than = (method: string, is: (a: any, b: any) => boolean) => (other: unknown) => check(is(value, other), method, inspect(other));
    const no = (method: string, is: () => boolean) => () => check(is(), method, "");
    return {
      toBe: (other: unknown) => check(same(value, other), "toBe", inspect(other)),
      toEqual: (other: unknown) => check(equals(value, other, 0), "toEqual", inspect(other)),
      toStrictEqual: (other: unknown) => check(isDeepEqual(value, other, true), "toStrictEqual", inspect(other)),
      toMatchObject: (part: unknown) => check(matchesPart(value, part), "toMatchObject", inspect(part)),
      toContain: (item: unknown) => check(contains(value, item, same), "toContain", inspect(item)),
      toContainEqual: (item: unknown) => check(contains(value, item, (a, b) => equals(a, b, 0)), "toContainEqual", inspect(item)),
      toMatch: (pattern: unknown) => {
        const is = matchesPattern(value, pattern);
        check(is, "toMatch", inspect(pattern));
      },
      toHaveLength: (length: unknown) => check(value?.length === length, "toHaveLength", String(length)),
      toBeTruthy: no("toBeTruthy", () => !!value),
      toBeFalsy: no("toBeFalsy", () => !value),
      toBeNull: no("toBeNull", () => value === null),
      toBeUndefined: no("toBeUndefined", () => value === undefined),
      toBeDefined: no("toBeDefined", () => value !== undefined),
      toBeNaN: no("toBeNaN", () => value !== value),
      toBeGreaterThan: than("toBeGreaterThan", (a, b) => a > b),
      toBeGreaterThanOrEqual: than("toBeGreaterThanOrEqual", (a, b) => a >= b),
      toBeLessThan: than("toBeLessThan", (a, b) => a < b),
      toBeLessThanOrEqual: than("toBeLessThanOrEqual", (a, b) => a <= b),
      toBeCloseTo: (other: number, digits: number = 2) => check(closeTo(value, other, digits), "toBeCloseTo", String(other)),
      toBeInstanceOf: (constructor: unknown) => check(isInstance(value, constructor), "toBeInstanceOf", inspect(constructor)),
      toHaveProperty: (path: unknown, ...expected: unknown[]) => {
        const keys = pathOf(path);
        let at = value, isThere = true;
        for (let i = 0; i < keys.length && isThere; i++) {
          isThere = isObject(at) && keys[i] in (at as any);
          if (isThere) at = member(at, keys[i]);
        }
        check(isThere && (expected.length === 0 || equals(at, expected[0], 0)), "toHaveProperty", inspect(path));
      },
      toThrow: (expected: unknown = undefined) => {
        if (typeof value !== "function") throw new TypeError("toThrow is asked of a function");
        let thrown: any, did = false;
        try {
          apply(value, undefined, asArray(list()));
        } catch (error) {
          thrown = error;
          did = true;
        }
        check(did && hasThrown(thrown, expected), "toThrow", expected === undefined ? "" : inspect(expected));
      },
    };
  }

  function make(value: unknown, isNot: boolean, note: string, patience: number): any {
    const page = stateOf(value), answer = lookAt(value);
    if (answer !== undefined) return ofAnswer(answer, isNot, note);
    if (page !== undefined) return ofPage({ page, parts: list(), subject: "page", isNot, note, patience });
    if (isLocator(value)) return ofLocator({ page: Finder.pageOf(value), parts: Finder.partsOf(value), subject: Locator.said(value), isNot, note, patience });
    return ofValue(value, isNot, note);
  }
  function ofAnswer(answer: { url: string; status: number; statusText: string }, isNot: boolean, note: string): any {
    return {
      __proto__: null,
      toBeOK: async () => {
        const isOk = answer.status >= 200 && answer.status <= 299;
        if (isOk !== isNot) return;
        const what = (note === "" ? "" : note + ": ") + "expect(response)" + (isNot ? ".not" : "") + ".toBeOK";
        throw new ExpectError(what + " does not hold\nexpected: " + (isNot ? "no " : "") + "status from 200 to 299\nreceived: " + String(answer.status) + " " + answer.statusText + " from " + answer.url);
      },
    };
  }
  /** The same matchers; what fails is written to the console, and the script goes on. */
  function softly(matchers: any): any {
    const names = ownKeys(matchers), soft: any = { __proto__: null };
    const say = (error: any): void => {
      if (error.name !== "ExpectError") throw error;
      ops.console_write(ERROR, error.message);
    };
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      if (name === "not") soft.not = softly(matchers.not);
      else if (name !== "toPass" && typeof matchers[name] === "function") {
        soft[name] = (...given: unknown[]) => {
          try {
            const result = apply(matchers[name], matchers, given);
            return isObject(result) ? promiseThen(result as Promise<unknown>, undefined, say) : result;
          } catch (error) {
            say(error);
          }
        };
      }
    }
    return soft;
  }

  function both(value: unknown, note: string, patience: number): any {
    const matchers = make(value, false, note, patience);
    matchers.not = make(value, true, note, patience);
    return matchers;
  }

  /** The matchers of a value that is not known yet: each waits for it. */
  function later(value: () => Promise<unknown>, note: string, patience: ((attempt: () => Promise<void>) => Promise<void>) | undefined): any {
    const wrap = (isNot: boolean): any => {
      const names = ownKeys(ofValue(undefined, isNot, note)), matchers: any = { __proto__: null };
      for (let i = 0; i < names.length; i++) {
        const name = names[i] as string;
        matchers[name] = async (...given: unknown[]) => {
          const attempt = async () => {
            const known = ofValue(await value(), isNot, note);
            apply(known[name], known, given);
          };
          return patience === undefined ? await attempt() : await patience(attempt);
        };
      }
      return matchers;
    };
    const matchers = wrap(false);
    matchers.not = wrap(true);
    return matchers;
  }

  const pauses = [100, 250, 500, 1000];
  /** Tries again, ever less often, until it does not throw; `timeout` 0 is no end. */
  function until(timeout: number, intervals: unknown): (attempt: () => Promise<void>) => Promise<void> {
    const between: any = isArray(intervals) && intervals.length > 0 ? intervals : pauses;
    return async (attempt) => {
      const end = timeout === 0 ? Infinity : now() + timeout;
      for (let tries = 0; ; tries++) {
        try {
          return await attempt();
        } catch (error: any) {
          const pause = milliseconds(between[tries < between.length ? tries : between.length - 1], "an interval");
          if (now() + pause > end) throw error.name === "ExpectError" ? error : new ExpectError(String(error.message) + "\nit was tried " + String(tries + 1) + " times within " + String(timeout) + " ms");
          await new intrinsics.Promise<void>((resolve) => void ops.library_value("setTimeout")(resolve, pause));
        }
      }
    };
  }

  const like = (said: string, matches: (value: any) => boolean): Like => new Like(said, matches);
  /** Expectations that wait for so long where nothing else is said. */
  function made(patience: number, isSoft: boolean): any {
    function expect(value: unknown, message: unknown = undefined): any {
      const note = message === undefined ? "" : domString(message), all = both(value, note, patience), matchers = isSoft ? softly(all) : all;
      if (stateOf(value) !== undefined || isLocator(value) || lookAt(value) !== undefined) return matchers;
      // Promises are waited for when they are asked for.
      const settled = (): Promise<unknown> => promiseCall(async () => await (value as any), undefined, list());
      defineProperty(matchers, "resolves", { __proto__: null, get: () => later(settled, note, undefined), enumerable: false, configurable: true } as PropertyDescriptor);
      const reason = (): Promise<unknown> =>
        promiseThen(settled(), (given) => { throw new ExpectError("the promise was to be rejected, and gave " + inspect(given)); }, (error) => error);
      defineProperty(matchers, "rejects", {
        __proto__: null, enumerable: false, configurable: true,
        get: () => {
          const of = later(reason, note, undefined);
          // What it was rejected with is thrown, for this one.
          of.toThrow = async (expected: unknown = undefined) => {
            const thrown = await reason();
            ofValue(() => { throw thrown; }, false, note).toThrow(expected);
          };
          return of;
        },
      } as PropertyDescriptor);
      matchers.toPass = async (options: unknown = undefined) => {
        const given = optionsOf(options);
        if (typeof value !== "function") throw new TypeError("toPass is asked of a function");
        return await until(given.timeout === undefined ? 0 : milliseconds(given.timeout, "timeout"), given.intervals)(async () => void (await promiseCall(value, undefined, list())));
      };
      return matchers;
    }

    expect.soft = (value: unknown, message: unknown = undefined): any => softly(both(value, message === undefined ? "" : domString(message), patience));
    expect.poll = (value: unknown, options: unknown = undefined): any => {
      if (typeof value !== "function") throw new TypeError("what is polled is a function");
      const given = typeof options === "string" ? { __proto__: null, message: options } as any : optionsOf(options);
      const timeout = given.timeout === undefined ? patience : milliseconds(given.timeout, "timeout");
      return later(() => promiseCall(value, undefined, list()), given.message === undefined ? "" : domString(given.message), until(timeout, given.intervals));
    };
    expect.anything = () => like("anything", (value) => value !== null && value !== undefined);
    expect.any = (constructor: unknown) => like("any " + String(isObject(constructor) ? member(constructor, "name") : constructor), (value) => isAny(value, constructor));
    expect.objectContaining = (part: object) => like("an object with " + inspect(part), (value) => isObject(value) && matchesPart(value, part));
    expect.arrayContaining = (items: unknown[]) => like("an array with " + inspect(items), (value) => containsAll(value, items));
    expect.stringContaining = (part: unknown) => like("a text with " + inspect(part), (value) => typeof value === "string" && indexOf(value, domString(part)) >= 0);
    expect.stringMatching = (pattern: unknown) => like("a text like " + inspect(pattern), (value) => matchesPattern(value, pattern));
    expect.closeTo = (other: number, digits: number = 2) => like("close to " + String(other), (value) => closeTo(value, other, digits));
    /** Others, with something set. */
    expect.configure = (options: unknown): any => {
      const { timeout, soft } = optionsOf(options);
      return made(timeout === undefined ? patience : milliseconds(timeout, "timeout"), soft === undefined ? isSoft : soft === true);
    };
    return expect;
  }
  return { expect: made(PATIENCE, false) };
};
