// expect: timeout|result_too_large|ok|runtime|memory_limit
return (1n << 1000000n) - 1n
