// CompressionStream, DecompressionStream: https://compression.spec.whatwg.org/
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { finalization, finalizationRegister, TypeError, Uint8Array, viewBuffer, viewByteLength, viewOffset } = intrinsics;
  const { bytesOf, defineInterface, domString, required } = ops.library_value("webidl");
  /** Bytes that the host takes at a time. */
  const PIECE = 65536;
  const transforms = ops.library_value("transforms");
  // A stream that is neither read nor written to its end holds its codec no longer than it is there itself.
  const gone = finalization<number>((codec) => ops.codec_close(codec));

  type Pair = { readable: ReadableStream; writable: WritableStream };

  function codecStream(name: string, format: unknown, decompress: boolean): Pair {
    const codec: number | null = ops.codec_open(domString(format), decompress);
    if (codec === null) throw new TypeError("the format of " + name + " is \"gzip\", \"deflate\" or \"deflate-raw\"");
    const pull = async (out: TransformOutput) => {
      for (;;) {
        const bytes = ops.codec_pull(codec);
        if (bytes === undefined) return;
        await out.room();
        out.give(bytes);
      }
    };
    const close = () => ops.codec_close(codec);
    const pair = transforms.create(
      async (chunk: unknown, out: TransformOutput) => {
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
      async (out: TransformOutput) => {
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
    #pair: Pair;
    constructor(format: string) {
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
    #pair: Pair;
    constructor(format: string) {
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
};
