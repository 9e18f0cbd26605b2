// expect: timeout|memory_limit|ok|runtime
const a = (1n << 1000000n) - 1n; let b = (1n << 500000n) - 1n; for (;;) b = a % b + 1n << 400000n;
