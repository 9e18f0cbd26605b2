// expect: timeout|memory_limit|runtime
Math.max.apply(null, { length: 2 ** 32 - 2 });
