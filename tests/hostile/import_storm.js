// expect: ok|timeout|memory_limit
for (let i = 0; i < 1e5; i++) import("./nothing" + i).catch(() => {});
