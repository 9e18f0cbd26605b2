import { definePlugin, defineTool } from "perennial:plugin";

const object = (properties: Record<string, unknown>, required: string[]) => ({ type: "object", properties, required, additionalProperties: false });

/** Lines that both have, as pairs of indices in order; Myers' algorithm, greedy from the start. */
function common(a: string[], b: string[], most: number): [number, number][] | undefined {
  const furthest = new Map<number, number>([[1, 0]]);
  const trace: Map<number, number>[] = [];
  for (let edits = 0; edits <= Math.min(a.length + b.length, most); edits++) {
    trace.push(new Map(furthest));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
      let x = down ? (furthest.get(k + 1) ?? 0) : (furthest.get(k - 1) ?? 0) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x++;
        y++;
      }
      furthest.set(k, x);
      if (x >= a.length && y >= b.length) return backwards(trace, a.length, b.length);
    }
  }
  return undefined;
}

function backwards(trace: Map<number, number>[], x: number, y: number): [number, number][] {
  const pairs: [number, number][] = [];
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const furthest = trace[edits];
    const k = x - y;
    const down = k === -edits || (k !== edits && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
    const before = down ? k + 1 : k - 1;
    const startX = edits === 0 ? 0 : (furthest.get(before) ?? 0);
    const startY = edits === 0 ? 0 : startX - before;
    while (x > startX && y > startY) pairs.push([--x, --y]);
    [x, y] = [startX, startY];
  }
  return pairs.reverse();
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
      return 0.6 * Math.max(...words.map((word) => similarity(wanted, word)));
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
      description: "How two texts differ, line by line, as a unified diff",
      input: object({ before: { type: "string" }, after: { type: "string" }, context: { type: "integer", minimum: 0, maximum: 100 } }, ["before", "after"]),
      output: { type: "string" },
      run({ before, after, context = 3 }: { before: string; after: string; context?: number }): string {
        const [a, b] = [before.split("\n"), after.split("\n")];
        const pairs = common(a, b, 5000);
        if (!pairs) throw new RangeError("the texts differ in more than 5000 lines");
        const lines: { sign: string; text: string; a: number; b: number }[] = [];
        let [x, y] = [0, 0];
        for (const [i, j] of [...pairs, [a.length, b.length] as [number, number]]) {
          while (x < i) lines.push({ sign: "-", text: a[x], a: x++, b: y });
          while (y < j) lines.push({ sign: "+", text: b[y], a: x, b: y++ });
          if (i < a.length) lines.push({ sign: " ", text: a[i], a: x++, b: y++ });
        }
        const changed = lines.flatMap(({ sign }, index) => (sign === " " ? [] : [index]));
        const hunks: [number, number][] = [];
        for (const index of changed) {
          const [from, to] = [Math.max(index - context, 0), Math.min(index + context + 1, lines.length)];
          const last = hunks[hunks.length - 1];
          if (last && from <= last[1]) last[1] = to;
          else hunks.push([from, to]);
        }
        return hunks.map(([from, to]) => {
          const part = lines.slice(from, to);
          const count = (other: string) => part.filter(({ sign }) => sign !== other).length;
          return [`@@ -${part[0].a + 1},${count("+")} +${part[0].b + 1},${count("-")} @@`, ...part.map(({ sign, text }) => sign + text)].join("\n");
        }).join("\n");
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
            const cuts = [/\n\s*\n/g, /[.!?…]["')\]]?\s/g, /\s/g].map((cut) => Math.max(-1, ...[...window.matchAll(cut)].map((match) => match.index + match[0].length)));
            const cut = cuts.find((cut) => cut > Math.max(size / 2, overlap));
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
