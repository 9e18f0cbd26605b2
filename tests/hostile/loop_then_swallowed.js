// expect: timeout
await Promise.resolve().then(() => { for (;;) {} }).catch(() => {}); return 'survived'
