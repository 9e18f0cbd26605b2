class Foo { constructor() { this.a = 1; this.b = [1, 2, { c: 3 }] } }
class Bar extends Foo {}
const circ = { name: "x" }; circ.self = circ; circ.list = [circ, { circ }];
const all = [
  1, -0, "str", 10n, null, undefined, true, Symbol("s"), [1, 2, 3], [], {}, { a: 1, "b-c": "it's", 3: 'q"\'', [Symbol("k")]: [] }, new Map([["a", { b: 1 }], [1, new Set([1, "x"])]]), new Set(), [1, , 3, , ,], new Foo(), new Bar(), Object.create(null),
  function named() {}, () => {}, async function af() {}, function* g() {}, class A {}, class B extends Foo {}, /re/gi, new Date(0), new Date(NaN), circ, Promise.resolve(5), new Promise(() => {}), new Uint8Array([1, 2, 255]), new ArrayBuffer(4), new Number(3), new String("abc"), Object(1n),
  { get x() { return 1 }, set x(v) {}, get y() { return 2 }, set z(v) {} }, { a: { b: { c: { d: { e: 1 } } } } }, [[[[[1]]]]], Array.from({ length: 120 }, (_, i) => i), Array.from({ length: 30 }, (_, i) => "item" + i), "multi\nline", ["multi\nline string that is quite long and goes on and on over the width of the line", "x"],
  { long1: "aaaaaaaaaaaaaaaaaaaaaaaaa", long2: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", long3: "cccccccccccccccccccccc" }, { f() {}, g: class {}, h: () => {} }, new (class extends Map {})([[1, 2]]), new (class X extends Array {})(3), new WeakMap(), Object.assign(() => {}, { p: 1 }), [undefined, null, NaN, -0], { "": 1, a1: 2, $: 3 },
  Array.from({ length: 7 }, (_, i) => ({ i })), Array.from({ length: 10 }, (_, i) => i * 1000), [1.5, 2.25, -3], new Map([[{ a: 1 }, [1, 2]]]), "\u0001\u007f\ud800", ["\u0001\u007f\ud800", "é"], Math, JSON, [new Date(0), /x/], { a: [{ b: { c: {} } }] }, Object.create({ inherited: 1 }), new Set([[1, 2], { a: 1 }]),
  { e: [ "aaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccccc", "ddddddddddddd" ] }, [["a", 1], ["b", 2]], new DataView(new ArrayBuffer(2)), { deep: new Map([["k", new Map([["l", new Map([["m", 1]])]])]]) }, Array(5), [ , ], { undefined: undefined }, new Boolean(false),
];
for (const v of all) console.log(v);
console.log("%s|%d|%i|%f|%j|%o|%O|%c|%%|%x", "a", 1.5, "42.9", "1.5", { a: 1 }, [1], { b: 2 }, "css", "more", { c: 3 });
console.log("%s %s %s %s", { a: 1 }, [1, 2], class Q {}, -0); console.log("100%", 5); console.log("%s", "a", "b"); console.log("%d", "x", 1n); console.log(); console.log("a", 1, { b: "c" }, ["d"]);
console.group("G"); console.log("in\nside"); console.group(); console.log({ a: 1 }); console.groupEnd(); console.groupEnd(); console.log("out");
console.count(); console.count("x"); console.count(); console.countReset(); console.count(); 
console.table([{ a: 1, b: "x" }, { a: 2, c: true }]); console.table([[1, 2], [3]]); console.table(new Map([["k", 1]])); console.table(new Set([1])); console.table([1, "a", { x: 1 }]); console.table(5); console.table([{ a: 1, b: 2 }], ["b"]);
console.dir({ a: { b: { c: { d: 1 } } } }, { depth: 0 }); console.log([new Error("no")].length);
