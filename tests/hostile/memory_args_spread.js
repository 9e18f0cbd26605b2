// expect: memory_limit|runtime|timeout
// timeout_ms: 10000
const f = (...a) => f(...a, ...a, 1); f(1);
