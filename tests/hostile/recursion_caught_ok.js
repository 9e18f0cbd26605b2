// expect: ok
const f = () => f() + 1; try { f(); } catch (e) { return e instanceof RangeError }
