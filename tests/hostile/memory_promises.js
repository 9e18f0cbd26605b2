// expect: memory_limit|timeout
// timeout_ms: 10000
const a = []; for (;;) a.push(new Promise(() => {}));
