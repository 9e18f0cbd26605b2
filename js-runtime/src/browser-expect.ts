// expect: what is to hold, of pages and locators until it does, of values at once.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { defineProperty, hasOwn, indexOf, isArray, list, ownKeys, regExpExec, regExpFlags, regExpSource, RegExp, String, stringify, TypeError, Error } = intrinsics;
  const { domString, isObject } = ops.library_value("webidl");
  const { ask, isLocator, listed, milliseconds, optionsOf, Finder }: BrowserLocators = ops.library_value("browserLocators");
  const selectors: BrowserSelectors = ops.library_value("browserSelectors");
  const { stateOf }: BrowserPages = ops.library_value("browserPages");
  const isDeepEqual: (a: unknown, b: unknown, strict: boolean) => boolean = ops.library_value("deepEqual");

  const PATIENCE = 5_000;

  class ExpectError extends Error {}
  defineProperty(ExpectError.prototype, "name", { __proto__: null, value: "ExpectError", writable: true, configurable: true } as PropertyDescriptor);

  const inspect = (value: unknown): string => ops.library_value("inspector").inspect(value);
  const shown = (match: any): string => (match === undefined ? "" : match.source !== undefined ? "/" + match.source + "/" + match.flags : stringify(match.text));

  // ---- pages and locators -------------------------------------------------------------------------------------------------------------

  interface Expectation {
    readonly page: BrowserPageState;
    readonly parts: any[];
    readonly isNot: boolean;
    readonly note: string;
  }

  async function holds(of: Expectation, matcher: string, method: string, how: any, said: string, options: any): Promise<void> {
    const timeout = options.timeout === undefined ? PATIENCE : milliseconds(options.timeout, "timeout");
    const action = { __proto__: null, do: "expect", selector: of.parts, strict: true, timeout, matcher, isNot: of.isNot, how };
    const subject = of.parts.length > 0 ? selectors.describe(of.parts) : "page";
    const what = (of.note === "" ? "" : of.note + ": ") + "expect(" + subject + ")" + (of.isNot ? ".not." : ".") + method;
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
      toHaveRole: async (role: unknown, options: unknown = undefined) => await holds(of, "role", "toHaveRole", { __proto__: null, role: domString(role) }, domString(role), optionsOf(options)),
      toHaveAccessibleName: matched("name", "toHaveAccessibleName"),
      toHaveAccessibleDescription: matched("description", "toHaveAccessibleDescription"),
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

  function matchesPart(value: any, part: any): boolean {
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
        const is = typeof pattern === "string" ? indexOf(domString(value), pattern) >= 0 : regExpExec(new RegExp(regExpSource(pattern as RegExp), regExpFlags(pattern as RegExp)), domString(value)) !== null;
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
      toBeCloseTo: (other: number, digits: number = 2) => check(value - other < 10 ** -digits / 2 && other - value < 10 ** -digits / 2, "toBeCloseTo", String(other)),
    };
  }

  function make(value: unknown, isNot: boolean, note: string): any {
    const page = stateOf(value);
    if (page !== undefined) return ofPage({ page, parts: list(), isNot, note });
    if (isLocator(value)) return ofLocator({ page: Finder.pageOf(value), parts: Finder.partsOf(value), isNot, note });
    return ofValue(value, isNot, note);
  }

  function expect(value: unknown, message: unknown = undefined): any {
    const note = message === undefined ? "" : domString(message), matchers = make(value, false, note);
    matchers.not = make(value, true, note);
    return matchers;
  }
  return { expect };
};
