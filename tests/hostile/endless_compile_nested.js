// expect: runtime|timeout|memory_limit
return typeof new Function('('.repeat(1000000))
