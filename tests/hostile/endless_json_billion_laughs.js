// expect: timeout|memory_limit
let o = ['lol']; for (let i = 0; i < 40; i++) o = [o, o, o, o]; JSON.stringify(o);
