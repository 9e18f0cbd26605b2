// A script is the body of an async function. What it puts on globalThis stays in the session's VM,
// what it puts into vars stays with the session.
globalThis.cart = ["apples"];
vars.set("visits", 1);
console.log("put apples into the cart");
return cart;
