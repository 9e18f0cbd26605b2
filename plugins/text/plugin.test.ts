import { assert, assertEquals, assertThrows, test } from "perennial:test";

test("diff is a unified diff", async () => {
  const before = "a\nb\nc\nd\ne\nf\ng\nh\ni";
  const after = "a\nb\nC\nd\ne\nf\ng\nh\ni\nj";
  assertEquals(await tools.text.diff({ before, after, context: 1 }), "@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n@@ -9,1 +9,2 @@\n i\n+j");
  assertEquals(await tools.text.diff({ before, after: before }), "");
  assertEquals(await tools.text.diff({ before: "", after: "x" }), "@@ -1,1 +1,1 @@\n-\n+x");
});

test("a diff turns one text into the other", async () => {
  let seed = 7;
  const random = (most: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % most;
  for (let round = 0; round < 50; round++) {
    const lines = () => Array.from({ length: random(12) + 1 }, () => "abc"[random(3)]);
    const [before, after] = [lines(), lines()];
    const diff = await tools.text.diff({ before: before.join("\n"), after: after.join("\n"), context: 100 });
    if (diff === "") { assertEquals(before, after); continue; }
    const body = diff.split("\n").slice(1);
    assertEquals(body.filter((line: string) => line[0] !== "+").map((line: string) => line.slice(1)), before);
    assertEquals(body.filter((line: string) => line[0] !== "-").map((line: string) => line.slice(1)), after);
  }
});

test("chunks are no longer than asked and lose nothing", async () => {
  const text = "First sentence. Second one! A third?\n\nA new paragraph with words. ".repeat(20) + "x".repeat(200) + "😀".repeat(60);
  for (const size of [1, 7, 40, 1000]) {
    const chunks = await tools.text.chunk({ text, size });
    assertEquals(chunks.join(""), text);
    assert(chunks.every((chunk: string) => chunk.length <= Math.max(size, 2)));
  }
  const overlapping = await tools.text.chunk({ text, size: 100, overlap: 20 });
  assert(overlapping.every((chunk: string, index: number) => index === 0 || text.includes(chunk)));
  await assertThrows(() => tools.text.chunk({ text, size: 5, overlap: 5 }), "smaller");
  assertEquals(await tools.text.chunk({ text: "", size: 5 }), []);
});

test("search finds what was meant", async () => {
  const texts = ["src/bundler/parse.rs", "src/engine/vm.rs", "README.md", "src/parser.rs"];
  assertEquals((await tools.text.search({ pattern: "parse", texts })).map((hit: any) => hit.index), [3, 0]);
  assertEquals((await tools.text.search({ pattern: "raedme", texts, limit: 1 }))[0].text, "README.md");
  assertEquals(await tools.text.search({ pattern: "zzz", texts }), []);
});
