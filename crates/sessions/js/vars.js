// vars: durable values of the session. The host keeps them; what is read is a copy.
(function (ops, intrinsics) {
  "use strict";
  const { apply, freeze, Error, Object, Proxy, String, TypeError } = intrinsics;
  // Nobody but the host writes while a script runs, and never so often.
  const MAX_TRIES = 100;
  // Many who mean `vars.set("a", 1)` write `vars.a = 1`.
  const told = new Proxy(Object.prototype, {
    __proto__: null,
    set(_, name) {
      throw new TypeError("'" + String(name) + "' cannot be assigned to vars: write vars.set(\"name\", value) and vars.get(\"name\")");
    },
  });
  const vars = {
    __proto__: told,
    get: (name) => ops.vars_get(name),
    set: (name, value) => { ops.vars_set(name, value); },
    has: (name) => ops.vars_has(name),
    delete: (name) => ops.vars_delete(name),
    keys: () => ops.vars_keys(),
    clear: () => { ops.vars_clear(); },
    // Reads, calls fn with the value, and writes what it returns, unless somebody else wrote meanwhile: then again.
    update(name, fn) {
      if (typeof fn !== "function") throw new TypeError("vars.update(name, fn) needs a function");
      for (let i = 0; i < MAX_TRIES; i++) {
        const version = ops.vars_version(name);
        const next = apply(fn, undefined, [ops.vars_get(name)]);
        if (ops.vars_replace(name, version, next)) return next;
      }
      throw new Error("vars.update: " + String(name) + " was written by somebody else each time; does fn write it itself?");
    },
  };
  return { vars: freeze(vars) };
})
