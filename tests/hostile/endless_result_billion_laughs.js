// expect: result_too_large
let o = ['lol']; for (let i = 0; i < 40; i++) o = [o, o, o, o]; return o
