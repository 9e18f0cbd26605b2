// The helper that prepared cells call: top-level names are configurable properties of the global object.
(function (ops, intrinsics, hooks, global) {
  "use strict";
  const {
    apply, asyncDispose: asyncDisposeKey, defineProperty, dispose: disposeKey, freeze, functionToString, getOwnPropertyDescriptor, has, join,
    ownKeys, pop, promiseThen, push, setAdd, setDelete, setHas, slice, Set, SuppressedError, SyntaxError, TypeError,
  } = intrinsics;

  // Enums and namespaces, which later cells go on with.
  const begun = new Set();

  function define(name, value, writable) {
    setDelete(begun, name);
    put(name, { __proto__: null, value, writable, enumerable: true, configurable: true });
  }

  function put(name, descriptor) {
    if (!defineProperty(global, name, descriptor)) throw new TypeError(`'${name}' cannot be declared: globalThis does not take it`);
  }

  function defineAll(fields, writable) {
    const names = ownKeys(fields);
    for (let i = 0; i < names.length; i++) define(names[i], fields[names[i]], writable);
  }

  // One disposal of a `using`; `method` may be missing for null and undefined.
  function disposable(value, isAsync) {
    if (value === null || value === undefined) return { __proto__: null, value, method: undefined, isAsync };
    let method = isAsync ? value[asyncDisposeKey] : undefined;
    if (method === undefined || method === null) method = value[disposeKey];
    if (typeof method !== "function") throw new TypeError("the value of a `using` declaration has no dispose method");
    return { __proto__: null, value, method, isAsync };
  }

  class Scope {
    stack = [];
    threw = false;
    error = undefined;
    using(fields) { this.add(fields, false); }
    usingAsync(fields) { this.add(fields, true); }
    add(fields, isAsync) {
      const names = ownKeys(fields);
      for (let i = 0; i < names.length; i++) {
        const value = fields[names[i]];
        push(this.stack, disposable(value, isAsync));
        define(names[i], value, false);
      }
    }
    failed(error) {
      this.error = this.threw ? new SuppressedError(error, this.error) : error;
      this.threw = true;
    }
    dispose() {
      while (this.stack.length > 0) {
        const { value, method } = pop(this.stack);
        if (method === undefined) continue;
        try { apply(method, value, []); } catch (error) { this.failed(error); }
      }
      if (this.threw) throw this.error;
    }
    async disposeAsync() {
      while (this.stack.length > 0) {
        const { value, method, isAsync } = pop(this.stack);
        try {
          const result = method === undefined ? undefined : apply(method, value, []);
          if (isAsync) await result;
        } catch (error) { this.failed(error); }
      }
      if (this.threw) throw this.error;
    }
  }

  function bind(specifier, namespace, local, imported) {
    setDelete(begun, local);
    if (imported === "*") return define(local, namespace, false);
    put(local, {
      __proto__: null,
      enumerable: true,
      configurable: true,
      get() {
        if (has(namespace, imported)) return namespace[imported];
        const names = ownKeys(namespace), known = [];
        for (let i = 0; i < names.length && i < 30; i++) if (typeof names[i] === "string") push(known, names[i]);
        throw new SyntaxError(`'${specifier}' has no export '${imported}'; it exports ${join(known, ", ") || "nothing"}`);
      },
      set() { throw new TypeError(`'${local}' is an import and cannot be assigned to`); },
    });
  }

  return {
    helper: freeze({
      __proto__: null,
      let(fields) { defineAll(fields, true); },
      const(fields) { defineAll(fields, false); },
      // Keeps the value of a name that is there already, as `var` does.
      var(names) {
        for (let i = 0; i < names.length; i++) {
          const known = getOwnPropertyDescriptor(global, names[i]);
          if (known === undefined || (known.enumerable && known.get !== undefined)) define(names[i], undefined, true);
          else if (known.writable === false) define(names[i], known.value, true);
        }
      },
      functions(fields) {
        const names = ownKeys(fields);
        for (let i = 0; i < names.length; i++) {
          const name = names[i];
          defineProperty(fields[name], "name", { __proto__: null, value: name, configurable: true });
          define(name, fields[name], true);
        }
      },
      merge(names) {
        for (let i = 0; i < names.length; i++) {
          if (!setHas(begun, names[i])) define(names[i], undefined, true);
          setAdd(begun, names[i]);
        }
      },
      scope: () => new Scope(),
      import: (specifier, kind, bindings) =>
        promiseThen(ops.module_import(undefined, specifier, kind), (namespace) => {
          for (let i = 0; i < bindings.length; i++) bind(specifier, namespace, bindings[i][0], bindings[i][1]);
        }),
      load: (specifier, options) => ops.module_import(undefined, specifier, options?.with?.type),
      // What entries ask for.
      namespace: (specifier, kind) => ops.module_import(undefined, specifier, kind),
      result(value, args) {
        if (typeof value !== "function") return value;
        if (slice(functionToString(value), 0, 5) === "class") {
          throw new TypeError("the default export is a class: export a function, which is called with the arguments, or a value");
        }
        return apply(value, undefined, [args]);
      },
      meta: freeze({ __proto__: null }),
    }),
    // `import(…)` of a module. Not part of the helper, which scripts can get at: what it is called with decides whose files are read.
    importer: (key) => (specifier, options) => ops.module_import(key, specifier, options?.with?.type),
  };
})
