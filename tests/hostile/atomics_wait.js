// expect: runtime
Atomics.wait(new Int32Array(new ArrayBuffer(8)), 0, 0)
