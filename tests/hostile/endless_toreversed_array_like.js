// expect: timeout|memory_limit|runtime|ok
Array.prototype.toReversed.call({ length: 2 ** 53 - 1 });
