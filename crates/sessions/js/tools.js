// tools: what plugins offer. Plugins are evaluated when one of their tools is first called.
(function (ops, intrinsics, hooks, global) {
  "use strict";
  const { apply, defineProperty, freeze, hasOwn, ownKeys, Error, Promise, String } = intrinsics;
  const startTimer = ops.library_value("setTimeout"), stopTimer = ops.library_value("clearTimeout");
  const { plugins, startMs, isServed } = ops.tools_manifest();
  const instances = { __proto__: null }, starting = { __proto__: null };

  // Scripts may have changed every prototype there is. What a plugin is made of and what is handed to it are its own: only own properties
  // are read, only what the library kept is called, and `await` gets promises whose `constructor` it need not look for on a prototype.
  const own = (object, key) => (hasOwn(object, key) ? object[key] : undefined);
  const message = (error) => String(error?.message ?? error);

  // What is read is held outside the heap until it is delivered.
  const { turn, done } = ops.library_value("queues").gate(4);
  async function read(name, method, args) {
    await turn();
    try {
      return await ops.tools_capability(name, "read", method, args);
    } finally {
      done();
    }
  }

  // What a plugin may use: its own capabilities as values. Nothing here looks at who runs at the moment.
  function context(name, version) {
    let commands;
    const use = (kind, method) => (...args) => ops.tools_capability(name, kind, method, args);
    return freeze({
      __proto__: null,
      plugin: freeze({ __proto__: null, name, version }),
      fetch: isServed ? use("net", "fetch") : (...args) => apply(ops.library_value("fetchFor")(name), undefined, args),
      fs: freeze({
        __proto__: null,
        readText: (...args) => read(name, "readText", args),
        readBytes: (...args) => read(name, "readBytes", args),
        list: (...args) => read(name, "list", args),
      }),
      get commands() {
        return (commands ??= isServed ? freeze({ __proto__: null, run: use("commands", "run") }) : ops.library_value("commandsFor")(name));
      },
    });
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
        if (tool === undefined) throw new Error("its code has no tool " + names[i] + " any more: reload the plugin");
        handlers[names[i]] = { __proto__: null, tool, run: own(tool, "run") };
      }
      const setup = own(definition, "setup");
      if (setup !== undefined) await apply(setup, definition, [ctx]);
      instances[name] = { __proto__: null, handlers, ctx };
    } catch (error) {
      // The next call tries again.
      delete starting[name];
      throw new Error("plugin " + name + " did not start: " + message(error), { cause: error });
    }
  }

  async function handle(name, tool, given) {
    const args = ops.tools_arguments(name, tool, given);
    if (instances[name] === undefined) {
      starting[name] ??= start(name);
      await within(() => starting[name], startMs, "plugin " + name + " did not start: its setup");
    }
    const { handlers, ctx } = instances[name], handler = handlers[tool];
    const value = await apply(handler.run, handler.tool, [args, ctx]);
    if (plugins[name].tools[tool].hasOutput) ops.tools_output(name, tool, value);
    return value;
  }

  function call(name, tool, given) {
    const timeoutMs = own(plugins[name].tools[tool], "timeoutMs");
    const run = () => handle(name, tool, given);
    return timeoutMs === undefined ? run() : within(run, timeoutMs, name + "." + tool);
  }

  // What it is about goes on; nobody waits for it any more.
  function within(run, ms, what) {
    return new Promise((resolve, reject) => {
      const id = startTimer(() => reject(new Error(what + " took longer than " + ms + " ms")), ms);
      (async () => {
        try {
          resolve(await run());
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
      const tool = offered[j];
      group[tool] = { [tool]: (args) => call(name, tool, args) }[tool];
    }
    defineProperty(tools, name, { __proto__: null, value: freeze(group), enumerable: true });
  }
  tools.search = (text, limit) => ops.tools_search(text, limit);
  tools.describe = (name) => ops.tools_describe(name);
  return { tools: freeze(tools) };
})
