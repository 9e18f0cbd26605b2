// expect: timeout
return new Proxy({ a: 1 }, { ownKeys() { for (;;) {} } })
