// expect: unserializable
let o = {}; const top = o; for (let i = 0; i < 100000; i++) o = o.a = {}; return top
