// expect: timeout
throw { get message() { for (;;) {} } }
