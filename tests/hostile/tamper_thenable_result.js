// expect: ok
return { then: 1, value: 2 }
