// expect: runtime|ok|memory_limit
let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a.flat(Infinity).length
