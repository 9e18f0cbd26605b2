// tools: what plugins offer. Plugins are evaluated when one of their tools is first called.
(function (ops, intrinsics, hooks, global) {
  "use strict";
  const { apply, defineProperty, now, freeze, getPrototypeOf, hasOwn, ownKeys, Error, PermissionError, Promise, String } = intrinsics;
  const startTimer = ops.library_value("setTimeout"), stopTimer = ops.library_value("clearTimeout");
  const { plugins, capabilities, startMs } = ops.tools_manifest();
  const instances = { __proto__: null }, starting = { __proto__: null };

  // Scripts may have changed every prototype there is. What a plugin is made of and what is handed to it are its own: only own properties
  // are read, only what the library kept is called, and `await` gets promises whose `constructor` it need not look for on a prototype.
  const own = (object, key) => (hasOwn(object, key) ? object[key] : undefined);
  const message = (error) => String(error?.message ?? error);

  // What stands in a plugin's context: what the library makes of its name or, where whoever embeds this serves it, a call or calls of that.
  function granted(name, { key, context, maker, served }) {
    if (served.length === 0) return ops.library_value(maker)(name);
    const use = (method) => (...args) => ops.tools_served(name, key, method, args);
    if (served.length === 1 && served[0] === context) return use(context);
    const value = { __proto__: null };
    for (let i = 0; i < served.length; i++) value[served[i]] = served.length === 1 ? use(served[i]) : inTurn(use(served[i]));
    return freeze(value);
  }

  // What several methods give back may be large, and is held outside the heap until it is delivered.
  let gate;
  function inTurn(use) {
    return async (...args) => {
      gate ??= ops.library_value("queues").gate(4);
      await gate.turn();
      try {
        return await apply(use, undefined, args);
      } finally {
        gate.done();
      }
    };
  }

  // What a plugin may use: its own capabilities as values. Nothing here looks at who runs at the moment.
  function context(name, version) {
    const made = { __proto__: null, plugin: freeze({ __proto__: null, name, version }) };
    for (let i = 0; i < capabilities.length; i++) {
      const capability = capabilities[i];
      let value, isMade = false;
      const get = () => {
        if (!isMade) {
          value = granted(name, capability);
          isMade = true;
        }
        return value;
      };
      defineProperty(made, capability.context, { __proto__: null, get, enumerable: true });
    }
    return freeze(made);
  }

  // Resolves to nothing: a promise can be got hold of, what it resolves to is then no secret.
  async function start(name) {
    const { specifier, version, tools } = plugins[name];
    try {
      // Whoever started it has to have noted so.
      await undefined;
      const namespace = await ops.module_import(undefined, specifier, undefined);
      const definition = namespace.default, offered = own(definition, "tools");
      const ctx = context(name, version), handlers = { __proto__: null }, names = ownKeys(tools);
      for (let i = 0; i < names.length; i++) {
        const tool = own(offered, names[i]);
        // Removed since the plugin was loaded; the others are there all the same.
        if (tool === undefined) continue;
        handlers[names[i]] = { __proto__: null, tool, run: own(tool, "run") };
      }
      const setup = own(definition, "setup");
      if (setup !== undefined) await apply(setup, definition, [ctx]);
      instances[name] = { __proto__: null, handlers, ctx };
    } catch (error) {
      advise(name, error);
      // The next call tries again.
      delete starting[name];
      throw new Error("plugin " + name + " did not start: " + message(error), { cause: error });
    }
  }

  async function handle({ name, tool, number, hasOutput }, given) {
    const args = ops.tools_arguments(number, given);
    if (instances[name] === undefined) {
      starting[name] ??= start(name);
      await within(() => starting[name], startMs, "plugin " + name + " did not start: its setup");
    }
    const { handlers, ctx } = instances[name], handler = handlers[tool];
    if (handler === undefined) throw new Error("the code of plugin " + name + " has no tool " + tool + " any more: plugins have to be loaded again");
    let value;
    try {
      value = await apply(handler.run, handler.tool, [args, ctx]);
    } catch (error) {
      advise(name, error);
      throw error;
    }
    if (hasOutput) ops.tools_output(number, value);
    return value;
  }

  // The globals of a plugin's code have what the script was granted, which is seldom what its author means.
  function advise(name, error) {
    if (typeof error !== "object" || error === null || getPrototypeOf(error) !== PermissionError.prototype || hasOwn(error, "plugin")) return;
    let granted = "";
    for (let i = 0; i < capabilities.length; i++) granted += (i > 0 ? ", ctx." : "ctx.") + capabilities[i].context;
    const value = "plugin " + name + " has what it was granted itself in ctx (" + granted + "), and in its globals what the script was granted: " + own(error, "message");
    defineProperty(error, "message", { __proto__: null, value, writable: true, enumerable: false, configurable: true });
    defineProperty(error, "plugin", { __proto__: null, value: name, writable: true, enumerable: true, configurable: true });
  }

  function call(offer, given) {
    return offer.timeoutMs === undefined ? handle(offer, given) : within(() => handle(offer, given), offer.timeoutMs, offer.name + "." + offer.tool);
  }

  // What it is about goes on; nobody waits for it any more.
  function within(run, ms, what) {
    return new Promise((resolve, reject) => {
      const since = now(), late = () => reject(new Error(what + " took longer than " + ms + " ms"));
      const id = startTimer(late, ms);
      (async () => {
        try {
          const value = await run();
          // While it computes no timer is heard.
          if (now() - since > ms) late();
          else resolve(value);
        } catch (error) {
          reject(error);
        }
        stopTimer(id);
      })();
    });
  }

  const tools = { __proto__: null };
  const names = ownKeys(plugins);
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const offered = ownKeys(plugins[name].tools);
    const group = { __proto__: null };
    for (let j = 0; j < offered.length; j++) {
      const tool = offered[j], said = plugins[name].tools[tool];
      const offer = { __proto__: null, name, tool, number: said.number, hasOutput: said.hasOutput, timeoutMs: own(said, "timeoutMs") };
      group[tool] = { [tool]: (args) => call(offer, args === undefined ? { __proto__: null } : args) }[tool];
    }
    defineProperty(tools, name, { __proto__: null, value: freeze(group), enumerable: true });
  }
  tools.search = (text, limit) => ops.tools_search(text, limit);
  tools.describe = (name) => ops.tools_describe(name);
  return { tools: freeze(tools) };
})
