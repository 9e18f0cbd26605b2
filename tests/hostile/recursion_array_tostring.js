// expect: runtime|ok
const a = []; let b = a; for (let i = 0; i < 1e5; i++) { const c = []; b.push(c); b = c; } return String(a).length
