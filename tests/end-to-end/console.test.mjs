// console writes what Node's does, to the letter.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const program = process.env.PERENNIAL ?? join(here, "../../target/debug/perennial");

test("console renders as Node does", () => {
  const script = join(here, "console.js");
  const expected = execFileSync(process.execPath, [script], { encoding: "utf8" });
  const { stderr, status } = spawnSync(program, ["run", script], { encoding: "utf8" });
  assert.equal(status, 0);
  assert.equal(stderr, expected);
});
