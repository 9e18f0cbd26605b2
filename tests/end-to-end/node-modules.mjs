import path, { join, posix } from "node:path";
import { Buffer as NodeBuffer, isUtf8 } from "node:buffer";
import EventEmitter, { once, on } from "node:events";
import util from "node:util";
import assert from "node:assert";
import strict from "node:assert/strict";
import url from "node:url";
import timers from "node:timers/promises";
import fsp from "node:fs/promises";
import process from "node:process";

let number = 0;
const t = (f) => {
  number++;
  try {
    console.log(number, f());
  } catch (error) {
    console.log(number, "threw", error.name, error.code, error.code === "ERR_ASSERTION" ? "" : error.message);
  }
};

// ---- path ----
for (const p of ["", "/", "//", ".", "..", "a", "a/", "/a/b/../c", "a//b/./c", "../../x", "./a", "a/../..", "/a/..", ".a.b", "a.b.", "/x/y.tar.gz", "//a", "///a///b///", "a/b/", "/a.b/c", ".bashrc", "..", "...", "x."]) {
  t(() => [path.normalize(p), path.dirname(p), path.basename(p), path.extname(p), path.isAbsolute(p)]);
  t(() => path.parse(p));
  t(() => path.format(path.parse(p)));
}
t(() => [join(), join(""), join("a", "..", ".."), join("/a", "b", "../c"), join("a", "", "b"), join("/", "..", "x")]);
t(() => [path.resolve("/a", "b", "../c"), path.resolve("/a", "/b", "c"), path.resolve("/", "..")]);
t(() => [path.relative("/a/b/c", "/a/d"), path.relative("/a", "/a"), path.relative("/", "/x"), path.relative("/x", "/"), path.relative("/a/b", "/a/bc")]);
t(() => [path.basename("a.html", ".html"), path.basename(".html", ".html"), path.basename("a.html", "html"), path.basename("aaa", "a")]);
t(() => path.format({ dir: "/d", name: "n", ext: "x" }));
t(() => path.format({ root: "/", base: "b" }));
t(() => path.join(1));
t(() => [path.sep, path.delimiter, posix === path]);

// ---- buffer ----
const b = Buffer.from("héllo wörld €😀");
t(() => b);
t(() => [b.length, b.toString(), b.toString("hex"), b.toString("base64"), b.toString("base64url"), b.toString("latin1"), b.toString("ascii"), b.toString("utf16le", 0, 4)]);
for (const e of ["utf8", "hex", "base64", "base64url", "latin1", "ascii", "utf16le", "ucs2", "binary", "UTF-8"]) t(() => Buffer.from("aGk-_w== 68zz", e));
t(() => Buffer.from([256, -1, 1.9, "3", "x"]));
t(() => Buffer.from(new Uint16Array([1, 300])));
t(() => Buffer.from(new Uint8Array([1, 2, 3]).buffer, 1, 1));
t(() => Buffer.from(Buffer.from("x")).toString());
t(() => Buffer.from({ type: "Buffer", data: [1, 2] }));
t(() => Buffer.from(new String("boxed")));
t(() => Buffer.from(5));
t(() => Buffer.from(null));
t(() => Buffer.from("x", "nope"));
t(() => [Buffer.alloc(3), Buffer.alloc(5, "ab"), Buffer.alloc(3, 7), Buffer.alloc(4, Buffer.from([1, 2, 3]))]);
t(() => Buffer.alloc("5"));
t(() => Buffer.concat([Buffer.from("a"), new Uint8Array([98]), Buffer.from("cd")]).toString());
t(() => Buffer.concat([Buffer.from("abc")], 2));
t(() => Buffer.concat([Buffer.from("abc")], 5));
t(() => [Buffer.byteLength("é€"), Buffer.byteLength("aGk=", "base64"), Buffer.byteLength(new ArrayBuffer(3))]);
t(() => [Buffer.compare(Buffer.from("a"), Buffer.from("b")), Buffer.from("b").compare(Buffer.from("a")), Buffer.from("abc").equals(Buffer.from("abc"))]);
t(() => [Buffer.isBuffer(b), Buffer.isBuffer(new Uint8Array()), Buffer.isEncoding("HEX"), Buffer.isEncoding("x"), Buffer === NodeBuffer, isUtf8(b)]);
t(() => [b.indexOf("ö"), b.indexOf("zz"), b.lastIndexOf("l"), b.includes("wör"), b.indexOf(0x6c), b.indexOf("l", 4), b.indexOf("l", -3), b.lastIndexOf("l", 4), b.indexOf(""), b.indexOf(Buffer.from("w"))]);
t(() => { const x = Buffer.from("abcdef"); const y = x.slice(1, 3); y[0] = 120; return [x.toString(), y.toString(), x.subarray(-2).toString(), x.slice(4, 2).length, y instanceof Buffer, y.buffer === x.buffer]; });
t(() => { const x = Buffer.alloc(6); return [x.write("héé"), x, x.write("zz", 4), x, x.write("aé", 5), x, x.write("ffff", 0, "hex"), x]; });
t(() => { const x = Buffer.from("abcdef"), y = Buffer.alloc(4, "."); return [x.copy(y, 1, 2, 4), y.toString(), x.copy(y, 3), y.toString(), x.copy(y, 9), x.copy(x, 2, 0, 3), x.toString()]; });
t(() => Buffer.from("abc").fill("xy").toString() + Buffer.from("abcdef").fill("é", 1, 4).toString("hex") + Buffer.alloc(4).fill("616", "hex").toString("hex"));
t(() => [Buffer.from([1, 2, 3, 4]).swap16(), Buffer.from([1, 2, 3, 4]).swap32(), Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]).swap64()]);
t(() => Buffer.from([1]).swap16());
t(() => JSON.stringify(Buffer.from("hi")));
t(() => Buffer.from("abc").map((x) => x + 1));
t(() => [...Buffer.from("ab").entries()]);
const n = Buffer.from([0x80, 1, 2, 3, 4, 5, 6, 0xff, 9]);
for (const m of ["UInt8", "Int8", "UInt16LE", "UInt16BE", "Int16LE", "Int16BE", "UInt32LE", "UInt32BE", "Int32LE", "Int32BE", "BigInt64LE", "BigInt64BE", "BigUInt64LE", "BigUInt64BE", "FloatLE", "FloatBE", "DoubleLE", "DoubleBE"]) {
  t(() => [m, n["read" + m](), n["read" + m](1)]);
  t(() => { const x = Buffer.alloc(9); return [x["write" + m](m.includes("Big") ? 5n : 5, 1), x]; });
}
t(() => [n.readUIntBE(1, 3), n.readIntLE(5, 3), n.readUIntLE(0, 6), n.readIntBE(0, 6)]);
t(() => n.readUInt16LE(8));
t(() => n.readUInt8(1.5));
t(() => n.readUInt8("1"));
t(() => Buffer.alloc(2).writeUInt8(256));
t(() => Buffer.alloc(2).writeInt8(-129));
t(() => { const x = Buffer.alloc(6); x.writeIntBE(-2, 0, 6); return [x, x.writeUIntLE(0x123456, 1, 3), x]; });
t(() => Buffer.alloc(60, 1));
t(() => Buffer.from([0, 0x61, 0x61, 0x61]).indexOf("\u6161", 0, "utf16le"));
t(() => { const x = Buffer.from("abcdef".repeat(5000) + "xyz" + "abcdef".repeat(5000)); return [x.indexOf("xyz"), x.lastIndexOf("xyz"), x.indexOf("xyz", 30001), x.lastIndexOf("abc", 29000), x.indexOf("fab", 29996), x.indexOf("z"), x.lastIndexOf(120)]; });
t(() => Buffer.from("abc").fill(1, -1));
t(() => Buffer.from("abc").compare(Buffer.from("abc"), -1));
t(() => Buffer.from("abc").readUIntLE(undefined, 2));
t(() => Buffer.from("abcdef").copy(Buffer.alloc(6), undefined, 2.5));
t(() => [Buffer.copyBytesFrom(new Uint16Array([1, 2, 3]), 1), Buffer.copyBytesFrom(new Uint16Array([1, 2, 3]), 1, 1)]);
t(() => [Buffer.from("a"), { b: Buffer.from("bc") }]);
t(() => b.toString("nope"));

t(() => [Buffer.from("a\ud800b", "utf16le"), Buffer.from("\ud800", "latin1"), Buffer.from([0, 0xd8]).toString("utf16le") === "\ud800", Buffer.from("\ud800")]);
t(() => [Buffer.from(new SharedArrayBuffer(2)), Buffer.byteLength(new SharedArrayBuffer(4)), Buffer.byteLength("é", "nope")]);
for (const f of [() => Buffer.alloc(3).fill("ab", 0, 99), () => Buffer.alloc(3).write("x", 0, -1), () => Buffer.alloc(5).write("xyz", 0, 6), () => Buffer.from("ab").compare(Buffer.from("ab"), 0, 99), () => Buffer.alloc(3).copy(Buffer.alloc(3), 0, -1), () => Buffer.concat([Buffer.from("ab")], 1.5), () => Buffer.alloc(3, Buffer.from([])), () => Buffer.alloc(8).writeInt8(1n), () => Buffer.alloc(8).writeDoubleLE(1n), () => Buffer.from("a").toString("")]) t(f);
t(() => [Buffer.concat([], 3), Buffer.from([97, 0, 0, 97, 97]).indexOf(97, -1.5), Buffer.from("a\0b", "utf16le").includes("\0", undefined, "utf16le")]);
t(() => { const x = Buffer.alloc(5); return [x.write("aGk=aGk", "base64"), x, x.write("abc", 1, 1), x, x.write("\ud83d\ude00é", 0, 5), x, x.write("é€", 0, 4), x]; });

// ---- util ----
t(() => [util.format("%s %s %s", new Date(0), /x/g, new (class extends Error { toString() { return "own"; } })("e")), util.stripVTControlCharacters("\x1b(Bx|\x9b31my")]);
for (const o of [{ n: { type: "nope" } }, { n: {} }, { n: { type: "string", short: "ab" } }]) t(() => util.parseArgs({ args: [], options: o }));
t(() => [Object(Symbol("q")), util.types.isBoxedPrimitive(Object(Symbol()))]);
t(() => Object.assign({}, EventEmitter.prototype).on === EventEmitter.prototype.on);
t(() => util.format("%s %d %i %f %j %o %O %%", "a", 1.5, 2.7, "3.5", { a: 1 }, [1], { b: { c: {} } }, "more", { x: 1 }));
t(() => util.inspect({ a: { b: { c: { d: 1 } } } }, { depth: 0 }) + util.inspect({ a: { b: { c: { d: 1 } } } }, { depth: null }));
t(() => util.inspect("it's") + util.inspect(new Map([["a", [1, 2]]])));
class Custom { [util.inspect.custom](depth, options) { return "<Custom " + depth + " " + typeof options + ">"; } }
t(() => [new Custom(), { in: new Custom() }]);
t(() => new (class { [util.inspect.custom]() { return { shown: 1 }; } })());
t(() => [util.isDeepStrictEqual({ a: [1, new Map([[1, { b: 2 }]])] }, { a: [1, new Map([[1, { b: 2 }]])] }), util.isDeepStrictEqual([1], ["1"]), util.isDeepStrictEqual(new Set([{ a: 1 }]), new Set([{ a: 1 }])), util.isDeepStrictEqual(NaN, NaN), util.isDeepStrictEqual(0, -0)]);
t(() => { function A() {} function B() {} util.inherits(A, B); return [new A() instanceof B, A.super_ === B]; });
t(() => [util.types.isDate(new Date()), util.types.isRegExp(/x/), util.types.isPromise(Promise.resolve()), util.types.isMap(new Map()), util.types.isProxy(new Proxy({}, {})), util.types.isUint8Array(Buffer.alloc(1)), util.types.isAsyncFunction(async () => {}), util.types.isGeneratorFunction(function* () {}), util.types.isBoxedPrimitive(Object(1)), util.types.isNativeError(new TypeError()), util.types.isArrayBuffer(new ArrayBuffer(1)), util.types.isTypedArray(new DataView(new ArrayBuffer(1)))]);
t(() => util.stripVTControlCharacters("\u001b[31mred\u001b[0m plain"));
t(() => util.parseArgs({ args: ["-v", "--name", "x", "--tag=a", "--tag", "b", "pos"], options: { v: { type: "boolean", short: "v" }, name: { type: "string" }, tag: { type: "string", multiple: true } }, allowPositionals: true }));
t(() => util.parseArgs({ args: ["--nope"], options: {} }));
t(() => util.parseArgs({ args: ["--", "-a"], options: {} }));
t(() => util.parseArgs({ args: ["-b", "-x"], options: { b: { type: "string", short: "b" } } }));
t(() => util.parseArgs({ args: ["--b", "-x"], options: { b: { type: "string", short: "b" } } }));
t(() => util.parseArgs({ args: ["--b"], options: { b: { type: "string" } } }));
t(() => util.parseArgs({ args: ["--b", "-c", "d", "--e=f"], options: { b: { type: "string" } }, strict: false }));
class Nested { constructor(v) { this.v = v; } [util.inspect.custom](depth, options, inspect) { return "N<" + inspect(this.v, options) + ">"; } }
t(() => new Nested({ a: { b: { c: { d: 1 } } } }));
t(() => util.promisify(5));
t(() => util.toUSVString("a\ud800"));

// ---- events ----
t(() => {
  const e = new EventEmitter(), seen = [];
  e.on("a", (...x) => seen.push(["on", ...x])); e.once("a", (x) => seen.push(["once", x])); e.prependListener("a", (x) => seen.push(["first", x]));
  return [e.emit("a", 1, 2), e.emit("a", 3), e.emit("none"), seen, e.listenerCount("a"), e.eventNames(), e.rawListeners("a").length];
});
t(() => { const e = new EventEmitter(); e.emit("error", new RangeError("mine")); });
t(() => { const e = new EventEmitter(); e.emit("error", "text"); });
t(() => { const e = new EventEmitter(), f = () => {}; e.on("x", f).on("x", f).off("x", f); return [e.listeners("x").length, e.removeAllListeners().eventNames(), e.getMaxListeners()]; });
t(() => { const e = new EventEmitter(), seen = []; e.on("newListener", (name) => seen.push(name)); e.on("removeListener", (name) => seen.push("-" + name)); const f = () => {}; e.on("a", f); e.off("a", f); return seen; });
t(() => { const e = new EventEmitter(), seen = []; e.on("a", () => { seen.push(1); e.on("a", () => seen.push(2)); }); e.emit("a"); e.emit("a"); return seen; });
t(() => { function Old() { EventEmitter.call(this); } util.inherits(Old, EventEmitter); let got; new Old().on("x", (v) => { got = v; }).emit("x", 5); return got; });
t(() => new EventEmitter().on("x", 5));
t(() => new EventEmitter().setMaxListeners(-1));
t(() => [EventEmitter.EventEmitter === EventEmitter, EventEmitter.defaultMaxListeners]);
{
  const e = new EventEmitter();
  queueMicrotask(() => e.emit("ready", 1, "two"));
  console.log(await once(e, "ready"));
  queueMicrotask(() => e.emit("error", new Error("bad")));
  await once(e, "ready").catch((error) => console.log(error.message));
  const c = new AbortController();
  c.abort();
  await once(e, "ready", { signal: c.signal }).catch((error) => console.log(error.name, error.code, error.message));
  queueMicrotask(() => { e.emit("item", 1); e.emit("item", 2); e.emit("end"); });
  const items = on(e, "item");
  console.log((await items.next()).value, (await items.next()).value, await items.return());
}

// ---- assert ----
const cases = [
  () => assert(true), () => assert(0), () => assert.ok(1), () => assert.equal(1, "1"), () => assert.equal(1, 2), () => assert.strictEqual(1, "1"), () => assert.notStrictEqual(1, 1), () => assert.deepEqual({ a: 1 }, { a: "1" }),
  () => assert.deepStrictEqual({ a: 1 }, { a: "1" }), () => assert.deepStrictEqual([1, 2, [3]], [1, 2, [3]]), () => assert.deepStrictEqual(new Date(0), new Date(0)), () => assert.deepStrictEqual(new Date(0), new Date(1)), () => assert.deepStrictEqual(/a/g, /a/i),
  () => assert.deepStrictEqual(new Map([[1, 2]]), new Map([[1, 3]])), () => assert.deepStrictEqual(new Set([1, 2]), new Set([2, 1])), () => assert.deepStrictEqual(new Error("a"), new Error("b")), () => assert.deepStrictEqual([1, , 3], [1, undefined, 3]), () => assert.deepEqual([0], [-0]),
  () => assert.deepStrictEqual([0], [-0]), () => assert.deepStrictEqual(Object.create(null), {}), () => assert.deepEqual(Object.create(null), {}), () => assert.deepStrictEqual(new Uint8Array([1]), Buffer.from([1])), () => assert.notDeepStrictEqual({ a: 1 }, { a: 1 }), () => assert.notDeepEqual([1], [2]),
  () => assert.throws(() => { throw new TypeError("x"); }, TypeError), () => assert.throws(() => { throw new TypeError("x"); }, RangeError), () => assert.throws(() => { throw new Error("abc"); }, /b/), () => assert.throws(() => { throw new Error("abc"); }, /z/), () => assert.throws(() => {}),
  () => assert.throws(() => { throw new Error("m"); }, { message: "m" }), () => assert.throws(() => { throw new Error("m"); }, { message: "n" }), () => assert.throws(() => { throw new Error("m"); }, (e) => e.message === "m"), () => assert.doesNotThrow(() => {}), () => assert.doesNotThrow(() => { throw new Error("x"); }),
  () => assert.match("abc", /b/), () => assert.match("abc", /z/), () => assert.doesNotMatch("abc", /b/), () => assert.fail("boom"), () => assert.ifError(null), () => assert.ifError(new Error("e")), () => strict.equal(1, "1"), () => strict.deepEqual({ a: 1 }, { a: 1 }),
  () => assert.deepEqual({ [Symbol("k")]: 1 }, { x: 1 }), () => assert.deepStrictEqual(Object(Symbol("a")), Object(Symbol("b"))), () => assert.throws(() => { throw new Error("a"); }, { foo: undefined }), () => assert.throws(() => { throw null; }, { a: 1 }),
  () => assert.throws(() => { throw new Error("a"); }, {}), () => assert.throws(() => { throw new Error("a"); }, "a"), () => assert.doesNotMatch(1, /1/), () => assert.deepStrictEqual(new Proxy({ a: 1 }, {}), { a: 1 }), () => assert.doesNotThrow(() => { throw new RangeError("other"); }, TypeError), () => assert.equal(),
  () => assert.deepStrictEqual({ a: undefined }, {}), () => assert.deepStrictEqual({ [Symbol.for("x")]: 1 }, {}), () => assert.deepEqual(new Set([{ a: 1 }]), new Set([{ a: 1 }])), () => { const a = { x: 1 }; a.self = a; const c = { x: 1 }; c.self = c; assert.deepStrictEqual(a, c); },
];
for (const c of cases) t(c);
await assert.rejects(async () => { throw new TypeError("r"); }, TypeError);
await assert.rejects(Promise.resolve(1)).catch((error) => console.log(error.code, error.message));
await assert.doesNotReject(async () => {});
await assert.rejects(() => { throw new Error("sync"); }).catch((error) => console.log(error.message));
await assert.rejects(() => 5).catch((error) => console.log(error.code));
console.log(await util.promisify(setTimeout)(1, "v"), await util.promisify(setImmediate)("w"));
await timers.setTimeout("x").catch((error) => console.log(error.code));
console.log(new URL("https://u:p@a.com:81/x?y=1#z"), new URLSearchParams("a=1&b=2"), new Headers({ b: "1", a: "2" }));
try { new URL("nope"); } catch (error) { console.log(error.code); }
t(() => assert.strictEqual(1, 2, "own words"));
try { assert.strictEqual(1, 2); } catch (error) { console.log(error.message, error.actual, error.expected, error.operator, error.generatedMessage); }

// ---- url, timers, process, files ----
t(() => [url.fileURLToPath("file:///a%20b/c"), url.pathToFileURL("/a b/#c?.txt").href, url.domainToASCII("español.com"), url.domainToUnicode("xn--espaol-zwa.com")]);
t(() => [url.pathToFileURL("/a@b+c/%/\\\n/é/").href, url.pathToFileURL("rel/").pathname.endsWith("rel/")]);
t(() => url.fileURLToPath("https://a"));
t(() => url.fileURLToPath("file:///a%2fb"));
t(() => url.urlToHttpOptions(new URL("https://u:p@a.com:81/x?y#z")).auth);
t(() => url.format(new URL("https://u:p@a.com/x?y#z"), { auth: false, fragment: false }));
console.log(await timers.setTimeout(1, "value"), await timers.setImmediate(2));
{
  const c = new AbortController();
  const waiting = timers.setTimeout(1000, 1, { signal: c.signal });
  c.abort();
  await waiting.catch((error) => console.log(error.name, error.code));
  const ticks = timers.setInterval(1, "tick");
  console.log(await ticks.next(), (await ticks.return()).done);
}
const order = [];
process.nextTick((x) => order.push(x), "tick");
await timers.setImmediate();
console.log(order, typeof process.hrtime.bigint(), process.hrtime().length, process.platform, process.exitCode);
const folder = await fsp.mkdtemp("/tmp/perennial-");
await fsp.writeFile(folder + "/a", "text");
console.log((await fsp.readFile(folder + "/a")).toString("hex"), await fsp.readFile(folder + "/a", "utf8"), fsp.constants.R_OK);
await fsp.readFile(folder + "/none").catch((error) => console.log(error.code, error.syscall));
await fsp.rm(folder, { recursive: true });
