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
    if (csv[at] === '"') {
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
    if (line.length > 1 || line[0] !== "") lines.push(line);
    line = [];
  }
  return lines;
}

export function parse(csv: string, { separator = guess(csv), header = true, numbers = true }: Options): Row[] {
  const lines = cells(csv, separator);
  const width = lines.reduce((most, line) => Math.max(most, line.length), 0);
  const named = header ? (lines.shift() ?? []) : [];
  const names = Array.from({ length: width }, (_, index) => named[index]?.trim() || `column${index + 1}`);
  // What is written like a number and would be written so again; an identifier like 007 stays a text.
  const value = (text: string) => (numbers && /^-?(0|[1-9]\d{0,15})(\.\d+)?([eE][+-]?\d{1,3})?$/.test(text.trim()) ? Number(text) : text);
  return lines.map((line) => Object.fromEntries(names.map((name, index) => [name, value(line[index] ?? "")])));
}

export function write(rows: Row[], separator: string): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (value: unknown) => {
    const text = value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    return text.includes(separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [names, ...rows.map((row) => names.map((name) => row[name]))].map((line) => line.map(cell).join(separator)).join("\n");
}
