// Made of js-runtime/src/encoding.ts by `cargo xtask generate`.
// TextEncoder, TextDecoder: https://encoding.spec.whatwg.org/
((ops     , intrinsics            ) => {
  const { bytesSet, isView, RangeError, slice, typedArrayLength, typedArrayTag, TypeError, Uint8Array } = intrinsics;
  const { bytesOf, defineInterface, dictionary, required, usvString } = ops.library_value("webidl");

  class TextEncoder {
    #brand = true;
    get encoding() {
      this.#brand;
      return "utf-8";
    }
    encode(input = "") {
      this.#brand;
      return ops.text_encode(usvString(input));
    }
    encodeInto(source        , destination            ) {
      this.#brand;
      required(2, arguments.length, "TextEncoder.encodeInto");
      const text = usvString(source);
      if (!isView(destination) || !(typedArrayTag(destination) === "Uint8Array")) throw new TypeError("the destination is no Uint8Array");
      const room = typedArrayLength(destination);
      // No more than what may fit: a unit of UTF-16 takes at least a byte.
      const { bytes, read, written } = ops.text_encode_into(usvString(slice(text, 0, room)), room);
      bytesSet(destination, bytes);
      return { read, written };
    }
  }

  /** Decodes, and remembers what the host has to know again when a stream goes on: bytes that are part of no character yet, or the number of its decoder. */
  ;






  function decoder(label         , options         , what        )          {
    const name = usvString(label), encoding                = ops.text_encoding(name);
    if (encoding === null) throw new RangeError("'" + name + "' is no encoding");
    const given = dictionary(options, "the second argument of " + what), fatal = !!given.fatal, ignoreBOM = !!given.ignoreBOM;
    let before                                                              ;
    return {
      encoding, fatal, ignoreBOM,
      decode(bytes, stream) {
        const { pending, begun } = before === undefined ? { pending: undefined, begun: false } : before;
        before = undefined;
        const result = ops.text_decode(encoding, pending, bytes, fatal, stream, ignoreBOM || begun);
        if (stream) before = { pending: result.pending, begun: begun || result.some };
        return result.text;
      },
    };
  }

  class TextDecoder {
    #decoder;        ;
    constructor(label = "utf-8", options                                 = undefined) {
      this.#decoder = decoder(label, options, "TextDecoder");
    }
    get encoding() {
      return this.#decoder.encoding;
    }
    get fatal() {
      return this.#decoder.fatal;
    }
    get ignoreBOM() {
      return this.#decoder.ignoreBOM;
    }
    decode(input                                      = undefined, options                                = undefined) {
      const decoder = this.#decoder;
      const bytes = input === undefined ? new Uint8Array(0) : bytesOf(input);
      return decoder.decode(bytes, !!dictionary(options, "the second argument of TextDecoder.decode").stream);
    }
  }

  defineInterface(TextEncoder, "TextEncoder");
  defineInterface(TextDecoder, "TextDecoder");
  return { TextEncoder, TextDecoder, decoder };
})
