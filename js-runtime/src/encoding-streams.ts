// TextEncoderStream, TextDecoderStream: https://encoding.spec.whatwg.org/#interface-textdecoderstream
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { charCodeAt, slice } = intrinsics;
  const { bytesOf, defineInterface, domString, usvString } = ops.library_value("webidl");
  const transforms = ops.library_value("transforms"), decoder = ops.library_value("decoder");

  class TextEncoderStream {
    #pair: { readable: ReadableStream; writable: WritableStream };
    constructor() {
      // The first half of a character whose other half may come with the next chunk.
      let pending = "";
      this.#pair = transforms.create(
        async (chunk: unknown, out: TransformOutput) => {
          let text = pending + domString(chunk);
          pending = "";
          const last = text === "" ? 0 : charCodeAt(text, text.length - 1);
          if (last >= 0xd800 && last <= 0xdbff) {
            pending = slice(text, -1);
            text = slice(text, 0, -1);
          }
          if (text !== "") out.give(ops.text_encode(usvString(text)));
        },
        async (out: TransformOutput) => {
          if (pending !== "") out.give(ops.text_encode("\ufffd"));
        },
      );
    }
    get encoding() {
      this.#pair;
      return "utf-8";
    }
    get readable() {
      return this.#pair.readable;
    }
    get writable() {
      return this.#pair.writable;
    }
  }

  class TextDecoderStream {
    #decoder: any;
    #pair: { readable: ReadableStream; writable: WritableStream };
    constructor(label = "utf-8", options: TextDecoderOptions | undefined = undefined) {
      const state = (this.#decoder = decoder(label, options, "TextDecoderStream"));
      this.#pair = transforms.create(
        async (chunk: unknown, out: TransformOutput) => {
          const text = state.decode(bytesOf(chunk), true);
          if (text !== "") out.give(text);
        },
        async (out: TransformOutput) => {
          const text = state.decode(new intrinsics.Uint8Array(0), false);
          if (text !== "") out.give(text);
        },
      );
    }
    get encoding(): string {
      return this.#decoder.encoding;
    }
    get fatal(): boolean {
      return this.#decoder.fatal;
    }
    get ignoreBOM(): boolean {
      return this.#decoder.ignoreBOM;
    }
    get readable() {
      return this.#pair.readable;
    }
    get writable() {
      return this.#pair.writable;
    }
  }

  defineInterface(TextEncoderStream, "TextEncoderStream");
  defineInterface(TextDecoderStream, "TextDecoderStream");
  return { TextEncoderStream, TextDecoderStream };
};
