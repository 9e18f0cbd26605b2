// Orders, and keeps what the page says as a table and as a picture.
await page.getByRole("button", { name: "Order" }).click();
await artifacts.write("order.png", await page.screenshot());
const order = await page.markdown();
await artifacts.write("order.md", order);
order;
