// expect: timeout
const o = {}; o[{ toString() { for (;;) {} } }] = 1;
