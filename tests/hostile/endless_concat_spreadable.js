// expect: timeout|memory_limit|runtime|ok
[].concat({ length: 2 ** 53 - 2, [Symbol.isConcatSpreadable]: true });
