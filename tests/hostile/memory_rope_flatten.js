// expect: memory_limit|runtime
// timeout_ms: 10000
let s = 'x'.repeat(1 << 20); for (let i = 0; i < 9; i++) s += s; return s.charCodeAt(5) + s.split('').length
