// expect: timeout
const a = new Uint8Array(25 << 20), b = new Uint8Array(25 << 20); for (;;) a.set(b);
