// expect: timeout
const s = 'a,'.repeat(100000); for (;;) s.split(',').join('');
