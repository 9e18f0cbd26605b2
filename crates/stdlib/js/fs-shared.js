// Made of js-runtime/src/fs-shared.ts by `cargo xtask generate`.
// What everything about files has in common: how the host is asked, what paths, data and flags are, what is found out about a file.
((ops     , intrinsics            ) => {
  const { Date, decodeURIComponent, defineProperty, hasOwn, indexOf, slice, String, toWellFormed, TypeError } = intrinsics;
  const { bytesOf, dictionary, domString, isObject, placed } = ops.library_value("webidl");

  /** Operations on mounts that one VM has under way; more wait here, where they are counted. */
  const MOST = 16;
  const { turn, done } = (ops.library_value("queues")                ).gate(MOST);

  /** Does what a verb says: at once what is in memory, and as a task what is in a mount. */
  async function ask(verb          , first         , second          = undefined, third          = undefined)               {
    const answer = ops["fs_" + verb](first, second, third);
    return answer !== undefined ? answer : await askHost(verb, first, second, third);
  }

  async function askHost(verb          , first         , second          = undefined, third          = undefined)               {
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

  function pathOf(value         )         {
    if (typeof value === "string") return value;
    if (isObject(value)) {
      const href                     = ops.library_value("hrefOf")(value);
      if (href !== undefined) {
        if (indexOf(href, "file:///") !== 0) throw new TypeError("a URL of a file begins with file:///, not " + href);
        const end = indexOf(href, "?") >= 0 ? indexOf(href, "?") : indexOf(href, "#") >= 0 ? indexOf(href, "#") : href.length;
        return decodeURIComponent(slice(href, 7, end));
      }
    }
    throw new TypeError("a path is a text or a file: URL, not " + (value === null ? "null" : typeof value));
  }

  /** Options may be an encoding alone. */
  const optionsOf = (value         )      => (typeof value === "string" ? { __proto__: null, encoding: value } : dictionary(value, "the options"));

  function encodingOf(options     )                     {
    const { encoding } = options;
    if (encoding === undefined || encoding === null || encoding === "buffer") return undefined;
    if (encoding === "utf8" || encoding === "utf-8") return "utf-8";
    const text = domString(encoding);
    const name                = ops.text_encoding(text === "utf16le" || text === "ucs2" ? "utf-16le" : text === "binary" ? "latin1" : text);
    if (name === null) throw new TypeError("'" + text + "' is no encoding of texts: read bytes instead");
    return name;
  }

  const textOf = (bytes            , encoding        )         => ops.text_decode(encoding, undefined, bytes, false, false, true).text;

  function dataOf(value         , options     )             {
    if (typeof value === "string") {
      const encoding = encodingOf(options);
      if (encoding !== undefined && encoding !== "utf-8") throw new TypeError("texts are written as utf-8, not as " + encoding + ": write bytes instead");
      return ops.text_encode(toWellFormed(value));
    }
    if (!isObject(value)) throw new TypeError("what is written is a text or bytes, not " + (value === null ? "null" : typeof value));
    return bytesOf(value);
  }

  function wholeNumber(value         , what        )         {
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
  }                                                     ;
  function flagsOf(value         , otherwise        )            {
    const name = value === undefined ? otherwise : domString(value);
    if (!hasOwn(flags, name)) throw new TypeError("'" + name + "' is no way to open a file");
    return flags[name];
  }

  const show = (object        , name        , value         ) =>
    defineProperty(object, name, { __proto__: null, value, enumerable: true, writable: true, configurable: true }                      );

  class Entry {
    #kind;         ;
    constructor(kind          ) {
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
    constructor(name        , parentPath        , kind          ) {
      super(kind);
      show(this, "name", name);
      show(this, "parentPath", parentPath);
    }
  }

  class Stats extends Entry {
    constructor(kind          , size        , mtimeMs        ) {
      super(kind);
      show(this, "size", size);
      show(this, "mode", kind === "file" ? 0o100644 : kind === "directory" ? 0o040755 : 0o120777);
      show(this, "mtimeMs", mtimeMs);
      show(this, "mtime", new Date(mtimeMs));
    }
  }

  /** What is in a request's answer about one file. */
  const statsOf = (answer     )        => new Stats(answer[0], answer[1], answer[2]);

  const fsShared           = { ask, askHost, dataOf, encodingOf, flagsOf, optionsOf, pathOf, statsOf, textOf, wholeNumber, Dirent };
  return { fsShared };
})
