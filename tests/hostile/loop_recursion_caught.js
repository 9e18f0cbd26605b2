// expect: timeout
function f() { try { f(); } catch { f(); } }
f();
