// expect: result_too_large
return new Array(1e7)
