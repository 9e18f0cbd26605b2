// expect: ok
Object.prototype.timeoutMs = 1;
Object.prototype.hasOutput = true;
const original = globalThis.setTimeout;
globalThis.setTimeout = () => { throw 1 };
try {
  if (tools.search("x").length !== 0) throw 2;
  try { tools.describe("nothing") } catch (error) { if (!(error instanceof TypeError)) throw error }
  try { tools.search = 1 } catch {}
  if (typeof tools.search !== "function") throw 3;
} finally {
  // Other scripts run in this VM.
  delete Object.prototype.timeoutMs; delete Object.prototype.hasOutput;
  globalThis.setTimeout = original;
}
