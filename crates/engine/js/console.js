// console: Node's methods and formats. It hands texts to the host, which bounds them, and never throws.
(function (ops, intrinsics) {
  "use strict";
  const {
    apply, charCodeAt, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, indexOf, isArray, join, list, mapForEach, now, Number, Object, ownKeys, parseFloat, parseInt, push, repeat,
    setForEach, slice, stringify, String, setPrototypeOf, toWellFormed,
  } = intrinsics;
  const { inspect, numberText } = ops.library_value("inspector");
  const DEBUG = 0, LOG = 1, INFO = 2, WARN = 3, ERROR = 4;

  const attempt = (f, otherwise) => { try { return f(); } catch { return otherwise; } };
  const shown = (value) => (typeof value === "string" ? value : inspect(value));

  /** Whether a text of an object's own making stands behind `%s`. */
  function hasOwnText(value) {
    for (let object = value, i = 0; object !== null && i < 100; object = getPrototypeOf(object), i++) {
      if (object === Object.prototype) return false;
      const descriptor = getOwnPropertyDescriptor(object, "toString");
      if (descriptor !== undefined) return typeof descriptor.value === "function" && ops.kind_of(value) !== "array" && ops.kind_of(value) !== "function";
    }
    return false;
  }

  function specified(letter, value) {
    switch (letter) {
      case 115: // s
        if (typeof value === "number") return numberText(value);
        if (typeof value === "bigint") return String(value) + "n";
        if (typeof value !== "object" || value === null) return attempt(() => String(value), "");
        return hasOwnText(value) && ops.kind_of(value) !== "proxy" ? attempt(() => String(value), inspect(value, 0)) : inspect(value, 0);
      case 100: // d
        if (typeof value === "bigint") return String(value) + "n";
        return typeof value === "symbol" ? "NaN" : numberText(attempt(() => Number(value), NaN));
      case 105: // i
        if (typeof value === "bigint") return String(value) + "n";
        return typeof value === "symbol" ? "NaN" : numberText(attempt(() => parseInt(value), NaN));
      case 102: // f
        return typeof value === "symbol" ? "NaN" : numberText(attempt(() => parseFloat(value), NaN));
      case 106: // j
        return attempt(() => String(apply(stringify, undefined, [value])), "[Circular]");
      case 79: // O
        return inspect(value);
      case 111: // o
        return inspect(value, 4, true);
      case 99: // c
        return "";
      default:
        return undefined;
    }
  }

  function format(args) {
    const parts = list();
    let from = 0;
    if (args.length > 1 && typeof args[0] === "string" && indexOf(args[0], "%") >= 0) {
      const text = args[0], pieces = list();
      let last = 0;
      from = 1;
      for (let i = 0; i < text.length - 1; i++) {
        if (charCodeAt(text, i) !== 37) continue;
        const letter = charCodeAt(text, i + 1);
        const as = letter === 37 ? "%" : from < args.length ? specified(letter, args[from]) : undefined;
        if (as === undefined) continue;
        if (letter !== 37) from++;
        push(pieces, slice(text, last, i));
        push(pieces, as);
        last = i + 2;
        i++;
      }
      push(pieces, slice(text, last));
      push(parts, join(pieces, ""));
    }
    for (let i = from; i < args.length; i++) push(parts, shown(args[i]));
    return join(parts, " ");
  }

  // ---- groups, counts, timers ----

  let indentation = "";
  const counts = { __proto__: null }, timers = { __proto__: null };
  function write(level, text) {
    if (indentation === "") return ops.console_write(level, toWellFormed(text));
    const lines = list();
    for (let from = 0; ; ) {
      const end = indexOf(text, "\n", from);
      push(lines, indentation + (end < 0 ? slice(text, from) : slice(text, from, end)));
      if (end < 0) break;
      from = end + 1;
    }
    ops.console_write(level, toWellFormed(join(lines, "\n")));
  }
  // What a label throws when it becomes a text, the standard has thrown.
  const labelOf = (label) => (label === undefined ? "default" : String(label));

  function duration(ms) {
    const fixed = (value, digits) => intrinsics.toFixed(value, digits);
    if (ms < 1000) return numberText(Number(fixed(ms, 3))) + "ms";
    if (ms < 60000) return fixed(ms / 1000, 3) + "s";
    return fixed(ms / 60000, 3) + "m";
  }
  function timed(name, label, more, ends) {
    const key = labelOf(label);
    if (!(key in timers)) return write(WARN, "No such label '" + key + "' for console." + name + "()");
    const text = key + ": " + duration(now() - timers[key]);
    if (ends) delete timers[key];
    write(LOG, more.length === 0 ? text : text + " " + format(more));
  }

  // ---- tables ----

  function table(data, columns) {
    if (typeof data !== "object" || data === null) return write(LOG, format([data]));
    const kind = ops.kind_of(data), isMap = kind === "map", isSet = kind === "set";
    const names = list(), rows = list(), heads = list();
    let hasValues = false;
    const cell = (value) => inspect(value, typeof value === "object" && value !== null ? 0 : 1);
    const column = (name) => {
      for (let i = 0; i < heads.length; i++) if (heads[i] === name) return;
      push(heads, name);
    };
    const wanted = isArray(columns) ? columns : undefined;
    if (wanted !== undefined) for (let i = 0; i < wanted.length; i++) column(attempt(() => String(wanted[i]), ""));
    const add = (name, item, key) => {
      if (rows.length >= 1000) return;
      push(names, name);
      const row = { __proto__: null, cells: { __proto__: null }, value: undefined, key };
      push(rows, row);
      if ((typeof item !== "object" && typeof item !== "function") || item === null || isMap) {
        row.value = cell(item);
        hasValues = true;
        return;
      }
      const keys = ownKeys(item);
      for (let i = 0; i < keys.length; i++) {
        const descriptor = getOwnPropertyDescriptor(item, keys[i]);
        if (typeof keys[i] !== "string" || descriptor === undefined || !descriptor.enumerable) continue;
        if (wanted === undefined) column(keys[i]);
        row.cells[keys[i]] = "value" in descriptor ? cell(descriptor.value) : "[Getter]";
      }
    };
    let index = 0;
    if (isMap) mapForEach(data, (value, key) => add(String(index++), value, cell(key)));
    else if (isSet) setForEach(data, (value) => add(String(index++), value, undefined));
    else {
      const keys = ownKeys(data);
      for (let i = 0; i < keys.length; i++) {
        const descriptor = getOwnPropertyDescriptor(data, keys[i]);
        if (typeof keys[i] === "string" && descriptor !== undefined && descriptor.enumerable) add(keys[i], "value" in descriptor ? descriptor.value : undefined, undefined);
      }
    }
    const all = list(), first = list();
    push(first, isMap || isSet ? "(iteration index)" : "(index)");
    if (isMap) push(first, "Key");
    for (let i = 0; i < heads.length; i++) push(first, heads[i]);
    if (hasValues) push(first, "Values");
    for (let i = 0; i < rows.length; i++) {
      const line = list(), row = rows[i];
      push(line, names[i]);
      if (isMap) push(line, row.key);
      for (let j = 0; j < heads.length; j++) push(line, row.cells[heads[j]] ?? "");
      if (hasValues) push(line, row.value ?? "");
      push(all, line);
    }
    write(LOG, drawn(first, all));
  }

  function drawn(head, rows) {
    const widths = list();
    for (let i = 0; i < head.length; i++) {
      let width = head[i].length;
      for (let j = 0; j < rows.length; j++) if (rows[j][i].length > width) width = rows[j][i].length;
      push(widths, width + 2);
    }
    const rule = (left, middle, right) => {
      const parts = list();
      for (let i = 0; i < widths.length; i++) push(parts, repeat("─", widths[i]));
      return left + join(parts, middle) + right;
    };
    const line = (cells) => {
      const parts = list();
      for (let i = 0; i < widths.length; i++) {
        push(parts, " " + cells[i] + repeat(" ", widths[i] - cells[i].length - 1));
      }
      return "│" + join(parts, "│") + "│";
    };
    const lines = list();
    push(lines, rule("┌", "┬", "┐"));
    push(lines, line(head));
    push(lines, rule("├", "┼", "┤"));
    for (let i = 0; i < rows.length; i++) push(lines, line(rows[i]));
    push(lines, rule("└", "┴", "┘"));
    return join(lines, "\n");
  }

  // ---- the object ----

  const methods = {
    log(...args) { write(LOG, format(args)); },
    warn(...args) { write(WARN, format(args)); },
    dir(item = undefined, options = undefined) {
      const depth = typeof options === "object" && options !== null ? attempt(() => options.depth, 2) : 2;
      const hidden = typeof options === "object" && options !== null && attempt(() => options.showHidden === true, false);
      write(LOG, inspect(item, depth === null ? Infinity : typeof depth === "number" ? depth : 2, hidden));
    },
    time(label = "default") {
      const key = labelOf(label);
      if (key in timers) return write(WARN, "Label '" + key + "' already exists for console.time()");
      timers[key] = now();
    },
    timeEnd(label = "default") { timed("timeEnd", label, [], true); },
    timeLog(label = "default", ...data) { timed("timeLog", label, data, false); },
    trace(...args) {
      const text = format(args), frames = new intrinsics.Error().stack;
      write(DEBUG, "Trace" + (text === "" ? "" : ": " + text) + (typeof frames === "string" && frames !== "" ? "\n" + frames : ""));
    },
    assert(condition = false, ...args) {
      if (condition) return;
      if (typeof args[0] === "string") {
        args[0] = "Assertion failed: " + args[0];
        return write(ERROR, format(args));
      }
      write(ERROR, "Assertion failed" + (args.length === 0 ? "" : ": " + format(args)));
    },
    clear() {},
    count(label = "default") {
      const key = labelOf(label);
      counts[key] = (counts[key] ?? 0) + 1;
      write(LOG, key + ": " + counts[key]);
    },
    countReset(label = "default") {
      const key = labelOf(label);
      if (!(key in counts)) return write(WARN, "Count for '" + key + "' does not exist");
      delete counts[key];
    },
    group(...data) {
      if (data.length > 0) write(LOG, format(data));
      if (indentation.length < 200) indentation += "  ";
    },
    groupEnd() { indentation = slice(indentation, 0, -2); },
    table(tabularData = undefined, properties = undefined) {
      try { table(tabularData, properties); } catch { write(LOG, format([tabularData])); }
    },
    debug(...args) { write(DEBUG, format(args)); },
    info(...args) { write(INFO, format(args)); },
    dirxml(...data) { write(LOG, format(data)); },
    error(...args) { write(ERROR, format(args)); },
    groupCollapsed: undefined,
  };
  const group = methods.group;
  methods.groupCollapsed = { groupCollapsed(...data) { apply(group, undefined, data); } }.groupCollapsed;
  // A namespace of Web IDL: its prototype is an object of its own.
  setPrototypeOf(methods, {});
  const console = methods;
  defineProperty(console, intrinsics.toStringTag, { __proto__: null, value: "console", configurable: true });
  return { console, formatter: { __proto__: null, format: (...args) => format(args) } };
})
