import { definePlugin, defineTool } from "perennial:plugin";
import { parse, write } from "./csv.ts";

type Row = Record<string, any>;

const rows = { type: "array", items: { type: "object" }, description: "Rows as objects" };
const names = { type: "array", items: { type: "string" } };
const object = (properties: Record<string, unknown>, required: string[]) => ({ type: "object", properties, required, additionalProperties: false });

const isMissing = (value: any) => value === undefined || value === null || value === "";

/** Whether two values can be ordered, and are so. */
const ordered = (test: (order: number) => boolean) => (a: any, b: any) => !isMissing(a) && !isMissing(b) && typeof a === typeof b && test(compare(a, b));

const TESTS: Record<string, (a: any, b: any) => boolean> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": ordered((order) => order < 0),
  "<=": ordered((order) => order <= 0),
  ">": ordered((order) => order > 0),
  ">=": ordered((order) => order >= 0),
  contains: (a, b) => String(a ?? "").toLowerCase().includes(String(b).toLowerCase()),
  in: (a, b) => Array.isArray(b) && b.includes(a),
};

/** Numbers among what a column holds. */
const numbers = (group: Row[], column: string) => group.map((row) => row[column]).filter((value) => typeof value === "number" && !Number.isNaN(value));

const MEASURES: Record<string, (group: Row[], column: string) => unknown> = {
  count: (group, column) => group.filter((row) => row[column] !== undefined && row[column] !== null).length,
  sum: (group, column) => numbers(group, column).reduce((sum, value) => sum + value, 0),
  mean: (group, column) => {
    const all = numbers(group, column);
    return all.length === 0 ? null : all.reduce((sum, value) => sum + value, 0) / all.length;
  },
  min: (group, column) => numbers(group, column).reduce<number | null>((least, value) => (least === null || value < least ? value : least), null),
  max: (group, column) => numbers(group, column).reduce<number | null>((most, value) => (most === null || value > most ? value : most), null),
};

function groups(all: Row[], by: string[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of all) {
    const key = JSON.stringify(by.map((column) => row[column] ?? null));
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

/** Numbers first, then everything else by its text. */
function compare(a: any, b: any): number {
  const [number, other] = [typeof a === "number", typeof b === "number"];
  if (number && other) return a - b;
  if (number || other) return Number(other) - Number(number);
  return String(a) < String(b) ? -1 : Number(String(a) > String(b));
}

export default definePlugin({
  name: "table",
  version: "1.0.0",
  description: "Works on rows: CSV, filter, sort, group, join, summarise",
  tools: {
    parse: defineTool({
      description: "Rows of a CSV text; numbers become numbers unless told otherwise",
      input: object({
        csv: { type: "string" },
        separator: { type: "string", minLength: 1, maxLength: 1, description: "Found out by itself if absent" },
        header: { type: "boolean", description: "Whether the first line names the columns; true if absent" },
        numbers: { type: "boolean", description: "Whether what looks like a number becomes one; true if absent" },
      }, ["csv"]),
      output: rows,
      run: ({ csv, ...options }: { csv: string }) => parse(csv, options),
    }),
    write: defineTool({
      description: "CSV of rows",
      input: object({ rows, separator: { type: "string", minLength: 1, maxLength: 1 } }, ["rows"]),
      output: { type: "string" },
      run: ({ rows, separator = "," }: { rows: Row[]; separator?: string }) => write(rows, separator),
    }),
    filter: defineTool({
      description: "Rows for which every condition holds",
      input: object({
        rows,
        where: {
          type: "array",
          items: object({ column: { type: "string" }, is: { enum: Object.keys(TESTS) }, value: {} }, ["column", "is", "value"]),
        },
      }, ["rows", "where"]),
      output: rows,
      run: ({ rows, where }: { rows: Row[]; where: { column: string; is: string; value: any }[] }) =>
        rows.filter((row) => where.every(({ column, is, value }) => TESTS[is](row[column], value))),
    }),
    sort: defineTool({
      description: "Rows in the order of columns; -name for the largest first; what is missing comes last, numbers come before texts",
      input: object({ rows, by: names }, ["rows", "by"]),
      output: rows,
      run({ rows, by }: { rows: Row[]; by: string[] }) {
        const keys = by.map((name) => (name.startsWith("-") ? { name: name.slice(1), sign: -1 } : { name, sign: 1 }));
        return rows.toSorted((a, b) => {
          for (const { name, sign } of keys) {
            const [none, other] = [isMissing(a[name]), isMissing(b[name])];
            const order = none || other ? Number(none) - Number(other) : sign * compare(a[name], b[name]);
            if (order !== 0) return order;
          }
          return 0;
        });
      },
    }),
    group: defineTool({
      description: "Rows grouped by columns, each group with its number of `rows` and measures of its columns: count, sum, mean, min, max",
      input: object({
        rows,
        by: names,
        measure: {
          type: "object",
          description: "For each new column what it measures, like { total: { sum: 'price' } }",
          additionalProperties: { type: "object", minProperties: 1, maxProperties: 1, propertyNames: { enum: Object.keys(MEASURES) }, additionalProperties: { type: "string" } },
        },
      }, ["rows", "by"]),
      output: rows,
      run({ rows, by, measure = {} }: { rows: Row[]; by: string[]; measure?: Record<string, Record<string, string>> }) {
        return [...groups(rows, by).values()].map((group) => {
          const row: Row = Object.fromEntries(by.map((column) => [column, group[0][column] ?? null]));
          if (!("rows" in row)) row.rows = group.length;
          for (const [name, what] of Object.entries(measure)) {
            const [[kind, column]] = Object.entries(what);
            if (by.includes(name)) throw new RangeError(`measure ${name} has the name of a column that rows are grouped by`);
            row[name] = MEASURES[kind](group, column);
          }
          return row;
        });
      },
    }),
    join: defineTool({
      description: "Rows of two tables put together where columns agree; columns of the right that the left has, too, get `_right` behind their names",
      input: object({
        left: rows,
        right: rows,
        on: { ...names, minItems: 1 },
        keep: { enum: ["matching", "left"], description: "left keeps rows of the left without a partner; matching if absent" },
      }, ["left", "right", "on"]),
      output: rows,
      run({ left, right, on, keep = "matching" }: { left: Row[]; right: Row[]; on: string[]; keep?: string }) {
        const partners = groups(right, on);
        return left.flatMap((row) => {
          const found = partners.get(JSON.stringify(on.map((column) => row[column] ?? null))) ?? [];
          if (found.length === 0) return keep === "left" ? [row] : [];
          return found.map((partner) => {
            const joined: Row = { ...row };
            for (const [column, value] of Object.entries(partner)) {
              if (!on.includes(column)) joined[column in row ? `${column}_right` : column] = value;
            }
            return joined;
          });
        });
      },
    }),
    summarise: defineTool({
      description: "What each column holds: how many values, of which type, the least, the largest, the mean, the most frequent",
      input: object({ rows }, ["rows"]),
      output: rows,
      run({ rows }: { rows: Row[] }) {
        const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
        return columns.map((column) => {
          const values = rows.map((row) => row[column]).filter((value) => value !== undefined && value !== null && value !== "");
          const types = [...new Set(values.map((value) => typeof value))].sort();
          const counts = new Map<unknown, number>();
          for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
          const frequent = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 3).map(([value, count]) => ({ value, count }));
          const row: Row = { column, values: values.length, missing: rows.length - values.length, distinct: counts.size, types, frequent };
          if (types.length === 1 && types[0] === "number") {
            row.min = MEASURES.min(rows, column);
            row.max = MEASURES.max(rows, column);
            row.mean = MEASURES.mean(rows, column);
          }
          return row;
        });
      },
    }),
  },
});
