// expect: timeout
const a = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000); for (;;) a.slice().sort();
