// expect: ok
const log = [];
for (const bad of [{ toString() { throw new Error("no") } }, Symbol("s"), undefined, "", "\0", "x".repeat(1e6), "\ud800", "perennial:../x", "file:///etc/passwd"]) {
  try { await import(bad); log.push(bad) } catch {}
}
if (log.length > 0) throw log[0];
