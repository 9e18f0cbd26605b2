// TextEncoder, TextDecoder: https://encoding.spec.whatwg.org/
export default (ops: Ops, intrinsics: Intrinsics) => {
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
    encodeInto(source: string, destination: Uint8Array) {
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

  class TextDecoder {
    #encoding: string;
    #fatal: boolean;
    #ignoreBOM: boolean;
    /** What the host has to know again when a stream goes on: bytes that are part of no character yet, and how far it has come. */
    #stream: { pending: Uint8Array; given: number; begun: boolean } | undefined;
    constructor(label = "utf-8", options?: TextDecoderOptions) {
      const name = ops.text_encoding(usvString(label));
      if (name === null) throw new RangeError("'" + label + "' is no encoding");
      const { fatal, ignoreBOM } = dictionary(options, "the second argument of TextDecoder");
      this.#encoding = name;
      this.#fatal = !!fatal;
      this.#ignoreBOM = !!ignoreBOM;
    }
    get encoding() {
      return this.#encoding;
    }
    get fatal() {
      return this.#fatal;
    }
    get ignoreBOM() {
      return this.#ignoreBOM;
    }
    decode(input?: AllowSharedBufferSource, options?: TextDecodeOptions) {
      const before = this.#stream;
      const bytes = input === undefined ? new Uint8Array(0) : bytesOf(input);
      const stream = !!dictionary(options, "the second argument of TextDecoder.decode").stream;
      this.#stream = undefined;
      const begun = before !== undefined && before.begun;
      const { text, pending, given, some } = ops.text_decode(
        this.#encoding, before === undefined ? undefined : before.pending, bytes, this.#fatal, stream, this.#ignoreBOM || begun,
        before === undefined ? 0 : before.given,
      );
      if (stream) this.#stream = { pending, given, begun: begun || some };
      return text;
    }
  }

  defineInterface(TextEncoder, "TextEncoder");
  defineInterface(TextDecoder, "TextDecoder");
  return { TextEncoder, TextDecoder };
};
