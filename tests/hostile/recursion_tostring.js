// expect: runtime
const o = { toString() { return '' + o; } }; return '' + o
