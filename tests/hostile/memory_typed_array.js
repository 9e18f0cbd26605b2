// expect: memory_limit|runtime
// timeout_ms: 10000
return new Float64Array(1 << 30).length
