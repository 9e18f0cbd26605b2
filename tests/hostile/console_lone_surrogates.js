// expect: ok
console.log('\ud83d'); console.log('a\udc00b'); return 1
