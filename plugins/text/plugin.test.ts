import { assert, assertEquals, assertThrows, test } from "perennial:test";

test("diff is a unified diff", async () => {
  const before = "a\nb\nc\nd\ne\nf\ng\nh\ni";
  const after = "a\nb\nC\nd\ne\nf\ng\nh\ni\nj";
  assertEquals(await tools.text.diff({ before, after, context: 1 }), "@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n@@ -9,1 +9,2 @@\n i\n+j");
  assertEquals(await tools.text.diff({ before, after: before }), "");
  assertEquals(await tools.text.diff({ before: "", after: "x" }), "@@ -0,0 +1,1 @@\n+x");
  assertEquals(await tools.text.diff({ before: "a\nb", after: "a\nb\n" }), "");
  assertEquals(await tools.text.diff({ before: "a\n\nb\n", after: "a\nb\n", context: 0 }), "@@ -2,1 +1,0 @@\n-");
});

test("a diff turns one text into the other", async () => {
  let seed = 7;
  const random = (most: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % most;
  for (let round = 0; round < 300; round++) {
    const lines = () => Array.from({ length: random(25) + 1 }, () => "abc"[random(3)]);
    const [before, after] = [lines(), lines()];
    const diff = await tools.text.diff({ before: before.join("\n"), after: after.join("\n"), context: 100 });
    if (diff === "") { assertEquals(before, after); continue; }
    const body = diff.split("\n").slice(1);
    assertEquals(body.filter((line: string) => line[0] !== "+").map((line: string) => line.slice(1)), before);
    assertEquals(body.filter((line: string) => line[0] !== "-").map((line: string) => line.slice(1)), after);
  }
});

// The length of a longest common subsequence, the slow and certain way.
function longest(a: string[], b: string[]): number {
  let row = new Array(b.length + 1).fill(0);
  for (const line of a) {
    const next = [0];
    b.forEach((other, index) => next.push(line === other ? row[index] + 1 : Math.max(row[index + 1], next[index])));
    row = next;
  }
  return row[b.length];
}

test("no diff is longer than it has to be", async () => {
  let seed = 11;
  const random = (most: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % most;
  for (let round = 0; round < 200; round++) {
    const lines = () => Array.from({ length: random(20) }, () => "abcde"[random(5)]);
    const [before, after] = [lines(), lines()];
    const text = (all: string[]) => all.map((line) => line + "\n").join("");
    const diff = (await tools.text.diff({ before: text(before), after: text(after), context: 0 })).split("\n");
    assertEquals(diff.filter((line: string) => line[0] === "-").length, before.length - longest(before, after));
  }
});

test("long texts that have nothing, or only too much, in common are compared all the same", async () => {
  const lines = (count: number, line: (index: number) => string) => Array.from({ length: count }, (_, index) => line(index)).join("\n");
  const count = async (before: string, after: string) => (await tools.text.diff({ before, after })).split("\n").filter((line: string) => line[0] === "+").length;
  assertEquals(await count(lines(20000, (n) => `a${n}`), lines(20000, (n) => `b${n}`)), 20000);
  assertEquals(await count(lines(20000, (n) => `a${n}`), lines(20000, (n) => (n % 50 ? `a${n}` : `b${n}`))), 400);
  let seed = 3;
  const few = () => lines(8000, () => String((seed = (seed * 1103515245 + 12345) % 2147483648) % 7));
  assert((await count(few(), few())) <= 8000);
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
  assertEquals((await tools.text.chunk({ text: "a ".repeat(100000), size: 150000 })).map((chunk: string) => chunk.length), [150000, 50000]);
});

test("search finds what was meant", async () => {
  const texts = ["src/bundler/parse.rs", "src/engine/vm.rs", "README.md", "src/parser.rs"];
  assertEquals((await tools.text.search({ pattern: "parse", texts })).map((hit: any) => hit.index), [3, 0]);
  assertEquals((await tools.text.search({ pattern: "raedme", texts, limit: 1 }))[0].text, "README.md");
  assertEquals(await tools.text.search({ pattern: "zzz", texts }), []);
  assertEquals(await tools.text.search({ pattern: "zzz", texts: ["word ".repeat(100000)] }), []);
});
