// What the engine hands to an area of the library: see crates/engine/js/bootstrap.js.
//
// An area is evaluated when a script first touches one of its globals, after scripts have had their hands on the realm. So library code
// calls what is captured here and uses no syntax that looks things up on prototypes: no spread, no array patterns, no for-of, no
// `instanceof`, no `${…}` in templates (QuickJS calls `String.prototype.concat`), no `await` of a promise that scripts can get at.

interface Intrinsics {
  readonly apply: typeof Reflect.apply;
  readonly construct: typeof Reflect.construct;
  readonly defineProperty: typeof Reflect.defineProperty;
  readonly freeze: typeof Object.freeze;
  readonly preventExtensions: typeof Reflect.preventExtensions;
  readonly getOwnPropertyDescriptor: typeof Reflect.getOwnPropertyDescriptor;
  readonly getPrototypeOf: typeof Reflect.getPrototypeOf;
  readonly setPrototypeOf: typeof Reflect.setPrototypeOf;
  readonly has: typeof Reflect.has;
  readonly hasOwn: typeof Object.hasOwn;
  readonly isArray: typeof Array.isArray;
  readonly ownKeys: typeof Reflect.ownKeys;
  /** A list of the library's own: an array without a prototype, so that what is pushed meets no setter. */
  list<T>(): T[];
  /** Makes a list an array, to be handed to a script. */
  asArray<T>(list: T[]): T[];
  push<T>(list: T[], item: T): number;
  pop<T>(list: T[]): T | undefined;
  join(list: readonly unknown[], separator: string): string;
  slice(text: string, from: number, to?: number): string;
  decodeURIComponent(text: string): string;
  charCodeAt(text: string, at: number): number;
  indexOf(text: string, part: string, from?: number): number;
  lastIndexOf(text: string, part: string, from?: number): number;
  repeat(text: string, times: number): string;
  toLowerCase(text: string): string;
  toUpperCase(text: string): string;
  trim(text: string): string;
  /** The library's own expressions only: `exec` looks at `lastIndex` and, in QuickJS, at nothing else that a script can replace. */
  regExpExec(expression: RegExp, text: string): RegExpExecArray | null;
  regExpSource(expression: RegExp): string;
  regExpFlags(expression: RegExp): string;
  numberToString(value: number, radix?: number): string;
  bigintToString(value: bigint, radix?: number): string;
  numberValueOf(value: unknown): number;
  stringValueOf(value: unknown): string;
  booleanValueOf(value: unknown): boolean;
  bigintValueOf(value: unknown): bigint;
  symbolValueOf(value: unknown): symbol;
  dateTime(date: Date): number;
  dateToISO(date: Date): string;
  finalization<T>(callback: (held: T) => void): FinalizationRegistry<T>;
  finalizationRegister<T>(registry: FinalizationRegistry<T>, target: object, held: T, token?: object): void;
  finalizationUnregister<T>(registry: FinalizationRegistry<T>, token: object): void;
  weakMapGet<K extends object, V>(map: WeakMap<K, V>, key: K): V | undefined;
  weakMapSet<K extends object, V>(map: WeakMap<K, V>, key: K, value: V): void;
  floor(value: number): number;
  symbolFor(name: string): symbol;
  functionToString(value: Function): string;
  encodeURIComponent(text: string): string;
  atob(base64: string): string;
  btoa(text: string): string;
  readonly dispose: typeof Symbol.dispose;
  stringify: typeof JSON.stringify;
  parse: typeof JSON.parse;
  parseInt: typeof parseInt;
  toWellFormed(text: string): string;
  fromCharCode(...units: number[]): string;
  /** As `Promise.resolve` and `then`; neither looks at anything that a script can replace, unless it is on the promise itself. */
  promiseResolve<T>(value: T): Promise<Awaited<T>>;
  promiseThen<T>(promise: Promise<T>, fulfilled?: (value: T) => unknown, rejected?: (reason: any) => unknown): Promise<unknown>;
  queueMicrotask(callback: () => void): void;
  /** All of a typed array or DataView, as bytes. */
  viewBytes(view: ArrayBufferView): Uint8Array<ArrayBuffer>;
  bytesSet(target: Uint8Array, source: Uint8Array, at?: number): void;
  typedFill(view: Uint8Array, value: number, from: number, to: number): void;
  typedIndexOf(view: Uint8Array, value: number, from: number): number;
  typedLastIndexOf(view: Uint8Array, value: number, from: number): number;
  typedArrayLength(view: ArrayBufferView): number;
  typedArrayTag(view: ArrayBufferView): string | undefined;
  viewBuffer(view: ArrayBufferView): ArrayBuffer;
  viewOffset(view: ArrayBufferView): number;
  viewByteLength(view: ArrayBufferView): number;
  /** The constructors, by their names. */
  readonly typedArrayKinds: { readonly [name: string]: { new (buffer: ArrayBuffer, offset: number, length: number): ArrayBufferView; BYTES_PER_ELEMENT: number } };
  arrayBufferLength(buffer: ArrayBuffer): number;
  arrayBufferDetached(buffer: ArrayBuffer): boolean;
  arrayBufferSlice(buffer: ArrayBuffer, from: number, to?: number): ArrayBuffer;
  arrayBufferTransfer(buffer: ArrayBuffer): ArrayBuffer;
  arrayBufferResizable(buffer: ArrayBuffer): boolean;
  arrayBufferMax(buffer: ArrayBuffer): number;
  mapForEach<K, V>(map: Map<K, V>, each: (value: V, key: K) => void): void;
  mapGet<K, V>(map: Map<K, V>, key: K): V | undefined;
  mapSet<K, V>(map: Map<K, V>, key: K, value: V): Map<K, V>;
  mapHas<K, V>(map: Map<K, V>, key: K): boolean;
  mapSize(map: Map<unknown, unknown>): number;
  setSize(set: Set<unknown>): number;
  mapDelete<K, V>(map: Map<K, V>, key: K): boolean;
  setForEach<T>(set: Set<T>, each: (value: T) => void): void;
  setAdd<T>(set: Set<T>, value: T): Set<T>;
  setDelete<T>(set: Set<T>, value: T): boolean;
  setHas<T>(set: Set<T>, value: T): boolean;
  readonly asyncDispose: typeof Symbol.asyncDispose;
  readonly asyncIterator: typeof Symbol.asyncIterator;
  readonly asyncIteratorPrototype: object;
  isView(value: unknown): value is ArrayBufferView;
  readonly iterator: typeof Symbol.iterator;
  readonly toStringTag: typeof Symbol.toStringTag;
  readonly iteratorPrototype: object;
  readonly DOMException: typeof DOMException;
  errorStack(error: Error): unknown;
  domExceptionName(error: unknown): string;
  domExceptionMessage(error: unknown): string;
  /** The constructors of EvalError, RangeError, ReferenceError, SyntaxError, TypeError and URIError. */
  readonly errorKinds: { readonly [name: string]: ErrorConstructor };
  /** Milliseconds since the time origin. */
  now(): number;
  /** Milliseconds since 1970. */
  wallClock(): number;
  readonly ArrayBuffer: ArrayBufferConstructor;
  readonly BigInt: BigIntConstructor;
  readonly Symbol: SymbolConstructor;
  readonly DataView: DataViewConstructor;
  readonly Date: DateConstructor;
  readonly Error: ErrorConstructor;
  readonly Map: MapConstructor;
  readonly Number: NumberConstructor;
  readonly Object: ObjectConstructor;
  readonly Promise: PromiseConstructor;
  readonly Proxy: ProxyConstructor;
  readonly RangeError: RangeErrorConstructor;
  readonly RegExp: RegExpConstructor;
  readonly Set: SetConstructor;
  readonly String: StringConstructor;
  readonly TypeError: TypeErrorConstructor;
  readonly Uint8Array: Uint8ArrayConstructor;
  readonly WeakMap: WeakMapConstructor;
}

/** Native functions, by name; `library_value` gives a value of another area. */
interface Ops {
  readonly [name: string]: (...args: any[]) => any;
  /** What an object is, whatever it pretends to be. */
  kind_of(
    value: unknown,
  ): "array" | "boxed" | "buffer" | "date" | "error" | "function" | "iterator" | "map" | "object" | "promise" | "proxy" | "regexp" | "set" | "shared" | "weak";
  library_value(name: "webidl"): WebIdl;
  library_value(name: string): any;
}

/** What `events.ts` provides. */
interface Signals {
  create(): AbortSignal;
  abort(signal: AbortSignal, reason: unknown): void;
  isSignal(value: unknown): value is AbortSignal;
  /** Calls `algorithm` before the listeners, once. */
  listen(signal: AbortSignal, algorithm: () => void): void;
  ignore(signal: AbortSignal, algorithm: () => void): void;
  stateOf(signal: AbortSignal): { aborted: boolean; reason: unknown };
}

/** A promise with what settles it. */
interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** What `webidl.ts` provides. */
interface WebIdl {
  alias(prototype: object, name: PropertyKey, as: PropertyKey): void;
  bytesOf(source: unknown): Uint8Array<ArrayBuffer>;
  callback(value: unknown, what: string): Function | undefined;
  copyPlatform(value: object): object | undefined;
  deferred<T>(): Deferred<T>;
  defineInterface(constructor: Function & { prototype: object }, name: string): void;
  dictionary(value: unknown, what: string): any;
  domString(value: unknown): string;
  eachOf(value: object, each: (item: unknown) => void): boolean;
  enforceRange(value: unknown, most: number, what: string): number;
  handled<T>(promise: Promise<T>): Promise<T>;
  isBuffer(value: unknown): value is ArrayBuffer;
  isObject(value: unknown): value is object;
  isPlatform(value: object): boolean;
  iterate(iterable: object, method: unknown, each: (item: unknown) => void): void;
  member(object: object, key: PropertyKey): any;
  pairIterators<T extends object>(
    name: string,
    pairs: (target: T) => readonly (readonly [unknown, unknown])[],
  ): (target: T, kind: "keys" | "values" | "entries") => object;
  placed<T>(run: () => Promise<T>): Promise<T>;
  promiseCall(method: Function, self: unknown, args: unknown[]): Promise<unknown>;
  rejected(reason: unknown): Promise<never>;
  required(needed: number, given: number, what: string): void;
  sequence(value: unknown, what: string): unknown[];
  serializable(copier: (value: object) => object | undefined): void;
  usvString(value: unknown): string;
}

/** What `url.ts` says of a text that is a URL. */
interface UrlParts {
  readonly href: string;
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
}
