// expect: timeout
class A { constructor() { for (;;) {} } }
new A();
