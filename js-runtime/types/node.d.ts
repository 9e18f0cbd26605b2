// Modules of Node.js, and its globals Buffer and process: https://nodejs.org/api/
// What Node has and is not declared throws an error that says what to use instead.

type BufferEncoding = "ascii" | "base64" | "base64url" | "binary" | "hex" | "latin1" | "ucs-2" | "ucs2" | "utf-16le" | "utf-8" | "utf16le" | "utf8";

interface Buffer extends Uint8Array<ArrayBuffer> {
  toString(encoding?: BufferEncoding, start?: number, end?: number): string;
  toJSON(): { type: "Buffer"; data: number[] };
  write(text: string, encoding?: BufferEncoding): number;
  write(text: string, offset: number, encoding?: BufferEncoding): number;
  write(text: string, offset: number, length: number, encoding?: BufferEncoding): number;
  equals(other: Uint8Array): boolean;
  compare(target: Uint8Array, targetStart?: number, targetEnd?: number, sourceStart?: number, sourceEnd?: number): -1 | 0 | 1;
  copy(target: Uint8Array, targetStart?: number, sourceStart?: number, sourceEnd?: number): number;
  fill(value: any, offset?: number | BufferEncoding, end?: number | BufferEncoding, encoding?: BufferEncoding): this;
  indexOf(value: any, offset?: number | BufferEncoding, encoding?: BufferEncoding): number;
  lastIndexOf(value: any, offset?: number | BufferEncoding, encoding?: BufferEncoding): number;
  includes(value: any, offset?: number | BufferEncoding, encoding?: BufferEncoding): boolean;
  /** Of the same memory, as in Node. */
  slice(start?: number, end?: number): Buffer;
  subarray(start?: number, end?: number): Buffer;
  swap16(): this;
  swap32(): this;
  swap64(): this;
  readonly parent: ArrayBuffer;
  readonly offset: number;
  readUInt8(offset?: number): number;
  readUInt16LE(offset?: number): number;
  readUInt16BE(offset?: number): number;
  readUInt32LE(offset?: number): number;
  readUInt32BE(offset?: number): number;
  readUIntLE(offset: number, byteLength: number): number;
  readUIntBE(offset: number, byteLength: number): number;
  readInt8(offset?: number): number;
  readInt16LE(offset?: number): number;
  readInt16BE(offset?: number): number;
  readInt32LE(offset?: number): number;
  readInt32BE(offset?: number): number;
  readIntLE(offset: number, byteLength: number): number;
  readIntBE(offset: number, byteLength: number): number;
  readBigInt64LE(offset?: number): bigint;
  readBigInt64BE(offset?: number): bigint;
  readBigUInt64LE(offset?: number): bigint;
  readBigUInt64BE(offset?: number): bigint;
  readFloatLE(offset?: number): number;
  readFloatBE(offset?: number): number;
  readDoubleLE(offset?: number): number;
  readDoubleBE(offset?: number): number;
  writeUInt8(value: number, offset?: number): number;
  writeUInt16LE(value: number, offset?: number): number;
  writeUInt16BE(value: number, offset?: number): number;
  writeUInt32LE(value: number, offset?: number): number;
  writeUInt32BE(value: number, offset?: number): number;
  writeUIntLE(value: number, offset: number, byteLength: number): number;
  writeUIntBE(value: number, offset: number, byteLength: number): number;
  writeInt8(value: number, offset?: number): number;
  writeInt16LE(value: number, offset?: number): number;
  writeInt16BE(value: number, offset?: number): number;
  writeInt32LE(value: number, offset?: number): number;
  writeInt32BE(value: number, offset?: number): number;
  writeIntLE(value: number, offset: number, byteLength: number): number;
  writeIntBE(value: number, offset: number, byteLength: number): number;
  writeBigInt64LE(value: bigint, offset?: number): number;
  writeBigInt64BE(value: bigint, offset?: number): number;
  writeBigUInt64LE(value: bigint, offset?: number): number;
  writeBigUInt64BE(value: bigint, offset?: number): number;
  writeFloatLE(value: number, offset?: number): number;
  writeFloatBE(value: number, offset?: number): number;
  writeDoubleLE(value: number, offset?: number): number;
  writeDoubleBE(value: number, offset?: number): number;
}
interface BufferConstructor {
  /** @deprecated Use `Buffer.from` and `Buffer.alloc`. */
  new (value: any, encodingOrOffset?: any, length?: number): Buffer;
  readonly prototype: Buffer;
  from(text: string, encoding?: BufferEncoding): Buffer;
  from(memory: ArrayBuffer, offset?: number, length?: number): Buffer;
  from(bytes: ArrayLike<number> | Uint8Array | { valueOf(): any } | { type: "Buffer"; data: number[] }): Buffer;
  alloc(size: number, fill?: string | number | Uint8Array, encoding?: BufferEncoding): Buffer;
  allocUnsafe(size: number): Buffer;
  allocUnsafeSlow(size: number): Buffer;
  byteLength(value: string | ArrayBuffer | ArrayBufferView, encoding?: BufferEncoding): number;
  compare(a: Uint8Array, b: Uint8Array): -1 | 0 | 1;
  concat(list: readonly Uint8Array[], totalLength?: number): Buffer;
  copyBytesFrom(view: ArrayBufferView, offset?: number, length?: number): Buffer;
  isBuffer(value: unknown): value is Buffer;
  isEncoding(name: unknown): name is BufferEncoding;
  poolSize: number;
}
declare const Buffer: BufferConstructor;

/** The global classes, for modules that have exports of the same names. */
interface PerennialClasses {
  Blob: typeof Blob;
  File: typeof File;
  TextDecoder: typeof TextDecoder;
  TextEncoder: typeof TextEncoder;
  URL: typeof URL;
  URLPattern: typeof URLPattern;
  URLSearchParams: typeof URLSearchParams;
}
type PerennialURL = URL;

interface PerennialProcessStream {
  readonly fd: number;
  readonly isTTY: false;
  readonly writable: true;
  /** An entry of the console. */
  write(text: string | Uint8Array, encoding?: BufferEncoding | (() => void), done?: () => void): boolean;
}
interface PerennialProcess {
  readonly arch: string;
  readonly argv: string[];
  readonly argv0: string;
  readonly execArgv: string[];
  /** What was granted, frozen; nothing otherwise. */
  readonly env: { readonly [name: string]: string | undefined };
  /** What `exit` without a code ends with. */
  exitCode: number | undefined;
  readonly platform: "linux";
  readonly stdout: PerennialProcessStream;
  readonly stderr: PerennialProcessStream;
  readonly versions: { readonly perennial: string };
  cwd(): string;
  emitWarning(warning: string | Error, type?: string): void;
  /** Ends the script: with 0 it is done, with anything else it has failed. Nothing catches it; `finally` does not run. */
  exit(code?: number | string | null): never;
  hrtime: { (before?: [number, number]): [number, number]; bigint(): bigint };
  nextTick<A extends unknown[]>(callback: (...args: A) => void, ...args: A): void;
  uptime(): number;
}
declare const process: PerennialProcess;

declare module "node:buffer" {
  const buffer: {
    Buffer: BufferConstructor;
    Blob: PerennialClasses["Blob"];
    File: PerennialClasses["File"];
    atob(base64: string): string;
    btoa(text: string): string;
    constants: { readonly MAX_LENGTH: number; readonly MAX_STRING_LENGTH: number };
    kMaxLength: number;
    isAscii(input: ArrayBuffer | ArrayBufferView): boolean;
    isUtf8(input: ArrayBuffer | ArrayBufferView): boolean;
  };
  export default buffer;
  export const Buffer: BufferConstructor;
  export const Blob: PerennialClasses["Blob"];
  export const File: PerennialClasses["File"];
  export const { atob, btoa, constants, kMaxLength, isAscii, isUtf8 }: typeof buffer;
}

declare module "node:events" {
  type Listener = (...args: any[]) => void;
  export class EventEmitter {
    constructor(options?: { [name: string]: unknown });
    static readonly EventEmitter: typeof EventEmitter;
    static defaultMaxListeners: number;
    static readonly errorMonitor: symbol;
    static once(emitter: EventEmitter | EventTarget, name: string | symbol, options?: { signal?: AbortSignal }): Promise<any[]>;
    static on(emitter: EventEmitter | EventTarget, name: string | symbol, options?: { signal?: AbortSignal; close?: string[] }): AsyncIterableIterator<any[]>;
    static listenerCount(emitter: EventEmitter, name: string | symbol): number;
    static getEventListeners(emitter: EventEmitter, name: string | symbol): Function[];
    static getMaxListeners(emitter: EventEmitter): number;
    static setMaxListeners(most?: number, ...emitters: (EventEmitter | EventTarget)[]): void;
    static addAbortListener(signal: AbortSignal, listener: () => void): Disposable;
    on(name: string | symbol, listener: Listener): this;
    once(name: string | symbol, listener: Listener): this;
    off(name: string | symbol, listener: Listener): this;
    addListener(name: string | symbol, listener: Listener): this;
    removeListener(name: string | symbol, listener: Listener): this;
    prependListener(name: string | symbol, listener: Listener): this;
    prependOnceListener(name: string | symbol, listener: Listener): this;
    removeAllListeners(name?: string | symbol): this;
    emit(name: string | symbol, ...args: any[]): boolean;
    eventNames(): (string | symbol)[];
    listenerCount(name: string | symbol, listener?: Function): number;
    listeners(name: string | symbol): Function[];
    rawListeners(name: string | symbol): Function[];
    setMaxListeners(most: number): this;
    getMaxListeners(): number;
  }
  export default EventEmitter;
  export const { once, on, listenerCount, getEventListeners, getMaxListeners, setMaxListeners, addAbortListener, errorMonitor, defaultMaxListeners }: typeof EventEmitter;
}

declare module "node:path" {
  interface ParsedPath {
    root: string;
    dir: string;
    base: string;
    ext: string;
    name: string;
  }
  const path: {
    readonly delimiter: ":";
    readonly sep: "/";
    readonly posix: typeof path;
    basename(path: string, suffix?: string): string;
    dirname(path: string): string;
    extname(path: string): string;
    format(parts: Partial<ParsedPath>): string;
    isAbsolute(path: string): boolean;
    join(...paths: string[]): string;
    matchesGlob(path: string, pattern: string): boolean;
    normalize(path: string): string;
    parse(path: string): ParsedPath;
    relative(from: string, to: string): string;
    resolve(...paths: string[]): string;
    toNamespacedPath(path: string): string;
  };
  export default path;
  export const { delimiter, sep, posix, basename, dirname, extname, format, isAbsolute, join, matchesGlob, normalize, parse, relative, resolve, toNamespacedPath }: typeof path;
}

declare module "node:util" {
  interface InspectOptions {
    depth?: number | null;
    showHidden?: boolean;
  }
  interface ParseArgsOption {
    type: "boolean" | "string";
    short?: string;
    multiple?: boolean;
    default?: boolean | string | boolean[] | string[];
  }
  const util: {
    callbackify(original: (...args: any[]) => Promise<any>): (...args: any[]) => void;
    debug(section: string): ((...args: unknown[]) => void) & { readonly enabled: false };
    debuglog(section: string): ((...args: unknown[]) => void) & { readonly enabled: false };
    deprecate<F extends Function>(called: F, message: string, code?: string): F;
    format(...values: unknown[]): string;
    formatWithOptions(options: InspectOptions, ...values: unknown[]): string;
    inherits(constructor: Function, parent: Function): void;
    inspect: { (value: unknown, options?: InspectOptions): string; readonly custom: unique symbol };
    isArray(value: unknown): value is unknown[];
    isDeepStrictEqual(a: unknown, b: unknown): boolean;
    parseArgs(config?: {
      args?: string[];
      options?: { [name: string]: ParseArgsOption };
      strict?: boolean;
      allowPositionals?: boolean;
      allowNegative?: boolean;
    }): { values: { [name: string]: any }; positionals: string[] };
    promisify: { (original: Function): (...args: any[]) => Promise<any>; readonly custom: unique symbol };
    stripVTControlCharacters(text: string): string;
    styleText(styles: string | string[], text: string): string;
    toUSVString(text: string): string;
    TextDecoder: PerennialClasses["TextDecoder"];
    TextEncoder: PerennialClasses["TextEncoder"];
    types: { [name: string]: (value: unknown) => boolean };
  };
  export default util;
  export const {
    callbackify, debug, debuglog, deprecate, format, formatWithOptions, inherits, inspect, isArray, isDeepStrictEqual, parseArgs, promisify, stripVTControlCharacters, styleText, toUSVString, TextDecoder, TextEncoder, types,
  }: typeof util;
}

declare module "node:assert" {
  type Expected = RegExp | Function | Error | { [name: string]: unknown };
  export class AssertionError extends Error {
    constructor(options: { message?: string; actual?: unknown; expected?: unknown; operator?: string });
    readonly code: "ERR_ASSERTION";
    readonly generatedMessage: boolean;
    actual: unknown;
    expected: unknown;
    operator: string;
  }
  interface Assert {
    (value: unknown, message?: string | Error): asserts value;
    AssertionError: typeof AssertionError;
    strict: Assert;
    ok(value: unknown, message?: string | Error): asserts value;
    fail(message?: string | Error): never;
    equal(actual: unknown, expected: unknown, message?: string | Error): void;
    notEqual(actual: unknown, expected: unknown, message?: string | Error): void;
    strictEqual<T>(actual: unknown, expected: T, message?: string | Error): asserts actual is T;
    notStrictEqual(actual: unknown, expected: unknown, message?: string | Error): void;
    deepEqual(actual: unknown, expected: unknown, message?: string | Error): void;
    notDeepEqual(actual: unknown, expected: unknown, message?: string | Error): void;
    deepStrictEqual<T>(actual: unknown, expected: T, message?: string | Error): asserts actual is T;
    notDeepStrictEqual(actual: unknown, expected: unknown, message?: string | Error): void;
    match(text: string, expression: RegExp, message?: string | Error): void;
    doesNotMatch(text: string, expression: RegExp, message?: string | Error): void;
    throws(run: () => unknown, expected?: Expected | string, message?: string | Error): void;
    doesNotThrow(run: () => unknown, expected?: Expected | string, message?: string | Error): void;
    rejects(promise: Promise<unknown> | (() => Promise<unknown>), expected?: Expected | string, message?: string | Error): Promise<void>;
    doesNotReject(promise: Promise<unknown> | (() => Promise<unknown>), expected?: Expected | string, message?: string | Error): Promise<void>;
    ifError(value: unknown): void;
  }
  const assert: Assert;
  export default assert;
  export const strict: Assert;
  export const ok: Assert["ok"], fail: Assert["fail"], equal: Assert["equal"], notEqual: Assert["notEqual"], strictEqual: Assert["strictEqual"], notStrictEqual: Assert["notStrictEqual"];
  export const deepEqual: Assert["deepEqual"], notDeepEqual: Assert["notDeepEqual"], deepStrictEqual: Assert["deepStrictEqual"], notDeepStrictEqual: Assert["notDeepStrictEqual"];
  export const match: Assert["match"], doesNotMatch: Assert["doesNotMatch"], throws: Assert["throws"], doesNotThrow: Assert["doesNotThrow"], rejects: Assert["rejects"];
  export const doesNotReject: Assert["doesNotReject"], ifError: Assert["ifError"];
}
declare module "node:assert/strict" {
  import assert from "node:assert";
  export * from "node:assert";
  export default assert;
}

declare module "node:url" {
  const url: {
    URL: PerennialClasses["URL"];
    URLPattern: PerennialClasses["URLPattern"];
    URLSearchParams: PerennialClasses["URLSearchParams"];
    domainToASCII(domain: string): string;
    domainToUnicode(domain: string): string;
    fileURLToPath(url: string | PerennialURL): string;
    format(url: PerennialURL, options?: { auth?: boolean; fragment?: boolean; search?: boolean; unicode?: boolean }): string;
    pathToFileURL(path: string): PerennialURL;
    urlToHttpOptions(url: PerennialURL): { [name: string]: any };
  };
  export default url;
  export const { URL, URLPattern, URLSearchParams, domainToASCII, domainToUnicode, fileURLToPath, format, pathToFileURL, urlToHttpOptions }: typeof url;
}

declare module "node:timers/promises" {
  interface Options {
    signal?: AbortSignal;
    ref?: boolean;
  }
  const timers: {
    setTimeout<T = void>(ms?: number, value?: T, options?: Options): Promise<T>;
    setImmediate<T = void>(value?: T, options?: Options): Promise<T>;
    setInterval<T = void>(ms?: number, value?: T, options?: Options): AsyncIterableIterator<T>;
    scheduler: { wait(ms: number, options?: Options): Promise<void>; yield(): Promise<void> };
  };
  export default timers;
  export const { setTimeout, setImmediate, setInterval, scheduler }: typeof timers;
}

declare module "node:fs/promises" {
  const promises: Omit<typeof fs, "chdir" | "cwd" | "exists" | "readStream" | "writeStream"> & {
    mkdtemp(prefix: string): Promise<string>;
    readonly constants: { readonly F_OK: 0; readonly R_OK: 4; readonly W_OK: 2; readonly X_OK: 1; readonly COPYFILE_EXCL: 1 };
  };
  export default promises;
  export const {
    access, appendFile, constants, copyFile, cp, glob, lstat, mkdir, mkdtemp, open, readFile, readdir, readlink, realpath, rename, rm, rmdir, stat, symlink, truncate, unlink, utimes, writeFile,
  }: typeof promises;
}

declare module "node:process" {
  const p: PerennialProcess;
  export default p;
  export const { arch, argv, argv0, cwd, emitWarning, env, execArgv, exit, exitCode, hrtime, nextTick, platform, stderr, stdout, uptime, versions }: PerennialProcess;
}
