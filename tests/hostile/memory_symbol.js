// expect: memory_limit
// timeout_ms: 10000
const a = []; for (let i = 0; ; i++) a.push(Symbol('s' + i));
