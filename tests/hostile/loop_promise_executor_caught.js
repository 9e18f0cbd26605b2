// expect: timeout
for (;;) { try { new Promise(() => { for (;;) {} }); } catch {} }
