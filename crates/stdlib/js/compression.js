// Made of js-runtime/src/compression.ts by `cargo xtask generate`.
// CompressionStream, DecompressionStream: https://compression.spec.whatwg.org/
((ops     , intrinsics            ) => {
  const { finalization, finalizationRegister, TypeError, Uint8Array, viewBuffer, viewByteLength, viewOffset } = intrinsics;
  const { bytesOf, defineInterface, domString, required } = ops.library_value("webidl");
  /** Bytes that the host takes at a time. */
  const PIECE = 65536;
  const transforms = ops.library_value("transforms");
  // A stream that is neither read nor written to its end holds its codec no longer than it is there itself.
  const gone = finalization        ((codec) => ops.codec_close(codec));

  ;

  function codecStream(name        , format         , decompress         )       {
    const codec                = ops.codec_open(domString(format), decompress);
    if (codec === null) throw new TypeError("the format of " + name + " is \"gzip\", \"deflate\" or \"deflate-raw\"");
    const pull = async (out                 ) => {
      for (;;) {
        const bytes = ops.codec_pull(codec);
        if (bytes === undefined) return;
        await out.room();
        out.give(bytes);
      }
    };
    const close = () => ops.codec_close(codec);
    const pair = transforms.create(
      async (chunk         , out                 ) => {
        try {
          const bytes = bytesOf(chunk), buffer = viewBuffer(bytes), offset = viewOffset(bytes), length = viewByteLength(bytes);
          for (let at = 0; at < length; at += PIECE) {
            ops.codec_push(codec, new Uint8Array(buffer, offset + at, length - at < PIECE ? length - at : PIECE));
            await pull(out);
          }
        } catch (error) {
          close();
          throw error;
        }
      },
      async (out                 ) => {
        try {
          ops.codec_end(codec);
          await pull(out);
        } finally {
          close();
        }
      },
      close,
    );
    finalizationRegister(gone, pair.writable, codec);
    return pair;
  }

  class CompressionStream {
    #pair;     ;
    constructor(format        ) {
      required(1, arguments.length, "CompressionStream");
      this.#pair = codecStream("CompressionStream", format, false);
    }
    get readable() {
      return this.#pair.readable;
    }
    get writable() {
      return this.#pair.writable;
    }
  }

  class DecompressionStream {
    #pair;     ;
    constructor(format        ) {
      required(1, arguments.length, "DecompressionStream");
      this.#pair = codecStream("DecompressionStream", format, true);
    }
    get readable() {
      return this.#pair.readable;
    }
    get writable() {
      return this.#pair.writable;
    }
  }

  defineInterface(CompressionStream, "CompressionStream");
  defineInterface(DecompressionStream, "DecompressionStream");
  return { CompressionStream, DecompressionStream };
})
