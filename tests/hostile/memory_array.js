// expect: memory_limit
// timeout_ms: 10000
const a = []; for (;;) a.push(new Array(1000).fill(0));
