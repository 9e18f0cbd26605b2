// expect: timeout
/(x+x+)+y/.test('x'.repeat(60));
