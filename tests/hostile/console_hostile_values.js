// expect: ok
const p = new Proxy({}, new Proxy({}, { get() { throw 1; } }));
const o = { get a() { throw 1; }, [Symbol('s')]: 1, self: null }; o.self = o;
const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { throw 1; } }); Object.defineProperty(e, 'name', { value: { toString() { throw 1; } } });
console.log(p, o, e, Object.create(null), Symbol(), 1n, -0, () => {}, class A {}, new Date(NaN), [, 1], new (class B { #x = 1 })(), new Map([[o, p]]));
const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); console.log(proxy);
let deep = {}; for (let i = 0; i < 1e5; i++) deep = { deep }; console.log(deep);
return 1
