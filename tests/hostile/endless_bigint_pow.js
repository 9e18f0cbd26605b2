// expect: timeout|memory_limit|runtime
let x = 3n; for (;;) x = x * x;
