// expect: memory_limit|runtime|timeout
// timeout_ms: 10000
const a = []; for (let i = 0; ; i++) a.push(new RegExp('(a|b|c){1,200}' + i));
