// expect: timeout
const a = new Array(100000).fill(1); const f = () => { a.slice().fill(2); Promise.resolve().then(f); }; f(); await new Promise(() => {});
