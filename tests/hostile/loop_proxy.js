// expect: timeout
const p = new Proxy({}, { get() { for (;;) {} }, has() { for (;;) {} } });
return 'a' in p
