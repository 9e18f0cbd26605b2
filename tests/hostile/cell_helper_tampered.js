// expect: ok
const places = [[Object, "defineProperty"], [Reflect, "defineProperty"], [Promise.prototype, "then"], [Set.prototype, "add"], [Array.prototype, "push"]];
const originals = places.map(([object, key]) => object[key]);
for (const [object, key] of places) object[key] = () => { throw key };
Object.prototype.let = Object.prototype.get = Object.prototype.set = () => { throw 1 };
let a = 1, { b = 2, ...c } = { d: 3 };
var e = 4;
function f() { return a }
class G {}
a = b + e;
const right = f() === 6 && c.d === 3 && typeof G === "function";
// Other scripts run in this VM.
delete Object.prototype.let; delete Object.prototype.get; delete Object.prototype.set;
places.forEach(([object, key], index) => { object[key] = originals[index] });
if (!right) throw new Error("declarations are gone");
