// expect: timeout
const a = new Float64Array(1 << 20); for (;;) a.fill(1);
