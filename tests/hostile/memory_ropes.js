// expect: memory_limit|timeout
// timeout_ms: 10000
let s = 'x'; for (;;) { s += s; if (s.length > 1 << 28) { s = s.slice(0, 10) + s; } }
