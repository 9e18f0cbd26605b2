// This one asks for more memory than it may have. It is stopped, catch or no catch, and costs the session its VM.
const hoard: number[][] = [];
for (;;) {
  try {
    hoard.push(new Array(100_000).fill(0));
  } catch {}
}
