// expect: memory_limit
// timeout_ms: 10000
let f = () => 0; const a = []; for (;;) { const g = f; a.push(f = () => g()); }
