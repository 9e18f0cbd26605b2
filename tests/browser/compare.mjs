// The same scenarios under Perennial and under Playwright, on the same browser and pages: what they come to is compared.
//
//   node compare.mjs PERENNIAL BROWSER [PART]     with a part of a scenario's text only those
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";
import { isDeepStrictEqual } from "node:util";

/** Scenarios at a time. Many of them wait. */
const SIDE_BY_SIDE = 4;

const here = import.meta.dirname;
const require = createRequire(path.join(here, "../end-to-end/package.json"));

const answer = (response, status, headers, text) => {
  response.writeHead(status, { "content-type": "text/plain", ...headers });
  response.end(text);
};
/** What is no page. */
const answers = {
  "/api": (request, response) => {
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => answer(response, 200, { "content-type": "application/json", "x-answer": "yes" }, JSON.stringify({ method: request.method, url: request.url, body, own: request.headers["x-own"] ?? null, cookie: request.headers.cookie ?? null })));
  },
  "/redirect": (request, response) => answer(response, 302, { location: request.url.split("?")[1] }, ""),
  "/broken": (request) => request.socket.destroy(),
  "/cookie": (_, response) => answer(response, 200, { "set-cookie": "visited=yes; Path=/" }, "set"),
  "/missing": (_, response) => answer(response, 404, {}, "none"),
  "/private": (request, response) => (request.headers.authorization === "Basic " + btoa("ada:secret") ? answer(response, 200, { "content-type": "text/html" }, "<title>Private</title>welcome") : answer(response, 401, { "www-authenticate": 'Basic realm="private"' }, "who?")),
  "/file.txt": (_, response) => answer(response, 200, {}, "a file"),
  "/attach": (_, response) => answer(response, 200, { "content-disposition": 'attachment; filename="given name.bin"' }, "attached"),
  // Begins and never ends.
  "/drip": (_, response) => {
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": "1000000" });
    response.write("drop");
  },
};

/** Pages by their names, on a free port of loopback. */
export function serve() {
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://site");
    if (pathname === "/slow") return;
    if (Object.hasOwn(answers, pathname)) return answers[pathname](request, response);
    const file = path.join(here, "pages", path.basename(pathname));
    const isThere = pathname !== "/" && fs.existsSync(file) && fs.statSync(file).isFile();
    response.writeHead(isThere ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
    response.end(isThere ? fs.readFileSync(file) : "<title>Not here</title>");
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** Scenarios: which page, and what is done there. */
export function scenarios(text) {
  const found = [];
  let page = "none";
  for (const line of text.split("\n")) {
    if (/^# \S+$/.test(line)) page = line.slice(2);
    else if (line.trim() !== "" && !line.startsWith("#")) found.push({ page, code: line });
  }
  return found;
}

// What has no `return` and is no statement is an expression.
const body = ({ page, code }) =>
  (page === "none" ? "" : `await page.goto(site + ${JSON.stringify("/" + page)}); `) + (/\breturn\b(?![^(]*\))/.test(code) || /;/.test(code.replace(/\([^()]*\)|\{[^{}]*\}|'[^']*'|"[^"]*"/g, "")) ? code : `return (${code})`);

/** An error as far as both have it. */
function kindOf(error) {
  const message = String(error.message);
  if (/strict mode violation|elements match, and one is wanted/.test(message)) return "strict";
  if (error.matcherResult !== undefined || error.name === "ExpectError" || /^expect\(/.test(message)) return "expect";
  if (error.name === "TimeoutError" || /Timeout \d+ms exceeded/.test(message)) return "timeout";
  return "error";
}

const plain = (value) => (value === undefined ? null : JSON.parse(JSON.stringify(value, (_, each) => (typeof each === "bigint" ? String(each) : each)) ?? "null"));

async function underPlaywright(list, site, executablePath) {
  const { chromium } = require("playwright-core");
  const { expect } = require("@playwright/test");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const outcomes = [];
  const AsyncFunction = (async () => {}).constructor;
  const one = async (scenario, index) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(3000);
    try {
      const run = new AsyncFunction("page", "context", "browser", "expect", "request", "site", body(scenario));
      outcomes[index] = { value: plain(await run(page, context, browser, expect, context.request, site)) };
    } catch (error) {
      outcomes[index] = { error: kindOf(error), message: error.message };
    }
    await context.close();
  };
  let next = 0;
  const worker = async () => {
    while (next < list.length) await one(list[next], next++);
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  await browser.close();
  return outcomes;
}

async function underPerennial(list, site, perennial, browser) {
  const child = spawn(perennial, ["batch", "--no-config", `--browser=${browser}`, "--browser-no-sandbox", "--allow-net", site, "--concurrency", String(SIDE_BY_SIDE)], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = new Map();
  const done = new Promise((resolve) => child.on("exit", resolve));
  list.forEach((scenario, id) => {
    const script = `page.setDefaultTimeout(3000);\nconst site = ${JSON.stringify(site)};\nconst outcome = await (async () => { ${body(scenario)} })();\nreturn { outcome };`;
    child.stdin.write(JSON.stringify({ id, session: `s${id}`, script, timeout_ms: 30_000 }) + "\n");
    child.stdin.write(JSON.stringify({ id: `close ${id}`, session: `s${id}`, op: "close" }) + "\n");
  });
  child.stdin.end();
  for await (const line of readline.createInterface({ input: child.stdout })) {
    const answer = JSON.parse(line);
    answers.set(answer.id, answer);
  }
  await done;
  return list.map((_, id) => {
    const answer = answers.get(id);
    if (answer?.error) return { error: kindOf(answer.error), message: answer.error.message };
    const value = answer?.value?.outcome;
    return { value: value === undefined ? null : value?.$bigint ?? value };
  });
}

/** All that differs. */
export async function compare(perennial, browser, part = "") {
  const text = fs.readFileSync(path.join(here, "scenarios.txt"), "utf8");
  const list = scenarios(text).filter(({ code }) => code.includes(part));
  const server = await serve();
  const site = `http://127.0.0.1:${server.address().port}`;
  const executable = browser === "chromium" ? "/usr/lib/chromium/chromium" : "/usr/lib/chromium/chromium-headless-shell";
  const theirs = await underPlaywright(list, site, executable);
  const ours = await underPerennial(list, site, perennial, browser);
  server.closeAllConnections();
  server.close();
  // Who waits shortly and in vain has waited; who has something to find has the time that a busy machine takes.
  const hasty = list.filter(({ code }, index) => /timeout: [1-9]\d\d?\b/.test(code) && !["timeout", "expect"].includes(theirs[index].error)).map(({ code }) => code);
  const differs = (index) => (theirs[index].error ?? "") !== (ours[index].error ?? "") || !isDeepStrictEqual(theirs[index].value, ours[index].value);
  return { count: list.length, hasty, differences: list.map((scenario, index) => ({ ...scenario, theirs: theirs[index], ours: ours[index] })).filter((_, index) => differs(index)) };
}

if (process.argv[1] === import.meta.filename) {
  const { count, hasty, differences } = await compare(process.argv[2], process.argv[3], process.argv[4]);
  for (const code of hasty) console.log(`waits shortly for what comes: ${code}`);
  for (const { page, code, theirs, ours } of differences) console.log(`# ${page}\n${code}\n  Playwright: ${JSON.stringify(theirs).slice(0, 400)}\n  Perennial:  ${JSON.stringify(ours).slice(0, 400)}`);
  console.log(`${count} scenarios, ${differences.length} differ`);
}
