// expect: timeout
const s = 'é'.repeat(1 << 18); for (;;) encodeURIComponent(s);
