// expect: timeout
const a = 'a'.repeat(1 << 20) + 'b', b = 'a'.repeat(1 << 20) + 'c'; let n = 0; for (;;) n += a < b;
