// What the areas about files share.

type FileKind = "directory" | "file" | "link";
interface FileFlags {
  read?: boolean;
  write?: boolean;
  create?: boolean;
  truncate?: boolean;
  exclusive?: boolean;
  append?: boolean;
}
/** What is done to a path, and what to an open file; as `crates/stdlib/src/outside/files/ops.rs` has them. */
type FileVerb =
  | "stat" | "list" | "mkdir" | "rm" | "rmdir" | "unlink" | "rename" | "symlink" | "readlink" | "realpath" | "utimes" | "chdir" | "open"
  | "read" | "read_file" | "write" | "truncate" | "fstat";
interface FsShared {
  ask(verb: FileVerb, first: unknown, second?: unknown, third?: unknown): Promise<any>;
  /** Where it is known to be in a mount. */
  askHost(verb: FileVerb, first: unknown, second?: unknown, third?: unknown): Promise<any>;
  dataOf(value: unknown, options: any): Uint8Array;
  encodingOf(options: any): string | undefined;
  flagsOf(value: unknown, otherwise: string): FileFlags;
  optionsOf(value: unknown): any;
  pathOf(value: unknown): string;
  statsOf(answer: any): any;
  textOf(bytes: Uint8Array, encoding: string): string;
  wholeNumber(value: unknown, what: string): number;
  Dirent: new (name: string, parentPath: string, kind: FileKind) => object;
}
/** What `fs-handle.ts` provides. */
interface FsHandles {
  open(path: string, flags: FileFlags): Promise<any>;
  /** All of an open file. */
  readAll(id: number): Promise<Uint8Array>;
  /** All of some bytes, from a place or at the end. */
  writeAll(id: number, bytes: Uint8Array, at: number | null): Promise<void>;
  with<T>(path: string, flags: FileFlags, use: (id: number) => Promise<T>): Promise<T>;
  readStream(path: string, start: number, end: number): ReadableStream;
  writeStream(path: string, flags: FileFlags): WritableStream;
}
