// Where pages get to when nothing is permitted, in a network of their own: two namespaces and a cable between them. What arrives at the far end is counted by its kernel, whatever it is.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import readline from "node:readline";

const root = path.join(import.meta.dirname, "../..");
const perennial = path.join(root, "target/debug/perennial");
const tag = process.pid.toString(36).slice(-4);
const near = `near-${tag}`, far = `far-${tag}`, [ours, theirs] = ["10.99.7.2", "10.99.7.1"];
const browsers = { "headless-shell": "/usr/lib/chromium/chromium-headless-shell", chromium: "/usr/lib/chromium/chromium" };

const ip = (...args) => execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
const inside = (command, args, options = {}) => spawn("ip", ["netns", "exec", near, command, ...args], options);

/** What has arrived at the far end: connections that were asked for, and datagrams. */
function arrived() {
  const read = (file) => execFileSync("ip", ["netns", "exec", far, "cat", file], { encoding: "utf8" });
  const counts = {};
  const lines = read("/proc/net/snmp").split("\n");
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const [kind, ...names] = lines[at].split(/\s+/), values = lines[at + 1].split(/\s+/).slice(1);
    names.forEach((name, index) => (counts[kind + name] = Number(values[index])));
  }
  for (const line of read("/proc/net/snmp6").split("\n")) {
    const [name, value] = line.split(/\s+/);
    if (name) counts[name] = Number(value);
  }
  return { connections: counts["Tcp:InSegs"], datagrams: counts["Udp:InDatagrams"] + counts["Udp:NoPorts"] + counts.Udp6InDatagrams + counts.Udp6NoPorts };
}

const because = process.getuid() !== 0 ? "only root makes namespaces" : spawnSync("ip", ["netns", "list"]).status !== 0 ? "there are no network namespaces" : false;
let site, port;

before(async () => {
  if (because) return;
  ip("netns", "add", near);
  ip("netns", "add", far);
  ip("link", "add", `n${tag}`, "netns", near, "type", "veth", "peer", "name", `f${tag}`, "netns", far);
  for (const [space, link, address] of [[near, `n${tag}`, ours], [far, `f${tag}`, theirs]]) {
    ip("-n", space, "address", "add", `${address}/24`, "dev", link);
    ip("-n", space, "link", "set", link, "up");
    ip("-n", space, "link", "set", "lo", "up");
  }
  ip("-n", near, "route", "add", "default", "via", theirs);
  fs.mkdirSync(`/etc/netns/${near}`, { recursive: true });
  fs.writeFileSync(`/etc/netns/${near}/resolv.conf`, `nameserver ${theirs}\n`);
  site = inside("node", [path.join(root, "tests/browser/leak-site.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of readline.createInterface({ input: site.stdout })) {
    port = Number(line);
    break;
  }
});

after(() => {
  if (because) return;
  site?.kill("SIGKILL");
  fs.rmSync(`/etc/netns/${near}`, { recursive: true, force: true });
  for (const space of [near, far]) ip("netns", "del", space);
});

for (const [browser, program] of Object.entries(browsers)) {
  const skip = because || (fs.existsSync(program) ? false : `there is no ${browser}`);

  test(`nothing but what is permitted leaves ${browser}`, { skip }, async () => {
    const before = arrived();
    const script = `
      await page.goto("http://127.0.0.1:${port}/leaks.html?to=${theirs}");
      await expect(page).toHaveTitle("Tried", { timeout: 60_000 });
      return await page.evaluate(() => tried);`;
    const child = inside(perennial, ["eval", "--no-config", `--browser=${browser}`, "--browser-no-sandbox", "--allow-net", `http://127.0.0.1:${port}`, "--timeout", "120s", script]);
    let out = "", errors = "";
    child.stdout.on("data", (piece) => (out += piece));
    child.stderr.on("data", (piece) => (errors += piece));
    const code = await new Promise((resolve) => child.on("exit", resolve));
    assert.equal(code, 0, errors);
    const tried = JSON.parse(out);
    assert.ok(Object.keys(tried).length >= 29, out);
    assert.deepEqual(arrived(), before, `something has left: ${out}`);
  });

  test(`the same page reaches much in a ${browser} that nothing holds`, { skip }, async () => {
    const before = arrived();
    const child = inside(program, ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--timeout=20000", "--dump-dom", `http://127.0.0.1:${port}/leaks.html?to=${theirs}`], { stdio: "ignore" });
    await new Promise((resolve) => child.on("exit", resolve));
    const now = arrived();
    assert.ok(now.connections - before.connections > 0, `${now.connections - before.connections} segments of TCP`);
    assert.ok(now.datagrams - before.datagrams > 0, `${now.datagrams - before.datagrams} datagrams`);
  });
}
