// The TypeScript compiler accepts the declarations that `perennial types` prints, and the first-party plugins, in strict mode.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const program = process.env.PERENNIAL ?? fileURLToPath(new URL("../../target/debug/perennial", import.meta.url));
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const plugins = ["html", "table", "text"].map((name) => join(root, "plugins", name));

/** What the compiler says of files together with the declarations. */
function check(files) {
  const folder = mkdtempSync(join(here, "tmp-"));
  try {
    const types = join(folder, "perennial.d.ts");
    writeFileSync(types, execFileSync(program, ["types", ...plugins.flatMap((path) => ["--plugin", path])], { encoding: "utf8" }));
    const paths = files.map((file, index) => {
      if (!file.includes("\n")) return file;
      writeFileSync(join(folder, `script${index}.ts`), file);
      return join(folder, `script${index}.ts`);
    });
    const compiled = ts.createProgram([types, ...paths], {
      strict: true, noEmit: true, lib: ["lib.esnext.d.ts"], types: [], target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler, allowImportingTsExtensions: true, skipLibCheck: false,
    });
    return ts.getPreEmitDiagnostics(compiled).map((problem) => ts.flattenDiagnosticMessageText(problem.messageText, "\n"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the declarations are accepted", () => assert.deepEqual(check([]), []));

test("scripts that use them are accepted, and wrong calls are not", () => {
  const good = `const links: { href: string; text: string }[] = await tools.html.links({ html: "<a>", base: "x" });
const rows = await tools.table.sort({ rows: [{ a: 1 }], by: ["a"] });
vars.set("n", vars.update("n", (n: number) => n + links.length));
console.log(tools.search("x")[0].name, args, _, setTimeout(() => {}, 5));
export {};\n`;
  assert.deepEqual(check([good]), []);
  const wrong = check(["await tools.html.links({ htlm: '' });\nexport {};\n"]);
  assert.equal(wrong.length, 1);
  assert.match(wrong[0], /htlm/);
});

test("the first-party plugins and their tests are accepted", () => {
  assert.deepEqual(check(plugins.flatMap((path) => [join(path, "plugin.ts"), join(path, "plugin.test.ts")])), []);
});

test("the sources of the library are accepted", () => {
  const folder = join(root, "js-runtime/src");
  const files = readdirSync(folder).map((file) => join(folder, file));
  const compiled = ts.createProgram(files, {
    strict: true, noEmit: true, lib: ["lib.esnext.d.ts", "lib.dom.d.ts"], types: [], target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler, skipLibCheck: true,
  });
  assert.deepEqual(ts.getPreEmitDiagnostics(compiled).map((problem) => ts.flattenDiagnosticMessageText(problem.messageText, "\n")), []);
});

test("a new plugin passes tsc as it is, and misspelt keys do not", () => {
  const folder = mkdtempSync(join(here, "tmp-"));
  try {
    execFileSync(program, ["plugin", "new", "hello"], { cwd: folder });
    const made = join(folder, "hello");
    const tsc = () => {
      const { config } = ts.parseConfigFileTextToJson("tsconfig.json", readFileSync(join(made, "tsconfig.json"), "utf8"));
      const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, made);
      const problems = ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options));
      return problems.map((problem) => ts.flattenDiagnosticMessageText(problem.messageText, "\n"));
    };
    assert.deepEqual(tsc(), []);
    writeFileSync(join(made, "other.ts"), `import { definePlugin, defineTool } from "perennial:plugin";
declare module "perennial:plugin" {
  interface Allow { counter?: readonly string[] }
  interface Context { readonly counter: { add(n: number): number } }
}
const schema = { type: "object", properties: { n: { type: "integer" }, tags: { type: "array", items: { type: "string" } }, kind: { enum: ["a", "b"] } }, required: ["n"], additionalProperties: false } as const;
export default definePlugin({
  name: "x", version: "1", description: "d", allow: { counter: ["main"], commands: { today: { run: ["date"], timeoutMs: 1000 } } },
  tools: {
    typed: defineTool({ description: "d", input: schema, async run({ n, tags, kind }, ctx) {
      const number: number = ctx.counter.add(n), list: string[] | undefined = tags, one: "a" | "b" | undefined = kind;
      return [number, list, one, (await ctx.fetch("https://a.com", { method: "GET" })).status];
    } }),
    result: defineTool({ description: "d", input: schema, output: { type: "string" }, run: async ({ n }) => "n " + n }),
    // @ts-expect-error
    wrongResult: defineTool({ description: "d", input: schema, output: { type: "string" }, run: ({ n }) => n }),
    // @ts-expect-error
    key: defineTool({ description: "d", inptu: {}, input: {}, run() {} }),
    // @ts-expect-error
    argument: defineTool({ description: "d", input: schema, run({ m }) {} }),
    // @ts-expect-error
    kind: defineTool({ description: "d", input: schema, run({ tags }) { const text: string = tags; } }),
    // @ts-expect-error
    option: defineTool({ description: "d", input: {}, async run(_, ctx) { await ctx.fetch("https://a.com", { metod: "GET" }); } }),
    // @ts-expect-error
    response: defineTool({ description: "d", input: {}, async run(_, ctx) { return (await ctx.fetch("https://a.com")).statsu; } }),
  },
});\n`);
    assert.deepEqual(tsc(), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
