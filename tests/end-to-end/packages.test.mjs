// Packages as they come from npm load and do their job.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const program = process.env.PERENNIAL ?? fileURLToPath(new URL("../../target/debug/perennial", import.meta.url));
const here = dirname(fileURLToPath(import.meta.url));

/** What a script gives that may import what is installed here. */
function run(script) {
  const folder = mkdtempSync(join(here, "tmp-"));
  try {
    writeFileSync(join(folder, "script.ts"), script);
    return JSON.parse(execFileSync(program, ["run", "--modules", here, join(folder, "script.ts")], { encoding: "utf8" }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const packages = {
  zod: [
    `import { z } from "zod";
     const User = z.object({ name: z.string().min(2), age: z.coerce.number().int(), tags: z.array(z.enum(["a", "b"])).default([]) });
     const bad = User.safeParse({ name: "x", age: "y" });
     [User.parse({ name: "Ada", age: "36" }), bad.success, bad.error?.issues.map((issue) => issue.path[0])]`,
    [{ name: "Ada", age: 36, tags: [] }, false, ["name", "age"]],
  ],
  papaparse: [
    `import Papa from "papaparse";
     [Papa.parse('a,b\\n1,"x,y"', { header: true, dynamicTyping: true }).data, Papa.unparse([{ a: 1, b: 'q"' }])]`,
    [[{ a: 1, b: "x,y" }], 'a,b\r\n1,"q"""'],
  ],
  htmlparser2: [
    `import { Parser, parseDocument, DomUtils } from "htmlparser2";
     const names: string[] = [];
     new Parser({ onopentag: (name) => names.push(name) }).end("<ul><li>a<li>b</ul>");
     [names, DomUtils.textContent(parseDocument("<p>a<b>b</b></p>"))]`,
    [["ul", "li", "li"], "ab"],
  ],
  marked: [`import { marked } from "marked"; marked.parse("# a\\n\\n* *b*")`, "<h1>a</h1>\n<ul>\n<li><em>b</em></li>\n</ul>\n"],
  "date-fns": [
    `import { addMonths, format, parseISO, differenceInDays } from "date-fns"; import { de } from "date-fns/locale";
     [format(addMonths(parseISO("2026-01-31"), 1), "yyyy-MM-dd"), format(parseISO("2026-03-01"), "MMMM", { locale: de }), differenceInDays(new Date(2026, 1, 3), new Date(2026, 0, 1))]`,
    ["2026-02-28", "März", 33],
  ],
  "lodash-es": [`import { groupBy, debounce, merge } from "lodash-es"; [groupBy([1, 2, 3], (n) => n % 2), typeof debounce(() => 1), merge({ a: { b: 1 } }, { a: { c: 2 } })]`, [{ 0: [2], 1: [1, 3] }, "function", { a: { b: 1, c: 2 } }]],
  lodash: [`import _ from "lodash"; [_.camelCase("a b"), _.chunk([1, 2, 3], 2), _.template("<%= x %>!")({ x: 1 })]`, ["aB", [[1, 2], [3]], "1!"]],
  yaml: [`import YAML from "yaml"; [YAML.parse("a: [1, {b: 2}]\\nc: |\\n  d\\n"), YAML.stringify({ x: [1] })]`, [{ a: [1, { b: 2 }], c: "d\n" }, "x:\n  - 1\n"]],
  fflate: [
    `import { gzipSync, gunzipSync, zipSync, unzipSync, strToU8, strFromU8 } from "fflate";
     const text = "perennial ".repeat(1000); const packed = gzipSync(strToU8(text));
     [packed.length < 200, strFromU8(gunzipSync(packed)) === text, strFromU8(unzipSync(zipSync({ "a.txt": strToU8("zip") }))["a.txt"])]`,
    [true, true, "zip"],
  ],
};

for (const [name, [script, expected]] of Object.entries(packages)) {
  test(name, () => assert.deepEqual(run(script), expected));
}
