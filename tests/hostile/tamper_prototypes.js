// expect: ok
// after: reset
// Every method and accessor of every prototype and namespace throws from here on.
const { defineProperty, ownKeys, getPrototypeOf } = Reflect;
const boom = () => { throw new TypeError('tampered'); };
const targets = [Reflect, Object, Array, JSON, Math, String, Number, Promise, Symbol, Function];
const classes = [Map, Set, WeakMap, WeakSet, Array, String, RegExp, Date, Promise, Number, Symbol, Boolean, BigInt,
  getPrototypeOf(Uint8Array), ArrayBuffer, DataView, Error, Function];
for (let i = 0; i < classes.length; i++) targets[targets.length] = classes[i].prototype;
for (let i = 0; i < targets.length; i++) {
  const keys = ownKeys(targets[i]);
  for (let j = 0; j < keys.length; j++) {
    if (keys[j] !== 'prototype') defineProperty(targets[i], keys[j], { get: boom, set: boom });
  }
}
console.log('still', { a: [1, 2] }, /x/, 1n, Symbol.iterator, () => 1);
setTimeout(() => { console.log('fired'); }, 1);
vars.set('k', { a: [1, 'b'] });
vars.update('n', (n) => (n || 0) + 1);
return vars.get('k')
