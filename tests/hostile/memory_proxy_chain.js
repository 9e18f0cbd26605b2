// expect: runtime|memory_limit|timeout
// timeout_ms: 10000
let p = {}; for (let i = 0; i < 1e6; i++) p = new Proxy(p, {}); return p.x === undefined
