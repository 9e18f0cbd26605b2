// Starts the session's shop and logs in. Its ports are reached without a rule.
const shop = await commands.start("shop");
vars.set("shop", `http://127.0.0.1:${shop.ports.shop}/`);
await page.goto(vars.get("shop"));
await page.getByLabel("Name").fill("Ada");
await page.getByRole("button", { name: "Log in" }).click();
await expect(page.getByRole("heading")).toHaveText("Hello, Ada");
await page.title();
