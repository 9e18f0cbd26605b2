// expect: ok
Object.prototype.let = Object.prototype.get = Object.prototype.set = () => { throw 1 };
Reflect.defineProperty = Object.defineProperty = () => { throw 2 };
Promise.prototype.then = () => { throw 3 };
Set.prototype.add = Array.prototype.push = () => { throw 4 };
let a = 1, { b = 2, ...c } = { d: 3 };
var e = 4;
function f() { return a }
class G {}
a = b + e;
if (f() !== 6 || c.d !== 3 || typeof G !== "function") throw new Error("declarations are gone");
