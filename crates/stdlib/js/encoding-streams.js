// Made of js-runtime/src/encoding-streams.ts by `cargo xtask generate`.
// TextEncoderStream, TextDecoderStream: https://encoding.spec.whatwg.org/#interface-textdecoderstream
((ops     , intrinsics            ) => {
  const { charCodeAt, slice } = intrinsics;
  const { bytesOf, defineInterface, domString, usvString } = ops.library_value("webidl");
  const transforms = ops.library_value("transforms"), decoder = ops.library_value("decoder");

  class TextEncoderStream {
    #pair;                                                       ;
    constructor() {
      // The first half of a character whose other half may come with the next chunk.
      let pending = "";
      this.#pair = transforms.create(
        async (chunk         , out                 ) => {
          let text = pending + domString(chunk);
          pending = "";
          const last = text === "" ? 0 : charCodeAt(text, text.length - 1);
          if (last >= 0xd800 && last <= 0xdbff) {
            pending = slice(text, -1);
            text = slice(text, 0, -1);
          }
          if (text !== "") out.give(ops.text_encode(usvString(text)));
        },
        async (out                 ) => {
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
    #decoder;    ;
    #pair;                                                       ;
    constructor(label = "utf-8", options                                 = undefined) {
      const state = (this.#decoder = decoder(label, options, "TextDecoderStream"));
      this.#pair = transforms.create(
        async (chunk         , out                 ) => {
          const text = state.decode(bytesOf(chunk), true);
          if (text !== "") out.give(text);
        },
        async (out                 ) => {
          const text = state.decode(new intrinsics.Uint8Array(0), false);
          if (text !== "") out.give(text);
        },
      );
    }
    get encoding()         {
      return this.#decoder.encoding;
    }
    get fatal()          {
      return this.#decoder.fatal;
    }
    get ignoreBOM()          {
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
})
