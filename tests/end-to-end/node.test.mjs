// The modules of Node.js do what Node's own do: one script, run by both, writes the same.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const program = process.env.PERENNIAL ?? join(here, "../../target/debug/perennial");

test("node: modules do what Node's do", () => {
  const script = join(here, "node-modules.mjs");
  const expected = execFileSync(process.execPath, [script], { encoding: "utf8" });
  const { stderr, status } = spawnSync(program, ["eval", "await fs.mkdir('/tmp'); await import('./node-modules.mjs'); undefined", "--modules", here], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, expected);
});
