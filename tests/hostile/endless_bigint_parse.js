// expect: timeout|memory_limit|ok|runtime
return BigInt('9'.repeat(1000000)) > 1n
