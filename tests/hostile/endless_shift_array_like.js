// expect: timeout|memory_limit
Array.prototype.shift.call({ length: 2 ** 53 - 1 });
