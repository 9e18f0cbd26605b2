// expect: timeout
const f = async () => { for (;;) await null; }; await Promise.all([f(), f(), f()]);
