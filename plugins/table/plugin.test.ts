import { assertEquals, assertThrows, test } from "perennial:test";

const fruit = [
  { name: "apple", kind: "pome", price: 3 },
  { name: "pear", kind: "pome", price: 5 },
  { name: "plum", kind: "stone", price: 2 },
  { name: "olive", kind: "stone" },
];

test("CSV with quotes, line breaks and other separators", async () => {
  assertEquals(await tools.table.parse({ csv: 'a,b\n1,"x, ""y""\nz"\r\n007,-2.5e3\n' }), [{ a: 1, b: 'x, "y"\nz' }, { a: "007", b: -2500 }]);
  assertEquals(await tools.table.parse({ csv: "a;b\n1;2" }), [{ a: 1, b: 2 }]);
  assertEquals(await tools.table.parse({ csv: "1\t2", header: false, numbers: false }), [{ column1: "1", column2: "2" }]);
  assertEquals(await tools.table.parse({ csv: "" }), []);
  await assertThrows(() => tools.table.parse({ csv: 'a\n"open' }), "never closed (line 2)");
});

test("nothing that a CSV holds is lost or altered", async () => {
  assertEquals(await tools.table.parse({ csv: "a,a,,a\n1,2,3,4" }), [{ a: 1, a_2: 2, column3: 3, a_3: 4 }]);
  assertEquals(await tools.table.parse({ csv: "id\n9007199254740993\n1e400\n-0\n0.1\n123456789012345" }), [
    { id: "9007199254740993" }, { id: "1e400" }, { id: "-0" }, { id: 0.1 }, { id: 123456789012345 },
  ]);
});

test("what is written can be read again", async () => {
  for (const rows of [[{ a: 'x "y"', b: 1 }, { a: "line\nbreak", b: "" }], [{ a: "x" }, { a: "" }, { a: "y" }]]) {
    assertEquals(await tools.table.parse({ csv: await tools.table.write({ rows }) }), rows);
  }
});

test("filter, sort and group", async () => {
  const cheap = await tools.table.filter({ rows: fruit, where: [{ column: "price", is: "<=", value: 3 }, { column: "name", is: "contains", value: "P" }] });
  assertEquals(cheap.map((row: any) => row.name), ["apple", "plum"]);
  assertEquals((await tools.table.sort({ rows: fruit, by: ["kind", "-price"] })).map((row: any) => row.name), ["pear", "apple", "plum", "olive"]);
  assertEquals(await tools.table.group({ rows: fruit, by: ["kind"], measure: { total: { sum: "price" }, mean: { mean: "price" }, priced: { count: "price" } } }), [
    { kind: "pome", rows: 2, total: 8, mean: 4, priced: 2 },
    { kind: "stone", rows: 2, total: 2, mean: 2, priced: 1 },
  ]);
});

test("what is missing is neither less nor more, and comes last", async () => {
  const rows = [{ n: "" }, { n: 3 }, { n: 7 }, { n: null }, { n: "x" }];
  assertEquals(await tools.table.filter({ rows, where: [{ column: "n", is: "<", value: 5 }] }), [{ n: 3 }]);
  assertEquals((await tools.table.sort({ rows, by: ["-n"] })).map((row: any) => row.n), ["x", 7, 3, "", null]);
  assertEquals((await tools.table.sort({ rows: [{ n: 10 }, { n: "5" }, { n: 9 }], by: ["n"] })).map((row: any) => row.n), [9, 10, "5"]);
  assertEquals(await tools.table.group({ rows: [{ rows: 4 }], by: ["rows"] }), [{ rows: 4 }]);
});

test("join", async () => {
  const kinds = [{ kind: "pome", core: true, name: "pomes" }];
  assertEquals((await tools.table.join({ left: fruit, right: kinds, on: ["kind"] })).map((row: any) => [row.name, row.core, row.name_right]), [
    ["apple", true, "pomes"],
    ["pear", true, "pomes"],
  ]);
  assertEquals((await tools.table.join({ left: fruit, right: kinds, on: ["kind"], keep: "left" })).length, 4);
});

test("summarise", async () => {
  const [name, , price] = await tools.table.summarise({ rows: fruit });
  assertEquals([name.distinct, name.types], [4, ["string"]]);
  assertEquals([price.values, price.missing, price.min, price.max], [3, 1, 2, 5]);
  await assertThrows(() => tools.table.group({ rows: fruit, by: ["kind"], measure: { x: { median: "price" } } }), "table.group: args.measure.x");
});
