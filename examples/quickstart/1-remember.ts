// A script is a cell of a notebook. What it declares stays in the session's VM; what it puts into vars stays with the session.
type Fruit = "apples" | "pears";
const cart: Fruit[] = ["apples"];
vars.set("visits", 1);
console.log("put apples into the cart");
cart
