// expect: ok
// after: reset
const keys = ['then', 'toJSON', 'name', 'fire', 'limit', 'used', 'message', 'stack', '$bigint', '0', 'a', 'b', 'value', 'writable', 'get', 'set'];
for (const key of keys) {
  Object.defineProperty(Object.prototype, key, {
    __proto__: null, configurable: true, get() { return undefined; }, set() { throw new Error('set ' + key); },
  });
}
console.log({ a: 1 }, [1], new Error('e'));
setTimeout(() => {}, 1);
vars.set('k', { b: [1, { c: 2 }] });
return vars.get('k')
