// expect: runtime
// timeout_ms: 10000
for (let i = 0; ; i++) setTimeout(() => {}, 1e6);
