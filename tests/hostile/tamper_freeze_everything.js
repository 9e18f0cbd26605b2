// expect: ok
// after: reset
Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.freeze(globalThis); console.log(1); return [1]
