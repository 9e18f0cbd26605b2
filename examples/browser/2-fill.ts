// The page is where the last run has left it.
await page.getByLabel("tea").fill("2");
await page.getByLabel("cake").fill("1");
await page.snapshot();
