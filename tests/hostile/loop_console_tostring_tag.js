// expect: timeout
console.log({ get [Symbol.toStringTag]() { for (;;) {} } }); for (;;) {}
