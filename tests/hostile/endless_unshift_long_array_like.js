// expect: timeout|memory_limit
Array.prototype.unshift.call({ length: 2 ** 53 - 2 }, 1);
