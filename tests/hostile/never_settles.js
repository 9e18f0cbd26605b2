// expect: timeout
await new Promise(() => {});
