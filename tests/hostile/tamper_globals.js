// expect: ok
// after: reset
const { getOwnPropertyNames } = Object;
const names = getOwnPropertyNames(globalThis);
for (let i = 0; i < names.length; i++) {
  if (!['vars', 'console', 'setTimeout', 'globalThis'].includes(names[i])) try { globalThis[names[i]] = 1; } catch {}
}
console.log('x', {}, [1], new (class A {})()); setTimeout(() => {}, 1); vars.set('a', { b: 1 });
return vars.get('a')
