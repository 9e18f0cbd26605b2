// Made of js-runtime/src/node-util.ts by `cargo xtask generate`.
// node:util: https://nodejs.org/api/util.html
((ops     , intrinsics            ) => {
  const { apply, asArray, defineProperty, Error, getOwnPropertyDescriptor, getPrototypeOf, hasOwn, indexOf, isArray, isView, list, ownKeys, Promise, promiseThen, push, setPrototypeOf } = intrinsics;
  const { slice, String, toWellFormed, typedArrayTag } = intrinsics;
  const { callback, coded, define, hidden, leaveOut, received, text, wrongType }             = ops.library_value("nodeShared");
  const { dictionary, isObject } = ops.library_value("webidl");
  const { custom, inspect: inspected, inspectWith, quote } = ops.library_value("inspector"), { format } = ops.library_value("formatter");
  const symbolFor = intrinsics.symbolFor;

  const inspect = (value         , options          = undefined, depth          = undefined)         => inspectWith(value, options, depth);
  hidden(inspect, "custom", custom);
  hidden(inspect, "defaultOptions", { depth: 2, showHidden: false });

  const bare =                   (object   )    => {
    setPrototypeOf(object, null);
    return object;
  };
  const promisified = symbolFor("nodejs.util.promisify.custom");
  function copyProperties(from     , to     )       {
    const keys = ownKeys(from);
    for (let i = 0; i < keys.length; i++) {
      const descriptor = getOwnPropertyDescriptor(from, keys[i]) , known = getOwnPropertyDescriptor(to, keys[i]);
      if (known === undefined || known.configurable) defineProperty(to, keys[i], bare(descriptor));
    }
  }
  function promisify(original     )           {
    callback(original, "original");
    // Those of the host take the callback first.
    const { setTimeout, setImmediate } = ops.library_value("node:timers/promises");
    if (original === ops.library_value("setTimeout")) return setTimeout;
    if (original === ops.library_value("setImmediate")) return setImmediate;
    if (original[promisified] !== undefined) {
      const own = callback(original[promisified], "util.promisify.custom");
      hidden(own, promisified, own);
      return own;
    }
    const promising = function (               ...args           ) {
      return new Promise((resolve, reject) => {
        const all = list         ();
        for (let i = 0; i < args.length; i++) push(all, args[i]);
        push(all, (error         , value         ) => (error ? reject(error) : resolve(value)));
        apply(original, this, all);
      });
    };
    setPrototypeOf(promising, getPrototypeOf(original));
    hidden(promising, promisified, promising);
    copyProperties(original, promising);
    return promising;
  }
  hidden(promisify, "custom", promisified);

  function callbackify(original         )           {
    const called = callback(original, "original");
    return function (               ...args           ) {
      const last = callback(args[args.length - 1], "last argument"), before = list         ();
      for (let i = 0; i < args.length - 1; i++) push(before, args[i]);
      // What the callback throws is nobody's rejection.
      const tell = (error         , value         ) => intrinsics.queueMicrotask(() => { apply(last, this, error === null ? [null, value] : [error]); });
      promiseThen(apply(called, this, before), (value         ) => tell(null, value), (reason         ) => {
        if (reason) return tell(reason, undefined);
        const error      = coded(new Error("Promise was rejected with falsy value"), "ERR_FALSY_VALUE_REJECTION");
        hidden(error, "reason", reason);
        tell(error, undefined);
      });
    };
  }

  function inherits(constructor     , parent     )       {
    callback(constructor, "ctor");
    callback(parent, "superCtor");
    if (!isObject(parent.prototype)) throw wrongType("superCtor.prototype", "of type object", parent.prototype);
    hidden(constructor, "super_", parent);
    setPrototypeOf(constructor.prototype, parent.prototype);
  }

  const warned      = { __proto__: null };
  function deprecate(called     , message         , code          = undefined)           {
    callback(called, "fn");
    let told = false;
    return function (               ...args           ) {
      if (!told && !(typeof code === "string" && warned[code])) {
        if (typeof code === "string") warned[code] = true;
        ops.console_write(3, "DeprecationWarning: " + (typeof code === "string" ? "[" + code + "] " : "") + String(message));
      }
      told = true;
      return new.target ? intrinsics.construct(called, args, new.target) : apply(called, this, args);
    };
  }

  const debuglog = () => {
    const log      = () => {};
    log.enabled = false;
    return log;
  };

  /** Without the sequences that colour a terminal's text. */
  function stripVTControlCharacters(value        )         {
    const whole = text(value, "str"), parts           = list();
    let from = 0;
    for (;;) {
      const escape = indexOf(whole, "\x1b", from), single = indexOf(whole, "\x9b", from), at = escape < 0 || (single >= 0 && single < escape) ? single : escape;
      if (at < 0) break;
      push(parts, slice(whole, from, at));
      let end = at + 1;
      if (whole[at] === "\x9b" || whole[end] === "[") {
        if (whole[at] !== "\x9b") end++;
        while (end < whole.length && intrinsics.charCodeAt(whole, end) >= 0x20 && intrinsics.charCodeAt(whole, end) < 0x40) end++;
        end++;
      } else if (whole[end] === "]") {
        while (end < whole.length && whole[end] !== "\x07" && whole[end] !== "\x1b") end++;
        end += whole[end] === "\x1b" ? 2 : 1;
      } else if (whole[end] === "(" || whole[end] === ")" || whole[end] === "#") {
        end += 2;
      } else {
        push(parts, "\x1b");
      }
      from = end;
    }
    push(parts, slice(whole, from));
    return intrinsics.join(parts, "");
  }
  const STYLES      = {
    __proto__: null, reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], inverse: [7, 27], hidden: [8, 28], strikethrough: [9, 29], black: [30, 39], red: [31, 39], green: [32, 39],
    yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39], gray: [90, 39], grey: [90, 39], redBright: [91, 39], greenBright: [92, 39], yellowBright: [93, 39], blueBright: [94, 39],
    magentaBright: [95, 39], cyanBright: [96, 39], whiteBright: [97, 39], bgRed: [41, 49], bgGreen: [42, 49], bgYellow: [43, 49], bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49], bgWhite: [47, 49],
    bgBlack: [40, 49],
  };
  function styleText(styles         , value        )         {
    let styled = text(value, "text");
    const names      = isArray(styles) ? styles : [styles];
    for (let i = names.length - 1; i >= 0; i--) {
      const style = typeof names[i] === "string" ? STYLES[names[i]] : undefined;
      if (style === undefined) throw coded(new intrinsics.TypeError("The argument 'format' must be one of the names of styles. Received " + inspected(names[i])), "ERR_INVALID_ARG_VALUE");
      styled = "\x1b[" + style[0] + "m" + styled + "\x1b[" + style[1] + "m";
    }
    return styled;
  }

  // ---- types ----

  const kind = (name        ) => (value         ) => isObject(value) && ops.kind_of(value) === name;
  const tagged = (name        ) => (value         ) => isView(value) && typedArrayTag(value) === name;
  const reads = (read                         ) => (value         ) => {
    if (!isObject(value)) return false;
    try {
      read(value);
      return true;
    } catch {
      return false;
    }
  };
  // A function that was compiled without its source is known by its prototype.
  const kinds = [getPrototypeOf(async () => {}), getPrototypeOf(async function* () {}), getPrototypeOf(function* () {})];
  const below = (value         , first        ) => {
    if (typeof value !== "function") return false;
    for (let at                = getPrototypeOf(value), i = 0; at !== null && i < 100; at = getPrototypeOf(at), i++) if (at === kinds[first] || at === kinds[first + 1]) return true;
    return false;
  };
  const types      = {
    __proto__: null,
    isAnyArrayBuffer: (value         ) => isObject(value) && !isView(value) && (ops.kind_of(value) === "buffer" || ops.kind_of(value) === "shared"),
    isArrayBuffer: (value         ) => isObject(value) && !isView(value) && ops.kind_of(value) === "buffer",
    isArrayBufferView: (value         ) => isView(value),
    isAsyncFunction: (value         ) => below(value, 0),
    isBoxedPrimitive: kind("boxed"),
    isDataView: (value         ) => isView(value) && typedArrayTag(value) === undefined,
    isDate: kind("date"),
    isGeneratorFunction: (value         ) => below(value, 1),
    isMap: kind("map"),
    isNativeError: kind("error"),
    isNumberObject: reads(intrinsics.numberValueOf),
    isStringObject: reads(intrinsics.stringValueOf),
    isBooleanObject: reads(intrinsics.booleanValueOf),
    isBigIntObject: reads(intrinsics.bigintValueOf),
    isPromise: kind("promise"),
    isProxy: kind("proxy"),
    isRegExp: kind("regexp"),
    isSet: kind("set"),
    isSharedArrayBuffer: kind("shared"),
    isTypedArray: (value         ) => isView(value) && typedArrayTag(value) !== undefined,
    isWeakMap: reads((value) => intrinsics.weakMapGet(value, types)),
  };
  const arrays = ownKeys(intrinsics.typedArrayKinds);
  for (let i = 0; i < arrays.length; i++) types["is" + String(arrays[i])] = tagged(arrays[i]          );
  leaveOut(types, "util.types", ["isArgumentsObject", "isExternal", "isGeneratorObject", "isMapIterator", "isModuleNamespaceObject", "isSetIterator", "isSymbolObject", "isWeakSet"], "it cannot be told here");

  // ---- arguments of a command line ----

  function parseArgs(config      = undefined) {
    const { args = asArray(list        ()), options = {}, strict = true, allowPositionals = !strict, allowNegative = false, tokens }      = dictionary(config, "the argument of util.parseArgs");
    if (!isArray(args)) throw wrongType("args", "an instance of Array", args);
    if (tokens) throw coded(new Error("util.parseArgs gives no tokens here: use values and positionals"), "ERR_METHOD_NOT_IMPLEMENTED");
    const values      = { __proto__: null }, positionals           = list(), names = ownKeys(options)            ;
    for (let i = 0; i < names.length; i++) {
      const { type, short, multiple = false } = options[names[i]];
      if (type !== "string" && type !== "boolean") throw coded(new intrinsics.TypeError("The \"options." + names[i] + ".type\" property must be ('string|boolean'). " + received(type)), "ERR_INVALID_ARG_TYPE");
      if (short !== undefined && (typeof short !== "string" || short.length !== 1)) throw coded(new intrinsics.TypeError("The property 'options." + names[i] + ".short' must be a single character. Received " + inspected(short)), "ERR_INVALID_ARG_VALUE");
      if (typeof multiple !== "boolean") throw wrongType("options." + names[i] + ".multiple", "of type boolean", multiple);
    }
    const unknown = (name        ) => coded(new intrinsics.TypeError("Unknown option '" + name + "'"), "ERR_PARSE_ARGS_UNKNOWN_OPTION");
    const wrong = (message        ) => coded(new intrinsics.TypeError(message), "ERR_PARSE_ARGS_INVALID_OPTION_VALUE");
    const store = (name        , value         ) => {
      if (name === "__proto__") return;
      const option = hasOwn(options, name) ? options[name] : undefined;
      if (option !== undefined && option.multiple) {
        if (!hasOwn(values, name)) values[name] = asArray(list());
        defineProperty(values[name], values[name].length, { __proto__: null, value, writable: true, enumerable: true, configurable: true }                      );
      } else {
        values[name] = value;
      }
    };
    const long = (short        )                     => {
      for (let i = 0; i < names.length; i++) if (options[names[i]].short === short) return names[i];
      return undefined;
    };
    for (let i = 0; i < args.length; i++) {
      const arg = text(args[i], "args[" + i + "]");
      const positional = (text        ) => {
        if (!allowPositionals) throw coded(new intrinsics.TypeError("Unexpected argument " + quote(text) + ". This command does not take positional arguments"), "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL");
        push(positionals, text);
      };
      if (arg === "--") {
        for (let j = i + 1; j < args.length; j++) positional(args[j]);
        break;
      }
      if (indexOf(arg, "--") === 0) {
        const at = indexOf(arg, "="), written = slice(arg, 2, at < 0 ? arg.length : at), known = hasOwn(options, written);
        const negated = !known && allowNegative && indexOf(written, "no-") === 0 && hasOwn(options, slice(written, 3)), name = negated ? slice(written, 3) : written;
        if (!known && !negated && strict) throw unknown("--" + written);
        const type = hasOwn(options, name) ? options[name].type : undefined;
        if (type === "string") {
          const follows = i + 1 < args.length, looksLike = follows && args[i + 1][0] === "-" && args[i + 1].length > 1;
          if (at < 0 && strict && !follows) throw wrong("Option '--" + name + " <value>' argument missing");
          if (at < 0 && strict && looksLike) throw wrong("Option '--" + name + "' argument is ambiguous.\nDid you forget to specify the option argument for '--" + name + "'?\nTo specify an option argument starting with a dash use '--" + name + "=-XYZ'.");
          store(name, at >= 0 ? slice(arg, at + 1) : follows ? args[++i] : true);
        } else {
          if (at >= 0 && type === "boolean" && strict) throw wrong("Option '--" + name + "' does not take an argument");
          store(name, at >= 0 ? slice(arg, at + 1) : !negated);
        }
        continue;
      }
      if (arg[0] === "-" && arg.length > 1) {
        for (let j = 1; j < arg.length; j++) {
          const name = long(arg[j]);
          if (name === undefined && strict) throw unknown("-" + arg[j]);
          const type = name === undefined ? undefined : options[name].type;
          if (type === "string") {
            const here = j + 1 < arg.length, follows = i + 1 < args.length, looksLike = follows && args[i + 1][0] === "-" && args[i + 1].length > 1, shown = "-" + arg[j] + ", --" + name;
            if (!here && strict && !follows) throw wrong("Option '" + shown + " <value>' argument missing");
            if (!here && strict && looksLike) throw wrong("Option '-" + arg[j] + "' argument is ambiguous.\nDid you forget to specify the option argument for '-" + arg[j] + "'?\nTo specify an option argument starting with a dash use '--" + name + "=-XYZ' or '-" + arg[j] + "-XYZ'.");
            store(name          , here ? slice(arg, j + 1) : follows ? args[++i] : true);
            break;
          }
          store(name ?? arg[j], true);
        }
        continue;
      }
      positional(arg);
    }
    for (let i = 0; i < names.length; i++) if (options[names[i]].default !== undefined && !hasOwn(values, names[i])) values[names[i]] = options[names[i]].default;
    return { values, positionals: asArray(positionals) };
  }

  const util      = define({}, {
    __proto__: null, callbackify, debug: debuglog, debuglog, deprecate, format,
    formatWithOptions: (_options         , ...args           )         => apply(format, undefined, args),
    inherits, inspect, isArray,
    isDeepStrictEqual: (a         , b         )          => ops.library_value("deepEqual")(a, b, true),
    parseArgs, promisify, stripVTControlCharacters, styleText,
    TextDecoder: ops.library_value("TextDecoder"),
    TextEncoder: ops.library_value("TextEncoder"),
    toUSVString: (value         ) => toWellFormed(String(value)),
    types,
  });
  leaveOut(util, "util", ["MIMEParams", "MIMEType", "aborted", "diff", "getCallSites", "getSystemErrorMap", "getSystemErrorName", "parseEnv", "transferableAbortController", "transferableAbortSignal"], "it has nothing to stand on in a sandbox");
  return { "node:util": intrinsics.freeze(util) };
})
