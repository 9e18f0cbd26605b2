// expect: memory_limit
// timeout_ms: 10000
const o = {}; for (let i = 0; ; i++) o['key' + i] = i;
