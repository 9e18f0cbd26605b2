// expect: memory_limit
// timeout_ms: 10000
const a = []; for (;;) { try { a.push(new Array(100000).fill(0)); } catch {} }
