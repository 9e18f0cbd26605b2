// expect: result_too_large
// timeout_ms: 10000
let o = ['lol']; for (let i = 0; i < 40; i++) o = [o, o, o, o]; return o
