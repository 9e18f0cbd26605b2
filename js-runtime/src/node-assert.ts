// node:assert: https://nodejs.org/api/assert.html
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { apply, defineProperty, Error, has, getOwnPropertyDescriptor, ownKeys, preventExtensions, regExpExec, String, TypeError } = intrinsics;
  const { callback, coded, define, hidden, leaveOut, wrongType }: NodeShared = ops.library_value("nodeShared");
  const { isObject } = ops.library_value("webidl");
  const { inspect } = ops.library_value("inspector");
  const deepEqual: (a: unknown, b: unknown, strict: boolean) => boolean = ops.library_value("deepEqual");

  class AssertionError extends Error {
    generatedMessage: boolean;
    code = "ERR_ASSERTION";
    actual: unknown;
    expected: unknown;
    operator: unknown;
    constructor(options: any) {
      if (!isObject(options)) throw wrongType("options", "of type object", options);
      const { message, actual, expected, operator }: any = options;
      super(message === undefined ? "Failed" : String(message));
      this.generatedMessage = message === undefined;
      this.actual = actual;
      this.expected = expected;
      this.operator = operator;
    }
  }
  hidden(AssertionError.prototype, "name", "AssertionError");

  function failed(message: unknown, generated: string, operator: string, actual: unknown, expected: unknown): never {
    if (isObject(message) && ops.kind_of(message) === "error") throw message;
    const error = new AssertionError({ message: message === undefined ? generated : message, actual, expected, operator });
    error.generatedMessage = message === undefined;
    throw error;
  }
  const shown = (value: unknown) => inspect(value, 3);
  const apart = (what: string, a: unknown, b: unknown) => {
    const left = shown(a), right = shown(b);
    return left === right ? what + " (both are shown as " + left + ")" : what + ":\n\n" + left + "\n\nshould be\n\n" + right + "\n";
  };
  const short = (what: string, a: unknown, operator: string, b: unknown) => what + ":\n\n" + shown(a) + " " + operator + " " + shown(b) + "\n";

  function ok(value: unknown, message: unknown = undefined): void {
    if (!value) failed(message, arguments.length === 0 ? "No value argument passed to `assert.ok()`" : "The expression evaluated to a falsy value: " + shown(value), "==", value, true);
  }
  const same = (a: unknown, b: unknown) => (a === b ? a !== 0 || 1 / (a as number) === 1 / (b as number) : a !== a && b !== b);

  const isInstance = (value: unknown, constructor: any): boolean => {
    const { prototype } = constructor;
    if (prototype === undefined || !isObject(value)) return false;
    for (let at: object | null = value, i = 0; at !== null && i < 100; at = intrinsics.getPrototypeOf(at), i++) if (at === prototype) return true;
    return false;
  };

  /** Whether what was thrown is what was expected; what is not that is thrown. */
  function expected(thrown: any, wanted: any, message: unknown, name: string): void {
    if (wanted === undefined) return;
    if (typeof wanted === "function") {
      if (isInstance(thrown, wanted)) return;
      // A class of errors says by itself what is wrong.
      for (let at: object | null = wanted, i = 0; at !== null && i < 100; at = intrinsics.getPrototypeOf(at), i++) {
        if (at === Error) return failed(message, "The error is expected to be an instance of \"" + wanted.name + "\". Received " + shown(thrown), name, thrown, wanted);
      }
      if (apply(wanted, {}, [thrown]) !== true) failed(message, "The validation function is expected to return \"true\". Received for " + shown(thrown), name, thrown, wanted);
      return;
    }
    if (!isObject(wanted)) throw wrongType("expected", "of type function or an instance of Error, RegExp, or Object", wanted);
    if (ops.kind_of(wanted) === "regexp") {
      if (regExpExec(wanted as unknown as RegExp, String(thrown)) === null) failed(message, "The input did not match the regular expression " + shown(wanted) + ". Input:\n\n" + shown(String(thrown)) + "\n", name, thrown, wanted);
      return;
    }
    const keys = ownKeys(wanted), given: any = wanted, isError = ops.kind_of(wanted) === "error";
    if (keys.length === 0 && !isError) {
      throw coded(new TypeError("The argument 'error' may not be an empty object. Received {}"), "ERR_INVALID_ARG_VALUE");
    }
    if (!isObject(thrown)) failed(message, "The error is expected to be an object with the properties of " + shown(wanted) + ". Received " + shown(thrown), name, thrown, wanted);
    const check = (key: PropertyKey) => {
      if (!has(thrown, key)) failed(message, "The error has no \"" + String(key) + "\"", name, thrown, wanted);
      const mine = isObject(thrown) ? (thrown as any)[key] : undefined;
      const matches = isObject(given[key]) && ops.kind_of(given[key]) === "regexp" && typeof mine === "string" ? regExpExec(given[key] as RegExp, mine) !== null : deepEqual(mine, given[key], true);
      if (!matches) failed(message, "The error's \"" + String(key) + "\" is " + shown(mine) + " and not " + shown(given[key]), name, thrown, wanted);
    };
    if (isError) {
      check("name");
      check("message");
    }
    for (let i = 0; i < keys.length; i++) if (getOwnPropertyDescriptor(given, keys[i])!.enumerable) check(keys[i]);
  }
  /** Of `throws(f, 'text')` the text is the message. */
  const parts = (wanted: unknown, message: unknown): { wanted: unknown; message: unknown } => (typeof wanted === "string" ? { wanted: undefined, message: wanted } : { wanted, message });
  /** It is not the text of the error that is expected. */
  function unambiguous(given: unknown, error: any): void {
    if (typeof given !== "string" || given !== (isObject(error) ? (error as any).message : error)) return;
    throw coded(new TypeError("The \"error/message\" argument is ambiguous. The error message \"" + given + "\" is identical to the message."), "ERR_AMBIGUOUS_ARGUMENT");
  }
  /** A comparison, which needs two values. */
  const two = (compare: (a: any, b: any, message?: unknown) => void) =>
    function (a: unknown, b: unknown, message: unknown = undefined) {
      if (arguments.length < 2) throw coded(new TypeError("The \"actual\" and \"expected\" arguments must be specified"), "ERR_MISSING_ARGS");
      compare(a, b, message);
    };
  async function outcome(promise: unknown): Promise<{ threw: boolean; error: unknown }> {
    if (typeof promise !== "function" && !(isObject(promise) && typeof (promise as any).then === "function")) throw wrongType("promiseFn", "of type function or an instance of Promise", promise);
    // What a function throws at once is no rejection.
    const waited: any = typeof promise === "function" ? apply(promise, undefined, []) : promise;
    if (!isObject(waited) || typeof (waited as any).then !== "function") {
      throw coded(new TypeError("Expected instance of Promise to be returned from the \"promiseFn\" function but got " + shown(waited) + "."), "ERR_INVALID_RETURN_VALUE");
    }
    try {
      await intrinsics.promiseResolve(waited);
      return { __proto__: null, threw: false, error: undefined } as any;
    } catch (error) {
      return { __proto__: null, threw: true, error } as any;
    }
  }
  const missing = (name: string, wanted: any) => "Missing expected " + (name === "rejects" ? "rejection" : "exception") + (typeof wanted === "function" && wanted.name ? " (" + wanted.name + ")." : ".");
  const unwanted = (error: any) => "Got unwanted exception.\nActual message: \"" + (isObject(error) ? String((error as any).message) : String(error)) + "\"";

  const functions: any = {
    __proto__: null, ok,
    fail: (message: unknown = undefined) => failed(message, "Failed", "fail", undefined, undefined),
    equal: two((a: any, b: any, message?: unknown) => { if (!(a == b || (a !== a && b !== b))) failed(message, short("Expected values to be loosely equal", a, "!=", b), "==", a, b); }),
    notEqual: two((a: any, b: any, message?: unknown) => { if (a == b || (a !== a && b !== b)) failed(message, short("Expected \"actual\" to be loosely unequal to", a, "==", b), "!=", a, b); }),
    strictEqual: two((a: unknown, b: unknown, message?: unknown) => { if (!same(a, b)) failed(message, short("Expected values to be strictly equal", a, "!==", b), "strictEqual", a, b); }),
    notStrictEqual: two((a: unknown, b: unknown, message?: unknown) => { if (same(a, b)) failed(message, "Expected \"actual\" to be strictly unequal to: " + shown(b), "notStrictEqual", a, b); }),
    deepEqual: two((a: unknown, b: unknown, message?: unknown) => { if (!deepEqual(a, b, false)) failed(message, apart("Expected values to be loosely deep-equal", a, b), "deepEqual", a, b); }),
    notDeepEqual: two((a: unknown, b: unknown, message?: unknown) => { if (deepEqual(a, b, false)) failed(message, "Expected \"actual\" not to be loosely deep-equal to: " + shown(b), "notDeepEqual", a, b); }),
    deepStrictEqual: two((a: unknown, b: unknown, message?: unknown) => { if (!deepEqual(a, b, true)) failed(message, apart("Expected values to be strictly deep-equal", a, b), "deepStrictEqual", a, b); }),
    notDeepStrictEqual: two((a: unknown, b: unknown, message?: unknown) => { if (deepEqual(a, b, true)) failed(message, "Expected \"actual\" not to be strictly deep-equal to: " + shown(b), "notDeepStrictEqual", a, b); }),
    match: (text: unknown, expression: any, message?: unknown) => {
      if (!isObject(expression) || ops.kind_of(expression) !== "regexp") throw wrongType("regexp", "an instance of RegExp", expression);
      if (typeof text !== "string" || regExpExec(expression as unknown as RegExp, text) === null) failed(message, "The input did not match the regular expression " + shown(expression) + ". Input:\n\n" + shown(text) + "\n", "match", text, expression);
    },
    doesNotMatch: (text: unknown, expression: any, message?: unknown) => {
      if (!isObject(expression) || ops.kind_of(expression) !== "regexp") throw wrongType("regexp", "an instance of RegExp", expression);
      if (typeof text !== "string" || regExpExec(expression as unknown as RegExp, text) !== null) failed(message, "The input was expected to not match the regular expression " + shown(expression) + ". Input:\n\n" + shown(text) + "\n", "doesNotMatch", text, expression);
    },
    throws: (run: unknown, wanted?: unknown, message?: unknown) => {
      const given = parts(wanted, message), called = callback(run, "fn");
      let threw = true, error: unknown;
      try {
        apply(called, undefined, []);
        threw = false;
      } catch (thrown) {
        error = thrown;
      }
      if (!threw) failed(given.message, missing("throws", given.wanted), "throws", undefined, given.wanted);
      unambiguous(wanted, error);
      expected(error, given.wanted, given.message, "throws");
    },
    doesNotThrow: (run: unknown, wanted?: unknown, message?: unknown) => {
      const given = parts(wanted, message), called = callback(run, "fn");
      try {
        apply(called, undefined, []);
      } catch (error) {
        if (typeof given.wanted === "function" && !isInstance(error, given.wanted)) throw error;
        failed(given.message, unwanted(error), "doesNotThrow", error, given.wanted);
      }
    },
    rejects: async (promise: unknown, wanted?: unknown, message?: unknown) => {
      const given = parts(wanted, message), { threw, error } = await outcome(promise);
      if (!threw) failed(given.message, missing("rejects", given.wanted), "rejects", undefined, given.wanted);
      unambiguous(wanted, error);
      expected(error, given.wanted, given.message, "rejects");
    },
    doesNotReject: async (promise: unknown, wanted?: unknown, message?: unknown) => {
      const given = parts(wanted, message), { threw, error } = await outcome(promise);
      if (threw && typeof given.wanted === "function" && !isInstance(error, given.wanted)) throw error;
      if (threw) failed(given.message, unwanted(error), "doesNotReject", error, given.wanted);
    },
    ifError: (error: any) => {
      if (error === null || error === undefined) return;
      failed(undefined, "ifError got unwanted exception: " + (isObject(error) && typeof (error as any).message === "string" ? (error as any).message : shown(error)), "ifError", error, null);
    },
    AssertionError,
  };

  function made(isStrict: boolean): any {
    const assert: any = function (value: unknown, message: unknown = undefined) {
      if (!value) failed(message, "The expression evaluated to a falsy value: " + shown(value), "==", value, true);
    };
    defineProperty(assert, "name", { __proto__: null, value: isStrict ? "strict" : "assert", configurable: true } as PropertyDescriptor);
    define(assert, functions);
    const { strictEqual, notStrictEqual, deepStrictEqual, notDeepStrictEqual } = functions;
    if (isStrict) define(assert, { __proto__: null, equal: strictEqual, notEqual: notStrictEqual, deepEqual: deepStrictEqual, notDeepEqual: notDeepStrictEqual });
    leaveOut(assert, "assert", ["CallTracker", "partialDeepStrictEqual"], "compare what you need");
    return assert;
  }
  const assert = made(false), strict = made(true);
  define(assert, { __proto__: null, strict });
  define(strict, { __proto__: null, strict });
  preventExtensions(AssertionError);
  return { "node:assert": intrinsics.freeze(assert), "node:assert/strict": intrinsics.freeze(strict) };
};
