// What scripts do with `page` comes to the same under Playwright, but for what differs on purpose (tests/browser/deviations.txt).
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { test } from "node:test";

import { compare } from "../browser/compare.mjs";
import { differing, generatedPages, kindsOf, largePages } from "../browser/names.mjs";

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

test("every name that scripts have of a browser is used in a scenario or a test", () => {
  const declared = fs.readFileSync(path.join(root, "js-runtime/types/browser.d.ts"), "utf8");
  const names = new Set([...declared.matchAll(/^ +(?:readonly |function )?([\w$]+)(?:<.*?>)?\(/gm)].map(([, name]) => name).filter((name) => name !== "function"));
  const folder = path.join(root, "crates/browser/tests/browser");
  const files = [path.join(root, "tests/browser/scenarios.txt"), ...fs.readdirSync(folder).map((file) => path.join(folder, file))];
  const used = new Set(files.flatMap((file) => [...fs.readFileSync(file, "utf8").matchAll(/\.([\w$]+)/g)].map(([, name]) => name)));
  assert.ok(names.size > 200, `${names.size} names`);
  assert.deepEqual([...names].filter((name) => !used.has(name)), []);
});

test("roles and names on pages made at random are Chromium's own, but for kinds that are listed", { skip: fs.existsSync(shell) ? false : "there is no headless shell of Chromium" }, async () => {
  const { count, differ } = await differing(shell, "/", generatedPages());
  const listed = fs.readFileSync(path.join(root, "tests/browser/names.txt"), "utf8").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assert.ok(count > 5000, `${count} elements`);
  assert.ok(differ.length < count / 6, `${differ.length} of ${count} differ`);
  assert.deepEqual([...kindsOf(differ).keys()].filter((kind) => !listed.includes(kind)), [], "what differs is listed");
});

const large = largePages();
test("roles and names on the large pages of the Rust documentation are Chromium's own, but for what is said here", { skip: fs.existsSync(shell) && large.names.length > 0 ? false : "there is no headless shell of Chromium, or no Rust documentation" }, async () => {
  const { count, differ } = await differing(shell, large.root, large.names);
  assert.ok(count > 10_000, `${count} elements`);
  // Chromium puts a space where a line may break, and leaves the titles of what has no role out of its tree.
  const unspaced = (text) => text.replaceAll(" ", "");
  const rest = differ.filter(({ ours, theirs }) => unspaced(ours[1]) !== unspaced(theirs[1]) || ours[0] !== theirs[0]);
  assert.deepEqual([...kindsOf(rest).keys()].sort(), ["link is generic here", "name of generic", "name of row", "name of term"].filter((kind) => kindsOf(rest).has(kind)));
});

test("the example logs in, fills a form over three runs and leaves a table and a picture", { skip: fs.existsSync(shell) ? false : "there is no headless shell of Chromium" }, () => {
  const out = fs.mkdtempSync(path.join(os.tmpdir(), "order-")), folder = path.join(root, "examples/browser");
  const scripts = fs.readdirSync(folder).filter((file) => file.endsWith(".ts")).sort();
  try {
    const said = execFileSync(perennial, ["run", "--config", "perennial.toml", "--browser-no-sandbox", "--artifacts", out, ...scripts], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    assert.match(said, /^"Hello, Ada"\n.*spinbutton \\"tea\\" \[e\d+\]: \\"2\\"/);
    assert.equal(fs.readFileSync(path.join(out, "order.md"), "utf8"), "# Order\n\nThank you, Ada.\n\n| What | How many | Price |\n| --- | --- | --- |\n| tea | 2 | 6 |\n| cake | 1 | 4 |");
    assert.equal(fs.readFileSync(path.join(out, "order.png")).subarray(1, 4).toString(), "PNG");
  } finally {
    fs.rmSync(out, { recursive: true });
  }
});

test("a browser that runs is used by several programs at once, and one that is killed leaves nothing in it", { skip: fs.existsSync(shell) ? false : "there is no headless shell of Chromium" }, async () => {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "theirs-"));
  const theirs = spawn(shell, ["--no-sandbox", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
  const programs = [];
  try {
    let socket;
    for await (const line of readline.createInterface({ input: theirs.stderr })) {
      socket = /^DevTools listening on (.*)/.exec(line)?.[1];
      if (socket) break;
    }
    theirs.stderr.resume();
    const address = `http://${new URL(socket).host}`;
    const pages = async () => (await (await fetch(`${address}/json/list`)).json()).length;
    const refused = () => execFileSync(perennial, ["eval", "--no-config", "--cdp", address, "1"], { stdio: "pipe", encoding: "utf8" });
    assert.throws(refused, ({ stderr }) => /add --allow-net-unchecked to agree/.test(stderr));
    const arguments_ = ["--no-config", "--cdp", address, "--allow-net-unchecked"];
    const program = spawn(perennial, ["batch", ...arguments_], { stdio: ["pipe", "pipe", "inherit"] });
    programs.push(program);
    const answers = readline.createInterface({ input: program.stdout })[Symbol.asyncIterator]();
    program.stdin.write(JSON.stringify({ id: 1, session: "s", script: "await page.setContent('<title>one</title>'); await page.title()" }) + "\n");
    assert.equal(JSON.parse((await answers.next()).value).value, "one");
    assert.equal(await pages(), 2);
    // It is there and does nothing: nobody waits for it.
    program.kill("SIGSTOP");
    const other = "const two = await context.newPage(); await two.setContent('<title>two</title>'); [await two.title(), context.pages().length]";
    assert.equal(execFileSync(perennial, ["eval", "--timeout", "20s", ...arguments_, other], { encoding: "utf8" }), '["two",2]\n');
    const left = async (count) => {
      for (let tries = 0; (await pages()) !== count; tries++) {
        assert.ok(tries < 200, "what a program had in the browser goes with it");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await left(2);
    program.kill("SIGKILL");
    await left(1);
  } finally {
    programs.forEach((program) => program.kill("SIGKILL"));
    const ended = new Promise((resolve) => theirs.on("exit", resolve));
    theirs.kill("SIGKILL");
    await ended;
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
});
