// Made of js-runtime/src/node-buffer.ts by `cargo xtask generate`.
// node:buffer: https://nodejs.org/api/buffer.html. Buffers are made here, encodings are the host's; numbers in them are node-numbers.ts.
((ops     , intrinsics            ) => {
  const { arrayBufferLength, asArray, charCodeAt, fromCharCode, indexOf, join, bytesSet, defineProperty, isArray, isView, list, Number, push, RangeError, setPrototypeOf, String, toWellFormed, toLowerCase } = intrinsics;
  const { preventExtensions, typedArrayLength, typedArrayTag, typedFill, typedIndexOf, typedLastIndexOf, TypeError, Uint8Array, viewBuffer, viewByteLength, viewOffset } = intrinsics;
  const { coded, define, hidden, leaveOut, outOfRange, wrongType }             = ops.library_value("nodeShared");
  const { isBuffer: isArrayBuffer, isObject } = ops.library_value("webidl");
  const { inspect, custom } = ops.library_value("inspector");

  const MAX_LENGTH = 0x7fffffff;
  const ENCODINGS      = {
    __proto__: null, utf8: "utf8", "utf-8": "utf8", ucs2: "utf16le", "ucs-2": "utf16le", utf16le: "utf16le", "utf-16le": "utf16le", latin1: "latin1", binary: "latin1", ascii: "ascii",
    hex: "hex", base64: "base64", base64url: "base64url",
  };
  function encodingOf(value         )         {
    if (value === undefined || value === null || value === "") return "utf8";
    const known = typeof value === "string" ? ENCODINGS[toLowerCase(value)] : undefined;
    if (known === undefined) throw coded(new TypeError("Unknown encoding: " + String(value)), "ERR_UNKNOWN_ENCODING");
    return known;
  }
  /** Surrogates that stand alone cross to the host as something else, so they do not. */
  function encode(text        , given         )                          {
    const encoding = encodingOf(given), wellFormed = toWellFormed(text);
    if (wellFormed === text || (encoding !== "utf16le" && encoding !== "latin1" && encoding !== "ascii")) return ops.buffer_encode(wellFormed, encoding);
    const width = encoding === "utf16le" ? 2 : 1, bytes = new Uint8Array(text.length * width);
    for (let i = 0; i < text.length; i++) {
      const unit = charCodeAt(text, i);
      bytes[i * width] = unit & 255;
      if (width === 2) bytes[i * 2 + 1] = unit >> 8;
    }
    return bytes;
  }
  function decode(bytes            , encoding        )         {
    const text         = ops.buffer_decode(bytes, encoding);
    if (encoding !== "utf16le" || indexOf(text, "\ufffd") < 0) return text;
    const units           = list(), length = viewByteLength(bytes);
    for (let i = 0; i + 1 < length; i += 2) push(units, fromCharCode(bytes[i] + 256 * bytes[i + 1]));
    return join(units, "");
  }

  // As in Node: the function makes instances of a class, which has the same prototype.
  class FastBuffer extends (Uint8Array                                                                                                             ) {}
  const make = (length        )             => new FastBuffer(length);
  const wrap = (bytes            )             => new FastBuffer(viewBuffer(bytes), viewOffset(bytes), viewByteLength(bytes));
  const part = (bytes            , from        , to        )             => new FastBuffer(viewBuffer(bytes), viewOffset(bytes) + from, to - from);
  const isBytes = (value         )                      => isView(value) && typedArrayTag(value) === "Uint8Array";
  const isBuffer = (value         )                      => {
    if (!isBytes(value)) return false;
    for (let at                = value, i = 0; at !== null && i < 100; at = intrinsics.getPrototypeOf(at), i++) if (at === FastBuffer.prototype) return true;
    return false;
  };
  const isMemory = (value         )          => isArrayBuffer(value) || (isObject(value) && !isView(value) && ops.kind_of(value) === "shared");
  function bytesIn(value         , name        )             {
    if (!isBytes(value)) throw wrongType(name, "an instance of Buffer or Uint8Array", value);
    return value;
  }
  function size(value         )         {
    if (typeof value !== "number") throw wrongType("size", "of type number", value);
    if (!(value >= 0 && value <= MAX_LENGTH)) throw outOfRange("size", ">= 0 && <= " + MAX_LENGTH, value);
    return intrinsics.floor(value);
  }
  /** A place in something of a length; what is no number counts as `otherwise`. */
  function place(value         , length        , otherwise        )         {
    if (value === undefined) return otherwise;
    let at = Number(value);
    if (at !== at) return 0;
    at = at < 0 ? -intrinsics.floor(-at) : intrinsics.floor(at);
    return at < 0 ? (at + length < 0 ? 0 : at + length) : at > length ? length : at;
  }

  function copyOf(bytes            )             {
    const copy = make(viewByteLength(bytes));
    bytesSet(copy, bytes);
    return copy;
  }
  function fromArrayLike(value     )             {
    const length = Number(value.length), count = length > 0 ? size(length) : 0, made = make(count);
    for (let i = 0; i < count; i++) made[i] = Number(value[i]);
    return made;
  }
  function from(value     , encodingOrOffset          = undefined, length          = undefined)             {
    if (typeof value === "string") return wrap(encode(value, encodingOrOffset));
    if (isObject(value)) {
      if (isMemory(value)) {
        const whole = viewByteLength(new Uint8Array(value                          )), offset = encodingOrOffset === undefined ? 0 : Number(encodingOrOffset) || 0;
        if (offset < 0 || offset > whole) throw coded(new RangeError("\"offset\" is outside of buffer bounds"), "ERR_BUFFER_OUT_OF_BOUNDS");
        const count = length === undefined ? whole - offset : Number(length) > 0 ? Number(length) : 0;
        if (count > whole - offset) throw coded(new RangeError("\"length\" is outside of buffer bounds"), "ERR_BUFFER_OUT_OF_BOUNDS");
        return new FastBuffer(value                          , offset, count);
      }
      if (isBytes(value)) return copyOf(value);
      const inner = (value       ).valueOf?.();
      if (inner !== null && inner !== undefined && inner !== value && (typeof inner === "string" || isObject(inner))) return from(inner, encodingOrOffset, length);
      const given      = value;
      if (given.type === "Buffer" && isArray(given.data)) return fromArrayLike(given.data);
      if (isArray(given) || isView(given) || typeof given.length === "number") return fromArrayLike(given);
      const primitive = given[intrinsics.Symbol.toPrimitive];
      if (typeof primitive === "function") return from(intrinsics.apply(primitive, given, ["string"]), encodingOrOffset, length);
    }
    throw wrongType(undefined, "of type string or an instance of Buffer, ArrayBuffer, or Array or an Array-like Object", value);
  }

  function Buffer(value         , encodingOrOffset          = undefined, length          = undefined)             {
    if (typeof value === "number") return make(size(value));
    return from(value, encodingOrOffset, length);
  }
  setPrototypeOf(Buffer, Uint8Array);
  defineProperty(Buffer, "prototype", { __proto__: null, value: FastBuffer.prototype, writable: false }                      );
  defineProperty(Buffer, intrinsics.Symbol.species, { __proto__: null, get: () => FastBuffer, configurable: true }                      );
  hidden(FastBuffer.prototype, "constructor", Buffer);

  /** What is looked at at once: it is copied. */
  const PART = 1 << 20;
  function compareBytes(a            , b            )         {
    const left = viewByteLength(a), right = viewByteLength(b), least = left < right ? left : right;
    for (let at = 0; at < least; at += PART) {
      const to = at + PART < least ? at + PART : least, order         = ops.buffer_compare(part(a, at, to), part(b, at, to));
      if (order !== 0) return order;
    }
    return left === right ? 0 : left < right ? -1 : 1;
  }
  function fill(target            , value         , from        , to        , encoding         )             {
    if (from >= to) return target;
    const pattern = typeof value === "string" ? encode(value, encoding) : isBytes(value) ? value : undefined;
    if (pattern === undefined) {
      typedFill(target, Number(value) & 255, from, to);
      return target;
    }
    const count = viewByteLength(pattern);
    if (count === 0) {
      if (typeof value !== "string" || value !== "") throw coded(new TypeError("The argument 'value' is invalid. Received " + inspect(value)), "ERR_INVALID_ARG_VALUE");
      typedFill(target, 0, from, to);
      return target;
    }
    for (let i = from; i < to; i += count) bytesSet(target, i + count <= to ? pattern : part(pattern, 0, to - i), i);
    return target;
  }

  const statics      = {
    __proto__: null, from,
    alloc(length         , value          = undefined, encoding          = undefined) {
      const made = make(size(length));
      return value === undefined || value === 0 ? made : fill(made, value, 0, viewByteLength(made), encoding);
    },
    allocUnsafe: (length         ) => make(size(length)),
    allocUnsafeSlow: (length         ) => make(size(length)),
    byteLength(value         , encoding          = undefined)         {
      if (typeof value === "string") return viewByteLength(encode(value, statics.isEncoding(encoding) ? encoding : "utf8"));
      if (isView(value)) return viewByteLength(value);
      if (isMemory(value)) return viewByteLength(new Uint8Array(value               ));
      throw wrongType("string", "of type string or an instance of Buffer or ArrayBuffer", value);
    },
    compare: (a         , b         ) => compareBytes(bytesIn(a, "buf1"), bytesIn(b, "buf2")),
    concat(items         , total          = undefined) {
      if (!isArray(items)) throw wrongType("list", "an instance of Array", items);
      if (items.length === 0) return make(0);
      if (total !== undefined) inside(total, MAX_LENGTH, "length");
      let sum = 0;
      for (let i = 0; i < items.length; i++) sum += viewByteLength(bytesIn(items[i], "list[" + i + "]"));
      const made = make(total === undefined ? sum : size(total)), room = viewByteLength(made);
      for (let i = 0, at = 0; i < items.length && at < room; i++) {
        const bytes = bytesIn(items[i], "list[" + i + "]"), count = viewByteLength(bytes);
        bytesSet(made, at + count <= room ? bytes : part(bytes, 0, room - at), at);
        at += count;
      }
      return made;
    },
    copyBytesFrom(view         , offset          = 0, length          = undefined) {
      if (!isView(view)) throw wrongType("view", "an instance of TypedArray", view);
      const each = typedArrayTag(view) === undefined ? 1 : viewByteLength(view) / (typedArrayLength(view) || 1), bytes = intrinsics.viewBytes(view);
      inside(offset, viewByteLength(view) / each, "offset");
      if (length !== undefined) inside(length, MOST, "length");
      const start = place(offset, viewByteLength(view) / each, 0) * each, end = length === undefined ? viewByteLength(view) : start + Number(length) * each;
      return copyOf(part(bytes, start, end > viewByteLength(view) ? viewByteLength(view) : end));
    },
    isBuffer,
    isEncoding: (value         ) => typeof value === "string" && value !== "" && ENCODINGS[toLowerCase(value)] !== undefined,
    poolSize: 0,
  };
  const staticNames = intrinsics.ownKeys(statics);
  for (let i = 0; i < staticNames.length; i++) hidden(Buffer, staticNames[i], statics[staticNames[i]]);

  function needle(value         , encoding         )             {
    if (typeof value === "string") return encode(value, encoding);
    if (typeof value === "number") {
      const one = make(1);
      one[0] = value & 255;
      return one;
    }
    return bytesIn(value, "value");
  }
  /** A little at first and then more, so that what is near costs little and what is far not much. */
  function search(self            , wanted            , at        , isLast         , step        )         {
    const length = viewByteLength(self), count = viewByteLength(wanted);
    let size = 4096;
    if (isLast) {
      for (let end = at + count < length ? at + count : length; ; size *= 4) {
        let from = end - size - count < 0 ? 0 : end - size - count;
        from -= from % step;
        const found         = ops.buffer_find(part(self, from, end), wanted, end - from, true, step);
        if (found >= 0) return from + found;
        if (from === 0) return -1;
        end = from + count - 1;
      }
    }
    for (let from = at; ; size *= 4) {
      const start = from - (from % step), to = from + size + count < length ? from + size + count : length;
      const found         = ops.buffer_find(part(self, start, to), wanted, from - start, false, step);
      if (found >= 0) return start + found;
      if (to === length) return -1;
      from = to - count + 1;
    }
  }
  function find(self            , value         , offset         , encoding         , isLast         )         {
    if (typeof offset === "string") return find(self, value, undefined, offset, isLast);
    const length = viewByteLength(self), wanted = needle(value, encoding), number = Number(offset);
    const whole = number < 0 ? -intrinsics.floor(-number) : intrinsics.floor(number);
    const at = offset === undefined || number !== number ? (isLast ? length : 0) : whole < 0 ? whole + length : whole;
    if (isLast && at < 0) return -1;
    const step = encodingOf(typeof value === "string" ? encoding : undefined) === "utf16le" ? 2 : 1, start = at < 0 ? 0 : at > length ? length : intrinsics.floor(at);
    if (viewByteLength(wanted) === 1 && step === 1) return isLast ? typedLastIndexOf(self, wanted[0], start) : typedIndexOf(self, wanted[0], start);
    return search(self, wanted, start, isLast, step);
  }

  /** What Node takes for a place that may be beyond the end. */
  const MOST = 4294967296;
  function inside(value         , length        , name        )       {
    if (value === undefined) return;
    if (typeof value !== "number") throw wrongType(name, "of type number", value);
    if (value % 1 !== 0) throw outOfRange(name, "an integer", value);
    if (value < 0 || value > length) throw outOfRange(name, ">= 0 && <= " + length, value);
  }

  const methods      = {
    __proto__: null,
    toString(                  encoding          = undefined, start          = undefined, end          = undefined)         {
      const length = viewByteLength(this), from = start === undefined || Number(start) < 0 ? 0 : place(start, length, 0), to = end === undefined ? length : Number(end) < 0 ? 0 : place(end, length, length);
      if (encoding === null || encoding === "") throw coded(new TypeError("Unknown encoding: " + String(encoding)), "ERR_UNKNOWN_ENCODING");
      return from >= to ? "" : decode(part(this, from, to), encodingOf(encoding));
    },
    write(                  text         , offset          = undefined, length          = undefined, encoding          = undefined)         {
      if (typeof text !== "string") throw wrongType("string", "of type string", text);
      if (typeof offset === "string") return methods_write(this, text, 0, undefined, offset);
      if (typeof length === "string") return methods_write(this, text, offset, undefined, length);
      return methods_write(this, text, offset, length, encoding);
    },
    equals(                  other         )          {
      return viewByteLength(this) === viewByteLength(bytesIn(other, "otherBuffer")) && compareBytes(this, other              ) === 0;
    },
    compare(                  target         , targetStart          = undefined, targetEnd          = undefined, start          = undefined, end          = undefined)         {
      const other = bytesIn(target, "target"), length = viewByteLength(other), own = viewByteLength(this);
      inside(targetStart, MOST, "targetStart");
      inside(targetEnd, length, "targetEnd");
      inside(start, MOST, "sourceStart");
      inside(end, own, "sourceEnd");
      const from = place(targetStart, length, 0), to = place(targetEnd, length, length), mine = place(start, own, 0), last = place(end, own, own);
      return compareBytes(part(this, mine, last < mine ? mine : last), part(other, from, to < from ? from : to));
    },
    copy(                  target         , targetStart          = undefined, start          = undefined, end          = undefined)         {
      const into = bytesIn(target, "target"), own = viewByteLength(this), at = targetStart === undefined ? 0 : intrinsics.floor(Number(targetStart) || 0);
      if (at < 0) throw outOfRange("targetStart", ">= 0", targetStart);
      if (end !== undefined && Number(end) < 0) throw outOfRange("sourceEnd", ">= 0", end);
      const from = start === undefined ? 0 : intrinsics.floor(Number(start) || 0);
      if (from < 0 || from > own) throw outOfRange("sourceStart", ">= 0 && <= " + own, start);
      let to = place(end, own, own);
      const room = viewByteLength(into) - at;
      if (room <= 0 || from >= to) return 0;
      if (to - from > room) to = from + room;
      bytesSet(into, part(this, from, to), at);
      return to - from;
    },
    fill(                  value         , start          = undefined, end          = undefined, encoding          = undefined)             {
      const length = viewByteLength(this);
      if (typeof start === "string") return fill(this, value, 0, length, start);
      inside(start, MOST, "offset");
      if (typeof end !== "string") inside(end, length, "end");
      if (typeof end === "string") return fill(this, value, place(start, length, 0), length, end);
      return fill(this, value, place(start, length, 0), place(end, length, length), encoding);
    },
    indexOf(                  value         , offset          = undefined, encoding          = undefined) { return find(this, value, offset, encoding, false); },
    lastIndexOf(                  value         , offset          = undefined, encoding          = undefined) { return find(this, value, offset, encoding, true); },
    includes(                  value         , offset          = undefined, encoding          = undefined) { return find(this, value, offset, encoding, false) >= 0; },
    subarray(                  start          = undefined, end          = undefined) {
      const length = viewByteLength(this), from = place(start, length, 0), to = place(end, length, length);
      return part(this, from, to < from ? from : to);
    },
    toJSON(                ) {
      const data           = list(), length = viewByteLength(this);
      for (let i = 0; i < length; i++) push(data, this[i]);
      return { type: "Buffer", data: asArray(data) };
    },
  };
  methods.slice = methods.subarray;
  methods.toLocaleString = methods.toString;
  methods[custom] = function (                ) {
    const length = viewByteLength(this), shown = length < 50 ? length : 50, digits         = ops.buffer_decode(part(this, 0, shown), "hex"), bytes           = list();
    for (let i = 0; i < shown; i++) push(bytes, intrinsics.slice(digits, i * 2, i * 2 + 2));
    return "<Buffer " + intrinsics.join(bytes, " ") + (length > shown ? " ... " + (length - shown) + " more byte" + (length - shown > 1 ? "s" : "") : "") + ">";
  };
  function methods_write(self            , text        , offset         , length         , encoding         )         {
    const whole = viewByteLength(self);
    inside(offset, whole, "offset");
    inside(length, whole, "length");
    const at = offset === undefined ? 0 : (offset          ), room = length === undefined || (length          ) > whole - at ? whole - at : (length          ), name = encodingOf(encoding);
    // No more than what fits, and of it no character in part.
    const given = intrinsics.slice(text, 0, name === "hex" ? room * 2 : name === "base64" || name === "base64url" ? room * 2 + 4 : room), exact = toWellFormed(given) !== given && name !== "utf8";
    const encoded = exact ? encode(given, name) : undefined;
    const bytes             = encoded !== undefined ? part(encoded, 0, viewByteLength(encoded) < room ? viewByteLength(encoded) : room) : ops.buffer_encode(toWellFormed(given), name, room), count = viewByteLength(bytes);
    bytesSet(self, bytes, at);
    return count;
  }
  ops.library_value("nodeNumbers")(methods);
  const methodNames = intrinsics.ownKeys(methods);
  for (let i = 0; i < methodNames.length; i++) hidden(FastBuffer.prototype, methodNames[i], methods[methodNames[i]]);
  const accessor = (name        , get                               ) => defineProperty(FastBuffer.prototype, name, { __proto__: null, get, configurable: true }                      );
  accessor("parent", function () { return viewBuffer(this); });
  accessor("offset", function () { return viewOffset(this); });

  preventExtensions(FastBuffer);
  const buffers          = { isBuffer, wrap };
  const module      = define({}, {
    __proto__: null, Buffer,
    Blob: ops.library_value("Blob"),
    File: ops.library_value("File"),
    atob: intrinsics.atob,
    btoa: intrinsics.btoa,
    constants: { __proto__: null, MAX_LENGTH, MAX_STRING_LENGTH: 0x3fffffff },
    kMaxLength: MAX_LENGTH,
    isAscii: (value         )          => ops.buffer_is(bytesOfAny(value), "ascii"),
    isUtf8: (value         )          => ops.buffer_is(bytesOfAny(value), "utf8"),
  });
  function bytesOfAny(value         )             {
    if (isView(value)) return intrinsics.viewBytes(value);
    if (isArrayBuffer(value)) return new Uint8Array(value);
    throw wrongType("input", "an instance of ArrayBuffer, Buffer, or TypedArray", value);
  }
  leaveOut(module, "buffer", ["resolveObjectURL", "transcode"], "decode and encode instead");
  return { "node:buffer": intrinsics.freeze(module), Buffer, buffers };
})
