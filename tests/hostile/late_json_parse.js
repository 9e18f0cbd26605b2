// expect: timeout
const s = JSON.stringify(new Array(50000).fill({ a: 1 })); for (;;) JSON.parse(s);
