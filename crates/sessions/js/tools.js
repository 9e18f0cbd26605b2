// tools: what plugins offer. Plugins are evaluated when one of their tools is first called.
(function (ops, intrinsics, hooks, global) {
  "use strict";
  const { defineProperty, freeze, ownKeys, Error, Promise, String } = intrinsics;
  const startTimer = ops.library_value("setTimeout"), stopTimer = ops.library_value("clearTimeout");
  const { plugins } = ops.tools_manifest();
  const started = { __proto__: null };

  const message = (error) => String(error?.message ?? error);

  // What a plugin may use: its own capabilities as values. Nothing here looks at who runs at the moment.
  function context(name, version) {
    const use = (kind, method) => (...args) => ops.tools_capability(name, kind, method, args);
    return freeze({
      __proto__: null,
      plugin: freeze({ __proto__: null, name, version }),
      fetch: use("net", "fetch"),
      fs: freeze({ __proto__: null, readText: use("read", "readText"), readBytes: use("read", "readBytes"), list: use("read", "list") }),
      commands: freeze({ __proto__: null, run: use("commands", "run") }),
    });
  }

  async function start(name) {
    const { specifier, version } = plugins[name];
    let instance;
    try {
      const { default: definition } = await ops.module_import(undefined, specifier, undefined);
      const ctx = context(name, version);
      if (typeof definition.setup === "function") await definition.setup(ctx);
      instance = { __proto__: null, definition, ctx };
    } catch (error) {
      throw new Error(`plugin ${name} did not start: ${message(error)}`, { cause: error });
    }
    return instance;
  }

  async function call(name, tool, given) {
    const args = ops.tools_arguments(name, tool, given);
    const { definition, ctx } = await (started[name] ??= start(name));
    const { run } = definition.tools[tool];
    const { timeoutMs, hasOutput } = plugins[name].tools[tool];
    let result = run.call(definition.tools[tool], args, ctx);
    if (timeoutMs !== undefined) result = within(result, timeoutMs, name, tool);
    const value = await result;
    if (hasOutput) ops.tools_output(name, tool, value);
    return value;
  }

  // The handler goes on; nobody waits for it any more.
  function within(result, ms, name, tool) {
    return new Promise((resolve, reject) => {
      const id = startTimer(() => reject(new Error(`${name}.${tool} took longer than ${ms} ms`)), ms);
      (async () => {
        try {
          resolve(await result);
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
