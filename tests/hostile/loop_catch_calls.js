// expect: timeout
const f = () => { for (;;) {} };
for (;;) { try { f(); } catch (e) { try { f(); } catch {} } }
