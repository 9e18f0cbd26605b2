// expect: timeout|memory_limit|runtime|ok
Array.prototype.slice.call({ length: 2 ** 53 - 1 });
