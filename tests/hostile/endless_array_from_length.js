// expect: timeout|memory_limit|runtime
Array.from({ length: 2 ** 32 });
