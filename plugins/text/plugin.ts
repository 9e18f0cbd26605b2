import { definePlugin, defineTool } from "perennial:plugin";
import { unified } from "./diff.ts";

const object = (properties: Record<string, unknown>, required: string[]) => ({ type: "object", properties, required, additionalProperties: false });

/** Where the last match of any of some expressions ends, those of the first that matches far enough into the text. */
function lastEnd(text: string, expressions: RegExp[], least: number): number | undefined {
  for (const expression of expressions) {
    let end = -1;
    for (const match of text.matchAll(expression)) end = match.index + match[0].length;
    if (end > least) return end;
  }
  return undefined;
}

/** How well a text fits a pattern, from 0 to 1: letters of the pattern in order, best close together and at the start of words. */
function fit(pattern: string, text: string): number {
  const [wanted, given] = [pattern.toLowerCase(), text.toLowerCase()];
  if (wanted === "") return 0;
  if (given === wanted) return 1;
  const found = given.indexOf(wanted);
  if (found >= 0) return 0.9 - 0.1 * (found / given.length) - 0.1 * (1 - wanted.length / given.length);
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    const next = given.indexOf(letter, at + 1);
    if (next < 0) {
      const words = [given, ...given.split(/[^\p{L}\p{N}]+/u).filter((word) => word.length > 2)];
      return 0.6 * words.reduce((best, word) => Math.max(best, similarity(wanted, word)), 0);
    }
    score += next === at + 1 ? 1 : /[^\p{L}\p{N}]/u.test(given[next - 1] ?? " ") ? 0.8 : 0.3;
    at = next;
  }
  return 0.7 * (score / [...wanted].length);
}

/** Pairs of letters that two texts share. */
function similarity(a: string, b: string): number {
  const pairs = (text: string) => Array.from({ length: Math.max(text.length - 1, 0) }, (_, index) => text.slice(index, index + 2));
  const left = pairs(a);
  const right = pairs(b);
  const total = left.length + right.length;
  let shared = 0;
  for (const pair of left) {
    const index = right.indexOf(pair);
    if (index >= 0) {
      shared++;
      right.splice(index, 1);
    }
  }
  return total === 0 ? 0 : (2 * shared) / total;
}

export default definePlugin({
  name: "text",
  version: "1.0.0",
  description: "Works on text: differences, chunks, fuzzy search",
  tools: {
    diff: defineTool({
      description: "How two texts differ, line by line, as a unified diff; a line break at the end makes no difference",
      input: object({ before: { type: "string" }, after: { type: "string" }, context: { type: "integer", minimum: 0, maximum: 100 } }, ["before", "after"]),
      output: { type: "string" },
      run({ before, after, context = 3 }: { before: string; after: string; context?: number }): string {
        return unified(before, after, context);
      },
    }),
    chunk: defineTool({
      description: "A text in parts of at most so many UTF-16 units (a character is never divided), cut between paragraphs, sentences or words where that is possible",
      input: object({
        text: { type: "string" },
        size: { type: "integer", minimum: 1 },
        overlap: { type: "integer", minimum: 0, description: "Characters of a part that the next begins with; 0 if absent" },
      }, ["text", "size"]),
      output: { type: "array", items: { type: "string" } },
      run({ text, size, overlap = 0 }: { text: string; size: number; overlap?: number }): string[] {
        if (overlap >= size) throw new RangeError("the overlap is smaller than the size");
        const chunks: string[] = [];
        let at = 0;
        while (at < text.length) {
          let end = Math.min(at + size, text.length);
          if (end < text.length) {
            const window = text.slice(at, end);
            // Not earlier than half of a part.
            const cut = lastEnd(window, [/\n\s*\n/g, /[.!?…]["')\]]?\s/g, /\s/g], Math.max(size / 2, overlap));
            if (cut !== undefined) end = at + cut;
            // Not in the middle of a character.
            else if (/[\ud800-\udbff]/.test(text[end - 1])) end += end - at > 1 ? -1 : 1;
          }
          chunks.push(text.slice(at, end));
          at = end >= text.length ? end : Math.max(end - overlap, at + 1);
          if (at < end && /[\udc00-\udfff]/.test(text[at])) at++;
        }
        return chunks;
      },
    }),
    search: defineTool({
      description: "The texts of a list that fit a pattern best, typing mistakes and left-out letters allowed",
      input: object({ pattern: { type: "string" }, texts: { type: "array", items: { type: "string" } }, limit: { type: "integer", minimum: 1 } }, ["pattern", "texts"]),
      output: {
        type: "array",
        items: { type: "object", properties: { text: { type: "string" }, index: { type: "integer" }, score: { type: "number" } }, required: ["text", "index", "score"] },
      },
      run({ pattern, texts, limit = 10 }: { pattern: string; texts: string[]; limit?: number }) {
        const scored = texts.map((text, index) => ({ text, index, score: Math.round(1000 * fit(pattern, text)) / 1000 }));
        return scored.filter(({ score }) => score > 0.2).sort((a, b) => b.score - a.score || a.index - b.index).slice(0, limit);
      },
    }),
  },
});
