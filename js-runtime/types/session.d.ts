// What every script of a session finds, written by hand. `perennial types` prints this and, behind it, the plugins' tools.

/** What one call of a session brings. */
declare const args: any;
/** The last result of the session, until a cell declares the name itself. */
declare var _: any;
/** What was thrown last, until a cell declares the name itself. */
declare var _error: any;

interface PerennialVars {
  /** A copy of the value; `undefined` if there is none. */
  get(name: string): any;
  /** Keeps a copy of the value until the session ends. */
  set(name: string, value: unknown): void;
  has(name: string): boolean;
  delete(name: string): boolean;
  /** All names, sorted. */
  keys(): string[];
  clear(): void;
  /** Writes what `change` makes of the value; again, if somebody else wrote meanwhile. */
  update<T = any>(name: string, change: (value: any) => T): T;
}
/** Durable values: what outlives the VM. */
declare const vars: PerennialVars;

/** A moment that the session can be brought back to. */
interface PerennialCheckpoint {
  readonly id: number;
  readonly name?: string;
  /** When it was made, in milliseconds since 1970. */
  readonly atMs: number;
  /** Who has made it. The host's are not forgotten by scripts. */
  readonly by: "script" | "host";
  /** The oldest without a name, which had to make way for this one. */
  readonly replaces?: number;
}
/** A checkpoint, its id, or its name: then the last one of that name. */
type PerennialCheckpointRef = PerennialCheckpoint | number | string;
interface PerennialSession {
  /** Remembers vars, files and the working directory as they are. Up to a hundred, of which the oldest without a name makes way. */
  checkpoint(name?: string): PerennialCheckpoint;
  /** All there are, the oldest first. */
  checkpoints(): PerennialCheckpoint[];
  /** Brings back what was remembered, all of it or, if it throws, nothing. Globals stay as they are. */
  rollback(to: PerennialCheckpointRef): PerennialCheckpoint;
  /** What differs from then to another checkpoint or now: names of vars, paths of files. */
  changes(from: PerennialCheckpointRef, to?: PerennialCheckpointRef): {
    changes: { of: string; name: string; change: "created" | "modified" | "removed" }[];
    /** How many more there are. */
    more: number;
  };
  /** Lets go of what it keeps. */
  forget(checkpoint: PerennialCheckpointRef): void;
}
/** What is durable, at earlier moments. */
declare const session: PerennialSession;

/** Node's methods and formats: `%s %d %i %f %j %o %O %c`. */
interface PerennialConsole {
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  debug(...values: unknown[]): void;
  dir(value?: unknown, options?: { depth?: number | null; showHidden?: boolean }): void;
  dirxml(...values: unknown[]): void;
  trace(...values: unknown[]): void;
  table(data?: unknown, columns?: readonly string[]): void;
  group(...values: unknown[]): void;
  groupCollapsed(...values: unknown[]): void;
  groupEnd(): void;
  count(label?: string): void;
  countReset(label?: string): void;
  time(label?: string): void;
  timeEnd(label?: string): void;
  timeLog(label?: string, ...values: unknown[]): void;
  /** Does nothing: what is written stays. */
  clear(): void;
  /** Writes an error unless the condition holds. */
  assert(condition: unknown, ...values: unknown[]): void;
}
declare const console: PerennialConsole;

declare function queueMicrotask(callback: () => void): void;
/** Base64 of a string of characters up to U+00FF. */
declare function btoa(text: string): string;
declare function atob(base64: string): string;

declare class DOMException extends Error {
  constructor(message?: string, name?: string);
  readonly code: number;
}

declare function setTimeout<A extends unknown[]>(callback: (...args: A) => void, ms?: number, ...args: A): number;
declare function setInterval<A extends unknown[]>(callback: (...args: A) => void, ms?: number, ...args: A): number;
declare function setImmediate<A extends unknown[]>(callback: (...args: A) => void, ...args: A): number;
declare function clearTimeout(id: number | undefined): void;
declare function clearInterval(id: number | undefined): void;
declare function clearImmediate(id: number | undefined): void;

/** Something that nobody granted. */
declare class PermissionError extends Error {}
/** A limit of something that lasts. */
declare class QuotaExceededError extends Error {}

interface PerennialToolSearch {
  /** Tools whose name or description fits the words, the best first. */
  search(words: string, limit?: number): { name: string; description: string }[];
  /** What `plugin` or `plugin.tool` is, with the schemas of a tool. */
  describe(name: string): any;
}

declare module "perennial:plugin" {
  /** JSON Schema. */
  export type Schema = { readonly [key: string]: unknown };

  /** What a value of a schema is in TypeScript, as far as it says; `unknown` where it does not. */
  export type FromSchema<S> =
    S extends { readonly const: infer C } ? C
    : S extends { readonly enum: readonly (infer E)[] } ? E
    : S extends { readonly anyOf: readonly (infer A)[] } ? FromSchema<A>
    : S extends { readonly oneOf: readonly (infer A)[] } ? FromSchema<A>
    : S extends { readonly type: "object" } ? FromObject<S>
    : S extends { readonly type: "array"; readonly items: infer I } ? FromSchema<I>[]
    : S extends { readonly type: "array" } ? unknown[]
    : S extends { readonly type: readonly (infer T)[] } ? FromSchema<T extends string ? { readonly type: T } : never>
    : S extends { readonly type: "string" } ? string
    : S extends { readonly type: "number" | "integer" } ? number
    : S extends { readonly type: "boolean" } ? boolean
    : S extends { readonly type: "null" } ? null
    : unknown;
  type Required<S> = S extends { readonly required: readonly (infer K)[] } ? K : never;
  type FromObject<S> = S extends { readonly properties: infer P }
    ? { -readonly [K in keyof P as K extends Required<S> ? K : never]: FromSchema<P[K]> } & {
        -readonly [K in keyof P as K extends Required<S> ? never : K]?: FromSchema<P[K]>;
      } & (S extends { readonly additionalProperties: infer A } ? (A extends false ? {} : { [key: string]: FromSchema<A> }) : {})
    : { [key: string]: any };

  /** What a plugin may use: its own, whatever script calls it. */
  export interface Context {
    readonly plugin: { readonly name: string; readonly version: string };
    /** Reaches the hosts of `allow.net`. */
    fetch(input: Request | URL | string, init?: RequestInit): Promise<Response>;
    /** Reads what `allow.read` names. */
    readonly fs: {
      readText(path: string): Promise<string>;
      readBytes(path: string): Promise<Uint8Array>;
      list(path: string): Promise<string[]>;
    };
    /** Runs the commands of `allow.commands`; what it starts is the plugin's own, and no script sees it. */
    readonly commands: Commands;
  }

  export interface Tool<I = any, O = any> {
    description: string;
    /** JSON Schema of the argument, checked before `run` is called. */
    input: I;
    /** JSON Schema of the result, checked before the caller gets it. */
    output?: O;
    /** How long a call is waited for. */
    timeoutMs?: number;
    /** `args` has the type of `input`, and what it returns that of `output`. Of a schema that stands elsewhere without `as const` nothing is known. */
    run(args: FromSchema<I>, ctx: Context): FromSchema<O> | Promise<FromSchema<O>>;
  }

  /** A command that a plugin runs. */
  export interface CommandDeclaration {
    /** A program with its arguments, in which `${name}` is a value, or a text for the shell. */
    run: string | readonly string[];
    env?: readonly string[];
    cwd?: string;
    timeoutMs?: number;
    output?: "text" | "lines" | "json" | "bytes";
    persistent?: boolean;
    ports?: readonly string[];
    ready?: { line?: string; port?: string; http?: string; path?: string; timeoutMs?: number };
    restart?: "never" | "on-failure" | "always";
    allowOptions?: boolean;
    outputBytes?: number;
    limits?: { readonly [name: string]: number };
  }

  /** What a plugin asks for. An embedder's own capabilities are added by merging, here and in `Context`. */
  export interface Allow {
    net?: readonly string[];
    read?: readonly string[];
    commands?: { readonly [name: string]: CommandDeclaration };
  }

  export interface Plugin {
    name: string;
    version: string;
    description: string;
    allow?: Allow;
    tools: { readonly [name: string]: Tool };
    setup?(ctx: Context): void | Promise<void>;
  }

  export function definePlugin(plugin: Plugin): Plugin;
  export function defineTool<const I extends Schema, const O extends Schema = Schema>(tool: Tool<I, O>): Tool;
}

declare module "perennial:test" {
  /** Adds a test; tests run one after the other when the file has been evaluated. */
  export function test(name: string, run: () => void | Promise<void>): void;
  export function assert(condition: unknown, message?: string): asserts condition;
  /** Compares by structure. */
  export function assertEquals<T>(actual: T, expected: T, message?: string): void;
  /** Expects a throw or a rejection, with this text in its message if one is given. */
  export function assertThrows(run: () => unknown, part?: string): Promise<Error>;
}
