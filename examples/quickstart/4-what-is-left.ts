// The next run starts on a fresh VM. Its result says what is lost; the vars are not.
return { cart: typeof cart, visits: vars.get("visits") };
