// expect: timeout
const s = 'a'.repeat(1 << 20); for (;;) { try { s.indexOf('b'); } catch {} }
