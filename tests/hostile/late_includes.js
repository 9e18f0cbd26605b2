// expect: timeout
const a = new Array(1000000).fill(1); for (;;) a.includes(2);
