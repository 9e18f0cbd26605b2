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

test("what is written can be read again", async () => {
  const rows = [{ a: 'x "y"', b: 1 }, { a: "line\nbreak", b: "" }];
  assertEquals(await tools.table.parse({ csv: await tools.table.write({ rows }) }), rows);
});

test("filter, sort and group", async () => {
  const cheap = await tools.table.filter({ rows: fruit, where: [{ column: "price", is: "<=", value: 3 }, { column: "name", is: "contains", value: "P" }] });
  assertEquals(cheap.map((row: any) => row.name), ["apple", "plum"]);
  assertEquals((await tools.table.sort({ rows: fruit, by: ["kind", "-price"] })).map((row: any) => row.name), ["pear", "apple", "olive", "plum"]);
  assertEquals(await tools.table.group({ rows: fruit, by: ["kind"], measure: { total: { sum: "price" }, mean: { mean: "price" }, priced: { count: "price" } } }), [
    { kind: "pome", rows: 2, total: 8, mean: 4, priced: 2 },
    { kind: "stone", rows: 2, total: 2, mean: 2, priced: 1 },
  ]);
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
