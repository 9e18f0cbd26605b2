// expect: memory_limit
// timeout_ms: 10000
const a = []; for (let i = 0; ; i++) a.push('x'.repeat(10000) + i);
