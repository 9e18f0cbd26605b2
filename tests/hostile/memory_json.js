// expect: memory_limit
// timeout_ms: 10000
const a = []; for (;;) a.push(JSON.parse('[' + '1,'.repeat(10000) + '1]'));
