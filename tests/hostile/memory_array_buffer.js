// expect: memory_limit
// timeout_ms: 10000
const a = []; for (;;) a.push(new ArrayBuffer(1 << 20));
