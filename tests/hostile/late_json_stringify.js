// expect: timeout
const big = 'x'.repeat(1000); for (;;) JSON.stringify({ big, a: [1, 2, 3] });
