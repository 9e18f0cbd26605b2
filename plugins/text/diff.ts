/** Steps that one comparison may take; beyond, what has not been compared counts as changed. */
const MOST_STEPS = 3_000_000;

/**
 * Lines that both have, as pairs of indices in order. As many as there can be, by the linear-space variant of Myers' algorithm (An O(ND)
 * Difference Algorithm and Its Variations, 1986), unless the texts have so little in common that it would take too long.
 */
export function common(a: string[], b: string[]): [number, number][] {
  // Lines that only one of them has are in no pair, and most of what makes texts different.
  const numbers = new Map<string, number>();
  for (const line of b) if (!numbers.has(line)) numbers.set(line, numbers.size);
  const inBoth = new Set(a.filter((line) => numbers.has(line)));
  const places = (lines: string[]) => Int32Array.from(lines.flatMap((line, index) => (inBoth.has(line) ? [index] : [])));
  const [fromA, fromB] = [places(a), places(b)];
  const number = (lines: string[], at: Int32Array) => at.map((index) => numbers.get(lines[index])!);
  const pairs = new Comparison(number(a, fromA), number(b, fromB)).pairs();
  return pairs.map(([x, y]) => [fromA[x], fromB[y]]);
}

class Comparison {
  private found: [number, number][] = [];
  private steps = 0;

  constructor(private a: Int32Array, private b: Int32Array) {}

  pairs(): [number, number][] {
    this.compare(0, this.a.length, 0, this.b.length);
    return this.found.sort(([x], [y]) => x - y);
  }

  private compare(fromA: number, toA: number, fromB: number, toB: number): void {
    const { a, b } = this;
    while (fromA < toA && fromB < toB && a[fromA] === b[fromB]) this.found.push([fromA++, fromB++]);
    while (fromA < toA && fromB < toB && a[toA - 1] === b[toB - 1]) this.found.push([--toA, --toB]);
    if (fromA === toA || fromB === toB) return;
    const middle = this.middle(fromA, toA, fromB, toB);
    if (!middle) return;
    const [x, y, u, v] = middle;
    this.compare(fromA, fromA + x, fromB, fromB + y);
    for (let i = 0; i < u - x; i++) this.found.push([fromA + x + i, fromB + y + i]);
    this.compare(fromA + u, toA, fromB + v, toB);
  }

  /** The equal lines in the middle of a shortest way, from both ends at once: where they begin and end. */
  private middle(fromA: number, toA: number, fromB: number, toB: number): [number, number, number, number] | undefined {
    const { a, b } = this;
    const [n, m] = [toA - fromA, toB - fromB];
    const size = 2 * Math.min(n, m) + 2;
    // How far each diagonal has been followed, forwards and backwards.
    const [forwards, backwards] = [new Int32Array(size), new Int32Array(size)];
    const at = (k: number) => ((k % size) + size) % size;
    for (let edits = 0; edits <= Math.ceil((n + m) / 2); edits++) {
      for (const way of [1, -1]) {
        const [mine, other] = way === 1 ? [forwards, backwards] : [backwards, forwards];
        const odd = way === 1 ? 1 : 0;
        const last = edits - 2 * Math.max(0, edits - n);
        for (let k = -(edits - 2 * Math.max(0, edits - m)); k <= last; k += 2) {
          const down = k === -edits || (k !== edits && mine[at(k - 1)] < mine[at(k + 1)]);
          const startX = down ? mine[at(k + 1)] : mine[at(k - 1)] + 1;
          let [x, y] = [startX, startX - k];
          const startY = y;
          if (way === 1) while (x < n && y < m && a[fromA + x] === b[fromB + y]) x++, y++;
          else while (x < n && y < m && a[toA - 1 - x] === b[toB - 1 - y]) x++, y++;
          mine[at(k)] = x;
          if ((this.steps += 1 + x - startX) > MOST_STEPS) return undefined;
          const opposite = n - m - k;
          const met = Math.abs(opposite) <= edits - odd && x + other[at(opposite)] >= n;
          if (Math.abs((n - m) % 2) !== odd || !met) continue;
          return way === 1 ? [startX, startY, x, y] : [n - x, m - y, n - startX, m - startY];
        }
      }
    }
    return undefined;
  }
}

/** The lines of a text; what stands behind the last line break is a line if there is something. */
const linesOf = (text: string) => (text.endsWith("\n") || text === "" ? text.slice(0, -1) : text).split("\n").slice(0, text === "" ? 0 : undefined);

/** A unified diff. That one of the texts does not end with a line break is no difference. */
export function unified(before: string, after: string, context: number): string {
  const [a, b] = [linesOf(before), linesOf(after)];
  const lines: { sign: string; text: string; a: number; b: number }[] = [];
  let [x, y] = [0, 0];
  for (const [i, j] of [...common(a, b), [a.length, b.length]]) {
    while (x < i) lines.push({ sign: "-", text: a[x], a: x++, b: y });
    while (y < j) lines.push({ sign: "+", text: b[y], a: x, b: y++ });
    if (i < a.length) lines.push({ sign: " ", text: a[i], a: x++, b: y++ });
  }
  const hunks: [number, number][] = [];
  for (const [index, { sign }] of lines.entries()) {
    if (sign === " ") continue;
    const [from, to] = [Math.max(index - context, 0), Math.min(index + context + 1, lines.length)];
    const last = hunks[hunks.length - 1];
    if (last && from <= last[1]) last[1] = to;
    else hunks.push([from, to]);
  }
  return hunks.map(([from, to]) => {
    const part = lines.slice(from, to);
    const range = (start: number, other: string) => {
      const count = part.filter(({ sign }) => sign !== other).length;
      return `${count === 0 ? start : start + 1},${count}`;
    };
    return [`@@ -${range(part[0].a, "+")} +${range(part[0].b, "-")} @@`, ...part.map(({ sign, text }) => sign + text)].join("\n");
  }).join("\n");
}
