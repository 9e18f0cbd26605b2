// fs: files of the session, and of the host's folders that are mounted. Names and errors are Node's; what they return are promises.

type FilePath = string | URL;
type FileText = "ascii" | "latin1" | "utf-16le" | "utf-8" | "utf16le" | "utf8";
type FileOpenFlags = "a" | "a+" | "ax" | "ax+" | "r" | "r+" | "w" | "w+" | "wx" | "wx+";
type FileData = ArrayBuffer | ArrayBufferView | string;
interface FileWriteOptions {
  encoding?: "utf-8" | "utf8";
  flag?: FileOpenFlags;
}

interface FileKinds {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isBlockDevice(): boolean;
  isCharacterDevice(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}
interface Stats extends FileKinds {
  size: number;
  mode: number;
  mtimeMs: number;
  mtime: Date;
}
interface Dirent extends FileKinds {
  name: string;
  parentPath: string;
}

/** An open file. It is bad as soon as the file is removed or renamed. */
interface FileHandle {
  readonly fd: number;
  read<T extends ArrayBufferView>(buffer: T, offset?: number, length?: number, position?: number | null): Promise<{ bytesRead: number; buffer: T }>;
  read(options?: { buffer?: ArrayBufferView; offset?: number; length?: number; position?: number | null }): Promise<{ bytesRead: number; buffer: ArrayBufferView }>;
  write(data: string, position?: number | null, encoding?: "utf8"): Promise<{ bytesWritten: number; buffer: string }>;
  write<T extends ArrayBufferView>(data: T, offset?: number, length?: number, position?: number | null): Promise<{ bytesWritten: number; buffer: T }>;
  readFile(): Promise<Buffer>;
  readFile(options: FileText | { encoding: FileText }): Promise<string>;
  writeFile(data: FileData, options?: FileWriteOptions): Promise<void>;
  appendFile(data: FileData, options?: FileWriteOptions): Promise<void>;
  stat(): Promise<Stats>;
  truncate(length?: number): Promise<void>;
  sync(): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

declare const fs: {
  readFile(path: FilePath, options?: { encoding?: null; flag?: FileOpenFlags; signal?: AbortSignal }): Promise<Buffer>;
  readFile(path: FilePath, options: FileText | { encoding: FileText; flag?: FileOpenFlags; signal?: AbortSignal }): Promise<string>;
  writeFile(path: FilePath, data: FileData, options?: FileWriteOptions | "utf8"): Promise<void>;
  appendFile(path: FilePath, data: FileData, options?: FileWriteOptions | "utf8"): Promise<void>;
  /** Sorted. With `recursive`, paths relative to `path`. */
  readdir(path: FilePath, options?: { recursive?: boolean; withFileTypes?: false }): Promise<string[]>;
  readdir(path: FilePath, options: { recursive?: boolean; withFileTypes: true }): Promise<Dirent[]>;
  /** With `recursive`, the first folder that was made. */
  mkdir(path: FilePath, options?: { recursive?: boolean }): Promise<string | undefined>;
  rm(path: FilePath, options?: { force?: boolean; recursive?: boolean }): Promise<void>;
  rmdir(path: FilePath): Promise<void>;
  unlink(path: FilePath): Promise<void>;
  rename(from: FilePath, to: FilePath): Promise<void>;
  /** `1` for `mode`: not over one that is there. */
  copyFile(from: FilePath, to: FilePath, mode?: number): Promise<void>;
  cp(from: FilePath, to: FilePath, options?: { errorOnExist?: boolean; force?: boolean; recursive?: boolean }): Promise<void>;
  stat(path: FilePath): Promise<Stats>;
  lstat(path: FilePath): Promise<Stats>;
  exists(path: FilePath): Promise<boolean>;
  access(path: FilePath): Promise<void>;
  symlink(target: FilePath, path: FilePath): Promise<void>;
  readlink(path: FilePath): Promise<string>;
  realpath(path: FilePath): Promise<string>;
  truncate(path: FilePath, length?: number): Promise<void>;
  utimes(path: FilePath, atime: number | Date, mtime: number | Date): Promise<void>;
  open(path: FilePath, flags?: FileOpenFlags): Promise<FileHandle>;
  /** `*`, `**`, `?`, `[a-z]`, `{a,b}`; paths relative to `cwd`. */
  glob(pattern: string | string[], options?: { cwd?: FilePath; withFileTypes?: false }): AsyncIterableIterator<string>;
  glob(pattern: string | string[], options: { cwd?: FilePath; withFileTypes: true }): AsyncIterableIterator<Dirent>;
  cwd(): string;
  chdir(path: FilePath): Promise<void>;
  /** A large file, in parts; `end` is the last byte. */
  readStream(path: FilePath, options?: { start?: number; end?: number }): ReadableStream<Uint8Array<ArrayBuffer>>;
  writeStream(path: FilePath, options?: { flags?: FileOpenFlags }): WritableStream<FileData>;
};
