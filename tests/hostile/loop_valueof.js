// expect: timeout
return +{ valueOf() { for (;;) {} } }
