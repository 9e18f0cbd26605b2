// Made of js-runtime/src/node-process.ts by `cargo xtask generate`.
// node:process, a shim: https://nodejs.org/api/process.html
((ops     , intrinsics            ) => {
  const { apply, asArray, BigInt, defineProperty, floor, freeze, list, now, Number, push, slice, String } = intrinsics;
  const { callback, define, leaveOut, outOfRange, wrongType }             = ops.library_value("nodeShared");
  const { bytesOf, isObject } = ops.library_value("webidl");

  const hrtime      = (before      = undefined) => {
    const ns = now() * 1e6, seconds = floor(ns / 1e9), rest = floor(ns - seconds * 1e9);
    if (before === undefined) return [seconds, rest];
    const difference = seconds * 1e9 + rest - (Number(before[0]) * 1e9 + Number(before[1]));
    return [floor(difference / 1e9), difference - floor(difference / 1e9) * 1e9];
  };
  hrtime.bigint = () => BigInt(floor(now() * 1e6));

  /** Each write is an entry of the console. */
  const stream = (level        , fd        ) => ({
    fd, isTTY: false, writable: true,
    write(data         , encoding          = undefined, done          = undefined)          {
      const text         = typeof data === "string" ? data : isObject(data) ? ops.buffer_decode(bytesOf(data), "utf8") : "";
      if (typeof data !== "string" && !isObject(data)) throw wrongType("chunk", "of type string or an instance of Buffer or Uint8Array", data);
      const entry = text.length > 0 && text[text.length - 1] === "\n" ? slice(text, 0, -1) : text;
      if (text !== "") ops.console_write(level, intrinsics.toWellFormed(entry));
      const told = typeof encoding === "function" ? encoding : done;
      if (typeof told === "function") intrinsics.queueMicrotask(() => { apply(told, undefined, []); });
      return true;
    },
  });

  // Of one run alone.
  let exitCode                    , exitCodeOf = 0;
  const exitCodeNow = () => (exitCodeOf === ops.run_number() ? exitCode : undefined);
  const codeOf = (value         )                     => {
    if (value === undefined || value === null) return undefined;
    const code = typeof value === "string" && value !== "" ? Number(value) : value;
    if (typeof code !== "number" || code % 1 !== 0) throw wrongType("code", "an integer", value);
    if (code < 0 || code > 255) throw outOfRange("code", ">= 0 && <= 255", value);
    return code;
  };

  const argv           = list();
  push(argv, "perennial");
  const process      = define({}, {
    __proto__: null, arch: ops.process_arch(),
    argv: asArray(argv),
    argv0: "perennial",
    execArgv: asArray(list()),
    chdir: () => {
      throw new intrinsics.Error("process.chdir is not here, since it cannot wait: use `await fs.chdir(path)`");
    },
    cwd: ()         => ops.fs_cwd(),
    emitWarning: (warning     , type          = undefined) => ops.console_write(3, (typeof type === "string" ? type : "Warning") + ": " + (isObject(warning) ? String((warning       ).message) : String(warning))),
    exit: (code          = undefined) => ops.script_exit(codeOf(code) ?? exitCodeNow() ?? 0),
    hrtime,
    nextTick: (task         , ...args           ) => {
      const called = callback(task, "callback");
      intrinsics.queueMicrotask(() => { apply(called, undefined, args); });
    },
    platform: "linux",
    stdout: stream(1, 1),
    stderr: stream(4, 2),
    uptime: () => now() / 1000,
    versions: freeze({ perennial: ops.process_version() }),
  });
  // What is granted may change from one run to the next.
  defineProperty(process, "env", { __proto__: null, get: () => freeze(ops.process_env()), enumerable: true, configurable: false }                      );
  defineProperty(process, "exitCode", { __proto__: null, get: exitCodeNow, set: (value         ) => { exitCode = codeOf(value); exitCodeOf = ops.run_number(); }, enumerable: true, configurable: false }                      );
  leaveOut(process, "process", ["abort", "binding", "cpuUsage", "dlopen", "emit", "getuid", "kill", "memoryUsage", "off", "on", "once", "removeListener", "resourceUsage", "setUncaughtExceptionCaptureCallback", "umask"], "a script is not a process");
  return { "node:process": intrinsics.freeze(process), process };
})
