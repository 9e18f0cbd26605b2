// What everything about files has in common: how the host is asked, what paths, data and flags are, what is found out about a file.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { Date, decodeURIComponent, defineProperty, hasOwn, indexOf, slice, String, toWellFormed, TypeError } = intrinsics;
  const { bytesOf, dictionary, domString, isObject, placed } = ops.library_value("webidl");

  /** Operations on mounts that one VM has under way; more wait here, where they are counted. */
  const MOST = 16;
  const { turn, done } = (ops.library_value("queues") as StreamQueues).gate(MOST);

  /** Does what a verb says: at once what is in memory, and as a task what is in a mount. */
  async function ask(verb: FileVerb, first: unknown, second: unknown = undefined, third: unknown = undefined): Promise<any> {
    const answer = ops["fs_" + verb](first, second, third);
    return answer !== undefined ? answer : await askHost(verb, first, second, third);
  }

  async function askHost(verb: FileVerb, first: unknown, second: unknown = undefined, third: unknown = undefined): Promise<any> {
    // What a path means now, whatever the working directory is when its turn comes.
    if (typeof first === "string") first = ops.fs_absolute(first);
    if (verb === "rename") second = ops.fs_absolute(second);
    return await placed(async () => {
      await turn();
      try {
        return await ops["fs_" + verb + "_host"](first, second, third);
      } finally {
        done();
      }
    });
  }

  function pathOf(value: unknown): string {
    if (typeof value === "string") return value;
    if (isObject(value)) {
      const href: string | undefined = ops.library_value("hrefOf")(value);
      if (href !== undefined) {
        if (indexOf(href, "file:///") !== 0) throw new TypeError("a URL of a file begins with file:///, not " + href);
        const end = indexOf(href, "?") >= 0 ? indexOf(href, "?") : indexOf(href, "#") >= 0 ? indexOf(href, "#") : href.length;
        return decodeURIComponent(slice(href, 7, end));
      }
    }
    throw new TypeError("a path is a text or a file: URL, not " + (value === null ? "null" : typeof value));
  }

  /** Options may be an encoding alone. */
  const optionsOf = (value: unknown): any => (typeof value === "string" ? { __proto__: null, encoding: value } : dictionary(value, "the options"));

  function encodingOf(options: any): string | undefined {
    const { encoding } = options;
    if (encoding === undefined || encoding === null || encoding === "buffer") return undefined;
    if (encoding === "utf8" || encoding === "utf-8") return "utf-8";
    const text = domString(encoding);
    const name: string | null = ops.text_encoding(text === "utf16le" || text === "ucs2" ? "utf-16le" : text === "binary" ? "latin1" : text);
    if (name === null) throw new TypeError("'" + text + "' is no encoding of texts: read bytes instead");
    return name;
  }

  const textOf = (bytes: Uint8Array, encoding: string): string => ops.text_decode(encoding, undefined, bytes, false, false, true).text;

  function dataOf(value: unknown, options: any): Uint8Array {
    if (typeof value === "string") {
      const encoding = encodingOf(options);
      if (encoding !== undefined && encoding !== "utf-8") throw new TypeError("texts are written as utf-8, not as " + encoding + ": write bytes instead");
      return ops.text_encode(toWellFormed(value));
    }
    if (!isObject(value)) throw new TypeError("what is written is a text or bytes, not " + (value === null ? "null" : typeof value));
    return bytesOf(value);
  }

  function wholeNumber(value: unknown, what: string): number {
    if (typeof value !== "number" || !(value >= 0 && value <= 9007199254740991) || value % 1 !== 0) throw new TypeError(what + " is no whole number from 0: " + String(value));
    return value;
  }

  const flags = {
    __proto__: null,
    r: { read: true }, "r+": { read: true, write: true }, w: { write: true, create: true, truncate: true },
    "w+": { read: true, write: true, create: true, truncate: true }, wx: { write: true, create: true, truncate: true, exclusive: true },
    "wx+": { read: true, write: true, create: true, truncate: true, exclusive: true }, a: { write: true, create: true, append: true },
    "a+": { read: true, write: true, create: true, append: true }, ax: { write: true, create: true, append: true, exclusive: true },
    "ax+": { read: true, write: true, create: true, append: true, exclusive: true },
  } as unknown as { readonly [name: string]: FileFlags };
  function flagsOf(value: unknown, otherwise: string): FileFlags {
    const name = value === undefined ? otherwise : domString(value);
    if (!hasOwn(flags, name)) throw new TypeError("'" + name + "' is no way to open a file");
    return flags[name];
  }

  const show = (object: object, name: string, value: unknown) =>
    defineProperty(object, name, { __proto__: null, value, enumerable: true, writable: true, configurable: true } as PropertyDescriptor);

  class Entry {
    #kind: FileKind;
    constructor(kind: FileKind) {
      this.#kind = kind;
    }
    isFile() {
      return this.#kind === "file";
    }
    isDirectory() {
      return this.#kind === "directory";
    }
    isSymbolicLink() {
      return this.#kind === "link";
    }
    isBlockDevice() {
      this.#kind;
      return false;
    }
    isCharacterDevice() {
      this.#kind;
      return false;
    }
    isFIFO() {
      this.#kind;
      return false;
    }
    isSocket() {
      this.#kind;
      return false;
    }
  }

  class Dirent extends Entry {
    constructor(name: string, parentPath: string, kind: FileKind) {
      super(kind);
      show(this, "name", name);
      show(this, "parentPath", parentPath);
    }
  }

  class Stats extends Entry {
    constructor(kind: FileKind, size: number, mtimeMs: number) {
      super(kind);
      show(this, "size", size);
      show(this, "mode", kind === "file" ? 0o100644 : kind === "directory" ? 0o040755 : 0o120777);
      show(this, "mtimeMs", mtimeMs);
      show(this, "mtime", new Date(mtimeMs));
    }
  }

  /** What is in a request's answer about one file. */
  const statsOf = (answer: any): Stats => new Stats(answer[0], answer[1], answer[2]);

  const fsShared: FsShared = { ask, askHost, dataOf, encodingOf, flagsOf, optionsOf, pathOf, statsOf, textOf, wholeNumber, Dirent };
  return { fsShared };
};
