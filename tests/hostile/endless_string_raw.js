// expect: timeout|memory_limit
String.raw({ raw: { length: 2 ** 53 - 1 } });
