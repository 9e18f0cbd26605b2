// expect: timeout
let n = 0; const { [(() => { for (;;) {} })()]: x } = {};
