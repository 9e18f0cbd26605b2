// expect: timeout|memory_limit|ok|runtime
return ((1n << 1000000n) - 1n).toString().length
