// What the areas of Node's modules share.

interface NodeShared {
  callback(value: unknown, name: string): Function;
  /** Gives an error its `code`. */
  coded<T extends Error>(error: T, code: string): T;
  /** Gives an object the own properties of another, whatever stands on its prototypes. */
  define<T extends object>(target: T, source: object): T;
  /** Defines a property that is not enumerable. */
  hidden(target: object, name: PropertyKey, value: unknown): void;
  /** Puts functions where Node has some that are not here: they say so. */
  leaveOut(target: object, module: string, names: readonly string[], instead: string): void;
  outOfRange(name: string, wanted: string, value: unknown): RangeError;
  /** What a value is, in the words of Node's messages. */
  received(value: unknown): string;
  split(whole: string, separator: string): string[];
  text(value: unknown, name: string): string;
  /** Without a name it is the first argument. */
  wrongType(name: string | undefined, wanted: string, value: unknown): TypeError;
}

/** What `node-buffer.ts` provides. */
interface Buffers {
  isBuffer(value: unknown): boolean;
  /** A Buffer over the same memory. */
  wrap(bytes: Uint8Array): any;
}
