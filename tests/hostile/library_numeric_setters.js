// expect: ok
// Whoever pushes to an array meets setters on its prototypes.
const traps = ["0", "1", "2", "3"];
let trapped = 0;
for (const key of traps) Object.defineProperty(Array.prototype, key, { set() { trapped++ }, get() { trapped++ }, configurable: true });
console.log("a", { b: [1, 2], c: new Map([["d", 1]]) }, new Error("e"));
vars.set("m", new Map([["k", new Set([1])]]));
const size = vars.get("m").size + new URLSearchParams("a=1&b=2").size;
for (const key of traps) delete Array.prototype[key];
vars.clear();
if (trapped !== 0 || size !== 3) throw new Error("the library was trapped " + trapped + " times");
