// Made of js-runtime/src/commands.ts by `cargo xtask generate`.
// commands: what scripts may run, and what they have running. The host decides which.
((ops     , intrinsics            ) => {
  const { asArray, defineProperty, freeze, indexOf, join, list, Number, ownKeys, parse, push, slice, String, trim, TypeError } = intrinsics;
  const { bytesOf, dictionary, domString, isObject, member, placed, usvString } = ops.library_value("webidl");
  const signals          = ops.library_value("signals");

  // What commands write is held outside the heap until it is delivered; more wait here.
  const { turn, done } = (ops.library_value("queues")                ).gate(8);

  const fields = ["command", "reason", "stdout", "stderr", "exitCode", "signal", "durationMs"];
  /** A command that has failed, with all that is known of it. */
  class CommandError extends intrinsics.Error {
    constructor(command        , result     ) {
      // The last lines usually say why.
      const said = trim(typeof result.stderr === "string" ? result.stderr : "");
      const tail = said.length > 500 ? slice(said, said.length - 500) : said, from = said.length > 500 ? indexOf(tail, "\n") + 1 : 0;
      super(command + " " + result.message + (tail === "" ? "" : ":\n" + slice(tail, from)));
      for (let i = 0; i < fields.length; i++) {
        defineProperty(this, fields[i], { __proto__: null, value: fields[i] === "command" ? command : result[fields[i]], writable: true, enumerable: true, configurable: true }                      );
      }
    }
  }
  defineProperty(CommandError.prototype, "name", { __proto__: null, value: "CommandError", writable: true, configurable: true }                      );

  function bytesFor(data         , what        )             {
    if (typeof data === "string") return ops.text_encode(usvString(data));
    if (!isObject(data)) throw new TypeError(what + " is a text or bytes, not " + (data === null ? "null" : typeof data));
    return bytesOf(data);
  }

  /** A misspelt option is not passed over: the command would run without its input, or for ever. */
  function optionsOf(value         , known          )      {
    const options = dictionary(value, "the options"), keys = isObject(value) ? ownKeys(value          ) : list();
    for (let i = 0; i < keys.length; i++) {
      let isKnown = typeof keys[i] !== "string";
      for (let j = 0; j < known.length; j++) isKnown ||= keys[i] === known[j];
      if (!isKnown) throw new TypeError("there is no option '" + String(keys[i]) + "': there are " + join(known, ", "));
    }
    return options;
  }

  function milliseconds(value         , what        )                     {
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !(value >= 0)) throw new TypeError(what + " is a number of milliseconds, not " + String(value));
    return value;
  }

  /** As they end in \n or \r\n; nothing follows the last. */
  function linesOf(text        )           {
    const lines           = list();
    for (let from = 0; from < text.length; ) {
      const found = indexOf(text, "\n", from), end = found < 0 ? text.length : found;
      push(lines, slice(text, from, found > from && text[found - 1] === "\r" ? found - 1 : end));
      from = end + 1;
    }
    return asArray(lines);
  }

  // They go to the host as they are, which reads own properties.
  function valuesOf(values         )                     {
    if (values === undefined || values === null) return undefined;
    if (!isObject(values)) throw new TypeError("what a command gets is no object");
    return values;
  }

  function idOf(value         )         {
    const id = isObject(value) ? member(value, "id") : value;
    if (typeof id !== "number") throw new TypeError("a started command is named by its id, not by " + (id === null ? "null" : typeof id));
    return id;
  }

  function make(owner                    ) {
    async function run(name        , values         , options     )               {
      const { signal } = options, input = options.stdin === undefined ? undefined : bytesFor(options.stdin, "stdin");
      const timeout = milliseconds(options.timeoutMs, "timeoutMs"), given = valuesOf(values);
      if (signal !== undefined && !signals.isSignal(signal)) throw new TypeError("the signal of a command is no AbortSignal");
      if (signal !== undefined && signals.stateOf(signal).aborted) throw signals.stateOf(signal).reason;
      await turn();
      try {
        if (signal !== undefined && signals.stateOf(signal).aborted) throw signals.stateOf(signal).reason;
        const token         = ops.command_open(), onAbort = () => ops.command_close(token);
        if (signal !== undefined) signals.listen(signal, onAbort);
        try {
          return await ops.command_run(owner, token, name, given, input, timeout);
        } catch (error) {
          throw signal !== undefined && signals.stateOf(signal).aborted ? signals.stateOf(signal).reason : error;
        } finally {
          if (signal !== undefined) signals.ignore(signal, onAbort);
          ops.command_close(token);
        }
      } finally {
        done();
      }
    }

    return freeze({
      /** Runs a command to its end. */
      run: async (name         , values          = undefined, options          = undefined)               => {
        const command = domString(name), result = await placed(() => run(command, values, optionsOf(options, ["stdin", "timeoutMs", "signal"])));
        if (result.shape === "lines") result.stdout = linesOf(result.stdout);
        if (member(result, "message") !== undefined) throw new CommandError(command, result);
        const { stdout, stderr, exitCode, signal, durationMs } = result;
        if (result.shape !== "json") return { stdout, stderr, exitCode, signal, durationMs };
        try {
          return { stdout: parse(stdout), stderr, exitCode, signal, durationMs };
        } catch (error     ) {
          result.reason = "output";
          result.message = "wrote no JSON (" + String(error.message) + ")";
          throw new CommandError(command, result);
        }
      },
      /** Starts one that goes on, unless it runs already. */
      start: async (name         , values          = undefined)               => await placed(() => ops.command_start(owner, domString(name), valuesOf(values))),
      list: ()        => ops.command_list(owner),
      declared: ()        => ops.command_declared(owner),
      status: async (id         )               => await placed(() => ops.command_status(owner, idOf(id))),
      logs: (id         , options          = undefined)      => {
        const { since } = optionsOf(options, ["since"]);
        return ops.command_logs(owner, idOf(id), since === undefined ? 0 : Number(since));
      },
      wait: async (id         , options          = undefined)               =>
        await placed(() => ops.command_wait(owner, idOf(id), milliseconds(optionsOf(options, ["timeoutMs"]).timeoutMs, "timeoutMs"))),
      /** Writes to its input; `null` closes it. */
      write: async (id         , data         )                => {
        if (data === null) return await ops.command_write(owner, idOf(id));
        // As it is now, whenever it is written.
        return await ops.command_write(owner, idOf(id), bytesFor(data, "what is written"));
      },
      signal: (id         , name         )       => ops.command_signal(owner, idOf(id), domString(name)),
      restart: async (id         , options          = undefined)               =>
        await placed(() => ops.command_stop(owner, idOf(id), milliseconds(optionsOf(options, ["graceMs"]).graceMs, "graceMs"), true)),
      stop: async (id         , options          = undefined)               =>
        await placed(() => ops.command_stop(owner, idOf(id), milliseconds(optionsOf(options, ["graceMs"]).graceMs, "graceMs"), false)),
    });
  }

  return { commands: make(undefined), commandsFor: make, CommandError };
})
