// expect: memory_limit|runtime
'x'.padEnd(2 ** 30, 'abc').padEnd(2 ** 30);
