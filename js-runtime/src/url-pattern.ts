// URLPattern: https://urlpattern.spec.whatwg.org/
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asArray, defineProperty, hasOwn, list, push, regExpExec, RegExp, TypeError } = intrinsics;
  const { defineInterface, dictionary, isObject, usvString } = ops.library_value("webidl");

  const NAMES = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"];
  interface Component {
    pattern: string;
    expression: RegExp;
    names: string[];
  }

  /** What is matched or made a pattern of: a text, or the parts that an object has. */
  function inputOf(value: unknown): string | object {
    if (!isObject(value)) return usvString(value);
    const given: any = dictionary(value, "the pattern"), init: any = { __proto__: null };
    if (ops.library_value("hrefOf")(value) !== undefined) return usvString(value);
    for (let i = 0; i < NAMES.length; i++) if (given[NAMES[i]] !== undefined) init[NAMES[i]] = usvString(given[NAMES[i]]);
    if (given.baseURL !== undefined) init.baseURL = usvString(given.baseURL);
    return init;
  }
  /** QuickJS takes `-` and `::` for a part of a class wherever they stand, if the flag is `v`. */
  function compiled(source: string, ignoreCase: boolean, name: string): RegExp {
    const flags = ignoreCase ? "i" : "";
    try {
      return new RegExp(source, "v" + flags);
    } catch {}
    try {
      return new RegExp(source, "u" + flags);
    } catch (error: any) {
      throw new TypeError("the " + name + " of the pattern has no valid regular expression: " + error.message);
    }
  }
  const matched = (input: string | object, base: string | undefined): string[] | null => ops.pattern_input(input, base);

  class URLPattern {
    #components: Component[] = list();
    #hasRegExpGroups: boolean;

    constructor(input: unknown = undefined, baseOrOptions: unknown = undefined, options: unknown = undefined) {
      const hasBase = baseOrOptions !== undefined && !isObject(baseOrOptions);
      const given = dictionary(hasBase ? options : baseOrOptions, "the options of URLPattern"), ignoreCase = !!given.ignoreCase;
      const parsed = ops.pattern_parse(inputOf(input === undefined ? {} : input), hasBase ? usvString(baseOrOptions) : undefined, ignoreCase);
      for (let i = 0; i < NAMES.length; i++) {
        const component = parsed.components[i];
        push(this.#components, { pattern: component[0], expression: compiled(component[1], ignoreCase, NAMES[i]), names: component[2] });
      }
      this.#hasRegExpGroups = parsed.hasRegExpGroups;
    }

    test(input: unknown = undefined, base: unknown = undefined): boolean {
      const components = this.#components, values = matched(inputOf(input === undefined ? {} : input), base === undefined ? undefined : usvString(base));
      if (values === null) return false;
      for (let i = 0; i < NAMES.length; i++) if (regExpExec(components[i].expression, values[i]) === null) return false;
      return true;
    }

    exec(input: unknown = undefined, base: unknown = undefined) {
      const components = this.#components, given = inputOf(input === undefined ? {} : input), text = base === undefined ? undefined : usvString(base), values = matched(given, text);
      if (values === null) return null;
      const inputs: unknown[] = list(), result: any = {};
      const put = (name: string, value: unknown) => defineProperty(result, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true } as PropertyDescriptor);
      push(inputs, isObject(given) ? shown(given) : given);
      if (text !== undefined) push(inputs, text);
      put("inputs", asArray(inputs));
      for (let i = 0; i < NAMES.length; i++) {
        const found = regExpExec(components[i].expression, values[i]);
        if (found === null) return null;
        const groups: any = {};
        for (let j = 0; j < components[i].names.length; j++) defineProperty(groups, components[i].names[j], { __proto__: null, value: found[j + 1], writable: true, enumerable: true, configurable: true } as PropertyDescriptor);
        put(NAMES[i], { input: values[i], groups });
      }
      return result;
    }

    get protocol() { return this.#components[0].pattern; }
    get username() { return this.#components[1].pattern; }
    get password() { return this.#components[2].pattern; }
    get hostname() { return this.#components[3].pattern; }
    get port() { return this.#components[4].pattern; }
    get pathname() { return this.#components[5].pattern; }
    get search() { return this.#components[6].pattern; }
    get hash() { return this.#components[7].pattern; }
    get hasRegExpGroups() { return this.#hasRegExpGroups; }
  }
  const shown = (init: any) => {
    const copy: any = { __proto__: null };
    for (let i = 0; i < NAMES.length; i++) if (hasOwn(init, NAMES[i])) copy[NAMES[i]] = init[NAMES[i]];
    if (hasOwn(init, "baseURL")) copy.baseURL = init.baseURL;
    intrinsics.setPrototypeOf(copy, intrinsics.getPrototypeOf({}));
    return copy;
  };

  defineInterface(URLPattern, "URLPattern");
  return { URLPattern };
};
