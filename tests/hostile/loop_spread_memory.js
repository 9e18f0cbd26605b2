// expect: memory_limit|timeout
[...{ [Symbol.iterator]() { return { next: () => ({ value: 'x', done: false }) }; } }];
