// expect: memory_limit
// timeout_ms: 10000
const keep = []; try { for (;;) keep.push(new Uint8Array(1 << 20)); } catch {}
return 'survived'
