// Another run on the same session: the cart is still there.
await new Promise((resolve) => setTimeout(resolve, 10));
cart.push("pears");
vars.update("visits", (visits: number) => visits + 1);
return { cart, visits: vars.get("visits"), prices: new Map([["apples", 3n]]) };
