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
  readonly getOwnPropertyDescriptor: typeof Reflect.getOwnPropertyDescriptor;
  readonly getPrototypeOf: typeof Reflect.getPrototypeOf;
  readonly setPrototypeOf: typeof Reflect.setPrototypeOf;
  readonly hasOwn: typeof Object.hasOwn;
  readonly isArray: typeof Array.isArray;
  readonly ownKeys: typeof Reflect.ownKeys;
  /** A list of the library's own: an array without a prototype, so that what is pushed meets no setter. */
  list<T>(): T[];
  /** Makes a list an array, to be handed to a script. */
  asArray<T>(list: T[]): T[];
  push<T>(list: T[], item: T): number;
  join(list: readonly unknown[], separator: string): string;
  slice(text: string, from: number, to?: number): string;
  charCodeAt(text: string, at: number): number;
  toWellFormed(text: string): string;
  /** The buffer, offset and length in bytes of a typed array or DataView. */
  viewBytes(view: ArrayBufferView): Uint8Array<ArrayBuffer>;
  bytesSet(target: Uint8Array, source: Uint8Array): void;
  typedArrayLength(view: ArrayBufferView): number;
  typedArrayTag(view: ArrayBufferView): string | undefined;
  arrayBufferLength(buffer: ArrayBuffer): number;
  isView(value: unknown): value is ArrayBufferView;
  readonly iterator: typeof Symbol.iterator;
  readonly toStringTag: typeof Symbol.toStringTag;
  readonly iteratorPrototype: object;
  readonly DOMException: typeof DOMException;
  /** Milliseconds since the time origin. */
  now(): number;
  readonly RangeError: RangeErrorConstructor;
  readonly String: StringConstructor;
  readonly TypeError: TypeErrorConstructor;
  readonly Uint8Array: Uint8ArrayConstructor;
}

/** Native functions, by name; `library_value` gives a value of another area. */
interface Ops {
  readonly [name: string]: (...args: any[]) => any;
  library_value(name: "webidl"): WebIdl;
  library_value(name: string): any;
}

/** What `webidl.ts` provides. */
interface WebIdl {
  alias(prototype: object, name: PropertyKey, as: PropertyKey): void;
  defineInterface(constructor: Function & { prototype: object }, name: string): void;
  dictionary(value: unknown, what: string): any;
  domString(value: unknown): string;
  isObject(value: unknown): value is object;
  iterate(iterable: object, method: unknown, each: (item: unknown) => void): void;
  pairIterators<T extends object>(
    name: string,
    pairs: (target: T) => readonly (readonly [unknown, unknown])[],
  ): (target: T, kind: "keys" | "values" | "entries") => object;
  required(needed: number, given: number, what: string): void;
  sequence(value: unknown, what: string): unknown[];
  usvString(value: unknown): string;
}
