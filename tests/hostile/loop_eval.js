// expect: timeout
(0, eval)('for (;;) {}');
