// expect: timeout|memory_limit
Array.prototype.sort.call({ length: 2 ** 53 - 1 });
