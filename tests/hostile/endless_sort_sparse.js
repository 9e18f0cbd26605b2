// expect: timeout|memory_limit|ok|runtime
new Array(2 ** 32 - 1).sort();
