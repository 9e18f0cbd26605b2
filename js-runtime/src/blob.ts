// Blob, File: https://w3c.github.io/FileAPI/
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { bytesSet, charCodeAt, isView, join, list, promiseResolve, push, slice, toLowerCase, wallClock } = intrinsics;
  const { Number, TypeError, Uint8Array } = intrinsics;
  const { bytesOf, defineInterface, dictionary, domString, isBuffer, isObject, rejected, required, sequence, serializable, usvString } = ops.library_value("webidl");
  const TOKEN = { __proto__: null };

  let bytesOfBlob: (blob: Blob) => Uint8Array<ArrayBuffer>;
  let isBlob: (value: unknown) => value is Blob;
  let typeOf: (blob: Blob) => string;

  const typeText = (value: unknown): string => {
    const text = domString(value);
    for (let i = 0; i < text.length; i++) {
      const unit = charCodeAt(text, i);
      if (unit < 0x20 || unit > 0x7e) return "";
    }
    return toLowerCase(text);
  };

  /** https://w3c.github.io/FileAPI/#convert-line-endings-to-native */
  function nativeLines(text: string): string {
    const parts: string[] = list();
    let from = 0;
    for (let i = 0; i < text.length; i++) {
      if (charCodeAt(text, i) !== 13) continue;
      push(parts, slice(text, from, i));
      if (charCodeAt(text, i + 1) === 10) i++;
      from = i + 1;
    }
    push(parts, slice(text, from));
    return join(parts, "\n");
  }

  function concat(parts: unknown[], native: boolean): Uint8Array<ArrayBuffer> {
    const chunks: Uint8Array<ArrayBuffer>[] = list();
    let length = 0;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i];
      let bytes: Uint8Array<ArrayBuffer>;
      if (isBlob(part)) bytes = bytesOfBlob(part);
      else if (isView(part) || isBuffer(part)) bytes = bytesOf(part);
      else {
        const text = part as string;
        bytes = ops.text_encode(native ? nativeLines(text) : text);
      }
      push(chunks, bytes);
      length += byteLength(bytes);
    }
    const all = new Uint8Array(length);
    for (let i = 0, at = 0; i < chunks.length; i++) {
      bytesSet(all, chunks[i], at);
      at += byteLength(chunks[i]);
    }
    return all;
  }

  const byteLength = intrinsics.viewByteLength;
  const part = (bytes: Uint8Array<ArrayBuffer>, from: number, to: number) =>
    new Uint8Array(intrinsics.viewBuffer(bytes), intrinsics.viewOffset(bytes) + from, to - from);
  const copy = (bytes: Uint8Array<ArrayBuffer>) => {
    const all = new Uint8Array(byteLength(bytes));
    bytesSet(all, bytes);
    return all;
  };

  class Blob {
    #bytes: Uint8Array<ArrayBuffer>;
    #type: string;

    static {
      bytesOfBlob = (blob) => blob.#bytes;
      isBlob = (value): value is Blob => isObject(value) && #bytes in value;
      typeOf = (blob) => blob.#type;
    }

    constructor(blobParts: unknown = undefined, options: unknown = undefined) {
      if (blobParts === TOKEN) {
        const { bytes, type } = options as { bytes: Uint8Array<ArrayBuffer>; type: string };
        this.#bytes = bytes;
        this.#type = type;
        return;
      }
      const parts = blobParts === undefined ? list<unknown>() : sequence(blobParts, "the first argument of Blob");
      for (let i = 0; i < parts.length; i++) {
        const item = parts[i];
        if (!isBlob(item) && !isView(item) && !isBuffer(item)) parts[i] = usvString(item);
      }
      const given = dictionary(options, "the second argument of Blob"), { endings } = given;
      const lines = endings === undefined ? "transparent" : domString(endings);
      if (lines !== "transparent" && lines !== "native") throw new TypeError("endings of a blob is \"transparent\" or \"native\"");
      this.#type = given.type === undefined ? "" : typeText(given.type);
      this.#bytes = concat(parts, lines === "native");
    }

    get size() {
      return byteLength(this.#bytes);
    }
    get type() {
      return this.#type;
    }
    slice(start: unknown = undefined, end: unknown = undefined, contentType: unknown = undefined) {
      const bytes = this.#bytes, size = byteLength(bytes);
      const place = (value: unknown, otherwise: number) => {
        if (value === undefined) return otherwise;
        let at = Number(value);
        if (at !== at) at = 0;
        at = at < 0 ? at - (at % 1) + size : at - (at % 1);
        return at < 0 ? 0 : at > size ? size : at;
      };
      const from = place(start, 0), to = place(end, size);
      const type = contentType === undefined ? "" : typeText(contentType);
      return make(part(bytes, from, to < from ? from : to), type);
    }
    stream() {
      return ops.library_value("readableBytes").ofBytes(this.#bytes).instance;
    }
    text(): Promise<string> {
      return isBlob(this) ? promiseResolve(decode(this.#bytes)) : notOne();
    }
    arrayBuffer(): Promise<ArrayBuffer> {
      return isBlob(this) ? promiseResolve(intrinsics.viewBuffer(copy(this.#bytes))) : notOne();
    }
    bytes(): Promise<Uint8Array> {
      return isBlob(this) ? promiseResolve(copy(this.#bytes)) : notOne();
    }
  }
  const notOne = () => rejected(new TypeError("this is no Blob"));
  const decode = (bytes: Uint8Array): string => ops.text_decode("utf-8", undefined, bytes, false, false, false).text;
  const make = (bytes: Uint8Array<ArrayBuffer>, type: string): Blob => new Blob(TOKEN, { bytes, type });

  let fileOf: (value: unknown) => { name: string; lastModified: number } | undefined;

  class File extends Blob {
    #name: string;
    #lastModified: number;

    static {
      fileOf = (value) => (isObject(value) && #name in value ? { name: value.#name, lastModified: value.#lastModified } : undefined);
    }

    constructor(fileBits: unknown, fileName: string, options: unknown = undefined) {
      if (fileBits === TOKEN) {
        super(TOKEN, options);
        this.#name = fileName;
        this.#lastModified = (options as any).lastModified;
        return;
      }
      required(2, arguments.length, "File");
      if (fileBits === undefined) throw new TypeError("the first argument of File is no sequence");
      super(fileBits, options);
      this.#name = usvString(fileName);
      const { lastModified } = dictionary(options, "the third argument of File");
      const time = lastModified === undefined ? wallClock() : Number(lastModified);
      this.#lastModified = time === time && time !== Infinity && time !== -Infinity ? time - (time % 1) : 0;
    }
    get name() {
      return this.#name;
    }
    get lastModified() {
      return this.#lastModified;
    }
    get webkitRelativePath() {
      this.#name;
      return "";
    }
  }

  const makeFile = (bytes: Uint8Array<ArrayBuffer>, type: string, name: string, lastModified: number = wallClock()): File =>
    new File(TOKEN, name, { bytes, type, lastModified });

  serializable((value) => {
    if (!isBlob(value)) return undefined;
    const file = fileOf(value), bytes = bytesOfBlob(value), type = typeOf(value);
    return file === undefined ? make(bytes, type) : makeFile(bytes, type, file.name, file.lastModified);
  });
  defineInterface(Blob, "Blob");
  defineInterface(File, "File");
  return { Blob, File, blobs: { __proto__: null, bytesOf: bytesOfBlob!, fileOf: fileOf!, isBlob: isBlob!, make, makeFile, typeOf: typeOf! } };
};
