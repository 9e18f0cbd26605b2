// perennial:test. Tests are collected while a file is evaluated; the runner then asks for one after the other.
type Test = { name: string; run: () => void | Promise<void> };
const tests: Test[] = [];

let running = false;

export function test(name: string, run: () => void | Promise<void>): void {
  if (typeof name !== "string" || typeof run !== "function") throw new TypeError("a test has a name and a function");
  if (running) throw new Error(`test '${name}' stands within another, where nothing would run it`);
  tests.push({ name, run });
}

export function assert(condition: unknown, message = "the condition does not hold"): void {
  if (!condition) throw new Error(message);
}

const show = (value: unknown): string => {
  const plain = (_: string, part: unknown): unknown =>
    part instanceof Map ? { Map: [...part] } : part instanceof Set ? { Set: [...part] } : typeof part === "bigint" || part instanceof RegExp || part instanceof Error ? String(part) : part;
  try {
    return JSON.stringify(value, plain) ?? String(value);
  } catch {
    return String(value);
  }
};

function same(a: any, b: any): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Map && b instanceof Map) return same([...a], [...b]);
  if (a instanceof Set && b instanceof Set) return same([...a], [...b]);
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (a instanceof RegExp && b instanceof RegExp) return String(a) === String(b);
  if (a instanceof Error && b instanceof Error) return a.name === b.name && a.message === b.message;
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) return same(new Uint8Array(a), new Uint8Array(b));
  if (a instanceof Number || a instanceof String || a instanceof Boolean || a instanceof BigInt) return a.valueOf() === b.valueOf();
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
}

export function assertEquals(actual: unknown, expected: unknown, message = "the values differ"): void {
  if (!same(actual, expected)) throw new Error(`${message}\n  expected ${show(expected)}\n  got      ${show(actual)}`);
}

export async function assertThrows(run: () => unknown, part = ""): Promise<Error> {
  try {
    await run();
  } catch (error: any) {
    const message = String(error?.message ?? error);
    if (!message.includes(part)) throw new Error(`the message is ${show(message)} and does not contain ${show(part)}`);
    return error;
  }
  throw new Error("nothing was thrown");
}

// For the runner of `perennial plugin test`, which has each test run by itself.
export const $names = (): string[] => tests.map(({ name }) => name);

export async function $run(index: number): Promise<{ error?: string; stack?: string }> {
  running = true;
  try {
    await tests[index].run();
    return {};
  } catch (error: any) {
    return { error: String(error?.message ?? error), stack: String(error?.stack ?? "") };
  }
}
