import { definePlugin, defineTool } from "perennial:plugin";
import { type Element, type Node, parse, textOf, walk } from "./parse.ts";

const page = { type: "string", description: "HTML, a whole page or a part of one" };
const elements = (html: string, name: string): Element[] => walk(parse(html)).filter((element) => element.name === name);

const cellsOf = (row: Element): Element[] =>
  row.children.filter((child): child is Element => typeof child !== "string" && (child.name === "td" || child.name === "th"));

/** The texts of rows, cells that span several columns or rows as often. */
function grid(rows: Element[]): string[][] {
  /** For each column how many rows a cell above still covers, and its text. */
  const covered: { rows: number; text: string }[] = [];
  return rows.map((row) => {
    const texts: string[] = [];
    const fill = () => {
      for (let above = covered[texts.length]; above && above.rows > 0; above = covered[texts.length]) {
        above.rows--;
        texts.push(above.text);
      }
    };
    for (const cell of cellsOf(row)) {
      fill();
      const span = (name: string, most: number) => Math.min(Math.max(Number(cell.attributes[name]) || 1, 1), most);
      const text = textOf(cell);
      for (let column = span("colspan", 100); column > 0; column--) {
        covered[texts.length] = { rows: span("rowspan", 1000) - 1, text };
        texts.push(text);
      }
    }
    fill();
    return texts;
  });
}

/** Names of which each is there once: the second `a` is `a_2`. */
function distinct(names: string[]): string[] {
  const seen = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let count = 2; seen.has(own); count++) own = `${name}_${count}`;
    seen.add(own);
    return own;
  });
}

/** Rows that belong to this table and to none within it. */
function rows(node: Node): Element[] {
  if (typeof node === "string") return [];
  return node.children.flatMap((child) =>
    typeof child === "string" || child.name === "table" ? [] : child.name === "tr" ? [child] : rows(child)
  );
}

export default definePlugin({
  name: "html",
  version: "1.0.0",
  description: "Reads HTML: text, links, tables, metadata",
  tools: {
    text: defineTool({
      description: "The text of a page as a person reads it: blocks on lines of their own, no scripts and no styles",
      input: { type: "object", properties: { html: page }, required: ["html"], additionalProperties: false },
      output: { type: "string" },
      run: ({ html }: { html: string }): string => textOf(parse(html), true),
    }),
    links: defineTool({
      description: "The links of a page with their texts, relative ones made absolute if a base is given",
      input: {
        type: "object",
        properties: { html: page, base: { type: "string", description: "Address of the page, like https://example.com/a/" } },
        required: ["html"],
        additionalProperties: false,
      },
      output: {
        type: "array",
        items: {
          type: "object",
          properties: { href: { type: "string" }, text: { type: "string" } },
          required: ["href", "text"],
        },
      },
      run({ html, base }: { html: string; base?: string }): { href: string; text: string }[] {
        const all = walk(parse(html));
        const own = all.find(({ name, attributes }) => name === "base" && attributes.href !== undefined)?.attributes.href.trim();
        const from = own === undefined ? base : absolute(own, base);
        const links = all.filter(({ name, attributes }) => name === "a" && attributes.href !== undefined);
        return links.map((link) => ({ href: absolute(link.attributes.href.trim(), from), text: textOf(link) }));
      },
    }),
    tables: defineTool({
      description: "The tables of a page as rows: objects by the header's names if there is a header, else lists of cells",
      input: { type: "object", properties: { html: page }, required: ["html"], additionalProperties: false },
      output: {
        type: "array",
        items: {
          type: "object",
          properties: { caption: { type: "string" }, columns: { type: "array", items: { type: "string" } }, rows: { type: "array" } },
          required: ["rows"],
        },
      },
      run({ html }: { html: string }) {
        return elements(html, "table").map((table) => {
          const all = rows(table);
          const caption = table.children.find((child): child is Element => typeof child !== "string" && child.name === "caption");
          while (all.length > 0 && cellsOf(all[0]).length === 0) all.shift();
          const texts = grid(all);
          const header = all[0] !== undefined && cellsOf(all[0]).every((cell) => cell.name === "th") ? distinct(texts[0]) : undefined;
          const body = texts.slice(header ? 1 : 0);
          const named = header && body.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index] ?? ""])));
          return {
            ...(caption ? { caption: textOf(caption) } : {}),
            ...(header ? { columns: header } : {}),
            rows: named ?? body,
          };
        });
      },
    }),
    metadata: defineTool({
      description: "What a page says of itself: title, description, canonical address, Open Graph, JSON-LD",
      input: { type: "object", properties: { html: page }, required: ["html"], additionalProperties: false },
      output: { type: "object" },
      run({ html }: { html: string }) {
        const all = walk(parse(html));
        const found: Record<string, unknown> = {};
        const title = all.find((element) => element.name === "title");
        if (title) found.title = textOf(title);
        const og: Record<string, string> = {};
        const jsonLd: unknown[] = [];
        for (const { name, attributes, children } of all) {
          const key = (attributes.name ?? attributes.property ?? "").toLowerCase();
          if (name === "meta" && attributes.content !== undefined) {
            if (key.startsWith("og:")) og[key.slice(3)] = attributes.content;
            else if (["description", "author", "keywords"].includes(key)) found[key] = attributes.content;
          }
          if (name === "link" && attributes.rel === "canonical" && attributes.href) found.canonical = attributes.href;
          if (name === "html" && attributes.lang) found.language = attributes.lang;
          if (name === "script" && attributes.type === "application/ld+json") {
            try {
              jsonLd.push(JSON.parse(children.join("")));
            } catch {
              // What is no JSON says nothing.
            }
          }
        }
        if (Object.keys(og).length > 0) found.openGraph = og;
        if (jsonLd.length > 0) found.jsonLd = jsonLd;
        return found;
      },
    }),
  },
});

/** A relative address made absolute, as far as that needs no more than the parts of the base. */
function absolute(href: string, base?: string): string {
  const parts = base === undefined ? null : /^([a-z][a-z0-9+.-]*:)(\/\/[^/?#]*)([^?#]*)(\?[^#]*)?/i.exec(base);
  if (!parts || /^[a-z][a-z0-9+.-]*:/i.test(href)) return href;
  const [, scheme, host, path, query = ""] = parts;
  if (href.startsWith("//")) return scheme + href;
  if (href === "" || href.startsWith("#")) return scheme + host + path + query + href;
  if (href.startsWith("?")) return scheme + host + path + href;
  const joined = href.startsWith("/") ? href : path.slice(0, path.lastIndexOf("/") + 1) + href;
  const [, file, rest] = /^([^?#]*)(.*)$/s.exec(joined)!;
  const kept: string[] = [];
  for (const part of file.split("/")) {
    if (part === "..") kept.pop();
    else if (part !== ".") kept.push(part);
  }
  return `${scheme}${host}/${kept.join("/").replace(/^\/+/, "")}${/\/\.\.?$/.test(file) ? "/" : ""}${rest}`;
}
