// node:path, as it is on POSIX: https://nodejs.org/api/path.html
export default (ops: Ops, intrinsics: Intrinsics) => {
  const { charCodeAt, Error, join: joined, lastIndexOf, list, pop, push, slice } = intrinsics;
  const { define, hidden, leaveOut, split, text, wrongType }: NodeShared = ops.library_value("nodeShared");
  const { dictionary } = ops.library_value("webidl");
  const SLASH = 47, DOT = 46;

  const isAbsolute = (path: string) => text(path, "path").length > 0 && charCodeAt(path, 0) === SLASH;

  /** A path without `.`, and without `..` where something stands before it. */
  function simplified(path: string, absolute: boolean): string {
    const parts = split(path, "/"), kept: string[] = list();
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i];
      if (part === "" || part === ".") continue;
      if (part !== "..") push(kept, part);
      else if (kept.length > 0 && kept[kept.length - 1] !== "..") pop(kept);
      else if (!absolute) push(kept, part);
    }
    return joined(kept, "/");
  }

  function normalize(path: string): string {
    if (text(path, "path") === "") return ".";
    const absolute = isAbsolute(path), ends = charCodeAt(path, path.length - 1) === SLASH;
    let simple = simplified(path, absolute);
    if (simple === "" && !absolute) return ends ? "./" : ".";
    if (simple !== "" && ends) simple += "/";
    return absolute ? "/" + simple : simple;
  }

  function join(...paths: string[]): string {
    const parts: string[] = list();
    for (let i = 0; i < paths.length; i++) if (text(paths[i], "path") !== "") push(parts, paths[i]);
    return parts.length === 0 ? "." : normalize(joined(parts, "/"));
  }

  function resolve(...paths: string[]): string {
    let whole = "";
    for (let i = paths.length - 1; i >= 0 && !isAbsolute(whole); i--) if (text(paths[i], "paths[" + i + "]") !== "") whole = whole === "" ? paths[i] : paths[i] + "/" + whole;
    if (!isAbsolute(whole)) whole = whole === "" ? ops.fs_cwd() : ops.fs_cwd() + "/" + whole;
    return "/" + simplified(whole, true);
  }

  function relative(from: string, to: string): string {
    const source = resolve(text(from, "from")), target = resolve(text(to, "to"));
    if (source === target) return "";
    const a = split(slice(source, 1), "/"), b = split(slice(target, 1), "/"), parts: string[] = list();
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    for (let i = same; i < a.length; i++) if (a[i] !== "") push(parts, "..");
    for (let i = same; i < b.length; i++) if (b[i] !== "") push(parts, b[i]);
    return joined(parts, "/");
  }

  /** Where the last part begins, and where it ends before slashes. */
  function last(path: string): [number, number] {
    let end = path.length;
    while (end > 0 && charCodeAt(path, end - 1) === SLASH) end--;
    return [end === 0 ? 0 : lastIndexOf(slice(path, 0, end), "/") + 1, end];
  }

  function dirname(path: string): string {
    const start = last(text(path, "path"))[0];
    if (start === 0) return isAbsolute(path) ? "/" : ".";
    if (start === 1) return "/";
    return start === 2 && isAbsolute(path) ? "//" : slice(path, 0, start - 1);
  }

  function basename(path: string, suffix: string | undefined = undefined): string {
    const place = last(text(path, "path")), base = slice(path, place[0], place[1]);
    if (suffix === undefined) return base;
    if (suffix === path) return "";
    const from = base.length - text(suffix, "suffix").length;
    return from > 0 && suffix !== "" && slice(base, from) === suffix ? slice(base, 0, from) : base;
  }

  function extname(path: string): string {
    const base = basename(path), at = lastIndexOf(base, ".");
    return at <= 0 || base === ".." ? "" : slice(base, at);
  }

  function parse(path: string) {
    const root = isAbsolute(path) ? "/" : "", base = basename(path), ext = extname(path), start = last(path)[0];
    const dir = start === 0 ? root : start === 1 && root === "/" ? "/" : slice(path, 0, start - 1);
    return { root, dir, base, ext, name: slice(base, 0, base.length - ext.length) };
  }

  function format(parts: any): string {
    if (typeof parts !== "object" || parts === null) throw wrongType("pathObject", "of type object", parts);
    const { dir, root, base, name, ext } = dictionary(parts, "the argument of path.format");
    const file = base || (name || "") + (ext ? (charCodeAt(ext, 0) === DOT ? "" : ".") + ext : ""), folder = dir || root;
    return !folder ? file : folder === root ? folder + file : folder + "/" + file;
  }

  const path: any = define({}, {
    __proto__: null, basename, delimiter: ":", dirname, extname, format, isAbsolute, join,
    matchesGlob: (name: string, pattern: string): boolean => ops.fs_match(text(pattern, "pattern"), text(name, "path")),
    normalize, parse, relative, resolve, sep: "/", toNamespacedPath: (name: unknown) => name,
  });
  define(path, { __proto__: null, posix: path });
  const win32 = {};
  leaveOut(win32, "path.win32", ["basename", "dirname", "extname", "format", "isAbsolute", "join", "normalize", "parse", "relative", "resolve"], "paths are those of POSIX");
  hidden(path, "win32", win32);
  return { "node:path": intrinsics.freeze(path) };
};
