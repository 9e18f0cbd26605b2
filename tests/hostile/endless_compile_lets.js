// expect: timeout|memory_limit|ok
return new Function(Array.from({ length: 60000 }, (_, i) => 'let a' + i + ';').join(''))
