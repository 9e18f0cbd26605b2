// What scripts do with `page` comes to the same under Playwright, but for what differs on purpose (tests/browser/deviations.txt).
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { compare } from "../browser/compare.mjs";

const root = path.join(import.meta.dirname, "../..");
const perennial = path.join(root, "target/debug/perennial");
const shell = "/usr/lib/chromium/chromium-headless-shell";

test("scenarios come to the same as under Playwright", { skip: fs.existsSync(shell) ? false : "there is no headless shell of Chromium" }, async () => {
  const { count, hasty, differences } = await compare(perennial, "headless-shell");
  const listed = fs.readFileSync(path.join(root, "tests/browser/deviations.txt"), "utf8").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const differ = differences.map(({ code, theirs, ours }) => ({ code, theirs, ours }));
  assert.ok(count >= 300, `${count} scenarios`);
  assert.deepEqual(hasty, [], "a short timeout is for what never comes");
  assert.deepEqual(differ.filter(({ code }) => !listed.includes(code)), [], "what differs is listed");
  assert.deepEqual(listed.filter((code) => !differ.some((each) => each.code === code)), [], "what is listed differs");
});
