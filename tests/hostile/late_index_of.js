// expect: timeout
const s = 'a'.repeat(1 << 20); for (;;) s.indexOf('b');
