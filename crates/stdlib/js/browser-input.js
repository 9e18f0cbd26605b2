// Made of js-runtime/src/browser-input.ts by `cargo xtask generate`.
// A page's keyboard and mouse, and what its site has stored.
((ops     , intrinsics            ) => {
  const { asArray, list, Number, String, TypeError } = intrinsics;
  const { domString } = ops.library_value("webidl");
  const { ask, evaluate, listed, optionsOf }                  = ops.library_value("browserLocators");

  class Keyboard {
    #page;                 ;
    constructor(page                  ) {
      this.#page = page;
    }
    async #ask(what        , text         , delay         )                {
      await ask(this.#page, { __proto__: null, do: "keyboard", what, text: domString(text), delay: delay ?? 0 }, "keyboard." + what);
    }
    async press(key         , options          = undefined)                {
      return await this.#ask("press", key, optionsOf(options).delay);
    }
    async type(text         , options          = undefined)                {
      return await this.#ask("type", text, optionsOf(options).delay);
    }
    async down(key         )                {
      return await this.#ask("down", key, 0);
    }
    async up(key         )                {
      return await this.#ask("up", key, 0);
    }
    async insertText(text         )                {
      return await this.#ask("insert", text, 0);
    }
  }

  class Mouse {
    #page;                 ;
    constructor(page                  ) {
      this.#page = page;
    }
    async #ask(what        , x         , y         , value         , clicks        )                {
      const options = optionsOf(value), across = Number(x), down = Number(y);
      if (across !== across || down !== down) throw new TypeError("a place is two numbers, not " + String(x) + " and " + String(y));
      await ask(this.#page, { __proto__: null, do: "mouse", what, x: across, y: down, button: options.button ?? "left", clicks: options.clickCount ?? clicks }, "mouse." + what);
    }
    async click(x         , y         , options          = undefined)                {
      return await this.#ask("click", x, y, options, 1);
    }
    async dblclick(x         , y         , options          = undefined)                {
      return await this.#ask("click", x, y, options, 2);
    }
    async move(x         , y         )                {
      return await this.#ask("move", x, y, undefined, 0);
    }
    async down(options          = undefined)                {
      return await this.#ask("down", 0, 0, options, 1);
    }
    async up(options          = undefined)                {
      return await this.#ask("up", 0, 0, options, 1);
    }
    async wheel(x         , y         )                {
      return await this.#ask("wheel", x, y, undefined, 0);
    }
  }

  /** What a page's site has stored. */
  class WebStorage {
    #state;                 ;
    #name;       ;
    constructor(state                  , name        ) {
      this.#state = state;
      this.#name = name;
    }
    async #ask(verb        , code        , ...texts           )               {
      return await evaluate(this.#state, list(), "(given) => { const stored = " + this.#name + "; " + code + " }", asArray(listed(texts, domString)), { __proto__: null }, "page." + this.#name + "." + verb, false);
    }
    async items()                 {
      return await this.#ask("items", "return Object.keys(stored).map((name) => ({ name, value: stored.getItem(name) }))");
    }
    async getItem(name         )                         {
      return await this.#ask("getItem", "return stored.getItem(...given)", name);
    }
    async setItem(name         , value         )                {
      await this.#ask("setItem", "stored.setItem(...given)", name, value);
    }
    async removeItem(name         )                {
      await this.#ask("removeItem", "stored.removeItem(...given)", name);
    }
    async clear()                {
      await this.#ask("clear", "stored.clear()");
    }
  }

  const browserInput               = { __proto__: null, Keyboard, Mouse, WebStorage }                           ;
  return { browserInput };
})
