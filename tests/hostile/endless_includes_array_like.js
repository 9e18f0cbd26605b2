// expect: timeout|memory_limit
Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);
