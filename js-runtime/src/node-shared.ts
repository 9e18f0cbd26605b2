// What the modules of Node.js have in common: https://nodejs.org/api/
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { defineProperty, Error, list, ownKeys, push, RangeError, TypeError } = intrinsics;
  const { inspect } = ops.library_value("inspector");

  function coded<T extends Error>(error: T, code: string): T {
    defineProperty(error, "code", { __proto__: null, value: code, writable: true, enumerable: true, configurable: true } as PropertyDescriptor);
    return error;
  }

  /** What a value is, in the words of Node's messages. */
  function received(value: unknown): string {
    if (value === null || value === undefined) return "Received " + value;
    if (typeof value === "function") return "Received function " + (value as Function).name;
    if (typeof value === "object") return "Received " + inspect(value, -1);
    return "Received type " + typeof value + " (" + inspect(value) + ")";
  }
  const wrongType = (name: string | undefined, wanted: string, value: unknown) => {
    const which = name === undefined ? "first" : "\"" + name + "\"";
    return coded(new TypeError("The " + which + " argument must be " + wanted + ". " + received(value)), "ERR_INVALID_ARG_TYPE");
  };
  const outOfRange = (name: string, wanted: string, value: unknown) =>
    coded(new RangeError("The value of \"" + name + "\" is out of range. It must be " + wanted + ". Received " + inspect(value)), "ERR_OUT_OF_RANGE");

  function text(value: unknown, name: string): string {
    if (typeof value !== "string") throw wrongType(name, "of type string", value);
    return value;
  }
  function callback(value: unknown, name: string): Function {
    if (typeof value !== "function") throw wrongType(name, "of type function", value);
    return value;
  }

  /** Puts functions where Node has some that are not here: they say so. */
  function leaveOut(target: object, module: string, names: readonly string[], instead: string): void {
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const missing = () => {
        throw coded(new Error(module + "." + name + " is not here: " + instead), "ERR_METHOD_NOT_IMPLEMENTED");
      };
      defineProperty(target, name, { __proto__: null, value: missing, writable: true, enumerable: false, configurable: true } as PropertyDescriptor);
    }
  }

  function hidden(target: object, name: PropertyKey, value: unknown): void {
    defineProperty(target, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true } as PropertyDescriptor);
  }

  /** Gives an object the properties of another, whatever stands on its prototypes. */
  function define<T extends object>(target: T, source: object): T {
    const names = ownKeys(source);
    for (let i = 0; i < names.length; i++) {
      defineProperty(target, names[i], { __proto__: null, value: (source as any)[names[i]], writable: true, enumerable: true, configurable: true } as PropertyDescriptor);
    }
    return target;
  }

  /** Parts of a text between separators. */
  function split(whole: string, separator: string): string[] {
    const parts: string[] = list();
    for (let from = 0; ; ) {
      const at = intrinsics.indexOf(whole, separator, from);
      push(parts, at < 0 ? intrinsics.slice(whole, from) : intrinsics.slice(whole, from, at));
      if (at < 0) return parts;
      from = at + separator.length;
    }
  }

  const nodeShared: NodeShared = { callback, coded, define, hidden, leaveOut, outOfRange, received, split, text, wrongType };
  return { nodeShared };
};
