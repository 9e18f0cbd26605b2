// expect: timeout|memory_limit|ok
Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1);
