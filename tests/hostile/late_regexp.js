// expect: timeout
const s = 'a'.repeat(100000); for (;;) /b/.test(s);
