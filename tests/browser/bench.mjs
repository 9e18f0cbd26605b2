// The same steps under Perennial and under Playwright, on the same browser and pages. Prints a line a figure: name, Perennial's median, Playwright's, in milliseconds.
//
//   node bench.mjs PERENNIAL
import { execFile, spawn } from "node:child_process";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { promisify } from "node:util";

const require = createRequire(path.join(import.meta.dirname, "../end-to-end/package.json"));
const executablePath = "/usr/lib/chromium/chromium-headless-shell";
const perennial = process.argv[2];

const step = '<button onclick="out.textContent = +out.textContent + 1">Save</button><label>Name <input></label><p id=out>0</p>';
const big = Array.from({ length: 1000 }, (_, i) => `<li><a href="#${i}">Item ${i}</a> <span>price <b>${i}</b></span> <button>Save ${i}</button></li>`).join("");
const server = http.createServer((request, response) => {
  response.writeHead(200, { "content-type": "text/html" });
  response.end(request.url.startsWith("/big") ? `<title>Big</title><ul>${big}</ul>` : `<title>Step</title>${step}`);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const site = `http://127.0.0.1:${server.address().port}`;

const steps = `
const median = async (times, what) => {
  const spent = [];
  for (let i = 0; i < times + 5; i++) {
    const start = performance.now();
    await what(i);
    if (i >= 5) spent.push(performance.now() - start);
  }
  return spent.sort((a, b) => a - b)[times >> 1];
};
const out = page.locator("#out"), save = page.getByRole("button", { name: "Save" });
await page.goto(site + "/step");
const figures = {};
figures.click_and_read = await median(100, async () => { await save.click(); await out.textContent(); });
figures.fill = await median(100, (i) => page.getByLabel("Name").fill("text " + i));
figures.goto_click_read = await median(40, async (i) => { await page.goto(site + "/step?" + i); await save.click(); await out.textContent(); });
await page.goto(site + "/big");
figures.elements = await page.evaluate(() => document.querySelectorAll("*").length);
figures.by_role = await median(20, () => page.getByRole("button", { name: "Save 500", exact: true }).textContent());
figures.snapshot = await median(8, () => snapshot(page));
return figures;`;

async function ours() {
  const script = `const site = ${JSON.stringify(site)}, snapshot = (page) => page.snapshot({ maxLength: 1_000_000 });\n${steps}`;
  const { stdout } = await promisify(execFile)(perennial, ["eval", "--no-config", "--browser=headless-shell", "--browser-no-sandbox", "--allow-net", site, script], { maxBuffer: 1 << 24 });
  return JSON.parse(stdout);
}

async function theirs() {
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const page = await (await browser.newContext()).newPage();
  const run = new (async () => {}).constructor("page", "site", "snapshot", steps);
  const figures = await run(page, site, (of) => of.locator("body").ariaSnapshot());
  await browser.close();
  return figures;
}

/** Resident memory of a program that has one page open, without the browser: in MiB. */
async function memory() {
  const child = spawn(perennial, ["batch", "--no-config", "--browser=headless-shell", "--browser-no-sandbox"], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.write('{"id":1,"session":"a","script":"await page.setContent(\\"<p>x\\")"}\n');
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const { readFileSync } = await import("node:fs");
  const resident = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))[1]) / 1024;
  child.stdin.end();
  await new Promise((resolve) => child.on("exit", resolve));
  return resident;
}

/** Steps a second of twenty sessions side by side: a page each, and ten times a click and a look. */
const SESSIONS = 20, side = `await page.goto(site + "/step"); for (let i = 0; i < 10; i++) { await page.getByRole("button", { name: "Save" }).click(); await page.locator("#out").textContent(); }`;

async function oursSideBySide() {
  const child = spawn(perennial, ["batch", "--no-config", "--browser=headless-shell", "--browser-no-sandbox", "--allow-net", site, "--concurrency", String(SESSIONS)], { stdio: ["pipe", "pipe", "inherit"] });
  const round = async (script) => {
    for (let i = 0; i < SESSIONS; i++) child.stdin.write(JSON.stringify({ id: i, session: `s${i}`, script }) + "\n");
    for (let answered = 0; answered < SESSIONS; ) answered += String(await new Promise((resolve) => child.stdout.once("data", resolve))).split("\n").length - 1;
  };
  await round("await page.title()");
  const start = performance.now();
  await round(`const site = ${JSON.stringify(site)}; ${side}`);
  const spent = performance.now() - start;
  child.stdin.end();
  await new Promise((resolve) => child.on("exit", resolve));
  return (SESSIONS * 21) / (spent / 1000);
}

async function theirsSideBySide() {
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const pages = await Promise.all(Array.from({ length: SESSIONS }, async () => (await browser.newContext()).newPage()));
  await Promise.all(pages.map((page) => page.title()));
  const run = new (async () => {}).constructor("page", "site", side), start = performance.now();
  await Promise.all(pages.map((page) => run(page, site)));
  const spent = performance.now() - start;
  await browser.close();
  return (SESSIONS * 21) / (spent / 1000);
}

async function launch(run) {
  const spent = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await run();
    spent.push(performance.now() - start);
  }
  return spent.sort((a, b) => a - b)[2];
}

const all = [];
// In turns, so that both have the same machine; of two the better.
for (let i = 0; i < 2; i++) all.push([await ours(), await theirs()]);
for (const name of Object.keys(all[0][0])) {
  const [mine, other] = [0, 1].map((side) => Math.min(...all.map((pair) => pair[side][name])));
  console.log(`browser_${name} ${mine} ${other}`);
}
const mine = await launch(() => promisify(execFile)(perennial, ["eval", "--no-config", "--browser=headless-shell", "--browser-no-sandbox", 'await page.setContent("<p>x")']));
const other = await launch(() => promisify(execFile)(process.execPath, ["-e", `const { chromium } = require(${JSON.stringify(require.resolve("playwright-core"))}); (async () => { const b = await chromium.launch({ executablePath: ${JSON.stringify(executablePath)}, args: ["--no-sandbox"] }); const p = await b.newPage(); await p.setContent("<p>x"); await b.close(); })()`]));
console.log(`browser_launch ${mine} ${other}`);
const sideBySide = [];
for (let i = 0; i < 2; i++) sideBySide.push([await oursSideBySide(), await theirsSideBySide()]);
console.log(`browser_side_by_side ${[0, 1].map((whose) => Math.max(...sideBySide.map((pair) => pair[whose]))).join(" ")}`);
const { chromium } = require("playwright-core");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
await (await browser.newPage()).setContent("<p>x");
console.log(`browser_memory ${await memory()} ${process.memoryUsage.rss() / 1048576}`);
await browser.close();
server.closeAllConnections();
server.close();
