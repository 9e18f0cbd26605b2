// Roles and names of all elements of a page: by our script, and by Chromium's own tree.
//
//   node names.mjs [PAGE...]      paths of pages; without any, generated ones and large ones of the Rust documentation
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

const here = import.meta.dirname;
const require = createRequire(path.join(here, "../end-to-end/package.json"));
const scripts = ["tree", "roles"].map((name) => fs.readFileSync(path.join(here, `../../crates/browser/js/${name}.js`), "utf8")).join("\n");

/** Pages of the Rust documentation that came with the compiler, the large ones among them. None where it is not installed. */
export function largePages() {
  const root = path.join(execFileSync("rustc", ["--print", "sysroot"], { encoding: "utf8" }).trim(), "share/doc/rust/html");
  const names = ["std/index.html", "std/vec/struct.Vec.html", "std/iter/trait.Iterator.html", "std/primitive.str.html", "std/primitive.u8.html", "book/ch03-02-data-types.html", "reference/items/traits.html", "cargo/reference/manifest.html"];
  return fs.existsSync(root) ? { root, names: names.filter((name) => fs.existsSync(path.join(root, name))) } : { root, names: [] };
}

/** A page of what gives elements roles and names, nested at random; the same for the same number. */
export function generated(seed) {
  let state = seed * 2654435761 + 1;
  const below = (count) => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0), Math.floor((state / 2 ** 32) * count));
  const one = (list) => list[below(list.length)];
  const words = ["Save", "Open file", "  two  words ", "Größe", "1", ""];
  let last = 0;
  const attributes = () => {
    let text = ` id=e${++last}`;
    if (below(6) === 0) text += ` aria-label="${one(words)}"`;
    if (below(8) === 0) text += ` title="${one(words)}"`;
    if (below(12) === 0) text += ` aria-labelledby="e${1 + below(last + 3)} e${1 + below(last + 3)}"`;
    if (below(15) === 0) text += ` role="${one(["button", "link", "none", "presentation", "group", "heading", "nonsense", "tab", "checkbox", "img", "list", "listitem", "row", "cell", "switch button"])}"`;
    if (below(25) === 0) text += ` aria-hidden=${one(["true", "false"])}`;
    if (below(30) === 0) text += one([" hidden", ' style="display:none"', ' style="visibility:hidden"']);
    return text;
  };
  const content = (depth) => Array.from({ length: below(4) }, () => (below(2) === 0 || depth > 5 ? one(words) : element(depth + 1))).join(one(["", " "]));
  const element = (depth) => {
    const a = attributes();
    switch (below(12)) {
      case 0:
        return `<button${a}>${below(3) === 0 ? `<img alt="${one(words)}">` : one(words)}</button>`;
      case 1:
        return `<a${below(4) === 0 ? "" : " href=#"}${a}>${content(5)}</a>`;
      case 2:
        return `<label${a}>${one(words)} <input type=${one(["text", "checkbox", "radio", "number", "range", "search", "email", "submit", "button", "image"])}${below(3) === 0 ? ` placeholder="${one(words)}"` : ""}${below(3) === 0 ? ` value="${one(words)}"` : ""} id=e${++last}></label>`;
      case 3:
        return `<ul${a}>${Array.from({ length: below(3) }, () => `<li>${content(depth + 1)}</li>`).join("")}</ul>`;
      case 4:
        return `<table${a}>${below(2) === 0 ? `<caption>${one(words)}</caption>` : ""}<tr><th>${one(words)}</th><td>${content(depth + 1)}</td></tr></table>`;
      case 5:
        return `<fieldset${a}><legend>${one(words)}</legend>${content(depth + 1)}</fieldset>`;
      case 6:
        return `<img${a} ${one([`alt="${one(words)}"`, "", 'alt=""'])}>`;
      case 7:
        return `<h${1 + below(6)}${a}>${content(5)}</h2>`;
      case 8:
        return `<select${a}><option>${one(words)}</option><option>b</option></select>`;
      case 9:
        return `<textarea${a}>${one(words)}</textarea>`;
      case 10:
        return `<details${a} open><summary>${one(words)}</summary>${content(depth + 1)}</details>`;
      default:
        return `<${one(["div", "span", "p", "section", "article", "nav", "main", "aside", "header", "footer", "form", "em", "code"])}${a}>${content(depth)}`;
    }
  };
  return `<!doctype html><title>Generated ${seed}</title>${Array.from({ length: 40 }, () => element(0)).join("\n")}`;
}

/** In the page: numbers its elements, and gives role and name of each that is shown. */
const ours = `(() => {
  ${scripts}
  return [...document.body.querySelectorAll("*")].map((element, number) => {
    if (isHiddenForAria(element)) return null;
    const told = { role: roleOf(element) || "generic", name: nameOf(element), html: element.outerHTML.slice(0, 300) };
    element.setAttribute("data-number", number);
    return told;
  });
})()`;

/** What Chromium calls roles that have another name in ARIA, or none. */
const NAMES = { image: "img", LabelText: "generic", Legend: "generic", Figcaption: "generic", DescriptionListTerm: "term", DescriptionListDetail: "definition", Iframe: "generic", Abbr: "generic", Details: "group", DisclosureTriangle: "generic", Pre: "generic", StaticText: "generic", none: "generic", presentation: "generic", LineBreak: "generic", DescriptionList: "generic", sectionheader: "generic", sectionfooter: "generic" };
const asAria = (role) => NAMES[role] ?? role;

/** The same by Chromium, by the numbers of the elements. */
async function theirs(page) {
  const client = await page.context().newCDPSession(page), numbers = new Map();
  const { root } = await client.send("DOM.getDocument", { depth: -1 });
  for (const waiting = [root]; waiting.length > 0; ) {
    const node = waiting.pop(), at = (node.attributes ?? []).indexOf("data-number");
    if (at >= 0) numbers.set(node.backendNodeId, Number(node.attributes[at + 1]));
    waiting.push(...(node.children ?? []));
  }
  const { nodes } = await client.send("Accessibility.getFullAXTree");
  await client.detach();
  const told = [];
  for (const { ignored, role, name, backendDOMNodeId } of nodes) {
    const number = numbers.get(backendDOMNodeId);
    if (!ignored && number !== undefined) told[number] = { role: role.value, name: (name?.value ?? "").replace(/\s+/g, " ").trim() };
  }
  return told;
}

/** What differs on pages: their addresses, or their texts. */
export async function differing(executablePath, root, pages) {
  const { chromium } = require("playwright-core");
  const server = http.createServer((request, response) => {
    const file = path.join(root, decodeURIComponent(new URL(request.url, "http://site").pathname));
    const isThere = file.startsWith(root) && fs.existsSync(file) && fs.statSync(file).isFile();
    response.writeHead(isThere ? 200 : 404, { "content-type": { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript" }[path.extname(file)] ?? "application/octet-stream" });
    response.end(isThere ? fs.readFileSync(file) : "");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const told = [];
  let count = 0;
  try {
    const page = await browser.newPage();
    for (const each of pages) {
      if (each.startsWith("<")) await page.setContent(each);
      else await page.goto(`http://127.0.0.1:${server.address().port}/${each}`);
      const here = await page.evaluate(ours), there = await theirs(page);
      here.forEach((own, number) => {
        const other = there[number];
        // What Chromium leaves out of its tree has no role.
        if (own === null || other === undefined) return;
        count++;
        if (asAria(own.role) !== asAria(other.role) || own.name !== other.name) told.push({ page: each.slice(0, 60), ours: [own.role, own.name], theirs: [other.role, other.name], in: own.html });
      });
    }
  } finally {
    await browser.close();
    server.close();
  }
  return { count, differ: told };
}

/** By their kinds: what an element is there and here. */
export function kindsOf(differ) {
  const kinds = new Map();
  for (const one of differ) {
    const kind = asAria(one.ours[0]) === asAria(one.theirs[0]) ? `name of ${asAria(one.ours[0])}` : `${one.theirs[0]} is ${one.ours[0]} here`;
    if (!kinds.has(kind)) kinds.set(kind, []);
    kinds.get(kind).push(one);
  }
  return kinds;
}

/** Pages that are made, always the same. */
export const generatedPages = () => Array.from({ length: 100 }, (_, seed) => generated(seed));

if (process.argv[1] === import.meta.filename) {
  const shell = "/usr/lib/chromium/chromium-headless-shell", given = process.argv.slice(2), { root, names } = largePages();
  for (const pages of given.length > 0 ? [given] : [generatedPages(), names]) {
    const { count, differ } = await differing(shell, root, pages);
    for (const [kind, all] of [...kindsOf(differ)].sort((a, b) => b[1].length - a[1].length)) {
      const { ours, theirs, page, in: html } = all[0];
      console.log(`${all.length} × ${kind}: ${JSON.stringify(ours[1])} here, ${JSON.stringify(theirs[1])} there\n    ${html.replace(/\s+/g, " ")}   (${page.slice(0, 50)})`);
    }
    console.log(`${count} elements, ${differ.length} differ`);
  }
}
