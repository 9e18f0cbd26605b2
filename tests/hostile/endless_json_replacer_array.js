// expect: timeout|memory_limit|ok
JSON.stringify({ a: 1 }, Array.from({ length: 200000 }, (_, i) => 'k' + i));
