// expect: timeout|memory_limit|ok
const s = 'a' + '\u0316\u0300'.repeat(1 << 18); s.localeCompare(s + 'b');
