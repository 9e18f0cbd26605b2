// expect: timeout|ok
/(?<=(a|aa)+)b/.test('a'.repeat(5000));
