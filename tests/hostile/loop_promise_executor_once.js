// expect: timeout
new Promise(() => { for (;;) {} }).catch(() => {}); return 1
