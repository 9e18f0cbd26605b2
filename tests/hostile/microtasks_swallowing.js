// expect: timeout
const f = async () => { try { for (;;) {} } catch {} finally { f(); } }; await f(); await new Promise(() => {});
