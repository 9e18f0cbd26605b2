// Values as text, as Node's util.inspect shows them. It never throws, runs no getter of the value, and does a bounded amount of work.
(function (ops, intrinsics) {
  "use strict";
  const {
    apply, arrayBufferLength, bigintValueOf, booleanValueOf, charCodeAt, dateToISO, domExceptionName, errorStack, functionToString, getOwnPropertyDescriptor,
    getPrototypeOf, indexOf, isArray, isView, join, list, mapForEach, mapSize, numberToString, numberValueOf, ownKeys, push, regExpFlags, regExpSource, repeat, setForEach,
    setSize, slice, stringValueOf, String, symbolToString, toStringTag, typedArrayLength, typedArrayTag, Uint8Array, viewBuffer, viewByteLength, viewOffset,
  } = intrinsics;

  const MAX_ITEMS = 100;
  const MAX_STRING = 10000;
  // The host cuts entries; there is no point in rendering much more than any host keeps.
  const MAX_TEXT = 1 << 20;
  const LINE = 80;
  const COMPACT = 3;
  const OBJECT = 0, ARRAY = 1, ARRAY_EXTRAS = 2;
  const NONE = { __proto__: null };
  const custom = intrinsics.symbolFor("nodejs.util.inspect.custom");

  const attempt = (f, value) => { try { return f(value); } catch { return NONE; } };
  const min = (a, b) => (a < b ? a : b), max = (a, b) => (a > b ? a : b);
  const pad = (text, length, atStart) => {
    const missing = length - text.length;
    if (missing <= 0) return text;
    return atStart ? repeat(" ", missing) + text : text + repeat(" ", missing);
  };
  const includes = (text, part) => indexOf(text, part) >= 0;

  // ---- primitives ----

  const ESCAPES = { __proto__: null, 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 92: "\\\\" };
  function quote(text) {
    const mark = !includes(text, "'") ? 39 : !includes(text, "\"") ? 34 : !includes(text, "`") && !includes(text, "$" + "{") ? 96 : 39;
    const parts = list();
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = charCodeAt(text, i);
      let as;
      if (unit === mark || unit === 92) as = "\\" + slice(text, i, i + 1);
      else if (unit < 32 || (unit >= 127 && unit <= 159)) as = unit in ESCAPES ? ESCAPES[unit] : "\\x" + hex(unit);
      else if (unit >= 0xd800 && unit <= 0xdfff) {
        const next = charCodeAt(text, i + 1);
        if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) { i++; continue; }
        as = "\\u" + numberToString(unit, 16);
      } else continue;
      push(parts, slice(text, from, i));
      push(parts, as);
      from = i + 1;
    }
    push(parts, slice(text, from));
    const sign = mark === 39 ? "'" : mark === 34 ? "\"" : "`";
    return sign + join(parts, "") + sign;
  }
  const hex = (unit) => { const text = numberToString(unit, 16); return text.length === 1 ? "0" + upper(text) : upper(text); };
  const upper = (text) => intrinsics.toUpperCase(text);
  const numberText = (value) => (value === 0 && 1 / value < 0 ? "-0" : String(value));

  function primitive(context, value) {
    switch (typeof value) {
      case "string": {
        let trailer = "", text = value;
        if (text.length > MAX_STRING) {
          const more = text.length - MAX_STRING;
          text = slice(text, 0, MAX_STRING);
          trailer = "... " + more + " more character" + (more > 1 ? "s" : "");
        }
        if (text.length > 16 && text.length > LINE - context.indentation - 4 && includes(text, "\n")) {
          const lines = list();
          for (let from = 0; from < text.length; ) {
            const end = indexOf(text, "\n", from), to = end < 0 ? text.length : end + 1;
            push(lines, quote(slice(text, from, to)));
            from = to;
          }
          return join(lines, " +\n" + repeat(" ", context.indentation + 2)) + trailer;
        }
        return quote(text) + trailer;
      }
      case "number": return numberText(value);
      case "bigint": return String(value) + "n";
      case "symbol": return symbolToString(value);
      default: return String(value);
    }
  }

  // ---- what an object calls itself ----

  function constructorName(object) {
    for (let proto = object, i = 0; proto !== null && i < 100; i++) {
      const descriptor = getOwnPropertyDescriptor(proto, "constructor");
      let made = descriptor === undefined ? undefined : descriptor.value;
      // What `await` looks at is an accessor.
      if (descriptor !== undefined && descriptor.get !== undefined && proto === intrinsics.Promise.prototype) made = intrinsics.Promise;
      if (typeof made === "function") {
        const name = getOwnPropertyDescriptor(made, "name");
        if (name !== undefined && typeof name.value === "string" && name.value !== "") return name.value;
      }
      proto = getPrototypeOf(proto);
    }
    return null;
  }

  /** A tag that is there as a value; no getter is asked. */
  function tagOf(object) {
    for (let at = object, i = 0; at !== null && i < 100; at = getPrototypeOf(at), i++) {
      const descriptor = getOwnPropertyDescriptor(at, toStringTag);
      if (descriptor === undefined) continue;
      const { value } = descriptor;
      return typeof value !== "string" || (at === object && descriptor.enumerable) ? "" : value;
    }
    return "";
  }

  function prefix(constructor, tag, fallback, size = "") {
    if (constructor === null) return "[" + fallback + size + ": null prototype] " + (tag !== "" && fallback !== tag ? "[" + tag + "] " : "");
    return constructor + size + (tag !== "" && constructor !== tag ? " [" + tag + "] " : " ");
  }

  const isIndex = (key) => {
    for (let i = 0; i < key.length; i++) { const c = charCodeAt(key, i); if (c < 48 || c > 57) return false; }
    return key !== "";
  };
  function shownKeys(context, object, skipIndices) {
    const keys = ownKeys(object), shown = list();
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (skipIndices && typeof key === "string" && isIndex(key)) continue;
      if (context.hidden) { push(shown, key); continue; }
      const descriptor = getOwnPropertyDescriptor(object, key);
      if (descriptor !== undefined && descriptor.enumerable) push(shown, key);
    }
    return shown;
  }

  // ---- objects ----

  function format(context, value, depth) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return spend(context, primitive(context, value));
    if (context.spent > MAX_TEXT) return "…";
    for (let i = 0; i < context.seen.length; i++) {
      if (context.seen[i] !== value) continue;
      return "[Circular *" + reference(context, value) + "]";
    }
    const text = attempt(() => raw(context, value, depth), undefined);
    return text === NONE ? "[unprintable]" : text;
  }
  const spend = (context, text) => { context.spent += text.length; return text; };

  function reference(context, value) {
    for (let i = 0; i < context.circular.length; i++) if (context.circular[i] === value) return i + 1;
    return push(context.circular, value);
  }

  /** What an object's own method says it looks like; no getter is asked. */
  function customized(context, value, depth) {
    let shows;
    for (let at = value, i = 0; at !== null && i < 100 && shows === undefined; at = getPrototypeOf(at), i++) {
      const descriptor = getOwnPropertyDescriptor(at, custom);
      if (descriptor !== undefined) shows = "value" in descriptor ? descriptor.value : null;
    }
    if (typeof shows !== "function") return NONE;
    const made = apply(shows, value, [context.depth - depth, { __proto__: null, depth: context.depth - depth, showHidden: context.hidden, stylize: (text) => text }, inspectWith]);
    if (made === value) return NONE;
    if (typeof made !== "string") return format(context, made, depth);
    if (context.indentation === 0 || !includes(made, "\n")) return spend(context, made);
    const lines = list();
    for (let from = 0; ; ) {
      const end = indexOf(made, "\n", from);
      push(lines, end < 0 ? slice(made, from) : slice(made, from, end));
      if (end < 0) break;
      from = end + 1;
    }
    return spend(context, join(lines, "\n" + repeat(" ", context.indentation)));
  }

  function raw(context, value, depth) {
    const kind = ops.kind_of(value);
    if (kind === "proxy") return spend(context, typeof value === "function" ? "[Function (Proxy)]" : "[Proxy]");
    push(context.seen, value);
    const own = attempt(() => customized(context, value, depth), undefined);
    context.seen.length--;
    if (own !== NONE) return own;
    const constructor = constructorName(value), tag = kind === "buffer" || kind === "promise" || kind === "map" || kind === "set" || kind === "weak" ? "" : tagOf(value);
    let base = "", open = "{", close = "}", extras = OBJECT, keys, body = () => list();
    if (kind === "array") {
      const { length } = value;
      keys = shownKeys(context, value, true);
      open = (constructor !== "Array" || tag !== "" ? prefix(constructor, tag, "Array", "(" + length + ")") : "") + "[";
      close = "]";
      if (length === 0 && keys.length === 0) return spend(context, open + "]");
      extras = ARRAY_EXTRAS;
      body = () => arrayItems(context, value, length, depth);
    } else if (kind === "set") {
      keys = shownKeys(context, value, false);
      open = prefix(constructor, tag, "Set", "(" + setSize(value) + ")") + "{";
      if (setSize(value) === 0 && keys.length === 0) return spend(context, open + "}");
      body = () => setItems(context, value, depth);
    } else if (kind === "map") {
      keys = shownKeys(context, value, false);
      open = prefix(constructor, tag, "Map", "(" + mapSize(value) + ")") + "{";
      if (mapSize(value) === 0 && keys.length === 0) return spend(context, open + "}");
      body = () => mapItems(context, value, depth);
    } else if (kind === "buffer" && typedArrayTag(value) !== undefined) {
      const length = typedArrayLength(value);
      keys = shownKeys(context, value, true);
      open = prefix(constructor, tag, typedArrayTag(value), "(" + length + ")") + "[";
      close = "]";
      if (length === 0 && keys.length === 0) return spend(context, open + "]");
      extras = ARRAY_EXTRAS;
      body = () => typedItems(context, value, length);
    } else {
      keys = shownKeys(context, value, false);
      if (kind === "function") {
        base = functionBase(value, constructor, tag);
        if (keys.length === 0) return spend(context, base);
      } else if (kind === "regexp") {
        base = "/" + regExpSource(value) + "/" + regExpFlags(value);
        if (constructor !== "RegExp") base = prefix(constructor, tag, "RegExp") + base;
        if (keys.length === 0) return spend(context, base);
      } else if (kind === "date") {
        const text = attempt(dateToISO, value);
        base = text === NONE ? "Invalid Date" : text;
        if (constructor !== "Date") base = prefix(constructor, tag, "Date") + base;
        if (keys.length === 0) return spend(context, base);
      } else if (kind === "error") {
        base = errorBase(context, value, keys);
        if (keys.length === 0) return spend(context, base);
      } else if (kind === "boxed") {
        base = boxedBase(context, value, constructor);
        if (typeof attempt(stringValueOf, value) === "string") keys = withoutIndices(keys);
        if (keys.length === 0) return spend(context, base);
      } else if (kind === "buffer" || kind === "shared") {
        const isBytes = !isView(value);
        open = prefix(constructor, tag, isBytes ? (kind === "shared" ? "SharedArrayBuffer" : "ArrayBuffer") : "DataView") + "{";
        body = () => (isBytes ? bufferItems(value) : viewItems(context, value, depth));
      } else if (kind === "promise") {
        open = prefix(constructor, tag, "Promise") + "{";
        body = () => promiseItems(context, value, depth);
      } else if (kind === "weak") {
        open = prefix(constructor, tag, "WeakSet") + "{";
        body = () => one("<items unknown>");
      } else if (constructor === "Object") {
        if (tag !== "") open = prefix(constructor, tag, "Object") + "{";
        if (keys.length === 0) return spend(context, open + "}");
      } else {
        open = prefix(constructor, tag, "Object") + "{";
        if (keys.length === 0) return spend(context, open + "}");
      }
    }
    if (depth > context.depth) {
      const name = prefix(constructor, tag, kind === "array" ? "Array" : "Object");
      return spend(context, constructor === null ? "[" + slice(name, 1, -2) + "]" : "[" + slice(name, 0, -1) + "]");
    }
    push(context.seen, value);
    context.currentDepth = depth;
    const output = body();
    for (let i = 0; i < keys.length && context.spent <= MAX_TEXT; i++) {
      if (i >= MAX_ITEMS * 10) { push(output, "... " + (keys.length - i) + " more properties"); break; }
      push(output, property(context, value, depth, keys[i], extras === ARRAY_EXTRAS ? ARRAY : OBJECT));
    }
    context.seen.length--;
    for (let i = 0; i < context.circular.length; i++) {
      if (context.circular[i] !== value) continue;
      const mark = "<ref *" + (i + 1) + ">";
      if (base === "") open = mark + " " + open;
      else base = mark + " " + base;
    }
    const text = together(context, output, base, open, close, extras, depth, value);
    context.spent += output.length * 2;
    return text;
  }

  const one = (text) => { const items = list(); push(items, text); return items; };
  const remaining = (count) => "... " + count + " more item" + (count > 1 ? "s" : "");
  const withoutIndices = (keys) => {
    const kept = list();
    for (let i = 0; i < keys.length; i++) if (typeof keys[i] !== "string" || !isIndex(keys[i])) push(kept, keys[i]);
    return kept;
  };

  function arrayItems(context, value, length, depth) {
    const output = list();
    let shown = 0, at = 0;
    // What is missing is counted by what is there: an array may be long and nearly empty.
    const keys = length > MAX_ITEMS * 100 ? ownKeys(value) : undefined;
    let next = 0;
    while (at < length && shown < MAX_ITEMS && context.spent <= MAX_TEXT) {
      if (getOwnPropertyDescriptor(value, String(at)) !== undefined) {
        push(output, property(context, value, depth, String(at), ARRAY_EXTRAS));
        at++;
      } else {
        let to = at + 1;
        if (keys === undefined) while (to < length && getOwnPropertyDescriptor(value, String(to)) === undefined) to++;
        else {
          while (next < keys.length && isIndex(String(keys[next])) && +keys[next] < to) next++;
          to = next < keys.length && isIndex(String(keys[next])) ? +keys[next] : length;
        }
        push(output, spend(context, "<" + (to - at) + " empty item" + (to - at > 1 ? "s" : "") + ">"));
        at = to;
      }
      shown++;
    }
    if (at < length) push(output, remaining(length - at));
    return output;
  }

  function typedItems(context, value, length) {
    const output = list(), shown = min(MAX_ITEMS, length);
    for (let i = 0; i < shown; i++) push(output, spend(context, typeof value[i] === "bigint" ? String(value[i]) + "n" : numberText(value[i])));
    if (length > shown) push(output, remaining(length - shown));
    return output;
  }

  function setItems(context, value, depth) {
    const output = list();
    let count = 0;
    context.indentation += 2;
    setForEach(value, (item) => {
      if (count++ < MAX_ITEMS && context.spent <= MAX_TEXT) push(output, format(context, item, depth + 1));
    });
    context.indentation -= 2;
    if (count > MAX_ITEMS) push(output, remaining(count - MAX_ITEMS));
    return output;
  }

  function mapItems(context, value, depth) {
    const output = list();
    let count = 0;
    context.indentation += 2;
    mapForEach(value, (item, key) => {
      if (count++ < MAX_ITEMS && context.spent <= MAX_TEXT) push(output, format(context, key, depth + 1) + " => " + format(context, item, depth + 1));
    });
    context.indentation -= 2;
    if (count > MAX_ITEMS) push(output, remaining(count - MAX_ITEMS));
    return output;
  }

  function bufferItems(value) {
    const length = attempt(arrayBufferLength, value), output = list();
    if (length === NONE) return one("byteLength: 0");
    const bytes = new Uint8Array(value), shown = min(50, length), digits = list();
    for (let i = 0; i < shown; i++) push(digits, (bytes[i] < 16 ? "0" : "") + numberToString(bytes[i], 16));
    const more = length - shown;
    push(output, "[Uint8Contents]: <" + join(digits, " ") + (more > 0 ? " ... " + more + " more byte" + (more > 1 ? "s" : "") : "") + ">");
    push(output, "byteLength: " + length);
    return output;
  }

  function viewItems(context, value, depth) {
    const output = list();
    push(output, "byteLength: " + viewByteLength(value));
    push(output, "byteOffset: " + viewOffset(value));
    push(output, "buffer: " + format(context, viewBuffer(value), depth + 1));
    return output;
  }

  function promiseItems(context, value, depth) {
    const look = ops.promise_look(value);
    if (look === undefined) return one("<pending>");
    context.indentation += 2;
    const text = format(context, look.value, depth + 1);
    context.indentation -= 2;
    return one(look.isRejected ? "<rejected> " + text : text);
  }

  function functionBase(value, constructor, tag) {
    const source = functionToString(value), named = getOwnPropertyDescriptor(value, "name");
    const name = named !== undefined && typeof named.value === "string" ? named.value : "";
    if (slice(source, 0, 5) === "class" && slice(source, -1) === "}") {
      let text = "[class " + (name === "" ? "(anonymous)" : name);
      if (constructor !== "Function" && constructor !== null) text += " [" + constructor + "]";
      if (tag !== "" && constructor !== tag) text += " [" + tag + "]";
      const parent = getPrototypeOf(value), parentName = parent === null ? undefined : getOwnPropertyDescriptor(parent, "name");
      if (constructor === null) text += " extends [null prototype]";
      else if (parentName !== undefined && typeof parentName.value === "string" && parentName.value !== "") text += " extends " + parentName.value;
      return text + "]";
    }
    const type = constructor === "AsyncFunction" || constructor === "GeneratorFunction" || constructor === "AsyncGeneratorFunction" ? constructor : "Function";
    let text = "[" + type + (constructor === null ? " (null prototype)" : "") + (name === "" ? " (anonymous)" : ": " + name) + "]";
    if (constructor !== type && constructor !== null) text += " " + constructor;
    if (tag !== "" && constructor !== tag) text += " [" + tag + "]";
    return text;
  }

  function boxedBase(context, value, constructor) {
    const readers = [numberValueOf, stringValueOf, booleanValueOf, bigintValueOf], names = ["Number", "String", "Boolean", "BigInt"];
    let inside = NONE, name = "Symbol";
    for (let i = 0; i < 4 && inside === NONE; i++) {
      inside = attempt(readers[i], value);
      if (inside !== NONE) name = names[i];
    }
    let text = "[" + name;
    if (constructor !== name) text += constructor === null ? " (null prototype)" : " (" + constructor + ")";
    return text + ": " + (inside === NONE ? "Symbol()" : primitive({ indentation: 0 }, inside)) + "]";
  }

  /** The text of an error with its frames; `keys` loses what the text has, and gets the cause. */
  function errorBase(context, error, keys) {
    const own = (key) => { const d = getOwnPropertyDescriptor(error, key); return d === undefined ? undefined : d.value; };
    const inherited = (key) => {
      for (let at = error, i = 0; at !== null && i < 100; at = getPrototypeOf(at), i++) {
        const d = getOwnPropertyDescriptor(at, key);
        if (d !== undefined) return d.value;
      }
      return undefined;
    };
    const exception = attempt(domExceptionName, error), isException = exception !== NONE;
    const name = isException ? exception : inherited("name"), message = isException ? intrinsics.domExceptionMessage(error) : inherited("message");
    const head = (typeof name === "string" && name !== "" ? name : "Error") + (typeof message === "string" && message !== "" ? ": " + message : "");
    let frames = own("stack");
    if (frames === undefined) frames = attempt(errorStack, error);
    let text = head;
    if (typeof frames === "string" && frames !== "") text = head + "\n" + (charCodeAt(frames, frames.length - 1) === 10 ? slice(frames, 0, -1) : frames);
    else text = "[" + head + "]";
    const kept = list();
    for (let i = 0; i < keys.length; i++) if (keys[i] !== "stack" && !((keys[i] === "name" || keys[i] === "message") && includes(text, String(own(keys[i]))))) push(kept, keys[i]);
    const hidden = ["cause", "errors"];
    for (let i = 0; i < hidden.length; i++) {
      const descriptor = getOwnPropertyDescriptor(error, hidden[i]);
      if (descriptor !== undefined && !descriptor.enumerable && "value" in descriptor) push(kept, hidden[i]);
    }
    keys.length = 0;
    for (let i = 0; i < kept.length; i++) push(keys, kept[i]);
    if (context.indentation === 0 || !includes(text, "\n")) return text;
    const lines = list();
    for (let from = 0; ; ) {
      const end = indexOf(text, "\n", from);
      push(lines, end < 0 ? slice(text, from) : slice(text, from, end));
      if (end < 0) break;
      from = end + 1;
    }
    return join(lines, "\n" + repeat(" ", context.indentation));
  }

  const isWord = (text) => {
    if (text === "") return false;
    for (let i = 0; i < text.length; i++) {
      const c = charCodeAt(text, i);
      if (!(c === 95 || (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (i > 0 && c >= 48 && c <= 57))) return false;
    }
    return true;
  };

  // Reads one own property without running a getter.
  function property(context, object, depth, key, type) {
    const descriptor = getOwnPropertyDescriptor(object, key);
    let text;
    if (descriptor === undefined) text = "undefined";
    else if ("value" in descriptor) {
      context.indentation += 2;
      text = format(context, descriptor.value, depth + 1);
      context.indentation -= 2;
    } else if (descriptor.get !== undefined) text = descriptor.set !== undefined ? "[Getter/Setter]" : "[Getter]";
    else text = descriptor.set !== undefined ? "[Setter]" : "undefined";
    if (type === ARRAY_EXTRAS) return text;
    let name;
    if (typeof key === "symbol") name = "[" + symbolToString(key) + "]";
    else if (key === "__proto__") name = "['__proto__']";
    else if (descriptor !== undefined && !descriptor.enumerable) name = "[" + key + "]";
    else name = isWord(key) ? key : quote(key);
    return spend(context, name + ": ") + text;
  }

  // ---- lines ----

  function together(context, output, base, open, close, extras, depth, value) {
    const entries = output.length;
    let items = output;
    if (extras === ARRAY_EXTRAS && entries > 6) items = grouped(context, output, value);
    if (context.currentDepth - depth < COMPACT && entries === items.length) {
      const start = items.length + context.indentation + open.length + base.length + 10;
      let total = items.length + start;
      for (let i = 0; i < items.length && total <= LINE; i++) total += items[i].length;
      if (total <= LINE && (base === "" || !includes(base, "\n"))) {
        const joined = join(items, ", ");
        if (!includes(joined, "\n")) return (base === "" ? "" : base + " ") + open + " " + joined + " " + close;
      }
    }
    const indentation = "\n" + repeat(" ", context.indentation);
    return (base === "" ? "" : base + " ") + open + indentation + "  " + join(items, "," + indentation + "  ") + indentation + close;
  }

  /** Many short items in columns. */
  function grouped(context, output, value) {
    const isCut = value.length > MAX_ITEMS && output.length > MAX_ITEMS, count = isCut ? output.length - 1 : output.length;
    const lengths = list();
    let total = 0, longest = 0;
    for (let i = 0; i < count; i++) {
      const { length } = output[i];
      push(lengths, length);
      total += length + 2;
      longest = max(longest, length);
    }
    const widest = longest + 2;
    if (!(widest * 3 + context.indentation < LINE && (total / widest > 5 || longest <= 6))) return output;
    const bias = root(widest - total / output.length), biased = max(widest - 3 - bias, 1);
    const columns = min(min(round(root(2.5 * biased * count) / biased), floor((LINE - context.indentation) / widest)), min(COMPACT * 4, 15));
    if (columns <= 1) return output;
    const widths = list(), lines = list();
    for (let i = 0; i < columns; i++) {
      let width = 0;
      for (let j = i; j < count; j += columns) width = max(width, lengths[j]);
      push(widths, width + 2);
    }
    let atStart = true;
    for (let i = 0; i < count && atStart; i++) {
      const descriptor = getOwnPropertyDescriptor(value, String(i));
      const item = descriptor === undefined ? undefined : descriptor.value;
      atStart = typeof item === "number" || typeof item === "bigint";
    }
    for (let i = 0; i < count; i += columns) {
      const end = min(i + columns, count);
      let line = "", j = i;
      for (; j < end - 1; j++) line += pad(output[j] + ", ", widths[j - i], atStart);
      line += atStart ? pad(output[j], widths[j - i] - 2, true) : output[j];
      push(lines, line);
    }
    if (isCut) push(lines, output[count]);
    return lines;
  }
  const floor = intrinsics.floor;
  const round = (value) => floor(value + 0.5);
  const root = intrinsics.sqrt;

  const context = (depth, hidden) => ({ depth, hidden, indentation: 0, currentDepth: 0, seen: list(), circular: list(), spent: 0 });
  /** `depth` is how many levels are shown below the first. */
  const inspect = (value, depth = 2, hidden = false, indentation = 0) => {
    const made = context(depth, hidden);
    made.indentation = indentation;
    return format(made, value, 0);
  };
  /** As Node's `util.inspect(value, options)`. */
  const inspectWith = (value, options = undefined, depth = undefined) => {
    const levels = (given) => (given === null ? Infinity : typeof given === "number" ? given : 2);
    if (typeof options !== "object" || options === null) return inspect(value, levels(depth), options === true);
    return inspect(value, levels(options.depth), !!options.showHidden);
  };
  return { inspector: { __proto__: null, custom, inspect, inspectWith, numberText, quote } };
})
