// expect: timeout
const a = 'a'.repeat(15 << 20) + 'b', b = 'a'.repeat(15 << 20) + 'c'; let n = 0; for (;;) n += a < b;
