// console: renders its arguments to text and hands the text to the host, which bounds it. Rendering never throws and never
// does more than a bounded amount of work, whatever it is given.
(function (ops, intrinsics) {
  "use strict";
  const {
    apply, charCodeAt, dateTime, dateToISO, freeze, functionToString, getOwnPropertyDescriptor, getPrototypeOf, indexOf, isArray,
    join, list: newList, mapForEach, mapSize, numberValueOf, stringValueOf, booleanValueOf, bigintValueOf, ownKeys, push, regExpFlags,
    regExpSource, repeat, setForEach, setSize, slice, stringify, symbolToString, typedArrayLength, typedArrayTag,
    arrayBufferLength, viewLength, defineProperty, String,
  } = intrinsics;

  const MAX_DEPTH = 4;
  const MAX_ITEMS = 100;
  // The host cuts entries; there is no point in rendering much more than any host keeps.
  const MAX_TEXT = 1 << 20;
  const ANSWER = { __proto__: null };

  const attempt = (f, value) => { try { return f(value); } catch { return ANSWER; } };
  const quote = (text) => apply(stringify, undefined, [text]);

  // Characters rendered so far in this call; when it runs over, everything else becomes "…".
  let written = 0;
  const spent = (text) => { written += text.length; return text; };

  function className(object) {
    let proto = object;
    for (let i = 0; i < 8; i++) {
      proto = getPrototypeOf(proto);
      if (proto === null) return i === 0 ? "[Object: null prototype]" : "Object";
      const descriptor = getOwnPropertyDescriptor(proto, "constructor");
      if (descriptor !== undefined && typeof descriptor.value === "function") {
        const name = getOwnPropertyDescriptor(descriptor.value, "name");
        if (name !== undefined && typeof name.value === "string" && name.value !== "") return name.value;
      }
    }
    return "Object";
  }

  const isIdentifier = (text) => {
    if (text === "") return false;
    for (let i = 0; i < text.length; i++) {
      const c = charCodeAt(text, i);
      if (!(c === 36 || c === 95 || (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (i > 0 && c >= 48 && c <= 57))) return false;
    }
    return true;
  };
  const keyText = (key) =>
    typeof key === "symbol" ? "[" + symbolToString(key) + "]" : isIdentifier(key) ? key : quote(key);

  // Reads one own property without running a getter.
  function property(object, key, depth, seen) {
    const descriptor = getOwnPropertyDescriptor(object, key);
    if (descriptor === undefined) return undefined;
    if (descriptor.get !== undefined) return descriptor.set !== undefined ? "[Getter/Setter]" : "[Getter]";
    if (descriptor.set !== undefined) return "[Setter]";
    return render(descriptor.value, depth, seen);
  }

  function list(open, parts, close, more) {
    if (more > 0) push(parts, "… " + more + " more");
    if (parts.length === 0) return open + close;
    const line = join(parts, ", ");
    if (line.length <= 72 && indexOf(line, "\n") < 0) return open + " " + line + " " + close;
    const indented = newList();
    for (let i = 0; i < parts.length; i++) push(indented, indent(parts[i]));
    return open + "\n" + join(indented, ",\n") + "\n" + close;
  }

  function indent(text) {
    let out = "  ";
    let from = 0;
    for (;;) {
      const to = indexOf(text, "\n", from);
      if (to < 0) return out + slice(text, from);
      out += slice(text, from, to + 1) + "  ";
      from = to + 1;
    }
  }

  function properties(object, parts, depth, seen, skipIndices) {
    const keys = ownKeys(object);
    let more = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (skipIndices && typeof key === "string" && (key === "length" || isIndex(key))) continue;
      const descriptor = getOwnPropertyDescriptor(object, key);
      if (descriptor === undefined || !descriptor.enumerable) continue;
      if (parts.length >= MAX_ITEMS || written > MAX_TEXT) { more++; continue; }
      push(parts, keyText(key) + ": " + property(object, key, depth, seen));
    }
    return more;
  }

  const isIndex = (key) => {
    for (let i = 0; i < key.length; i++) { const c = charCodeAt(key, i); if (c < 48 || c > 57) return false; }
    return key !== "";
  };

  function errorText(error, depth, seen) {
    const read = (key) => { const d = attempt((k) => error[k], key); return typeof d === "string" ? d : ""; };
    const name = read("name"), message = read("message"), stack = read("stack");
    let text = (name === "" ? "Error" : name) + (message === "" ? "" : ": " + message);
    if (stack !== "" && depth === 0) text += "\n" + (charCodeAt(stack, stack.length - 1) === 10 ? slice(stack, 0, -1) : stack);
    const parts = newList();
    const more = properties(error, parts, depth + 1, seen, false);
    const cause = getOwnPropertyDescriptor(error, "cause");
    if (cause !== undefined) push(parts, "[cause]: " + property(error, "cause", depth + 1, seen));
    return parts.length === 0 ? text : text + " " + list("{", parts, "}", more);
  }

  function renderObject(object, depth, seen) {
    if (typeof object === "function") {
      const source = functionToString(object);
      const name = getOwnPropertyDescriptor(object, "name");
      const label = name !== undefined && typeof name.value === "string" && name.value !== "" ? " " + name.value : " (anonymous)";
      return (slice(source, 0, 5) === "class" ? "[class" : "[Function:") + label + "]";
    }
    // The C side knows what an object is; a script can forge every tag that JavaScript could ask for.
    const kind = ops.kind_of(object);
    if (kind === "proxy") return "[Proxy]";
    if (kind === "promise") return "Promise {}";
    if (kind === "date") { const text = attempt(dateToISO, object); return text === ANSWER ? "Invalid Date" : text; }
    if (kind === "regexp") return "/" + regExpSource(object) + "/" + regExpFlags(object);
    if (kind === "error") return errorText(object, depth, seen);
    if (depth > MAX_DEPTH) return isArray(object) ? "[Array]" : "[" + className(object) + "]";
    const parts = newList();
    if (kind === "array") {
      const length = object.length;
      const shown = length < MAX_ITEMS ? length : MAX_ITEMS;
      for (let i = 0; i < shown && written <= MAX_TEXT; i++) {
        const text = property(object, String(i), depth + 1, seen);
        push(parts, text === undefined ? spent("<empty>") : text);
      }
      return list("[", parts, "]", length - parts.length);
    }
    const name = className(object);
    if (kind === "map") {
      mapForEach(object, (value, key) => {
        if (parts.length < MAX_ITEMS && written <= MAX_TEXT) push(parts, render(key, depth + 1, seen) + " => " + render(value, depth + 1, seen));
      });
      return list(name + "(" + mapSize(object) + ") {", parts, "}", mapSize(object) - parts.length);
    }
    if (kind === "set") {
      setForEach(object, (value) => {
        if (parts.length < MAX_ITEMS && written <= MAX_TEXT) push(parts, render(value, depth + 1, seen));
      });
      return list(name + "(" + setSize(object) + ") {", parts, "}", setSize(object) - parts.length);
    }
    if (kind === "buffer") {
      const tag = typedArrayTag(object);
      if (tag === undefined) {
        let length = attempt(arrayBufferLength, object);
        if (length === ANSWER) length = attempt(viewLength, object);
        return name + " { byteLength: " + (length === ANSWER ? 0 : length) + " }";
      }
      const length = typedArrayLength(object);
      for (let i = 0; i < length && i < MAX_ITEMS; i++) push(parts, spent(String(object[i])));
      return list(tag + "(" + length + ") [", parts, "]", length - parts.length);
    }
    if (kind === "boxed") {
      let value = attempt(numberValueOf, object);
      if (value === ANSWER) value = attempt(stringValueOf, object);
      if (value === ANSWER) value = attempt(booleanValueOf, object);
      if (value === ANSWER) value = attempt(bigintValueOf, object);
      return "[" + name + ": " + render(value === ANSWER ? undefined : value, 1, seen) + "]";
    }
    const more = properties(object, parts, depth + 1, seen, false);
    return list(name === "Object" ? "{" : name + " {", parts, "}", more);
  }

  function render(value, depth, seen) {
    if (written > MAX_TEXT) return "…";
    switch (typeof value) {
      case "string": return spent(depth === 0 ? value : quote(value.length > MAX_TEXT ? slice(value, 0, MAX_TEXT) : value));
      case "number": return spent(value === 0 && 1 / value < 0 ? "-0" : String(value));
      case "bigint": return spent(String(value) + "n");
      case "symbol": return spent(symbolToString(value));
      case "object": if (value === null) return spent("null"); // falls through
      case "function": {
        for (let i = 0; i < seen.length; i++) if (seen[i] === value) return "[Circular]";
        push(seen, value);
        let text = "[unprintable]";
        try { text = renderObject(value, depth, seen); } catch {}
        seen.length--;
        return spent(text);
      }
      default: return spent(String(value));
    }
  }

  const format = (args, from) => {
    written = 0;
    const parts = newList();
    for (let i = from; i < args.length; i++) push(parts, render(args[i], 0, newList()));
    return join(parts, " ");
  };

  const method = (name, f) => {
    defineProperty(f, "name", { __proto__: null, value: name, configurable: true });
    return f;
  };
  const write = (level) => (...args) => { ops.console_write(level, format(args, 0)); };
  const console = {
    debug: method("debug", write(0)),
    log: method("log", write(1)),
    info: method("info", write(2)),
    warn: method("warn", write(3)),
    error: method("error", write(4)),
    dir: method("dir", (value) => { ops.console_write(1, format([value], 0)); }),
    trace: method("trace", write(0)),
    assert: method("assert", (condition, ...args) => {
      if (!condition) ops.console_write(4, "Assertion failed" + (args.length === 0 ? "" : ": " + format(args, 0)));
    }),
  };
  return { console };
})
