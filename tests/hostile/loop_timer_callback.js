// expect: timeout
setTimeout(() => { for (;;) {} }, 0); await new Promise(() => {});
