// expect: timeout|memory_limit
Array.from({ [Symbol.iterator]() { return { next: () => ({ value: 0, done: false }) }; } });
