// expect: timeout
const a = new Uint8Array(40 << 20); for (;;) a.copyWithin(1, 0);
