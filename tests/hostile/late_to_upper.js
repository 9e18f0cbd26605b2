// expect: timeout
const s = 'ß'.repeat(1 << 18); for (;;) s.toUpperCase();
