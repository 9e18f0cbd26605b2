// expect: runtime|ok|memory_limit
let it = { next: () => ({ value: 1, done: false }) }; for (let i = 0; i < 1e5; i++) it = Iterator.from({ next: it.next.bind(it) }); return it.next()
