// What there is to read on a page, as Markdown.

/** What a page has around what it is about. */
const AROUND = new Set("banner complementary contentinfo navigation search".split(" "));
const UNREAD = new Set("BUTTON CANVAS IFRAME INPUT LINK META NOSCRIPT OBJECT SCRIPT SELECT STYLE SVG TEMPLATE TEXTAREA VIDEO AUDIO".split(" "));
const INLINE = new Set(["inline", "inline-block", "inline-flex", "contents", "ruby"]);

class Reading {
  constructor(most) {
    this.most = most;
    this.blocks = [];
    this.length = 0;
    this.left = 0;
    /** What stands before the lines of the last block. */
    this.before = "";
  }
  add(block, glue = "\n\n") {
    if (block === "") return;
    if (this.left > 0 || this.length + block.length + 2 > this.most) return void this.left++;
    this.blocks.push(this.blocks.length === 0 ? block : glue + block);
    this.length += block.length + 2;
  }
}

const isUnread = (element) => {
  if (UNREAD.has(element.tagName.toUpperCase()) || element.hidden || element.getAttribute("aria-hidden") === "true") return true;
  const { display, visibility } = getComputedStyle(element);
  return display === "none" || (visibility !== "visible" && element.childElementCount === 0);
};
const isInline = (node) => node.nodeType === Node.TEXT_NODE || (node.nodeType === Node.ELEMENT_NODE && (INLINE.has(getComputedStyle(node).display) || ["A", "BR", "CODE", "IMG"].includes(node.tagName)));
const escaped = (text) => text.replace(/([\\`*_[\]<])/g, "\\$1");

/** A run of text with what stands in it. */
function inlineOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return escaped(node.data.replace(/[\u200b\u00ad]/g, "").replace(/\s+/g, " "));
  if (node.nodeType !== Node.ELEMENT_NODE || isUnread(node)) return "";
  const inner = () => [...shownChildren(node)].map(inlineOf).join("");
  const marked = (mark) => enclosed(mark, mark, inner());
  switch (node.tagName) {
    case "BR":
      return "\n";
    case "STRONG": case "B":
      return marked("**");
    case "EM": case "I":
      return marked("*");
    case "DEL": case "S":
      return marked("~~");
    case "CODE": case "KBD": case "SAMP": {
      const text = node.textContent.replace(/\s+/g, " ").trim();
      return text === "" ? "" : text.includes("`") ? "`` " + text + " ``" : "`" + text + "`";
    }
    case "A": {
      const text = inner().replace(/\s+/g, " "), href = node.getAttribute("href");
      if (text.trim() === "" || !href || /^\s*(javascript:|#)/i.test(href)) return text;
      const url = node.href.startsWith("data:") ? "" : node.href.replace(/\(/g, "%28").replace(/\)/g, "%29");
      return url === "" ? text : enclosed("[", "](" + url + ")", text);
    }
    case "IMG": {
      const alt = squeeze(node.alt ?? "");
      return alt === "" ? "" : "![" + escaped(alt) + "](" + (node.currentSrc.startsWith("data:") ? "" : node.currentSrc) + ")";
    }
    default:
      return inner();
  }
}
/** A text in its marks, which stand at its words. */
const enclosed = (before, after, text) => {
  const [, first, word, last] = /^(\s*)([^]*?)(\s*)$/.exec(text);
  return word === "" ? text : first + before + word + after + last;
};
/** Lines without what space does at their ends. */
const tidied = (text) => text.replace(/[ \t]*\n[ \t]*/g, "\n").replace(/ {2,}/g, " ").trim();
const indented = (text, by) => text.replace(/\n(?!\n|$)/g, "\n" + by);

/** An element's blocks, each behind what stands before its lines. */
function readBlocks(element, reading, before) {
  let run = "";
  const put = (text) => {
    // What goes on being quoted is quoted between, too.
    const goesOn = before !== "" && reading.before === before;
    reading.before = before;
    reading.add(before === "" ? text : before + text.replace(/\n/g, "\n" + before), goesOn ? "\n" + before.trimEnd() + "\n" : "\n\n");
  };
  const flush = () => {
    const text = tidied(run);
    run = "";
    if (text !== "") put(text.replace(/\n/g, "  \n"));
  };
  for (const node of shownChildren(element)) {
    if (isInline(node)) {
      run += inlineOf(node);
      continue;
    }
    if (node.nodeType !== Node.ELEMENT_NODE || isUnread(node)) continue;
    flush();
    const heading = /^H([1-6])$/.exec(node.tagName);
    if (heading) {
      const text = tidied(inlineOf(node)).replace(/\n/g, " ");
      if (text !== "") put("#".repeat(Number(heading[1])) + " " + text);
      continue;
    }
    switch (node.tagName) {
      case "HR":
        put("---");
        break;
      case "PRE": {
        const text = node.textContent.replace(/\n$/, ""), fence = /```/.test(text) ? "````" : "```";
        const language = /language-(\S+)/.exec(node.className + " " + (node.firstElementChild?.className ?? ""))?.[1] ?? "";
        put(fence + language + "\n" + text + "\n" + fence);
        break;
      }
      case "BLOCKQUOTE":
        reading.before = "";
        readBlocks(node, reading, before + "> ");
        break;
      case "UL": case "OL": case "MENU":
        listOf(node, reading, before);
        break;
      case "TABLE": {
        const text = tableOf(node);
        if (text !== undefined) put(text);
        else readBlocks(node, reading, before);
        break;
      }
      case "DT":
        put("**" + tidied(inlineOf(node)) + "**");
        break;
      default:
        if (isAround(node)) break;
        readBlocks(node, reading, before);
    }
  }
  flush();
}

let leavesAround = true;
/** Whether an element is around what the page is about. */
const isAround = (element) => leavesAround && AROUND.has(roleOf(element));

function listOf(list, reading, before) {
  let number = Number(list.getAttribute("start") ?? 1);
  let isFirst = true;
  for (const item of list.children) {
    if (item.tagName !== "LI" || isUnread(item)) continue;
    const mark = list.tagName === "OL" ? number++ + ". " : "- ", inner = new Reading(reading.most);
    readBlocks(item, inner, "");
    if (inner.blocks.length === 0) continue;
    // What is short stands close.
    const text = inner.blocks.map((block, at) => (at === 0 ? block : /^\n\n(- |\d+\. )/.test(block) ? block.slice(1) : block)).join("");
    const whole = mark + indented(text, " ".repeat(mark.length));
    reading.add(before + whole.replace(/\n/g, "\n" + before), isFirst ? "\n\n" : "\n");
    reading.left += inner.left;
    isFirst = false;
  }
}

/** A table of words; `undefined` if it only arranges what stands in it. */
function tableOf(table) {
  if (table.querySelector("table,ul,ol,pre,h1,h2,h3,h4,h5,h6") || roleOf(table) !== "table") return undefined;
  const rows = [...table.rows].filter((row) => !isUnread(row)).map((row) => [...row.cells].filter((cell) => !isUnread(cell)).map((cell) => tidied(inlineOf(cell)).replace(/\n/g, " ").replace(/\|/g, "\\|")));
  const width = Math.max(0, ...rows.map((row) => row.length));
  if (width < 2) return undefined;
  const line = (row) => "| " + Array.from({ length: width }, (_, at) => row[at] ?? "").join(" | ") + " |";
  const [head, ...rest] = rows;
  const caption = table.caption && !isUnread(table.caption) ? "**" + tidied(inlineOf(table.caption)) + "**\n\n" : "";
  return caption + [line(head), "|" + " --- |".repeat(width), ...rest.map(line)].join("\n");
}

/** Where a page says what it is about: what it has marked so, or all of it. */
function whatItIsAbout() {
  const marked = [...document.querySelectorAll("main,[role=main]")].filter(isVisible);
  if (marked.length === 1) return marked[0];
  const articles = [...document.querySelectorAll("article")].filter((article) => isVisible(article) && !article.parentElement.closest("article"));
  return articles.length === 1 ? articles[0] : document.body;
}

function markdown(id, target, { most }) {
  const root = target.selector.length > 0 ? theOne({ ...target, strict: true }, () => {}) : whatItIsAbout();
  if (root instanceof Refusal) return { error: root.error, message: root.message };
  if (!root) return { error: "missing", message: "no element matches" };
  const reading = new Reading(most);
  leavesAround = target.selector.length === 0;
  if (target.selector.length > 0 && (isInline(root) || /^(H[1-6]|P|PRE|TABLE|UL|OL|BLOCKQUOTE)$/.test(root.tagName))) {
    // Itself, and not only what is in it.
    const only = { childNodes: [root] };
    readBlocks(only, reading, "");
  } else readBlocks(root, reading, "");
  return { value: { text: reading.blocks.join(""), left: reading.left } };
}
