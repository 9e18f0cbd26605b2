// Made of js-runtime/src/node-numbers.ts by `cargo xtask generate`.
// Numbers in a Buffer: https://nodejs.org/api/buffer.html#bufreaddoublebeoffset and the others.
((ops     , intrinsics            ) => {
  const { BigInt, Number, RangeError, typedArrayKinds, Uint8Array, viewByteLength } = intrinsics;
  const { coded, outOfRange, wrongType }             = ops.library_value("nodeShared");

  // What a number consists of: it is written to the one and read from the other. All machines that this runs on are little-endian.
  const memory = new intrinsics.ArrayBuffer(8), bytes = new Uint8Array(memory);
  const scratch      = {
    Float: new typedArrayKinds.Float32Array(memory, 0, 2), Double: new typedArrayKinds.Float64Array(memory, 0, 1),
    BigInt: new typedArrayKinds.BigInt64Array(memory, 0, 1), BigUInt: new typedArrayKinds.BigUint64Array(memory, 0, 1),
  };

  function checked(self            , offset         , size        )         {
    const at = offset === undefined ? 0 : offset, last = viewByteLength(self) - size;
    if (typeof at !== "number") throw wrongType("offset", "of type number", offset);
    if (at % 1 !== 0) throw outOfRange("offset", "an integer", at);
    if (last < 0) throw coded(new RangeError("Attempt to access memory outside buffer bounds"), "ERR_BUFFER_OUT_OF_BOUNDS");
    if (!(at >= 0 && at <= last)) throw outOfRange("offset", ">= 0 and <= " + last, at);
    return at;
  }
  function needed(offset         )          {
    if (offset === undefined) throw wrongType("offset", "of type number", offset);
    return offset;
  }
  function sizeOf(value         )         {
    if (typeof value !== "number") throw wrongType("byteLength", "of type number", value);
    if (!(value >= 1 && value <= 6) || value % 1 !== 0) throw outOfRange("byteLength", ">= 1 and <= 6", value);
    return value;
  }

  function readUInt(self            , at        , size        , little         )         {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + self[little ? at + size - 1 - i : at + i];
    return value;
  }
  const readInt = (self            , at        , size        , little         )         => {
    const value = readUInt(self, at, size, little), most = 2 ** (8 * size);
    return value >= most / 2 ? value - most : value;
  };
  function writeInt(self            , given         , at        , size        , little         , signed         )         {
    if (typeof given === "bigint") throw new intrinsics.TypeError("Cannot convert a BigInt value to a number");
    const value = Number(given), most = 2 ** (8 * size - (signed ? 1 : 0)), least = signed ? -most : 0;
    if (value > most - 1 || value < least) throw outOfRange("value", ">= " + least + " and <= " + (most - 1), given);
    let rest = value !== value ? 0 : value < 0 ? -intrinsics.floor(-value) : intrinsics.floor(value);
    if (rest < 0) rest += 2 ** (8 * size);
    for (let i = 0; i < size; i++) {
      self[little ? at + i : at + size - 1 - i] = rest % 256;
      rest = intrinsics.floor(rest / 256);
    }
    return at + size;
  }
  const move = (self            , at        , size        , little         , reads         ) => {
    for (let i = 0; i < size; i++) {
      const place = little ? at + i : at + size - 1 - i;
      if (reads) bytes[i] = self[place];
      else self[place] = bytes[i];
    }
  };

  /** Adds the methods to those of Buffers. */
  function nodeNumbers(methods     )       {
    const both = (name        , other        , method          ) => { methods[name] = methods[other] = method; };
    const orders = ["LE", "BE"], sizes = [16, 32], large = ["BigInt", "BigUInt"], floats = ["Float", "Double"];
    both("readUInt8", "readUint8", function (                  offset         ) { return this[checked(this, offset, 1)]; });
    methods.readInt8 = function (                  offset         ) { return readInt(this, checked(this, offset, 1), 1, true); };
    both("writeUInt8", "writeUint8", function (                  value         , offset         ) { return writeInt(this, value, checked(this, offset, 1), 1, true, false); });
    methods.writeInt8 = function (                  value         , offset         ) { return writeInt(this, value, checked(this, offset, 1), 1, true, true); };
    for (let i = 0; i < 2; i++) {
      const order = orders[i], little = i === 0;
      for (let j = 0; j < 2; j++) {
        const bits = sizes[j], size = bits / 8;
        both("readUInt" + bits + order, "readUint" + bits + order, function (                  offset         ) { return readUInt(this, checked(this, offset, size), size, little); });
        methods["readInt" + bits + order] = function (                  offset         ) { return readInt(this, checked(this, offset, size), size, little); };
        both("writeUInt" + bits + order, "writeUint" + bits + order, function (                  value         , offset         ) {
          return writeInt(this, value, checked(this, offset, size), size, little, false);
        });
        methods["writeInt" + bits + order] = function (                  value         , offset         ) { return writeInt(this, value, checked(this, offset, size), size, little, true); };
      }
      both("readUInt" + order, "readUint" + order, function (                  offset         , size         ) { return readUInt(this, checked(this, needed(offset), sizeOf(size)), size          , little); });
      methods["readInt" + order] = function (                  offset         , size         ) { return readInt(this, checked(this, needed(offset), sizeOf(size)), size          , little); };
      both("writeUInt" + order, "writeUint" + order, function (                  value         , offset         , size         ) {
        return writeInt(this, value, checked(this, offset, sizeOf(size)), size          , little, false);
      });
      methods["writeInt" + order] = function (                  value         , offset         , size         ) {
        return writeInt(this, value, checked(this, offset, sizeOf(size)), size          , little, true);
      };
      for (let j = 0; j < 2; j++) {
        const kind = floats[j], width = j === 0 ? 4 : 8, view = scratch[kind];
        methods["read" + kind + order] = function (                  offset         ) {
          move(this, checked(this, offset, width), width, little, true);
          return view[0];
        };
        methods["write" + kind + order] = function (                  value         , offset         ) {
          if (typeof value === "bigint") throw new intrinsics.TypeError("Cannot convert a BigInt value to a number");
          const number = Number(value), at = checked(this, offset, width);
          view[0] = number;
          move(this, at, width, little, false);
          return at + width;
        };
        const big = large[j], bigView = scratch[big];
        const read = function (                  offset         ) {
          move(this, checked(this, offset, 8), 8, little, true);
          return bigView[0];
        };
        const write = function (                  value         , offset         ) {
          if (typeof value !== "bigint") throw wrongType("value", "of type bigint", value);
          const at = checked(this, offset, 8), most = j === 0 ? BigInt(2) ** BigInt(63) : BigInt(2) ** BigInt(64);
          if (value >= most || value < (j === 0 ? -most : BigInt(0))) throw outOfRange("value", "one of 64 bits", value);
          bigView[0] = value;
          move(this, at, 8, little, false);
          return at + 8;
        };
        methods["read" + big + "64" + order] = read;
        methods["write" + big + "64" + order] = write;
        if (j === 1) {
          methods["readBigUint64" + order] = read;
          methods["writeBigUint64" + order] = write;
        }
      }
    }
    const swap = (size        ) =>
      function (                ) {
        const length = viewByteLength(this);
        if (length % size !== 0) throw coded(new RangeError("Buffer size must be a multiple of " + size * 8 + "-bits"), "ERR_INVALID_BUFFER_SIZE");
        for (let at = 0; at < length; at += size) {
          for (let i = 0; i < size / 2; i++) {
            const byte = this[at + i];
            this[at + i] = this[at + size - 1 - i];
            this[at + size - 1 - i] = byte;
          }
        }
        return this;
      };
    methods.swap16 = swap(2);
    methods.swap32 = swap(4);
    methods.swap64 = swap(8);
  }
  return { nodeNumbers };
})
