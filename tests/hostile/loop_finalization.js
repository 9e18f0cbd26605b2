// expect: timeout|memory_limit
const r = new FinalizationRegistry(() => { for (;;) {} });
for (;;) r.register({}, 1);
