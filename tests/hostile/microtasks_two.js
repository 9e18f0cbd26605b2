// expect: timeout
const f = () => { queueMicrotask(f); }; for (let i = 0; i < 100; i++) queueMicrotask(f); await new Promise(() => {});
