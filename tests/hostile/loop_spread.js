// expect: timeout
const it = { [Symbol.iterator]() { return { next: () => ({ value: 0, done: false }) }; } };
let n = 0; for (const x of it) n++;
