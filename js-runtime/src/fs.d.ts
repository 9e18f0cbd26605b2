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
/** As `crates/stdlib/src/files/ops.rs` has them. */
interface FileRequest {
  op: string;
  [name: string]: unknown;
}
interface FsShared {
  ask(request: FileRequest, bytes?: Uint8Array): Promise<any>;
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
