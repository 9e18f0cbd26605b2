// expect: timeout|memory_limit
Array.prototype.reverse.call({ length: 2 ** 53 - 1 });
