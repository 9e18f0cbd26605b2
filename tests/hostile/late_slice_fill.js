// expect: timeout
const a = new Array(100000).fill(0); for (;;) a.slice().fill(1);
