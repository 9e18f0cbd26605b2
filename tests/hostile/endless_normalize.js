// expect: timeout|memory_limit|ok
('a' + '\u0316\u0300'.repeat(1 << 18)).normalize('NFD');
