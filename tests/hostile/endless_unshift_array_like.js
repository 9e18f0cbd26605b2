// expect: runtime
Array.prototype.unshift.call({ length: 2 ** 53 - 1 }, 1);
