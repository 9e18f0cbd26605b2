// Open files, and streams of them.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asyncDispose, bytesSet, defineProperty, finalization, finalizationRegister, finalizationUnregister, list, promiseResolve, push, Uint8Array } = intrinsics;
  const { viewBuffer, viewByteLength, viewOffset, TypeError } = intrinsics;
  const { bytesOf, isObject } = ops.library_value("webidl");
  const shared: FsShared = ops.library_value("fsShared");
  const { ask, dataOf, encodingOf, optionsOf, statsOf, textOf, wholeNumber } = shared;

  /** What is read or written at a time. */
  const PART = 256 * 1024;
  // A handle that is forgotten is closed when it is collected.
  const forgotten = finalization<number>((id) => ops.fs_close(id));
  const close = (id: number) => ops.fs_close(id);
  const part = (bytes: Uint8Array, from: number, to: number) => new Uint8Array(viewBuffer(bytes), viewOffset(bytes) + from, to - from);

  const openFile = (path: string, flags: FileFlags): Promise<number> => ask("open", path, flags);

  async function use<T>(path: string, flags: FileFlags, body: (id: number) => Promise<T>): Promise<T> {
    const id = await openFile(path, flags);
    try {
      return await body(id);
    } finally {
      close(id);
    }
  }

  async function readAll(id: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = list();
    let length = 0;
    for (;;) {
      const chunk = await ask("read", id, length, 64 * PART), count = viewByteLength(chunk);
      if (count === 0) break;
      push(chunks, chunk);
      length += count;
    }
    if (chunks.length === 1) return chunks[0];
    const all = new Uint8Array(length);
    for (let i = 0, at = 0; i < chunks.length; i++) {
      bytesSet(all, chunks[i], at);
      at += viewByteLength(chunks[i]);
    }
    return all;
  }

  async function writeAll(id: number, bytes: Uint8Array, at: number | null): Promise<void> {
    const length = viewByteLength(bytes);
    for (let from = 0; from < length; from += PART) {
      const to = from + PART < length ? from + PART : length;
      await ask("write", id, at === null ? null : at + from, part(bytes, from, to));
    }
  }

  class FileHandle {
    #id: number | undefined;
    /** Where reading and writing go on that say no place. */
    #at = 0;
    #appends: boolean;
    /** By which it is taken out of the registry: one that led back to the handle would keep it. */
    #token = {};
    constructor(id: number, appends: boolean) {
      this.#id = id;
      this.#appends = appends;
      finalizationRegister(forgotten, this, id, this.#token);
    }
    #open(): number {
      if (this.#id === undefined) throw new TypeError("the file handle is closed");
      return this.#id;
    }

    get fd() {
      return this.#id === undefined ? -1 : this.#id;
    }
    /** Into a buffer, as Node does, or a new one. */
    async read(buffer: unknown = undefined, offset: any = undefined, length: unknown = undefined, position: unknown = undefined) {
      const id = this.#open();
      let given: any = buffer;
      if (!isObject(buffer) || !intrinsics.isView(buffer)) {
        const options = optionsOf(buffer);
        given = options.buffer === undefined ? new Uint8Array(16384) : options.buffer;
        ({ offset, length, position } = options);
      } else if (isObject(offset)) {
        ({ offset, length, position } = offset as any);
      }
      const target = bytesOf(given), from = offset === undefined || offset === null ? 0 : wholeNumber(offset, "offset"), room = viewByteLength(target) - from;
      const wanted = length === undefined || length === null ? room : wholeNumber(length, "length");
      if (wanted > room) throw new TypeError("the buffer has room for " + room + " bytes, not for " + wanted);
      const place = position === undefined || position === null || position === -1 ? undefined : wholeNumber(position, "position");
      let at = place === undefined ? this.#at : place, done = 0;
      while (done < wanted) {
        const chunk = await ask("read", id, at, wanted - done < PART ? wanted - done : PART), count = viewByteLength(chunk);
        if (count === 0) break;
        bytesSet(target, chunk, from + done);
        done += count;
        at += count;
      }
      if (place === undefined) this.#at = at;
      return { bytesRead: done, buffer: given };
    }
    async write(data: unknown, offset: unknown = undefined, length: unknown = undefined, position: unknown = undefined) {
      const id = this.#open(), isText = typeof data === "string";
      // Of a text, what follows is its place and its encoding.
      const place = isText ? offset : position, bytes = dataOf(data, { __proto__: null, encoding: isText ? length : undefined });
      const from = isText || offset === undefined || offset === null ? 0 : wholeNumber(offset, "offset");
      const count = isText || length === undefined || length === null ? viewByteLength(bytes) - from : wholeNumber(length, "length");
      if (from + count > viewByteLength(bytes)) throw new TypeError("the buffer has only " + viewByteLength(bytes) + " bytes");
      const at = place === undefined || place === null ? this.#at : wholeNumber(place, "position");
      await writeAll(id, part(bytes, from, from + count), this.#appends ? null : at);
      if (place === undefined || place === null) this.#at = at + count;
      return { bytesWritten: count, buffer: data };
    }
    async readFile(options: unknown = undefined) {
      const id = this.#open(), encoding = encodingOf(optionsOf(options)), bytes = await readAll(id);
      return encoding === undefined ? (ops.library_value("buffers") as Buffers).wrap(bytes) : textOf(bytes, encoding);
    }
    async writeFile(data: unknown, options: unknown = undefined) {
      const id = this.#open();
      await writeAll(id, dataOf(data, optionsOf(options)), this.#appends ? null : this.#at);
    }
    async appendFile(data: unknown, options: unknown = undefined) {
      const id = this.#open();
      await writeAll(id, dataOf(data, optionsOf(options)), null);
    }
    async stat() {
      return statsOf(await ask("fstat", this.#open()));
    }
    async truncate(length: unknown = 0) {
      await ask("truncate", this.#open(), wholeNumber(length, "length"));
    }
    async sync() {
      this.#open();
    }
    async datasync() {
      this.#open();
    }
    async close() {
      const id = this.#open();
      this.#id = undefined;
      finalizationUnregister(forgotten, this.#token);
      close(id);
    }
  }
  defineProperty(FileHandle.prototype, asyncDispose, {
    __proto__: null, value: intrinsics.getOwnPropertyDescriptor(FileHandle.prototype, "close")!.value, writable: true, configurable: true,
  } as PropertyDescriptor);

  const open = async (path: string, flags: FileFlags) => new FileHandle(await openFile(path, flags), flags.append === true);

  function readStream(path: string, start: number, end: number): ReadableStream {
    const readableBytes = ops.library_value("readableBytes");
    const token = {};
    let id: number | undefined, at = start;
    const stream: ReadableRecord = readableBytes.create(async () => {
      if (id === undefined) {
        id = await openFile(path, { read: true });
        finalizationRegister(forgotten, stream.instance, id, token);
      }
      const wanted = end - at < PART ? end - at : PART;
      const chunk = wanted <= 0 ? undefined : await ask("read", id, at, wanted);
      if (chunk === undefined || viewByteLength(chunk) === 0) {
        finalizationUnregister(forgotten, token);
        close(id);
        readableBytes.end(stream.controller);
      } else {
        at += viewByteLength(chunk);
        readableBytes.enqueue(stream.controller, chunk);
      }
    }, () => {
      if (id !== undefined) close(id);
      return promiseResolve(undefined);
    });
    return stream.instance;
  }

  function writeStream(path: string, flags: FileFlags): WritableStream {
    const writables: Writables = ops.library_value("writables");
    const token = {};
    let id: number | undefined, at = 0;
    const opened = async () => (id === undefined ? (id = await openFile(path, flags)) : id);
    const end = async () => {
      const open = await opened();
      finalizationUnregister(forgotten, token);
      close(open);
    };
    const stream: WritableRecord = writables.create(
      () => undefined,
      async (chunk) => {
        const isNew = id === undefined, open = await opened(), bytes = dataOf(chunk, { __proto__: null });
        if (isNew) finalizationRegister(forgotten, stream.instance, open, token);
        await writeAll(open, bytes, flags.append === true ? null : at);
        at += viewByteLength(bytes);
      },
      end,
      async () => {
        if (id !== undefined) await end();
      },
      1,
      () => 1,
    );
    return stream.instance;
  }

  const fsHandles: FsHandles = { open, readAll, writeAll, with: use, readStream, writeStream };
  return { fsHandles };
};
