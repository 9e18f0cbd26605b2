// expect: ok
// after: reset
Promise.prototype.then = () => { throw new Error('no'); }; await null; await new Promise((r) => setTimeout(r, 1)); return 2
