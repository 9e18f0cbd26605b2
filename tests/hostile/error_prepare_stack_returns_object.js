// expect: runtime
Error.prepareStackTrace = () => ({ toString() { throw 1; } }); throw new Error('x')
