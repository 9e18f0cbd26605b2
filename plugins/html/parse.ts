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
const ENDS = new Map([
  ["li", ["li"]],
  ["dt", ["dt", "dd"]],
  ["dd", ["dt", "dd"]],
  ["tr", ["tr", "td", "th"]],
  ["td", ["td", "th"]],
  ["th", ["td", "th"]],
  ["thead", ["tr", "td", "th"]],
  ["tbody", ["thead", "tbody", "tr", "td", "th"]],
  ["tfoot", ["tbody", "tr", "td", "th"]],
  ["option", ["option"]],
  ["p", ["p"]],
]);
/** Where looking for something to end stops. */
const SCOPE = new Set(["table", "ul", "ol", "dl", "select", "div", "section", "article", "body"]);

/** Elements that may be closed where they are opened, which means nothing elsewhere. */
const FOREIGN = new Set(["svg", "math"]);

/** A tree of what HTML means, read as forgivingly as pages are written. */
export function parse(html: string): Element {
  const root: Element = { name: "", attributes: {}, children: [] };
  const open: Element[] = [root];
  const top = () => open[open.length - 1];
  const text = (from: number, to: number) => {
    if (to > from) top().children.push(decode(html.slice(from, to)));
  };
  let at = 0;
  for (let start = html.indexOf("<"); start >= 0; start = html.indexOf("<", Math.max(start + 1, at))) {
    const tag = tagAt(html, start);
    if (!tag) continue;
    text(at, start);
    at = tag.end;
    if (tag.kind === "nothing") continue;
    const { name } = tag;
    if (tag.kind === "closing") {
      const index = open.findLastIndex((element) => element.name === name);
      if (index > 0) open.length = index;
      continue;
    }
    const ended = ENDS.get(name);
    if (ended) {
      for (let i = open.length - 1; i > 0 && !SCOPE.has(open[i].name); i--) {
        if (ended.includes(open[i].name)) open.length = i;
      }
    }
    const element: Element = { name, attributes: tag.attributes, children: [] };
    top().children.push(element);
    if (RAW.has(name)) {
      const end = html.slice(at).search(new RegExp(`</${name}[\\s/>]`, "i"));
      const content = end < 0 ? html.slice(at) : html.slice(at, at + end);
      element.children.push(name === "title" || name === "textarea" ? decode(content) : content);
      at += content.length;
    } else if (!VOID.has(name) && !(tag.selfClosing && open.concat(element).some((outer) => FOREIGN.has(outer.name))) && open.length < 500) {
      open.push(element);
    }
  }
  text(at, html.length);
  return root;
}

interface Tag {
  /** What is neither opened nor closed: a comment, or a tag that the page ends in. */
  kind: "opening" | "closing" | "nothing";
  name: string;
  attributes: Record<string, string>;
  selfClosing: boolean;
  end: number;
}

const COMMENT_END = /--!?>/g;
const SPACE = /[\s/]*/y;
const NAME = /[a-zA-Z][^\s/>]*/y;
const ATTRIBUTE = /[^\s/>][^\s/>=]*/y;
const EQUALS = /\s*=\s*/y;
const BARE = /[^\s>]*/y;

/** The tag that begins with the `<` at an offset, as https://html.spec.whatwg.org/multipage/parsing.html#tokenization reads it; none if it is text. */
function tagAt(html: string, start: number): Tag | undefined {
  let at = start + 1;
  const take = (expression: RegExp): string => {
    expression.lastIndex = at;
    const found = expression.exec(html)?.[0] ?? "";
    at += found.length;
    return found;
  };
  const tag: Tag = { kind: "nothing", name: "", attributes: Object.create(null), selfClosing: false, end: html.length };
  if (html.startsWith("<!--", start)) {
    COMMENT_END.lastIndex = start + 4;
    const found = /^-?>/.exec(html.slice(start + 4, start + 6)) ?? COMMENT_END.exec(html);
    return found ? { ...tag, end: found.index + found[0].length + (found.input === html ? 0 : start + 4) } : tag;
  }
  if (html[at] === "!" || html[at] === "?") {
    const found = html.indexOf(">", at);
    return found < 0 ? tag : { ...tag, end: found + 1 };
  }
  const closing = html[at] === "/";
  if (closing) at++;
  tag.name = take(NAME).toLowerCase();
  if (tag.name === "") return undefined;
  for (;;) {
    const space = take(SPACE);
    if (at >= html.length) return tag;
    if (html[at] === ">") return { ...tag, kind: closing ? "closing" : "opening", selfClosing: space.endsWith("/"), end: at + 1 };
    const name = take(ATTRIBUTE).toLowerCase();
    let value = "";
    if (take(EQUALS) !== "") {
      const quote = html[at];
      if (quote === '"' || quote === "'") {
        const end = html.indexOf(quote, at + 1);
        if (end < 0) return tag;
        value = html.slice(at + 1, end);
        at = end + 1;
      } else {
        value = take(BARE);
      }
    }
    tag.attributes[name] ??= decode(value, true);
  }
}

const NAMED = new Map(Object.entries({
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", reg: "®", trade: "™", hellip: "…", mdash: "—", ndash: "–",
  lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", laquo: "«", raquo: "»", bull: "•", middot: "·", euro: "€", pound: "£", yen: "¥",
  cent: "¢", sect: "§", para: "¶", deg: "°", plusmn: "±", times: "×", divide: "÷", frac12: "½", auml: "ä", ouml: "ö", uuml: "ü",
  Auml: "Ä", Ouml: "Ö", Uuml: "Ü", szlig: "ß", eacute: "é", egrave: "è", agrave: "à", ccedil: "ç", ntilde: "ñ", larr: "←", rarr: "→",
}));

/** Character references as characters; what is none stays as it is. In attributes `&copy=` and `&copyx` are parts of addresses. */
export function decode(text: string, attribute = false): string {
  return text.replace(/&(?:#(\d+)|#[xX]([0-9a-fA-F]+)|([a-zA-Z][a-zA-Z0-9]*));?/g, (whole, decimal, hex, name, at) => {
    if (name !== undefined) {
      const bare = attribute && !whole.endsWith(";") && text[at + whole.length] === "=";
      return bare ? whole : (NAMED.get(name) ?? whole);
    }
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

/** White space that is kept stands as characters that no page may contain. */
const KEPT = new Map([[" ", "\ufdd0"], ["\t", "\ufdd1"], ["\n", "\ufdd2"]]);
const keep = (text: string) => text.replace(/\r\n?/g, "\n").replace(/[ \t\n]/g, (space) => KEPT.get(space)!);
const unkeep = (text: string) => [...KEPT].reduce((text, [space, kept]) => text.replaceAll(kept, space), text);

/** The text of an element; with `lines`, blocks are on lines of their own. */
export function textOf(element: Element, lines = false): string {
  const parts: string[] = [];
  const visit = (node: Node, kept: boolean) => {
    if (typeof node === "string") {
      parts.push(kept ? keep(node) : node.replace(/[ \t\r\n\f]+/g, " "));
    } else if (node.name !== "script" && node.name !== "style" && (node.name !== "title" || node === element) && node.name !== "template") {
      const block = lines && BLOCK.has(node.name);
      if (block) parts.push("\n");
      if (node.name === "td" || node.name === "th") parts.push(lines ? "\t" : " ");
      const pre = lines && node.name === "pre" && typeof node.children[0] === "string";
      // A line break right behind the tag is not part of the text.
      const children = pre ? [(node.children[0] as string).replace(/^\r?\n/, ""), ...node.children.slice(1)] : node.children;
      for (const child of children) visit(child, kept || (lines && node.name === "pre"));
      if (block) parts.push("\n");
    }
  };
  visit(element, false);
  const text = parts.join("").replaceAll("\u00a0", " ");
  if (!lines) return text.replace(/\s+/g, " ").trim();
  return unkeep(text.replace(/ *\n[ \t]*/g, "\n").replace(/\n{3,}/g, "\n\n").replace(/[ \t]{2,}/g, (run) => (run.includes("\t") ? "\t" : " ")).trim());
}
