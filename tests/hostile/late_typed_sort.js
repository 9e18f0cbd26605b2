// expect: timeout
const a = new Float64Array(1 << 18); for (;;) a.sort();
