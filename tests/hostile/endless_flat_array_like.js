// expect: timeout|memory_limit|runtime|ok
Array.prototype.flat.call({ length: 2 ** 53 - 1 });
