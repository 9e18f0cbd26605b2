// expect: timeout|ok
const n = 'a'.repeat(1 << 19) + 'b'; ('a'.repeat(1 << 20)).indexOf(n);
