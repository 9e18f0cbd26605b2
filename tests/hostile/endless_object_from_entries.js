// expect: timeout|memory_limit
Object.fromEntries({ *[Symbol.iterator]() { let i = 0; for (;;) yield [i++, 0]; } });
