/** Something of a page: a text or an element. */
export type Node = string | Element;

export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Node[];
}

const VOID = new Set("area base br col embed hr img input link meta param source track wbr".split(" "));
/** Elements whose content is text up to their end, whatever is in it. */
const RAW = new Set(["script", "style", "textarea", "title"]);
const BLOCK = new Set(
  "address article aside blockquote br dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tr ul"
    .split(" "),
);
/** What an opening tag ends without a word. */
const ENDS: Record<string, string[]> = {
  li: ["li"],
  dt: ["dt", "dd"],
  dd: ["dt", "dd"],
  tr: ["tr", "td", "th"],
  td: ["td", "th"],
  th: ["td", "th"],
  thead: ["tr", "td", "th"],
  tbody: ["thead", "tbody", "tr", "td", "th"],
  tfoot: ["tbody", "tr", "td", "th"],
  option: ["option"],
  p: ["p"],
};
/** Where looking for something to end stops. */
const SCOPE = new Set(["table", "ul", "ol", "dl", "select", "div", "section", "article", "body"]);

/** A tree of what HTML means, read as forgivingly as pages are written. */
export function parse(html: string): Element {
  const root: Element = { name: "", attributes: {}, children: [] };
  const open: Element[] = [root];
  const top = () => open[open.length - 1];
  const tag = /<!--[\s\S]*?(?:-->|$)|<![^>]*>|<\?[^>]*>|<(\/?)([a-zA-Z][^\s/>]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>/g;
  let at = 0;
  for (let match = tag.exec(html); match; match = tag.exec(html)) {
    if (match.index > at) top().children.push(decode(html.slice(at, match.index)));
    at = tag.lastIndex;
    const [, closing, written, rest] = match;
    if (written === undefined) continue;
    const name = written.toLowerCase();
    if (closing) {
      const index = open.findLastIndex((element) => element.name === name);
      if (index > 0) open.length = index;
      continue;
    }
    const ended = ENDS[name];
    if (ended) {
      for (let i = open.length - 1; i > 0 && !SCOPE.has(open[i].name); i--) {
        if (ended.includes(open[i].name)) open.length = i;
      }
    }
    const element: Element = { name, attributes: attributesOf(rest), children: [] };
    top().children.push(element);
    if (RAW.has(name)) {
      const end = html.slice(at).search(new RegExp(`</${name}[\\s/>]`, "i"));
      const text = end < 0 ? html.slice(at) : html.slice(at, at + end);
      element.children.push(name === "title" || name === "textarea" ? decode(text) : text);
      at += text.length;
      tag.lastIndex = at;
    } else if (!VOID.has(name) && !rest.endsWith("/") && open.length < 500) {
      open.push(element);
    }
  }
  if (at < html.length) top().children.push(decode(html.slice(at)));
  return root;
}

function attributesOf(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name, , double, single, bare] of text.matchAll(/([^\s=/"'>]+)(\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g)) {
    attributes[name.toLowerCase()] ??= decode(double ?? single ?? bare ?? "");
  }
  return attributes;
}

const NAMED: Record<string, string> = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", reg: "®", trade: "™", hellip: "…", mdash: "—", ndash: "–",
  lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", laquo: "«", raquo: "»", bull: "•", middot: "·", euro: "€", pound: "£", yen: "¥",
  cent: "¢", sect: "§", para: "¶", deg: "°", plusmn: "±", times: "×", divide: "÷", frac12: "½", auml: "ä", ouml: "ö", uuml: "ü",
  Auml: "Ä", Ouml: "Ö", Uuml: "Ü", szlig: "ß", eacute: "é", egrave: "è", agrave: "à", ccedil: "ç", ntilde: "ñ", larr: "←", rarr: "→",
};

/** Character references as characters; what is none stays as it is. */
export function decode(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z][a-zA-Z0-9]*));?/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    const code = decimal === undefined ? parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : "\ufffd";
  });
}

/** Every element, in the order of the page. */
export function walk(node: Element): Element[] {
  const all: Element[] = [];
  const visit = (element: Element) => {
    for (const child of element.children) {
      if (typeof child === "string") continue;
      all.push(child);
      visit(child);
    }
  };
  visit(node);
  return all;
}

/** The text of an element; with `lines`, blocks are on lines of their own. */
export function textOf(element: Element, lines = false): string {
  const parts: string[] = [];
  const visit = (node: Node, keep: boolean) => {
    if (typeof node === "string") {
      parts.push(keep ? node : node.replace(/[ \t\r\n\f]+/g, " "));
    } else if (node.name !== "script" && node.name !== "style" && (node.name !== "title" || node === element) && node.name !== "template") {
      const block = lines && BLOCK.has(node.name);
      if (block) parts.push("\n");
      if (node.name === "td" || node.name === "th") parts.push(lines ? "\t" : " ");
      for (const child of node.children) visit(child, keep || (lines && node.name === "pre"));
      if (block) parts.push("\n");
    }
  };
  visit(element, false);
  const text = parts.join("").replaceAll("\u00a0", " ");
  if (!lines) return text.replace(/\s+/g, " ").trim();
  return text.replace(/ *\n[ \t]*/g, "\n").replace(/\n{3,}/g, "\n\n").replace(/[ \t]{2,}/g, (run) => (run.includes("\t") ? "\t" : " ")).trim();
}
