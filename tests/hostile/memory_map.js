// expect: memory_limit
// timeout_ms: 10000
const m = new Map(); for (let i = 0; ; i++) m.set(i, { i });
