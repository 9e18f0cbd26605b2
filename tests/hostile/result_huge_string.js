// expect: result_too_large
return 'x'.repeat(5e6)
