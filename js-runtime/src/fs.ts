// fs: files of the session and of mounts, by promises, under Node's names.
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { asArray, asyncIteratorPrototype, dateTime, freeze, indexOf, isArray, lastIndexOf, list, ownKeys, Error, Number, pop, push, setPrototypeOf, slice, toWellFormed, TypeError } = intrinsics;
  const { dictionary, domString, isObject } = ops.library_value("webidl");
  const { ask, askHost, dataOf, encodingOf, flagsOf, optionsOf, pathOf, statsOf, textOf, wholeNumber, Dirent }: FsShared = ops.library_value("fsShared");
  const handles = (): FsHandles => ops.library_value("fsHandles");

  const join = (folder: string, name: string) => (folder === "" ? name : lastIndexOf(folder, "/") === folder.length - 1 ? folder + name : folder + "/" + name);
  const codeOf = (error: any): unknown => (isObject(error) ? (error as any).code : undefined);

  async function readFile(path: unknown, options: unknown = undefined) {
    const given = optionsOf(options), encoding = encodingOf(given), { signal } = given;
    if (signal !== undefined && (ops.library_value("signals") as Signals).stateOf(signal).aborted) throw (ops.library_value("signals") as Signals).stateOf(signal).reason;
    const name = pathOf(path), flags = flagsOf(given.flag, "r"), isUtf8 = encoding === "utf-8";
    // `undefined` in a mount, `null` where it is to be read part by part.
    let bytes: Uint8Array | string | null | undefined = flags.write === true || flags.create === true ? null : ops.fs_read_file(name, isUtf8);
    if (bytes === undefined) bytes = (await askHost("read_file", name, isUtf8)) as Uint8Array | string | null;
    if (typeof bytes === "string") return bytes;
    if (bytes === null) bytes = await handles().with(name, flags, (id) => handles().readAll(id));
    return encoding === undefined ? (ops.library_value("buffers") as Buffers).wrap(bytes) : textOf(bytes, encoding);
  }

  async function write(path: unknown, data: unknown, options: unknown, otherwise: string): Promise<void> {
    const given = optionsOf(options), flags = flagsOf(given.flag, otherwise);
    const text = typeof data === "string" && encodingOf(given) === undefined ? toWellFormed(data) : undefined;
    const whole = text === undefined ? dataOf(data, given) : text, name = pathOf(path);
    // At once, so that there is all of it or nothing; in a mount part by part.
    if (ops.fs_write_file(name, flags, whole) !== undefined) return;
    const bytes = typeof whole === "string" ? (ops.text_encode(whole) as Uint8Array) : whole;
    await handles().with(name, flags, (id) => handles().writeAll(id, bytes, flags.append === true ? null : 0));
  }

  const names = (path: string): Promise<any[]> => ask("list", path);

  async function readdir(path: unknown, options: unknown = undefined) {
    const given = optionsOf(options), folder = pathOf(path), place: string = ops.fs_absolute(folder), found: unknown[] = list();
    const visit = async (below: string) => {
      const entries = await names(below === "" ? place : join(place, below));
      for (let i = 0; i < entries.length; i++) {
        const name: string = entries[i][0], kind: FileKind = entries[i][1], inner = join(below, name);
        push(found, given.withFileTypes ? new Dirent(name, below === "" ? folder : join(folder, below), kind) : inner);
        if (given.recursive && kind === "directory") await visit(inner);
      }
    };
    await visit("");
    return asArray(found);
  }

  async function mkdir(path: unknown, options: unknown = undefined): Promise<string | undefined> {
    const recursive = !!(typeof options === "number" ? false : optionsOf(options).recursive);
    const made = await ask("mkdir", pathOf(path), recursive);
    return recursive && made !== null ? made : undefined;
  }

  async function rm(path: unknown, options: unknown = undefined): Promise<void> {
    const { recursive, force } = optionsOf(options);
    try {
      await ask("rm", pathOf(path), !!recursive);
    } catch (error) {
      if (!force || codeOf(error) !== "ENOENT") throw error;
    }
  }

  async function copyFile(from: unknown, to: unknown, mode: unknown = 0): Promise<void> {
    let path = pathOf(from), target = pathOf(to);
    const exclusive = (Number(mode) & 1) !== 0;
    if (ops.fs_copy(path, target, exclusive) !== undefined) return;
    // To or from a folder of the host.
    path = ops.fs_absolute(path);
    target = ops.fs_absolute(target);
    await handles().with(path, { read: true }, (source) =>
      handles().with(target, { write: true, create: true, exclusive }, async (id) => {
        // Under two names it may be one file, which is not to be emptied.
        if (ops.fs_same(source, id)) return;
        await ask("truncate", id, 0);
        for (let at = 0; ; ) {
          const bytes = await ask("read", source, at, 262144), count = intrinsics.viewByteLength(bytes);
          if (count === 0) return;
          await handles().writeAll(id, bytes, at);
          at += count;
        }
      }),
    );
  }

  /** Where a path leads that need not be there. */
  async function real(path: string): Promise<string> {
    try {
      return await ask("realpath", path);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
      const clean = path.length > 1 && lastIndexOf(path, "/") === path.length - 1 ? slice(path, 0, -1) : path, at = lastIndexOf(clean, "/");
      return join(at < 0 ? await real(".") : await real(at === 0 ? "/" : slice(clean, 0, at)), slice(clean, at + 1));
    }
  }
  function inside(path: string, target: string): Error {
    const error: any = new Error("EINVAL: invalid argument, cp '" + path + "' -> '" + target + "' (a folder is not copied into itself)");
    error.code = "EINVAL";
    return error;
  }

  async function cp(from: unknown, to: unknown, options: unknown = undefined): Promise<void> {
    const path: string = ops.fs_absolute(pathOf(from)), target: string = ops.fs_absolute(pathOf(to)), { recursive, force, errorOnExist } = optionsOf(options);
    if ((await ask("stat", path, true))[0] !== "directory") {
      if (force === false && (await exists(target))) {
        if (errorOnExist) await copyFile(path, target, 1);
        return;
      }
      return await copyFile(path, target);
    }
    if (!recursive) throw new TypeError("cp of a folder needs { recursive: true }: " + path);
    const source = await real(path), place = await real(target);
    if (place === source || indexOf(place, join(source, "")) === 0) throw inside(path, target);
    await ask("mkdir", target, true);
    const entries = await names(path);
    for (let i = 0; i < entries.length; i++) await cp(join(path, entries[i][0]), join(target, entries[i][0]), options);
  }

  async function stat(path: unknown) {
    return statsOf(await ask("stat", pathOf(path), true));
  }
  async function lstat(path: unknown) {
    return statsOf(await ask("stat", pathOf(path), false));
  }

  /** Whether it is there; what one may not look at is an error, not a no. */
  async function exists(path: unknown): Promise<boolean> {
    try {
      await ask("stat", pathOf(path), true);
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === "ENOENT" || code === "ENOTDIR") return false;
      throw error;
    }
  }

  const seconds = (value: unknown): number => {
    if (typeof value === "number") return value * 1000;
    if (isObject(value) && ops.kind_of(value) === "date") return dateTime(value as Date);
    return Number(value) * 1000;
  };

  /** Paths that match, relative to `cwd`, as an async iterable. */
  function glob(pattern: unknown, options: unknown = undefined) {
    const patterns: string[] = list(), given = dictionary(options, "the options of fs.glob");
    if (isArray(pattern)) for (let i = 0; i < pattern.length; i++) push(patterns, domString(pattern[i]));
    else push(patterns, domString(pattern));
    const base = given.cwd === undefined ? "." : pathOf(given.cwd);
    const absolute = patterns.length > 0 && indexOf(patterns[0], "/") === 0;
    return new Globbed(absolute ? "/" : base, absolute ? "/" : "", patterns, !!given.withFileTypes);
  }

  class Globbed {
    #base: string;
    /** What that means from the beginning on. */
    #place: string;
    #patterns: string[];
    #types: boolean;
    /** Folders that are still to be looked at. */
    #folders: string[] = list();
    #found: unknown[] = list();
    #at = 0;
    #over = false;
    constructor(base: string, first: string, patterns: string[], types: boolean) {
      this.#base = base;
      this.#place = ops.fs_absolute(base);
      this.#patterns = patterns;
      this.#types = types;
      push(this.#folders, first);
    }
    async next() {
      while (this.#at >= this.#found.length && this.#folders.length > 0 && !this.#over) await this.#look(pop(this.#folders) as string);
      if (this.#over || this.#at >= this.#found.length) return { value: undefined, done: true };
      return { value: this.#found[this.#at++], done: false };
    }
    async return(value: unknown) {
      this.#over = true;
      return { value, done: true };
    }
    async #look(folder: string) {
      const entries = await names(folder === "" ? this.#place : indexOf(folder, "/") === 0 ? folder : join(this.#place, folder));
      this.#found = list();
      this.#at = 0;
      for (let i = entries.length - 1; i >= 0; i--) if (entries[i][1] === "directory") push(this.#folders, join(folder, entries[i][0]));
      for (let i = 0; i < entries.length; i++) {
        const path = join(folder, entries[i][0]);
        for (let j = 0; j < this.#patterns.length; j++) {
          if (!ops.fs_match(this.#patterns[j], path)) continue;
          push(this.#found, this.#types ? new Dirent(entries[i][0], folder === "" ? this.#base : join(this.#base, folder), entries[i][1]) : path);
          break;
        }
      }
    }
  }
  setPrototypeOf(Globbed.prototype, asyncIteratorPrototype);
  delete (Globbed.prototype as any).constructor;

  // Node's other fs calls back. Here a callback would be dropped in silence.
  const promised = (name: string, of: any) => (a: unknown, b: unknown, c: unknown, d: unknown) => {
    if (typeof b !== "function" && typeof c !== "function" && typeof d !== "function") return of(a, b, c, d);
    throw new TypeError("fs." + name + " returns a promise and calls nothing back: write await fs." + name + "(…)");
  };

  const fs: any = {
    readFile,
    writeFile: (path: unknown, data: unknown, options: unknown = undefined) => write(path, data, options, "w"),
    appendFile: (path: unknown, data: unknown, options: unknown = undefined) => write(path, data, options, "a"),
    readdir,
    mkdir,
    rm,
    rmdir: async (path: unknown) => void (await ask("rmdir", pathOf(path))),
    unlink: async (path: unknown) => void (await ask("unlink", pathOf(path))),
    rename: async (from: unknown, to: unknown) => void (await ask("rename", pathOf(from), pathOf(to))),
    copyFile,
    cp,
    stat,
    lstat,
    exists,
    access: async (path: unknown) => void (await ask("stat", pathOf(path), true)),
    symlink: async (target: unknown, path: unknown) => void (await ask("symlink", pathOf(path), pathOf(target))),
    readlink: async (path: unknown): Promise<string> => await ask("readlink", pathOf(path)),
    realpath: async (path: unknown): Promise<string> => await ask("realpath", pathOf(path)),
    truncate: async (path: unknown, length: unknown = 0) => {
      const wanted = wholeNumber(length, "length");
      await handles().with(pathOf(path), { read: true, write: true }, async (id) => void (await ask("truncate", id, wanted)));
    },
    utimes: async (path: unknown, _atime: unknown, mtime: unknown) => void (await ask("utimes", pathOf(path), seconds(mtime))),
    open: async (path: unknown, flags: unknown = undefined) => await handles().open(pathOf(path), flagsOf(flags, "r")),
    glob,
    cwd: (): string => ops.fs_cwd(),
    chdir: async (path: unknown) => void (await ask("chdir", pathOf(path))),
    readStream: (path: unknown, options: unknown = undefined) => {
      const { start, end } = dictionary(options, "the options of fs.readStream");
      const from = start === undefined ? 0 : wholeNumber(start, "start");
      // The end is the last byte that is read, as in Node.
      return handles().readStream(ops.fs_absolute(pathOf(path)), from, end === undefined ? 9007199254740991 : wholeNumber(end, "end") + 1);
    },
    writeStream: (path: unknown, options: unknown = undefined) => handles().writeStream(ops.fs_absolute(pathOf(path)), flagsOf(dictionary(options, "the options of fs.writeStream").flags, "w")),
  };
  const all = ownKeys(fs);
  for (let i = 0; i < all.length; i++) {
    const name = all[i] as string;
    if (name !== "glob" && name !== "cwd" && name !== "readStream" && name !== "writeStream") fs[name] = promised(name, fs[name]);
  }
  return { fs: freeze(fs) };
};
