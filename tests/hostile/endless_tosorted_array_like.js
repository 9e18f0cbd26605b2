// expect: timeout|memory_limit|runtime|ok
Array.prototype.toSorted.call({ length: 2 ** 53 - 1 });
