type Row = Record<string, unknown>;

export interface Options {
  separator?: string;
  header?: boolean;
  numbers?: boolean;
}

/** The separator that divides the first line most often. */
function guess(csv: string): string {
  const first = csv.slice(0, 10_000).split(/\r?\n/, 1)[0];
  const counts = [",", ";", "\t", "|"].map((separator) => ({ separator, count: first.split(separator).length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).separator;
}

/** Lines of cells; quotes and line breaks within them as RFC 4180 has them. */
export function cells(csv: string, separator: string): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  let at = csv.startsWith("\ufeff") ? 1 : 0;
  while (at <= csv.length) {
    let cell = "";
    const quoted = csv[at] === '"';
    if (quoted) {
      at++;
      for (;;) {
        const end = csv.indexOf('"', at);
        if (end < 0) throw new SyntaxError(`a quote is never closed (line ${lines.length + 1})`);
        cell += csv.slice(at, end);
        at = end + 1;
        if (csv[at] !== '"') break;
        cell += '"';
        at++;
      }
    }
    let end = at;
    while (end < csv.length && csv[end] !== separator && csv[end] !== "\n" && csv[end] !== "\r") end++;
    cell += csv.slice(at, end);
    line.push(cell);
    at = end + 1;
    if (csv[end] === separator) continue;
    if (csv[end] === "\r" && csv[at] === "\n") at++;
    if (line.length > 1 || line[0] !== "" || quoted) lines.push(line);
    line = [];
  }
  return lines;
}

export function parse(csv: string, { separator = guess(csv), header = true, numbers = true }: Options): Row[] {
  const lines = cells(csv, separator);
  const width = lines.reduce((most, line) => Math.max(most, line.length), 0);
  const named = header ? (lines.shift() ?? []) : [];
  const names: string[] = [];
  for (let index = 0; index < width; index++) {
    const name = named[index]?.trim() || `column${index + 1}`;
    let own = name;
    for (let count = 2; names.includes(own); count++) own = `${name}_${count}`;
    names.push(own);
  }
  const value = (text: string) => (numbers ? (numberOf(text.trim()) ?? text) : text);
  return lines.map((line) => Object.fromEntries(names.map((name, index) => [name, value(line[index] ?? "")])));
}

/** The number that a text stands for and nothing but it: 007, 9007199254740993 and 1e400 stay texts. */
function numberOf(text: string): number | undefined {
  if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return undefined;
  const digits = text.replace(/[eE].*/, "").replace(/\D/g, "").replace(/^0+/, "");
  const number = Number(text);
  return digits.length <= 15 && Number.isFinite(number) && !Object.is(number, -0) ? number : undefined;
}

export function write(rows: Row[], separator: string): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value: unknown) => {
    const text = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    return text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  // A line that is empty would be none.
  const line = (values: unknown[]) => values.map(cell).join(separator) || '""';
  return [names, ...rows.map((row) => names.map((name) => row[name]))].map(line).join("\n");
}
