import { assertEquals, assertThrows, test } from "perennial:test";

test("greets by name", async () => {
  assertEquals(await tools.NAME.greet({ name: "Ada" }), "Hello, Ada!");
});

test("says what is wrong with an argument", async () => {
  await assertThrows(() => tools.NAME.greet({} as any), "NAME.greet: args");
});
