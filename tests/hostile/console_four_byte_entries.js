// expect: ok
console.log('\u{1F600}'.repeat(10000)); for (let i = 0; i < 2000; i++) console.log('\u{1F600}'.repeat(700)); return 1
