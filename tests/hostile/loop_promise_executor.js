// expect: timeout
for (;;) new Promise(() => { for (;;) {} }).catch(() => {});
