// expect: timeout|memory_limit
Object.groupBy({ *[Symbol.iterator]() { for (;;) yield 1; } }, (x) => x);
