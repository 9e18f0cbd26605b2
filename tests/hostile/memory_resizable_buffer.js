// expect: memory_limit|runtime
// timeout_ms: 10000
const b = new ArrayBuffer(8, { maxByteLength: 1 << 30 }); b.resize(1 << 30);
