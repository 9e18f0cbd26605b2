// expect: memory_limit|runtime
// timeout_ms: 10000
const a = []; for (let i = 0n; ; i++) a.push(1n << (100000n + i));
